//! The server as a part: an axum [`Router`] that any application can mount, and a [`Handle`] by
//! which the application emits.

mod build;
mod handle;
pub(crate) mod rooms;

pub use build::{Builder, NotBuilt};
pub(crate) use handle::signalled;
pub use handle::{Emitted, Handle, NotEmitted, NotEnqueued, NotScheduled};

use crate::{
    clock::Clock, commit::Committer, engine::Engine, export::Shelf, guard, guard::Guard, http,
    hub::Hub, metrics::Metrics, page, place, problem::Problem, queues::Queues, turns::Turns,
    webhook, ws,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::FutureExt;
use holdfast_common::{
    error::Code, event::Handler, frame::Author, id::RoomId, limits::Limits, session, time::Millis,
};
use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::{Semaphore, watch};

/// The namespaces that are served, by name.
pub(crate) type Handlers = BTreeMap<&'static str, Box<dyn Handler>>;

/// What every request and every connection shares.
pub(crate) struct Shared {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) committer: Committer,
    pub(crate) queues: Queues,
    /// What webhooks go by.
    pub(crate) sender: Arc<webhook::Sender>,
    /// Where exports are kept, if anywhere.
    pub(crate) exports: Option<Arc<Shelf>>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) clock: Clock,
    /// Rooms in which everyone is.
    pub(crate) welcome_rooms: Vec<RoomId>,
    /// Whose turn it is to change who is in a room.
    pub(crate) turns: Turns,
    /// Who writes what the server itself emits.
    pub(crate) author: Author,
    /// True once the server shuts down. Each connection holds a receiver for as long as it lives.
    pub(crate) draining: watch::Sender<bool>,
    /// When clients are told to come back.
    pub(crate) away: Millis,
    /// How long a worker's run may go on while the server drains.
    pub(crate) drain: Duration,
    /// How long a request's body may take.
    pub(crate) request_time: Duration,
    /// Turns for what a long hello takes.
    pub(crate) long_hellos: Arc<Semaphore>,
    /// What sessions have to know of it.
    pub(crate) server: Arc<session::Server>,
    pub(crate) handlers: Handlers,
}

impl Shared {
    /// The handler of a namespace.
    pub(crate) fn handler(&self, namespace: &str) -> Result<&dyn Handler, Code> {
        let handler = self.handlers.get(namespace);
        handler.map(|it| &**it).ok_or(Code::UnknownNamespace)
    }

    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }
}

fn router(shared: Arc<Shared>, guard: Guard, with_page: bool) -> Router {
    let router = Router::new()
        .route("/ws", get(ws::upgrade))
        .route("/healthz", get(http::health::alive))
        .route("/readyz", get(http::health::ready))
        .route("/metrics", get(http::health::metrics))
        .route(
            "/api/v1/{namespace}/rooms/{room}/events",
            get(http::events::read).post(http::events::append),
        )
        .nest("/api/v1", api().router())
        // Bodies are read with the limit of their own route.
        .layer(DefaultBodyLimit::disable())
        .method_not_allowed_fallback(|| async { Problem::from(Code::MethodNotAllowed) });
    let router = if with_page { router.fallback(fallback) } else { router };
    // The last one is the outermost: what the guard refuses carries the headers too.
    router
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), caught))
        .layer(middleware::from_fn(place::check))
        .layer(middleware::from_fn_with_state(guard, guard::check))
        .layer(middleware::map_response(with_headers))
        .with_state(shared)
}

/// Queues, and what stands beside them.
pub(crate) fn api() -> http::routes::Routes {
    let beside = http::webhooks::routes().and(http::exports::routes());
    http::queues::routes().and(beside).and(http::schedules::routes())
}

async fn fallback(request: Request) -> Response {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return Problem::from(Code::NotFound).into_response();
    }
    let page = page::get(path, request.headers());
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return page;
    }
    if page.status() == StatusCode::NOT_FOUND {
        return Problem::from(Code::NotFound).into_response();
    }
    ([(header::ALLOW, "GET, HEAD")], Problem::from(Code::MethodNotAllowed)).into_response()
}

/// A panic costs its request alone: it is counted, and answered.
async fn caught(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    answer.unwrap_or_else(|_| {
        shared.metrics.panics.add(1);
        tracing::error!("a request ended by a panic");
        Problem::from(Code::ServerFault).into_response()
    })
}

/// What every response carries.
async fn with_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let name = header::HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(name, HeaderValue::from_static("same-origin"));
    response
}
