//! Ends with what they bring, looked at in one place, whichever way they come in.

use super::{
    About, Said,
    check::{Wrong, proper},
    unless_late,
    whole::{Brought, brought, end},
};
use crate::{
    app::Shared,
    clock,
    rights::{Right, may},
    walk::Draft,
};
use holdfast_common::{
    consumer::Names,
    error::Code,
    frame::{
        Author,
        work::{AskedJob, Brings, EndEvent, EndJob, TooMuch},
    },
    id::{EventId, JobId, PersonId},
    job::{self, NewJob, QueueType, Reason, Token, Unfit},
    storage::{
        Fault,
        jobs::{Claim, Ended, Word, WordEvent},
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
    fn of(self, what: Brought, index: usize) -> Self;
}

/// Ends a lease as it is said, with all that comes with it, in the author's name. What is wrong is told
/// only while the lease stands; else that it is too late, or was done before. With the version of the
/// change and the ids of what the end brings.
pub(crate) async fn end_as_said<R: Refuses>(
    shared: &Shared,
    about: &About,
    author: &Author,
    said: Said,
    brings: &Brings,
    then: Result<Option<Claim>, R>,
) -> Result<(Ended, u64, Names), R> {
    let names = names(said.job, said.token, brings);
    let word = || word(&said, about, brings);
    let (events, jobs, then) = match checked(shared, about, author, &said, brings, then).await {
        Ok(parts) => parts,
        Err(wrong) => return Ok((unless_late(shared, word(), wrong).await?, 0, names)),
    };
    let has_events = !events.is_empty();
    let (ended, version) = match end(shared, Said { events, jobs, then, ..said.clone() }).await {
        // A rule may fail by now that did not then.
        Err(fault) if has_events => (unless_late(shared, word(), R::from(fault)).await?, 0),
        // A room may have another's name by now: then these words say something else than they did.
        Ok((late @ Ended::Late(Reason::Ended), version)) if has_events => {
            (shared.engine.stands(word()).await?.unwrap_or(late), version)
        }
        ended => ended?,
    };
    Ok((ended, version, names))
}

type Parts = (Vec<Draft>, Vec<NewJob>, Option<Claim>);

/// What comes with it, if it can: rooms and queues are there, and each part is within its bounds. Whether
/// the events are allowed is asked when it ends.
async fn checked<R: Refuses>(
    shared: &Shared,
    about: &About,
    author: &Author,
    said: &Said,
    brings: &Brings,
    then: Result<Option<Claim>, R>,
) -> Result<Parts, R> {
    proper(shared, about, &said.how)?;
    brings.bounded()?;
    let then = then?;
    let names = names(said.job, said.token, brings);
    let mut events = Vec::with_capacity(brings.events.len());
    for (index, (event, id)) in brings.events.iter().zip(names.events).enumerate() {
        let draft = draft(shared, about, author, id, event).await;
        events.push(draft.map_err(|refusal: R| refusal.of(Brought::Event, index))?);
    }
    let jobs = brings.jobs.iter().zip(names.jobs).enumerate().map(|(index, (job, id))| {
        let job = further(shared, about, id, job);
        job.map_err(|refusal: R| refusal.of(Brought::Job, index))
    });
    Ok((events, jobs.collect::<Result<_, _>>()?, then))
}

/// The ids of what an end brings.
fn names(job: JobId, token: Token, brings: &Brings) -> Names {
    let ids = |what, count| (0..count).map(move |index| brought(job, token, what, index));
    let events = ids(Brought::Event, brings.events.len()).map(EventId::from_bytes);
    let jobs = ids(Brought::Job, brings.jobs.len()).map(JobId::from_bytes);
    Names { events: events.collect(), jobs: jobs.collect() }
}

/// What is said, whether or not it can be done.
fn word(said: &Said, about: &About, brings: &Brings) -> Word {
    let Names { events, jobs } = names(said.job, said.token, brings);
    let events = brings.events.iter().zip(events).map(|(event, id)| WordEvent {
        id,
        namespace: event.namespace.as_ref().unwrap_or(&about.ns).clone(),
        room: event.room.clone(),
        kind: event.kind.clone(),
        data: event.data.get().to_owned(),
    });
    let jobs = brings.jobs.iter().zip(jobs).map(|(further, id)| {
        let (ns, queue) = place(further, about);
        asked(&further.job, id, ns, queue)
    });
    let (events, jobs) = (events.collect(), jobs.collect());
    Word { events, jobs, ..Word::plain(said.job, said.token, Some(said.how.clone())) }
}

async fn draft<R: Refuses>(
    shared: &Shared,
    about: &About,
    author: &Author,
    id: EventId,
    event: &EndEvent,
) -> Result<Draft, R> {
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
        author: author.clone(),
        payload,
        condemned: None,
        everywhere: author.id == PersonId::SERVICE,
        lane: None,
        idempotency: None,
    })
}

/// The namespace and the name of its queue.
fn place<'a>(further: &'a EndJob, about: &'a About) -> (&'a str, &'a str) {
    let ns = further.namespace.as_ref().unwrap_or(&about.ns);
    (ns, further.queue.as_ref().unwrap_or(&about.queue))
}

fn further<R: Refuses>(
    shared: &Shared,
    about: &About,
    id: JobId,
    further: &EndJob,
) -> Result<NewJob, R> {
    let (ns, name) = place(further, about);
    may(Right::Enqueue, ns)?;
    let queue = shared.queues.queue(ns, name)?;
    if further.job.at.is_some() {
        // A delay that is worked out anew each time would make the same end another one.
        return Err(R::because(Code::BadRequest, "Here it is delay_ms, and not at."));
    }
    new_job(shared, queue, id, &further.job, None)
}

/// A job that is asked for, checked.
pub(crate) fn new_job<R: Refuses>(
    shared: &Shared,
    queue: &QueueType,
    id: JobId,
    asked: &AskedJob,
    asker: Option<PersonId>,
) -> Result<NewJob, R> {
    let kind = queue.kind(&asked.kind)?;
    if asked.delay_ms.is_some() && asked.at.is_some() {
        return Err(R::because(Code::BadRequest, "It is either delay_ms or at."));
    }
    let at = asked.at.map(|at| Millis(at.saturating_sub(clock::wall().0)));
    let job = self::asked(asked, id, &queue.spec.ns, &queue.spec.name);
    if i64::from(job.priority) != asked.priority.unwrap_or_default() {
        return Err(Unfit::Bounds("priority").into());
    }
    let job = NewJob { asker, delay: at.unwrap_or(job.delay), ..job };
    job.check(shared.limits.payload_bytes as usize)?;
    kind.check(&job.data)?;
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
        priority: asked.priority.and_then(|it| it.try_into().ok()).unwrap_or_default(),
        group: asked.group.clone(),
        most: asked.max_attempts,
        backoff: asked.backoff_ms,
        expires: asked.expires_ms,
        asker: None,
    }
}
