//! What a consumer says of a job that it has.

use super::{Address, answer, consumer, fenced, job_of, lease, token};
use crate::{
    app::Shared,
    http::body::{read, whole},
    limits::BATCH_BYTES,
    problem::Problem,
    queues::About,
    rights::Right,
};
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use holdfast_common::{
    error::Code,
    job::{self, JobKind, Place, limits},
    storage::jobs::{Claim, End, Ended, Extend, Extended, How, Progress, Wanted},
    time::Millis,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    token: String,
    result: Option<Box<RawValue>>,
    next: Option<Next>,
}

/// What is taken in the same transaction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    consumer: String,
    max: Option<u32>,
    lease_ms: Option<Millis>,
}

/// `POST /api/v1/{namespace}/jobs/{id}/complete`.
pub(super) async fn complete(
    State(shared): State<Arc<Shared>>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (id, about) = job_of(&shared, address, Right::Consume).await?;
    let body = whole(&headers, body, &shared, BATCH_BYTES).await?;
    let said: Complete = read(&body, "completion")?;
    let result = said.result.map(|result| outcome(&result)).transpose()?;
    // No result is the result null.
    kind(&shared, &about)?.check_output(result.as_deref().unwrap_or("null"))?;
    let then = said.next.map(|next| claim(&about, next)).transpose()?;
    let how = How::Complete { result };
    end(&shared, End { job: id, token: token(&said.token), how, then }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fail {
    token: String,
    #[serde(default)]
    reason: String,
    retry: Option<bool>,
    /// At least so long until the next attempt.
    retry_ms: Option<Millis>,
    failure: Option<Box<RawValue>>,
}

/// `POST /api/v1/{namespace}/jobs/{id}/fail`.
pub(super) async fn fail(
    State(shared): State<Arc<Shared>>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (id, about) = job_of(&shared, address, Right::Consume).await?;
    let body = whole(&headers, body, &shared, BATCH_BYTES).await?;
    let said: Fail = read(&body, "failure")?;
    let failure = said.failure.map(|failure| outcome(&failure)).transpose()?;
    if let Some(failure) = &failure {
        kind(&shared, &about)?.check_failure(failure)?;
    }
    let wait = said.retry_ms.unwrap_or(Millis(0));
    within("retry_ms", wait <= limits::LONGEST_BACKOFF)?;
    let retry = said.retry.unwrap_or(true).then_some(wait);
    let how = How::Fail { reason: said.reason, failure, retry };
    end(&shared, End { job: id, token: token(&said.token), how, then: None }).await
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Snooze {
    token: String,
    #[serde(default)]
    delay_ms: Millis,
}

/// `POST /api/v1/{namespace}/jobs/{id}/snooze`: the job is handed back, and no attempt is lost.
pub(super) async fn snooze(
    State(shared): State<Arc<Shared>>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (id, _) = job_of(&shared, address, Right::Consume).await?;
    let body = whole(&headers, body, &shared, shared.limits.frame_bytes()).await?;
    let said: Snooze = read(&body, "snooze")?;
    within("delay_ms", said.delay_ms <= limits::LONGEST_DELAY)?;
    let how = How::Snooze { delay: said.delay_ms };
    end(&shared, End { job: id, token: token(&said.token), how, then: None }).await
}

async fn end(shared: &Shared, end: End) -> Result<Response, Problem> {
    let ended = shared.queues.desk.end(end).await?;
    let (place, wait, then, again) = match ended {
        Ended::Done { place, wait, then } => (place, wait, then, false),
        Ended::Again(place) => (place, None, None, true),
        Ended::Late(reason) => return Err(fenced(reason)),
        Ended::TooOften => return Err(Code::TooMany.into()),
        Ended::UnknownJob => return Err(job::Code::UnknownJob.into()),
    };
    let mut said = json!({ "state": place.state() });
    if let (Place::Delayed, Some(wait)) = (place, wait) {
        said["due_in_ms"] = json!(wait);
    }
    if let Some(claimed) = then {
        said["jobs"] = json!(lease::shown(&lease::jobs(claimed)?));
    }
    if again {
        said["again"] = Value::Bool(true);
    }
    Ok(answer(StatusCode::OK, &said))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Longer {
    token: String,
    lease_ms: Option<Millis>,
    progress: Option<u8>,
    note: Option<String>,
}

/// `POST /api/v1/{namespace}/jobs/{id}/extend`.
pub(super) async fn extend(
    State(shared): State<Arc<Shared>>,
    address: Address,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let (id, _) = job_of(&shared, address, Right::Consume).await?;
    let body = whole(&headers, body, &shared, shared.limits.frame_bytes()).await?;
    let said: Longer = read(&body, "wish for time")?;
    within("progress", said.progress.is_none_or(|percent| percent <= 100))?;
    let progress = (said.progress.is_some() || said.note.is_some())
        .then(|| Progress { percent: said.progress.unwrap_or(0), note: said.note });
    let lease = said.lease_ms.map(limits::lease);
    let extend = Extend { jobs: vec![(id, token(&said.token))], lease, progress };
    match shared.queues.desk.extend(extend).await?.first() {
        Some(Extended::Until(given)) => {
            let said = json!({ "expires_at": given.until, "lease_ms": given.length });
            Ok(answer(StatusCode::OK, &said))
        }
        Some(Extended::Late(reason)) => Err(fenced(*reason)),
        Some(Extended::UnknownJob) | None => Err(job::Code::UnknownJob.into()),
    }
}

/// The type of a job, which the queue may no longer have.
fn kind<'a>(shared: &'a Shared, about: &About) -> Result<&'a JobKind, Problem> {
    Ok(shared.queues.queue(&about.ns, &about.queue)?.kind(&about.kind)?)
}

fn outcome(data: &RawValue) -> Result<String, Problem> {
    let text = data.get();
    if text.len() > limits::RESULT_BYTES {
        let most = limits::RESULT_BYTES;
        let detail = format!("It has more than {most} bytes. The job is still held.");
        return Err(Problem::because(Code::TooLarge, detail));
    }
    Ok(text.to_owned())
}

fn claim(about: &About, next: Next) -> Result<Claim, Problem> {
    let (ns, queue) = (about.ns.clone(), about.queue.clone());
    let most = next.max.unwrap_or(1).clamp(1, limits::CLAIM_JOBS);
    let wanted = Wanted::Of { ns, queue, most };
    Ok(Claim { wanted, holder: consumer(next.consumer)?, lease: next.lease_ms.map(limits::lease) })
}

fn within(member: &'static str, within: bool) -> Result<(), Problem> {
    if within { Ok(()) } else { Err(job::Unfit::Bounds(member).into()) }
}
