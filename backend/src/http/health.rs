//! What those who run the server ask it.

use crate::{app::Shared, problem::Problem};
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
    let (dropped, commits) = (shared.hub.dropped(), shared.engine.commits());
    let text = shared.metrics.render(dropped, commits, shared.is_draining());
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text).into_response()
}
