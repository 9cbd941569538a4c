//! What a consumer says of a job that it has.

use super::{
    Address, answer, consumer,
    enqueue::{Asked, more_than_may_be},
    fenced, job_of, lease, token,
};
use crate::{
    app::Shared,
    http::{
        body::{Heard, hear, hear_much},
        caller::Caller,
        events::rejected,
    },
    problem::Problem,
    queues::{About, EndDraft, end_with_brings, possible, unless_late},
};
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use holdfast_common::{
    consumer::BroughtIds,
    error::Code,
    few::Few,
    frame::{
        Author,
        work::{Brings, Brought, EndEvent, EndJob},
    },
    id::JobId,
    job::{self, JobState, Place, limits},
    storage::{
        Appended,
        jobs::{Claim, Ended, Extend, Extended, How, Progress, Wanted, Word},
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

/// An [`EndEvent`] by HTTP: as [`Further`] it stands beside the frames', since HTTP refuses a member that
/// nobody knows and a frame's is passed over.
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

impl From<Event> for EndEvent {
    fn from(event: Event) -> Self {
        let Event { namespace, room, kind, data } = event;
        Self { namespace, room, kind, data }
    }
}

impl From<Further> for EndJob {
    fn from(further: Further) -> Self {
        let Further { namespace, queue, job } = further;
        Self { namespace, queue, job: job.into() }
    }
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
    let caller = Caller::of(&shared, &headers).await?;
    let brings = Brings {
        events: said.events.0.into_iter().map(EndEvent::from).collect(),
        jobs: said.jobs.0.into_iter().map(EndJob::from).collect(),
    };
    // While the server drains nothing more begins.
    let next = said.next.filter(|_| !shared.is_draining());
    let then = next.map(|next| claim(&about, &next, &caller)).transpose();
    let how = How::Complete { result: said.result.map(|result| result.get().to_owned()) };
    let said = EndDraft::plain(id, token(&said.token), how);
    let author = caller.author();
    let ends = end_with_brings::<Problem>(&shared, &about, &author, said, &brings, then);
    let (end, _, ids) = ends.await?;
    ended(end, ids)
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
    let failure = said.failure.map(|failure| failure.get().to_owned());
    let wait = said.retry_ms.unwrap_or(Millis(0));
    let retry = said.retry.unwrap_or(true).then_some(wait);
    plain(&shared, &about, id, &said.token, How::Fail { reason: said.reason, failure, retry }).await
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
    let (id, about) = job_of(&shared, address).await?;
    let said = hear::<Snooze>(&shared, request, "snooze").await?.body;
    plain(&shared, &about, id, &said.token, How::Snooze { delay: said.delay_ms }).await
}

/// An end that brings nothing: nobody's name is noted with it.
async fn plain(
    shared: &Shared,
    about: &About,
    id: JobId,
    shown: &str,
    how: How,
) -> Result<Response, Problem> {
    let said = EndDraft::plain(id, token(shown), how);
    let (author, nothing) = (Author::service(), Brings::default());
    let ends = end_with_brings::<Problem>(shared, about, &author, said, &nothing, Ok(None));
    let (end, _, ids) = ends.await?;
    ended(end, ids)
}

fn ended(end: Ended, ids: BroughtIds) -> Result<Response, Problem> {
    let (place, wait, then, stands, again) = match end {
        Ended::Done { place, wait, then, appended } => {
            (place, wait, then, appended.iter().map(Appended::offset).collect(), false)
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
        Ended::TooLarge => return Err(more_than_may_be()),
        Ended::Moved => return Err(Code::Overloaded.into()),
    };
    let jobs = then.map(lease::jobs).transpose()?;
    let said = EndAnswer {
        state: place.state(),
        due_in_ms: wait.filter(|_| place == Place::Delayed),
        leased: jobs.as_deref().map(lease::shown),
        brought: ids.stand(stands),
        again,
    };
    Ok(answer(StatusCode::OK, &said))
}

/// What became of a job by its consumer's word.
#[derive(Serialize)]
struct EndAnswer<'a> {
    state: JobState,
    #[serde(skip_serializing_if = "Option::is_none")]
    due_in_ms: Option<Millis>,
    #[serde(flatten)]
    leased: Option<lease::Leased<'a>>,
    #[serde(flatten)]
    brought: Brought,
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
    let token = token(&said.token);
    let progress = (said.progress.is_some() || said.note.is_some())
        .then(|| Progress { percent: said.progress.unwrap_or(0), note: said.note });
    if let Err(wrong) = possible(progress.as_ref()) {
        let word = Word::plain(id, token, None);
        let end = unless_late::<Problem>(&shared, word, wrong.into()).await?;
        return ended(end, BroughtIds::default());
    }
    let lease = said.lease_ms.map(limits::lease);
    let extend = Extend { jobs: vec![(id, token)], lease, progress };
    match shared.queues.desk.extend(extend).await?.first() {
        Some(Extended::Until(given)) => {
            let said = json!({ "expires_at": given.until, "lease_ms": given.length });
            Ok(answer(StatusCode::OK, &said))
        }
        Some(Extended::Late(reason)) => Err(fenced(*reason)),
        Some(Extended::UnknownJob) | None => Err(job::Code::UnknownJob.into()),
    }
}

fn claim(about: &About, next: &Next, caller: &Caller) -> Result<Claim, Problem> {
    let (ns, queue) = (about.ns.clone(), about.queue.clone());
    let most = next.max.unwrap_or(1).clamp(1, limits::CLAIM_JOBS);
    let wanted = Wanted::Of { ns, queue, most };
    Ok(Claim {
        wanted,
        holder: consumer(next.consumer.clone(), caller)?,
        lease: next.lease_ms.map(limits::lease),
    })
}
