//! What the link tells a view, and what it starts one with.

use holdfast_common::{
    client::{NotWritten, Principal, Row, Show, Write},
    cursor::{Cursor, Offset, ResetReason},
    frame::{Folded, GapReason, LatestSet, RoomInfo},
    id::{EventId, RoomId},
};
use serde::{Deserialize, Serialize};

/// Something the view has to take in: the one way anything reaches it.
///
/// The first one is [`Update::Storage`], then comes [`Update::Loaded`], and from there the others
/// in the order in which they happened.
#[derive(Debug, Clone)]
pub enum Update {
    /// All that the database holds: forget what was shown before and start from this.
    Loaded(Loaded),
    /// These changes are committed. There is never a [`Write::AddRow`] among them: a new row comes
    /// as [`Write::PutRow`], with the key that the database gave it.
    Applied(Vec<Write>),
    /// Something that is not in the database.
    Show(Show),
    /// Where events are held until the server has them.
    Storage(StorageKind),
    /// Whether this tab leads: it alone has a connection, the others follow it.
    Leading(bool),
    /// This event could not be held: it is in no outbox and will not be sent. The writer still
    /// has the text, and nothing else does.
    NotHeld {
        /// The event, as [`Link::emit`](super::Link::emit) returned it.
        id: EventId,
        /// Its room.
        room: RoomId,
        /// Why.
        why: NotHeld,
    },
}

/// Why an event could not be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotHeld {
    /// As many events wait for their verdicts as the server lets one outbox hold.
    TooMany,
    /// The database did not take it.
    NotWritten(NotWritten),
}

/// Where events are held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageKind {
    /// In the browser's database.
    Durable,
    /// In this tab's memory, since the database cannot be had: what was not sent when the tab is
    /// closed is lost.
    Memory {
        /// What the browser said.
        why: String,
    },
    /// In the browser's database, which had lost a part: what could be read is shown, and the
    /// outbox speaks under a new writer id.
    Mended {
        /// What was missing.
        what: String,
    },
}

/// What the database holds.
#[derive(Debug, Clone, Default)]
pub struct Loaded {
    /// Whose it is; `None` at the first visit: see [`Link::introduce`](super::Link::introduce).
    pub principal: Option<Principal>,
    /// The rooms that there are.
    pub rooms: Vec<RoomInfo>,
    /// What is held of each room's log.
    pub held: Vec<HeldRoom>,
    /// The outbox, in the order of its keys.
    pub rows: Vec<Row>,
    /// Registers as the server has them.
    pub registers: Vec<LatestSet>,
    /// Texts that were begun and not sent.
    pub drafts: Vec<(RoomId, String)>,
}

/// What is held of a room's log.
#[derive(Debug, Clone)]
pub struct HeldRoom {
    /// The room.
    pub room: RoomId,
    /// The last entry applied.
    pub cursor: Option<Cursor>,
    /// The newest entries, in the order of their offsets. One that came by replay or live has no
    /// change with it: what changed it is among the later ones.
    pub items: Vec<Folded>,
    /// The offsets that are known to be missing. What lies below the first item and in no hole is
    /// not held either: it can be had as history. Where what was held before had to be forgotten,
    /// a hole at offset 0 says why, and counts the offsets.
    pub holes: Vec<Hole>,
}

/// A part of a room's log that is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hole {
    /// The first missing offset.
    pub from: Offset,
    /// The last one.
    pub to: Offset,
    /// How many entries that a person would count are missing; of a gap, all of them.
    pub count: u64,
    /// What kind of hole it is.
    pub kind: HoleKind,
}

/// Why offsets are not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoleKind {
    /// They cannot be had from the server.
    Gap(GapReason),
    /// They were not replayed, and can be had as history.
    Skipped,
    /// What was held is of another log: the room starts over behind this place.
    Reset(ResetReason),
}
