//! Those who wait for one queue's jobs.

use super::{Count, SeatId};
use crate::{job::limits::CLAIM_JOBS, time::Instant};
use std::collections::BTreeMap;

#[derive(Debug)]
pub(super) struct Waiter<Q> {
    pub(super) queue: Q,
    /// Its place in the queue's line.
    pub(super) turn: u64,
    /// Jobs, with those that a claim under way is asking for.
    pub(super) wants: u32,
    pub(super) once: bool,
    /// Jobs that the claim under way is asking for.
    pub(super) claim: Option<u32>,
    pub(super) gone: bool,
}

/// What is taken for the count of a queue that was never counted: a claim's fill, which finds it out.
const GUESS: Count = Count { version: 0, jobs: CLAIM_JOBS as u64 };

/// Of one queue.
#[derive(Debug)]
pub(super) struct Line {
    /// Those that no claim is under way for, by their turns.
    pub(super) waiting: BTreeMap<u64, SeatId>,
    /// Jobs that claims under way are asking for.
    pub(super) asked: u64,
    /// The newest.
    pub(super) count: Count,
    /// Nothing is claimed until then.
    pub(super) held: Option<Instant>,
    /// Claims under way.
    pub(super) claims: u32,
    /// How many may be, since it was held: one, and twice as many after each that was not held up. So
    /// not everybody who waits asks for the one job that a rate lets begin.
    pub(super) width: Option<u32>,
}

/// With so many claims at once a queue is as one that was never held.
const WIDEST: u32 = 4_096;

impl Default for Line {
    fn default() -> Self {
        Self {
            waiting: BTreeMap::new(),
            asked: 0,
            count: GUESS,
            held: None,
            claims: 0,
            width: None,
        }
    }
}

impl Line {
    /// How many jobs more can be claimed.
    pub(super) fn room(&self) -> u64 {
        if self.held.is_some() { 0 } else { self.count.jobs.saturating_sub(self.asked) }
    }

    /// How many claims more may be under way.
    pub(super) fn claims_left(&self) -> u32 {
        self.width.map_or(u32::MAX, |width| width.saturating_sub(self.claims))
    }

    /// A claim was not held up.
    pub(super) fn widen(&mut self) {
        self.width = self.width.map(|width| width * 2).filter(|width| *width < WIDEST);
    }

    pub(super) fn counted(&mut self, count: Count) {
        if self.count.version <= count.version {
            self.count = count;
        }
    }
}
