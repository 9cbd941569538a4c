//! What those who run the server ask it.

use crate::{
    app::Shared,
    limits::{GAUGES_TIME, QUEUES_TOLD},
    metrics::Others,
    problem::Problem,
};
use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use holdfast_common::{
    error::Code,
    storage::{Fault, jobs::QueueRead},
};
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
    let text = shared.metrics.render(&others, &queues(&shared).await);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, text).into_response()
}

/// The queues as they stand, as many as are told. None where the storage cannot say in time: what else is
/// told is wanted then most of all.
async fn queues(shared: &Shared) -> Vec<QueueRead> {
    let read = async {
        let mut queues = Vec::new();
        for ns in shared.queues.namespaces() {
            queues.extend(shared.engine.queues(ns).await?);
            if queues.len() >= QUEUES_TOLD {
                break;
            }
        }
        queues.truncate(QUEUES_TOLD);
        Ok::<_, Fault>(queues)
    };
    let read = tokio::time::timeout(GAUGES_TIME, read).await;
    read.ok().and_then(Result::ok).unwrap_or_default()
}
