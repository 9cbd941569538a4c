//! Who waits for jobs, and for whom they are claimed: the server's machine between queues and
//! consumers.
//!
//! It holds no job and knows none. It knows how many a claim could have, as of the last change it
//! has heard of, and less what claims under way are asking for; as long as that is more than none, the
//! consumer that has waited longest is claimed for. A claim may get less than was counted, because
//! somebody took a job by its id: then its consumer waits on, in its place.
//!
//! So no consumer waits for what is known to be there, and no more is claimed than that. A count that
//! is lost costs the time until the next one: the driver counts each queue whose jobs are ready at
//! least every second.
//!
//! | what waits | bound | past it |
//! |---|---|---|
//! | consumers that wait [once](Input::Wait) | [`new`](Dispatch::new)'s | is told that it is [full](Output::Full) |
//! | other consumers | the driver's, for each of its connections | |
//! | jobs that one waits for | [`CREDIT`] | is taken as that |
//! | claims under way | one a consumer | the next one follows it |
//! | claims under way of a queue that was held | one, then twice as many with each that gets something | as above |
//! | queues | those that exist | |

mod io;
mod line;

pub use io::{Count, Input, Output, SeatId};

use crate::{
    job::limits::{CLAIM_JOBS, CREDIT},
    planted::{Planted, planted},
    time::{Instant, Millis},
};
use line::{Line, Waiter};
use std::collections::{BTreeMap, BTreeSet};

/// How long nothing is claimed of a queue after a claim that failed, and at most for its rate: that
/// may be set anew meanwhile.
pub const RETRY: Millis = Millis(1_000);

/// The machine.
#[derive(Debug)]
pub struct Dispatch<Q> {
    bound: usize,
    /// Consumers that wait once.
    once: usize,
    turns: u64,
    consumers: BTreeMap<SeatId, Waiter<Q>>,
    lines: BTreeMap<Q, Line>,
    /// The lines that are held, by when they no longer are.
    held: BTreeSet<(Instant, Q)>,
}

impl<Q: Ord + Clone> Dispatch<Q> {
    /// A machine with nobody in it, in which so many consumers may wait once.
    #[must_use]
    pub const fn new(bound: usize) -> Self {
        Self {
            bound,
            once: 0,
            turns: 0,
            consumers: BTreeMap::new(),
            lines: BTreeMap::new(),
            held: BTreeSet::new(),
        }
    }

    /// Takes what has happened and says what is to be done, in this order.
    pub fn handle(&mut self, now: Instant, input: Input<Q>) -> Vec<Output<Q>> {
        match input {
            Input::Wait { consumer, queue, jobs, once } => self.wait(consumer, queue, jobs, once),
            Input::Credit { consumer, jobs } => self.credit(consumer, jobs),
            Input::Gone(consumer) => {
                self.gone(consumer);
                Vec::new()
            }
            Input::Counted { queue, count } => {
                self.line(&queue).counted(count);
                self.serve(&queue)
            }
            Input::Offer { queue, jobs } => {
                let held = self.line(&queue).held.is_some();
                self.claim(&queue, if held { 0 } else { jobs.into() })
            }
            Input::Claimed { consumer, jobs, count, next } => {
                self.claimed(now, consumer, jobs, count, next)
            }
            Input::Untried(consumer) => match self.answered(consumer, 0) {
                Some(queue) => self.serve(&queue),
                None => Vec::new(),
            },
            Input::Failed(consumer) => {
                if let Some(queue) = self.answered(consumer, 0) {
                    self.hold(&queue, now + RETRY);
                }
                Vec::new()
            }
            Input::Time => self.time(now),
        }
    }

    /// When it has to be told that it is [time](Input::Time).
    #[must_use]
    pub fn wake(&self) -> Option<Instant> {
        self.held.first().map(|(until, _)| *until)
    }

    /// Whether a consumer waits, or a claim for it is under way.
    #[must_use]
    pub fn knows(&self, consumer: SeatId) -> bool {
        self.consumers.contains_key(&consumer)
    }

    /// How many consumers wait, with those for whom a claim is under way.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.consumers.len()
    }

    fn wait(&mut self, consumer: SeatId, queue: Q, jobs: u32, once: bool) -> Vec<Output<Q>> {
        if self.consumers.contains_key(&consumer) {
            return Vec::new();
        }
        if once && self.once >= self.bound {
            return vec![Output::Full(consumer)];
        }
        self.once += usize::from(once);
        let waiter = Waiter { queue, turn: 0, wants: 0, once, claim: None, gone: false };
        self.consumers.insert(consumer, waiter);
        self.credit(consumer, jobs)
    }

    fn credit(&mut self, consumer: SeatId, jobs: u32) -> Vec<Output<Q>> {
        let Some(waiter) = self.consumers.get_mut(&consumer) else {
            return Vec::new();
        };
        let stands = waiter.wants > 0;
        waiter.wants = waiter.wants.saturating_add(jobs).min(CREDIT);
        let (queue, wants) = (waiter.queue.clone(), waiter.wants);
        if !stands && wants > 0 {
            self.line_up(consumer, true);
        }
        self.serve(&queue)
    }

    fn gone(&mut self, consumer: SeatId) {
        let Some(waiter) = self.consumers.get_mut(&consumer) else {
            return;
        };
        if waiter.claim.is_some() {
            // What it asks for counts until it is answered.
            waiter.gone = true;
            return;
        }
        if let Some(line) = self.lines.get_mut(&waiter.queue) {
            line.waiting.remove(&waiter.turn);
        }
        self.remove(consumer);
    }

    fn remove(&mut self, consumer: SeatId) {
        let removed = self.consumers.remove(&consumer);
        self.once -= usize::from(removed.is_some_and(|waiter| waiter.once));
    }

    fn claimed(
        &mut self,
        now: Instant,
        consumer: SeatId,
        jobs: u32,
        count: Count,
        next: Option<Millis>,
    ) -> Vec<Output<Q>> {
        let Some(queue) = self.answered(consumer, jobs) else {
            return Vec::new();
        };
        self.line(&queue).counted(count);
        match next.filter(|next| *next > Millis(0)) {
            Some(next) => self.hold(&queue, now + next.min(RETRY)),
            // It could have had some: whatever kept it from them, it would again.
            None if jobs == 0 && count.jobs > 0 => self.hold(&queue, now + RETRY),
            None => self.line(&queue).widen(),
        }
        self.serve(&queue)
    }

    /// The claim for a consumer is over and has got so many jobs. Whoever wants more waits again: who
    /// has got nothing in its old place, the others behind those who wait. Returns the queue.
    fn answered(&mut self, consumer: SeatId, jobs: u32) -> Option<Q> {
        let waiter = self.consumers.get_mut(&consumer)?;
        let asked = waiter.claim.take()?;
        let queue = waiter.queue.clone();
        waiter.wants = waiter.wants.saturating_sub(jobs);
        let (wants, over) = (waiter.wants, waiter.gone || (waiter.once && jobs > 0));
        let line = self.line(&queue);
        line.claims -= 1;
        if !planted(Planted::AskedKept) {
            line.asked -= u64::from(asked);
        }
        if over {
            self.remove(consumer);
        } else if wants > 0 {
            self.line_up(consumer, jobs > 0);
        }
        Some(queue)
    }

    /// Puts a consumer into its queue's line: at the end, or in the place that it had.
    fn line_up(&mut self, consumer: SeatId, at_end: bool) {
        if let Some(waiter) = self.consumers.get_mut(&consumer) {
            if at_end {
                self.turns += 1;
                waiter.turn = self.turns;
            }
            let line = self.lines.entry(waiter.queue.clone()).or_default();
            line.waiting.insert(waiter.turn, consumer);
        }
    }

    fn hold(&mut self, queue: &Q, until: Instant) {
        let line = self.line(queue);
        line.width = Some(1);
        if let Some(before) = line.held.replace(until) {
            self.held.remove(&(before, queue.clone()));
        }
        self.held.insert((until, queue.clone()));
    }

    fn time(&mut self, now: Instant) -> Vec<Output<Q>> {
        let mut out = Vec::new();
        while self.wake().is_some_and(|until| until <= now)
            && let Some((_, queue)) = self.held.pop_first()
        {
            self.line(&queue).held = None;
            out.extend(self.serve(&queue));
        }
        out
    }

    /// Claims what there is for those who wait.
    fn serve(&mut self, queue: &Q) -> Vec<Output<Q>> {
        let room = self.line(queue).room();
        self.claim(queue, room)
    }

    /// Claims up to so many jobs.
    fn claim(&mut self, queue: &Q, mut room: u64) -> Vec<Output<Q>> {
        let mut out = Vec::new();
        let line = self.lines.entry(queue.clone()).or_default();
        while room > 0
            && line.claims_left() > 0
            && let Some((_, consumer)) = line.waiting.pop_first()
        {
            let Some(waiter) = self.consumers.get_mut(&consumer) else {
                continue;
            };
            let most = waiter.wants.min(CLAIM_JOBS);
            let jobs = u32::try_from(room).map_or(most, |room| room.min(most));
            waiter.claim = Some(jobs);
            line.asked += u64::from(jobs);
            line.claims += 1;
            room -= u64::from(jobs);
            out.push(Output::Claim { consumer, queue: queue.clone(), jobs });
        }
        out
    }

    fn line(&mut self, queue: &Q) -> &mut Line {
        self.lines.entry(queue.clone()).or_default()
    }
}

#[cfg(test)]
mod tests;
