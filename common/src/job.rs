//! What may happen to a job: the machine of its row in the store, and nothing of where it is kept.
//!
//! A job is in one [`Place`] at a time, and each [`Act`] moves it to another or is refused. Engines
//! read the row, let [`Job::act`] decide at the store's time, and write what came of it in the same
//! transaction. It is the whole rule: they have no other.
//!
//! A lease ends by its consumer's word, by a person's, or by the store's clock; its [`Token`] says
//! whose word it is. A word that comes later than any of these is refused with the [`Reason`], also
//! where nobody has swept the lease up yet: by the clock, not by luck.

pub mod act;
pub mod backoff;
pub mod clock;
pub mod code;
pub mod declare;
pub mod figures;
pub mod lease;
pub mod limits;
pub mod place;
pub mod rate;
pub mod settings;
pub mod time;
pub mod token;

pub use act::{Act, Ending, Refused, Step};
pub use code::Code;
pub use declare::{JobKind, JobType, QueueType, Work};
pub use lease::{Attempt, Digest, EXPIRED, Holder, LAPSED, Lease, Over, Reason, Spent};
pub use place::{JobState, Place};
pub use rate::{Allowed, Rate, Tat};
pub use settings::{NewJob, QueueSettings, SettingsPatch, Unfit};
pub use time::StoreTime;
pub use token::{BadToken, Token};

use crate::{
    id::JobId,
    planted::{Planted, planted},
    time::Millis,
};

/// A job as far as the machine goes. What it is about, and its priority, stand beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// Where it is.
    pub place: Place,
    /// Of a job that waits: when it may begin, or might already. Of a leased one: when its lease runs
    /// out. Of one that has ended: when that was.
    pub due: StoreTime,
    /// From then on no attempt begins.
    pub expires: Option<StoreTime>,
    /// The group whose jobs begin one by one.
    pub group: Option<String>,
    /// Attempts that have begun since it was enqueued or requeued, without those that were snoozed or handed back by
    /// the server.
    pub attempt: u32,
    /// How many attempts it has, at least 1.
    pub most: u32,
    /// How often it was snoozed in that time.
    pub snoozes: u32,
    /// How long it waits after its first failure.
    pub backoff: Millis,
    /// Who has it. There is one if and only if the place is [`Place::Leased`].
    pub lease: Option<Lease>,
    /// The lease that ended last.
    pub last: Option<Spent>,
}

impl Job {
    /// A job that is enqueued now. It lies [within its bounds](NewJob::check). `behind`: its group
    /// has a job that has not ended.
    #[must_use]
    pub fn new(now: StoreTime, asked: &NewJob, settings: &QueueSettings, behind: bool) -> Self {
        let due = now + asked.delay;
        Self {
            id: asked.id,
            place: if behind && !planted(Planted::GroupRuns) {
                Place::Behind
            } else {
                waiting(now, due)
            },
            due,
            expires: asked.expires.map(|length| now + length),
            group: asked.group.clone(),
            attempt: 0,
            most: asked.most.unwrap_or(settings.attempts),
            snoozes: 0,
            backoff: asked.backoff.unwrap_or(settings.backoff),
            lease: None,
            last: None,
        }
    }

    /// Whether this token holds the job now: the one check of whatever a consumer says.
    ///
    /// # Errors
    /// Why not. [`Reason::Other`] may be said [more exactly](Reason::of) by who keeps the attempts.
    pub fn check(&self, now: StoreTime, token: Token) -> Result<(), Reason> {
        let ignored = planted(Planted::TokenIgnored);
        if self.lease.as_ref().is_some_and(|lease| lease.token == token || ignored) {
            return if now < self.due || planted(Planted::LateAccepted) {
                Ok(())
            } else {
                Err(Reason::Expired)
            };
        }
        let spent = self.last.filter(|spent| spent.token == token).ok_or(Reason::Other)?;
        Err(match spent.over {
            Over::Ended(_) if self.place != Place::Cancelled => Reason::Ended,
            Over::Lapsed => Reason::Expired,
            Over::Ended(_) | Over::Cancelled => Reason::Cancelled,
        })
    }

    /// What time alone has brought by now and nobody has carried out yet: at most one act at a time,
    /// so it is asked until there is none. It comes before any other act but a consumer's word, so
    /// that what people and claims find does not hang on how often the store is swept.
    #[must_use]
    pub fn overdue(&self, now: StoreTime) -> Option<Act> {
        let expired = self.expires.is_some_and(|at| now >= at);
        match self.place {
            Place::Leased if now >= self.due => Some(Act::Lapse),
            Place::Ready | Place::Delayed | Place::Behind if expired => Some(Act::Expire),
            Place::Delayed if now >= self.due => Some(Act::Due),
            _ => None,
        }
    }

    /// Gives a lease the time in which nobody could have extended it: the gap of an
    /// [observation](clock::Observed::gap). Other jobs go by the clock.
    pub fn give(&mut self, gap: Millis) {
        if self.place == Place::Leased && !planted(Planted::GapCounts) {
            self.due = self.due + gap;
        }
    }
}

/// The place of a job that nothing but time holds up.
fn waiting(now: StoreTime, due: StoreTime) -> Place {
    if now < due { Place::Delayed } else { Place::Ready }
}

#[cfg(test)]
mod tests;
