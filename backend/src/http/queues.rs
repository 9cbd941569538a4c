//! Queues and jobs by HTTP: enqueue, take, say what became of it, look, decide.

mod end;
mod enqueue;
mod govern;
mod lease;
mod list;
mod read;

use crate::{
    app::Shared,
    http::caller::Caller,
    problem::Problem,
    queues::About,
    rights::{Right, may},
};
use axum::{
    Router,
    extract::{Path, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use holdfast_common::{
    id::JobId,
    job::{self, JobState, QueueType, Reason, Token, limits::label},
};
use serde::Serialize;
use std::sync::Arc;

/// The addresses below `/api/v1`.
pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/queues", get(read::everywhere))
        .route("/{namespace}/queues", get(read::queues))
        .route("/{namespace}/queues/{queue}", get(read::queue))
        .route("/{namespace}/queues/{queue}/jobs", get(list::jobs).post(enqueue::one))
        .route("/{namespace}/queues/{queue}/batch", post(enqueue::batch))
        .route("/{namespace}/queues/{queue}/lease", post(lease::of_queue))
        .route("/{namespace}/queues/{queue}/pause", post(govern::pause))
        .route("/{namespace}/queues/{queue}/resume", post(govern::resume))
        .route("/{namespace}/queues/{queue}/purge", post(govern::purge))
        .route("/{namespace}/queues/{queue}/requeue", post(govern::requeue_many))
        .route("/{namespace}/queues/{queue}/discard", post(govern::discard_many))
        .route("/{namespace}/queues/{queue}/settings", post(govern::settings))
        .route("/{namespace}/queues/{queue}/audit", get(list::audit))
        .route("/{namespace}/jobs/{id}", get(read::job))
        .route("/{namespace}/jobs/{id}/lease", post(lease::one))
        .route("/{namespace}/jobs/{id}/complete", post(end::complete))
        .route("/{namespace}/jobs/{id}/fail", post(end::fail))
        .route("/{namespace}/jobs/{id}/snooze", post(end::snooze))
        .route("/{namespace}/jobs/{id}/extend", post(end::extend))
        .route("/{namespace}/jobs/{id}/cancel", post(govern::cancel))
        .route("/{namespace}/jobs/{id}/requeue", post(govern::requeue))
        .route("/{namespace}/jobs/{id}/discard", post(govern::discard))
}

/// A namespace and a queue's name or a job's id, as they stand in the address.
type Address = Result<Path<(String, String)>, PathRejection>;

fn parts(address: Address) -> Result<(String, String), Problem> {
    let Path(parts) = address.map_err(|_| Problem::bad_request("The address is no UTF-8."))?;
    Ok(parts)
}

/// The queue of an address, where one may do this with it.
fn queue_of(shared: &Shared, address: Address, right: Right) -> Result<&QueueType, Problem> {
    let (ns, name) = parts(address)?;
    let queue = shared.queues.queue(&ns, &name)?;
    may(right, &ns)?;
    Ok(queue)
}

/// The job of an address, where one may do this with jobs of its queue.
async fn job_of(
    shared: &Shared,
    address: Address,
    right: Right,
) -> Result<(JobId, Arc<About>), Problem> {
    let (ns, id) = parts(address)?;
    let id: JobId = id.parse().map_err(|_| job::Code::UnknownJob)?;
    let about = shared.queues.desk.about(id).await?;
    let about = about.filter(|about| about.ns == ns).ok_or(job::Code::UnknownJob)?;
    may(right, &ns)?;
    Ok((id, about))
}

/// A token that somebody shows. A text that is none is taken as one that no lease has.
fn token(text: &str) -> Token {
    text.parse().unwrap_or(Token { fence: 0, key: 0 })
}

fn consumer(name: String, caller: &Caller) -> Result<job::Holder, Problem> {
    if !label(&name) {
        return Err(Problem::bad_request("A consumer is called something of 1 to 128 bytes."));
    }
    Ok(job::Holder { consumer: name, person: caller.person() })
}

fn fenced(reason: Reason) -> Problem {
    Problem::from(job::Code::Fenced).with("reason", serde_json::json!(reason))
}

pub(super) fn wrong_state(state: JobState) -> Problem {
    Problem::from(job::Code::WrongState).with("state", serde_json::json!(state))
}

pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let body = serde_json::to_string(body);
    let body = body.expect("an answer has string keys and serializes");
    (status, headers, body).into_response()
}
