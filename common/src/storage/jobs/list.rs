//! Jobs of a queue, page by page.

use super::{JobRead, QueueName};
use crate::job::{Place, limits::REASON_BYTES};
use std::{fmt, str::FromStr};

/// Jobs that are to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Their queue.
    pub queue: QueueName,
    /// Their places, one after the other: those of a [state](crate::job::JobState::places), or one.
    ///
    /// | of those that are | the first is |
    /// |---|---|
    /// | ready | the one that begins first |
    /// | delayed, behind | the one that may begin first, were it for time alone |
    /// | leased | the one whose lease runs out first |
    /// | done, dead, cancelled | the one that ended last |
    pub places: Vec<Place>,
    /// Which of them.
    pub sieve: Sieve,
    /// Those behind this one.
    pub after: Option<ListAfter>,
    /// At most so many.
    pub limit: u32,
    /// Of the attempts of each the last one alone: for who shows no more.
    pub last_attempt: bool,
    /// At most so many bytes of payloads, outcomes and errors, but for the first job.
    pub max_bytes: usize,
}

/// Which jobs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sieve {
    /// Those of this type alone.
    pub kind: Option<String>,
    /// Those alone in whose last error this text stands, in capitals or not. [At most](Self::of) as long
    /// as an error.
    pub error: Option<String>,
}

/// Why a text is not looked for in errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("No error is longer than {REASON_BYTES} bytes.")]
pub struct LongText;

impl Sieve {
    /// One of what a caller says.
    ///
    /// # Errors
    /// The text could stand in no error.
    pub fn of(kind: Option<String>, error: Option<String>) -> Result<Self, LongText> {
        match &error {
            Some(text) if text.len() > REASON_BYTES => Err(LongText),
            _ => Ok(Self { kind, error }),
        }
    }
}

/// Where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListAfter {
    /// In which place.
    pub place: Place,
    /// The last job's place in its order.
    pub at: (i64, i64),
}

/// Why a text is not where a page ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not where a page of jobs ends")]
pub struct BadAfter;

/// The text that is given out with a page and back with the wish for the next one.
impl fmt::Display for ListAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.place.number(), self.at.0, self.at.1)
    }
}

impl FromStr for ListAfter {
    type Err = BadAfter;

    fn from_str(text: &str) -> Result<Self, BadAfter> {
        let mut parts = text.splitn(3, '.');
        let place = parts.next().and_then(|it| it.parse().ok()).and_then(Place::of);
        let first = parts.next().and_then(|it| it.parse().ok());
        let second = parts.next().and_then(|it| it.parse().ok());
        let found = place.zip(first.zip(second)).map(|(place, at)| Self { place, at });
        found.ok_or(BadAfter)
    }
}

/// A page. It may be short, or empty, where much had to be looked at: as long as there is a rest,
/// there may be more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// The jobs as they are now: one whose time has just come is elsewhere already.
    pub jobs: Vec<JobRead>,
    /// With what the next page goes on.
    pub rest: Option<ListAfter>,
}
