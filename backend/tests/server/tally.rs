//! A second, tiny namespace: whatever the server does for the chat, it does for this one.

use holdfast_common::event::{Effect, Reach};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    pub by: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallied {
    pub by: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum CountRefused {
    #[error("Nothing was counted.")]
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hovering {}

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
