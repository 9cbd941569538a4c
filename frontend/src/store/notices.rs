//! Troubles that a person has to hear of, until they are dismissed.

use crate::link::NotHeld;
use holdfast_common::{
    cursor::Offset,
    error::Code,
    id::{EventId, RoomId},
};

/// How many are kept; of more the oldest go.
const KEPT: usize = 4;

/// A trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// This event is in no outbox: its writer has to do it again.
    NotHeld {
        /// The event.
        id: EventId,
        /// Its room.
        room: RoomId,
        /// Why.
        why: NotHeld,
        /// Its text is where it was written.
        text_back: bool,
    },
    /// A wish could not be granted.
    Refused {
        /// The room it was about.
        room: RoomId,
        /// Why.
        code: Code,
        /// The same for a person.
        detail: String,
    },
    /// The server has lost events of this room that it had acked, or all of the room.
    Lost(RoomId),
    /// An address names a place that this room's log does not have.
    NoPlace(RoomId, Offset),
    /// A room that was made here has another name than was wished for.
    Renamed {
        /// The wish.
        wished: String,
        /// Its name.
        name: String,
    },
}

/// A trouble with what dismisses it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub number: u64,
    /// What it is.
    pub trouble: Trouble,
}

/// The notices that stand.
#[derive(Debug, Clone, Default)]
pub(super) struct Notices {
    standing: Vec<Notice>,
    numbers: u64,
}

impl Notices {
    /// The same trouble twice is one notice.
    pub(super) fn add(&mut self, trouble: Trouble) {
        self.standing.retain(|notice| notice.trouble != trouble);
        self.numbers += 1;
        self.standing.push(Notice { number: self.numbers, trouble });
        let above = self.standing.len().saturating_sub(KEPT);
        self.standing.drain(..above);
    }

    /// The text of an event that is not held has gone back to its writer.
    pub(super) fn given_back(&mut self, event: EventId) {
        for notice in &mut self.standing {
            if let Trouble::NotHeld { id, text_back, .. } = &mut notice.trouble
                && *id == event
            {
                *text_back = true;
            }
        }
    }

    pub(super) fn dismiss(&mut self, number: u64) {
        self.standing.retain(|notice| notice.number != number);
    }

    /// The oldest first.
    #[must_use]
    pub(super) fn standing(&self) -> &[Notice] {
        &self.standing
    }
}
