//! Queues on the server: which there are, and the [`Desk`] over which all that is said of jobs goes.

mod calls;
mod check;
mod cron;
mod desk;
mod end;
mod follow;
mod late;
mod line;
mod new_job;
mod poll;
mod promise;
mod schedules;
mod tend;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use check::{Wrong, patch, possible};
pub(crate) use desk::{About, Desk};
pub(crate) use end::{EndDraft, Part, Refuses, end_as_said, end_with_brings, part_id};
pub(crate) use follow::{Follow, Follower};
pub(crate) use late::unless_late;
pub(crate) use line::{Handed, Name, Sink};
pub(crate) use new_job::new_job;
pub(crate) use poll::{Arrivals, Poll, Seat};
pub(crate) use promise::{by_id, by_key};
pub(crate) use schedules::{may_fire, next_of, start as start_schedules};

use holdfast_common::job::{self, QueueType};
use std::{collections::BTreeMap, sync::Arc};

/// The queues that the server was built with. Those of an earlier build may still be in the store, with
/// their jobs; they are there again when a build declares them.
pub(crate) struct Queues {
    declared: BTreeMap<String, BTreeMap<String, QueueType>>,
    pub(crate) desk: Arc<Desk>,
}

impl Queues {
    pub(crate) fn new(declared: Vec<QueueType>, desk: Arc<Desk>) -> Self {
        let mut queues = BTreeMap::<_, BTreeMap<_, _>>::new();
        for queue in declared {
            let of = queues.entry(queue.spec.ns.clone()).or_default();
            of.insert(queue.spec.name.clone(), queue);
        }
        Self { declared: queues, desk }
    }

    /// The namespaces of the declared ones, by name.
    pub(crate) fn namespaces(&self) -> impl Iterator<Item = &str> {
        self.declared.keys().map(String::as_str)
    }

    /// A queue.
    pub(crate) fn queue(&self, ns: &str, name: &str) -> Result<&QueueType, job::Code> {
        let queue = self.declared.get(ns).and_then(|of| of.get(name));
        queue.ok_or(job::Code::UnknownQueue)
    }
}
