//! The middle of an event's walk, the same for every way in: its handler reads it, the facts are
//! read, its rule decides, and an append comes out.

use crate::{app::Shared, clock, commit::Place};
use holdfast_common::{
    error::Code,
    event::{Effect, Facts, Verified},
    frame::Author,
    id::{EventId, RoomId},
    job::Work,
    storage::{Append, Appended, FactsQuery, Fault, Idempotency, LaneWrite},
};
use std::sync::Arc;

/// How often a rule is asked again because what it went by has moved.
pub(crate) const ATTEMPTS: usize = 8;

/// A durable event that somebody wants in a log.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) namespace: String,
    pub(crate) room: RoomId,
    pub(crate) id: EventId,
    pub(crate) kind: String,
    pub(crate) author: Author,
    /// Unread.
    pub(crate) payload: Vec<u8>,
    /// Set where it is condemned already: no rule is asked.
    pub(crate) condemned: Option<Code>,
    /// The author counts as a member of every room: services, and the server itself.
    pub(crate) everywhere: bool,
    pub(crate) lane: Option<LaneWrite>,
    pub(crate) idempotency: Option<Idempotency>,
}

/// Decides and appends, and again while what the decision went by has moved.
pub(crate) async fn append(shared: &Shared, draft: &Draft) -> Appended {
    for _ in 0..ATTEMPTS {
        let ready = match decide(shared, draft, None).await {
            Ok(ready) => ready,
            Err(fault) => return Appended::Fault(fault),
        };
        match shared.committer.submit(ready).await {
            Appended::Moved => {}
            appended => return appended,
        }
    }
    Appended::Fault(Fault::Overloaded)
}

/// What a plain event was judged by: good for the next one of the same person in the same room,
/// which need not read it again. Whether it has moved since then the append finds out.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    room: RoomId,
    facts: Arc<Facts>,
}

/// An append whose turn it is.
pub(crate) struct Ready {
    pub(crate) append: Append,
    /// Of a plain event.
    pub(crate) known: Option<Known>,
    /// Its place among those that may be at the engine, given up when it is answered.
    pub(crate) _place: Place,
}

/// Waits for its turn, reads the facts where they are not known, and asks the rule.
pub(crate) async fn decide(
    shared: &Shared,
    draft: &Draft,
    known: Option<Known>,
) -> Result<Ready, Fault> {
    let place = shared.committer.place().await;
    let read = read(shared, draft);
    let (effect, counts) = match &read {
        Ok((parsed, _)) => (parsed.effect(), parsed.counts()),
        Err(_) => (Effect::Adds, false),
    };
    let plain = effect == Effect::Adds;
    let known = known.filter(|known| plain && known.room == draft.room);
    let facts = match known {
        Some(known) => known.facts,
        None => Arc::new(facts(shared, draft, effect.clone()).await?),
    };
    let (verified, data) = match read {
        Ok((parsed, text)) => {
            let verified = parsed.decide(&facts, &shared.limits);
            (with_work(shared, draft, verified, || parsed.work(&facts))?, text)
        }
        Err(code) => (rejected(code), String::new()),
    };
    let append = Append {
        lane: draft.lane,
        idempotency: draft.idempotency.clone(),
        namespace: draft.namespace.clone(),
        room: draft.room,
        id: draft.id,
        kind: draft.kind.clone(),
        author: draft.author.clone(),
        at: clock::wall(),
        data,
        effect,
        room_name: facts.free_name.clone(),
        owner: None,
        most_rooms: shared.limits.rooms,
        counts,
        verified,
        versions: facts.versions,
    };
    let known = plain.then_some(Known { room: draft.room, facts });
    Ok(Ready { append, known, _place: place })
}

/// What is allowed, with the jobs that its namespace wants to have done for it. Their ends are told
/// to the author, if that is a person.
fn with_work(
    shared: &Shared,
    draft: &Draft,
    mut verified: Verified,
    work: impl FnOnce() -> Work,
) -> Result<Verified, Fault> {
    let Verified::Allowed { jobs, .. } = &mut verified else {
        return Ok(verified);
    };
    *jobs = work().into_jobs();
    let asker = (!draft.everywhere).then_some(draft.author.id);
    for job in jobs {
        job.id = clock::fresh_job()?;
        job.asker = asker;
        let what = || format!("a handler's job {} for {}/{}", job.kind, job.ns, job.queue);
        if shared.queues.queue(&job.ns, &job.queue).is_err() {
            tracing::error!("{} has no queue", what());
            return Err(Fault::Failed(what()));
        }
        // What it is made of is what the writer has said: theirs is the event, and they may go on.
        if let Err(unfit) = job.check(shared.limits.payload_bytes as usize) {
            tracing::warn!(%unfit, "{} is out of its bounds", what());
            return Ok(rejected(unfit.code()));
        }
    }
    Ok(verified)
}

async fn facts(shared: &Shared, draft: &Draft, effect: Effect) -> Result<Facts, Fault> {
    let query = FactsQuery {
        person: draft.author.id,
        namespace: draft.namespace.clone(),
        room: draft.room,
        effect,
    };
    let mut facts = shared.engine.facts(query).await?;
    facts.member |= draft.everywhere;
    Ok(facts)
}

type Parsed<'a> = Box<dyn holdfast_common::event::Parsed + 'a>;

fn read<'a>(shared: &'a Shared, draft: &Draft) -> Result<(Parsed<'a>, String), Code> {
    if let Some(code) = draft.condemned {
        return Err(code);
    }
    let handler = shared.handler(&draft.namespace)?;
    // A type's own reading does not look at the text of fields it does not know.
    let text = std::str::from_utf8(&draft.payload).map_err(|_| Code::BadPayload)?;
    let parsed = handler.parse(&draft.kind, &draft.payload)?;
    Ok((parsed, text.to_owned()))
}

fn rejected(code: Code) -> Verified {
    Verified::Rejected { code, why: None, detail: code.text().to_owned() }
}
