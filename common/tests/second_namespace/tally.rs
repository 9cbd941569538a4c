//! The namespace: counting things.

use holdfast_common::event::{Effect, Reach};
use serde::{Deserialize, Serialize};

/// Something was counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub by: i64,
}

/// The reply to [`Counted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallied {
    pub by: i64,
}

/// Why a count is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CountRefused {
    #[error("Nothing was counted.")]
    Nothing,
}

/// A hand is near the counter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hovering {}

/// The highest tally somebody has seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub total: u64,
}

holdfast_common::namespace! {
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
