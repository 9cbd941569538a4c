//! What a consumer says of a job that it has.

use super::{
    Address, answer, consumer,
    enqueue::{Asked, new_job},
    fenced, job_of, lease, token,
};
use crate::{
    app::Shared,
    http::{
        body::{Heard, hear, hear_much},
        caller::Caller,
        events::rejected,
        few::Few,
    },
    problem::Problem,
    queues::{self, About, Brought, Said, brought, fits},
    rights::{Right, may},
    walk::Draft,
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use holdfast_common::{
    cursor::Offset,
    error::Code,
    id::{EventId, JobId},
    job::{self, JobState, NewJob, Place, limits},
    storage::{
        Appended, Verdict,
        jobs::{Claim, Ended, Extend, Extended, How, Progress, Wanted},
    },
    time::Millis,
};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use std::sync::Arc;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Complete {
    token: String,
    result: Option<Box<RawValue>>,
    /// What is appended to rooms, if it is the completion.
    #[serde(default)]
    events: Few<Event, { limits::END_EVENTS }>,
    /// What is enqueued then.
    #[serde(default)]
    jobs: Few<Further, { limits::END_JOBS }>,
    next: Option<Next>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    /// The job's, where it is not said.
    namespace: Option<String>,
    /// The room's name.
    room: String,
    #[serde(rename = "type")]
    kind: String,
    data: Box<RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Further {
    /// The job's, where it is not said.
    namespace: Option<String>,
    /// The job's, where it is not said.
    queue: Option<String>,
    job: Asked,
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
    request: Request,
) -> Result<Response, Problem> {
    let (id, about) = job_of(&shared, address).await?;
    let Heard { headers, body: said, .. } =
        hear_much::<Complete>(&shared, request, "completion").await?;
    let result = said.result.map(|result| outcome(&result)).transpose()?;
    let (Few(said_events), Few(said_jobs)) = (said.events, said.jobs);
    bounded("events", said_events.len(), limits::END_EVENTS)?;
    bounded("jobs", said_jobs.len(), limits::END_JOBS)?;
    let caller = Caller::of(&shared, &headers).await?;
    // While the server drains nothing more begins.
    let next = said.next.filter(|_| !shared.is_draining());
    let then = next.map(|next| claim(&about, next, &caller)).transpose()?;
    let (token, how) = (token(&said.token), How::Complete { result });
    let mut events = Vec::with_capacity(said_events.len());
    for (index, event) in said_events.into_iter().enumerate() {
        let event_id = EventId::from_bytes(brought(id, token, Brought::Event, index));
        let draft = draft(&shared, &about, &caller, event_id, event).await;
        events.push(draft.map_err(|problem| problem.with("event", index))?);
    }
    let jobs = said_jobs.into_iter().enumerate().map(|(index, job)| {
        let job_id = JobId::from_bytes(brought(id, token, Brought::Job, index));
        further(&shared, &about, job_id, job).map_err(|problem| problem.with("job", index))
    });
    let jobs = jobs.collect::<Result<_, _>>()?;
    fits(&shared, &about, &how)?;
    end(&shared, Said { job: id, token, how, events, jobs, then }).await
}

async fn draft(
    shared: &Shared,
    about: &About,
    caller: &Caller,
    id: EventId,
    event: Event,
) -> Result<Draft, Problem> {
    let namespace = event.namespace.unwrap_or_else(|| about.ns.clone());
    let payload = event.data.get().as_bytes().to_vec();
    if payload.len() > shared.limits.payload_bytes as usize {
        return Err(Code::TooLarge.into());
    }
    shared.handler(&namespace)?;
    let room = shared.engine.room_named(&namespace, &event.room).await?;
    Ok(Draft {
        namespace,
        room: room.ok_or(Code::UnknownRoom)?.room,
        id,
        kind: event.kind,
        author: caller.author(),
        payload,
        condemned: None,
        everywhere: caller.person().is_none(),
        lane: None,
        idempotency: None,
    })
}

fn further(shared: &Shared, about: &About, id: JobId, further: Further) -> Result<NewJob, Problem> {
    let ns = further.namespace.as_ref().unwrap_or(&about.ns);
    let queue = shared.queues.queue(ns, further.queue.as_ref().unwrap_or(&about.queue))?;
    may(Right::Enqueue, ns)?;
    if further.job.has_time() {
        // A delay that is worked out anew each time would make the same end another one.
        return Err(Problem::bad_request("Here it is delay_ms, and not at."));
    }
    new_job(shared, queue, id, further.job, None)
}

fn bounded(what: &str, number: usize, most: usize) -> Result<(), Problem> {
    if number > most {
        let text = format!("One completion has up to {most} {what}.");
        return Err(Problem::because(Code::TooLarge, text));
    }
    Ok(())
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
    request: Request,
) -> Result<Response, Problem> {
    let (id, about) = job_of(&shared, address).await?;
    let said = hear_much::<Fail>(&shared, request, "failure").await?.body;
    let failure = said.failure.map(|failure| outcome(&failure)).transpose()?;
    let wait = said.retry_ms.unwrap_or(Millis(0));
    within("retry_ms", wait <= limits::LONGEST_BACKOFF)?;
    let retry = said.retry.unwrap_or(true).then_some(wait);
    let how = How::Fail { reason: said.reason, failure, retry };
    fits(&shared, &about, &how)?;
    end(&shared, Said::plain(id, token(&said.token), how)).await
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
    request: Request,
) -> Result<Response, Problem> {
    let (id, _) = job_of(&shared, address).await?;
    let said = hear::<Snooze>(&shared, request, "snooze").await?.body;
    within("delay_ms", said.delay_ms <= limits::LONGEST_DELAY)?;
    let how = How::Snooze { delay: said.delay_ms };
    end(&shared, Said::plain(id, token(&said.token), how)).await
}

async fn end(shared: &Shared, said: Said) -> Result<Response, Problem> {
    let events: Vec<_> = said.events.iter().map(|event| event.id).collect();
    let enqueued: Vec<_> = said.jobs.iter().map(|job| job.id).collect();
    let ended = queues::end(shared, said).await?;
    let (place, wait, then, stands, again) = match ended {
        Ended::Done { place, wait, then, appended } => {
            (place, wait, then, appended.iter().map(offset).collect(), false)
        }
        Ended::Again { place, stands } => (place, None, None, stands, true),
        Ended::Late(reason) => return Err(fenced(reason)),
        Ended::TooOften => return Err(Code::TooMany.into()),
        Ended::UnknownJob => return Err(job::Code::UnknownJob.into()),
        Ended::Rejected { index, verdict } => return Err(rejected(verdict).with("event", index)),
        Ended::UnknownQueue { index } => {
            return Err(Problem::from(job::Code::UnknownQueue).with("job", index));
        }
        Ended::QueueFull => return Err(job::Code::QueueFull.into()),
        Ended::Moved => return Err(Code::Overloaded.into()),
    };
    let jobs = then.map(lease::jobs).transpose()?;
    let said = Told {
        state: place.state(),
        due_in_ms: wait.filter(|_| place == Place::Delayed),
        leased: jobs.as_deref().map(lease::shown),
        events: events.into_iter().zip(stands).map(|(id, offset)| Stands { id, offset }).collect(),
        enqueued,
        again,
    };
    Ok(answer(StatusCode::OK, &said))
}

fn offset(appended: &Appended) -> Option<Offset> {
    match appended {
        Appended::Decided { verdict: Verdict::Ack { offset, .. }, .. } => Some(*offset),
        _ => None,
    }
}

/// An event that stands by an end.
#[derive(Serialize)]
struct Stands {
    id: EventId,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<Offset>,
}

/// What became of a job by its consumer's word.
#[derive(Serialize)]
struct Told<'a> {
    state: JobState,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_in_ms: Option<Millis>,
    #[serde(flatten)]
    leased: Option<lease::Leased<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<Stands>,
    /// The further jobs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    enqueued: Vec<JobId>,
    /// It had said so before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    again: bool,
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
    request: Request,
) -> Result<Response, Problem> {
    let (id, _) = job_of(&shared, address).await?;
    let said = hear::<Longer>(&shared, request, "wish for time").await?.body;
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

fn outcome(data: &RawValue) -> Result<String, Problem> {
    let text = data.get();
    if text.len() > limits::RESULT_BYTES {
        let most = limits::RESULT_BYTES;
        let detail = format!("It has more than {most} bytes. The job is still held.");
        return Err(Problem::because(Code::TooLarge, detail));
    }
    Ok(text.to_owned())
}

fn claim(about: &About, next: Next, caller: &Caller) -> Result<Claim, Problem> {
    let (ns, queue) = (about.ns.clone(), about.queue.clone());
    let most = next.max.unwrap_or(1).clamp(1, limits::CLAIM_JOBS);
    let wanted = Wanted::Of { ns, queue, most };
    Ok(Claim {
        wanted,
        holder: consumer(next.consumer, caller)?,
        lease: next.lease_ms.map(limits::lease),
    })
}

fn within(member: &'static str, within: bool) -> Result<(), Problem> {
    if within { Ok(()) } else { Err(job::Unfit::Bounds(member).into()) }
}
