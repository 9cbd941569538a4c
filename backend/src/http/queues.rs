//! Queues and jobs by HTTP: enqueue, take, say what became of it, look, decide.

mod end;
mod enqueue;
mod govern;
mod lease;
mod list;
mod read;

use crate::{
    app::Shared,
    http::{caller::Caller, routes::Routes},
    problem::Problem,
    queues::About,
    rights::Right,
};
use axum::{
    extract::{Path, rejection::PathRejection},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use holdfast_common::{
    id::JobId,
    job::{self, JobState, QueueType, Reason, Token, limits::label},
    storage::jobs::Sieve,
};
use serde::Serialize;
use std::sync::Arc;

/// The addresses below `/api/v1`.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .get_found("/queues", read::everywhere)
        .get("/{namespace}/queues", Right::Read, read::queues)
        .get("/{namespace}/queues/{queue}", Right::Read, read::queue)
        .get("/{namespace}/queues/{queue}/jobs", Right::Read, list::jobs)
        .post("/{namespace}/queues/{queue}/jobs", Right::Enqueue, enqueue::one)
        .post("/{namespace}/queues/{queue}/batch", Right::Enqueue, enqueue::batch)
        .post("/{namespace}/queues/{queue}/lease", Right::Consume, lease::of_queue)
        .post("/{namespace}/queues/{queue}/pause", Right::Govern, govern::pause)
        .post("/{namespace}/queues/{queue}/resume", Right::Govern, govern::resume)
        .post("/{namespace}/queues/{queue}/purge", Right::Govern, govern::purge)
        .post("/{namespace}/queues/{queue}/requeue", Right::Govern, govern::requeue_many)
        .post("/{namespace}/queues/{queue}/discard", Right::Govern, govern::discard_many)
        .post("/{namespace}/queues/{queue}/settings", Right::Govern, govern::settings)
        .get("/{namespace}/queues/{queue}/audit", Right::Read, list::audit)
        .get("/{namespace}/jobs/{id}", Right::Read, read::job)
        .post("/{namespace}/jobs/{id}/lease", Right::Consume, lease::one)
        .post("/{namespace}/jobs/{id}/complete", Right::Consume, end::complete)
        .post("/{namespace}/jobs/{id}/fail", Right::Consume, end::fail)
        .post("/{namespace}/jobs/{id}/snooze", Right::Consume, end::snooze)
        .post("/{namespace}/jobs/{id}/extend", Right::Consume, end::extend)
        .post("/{namespace}/jobs/{id}/cancel", Right::Govern, govern::cancel)
        .post("/{namespace}/jobs/{id}/requeue", Right::Govern, govern::requeue)
        .post("/{namespace}/jobs/{id}/discard", Right::Govern, govern::discard)
}

/// A namespace and a queue's name or a job's id, as they stand in the address.
type Address = Result<Path<(String, String)>, PathRejection>;

fn parts(address: Address) -> Result<(String, String), Problem> {
    let Path(parts) = address.map_err(|_| Problem::bad_request("The address is no UTF-8."))?;
    Ok(parts)
}

/// The queue of an address.
fn queue_of(shared: &Shared, address: Address) -> Result<&QueueType, Problem> {
    let (ns, name) = parts(address)?;
    Ok(shared.queues.queue(&ns, &name)?)
}

/// The job of an address, if it is one of the address's namespace.
async fn job_of(shared: &Shared, address: Address) -> Result<(JobId, Arc<About>), Problem> {
    let (ns, id) = parts(address)?;
    let id: JobId = id.parse().map_err(|_| job::Code::UnknownJob)?;
    let about = shared.queues.desk.about(id).await?;
    let about = about.filter(|about| about.ns == ns).ok_or(job::Code::UnknownJob)?;
    Ok((id, about))
}

/// A token that somebody shows. A text that is none is taken as one that no lease has.
fn token(text: &str) -> Token {
    text.parse().unwrap_or(Token { fence: 0, key: 0 })
}

/// Which jobs somebody looks for.
fn sieve(kind: Option<String>, error: Option<String>) -> Result<Sieve, Problem> {
    Sieve::of(kind, error).map_err(|why| Problem::bad_request(why.to_string()))
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
