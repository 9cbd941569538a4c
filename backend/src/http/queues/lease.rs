//! Taking jobs: those of a queue, waited for, or one by its id.

use super::{Address, answer, consumer, job_of, queue_of, wrong_state};
use crate::{
    app::Shared,
    http::{
        body::{Heard, hear},
        caller::Caller,
    },
    problem::Problem,
    queues::Poll,
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use holdfast_common::{
    error::Code,
    id::JobId,
    job::{
        self,
        limits::{CLAIM_JOBS, LONGEST_POLL, lease},
    },
    storage::jobs::{Claim, Claimed, LeasedJob, QueueName, Wanted},
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    consumer: String,
    max: Option<u32>,
    lease_ms: Option<Millis>,
    wait_ms: Option<Millis>,
}

/// `POST /api/v1/{namespace}/queues/{queue}/lease`.
pub(super) async fn of_queue(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let spec = &queue_of(&shared, address)?.spec;
    let Heard { headers, body: wish, .. } = hear::<Wish>(&shared, request, "wish for jobs").await?;
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let holder = consumer(wish.consumer, &Caller::of(&shared, &headers).await?)?;
    let (most, length) = (wish.max.unwrap_or(1).clamp(1, CLAIM_JOBS), wish.lease_ms.map(lease));
    let wait = wish.wait_ms.unwrap_or(Millis(0)).min(LONGEST_POLL);
    let desk = &shared.queues.desk;
    let (ns, name) = (spec.ns.clone(), spec.name.clone());
    if wait == Millis(0) {
        let wanted = Wanted::Of { ns, queue: name, most };
        let (claimed, _) = desk.claim(Claim { wanted, holder, lease: length }).await?;
        return Ok(leased(&jobs(claimed)?));
    }
    let queue = Arc::new(QueueName { ns, name });
    let poll = Poll::begin(desk, queue, holder, length, most)?;
    let mut draining = shared.draining.subscribe();
    let end = async move {
        let _ = draining.wait_for(|draining| *draining).await;
    };
    Ok(leased(&poll.jobs(Duration::from_millis(wait.0), end).await))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Take {
    consumer: String,
    lease_ms: Option<Millis>,
}

/// `POST /api/v1/{namespace}/jobs/{id}/lease`: this very job.
pub(super) async fn one(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    let (id, _) = job_of(&shared, address).await?;
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let Heard { headers, body: take, .. } =
        hear::<Take>(&shared, request, "wish for a job").await?;
    let holder = consumer(take.consumer, &Caller::of(&shared, &headers).await?)?;
    let claim = Claim { wanted: Wanted::Job(id), holder, lease: take.lease_ms.map(lease) };
    let (claimed, _) = shared.queues.desk.claim(claim).await?;
    Ok(leased(&jobs(claimed)?))
}

/// The jobs of a claim, or why there are none.
pub(super) fn jobs(claimed: Claimed) -> Result<Vec<LeasedJob>, Problem> {
    match claimed {
        Claimed::Jobs { jobs, .. } => Ok(jobs),
        Claimed::NotReady(state) => Err(wrong_state(state)),
        Claimed::UnknownQueue => Err(job::Code::UnknownQueue.into()),
        Claimed::UnknownJob => Err(job::Code::UnknownJob.into()),
    }
}

/// A leased job as its consumer reads it.
#[derive(Serialize)]
struct Shown<'a> {
    id: JobId,
    token: String,
    /// The token's first part, which rises with each lease of any job.
    fence: u64,
    attempt: u32,
    #[serde(rename = "type")]
    kind: &'a str,
    data: Option<&'a RawValue>,
    expires_at: Timestamp,
    lease_ms: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
}

/// Leased jobs as they are told: their payloads to the letter.
#[derive(Serialize)]
pub(super) struct Leased<'a> {
    jobs: Vec<Shown<'a>>,
}

pub(super) fn shown(jobs: &[LeasedJob]) -> Leased<'_> {
    let jobs = jobs.iter().map(|job| Shown {
        id: job.id,
        token: job.token.to_string(),
        fence: job.token.fence,
        attempt: job.attempt,
        kind: &job.kind,
        data: serde_json::from_str(&job.data).ok(),
        expires_at: job.lease.until,
        lease_ms: job.lease.length,
        group: job.group.as_deref(),
    });
    Leased { jobs: jobs.collect() }
}

fn leased(jobs: &[LeasedJob]) -> Response {
    answer(StatusCode::OK, &shown(jobs))
}
