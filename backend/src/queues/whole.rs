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
        jobs::{Claim, End, Ended, How},
    },
};

/// An end that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) job: JobId,
    pub(crate) token: Token,
    pub(crate) how: How,
    /// None of them goes by what another of them does: all are judged by what is there before.
    pub(crate) events: Vec<Draft>,
    pub(crate) jobs: Vec<NewJob>,
    pub(crate) then: Option<Claim>,
}

impl Said {
    /// Whether it does nothing beside.
    pub(crate) const fn is_plain(&self) -> bool {
        self.events.is_empty() && self.jobs.is_empty()
    }

    /// An end that does nothing beside.
    pub(crate) const fn plain(job: JobId, token: Token, how: How) -> Self {
        Self { job, token, how, events: Vec::new(), jobs: Vec::new(), then: None }
    }
}

/// Ends a lease, and asks the rules again while what they went by has moved.
pub(crate) async fn end(shared: &Shared, said: Said) -> Result<Ended, Fault> {
    let Said { job, token, how, events, jobs, then } = said;
    let end = End { job, token, how, appends: Vec::new(), jobs, then };
    if events.is_empty() {
        return Ok(shared.queues.desk.end(end).await?.0);
    }
    for _ in 0..ATTEMPTS {
        let mut appends = Vec::with_capacity(events.len());
        for draft in &events {
            // Its place among the appends is given up at once: an end has a turn of its own.
            appends.push(walk::decide(shared, draft, None).await?.append);
        }
        match shared.queues.desk.end(End { appends, ..end.clone() }).await?.0 {
            Ended::Moved => {}
            ended => return Ok(ended),
        }
    }
    Err(Fault::Overloaded)
}
