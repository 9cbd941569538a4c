//! Ends of leases, with the events and the jobs that they bring, looked at in one place whichever way they
//! come in. Each event is judged by its rule, as any event, and all of it is one transaction.

use super::{
    About,
    check::{Wrong, proper},
    new_job::{asked, fits},
    unless_late,
};
use crate::{
    app::Shared,
    rights::{Right, may},
    walk::{self, ATTEMPTS, Draft},
};
use holdfast_common::{
    consumer::BroughtIds,
    error::Code,
    frame::{
        Author,
        work::{Brings, EndJob, TooMuch},
    },
    id::{EventId, JobId, PersonId},
    job::{self, NewJob, Reason, Token, Unfit},
    storage::{
        Fault,
        jobs::{Claim, End, Ended, How, Word, WordEvent},
    },
};
use sha2::{Digest, Sha256};

/// An end that somebody wants. What it brings has its ids, and goes to rooms and queues by their names.
#[derive(Debug, Clone)]
pub(crate) struct EndDraft {
    pub(crate) job: JobId,
    pub(crate) token: Token,
    pub(crate) how: How,
    /// None of them goes by what another of them does: all are judged by what is there before.
    pub(crate) events: Vec<WordEvent>,
    pub(crate) jobs: Vec<NewJob>,
}

impl EndDraft {
    /// Whether it does nothing beside.
    pub(crate) const fn is_plain(&self) -> bool {
        self.events.is_empty() && self.jobs.is_empty()
    }

    /// An end that does nothing beside.
    pub(crate) const fn plain(job: JobId, token: Token, how: How) -> Self {
        Self { job, token, how, events: Vec::new(), jobs: Vec::new() }
    }

    /// What is said, whether or not it can be done.
    fn word(&self) -> Word {
        let (events, jobs) = (self.events.clone(), self.jobs.clone());
        Word { events, jobs, ..Word::plain(self.job, self.token, Some(self.how.clone())) }
    }
}

/// What comes with an end.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part {
    Event,
    Job,
}

impl Part {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Job => "job",
        }
    }
}

/// The id of what an end brings: it follows from the lease and its place in the end, so that an end that
/// is said again names the same. Nobody else can take it before, because nobody else knows the token.
pub(crate) fn part_id(job: JobId, token: Token, what: Part, index: usize) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(job.as_bytes());
    digest.update(token.fence.to_be_bytes());
    digest.update(token.key.to_be_bytes());
    digest.update([what as u8]);
    digest.update((index as u64).to_be_bytes());
    let bytes: [u8; 32] = digest.finalize().into();
    let (id, _) = bytes.split_at(16);
    id.try_into().expect("sixteen bytes")
}

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
    let then = undated(brings).and_then(|()| allowed(&said)).and(then);
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

/// That whoever comes from outside may enqueue each of its jobs. A worker is the server's own.
fn allowed<R: Refuses>(said: &EndDraft) -> Result<(), R> {
    for (index, job) in said.jobs.iter().enumerate() {
        may(Right::Enqueue, &job.ns).map_err(|code| R::from(code).of(Part::Job, index))?;
    }
    Ok(())
}

fn further<R: Refuses>(shared: &Shared, job: &NewJob) -> Result<(), R> {
    let queue = shared.queues.queue(&job.ns, &job.queue)?;
    fits(shared, queue, job)
}

/// Ends a lease and tells of which version that is, and asks the rules again while what they went by has moved.
async fn end(shared: &Shared, end: End, events: &[Draft]) -> Result<(Ended, u64), Fault> {
    if events.is_empty() {
        return shared.queues.desk.end(end).await;
    }
    // In a box: what it takes to judge events is much, and most ends bring none.
    Box::pin(end_with_events(shared, end, events)).await
}

async fn end_with_events(
    shared: &Shared,
    end: End,
    events: &[Draft],
) -> Result<(Ended, u64), Fault> {
    let mut moved = 0;
    for _ in 0..ATTEMPTS {
        let mut appends = Vec::with_capacity(events.len());
        for draft in events {
            // Its place among the appends is given up at once: an end has a turn of its own.
            appends.push(walk::decide(shared, draft, None).await?.append);
        }
        match shared.queues.desk.end(End { appends, ..end.clone() }).await? {
            (Ended::Moved, version) => moved = version,
            ended => return Ok(ended),
        }
    }
    Ok((Ended::Moved, moved))
}
