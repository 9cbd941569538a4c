//! What the ledger knows of a job.

use crate::disk::Queue;
use holdfast_common::job::{Digest, Place, StoreTime, Token};

/// Who holds a job, and until when.
#[derive(Debug, Clone)]
pub struct Hold {
    pub token: Token,
    pub until: StoreTime,
    pub length: u64,
    /// What was counted of the time when it was given.
    pub from: u64,
}

/// Where a job stands, in as few words as the promise has.
#[derive(Debug, Clone)]
pub enum Stands {
    Waits,
    Held(Hold),
    Done,
    Dead,
    Cancelled,
}

impl Stands {
    pub fn fits(&self, place: Place) -> bool {
        match self {
            Self::Waits => matches!(place, Place::Ready | Place::Delayed | Place::Behind),
            Self::Held(_) => place == Place::Leased,
            Self::Done => place == Place::Done,
            Self::Dead => place == Place::Dead,
            Self::Cancelled => place == Place::Cancelled,
        }
    }

    pub const fn ended(&self) -> bool {
        matches!(self, Self::Done | Self::Dead | Self::Cancelled)
    }

    pub const fn hold(&self) -> Option<&Hold> {
        if let Self::Held(hold) = self { Some(hold) } else { None }
    }

    /// A word for the counts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Waits => "waits",
            Self::Held(_) => "held",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Known {
    pub queue: Queue,
    pub group: Option<String>,
    /// The order of enqueues.
    pub order: u64,
    pub requeued: bool,
    pub most: u32,
    pub stands: Stands,
    pub begun: u32,
    pub asked: bool,
    pub fence: u64,
    pub ended_at: StoreTime,
    /// Every word that has ended a lease of it.
    pub ended: Vec<(Token, Digest)>,
    /// The one of them behind which no lease has ended.
    pub last: Option<(Token, Digest)>,
    /// The fences of attempts that did not complete it.
    pub errors: Vec<u64>,
}
