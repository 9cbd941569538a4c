//! A connection's emits on their way: decided one after the other in each lane, under way together.
//!
//! A rule may have gone by what an earlier event of the same lane was about to change, or somebody
//! else's: the engine then answers *moved* and takes nothing. The event is decided again, and so is
//! what was submitted behind it, which the engine has answered with *expected*.

use crate::walk::Draft;
use holdfast_common::{
    id::RoomId,
    storage::{Appended, Fault},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// How often the head of a lane is decided again before its client is told to wait.
const ATTEMPTS: u32 = 8;

/// An emit with its number.
#[derive(Debug, Clone)]
pub(super) struct Numbered {
    pub(super) n: u64,
    pub(super) draft: Arc<Draft>,
}

/// What is done with an emit that was decided.
#[derive(Debug)]
pub(super) enum Step<A> {
    /// It goes to the engine now, whose answer goes to [`Lanes::appended`].
    Submit(Box<A>),
    /// Its client is told this.
    Tell(Appended),
    /// Nothing: it is decided again later.
    Wait,
}

/// The lanes that have something under way.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<RoomId, Lane>);

#[derive(Debug, Default)]
struct Lane {
    /// Not decided yet, in order.
    waiting: VecDeque<Numbered>,
    /// One is being decided.
    deciding: bool,
    /// At the engine, in order; an answer that has overtaken an earlier one waits for it.
    submitted: VecDeque<(Numbered, Option<Appended>)>,
    /// To be decided again when nothing is at the engine any more, in order.
    again: Vec<Numbered>,
    /// How often the head has been decided again.
    attempts: u32,
}

impl Lanes {
    pub(super) fn push(&mut self, emit: Numbered) {
        let lane = self.0.entry(emit.draft.room).or_default();
        lane.waiting.push_back(emit);
    }

    /// The next emit of a lane to be decided, if it is time.
    pub(super) fn next(&mut self, room: RoomId) -> Option<Numbered> {
        let lane = self.0.get_mut(&room)?;
        if lane.deciding || !lane.again.is_empty() {
            return None;
        }
        let next = lane.waiting.pop_front()?;
        lane.deciding = true;
        Some(next)
    }

    /// An emit was decided; says what is to be done with it.
    pub(super) fn decided<A>(&mut self, emit: Numbered, result: Result<Box<A>, Fault>) -> Step<A> {
        let room = emit.draft.room;
        let Some(lane) = self.0.get_mut(&room) else {
            return Step::Wait;
        };
        lane.deciding = false;
        let step = match result {
            // Something before it is decided again, so it is too.
            _ if !lane.again.is_empty() => {
                lane.again.push(emit);
                Step::Wait
            }
            Ok(ready) => {
                lane.submitted.push_back((emit, None));
                Step::Submit(ready)
            }
            Err(fault) => Step::Tell(Appended::Fault(fault)),
        };
        self.go_on(room);
        step
    }

    /// The engine's answer. Returns what the client is told now, with the numbers, in order.
    pub(super) fn appended(
        &mut self,
        room: RoomId,
        n: u64,
        appended: Appended,
    ) -> Vec<(u64, Appended)> {
        let mut told = Vec::new();
        let Some(lane) = self.0.get_mut(&room) else {
            return told;
        };
        // Of two copies of a number the earlier one was answered first.
        let mut open = lane.submitted.iter_mut().filter(|(_, answer)| answer.is_none());
        if let Some((_, answer)) = open.find(|(emit, _)| emit.n == n) {
            *answer = Some(appended);
        }
        while let Some((_, Some(_))) = lane.submitted.front() {
            if let Some((emit, Some(appended))) = lane.submitted.pop_front() {
                let n = emit.n;
                told.extend(lane.judge(emit, appended).map(|appended| (n, appended)));
            }
        }
        self.go_on(room);
        told
    }

    /// Puts what is to be decided again back into its place once nothing of the lane is under way,
    /// and forgets a lane that has nothing more.
    fn go_on(&mut self, room: RoomId) {
        let Some(lane) = self.0.get_mut(&room) else {
            return;
        };
        if lane.deciding || !lane.submitted.is_empty() {
            return;
        }
        if !lane.again.is_empty() {
            lane.begin_again();
        } else if lane.waiting.is_empty() {
            self.0.remove(&room);
        }
    }
}

impl Lane {
    fn judge(&mut self, emit: Numbered, appended: Appended) -> Option<Appended> {
        match appended {
            Appended::Moved if self.again.is_empty() && self.attempts >= ATTEMPTS => {
                self.attempts = 0;
                Some(Appended::Moved)
            }
            Appended::Moved => {
                self.again.push(emit);
                None
            }
            Appended::Expected(_) if !self.again.is_empty() => {
                self.again.push(emit);
                None
            }
            told => {
                if self.again.is_empty() {
                    self.attempts = 0;
                }
                Some(told)
            }
        }
    }

    fn begin_again(&mut self) {
        self.attempts += 1;
        let mut again = std::mem::take(&mut self.again);
        again.sort_by_key(|emit| emit.n);
        for emit in again.into_iter().rev() {
            self.waiting.push_front(emit);
        }
    }
}

#[cfg(test)]
mod tests;
