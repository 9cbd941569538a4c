//! Ends of jobs with events: each is judged by its rule, as any event, and all of it is one transaction.

use crate::{
    app::Shared,
    walk::{self, ATTEMPTS, Draft},
};
use holdfast_common::{
    id::JobId,
    job::{NewJob, Token},
    storage::{
        Fault,
        jobs::{End, Ended, How, Word, WordEvent},
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
    pub(super) fn word(&self) -> Word {
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

/// Ends a lease and tells of which version that is, and asks the rules again while what they went by has moved.
pub(super) async fn end(
    shared: &Shared,
    end: End,
    events: &[Draft],
) -> Result<(Ended, u64), Fault> {
    if events.is_empty() {
        return shared.queues.desk.end(end).await;
    }
    // In a box: what it takes to judge events is much, and most ends bring none.
    Box::pin(end_with(shared, end, events)).await
}

async fn end_with(shared: &Shared, end: End, events: &[Draft]) -> Result<(Ended, u64), Fault> {
    for _ in 0..ATTEMPTS {
        let mut appends = Vec::with_capacity(events.len());
        for draft in events {
            // Its place among the appends is given up at once: an end has a turn of its own.
            appends.push(walk::decide(shared, draft, None).await?.append);
        }
        match shared.queues.desk.end(End { appends, ..end.clone() }).await? {
            (Ended::Moved, _) => {}
            ended => return Ok(ended),
        }
    }
    Err(Fault::Overloaded)
}
