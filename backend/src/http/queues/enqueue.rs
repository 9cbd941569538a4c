//! Enqueuing one job or a batch.

use super::{Address, answer, queue_of};
use crate::{
    app::Shared,
    clock,
    http::{
        body::{Heard, hear, hear_much, key},
        caller::Caller,
    },
    problem::Problem,
    queues::{by_key, new_job},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use holdfast_common::{
    error::Code,
    few::Few,
    frame::work::AskedJob,
    id::{JobId, PersonId},
    job::{self, NewJob, limits::CALL_JOBS},
    storage::jobs::{Enqueued, Promise},
    time::Millis,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use std::sync::Arc;

/// An [`AskedJob`] by HTTP, where a member that nobody knows is refused; a frame's is passed over.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    #[serde(rename = "type")]
    kind: String,
    data: Box<RawValue>,
    delay_ms: Option<Millis>,
    /// Unix milliseconds: instead of a delay.
    at: Option<u64>,
    priority: Option<i8>,
    group: Option<String>,
    max_attempts: Option<u32>,
    backoff_ms: Option<Millis>,
    expires_ms: Option<Millis>,
}

impl From<Asked> for AskedJob {
    fn from(asked: Asked) -> Self {
        Self {
            kind: asked.kind,
            data: asked.data,
            delay_ms: asked.delay_ms,
            at: asked.at,
            priority: asked.priority.map(i64::from),
            group: asked.group,
            max_attempts: asked.max_attempts,
            backoff_ms: asked.backoff_ms,
            expires_ms: asked.expires_ms,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    jobs: Few<Asked, CALL_JOBS>,
}

/// `POST /api/v1/{namespace}/queues/{queue}/jobs`.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let queue = queue_of(&shared, address)?;
    let Heard { headers, bytes, body } = hear::<Asked>(&shared, request, "job").await?;
    let asker = Caller::of(&shared, &headers).await?.person();
    let job = new_job::<Problem>(&shared, queue, clock::fresh_job()?, &body.into(), asker)?;
    let (status, ids) = enqueue(&shared, vec![job], promise(&headers, asker, &bytes)?).await?;
    Ok(answer(status, &json!({ "id": ids.first() })))
}

/// `POST /api/v1/{namespace}/queues/{queue}/batch`: all of them or none.
pub(super) async fn batch(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let queue = queue_of(&shared, address)?;
    let Heard { headers, bytes, body: Batch { jobs: Few(jobs) } } =
        hear_much(&shared, request, "batch of jobs").await?;
    if jobs.is_empty() {
        return Err(Problem::bad_request("There is no job in it."));
    }
    if jobs.len() > CALL_JOBS {
        let text = format!("A batch has up to {CALL_JOBS} jobs.");
        return Err(Problem::because(Code::TooLarge, text));
    }
    let asker = Caller::of(&shared, &headers).await?.person();
    let jobs = jobs.into_iter().enumerate().map(|(index, asked)| {
        let job = new_job(&shared, queue, clock::fresh_job()?, &asked.into(), asker);
        job.map_err(|problem: Problem| problem.with("index", index))
    });
    let jobs = jobs.collect::<Result<_, _>>()?;
    let (status, ids) = enqueue(&shared, jobs, promise(&headers, asker, &bytes)?).await?;
    Ok(answer(status, &json!({ "ids": ids })))
}

fn promise(
    headers: &HeaderMap,
    asker: Option<PersonId>,
    body: &[u8],
) -> Result<Option<Promise>, Problem> {
    Ok(key(headers)?.map(|key| by_key(key, asker, &[body])))
}

async fn enqueue(
    shared: &Shared,
    jobs: Vec<NewJob>,
    promise: Option<Promise>,
) -> Result<(StatusCode, Vec<JobId>), Problem> {
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    match shared.queues.desk.enqueue(jobs, promise).await? {
        Enqueued::Made { ids, .. } => Ok((StatusCode::CREATED, ids)),
        Enqueued::Again(ids) => Ok((StatusCode::OK, ids)),
        Enqueued::Mismatch => Err(Code::IdempotencyMismatch.into()),
        Enqueued::UnknownQueue { .. } => Err(job::Code::UnknownQueue.into()),
        Enqueued::QueueFull => Err(job::Code::QueueFull.into()),
        Enqueued::TooLarge => Err(more_than_may_be()),
    }
}

/// There will never be room for so many, so that the same is not to be asked for again.
pub(super) fn more_than_may_be() -> Problem {
    Problem::because(Code::TooLarge, "These are more jobs than a queue may have.")
}
