//! A second, tiny namespace. It keeps the machines honest: whatever they can do, they can do for a
//! namespace that is not chat.

use crate::event::{Effect, Reach};
use serde::{Deserialize, Serialize};

/// Something was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// By how much.
    pub by: i64,
}

/// The reply to [`Counted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallied {
    /// By how much the tally moved.
    pub by: i64,
}

/// Why a count is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CountRefused {
    /// Nothing was counted.
    #[error("Nothing was counted.")]
    Nothing,
}

/// A hand is near the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hovering {}

/// The highest tally somebody has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The tally.
    pub total: u64,
}

crate::namespace! {
    /// Counting things.
    Tally = "tally";
    durable {
        /// Something was counted.
        Counted = "counted", counted -> Tallied, CountRefused,
            counts: true, effect: |_| Effect::Adds;
    }
    volatile {
        Hovering = "hovering";
    }
    latest {
        Seen = "seen", reach: Reach::Room, rank: |seen| seen.total;
    }
}
