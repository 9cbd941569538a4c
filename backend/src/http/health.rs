//! What those who run the server ask it.

use crate::{app::Shared, metrics::Others, problem::Problem};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use holdfast_common::error::Code;
use std::sync::Arc;

/// `GET /healthz`: the process is alive.
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: an event would be taken now.
pub(crate) async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    if shared.is_draining() {
        return Problem::unready(Code::Draining).into_response();
    }
    match shared.engine.ready().await {
        Ok(()) => "ready\n".into_response(),
        Err(fault) => Problem::unready(fault.code()).into_response(),
    }
}

/// `GET /metrics`.
pub(crate) async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let others = Others {
        dropped: shared.hub.dropped(),
        commits: shared.engine.commits(),
        waiting: shared.queues.desk.waiting() as u64,
        draining: shared.is_draining(),
    };
    let text = shared.metrics.render(&others);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text).into_response()
}
