//! Tells the end of a job to the person who asked for it, in their inbox: once, also if the server was
//! killed at any moment, and also if they are away.
//!
//! The end itself marks the job as not told. The event's id follows from the job and the fence of its
//! end, so that it stands in the inbox once, however often it is appended; only then the mark goes.

mod again;
mod words;

use crate::{
    app::{Handlers, Shared, rooms},
    walk::{self, Draft},
};
use again::{Again, End};
use futures_util::{
    FutureExt,
    stream::{StreamExt, iter},
};
use holdfast_common::{
    error::Code,
    event::EventType,
    id::{EventId, JobId, RoomId},
    storage::{Appended, Fault, Verdict, jobs::JobRead},
    work::JobEnded,
};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::Instant;

/// Ends that are read at once.
const AT_ONCE: u32 = 100;

/// People who are told at once.
const PEOPLE: usize = 64;

/// Ends that are told before it looks again at those in front. They may come without end: then those of
/// jobs that were enqueued earlier, and those that failed, would wait for a lull.
const TOLD_AT_MOST: usize = 1_000;

/// How long it waits at least, so that many ends are read in few reads.
const PAUSE: Duration = Duration::from_millis(25);

/// How long it waits for a storage that could not say; and at most, should nobody have said that there is an end.
const AGAIN: Duration = Duration::from_secs(1);

/// Starts telling. It ends when the server's parts are dropped.
pub(crate) fn start(shared: &Arc<Shared>) {
    tokio::spawn(tell(Arc::downgrade(shared), Arc::clone(&shared.queues.desk.ended)));
}

async fn tell(weak: Weak<Shared>, ended: Arc<tokio::sync::Notify>) {
    let mut round = Round::default();
    loop {
        let Some(shared) = weak.upgrade() else { return };
        let pause = match round.part(&shared).await {
            Ok(Part::More) => Duration::ZERO,
            Ok(Part::Last) => {
                drop(shared);
                // One that comes meanwhile is remembered.
                let _ = tokio::time::timeout(AGAIN, ended.notified()).await;
                PAUSE
            }
            Err(fault) => {
                tracing::warn!(%fault, "ends of jobs could not be told");
                AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// One way through what is to be told, in the order of the enqueues. What cannot be told holds up
/// nothing that stands behind it, and does not count.
#[derive(Default)]
struct Round {
    /// The number of the job that was met last.
    after: i64,
    told: usize,
    again: Again,
}

enum Part {
    More,
    Last,
}

impl Round {
    /// Tells some. A fault is one of all: what fails alone has a wait of its own.
    async fn part(&mut self, shared: &Shared) -> Result<Part, Fault> {
        let untold = shared.engine.untold(self.after, AT_ONCE).await?;
        // Fewer than were asked for may be all that fits into one read.
        let Some(last) = untold.last() else {
            (self.after, self.told) = (0, 0);
            self.again.round();
            return Ok(Part::Last);
        };
        let (now, last) = (Instant::now(), last.seq);
        let mut people = BTreeMap::<_, Vec<_>>::new();
        for job in untold {
            if self.again.is_due(now, (job.id, job.fence)) {
                people.entry(job.asker).or_default().push(job);
            }
        }
        // Those of one person stand in their inbox in this order; those of several share commits.
        let people = people.into_values().map(|jobs| tell_person(shared, jobs));
        let told_all: Vec<_> = iter(people).buffer_unordered(PEOPLE).collect().await;
        let (mut told, mut failed) = (Vec::new(), None);
        for (end, told_one) in told_all.into_iter().flatten() {
            match told_one {
                Ok(()) => told.push(end),
                Err(fault) => {
                    tracing::debug!(%fault, job = %end.0, "the end of a job could not be told");
                    self.again.failed(Instant::now(), end);
                    failed = Some(fault);
                }
            }
        }
        if let Some(fault) = failed.filter(|_| told.is_empty()) {
            tracing::warn!(%fault, "ends of jobs could not be told");
        }
        if !told.is_empty() {
            self.told += told.len();
            self.again.told(&told);
            shared.engine.told(told).await?;
        }
        self.after = last;
        if self.told >= TOLD_AT_MOST {
            (self.after, self.told) = (0, 0);
            self.again.cut();
        }
        Ok(Part::More)
    }
}

/// Tells a person of these, one after another.
async fn tell_person(shared: &Shared, jobs: Vec<JobRead>) -> Vec<(End, Result<(), Fault>)> {
    let mut told = Vec::with_capacity(jobs.len());
    for job in &jobs {
        let told_one = AssertUnwindSafe(tell_one(shared, job)).catch_unwind().await;
        let lost = |_| Err(Fault::Failed("telling it panicked".to_owned()));
        told.push(((job.id, job.fence), told_one.unwrap_or_else(lost)));
    }
    told
}

/// Tells one. That it cannot ever be told counts as told.
async fn tell_one(shared: &Shared, job: &JobRead) -> Result<(), Fault> {
    let Some(person) = job.asker else {
        return Ok(());
    };
    let Some(ns) = telling(&shared.handlers, &job.ns) else {
        // Its queue was declared by an earlier build.
        tracing::warn!(job = %job.id, %person, ns = job.ns, "the end of a job can be told to nobody");
        return Ok(());
    };
    let Some(room) = rooms::ensure_inbox(shared, ns, person).await? else {
        return Ok(());
    };
    let mut ended = words::ended(job, shared.limits.payload_bytes as usize);
    if let Err(code) = append(shared, ns, room, job, &ended).await? {
        // A result may be as deep as JSON is read, and stands one deeper here.
        ended.result = None;
        if append(shared, ns, room, job, &ended).await?.is_err() {
            let code = code.name();
            tracing::warn!(job = %job.id, %person, code, "the end of a job is told to nobody");
        }
    }
    Ok(())
}

/// Appends the event of an end, or tells why it never will be.
async fn append(
    shared: &Shared,
    ns: &str,
    room: RoomId,
    job: &JobRead,
    ended: &JobEnded,
) -> Result<Result<(), Code>, Fault> {
    let payload = serde_json::to_vec(ended);
    let draft = Draft {
        namespace: ns.to_owned(),
        room,
        id: event_id(job.id, job.fence),
        kind: JobEnded::NAME.to_owned(),
        author: shared.author.clone(),
        payload: payload.expect("it has string keys and serializes"),
        condemned: None,
        everywhere: true,
        lane: None,
        idempotency: None,
    };
    match walk::append(shared, &draft).await {
        Appended::Fault(fault) => Err(fault),
        Appended::Decided { verdict: Verdict::Reject { code, .. }, .. }
        | Appended::Again(Verdict::Reject { code, .. }) => Ok(Err(code)),
        _ => Ok(Ok(())),
    }
}

/// In which inboxes the ends of a namespace's jobs are told: in its own if it tells of jobs, or else in
/// those of work; none where neither does.
pub(crate) fn telling<'a>(handlers: &Handlers, ns: &'a str) -> Option<&'a str> {
    let tells = |ns: &&str| {
        let handler = handlers.get(*ns);
        handler.is_some_and(|handler| handler.class(JobEnded::NAME).is_some())
    };
    [ns, JobEnded::NAMESPACE].into_iter().find(tells)
}

/// The one event by which this end is told.
fn event_id(job: JobId, fence: u64) -> EventId {
    let mut digest = Sha256::new();
    digest.update(job.as_bytes());
    digest.update(fence.to_be_bytes());
    let bytes: [u8; 32] = digest.finalize().into();
    let (id, _) = bytes.split_at(16);
    EventId::from_bytes(id.try_into().expect("sixteen bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_of_a_job_has_one_event_of_its_own() {
        let job = JobId::from_bytes([7; 16]);
        assert_eq!(event_id(job, 1), event_id(job, 1));
        assert_ne!(event_id(job, 1), event_id(job, 2));
        assert_ne!(event_id(job, 1), event_id(JobId::NIL, 1));
    }
}
