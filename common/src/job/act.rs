//! What is done to a job, and what comes of it.

use super::{
    Digest, Holder, Job, JobState, Lease, Over, Place, Reason, Spent, StoreTime, Token,
    backoff::wait,
    limits::{LONGEST_BACKOFF, SNOOZES, lease},
    waiting,
};
use crate::{
    planted::{Planted, planted},
    time::Millis,
};
use std::mem;

/// What is done to a job. Whatever else fails leaves it as it was.
///
/// | act | from | to |
/// |---|---|---|
/// | [`Claim`](Act::Claim) | ready | leased, and that is one attempt more |
/// | [`Extend`](Act::Extend) | leased | leased |
/// | [`End`](Act::End): complete | leased | done |
/// | `End`: fail | leased | delayed or ready; dead for good, or after the last attempt |
/// | `End`: snooze | leased | delayed or ready, and the attempt does not count |
/// | `End`: hand back | leased | delayed or ready, and the attempt does not count |
/// | [`Lapse`](Act::Lapse) | leased, once it has run out | ready; dead after the last attempt |
/// | [`Due`](Act::Due) | delayed, once it is due | ready |
/// | [`Free`](Act::Free) | behind | ready, or delayed if it is not due |
/// | [`Expire`](Act::Expire) | ready, delayed, behind, once it has expired | dead |
/// | [`Cancel`](Act::Cancel) | ready, delayed, behind, leased | cancelled |
/// | [`Requeue`](Act::Requeue) | dead | ready or behind, with all its attempts |
/// | [`Discard`](Act::Discard) | dead | cancelled |
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A consumer takes it.
    Claim {
        /// The lease's, given out never before.
        token: Token,
        /// Who takes it.
        holder: Holder,
        /// How long it asks to have it; given is the [nearest length there is](lease).
        length: Millis,
    },
    /// The consumer needs longer from now on, or less long.
    Extend {
        /// The lease's.
        token: Token,
        /// How long from now; given is the [nearest length there is](lease).
        length: Millis,
    },
    /// The consumer ends its lease.
    End {
        /// The lease's.
        token: Token,
        /// Of all that is said with it. The same end said again is [known](Refused::Again) by it.
        digest: Digest,
        /// In which way.
        how: Ending,
    },
    /// The lease has run out.
    Lapse,
    /// The delay is over.
    Due,
    /// The job of its group that was in front of it has ended.
    Free,
    /// It waited past the time until which it was of use.
    Expire,
    /// Somebody does not want it any more.
    Cancel,
    /// Somebody wants the dead letter tried again. It expires no more: it was asked for by hand.
    Requeue {
        /// Its group has a job that has not ended.
        behind: bool,
    },
    /// Somebody does not want the dead letter any more.
    Discard,
}

/// In which way a consumer ends its lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is done.
    Complete,
    /// It has failed.
    Fail {
        /// `None`: for good. Else it is tried again if attempts are left, after the
        /// [backoff](wait), and no sooner than in this time, which counts up to [`LONGEST_BACKOFF`].
        retry: Option<Millis>,
        /// Draws the wait.
        chance: u64,
    },
    /// It is handed back, and comes again after this time. No attempt is used up.
    Snooze(Millis),
    /// It is handed back by the server itself, since nobody is there to do it or the server cannot for
    /// now, and comes again after this time, however often. Neither an attempt nor a snooze is used up.
    HandBack(Millis),
}

/// What came of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where the job was.
    pub from: Place,
    /// Where it is.
    pub to: Place,
    /// The lease that this has ended.
    pub lease: Option<Lease>,
    /// The job no longer holds up its group: the first one behind it is to be [freed](Act::Free).
    pub frees: bool,
}

/// Why an act has changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The lease was ended by this very word before, whose answer was lost. It is answered as done;
    /// the job may have gone on since.
    #[error("this was done before")]
    Again,
    /// The token does not hold the job.
    #[error("the token does not hold the job: {0:?}")]
    Late(Reason),
    /// The job is somewhere else than it would have to be.
    #[error("the job is {0:?}")]
    WrongState(JobState),
    /// Its time has not come.
    #[error("the job's time has not come")]
    NotYet,
    /// What is [overdue](Job::overdue) has to be done first.
    #[error("something is overdue for the job")]
    Overdue,
    /// It was snoozed as often as a job may be.
    #[error("the job was snoozed too often")]
    TooOften,
}

impl Job {
    /// Does it, or leaves the job as it is.
    ///
    /// # Errors
    /// Why nothing has changed.
    pub fn act(&mut self, now: StoreTime, act: Act) -> Result<Step, Refused> {
        let overdue = self.overdue(now).is_some();
        match (act, self.place) {
            (Act::Extend { token, length }, _) => {
                self.check(now, token).map_err(Refused::Late)?;
                Ok(self.go(self.place, now + lease(length)))
            }
            (Act::End { token, digest, how }, _) => self.end(now, token, digest, how),
            (Act::Lapse, Place::Leased) if now >= self.due => {
                let to = match self.attempt < self.most {
                    true if planted(Planted::LapseDrops) => Place::Cancelled,
                    true => Place::Ready,
                    false => Place::Dead,
                };
                if planted(Planted::AttemptNotCounted) {
                    self.attempt -= 1;
                }
                Ok(self.leave(Over::Lapsed, to, now))
            }
            (Act::Due, Place::Delayed) if now >= self.due => Ok(self.go(Place::Ready, self.due)),
            (Act::Expire, Place::Ready | Place::Delayed | Place::Behind)
                if self.expires.is_some_and(|at| now >= at) =>
            {
                Ok(self.go(Place::Dead, now))
            }
            (Act::Lapse, Place::Leased)
            | (Act::Due, Place::Delayed)
            | (Act::Expire, Place::Ready | Place::Delayed | Place::Behind) => Err(Refused::NotYet),
            (Act::Free, Place::Behind) => Ok(self.go(waiting(now, self.due), self.due)),
            (Act::Claim { .. } | Act::Cancel, _) if overdue => Err(Refused::Overdue),
            (Act::Claim { token, holder, length }, Place::Ready) => {
                self.attempt += 1;
                self.lease = Some(Lease { token, holder, since: now });
                let share = if planted(Planted::LeaseHalved) { 2 } else { 1 };
                Ok(self.go(Place::Leased, now + Millis(lease(length).0 / share)))
            }
            (Act::Cancel, Place::Leased) => Ok(self.leave(Over::Cancelled, Place::Cancelled, now)),
            (Act::Cancel, Place::Ready | Place::Delayed | Place::Behind)
            | (Act::Discard, Place::Dead) => Ok(self.go(Place::Cancelled, now)),
            (Act::Requeue { behind }, Place::Dead) => {
                (self.attempt, self.snoozes, self.expires) = (0, 0, None);
                Ok(self.go(if behind { Place::Behind } else { Place::Ready }, now))
            }
            (_, place) => Err(Refused::WrongState(place.state())),
        }
    }

    fn end(
        &mut self,
        now: StoreTime,
        token: Token,
        digest: Digest,
        how: Ending,
    ) -> Result<Step, Refused> {
        let over = Over::Ended(digest);
        if self.last == Some(Spent { token, over }) {
            return Err(Refused::Again);
        }
        self.check(now, token).map_err(Refused::Late)?;
        match how {
            Ending::Complete => Ok(self.leave(over, Place::Done, now)),
            Ending::Fail { retry: Some(least), chance } if self.attempt < self.most => {
                let drawn = wait(self.backoff, self.attempt, chance);
                let due = now + drawn.max(least.min(LONGEST_BACKOFF));
                Ok(self.leave(over, waiting(now, due), due))
            }
            Ending::Fail { .. } => Ok(self.leave(over, Place::Dead, now)),
            Ending::Snooze(_) if self.snoozes >= SNOOZES => Err(Refused::TooOften),
            Ending::Snooze(delay) | Ending::HandBack(delay) => {
                self.attempt = self.attempt.saturating_sub(1);
                self.snoozes += u32::from(matches!(how, Ending::Snooze(_)));
                let due = now + delay;
                Ok(self.leave(over, waiting(now, due), due))
            }
        }
    }

    /// The lease is over.
    fn leave(&mut self, over: Over, to: Place, due: StoreTime) -> Step {
        let lease = self.lease.take();
        if !planted(Planted::EndTwice) {
            self.last = lease.as_ref().map(|lease| Spent { token: lease.token, over });
        }
        Step { lease, ..self.go(to, due) }
    }

    fn go(&mut self, to: Place, due: StoreTime) -> Step {
        self.due = due;
        let from = mem::replace(&mut self.place, to);
        let heads = self.group.is_some() && from.heads();
        let frees = heads && to.ended() && !planted(Planted::GroupNotFreed);
        Step { from, to, lease: None, frees }
    }
}
