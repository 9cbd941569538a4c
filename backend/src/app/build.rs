//! Putting a server together.

use super::{Handle, Handlers, Shared, router};
use crate::{
    clock::Clock,
    commit::Committer,
    engine::Engine,
    export::{self, Exports, Shelf},
    guard::Guard,
    hub::Hub,
    limits::{LONG_HELLOS, WEBHOOKS_AT_ONCE},
    metrics::Metrics,
    patient::Patient,
    queues::{Desk, Queues, start_schedules},
    teller,
    turns::Turns,
    webhook,
    worker::{self, Worker},
};
use axum::Router;
use holdfast_common::{
    event::Handler,
    frame::Author,
    id::{PersonId, RoomId},
    job::{JobType, QueueType},
    limits::Limits,
    session,
    storage::Fault,
    system::SYSTEM,
    time::Millis,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, watch};

/// Why a server could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum NotBuilt {
    /// The storage failed while the first rooms and queues were made.
    #[error("the first rooms and queues could not be made: {0}")]
    Storage(#[from] Fault),
    /// A room was asked for that its namespace does not have.
    #[error("there is no namespace {0}")]
    NoNamespace(String),
    /// A worker is for a queue that was not declared.
    #[error("there is no queue {0}")]
    NoQueue(String),
    /// Queues of this namespace are served, and nobody who asked for a job could be told of its end:
    /// neither it nor `work` is a namespace of this server that has `job_ended`.
    #[error(
        "nobody could be told of the end of jobs in {0}: serve the namespace work too \
         (`.namespace(work::Serve(WorkRules))`), or have {0} declare job_ended"
    )]
    Untold(String),
}

/// A worker that is not started yet.
struct Starts {
    ns: &'static str,
    queue: &'static str,
    start: Start,
}

type Start = Box<dyn FnOnce(&Arc<Shared>) + Send>;

/// Takes what a server is made of. Begin with [`Builder::new`].
pub struct Builder {
    engine: Arc<dyn Engine>,
    handlers: Handlers,
    rooms: Vec<(String, String)>,
    queues: Vec<QueueType>,
    workers: Vec<Starts>,
    webhooks: webhook::Targets,
    webhook_time: Duration,
    exports: Option<Exports>,
    limits: Limits,
    guard: Guard,
    name: String,
    waiting_frames: usize,
    away: Millis,
    drain: Duration,
    request_time: Duration,
    page: bool,
}

impl Builder {
    /// A server over this storage, without a namespace, a room or the page.
    #[must_use]
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self {
            engine,
            handlers: Handlers::new(),
            rooms: Vec::new(),
            queues: Vec::new(),
            workers: Vec::new(),
            webhooks: webhook::Targets::default(),
            webhook_time: Duration::from_secs(15),
            exports: None,
            drain: Duration::from_secs(3),
            limits: Limits::default(),
            guard: Guard::default(),
            name: "server".to_owned(),
            waiting_frames: 256,
            away: Millis(1_000),
            request_time: Duration::from_secs(30),
            page: false,
        }
    }

    /// Serves a namespace: its declaration's `Serve` with the rules in it.
    #[must_use]
    pub fn namespace(mut self, handler: impl Handler) -> Self {
        self.handlers.insert(handler.namespace(), Box::new(handler));
        self
    }

    /// A room that is there from the start and in which everyone is: each greeting makes the person
    /// a member of it, and nobody can leave it.
    #[must_use]
    pub fn welcome_room(mut self, namespace: &str, name: &str) -> Self {
        self.rooms.push((namespace.to_owned(), name.to_owned()));
        self
    }

    /// Serves queues: what their declaration's [`queues`](holdfast_common::queues) gives. Who asks for a
    /// job finds its end in an inbox of the queues' namespace, if that declares `job_ended`, or else of
    /// [`work`](holdfast_common::work): one of the two has to be served as well.
    #[must_use]
    pub fn queues(mut self, queues: Vec<QueueType>) -> Self {
        self.queues.extend(queues);
        self
    }

    /// Has jobs done in the server, so many at once.
    #[must_use]
    pub fn worker<W: Worker>(mut self, worker: W, at_once: u32) -> Self {
        let (ns, queue) = (W::Job::NAMESPACE, W::Job::QUEUE);
        let start = Box::new(move |shared: &Arc<Shared>| worker::start(shared, worker, at_once));
        self.workers.push(Starts { ns, queue, start });
        self
    }

    /// Where webhooks may go: nowhere, where this is not said.
    #[must_use]
    pub fn webhooks(mut self, targets: webhook::Targets) -> Self {
        self.webhooks = targets;
        self
    }

    /// How long a webhook's receiver may take to answer.
    #[must_use]
    pub fn webhook_time(mut self, time: Duration) -> Self {
        self.webhook_time = time;
        self
    }

    /// Where rooms are written to files: nowhere, where this is not said. Who asks for a file is told in
    /// an inbox of [`work`](holdfast_common::work), which has to be served as well.
    #[must_use]
    pub fn exports(mut self, exports: Exports) -> Self {
        self.exports = Some(exports);
        self
    }

    /// How long what workers have begun may go on while the server drains. What has not ended by then
    /// is handed back.
    #[must_use]
    pub fn drain(mut self, drain: Duration) -> Self {
        self.drain = drain;
        self
    }

    /// What clients are held to.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Who may ask at all.
    #[must_use]
    pub fn guard(mut self, guard: Guard) -> Self {
        self.guard = guard;
        self
    }

    /// The name that stands at what the server itself emits.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Frames that may wait for one connection; past it, it reads the log instead.
    #[must_use]
    pub fn waiting_frames(mut self, frames: usize) -> Self {
        self.waiting_frames = frames;
        self
    }

    /// When clients are told to come back after a shutdown.
    #[must_use]
    pub fn away(mut self, away: Millis) -> Self {
        self.away = away;
        self
    }

    /// How long a request's body may take.
    #[must_use]
    pub fn request_time(mut self, time: Duration) -> Self {
        self.request_time = time;
        self
    }

    /// Serves the page at every address that is not the server's own.
    #[must_use]
    pub fn page(mut self) -> Self {
        self.page = true;
        self
    }

    /// Makes the rooms and queues that are not there yet, and the router. Needs a tokio runtime.
    ///
    /// # Errors
    /// The rooms or queues could not be made, or what was asked for does not go together.
    pub async fn build(mut self) -> Result<(Router, Handle), NotBuilt> {
        if let Some(ns) = self.untold() {
            return Err(NotBuilt::Untold(ns.to_owned()));
        }
        let hub = Arc::new(Hub::new(self.waiting_frames));
        let metrics = Arc::new(Metrics::default());
        let engine: Arc<dyn Engine> = Arc::new(Patient::new(self.engine));
        let keep = self.exports.as_ref().map(|exports| exports.keep);
        self.queues.extend([webhook::queue(), export::queue(keep)]);
        for queue in &self.queues {
            engine.ensure_queue(queue.spec.clone()).await?;
        }
        let desk = Desk::start(Arc::clone(&engine), &hub, &metrics);
        let committer = Committer::start(Arc::clone(&engine), &hub, &desk, &metrics);
        let telling = self.handlers.values().filter(|handler| handler.tells_registers());
        let server = session::Server {
            version: env!("CARGO_PKG_VERSION"),
            telling: telling.map(|handler| handler.namespace()).collect(),
        };
        let mut shared = Shared {
            engine,
            committer,
            queues: Queues::new(self.queues, desk),
            sender: Arc::new(webhook::Sender::new(self.webhooks, self.webhook_time)),
            exports: self.exports.map(Shelf::new),
            hub,
            metrics,
            limits: self.limits,
            clock: Clock::start(),
            welcome_rooms: Vec::new(),
            turns: Turns::new(),
            author: Author { id: PersonId::NIL, name: self.name },
            draining: watch::Sender::new(false),
            away: self.away,
            drain: self.drain,
            request_time: self.request_time,
            long_hellos: Arc::new(Semaphore::new(LONG_HELLOS)),
            server: Arc::new(server),
            handlers: self.handlers,
        };
        shared.welcome_rooms = rooms(&shared, &self.rooms).await?;
        let shared = Arc::new(shared);
        for Starts { ns, queue, start } in self.workers {
            if shared.queues.queue(ns, queue).is_err() {
                return Err(NotBuilt::NoQueue(format!("{ns}/{queue}")));
            }
            start(&shared);
        }
        worker::start(&shared, webhook::Courier::new(&shared), WEBHOOKS_AT_ONCE);
        export::start(&shared).await;
        teller::start(&shared);
        start_schedules(&shared);
        let handle = Handle::new(Arc::clone(&shared));
        Ok((router(shared, self.guard, self.page), handle))
    }

    /// A namespace of whose jobs' ends nobody could be told.
    fn untold(&self) -> Option<&str> {
        let own = self.queues.iter().map(|queue| &*queue.spec.ns);
        let exports = self.exports.as_ref().map(|_| SYSTEM);
        own.chain(exports).find(|ns| teller::telling(&self.handlers, ns).is_none())
    }
}

async fn rooms(shared: &Shared, wanted: &[(String, String)]) -> Result<Vec<RoomId>, NotBuilt> {
    let mut rooms = Vec::new();
    for (namespace, name) in wanted {
        if shared.handler(namespace).is_err() {
            return Err(NotBuilt::NoNamespace(namespace.clone()));
        }
        rooms.push(super::rooms::ensure_room(shared, namespace, name).await?);
    }
    Ok(rooms)
}
