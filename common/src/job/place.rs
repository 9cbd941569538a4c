//! Where a job is.

use serde::{Deserialize, Serialize};

/// Where a job is. The numbers are stored; the names are on a board's wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Place {
    /// It may begin.
    Ready = 0,
    /// It may begin later: it was asked so, was snoozed, or failed and waits.
    Delayed = 1,
    /// Another job of its group is in front of it.
    Behind = 2,
    /// A consumer has it.
    Leased = 3,
    /// It is done. For ever.
    Done = 4,
    /// It ran out of attempts, failed for good or expired: a dead letter, for a person to decide.
    Dead = 5,
    /// Nobody wants it any more. For ever.
    Cancelled = 6,
}

impl Place {
    /// Each of them, by its number.
    pub const ALL: [Self; 7] = [
        Self::Ready,
        Self::Delayed,
        Self::Behind,
        Self::Leased,
        Self::Done,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The number that is stored.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The place of a stored number.
    #[must_use]
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// What is said of it outside.
    #[must_use]
    pub const fn state(self) -> JobState {
        match self {
            Self::Ready | Self::Delayed | Self::Behind => JobState::Ready,
            Self::Leased => JobState::Leased,
            Self::Done => JobState::Done,
            Self::Dead => JobState::Dead,
            Self::Cancelled => JobState::Cancelled,
        }
    }

    /// Whether a job has ended here. A dead letter has, although a person may requeue it.
    #[must_use]
    pub const fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }

    /// Whether a job of a group holds up the others from here. One job of a group does.
    #[must_use]
    pub const fn heads(self) -> bool {
        matches!(self, Self::Ready | Self::Delayed | Self::Leased)
    }
}

/// What is said of a job outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// It waits to begin, now or later.
    Ready,
    /// A consumer has it.
    Leased,
    /// It is done.
    Done,
    /// It is a dead letter.
    Dead,
    /// It was cancelled or discarded.
    Cancelled,
}

impl JobState {
    /// The places of which it is said.
    #[must_use]
    pub const fn places(self) -> &'static [Place] {
        match self {
            Self::Ready => &[Place::Ready, Place::Delayed, Place::Behind],
            Self::Leased => &[Place::Leased],
            Self::Done => &[Place::Done],
            Self::Dead => &[Place::Dead],
            Self::Cancelled => &[Place::Cancelled],
        }
    }
}
