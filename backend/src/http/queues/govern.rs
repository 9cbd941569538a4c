//! What people decide about queues and jobs. Each deed is noted with who did it.

use super::{Address, answer, job_of, queue_of, sieve, wrong_state};
use crate::{
    app::Shared,
    http::{
        body::{Heard, Nothing, hear},
        caller::Caller,
    },
    problem::Problem,
    queues::patch,
    rights::{Right, may},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use holdfast_common::{
    error::Code,
    few::Few,
    id::JobId,
    job::{self, JobState, QueueType, limits::CALL_JOBS},
    storage::jobs::{Chosen, Deed, Governed, Purge, QueueName, Sieve},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mended {
    /// The payload from now on.
    data: Option<Box<RawValue>>,
}

/// `POST /api/v1/{namespace}/jobs/{id}/cancel`.
pub(super) async fn cancel(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    drop_one(&shared, address, request, Deed::Cancel).await
}

/// `POST /api/v1/{namespace}/jobs/{id}/discard`.
pub(super) async fn discard(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    drop_one(&shared, address, request, Deed::Discard).await
}

async fn drop_one(
    shared: &Shared,
    address: Address,
    request: Request,
    deed: fn(Chosen) -> Deed,
) -> Result<Response, Problem> {
    let (id, _) = job_of(shared, address).await?;
    let Heard { headers, body: Nothing {}, .. } = hear(shared, request, "word").await?;
    govern(shared, &headers, deed(Chosen::One(id))).await?;
    Ok(answer(StatusCode::OK, &json!({ "state": JobState::Cancelled })))
}

/// `POST /api/v1/{namespace}/jobs/{id}/requeue`: a dead letter is tried again, mended or as it is.
pub(super) async fn requeue(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let (id, about) = job_of(&shared, address).await?;
    let Heard { headers, body: Mended { data }, .. } = hear(&shared, request, "requeue").await?;
    let data = data.map(|data| data.get().to_owned());
    if let Some(data) = &data {
        if data.len() > shared.limits.payload_bytes as usize {
            return Err(Code::TooLarge.into());
        }
        // It is another job then, as if it were enqueued.
        may(Right::Enqueue, &about.ns)?;
        shared.queues.queue(&about.ns, &about.queue)?.kind(&about.kind)?.check(data)?;
    }
    govern(&shared, &headers, Deed::Requeue { jobs: Chosen::One(id), data }).await?;
    Ok(answer(StatusCode::OK, &json!({ "state": JobState::Ready })))
}

/// `POST /api/v1/{namespace}/queues/{queue}/pause`.
pub(super) async fn pause(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    switch(&shared, address, request, true).await
}

/// `POST /api/v1/{namespace}/queues/{queue}/resume`.
pub(super) async fn resume(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    switch(&shared, address, request, false).await
}

async fn switch(
    shared: &Shared,
    address: Address,
    request: Request,
    paused: bool,
) -> Result<Response, Problem> {
    let queue = name(queue_of(shared, address)?);
    let Heard { headers, body: Nothing {}, .. } = hear(shared, request, "pause").await?;
    let deed = if paused { Deed::Pause(queue) } else { Deed::Resume(queue) };
    govern(shared, &headers, deed).await?;
    Ok(answer(StatusCode::OK, &json!({ "paused": paused })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Emptied {
    state: JobState,
}

/// `POST /api/v1/{namespace}/queues/{queue}/purge`.
pub(super) async fn purge(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let queue = name(queue_of(&shared, address)?);
    let Heard { headers, body: Emptied { state }, .. } = hear(&shared, request, "purge").await?;
    let what = match state {
        JobState::Ready => Purge::Waiting,
        JobState::Dead => Purge::Dead,
        _ => return Err(Problem::bad_request("A queue is emptied of what is ready or dead.")),
    };
    many(&shared, &headers, Deed::Purge(queue, what)).await
}

/// Which dead letters are meant: these, or all that are of a type or have a text in their last error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    ids: Option<Few<JobId, CALL_JOBS>>,
    #[serde(rename = "type")]
    kind: Option<String>,
    error: Option<String>,
}

impl Which {
    fn chosen(self, queue: QueueName) -> Result<Chosen, Problem> {
        let sieve = sieve(self.kind, self.error)?;
        match self.ids {
            None => Ok(Chosen::Dead(queue, sieve)),
            Some(_) if sieve != Sieve::default() => {
                Err(Problem::bad_request("It is either ids or type and error."))
            }
            Some(Few(ids)) if ids.len() > CALL_JOBS => {
                let text = format!("One call has up to {CALL_JOBS} ids.");
                Err(Problem::because(Code::TooLarge, text))
            }
            Some(Few(ids)) => Ok(Chosen::Of(queue, ids)),
        }
    }
}

/// `POST /api/v1/{namespace}/queues/{queue}/requeue`.
pub(super) async fn requeue_many(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    chosen(&shared, address, request, |jobs| Deed::Requeue { jobs, data: None }).await
}

/// `POST /api/v1/{namespace}/queues/{queue}/discard`.
pub(super) async fn discard_many(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    chosen(&shared, address, request, Deed::Discard).await
}

async fn chosen(
    shared: &Shared,
    address: Address,
    request: Request,
    deed: fn(Chosen) -> Deed,
) -> Result<Response, Problem> {
    let queue = name(queue_of(shared, address)?);
    let Heard { headers, body, .. } = hear::<Which>(shared, request, "choice of jobs").await?;
    many(shared, &headers, deed(body.chosen(queue)?)).await
}

/// `POST /api/v1/{namespace}/queues/{queue}/settings`: what is not named stays as it is.
pub(super) async fn settings(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let queue = name(queue_of(&shared, address)?);
    let Heard { headers, body: named, .. } = hear(&shared, request, "settings").await?;
    let deed = Deed::Set(queue, patch(named).map_err(Problem::bad_request)?);
    match decide(&shared, &headers, deed).await? {
        Governed::Set(settings) => Ok(answer(StatusCode::OK, &json!({ "settings": settings }))),
        _ => Err(job::Code::UnknownQueue.into()),
    }
}

async fn many(shared: &Shared, headers: &HeaderMap, deed: Deed) -> Result<Response, Problem> {
    let count = govern(shared, headers, deed).await?;
    Ok(answer(StatusCode::OK, &json!({ "count": count })))
}

/// Does it in the name of who calls.
async fn decide(shared: &Shared, headers: &HeaderMap, deed: Deed) -> Result<Governed, Problem> {
    let by = Caller::of(shared, headers).await?.by();
    Ok(shared.queues.desk.govern(by, deed).await?)
}

/// The same; returns to how many jobs it was done.
async fn govern(shared: &Shared, headers: &HeaderMap, deed: Deed) -> Result<u64, Problem> {
    match decide(shared, headers, deed).await? {
        Governed::Done { jobs, .. } => Ok(jobs),
        Governed::Set(_) => Ok(0),
        Governed::WrongState(state) => Err(wrong_state(state)),
        Governed::UnknownJob => Err(job::Code::UnknownJob.into()),
        Governed::UnknownQueue => Err(job::Code::UnknownQueue.into()),
    }
}

fn name(queue: &QueueType) -> QueueName {
    QueueName { ns: queue.spec.ns.clone(), name: queue.spec.name.clone() }
}
