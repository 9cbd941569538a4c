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
    queues::{self, About, Brought, Said, brought, possible, proper, unless_late},
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
    job::{self, JobState, NewJob, Place, Reason, limits},
    storage::{
        Appended, Verdict,
        jobs::{Claim, Ended, Extend, Extended, How, Progress, Wanted, Word, WordEvent},
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
    let caller = Caller::of(&shared, &headers).await?;
    let word = || said.word(id, &about);
    let ended = match said.checked(&shared, id, &about, &caller).await {
        Ok(end) => queues::end(&shared, end).await?,
        Err(problem) => unless_late::<Problem>(&shared, word(), problem).await?,
    };
    let ended = match ended {
        // A room may have another's name by now: then these words say something else than they did.
        late @ Ended::Late(Reason::Ended) if !said.events.0.is_empty() => {
            shared.engine.stands(word()).await?.unwrap_or(late)
        }
        ended => ended,
    };
    let token = token(&said.token);
    let brings = |what, count| (0..count).map(move |index| brought(id, token, what, index));
    let events = brings(Brought::Event, said.events.0.len()).map(EventId::from_bytes);
    let jobs = brings(Brought::Job, said.jobs.0.len()).map(JobId::from_bytes);
    told(ended, events.collect(), jobs.collect())
}

impl Complete {
    /// The end, if nothing is wrong with it that can be seen before the engine is asked.
    async fn checked(
        &self,
        shared: &Shared,
        id: JobId,
        about: &About,
        caller: &Caller,
    ) -> Result<Said, Problem> {
        let (token, how) = (token(&self.token), self.how());
        proper(shared, about, &how)?;
        let (Few(said_events), Few(said_jobs)) = (&self.events, &self.jobs);
        bounded("events", said_events.len(), limits::END_EVENTS)?;
        bounded("jobs", said_jobs.len(), limits::END_JOBS)?;
        // While the server drains nothing more begins.
        let next = self.next.as_ref().filter(|_| !shared.is_draining());
        let then = next.map(|next| claim(about, next, caller)).transpose()?;
        let mut events = Vec::with_capacity(said_events.len());
        for (index, event) in said_events.iter().enumerate() {
            let event_id = EventId::from_bytes(brought(id, token, Brought::Event, index));
            let draft = draft(shared, about, caller, event_id, event).await;
            events.push(draft.map_err(|problem| problem.with("event", index))?);
        }
        let jobs = said_jobs.iter().enumerate().map(|(index, job)| {
            let job_id = JobId::from_bytes(brought(id, token, Brought::Job, index));
            further(shared, about, job_id, job).map_err(|problem| problem.with("job", index))
        });
        Ok(Said { job: id, token, how, events, jobs: jobs.collect::<Result<_, _>>()?, then })
    }

    /// What is said, whether or not it can be done.
    fn word(&self, id: JobId, about: &About) -> Word {
        let token = token(&self.token);
        let events = self.events.0.iter().enumerate().map(|(index, event)| WordEvent {
            id: EventId::from_bytes(brought(id, token, Brought::Event, index)),
            namespace: event.namespace.as_ref().unwrap_or(&about.ns).clone(),
            room: event.room.clone(),
            kind: event.kind.clone(),
            data: event.data.get().to_owned(),
        });
        let jobs = self.jobs.0.iter().enumerate().map(|(index, further)| {
            let (ns, queue) = further.queue(about);
            further.job.job(JobId::from_bytes(brought(id, token, Brought::Job, index)), ns, queue)
        });
        let (events, jobs) = (events.collect(), jobs.collect());
        Word { events, jobs, ..Word::plain(id, token, Some(self.how())) }
    }

    fn how(&self) -> How {
        How::Complete { result: self.result.as_ref().map(|result| result.get().to_owned()) }
    }
}

async fn draft(
    shared: &Shared,
    about: &About,
    caller: &Caller,
    id: EventId,
    event: &Event,
) -> Result<Draft, Problem> {
    let namespace = event.namespace.as_ref().unwrap_or(&about.ns).clone();
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
        kind: event.kind.clone(),
        author: caller.author(),
        payload,
        condemned: None,
        everywhere: caller.person().is_none(),
        lane: None,
        idempotency: None,
    })
}

impl Further {
    /// The namespace and the name of its queue.
    fn queue<'a>(&'a self, about: &'a About) -> (&'a str, &'a str) {
        let ns = self.namespace.as_ref().unwrap_or(&about.ns);
        (ns, self.queue.as_ref().unwrap_or(&about.queue))
    }
}

fn further(
    shared: &Shared,
    about: &About,
    id: JobId,
    further: &Further,
) -> Result<NewJob, Problem> {
    let (ns, name) = further.queue(about);
    let queue = shared.queues.queue(ns, name)?;
    may(Right::Enqueue, ns)?;
    if further.job.has_time() {
        // A delay that is worked out anew each time would make the same end another one.
        return Err(Problem::bad_request("Here it is delay_ms, and not at."));
    }
    new_job(shared, queue, id, &further.job, None)
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

/// An end that brings nothing.
async fn plain(
    shared: &Shared,
    about: &About,
    id: JobId,
    shown: &str,
    how: How,
) -> Result<Response, Problem> {
    let token = token(shown);
    let ended = match proper(shared, about, &how) {
        Ok(()) => queues::end(shared, Said::plain(id, token, how)).await?,
        Err(wrong) => {
            let word = Word::plain(id, token, Some(how));
            unless_late::<Problem>(shared, word, wrong.into()).await?
        }
    };
    told(ended, Vec::new(), Vec::new())
}

fn told(ended: Ended, events: Vec<EventId>, enqueued: Vec<JobId>) -> Result<Response, Problem> {
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
    let token = token(&said.token);
    let progress = (said.progress.is_some() || said.note.is_some())
        .then(|| Progress { percent: said.progress.unwrap_or(0), note: said.note });
    if let Err(wrong) = possible(progress.as_ref()) {
        let word = Word::plain(id, token, None);
        let ended = unless_late::<Problem>(&shared, word, wrong.into()).await?;
        return told(ended, Vec::new(), Vec::new());
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
