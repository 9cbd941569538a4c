//! What the machine asks for, and how it is answered.

use super::{
    Done,
    sequence::{Sequence, Step},
};
use crate::{
    app::Shared,
    clock,
    http::events::service,
    queues::{EndDraft, by_id, end_with_brings, patch, possible, unless_late},
    rights::{Right, may},
};
use futures_util::future::BoxFuture;
use holdfast_common::{
    consumer::{
        BoardRead, BroughtIds, Consumer, Decided, HeldRead, Input, JobsRead, Output, PAGE_JOBS,
        PLACES, PlaceRead, Refusal,
    },
    error::Code,
    frame::{
        Author,
        work::{Brings, Hello, Like, Which},
    },
    id::{JobId, PersonId},
    job::{self, Holder, JobState, NewJob, Place, QueueType},
    limits::PAGE_BYTES,
    storage::{
        Fault,
        jobs::{
            By, Chosen, Claim, Claimed, Deed, Ended, Enqueued, Extend, Extended, Governed,
            ListQuery, LongText, Moves, Purge, QueueName, Sieve, Wanted, Word,
        },
    },
    time::Instant,
};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// The queue, if this may be done with it.
pub(super) fn queue<'a>(
    shared: &'a Shared,
    name: &QueueName,
    right: Right,
) -> Result<&'a QueueType, Refusal> {
    may(right, &name.ns)?;
    Ok(shared.queues.queue(&name.ns, &name.name)?)
}

/// Answers one that is answered later; an enqueue begins behind those before it. Each in a box of its own
/// size: a task moves its future when it begins and when it ends, and the largest of these is ten times the
/// smallest.
pub(super) fn answer(
    shared: Arc<Shared>,
    asked: Output,
    enqueues: &mut Sequence,
) -> BoxFuture<'static, Done> {
    match asked {
        Output::Greet(hello) => Box::pin(async move {
            let (result, now) = (greet(&shared, hello).await, clock::wall());
            done(move |machine, at| machine.handle(at, Input::Greeted { now, result }))
        }),
        Output::Enqueue { req, job } => {
            let step = enqueues.step();
            Box::pin(async move {
                let result = enqueue(&shared, job, step).await;
                done(move |machine, at| machine.handle(at, Input::Enqueued { req, result }))
            })
        }
        Output::Take { req, claim } => Box::pin(async move {
            let (result, moves) = match take(&shared, claim).await {
                Ok((claimed, moves)) => (Ok(claimed), moves),
                Err(refusal) => (Err(refusal), Moves::default()),
            };
            done(move |machine, at| machine.handle(at, Input::Taken { req, moves: &moves, result }))
        }),
        Output::End { req, job, token, how, brings, author, then } => Box::pin(async move {
            let said = EndDraft::plain(job, token, how);
            let (result, version, ids) = match ends(&shared, said, &author, brings, then).await {
                Ok((ended, version, ids)) => (Ok(ended), version, ids),
                Err(refusal) => (Err(refusal), 0, BroughtIds::default()),
            };
            done(move |machine, at| machine.handle(at, Input::Ended { req, version, ids, result }))
        }),
        Output::Extend { req, extend } => Box::pin(async move {
            let result = extends(&shared, extend).await;
            done(move |machine, at| machine.handle(at, Input::Extended { req, result }))
        }),
        Output::Govern { req, by, queue, what } => Box::pin(async move {
            let result = govern(&shared, by, queue, what).await;
            done(move |machine, at| machine.handle(at, Input::Governed { req, result }))
        }),
        Output::Board { sub, queue } => Box::pin(async move {
            let result = board(&shared, &queue).await;
            done(move |machine, at| machine.handle(at, Input::Board { sub, result }))
        }),
        Output::Jobs { sub, ids } => Box::pin(async move {
            let result = jobs(&shared, &ids).await.map_err(Refusal::from);
            done(move |machine, at| machine.handle(at, Input::Jobs { sub, result }))
        }),
        Output::Held(ids) => Box::pin(async move {
            let result = held(&shared, &ids).await.map_err(Refusal::from);
            done(move |machine, at| machine.handle(at, Input::Held(result)))
        }),
        Output::Page { req, queue, place, after, like } => Box::pin(async move {
            let result = page(&shared, &queue, place, after, like).await;
            done(move |machine, at| machine.handle(at, Input::Page { req, result }))
        }),
        // The others are carried out at once.
        _ => Box::pin(async { done(|_, _| Vec::new()) }),
    }
}

/// What the machine is told, once it is known.
fn done(tell: impl FnOnce(&mut Consumer, Instant) -> Vec<Output> + Send + 'static) -> Done {
    Box::new(tell)
}

/// What a person is called in rooms, if it is who it says; a service says nothing.
async fn greet(shared: &Shared, hello: Hello) -> Result<Option<String>, Code> {
    let Some((person, secret)) = hello.person.zip(hello.secret) else {
        return Ok(None);
    };
    // The server's own ids are nobody's to speak for.
    if person == PersonId::NIL || person == service() {
        return Err(Code::WrongSecret);
    }
    let hash = Sha256::digest(secret.as_bytes()).into();
    let known = shared.engine.recognise(person, hash, hello.name, clock::wall()).await;
    known.map_err(|fault| fault.code())?.map(Some)
}

async fn enqueue(shared: &Shared, job: NewJob, mut step: Step) -> Result<Enqueued, Refusal> {
    step.first().await;
    let name = QueueName { ns: job.ns.clone(), name: job.queue.clone() };
    queue(shared, &name, Right::Enqueue)?.kind(&job.kind)?.check(&job.data)?;
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let promise = by_id(&job);
    let submitted = shared.queues.desk.submit(vec![job], Some(promise)).await;
    drop(step);
    Ok(submitted.await?)
}

async fn take(shared: &Shared, claim: Claim) -> Result<(Claimed, Moves), Refusal> {
    if let Wanted::Job(id) = claim.wanted {
        let about = shared.queues.desk.about(id).await?.ok_or(job::Code::UnknownJob)?;
        may(Right::Consume, &about.ns)?;
    }
    Ok(shared.queues.desk.claim(claim).await?)
}

async fn ends(
    shared: &Shared,
    said: EndDraft,
    author: &Author,
    brings: Brings,
    then: Option<Claim>,
) -> Result<(Ended, u64, BroughtIds), Refusal> {
    let about = shared.queues.desk.about(said.job).await?.ok_or(job::Code::UnknownJob)?;
    may(Right::Consume, &about.ns)?;
    end_with_brings(shared, &about, author, said, &brings, Ok(then)).await
}

async fn extends(shared: &Shared, extend: Extend) -> Result<Extended, Refusal> {
    let desk = &shared.queues.desk;
    let Some(&(id, token)) = extend.jobs.first() else {
        return Ok(Extended::UnknownJob);
    };
    let about = desk.about(id).await?.ok_or(job::Code::UnknownJob)?;
    may(Right::Consume, &about.ns)?;
    if let Err(wrong) = possible(extend.progress.as_ref()) {
        let word = Word::plain(id, token, None);
        return Ok(match unless_late(shared, word, Refusal::from(wrong)).await? {
            Ended::Late(reason) => Extended::Late(reason),
            _ => Extended::UnknownJob,
        });
    }
    let extended = desk.extend(extend).await?;
    Ok(extended.first().copied().unwrap_or(Extended::UnknownJob))
}

async fn govern(
    shared: &Shared,
    by: Holder,
    name: QueueName,
    what: Decided,
) -> Result<u64, Refusal> {
    queue(shared, &name, Right::Govern)?;
    let deed = match what {
        Decided::Cancel(ids) => Deed::Cancel(these(shared, name, ids).await?),
        Decided::Requeue(which, data) => {
            let jobs = chosen(shared, name, which).await?;
            if let (Chosen::One(id), Some(data)) = (&jobs, &data) {
                let about = shared.queues.desk.about(*id).await?.ok_or(job::Code::UnknownJob)?;
                // It is another job then, as if it were enqueued.
                may(Right::Enqueue, &about.ns)?;
                shared.queues.queue(&about.ns, &about.queue)?.kind(&about.kind)?.check(data)?;
            }
            Deed::Requeue { jobs, data }
        }
        Decided::Discard(which) => Deed::Discard(chosen(shared, name, which).await?),
        Decided::Pause => Deed::Pause(name),
        Decided::Resume => Deed::Resume(name),
        Decided::Purge(JobState::Ready) => Deed::Purge(name, Purge::Waiting),
        Decided::Purge(JobState::Dead) => Deed::Purge(name, Purge::Dead),
        Decided::Purge(_) => return Err(Code::BadRequest.into()),
        Decided::Set(text) => {
            let named = serde_json::from_str(&text).map_err(|_| Code::BadRequest)?;
            let wrong = |why: String| Refusal::new(Code::BadRequest.name(), &why);
            Deed::Set(name, patch(named).map_err(wrong)?)
        }
    };
    let by = By { person: by.person.unwrap_or(service()), name: by.consumer };
    match shared.queues.desk.govern(by, deed).await? {
        Governed::Done { jobs, .. } => Ok(jobs),
        Governed::Set(_) => Ok(0),
        Governed::WrongState(state) => Err(Refusal::wrong_state(state)),
        Governed::UnknownJob => Err(job::Code::UnknownJob.into()),
        Governed::UnknownQueue => Err(job::Code::UnknownQueue.into()),
    }
}

async fn chosen(shared: &Shared, queue: QueueName, which: Which) -> Result<Chosen, Refusal> {
    match which {
        Which::Jobs(ids) => these(shared, queue, ids).await,
        Which::Like(like) => Ok(Chosen::Dead(queue, sieve(like)?)),
    }
}

/// Of one job it is said why it cannot be done.
async fn these(shared: &Shared, queue: QueueName, ids: Vec<JobId>) -> Result<Chosen, Refusal> {
    let [one] = ids[..] else { return Ok(Chosen::Of(queue, ids)) };
    let about = shared.queues.desk.about(one).await?;
    let its = about.is_some_and(|about| about.ns == queue.ns && about.queue == queue.name);
    if its { Ok(Chosen::One(one)) } else { Err(job::Code::UnknownJob.into()) }
}

fn sieve(like: Like) -> Result<Sieve, Refusal> {
    let wrong = |why: LongText| Refusal::new(Code::BadRequest.name(), &why.to_string());
    Sieve::of(like.kind, like.error).map_err(wrong)
}

async fn board(shared: &Shared, name: &QueueName) -> Result<Option<BoardRead>, Refusal> {
    if may(Right::Read, &name.ns).is_err() || shared.queues.queue(&name.ns, &name.name).is_err() {
        return Ok(None);
    }
    let version = shared.queues.desk.version();
    let Some(queue) = shared.engine.queue(&name.ns, &name.name).await? else {
        return Ok(None);
    };
    let mut places = Vec::with_capacity(PLACES.len());
    for place in PLACES {
        places.push(page(shared, name, place, None, Like::default()).await?);
    }
    Ok(Some(BoardRead { version, queue, places }))
}

async fn jobs(shared: &Shared, ids: &[JobId]) -> Result<JobsRead, Fault> {
    let version = shared.queues.desk.version();
    let mut jobs = Vec::with_capacity(ids.len());
    for id in ids {
        let mut job = shared.engine.job(*id).await?;
        if let Some(job) = &mut job {
            job.keep_last_attempt();
        }
        jobs.extend(job);
    }
    Ok(JobsRead { version, jobs })
}

/// Of each job no more is kept than is asked.
async fn held(shared: &Shared, ids: &[JobId]) -> Result<Vec<HeldRead>, Fault> {
    let mut jobs = Vec::with_capacity(ids.len());
    for id in ids {
        let job = shared.engine.job(*id).await?;
        jobs.extend(job.map(|job| HeldRead { id: job.id, place: job.place, fence: job.fence }));
    }
    Ok(jobs)
}

async fn page(
    shared: &Shared,
    queue: &QueueName,
    place: Place,
    after: Option<String>,
    like: Like,
) -> Result<PlaceRead, Refusal> {
    may(Right::Read, &queue.ns)?;
    let after = after.map(|text| text.parse()).transpose().map_err(|_| Code::BadRequest)?;
    let query = ListQuery {
        queue: queue.clone(),
        places: vec![place],
        sieve: sieve(like)?,
        after,
        limit: PAGE_JOBS,
        last_attempt: true,
        max_bytes: PAGE_BYTES,
    };
    let listed = shared.engine.list(query).await?.ok_or(job::Code::UnknownQueue)?;
    let after = listed.rest.map(|rest| rest.to_string());
    Ok(PlaceRead { place, jobs: listed.jobs, after })
}
