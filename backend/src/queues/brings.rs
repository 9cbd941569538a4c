//! Ends with what they bring, looked at in one place, whichever way they come in.

use super::{
    About, EndDraft,
    check::{Wrong, proper},
    unless_late,
    whole::{Part, end, part_id},
};
use crate::{
    app::Shared,
    clock,
    rights::{Right, may},
    walk::Draft,
};
use holdfast_common::{
    consumer::BroughtIds,
    error::Code,
    frame::{
        Author,
        work::{AskedJob, Brings, EndJob, TooMuch},
    },
    id::{EventId, JobId, PersonId},
    job::{self, NewJob, QueueType, Reason, Unfit},
    storage::{
        Fault,
        jobs::{Claim, End, Ended, WordEvent},
    },
    time::Millis,
};

/// How somebody is told that something cannot be.
pub(crate) trait Refuses:
    From<Code> + From<job::Code> + From<Unfit> + From<Fault> + From<TooMuch> + From<Wrong>
{
    /// In a sentence, where the code's own says too little.
    fn because(code: Code, detail: &str) -> Self;

    /// It is because of this part of an end.
    fn of(self, what: Part, index: usize) -> Self;
}

/// Ends a lease as a service or a person says it, with all that comes with it. As [`end_as_said`], and
/// with the ids of what the end brings.
pub(crate) async fn end_with_brings<R: Refuses>(
    shared: &Shared,
    about: &About,
    author: &Author,
    said: EndDraft,
    brings: &Brings,
    then: Result<Option<Claim>, R>,
) -> Result<(Ended, u64, BroughtIds), R> {
    let said = with(said, about, brings);
    let ids = BroughtIds {
        events: said.events.iter().map(|event| event.id).collect(),
        jobs: said.jobs.iter().map(|job| job.id).collect(),
    };
    let then = undated(brings).and(then);
    let (ended, version) = end_as_said(shared, about, author, &said, then).await?;
    Ok((ended, version, ids))
}

/// Ends a lease as it is said, with all that comes with it, in the author's name. What is wrong is told
/// only while the lease stands; else that it is too late, or was done before. With the version of the
/// change.
pub(crate) async fn end_as_said<R: Refuses>(
    shared: &Shared,
    about: &About,
    author: &Author,
    said: &EndDraft,
    then: Result<Option<Claim>, R>,
) -> Result<(Ended, u64), R> {
    let (events, then) = match checked(shared, about, author, said, then).await {
        Ok(checked) => checked,
        Err(wrong) => return Ok((unless_late(shared, said.word(), wrong).await?, 0)),
    };
    let (how, jobs) = (said.how.clone(), said.jobs.clone());
    let whole = End { job: said.job, token: said.token, how, appends: Vec::new(), jobs, then };
    match end(shared, whole, &events).await {
        // A rule may fail by now that did not then.
        Err(fault) if !events.is_empty() => {
            Ok((unless_late(shared, said.word(), R::from(fault)).await?, 0))
        }
        // A room may have another's name by now: then these words say something else than they did.
        Ok((late @ Ended::Late(Reason::Ended), version)) if !events.is_empty() => {
            Ok((shared.engine.stands(said.word()).await?.unwrap_or(late), version))
        }
        ended => Ok(ended?),
    }
}

/// What comes with it, if it can: rooms and queues are there, and each part is within its bounds. Whether
/// the events are allowed is asked when it ends.
async fn checked<R: Refuses>(
    shared: &Shared,
    about: &About,
    author: &Author,
    said: &EndDraft,
    then: Result<Option<Claim>, R>,
) -> Result<(Vec<Draft>, Option<Claim>), R> {
    proper(shared, about, &said.how)?;
    TooMuch::check(said.events.len(), said.jobs.len())?;
    let then = then?;
    let mut events = Vec::with_capacity(said.events.len());
    for (index, event) in said.events.iter().enumerate() {
        let draft = draft(shared, author, event).await;
        events.push(draft.map_err(|refusal: R| refusal.of(Part::Event, index))?);
    }
    for (index, job) in said.jobs.iter().enumerate() {
        further(shared, job).map_err(|refusal: R| refusal.of(Part::Job, index))?;
    }
    Ok((events, then))
}

/// An end with what it brings, whether or not that can be.
fn with(said: EndDraft, about: &About, brings: &Brings) -> EndDraft {
    let id = |what, index| part_id(said.job, said.token, what, index);
    let events = brings.events.iter().enumerate().map(|(index, event)| WordEvent {
        id: EventId::from_bytes(id(Part::Event, index)),
        namespace: event.namespace.as_ref().unwrap_or(&about.ns).clone(),
        room: event.room.clone(),
        kind: event.kind.clone(),
        data: event.data.get().to_owned(),
    });
    let jobs = brings.jobs.iter().enumerate().map(|(index, further)| {
        let (ns, queue) = queue_of(further, about);
        asked(&further.job, JobId::from_bytes(id(Part::Job, index)), ns, queue)
    });
    let (events, jobs) = (events.collect(), jobs.collect());
    EndDraft { events, jobs, ..said }
}

/// That no job of an end says when it may begin by the clock: a delay that is worked out anew each time
/// would make the same end another one.
fn undated<R: Refuses>(brings: &Brings) -> Result<(), R> {
    match brings.jobs.iter().position(|further| further.job.at.is_some()) {
        Some(index) => {
            let refusal = R::because(Code::BadRequest, "Here it is delay_ms, and not at.");
            Err(refusal.of(Part::Job, index))
        }
        None => Ok(()),
    }
}

async fn draft<R: Refuses>(
    shared: &Shared,
    author: &Author,
    event: &WordEvent,
) -> Result<Draft, R> {
    let WordEvent { id, namespace, room, kind, data } = event.clone();
    if data.len() > shared.limits.payload_bytes as usize {
        return Err(Code::TooLarge.into());
    }
    shared.handler(&namespace)?;
    let room = shared.engine.room_named(&namespace, &room).await?;
    Ok(Draft {
        namespace,
        room: room.ok_or(Code::UnknownRoom)?.room,
        id,
        kind,
        author: author.clone(),
        payload: data.into_bytes(),
        condemned: None,
        everywhere: [PersonId::SERVICE, shared.author.id].contains(&author.id),
        lane: None,
        idempotency: None,
    })
}

/// The namespace and the name of its queue.
fn queue_of<'a>(further: &'a EndJob, about: &'a About) -> (&'a str, &'a str) {
    let ns = further.namespace.as_ref().unwrap_or(&about.ns);
    (ns, further.queue.as_ref().unwrap_or(&about.queue))
}

fn further<R: Refuses>(shared: &Shared, job: &NewJob) -> Result<(), R> {
    may(Right::Enqueue, &job.ns)?;
    let queue = shared.queues.queue(&job.ns, &job.queue)?;
    fits(shared, queue, job)
}

/// Whether a queue takes a job: its type, its bounds and its payload.
fn fits<R: Refuses>(shared: &Shared, queue: &QueueType, job: &NewJob) -> Result<(), R> {
    let kind = queue.kind(&job.kind)?;
    job.check(shared.limits.payload_bytes as usize)?;
    Ok(kind.check(&job.data)?)
}

/// A job that is asked for, checked.
pub(crate) fn new_job<R: Refuses>(
    shared: &Shared,
    queue: &QueueType,
    id: JobId,
    asked: &AskedJob,
    asker: Option<PersonId>,
) -> Result<NewJob, R> {
    if asked.delay_ms.is_some() && asked.at.is_some() {
        return Err(R::because(Code::BadRequest, "It is either delay_ms or at."));
    }
    let at = asked.at.map(|at| Millis(at.saturating_sub(clock::wall().0)));
    let job = self::asked(asked, id, &queue.spec.ns, &queue.spec.name);
    let job = NewJob { asker, delay: at.unwrap_or(job.delay), ..job };
    fits::<R>(shared, queue, &job)?;
    Ok(job)
}

/// The job, whether or not it can be; what says when it may begin by the clock is not heard.
fn asked(asked: &AskedJob, id: JobId, ns: &str, queue: &str) -> NewJob {
    NewJob {
        id,
        ns: ns.to_owned(),
        queue: queue.to_owned(),
        kind: asked.kind.clone(),
        data: asked.data.get().to_owned(),
        delay: asked.delay_ms.unwrap_or_default(),
        priority: nearest(asked.priority.unwrap_or_default()),
        group: asked.group.clone(),
        most: asked.max_attempts,
        backoff: asked.backoff_ms,
        expires: asked.expires_ms,
        asker: None,
    }
}

/// One that is out of its type's range is [out of its bounds](job::limits::PRIORITY) still.
fn nearest(priority: i64) -> i8 {
    let outermost = if priority < 0 { i8::MIN } else { i8::MAX };
    priority.try_into().unwrap_or(outermost)
}
