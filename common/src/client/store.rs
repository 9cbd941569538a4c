//! What a client keeps in its database, and the changes it makes there.
//!
//! The view is a fold of the same changes: whoever drives the client applies a batch to the view
//! once it is committed, so what a person sees is what would be there after a crash.

use crate::{
    cursor::{Cursor, Head, Offset, ResetReason},
    error::Code,
    event::Durable,
    frame::{Entry, Folded, Gap, LatestSet, RoomInfo},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A row's place in the outbox, given by the database when the row is added; rows are sent in the
/// order of their keys.
pub type Key = u64;

/// An event in the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Its place.
    pub key: Key,
    /// The event and its exact bytes.
    pub event: Held,
    /// How far it has come.
    pub state: RowState,
}

/// An event that its writer holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The event.
    pub id: EventId,
    /// The namespace that declares its type.
    pub ns: String,
    /// The room it is for.
    pub room: RoomId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its payload, exactly as it goes over the wire each time it is sent.
    pub data: String,
    /// The event it refers to.
    pub target: Option<EventId>,
    /// When it was written, by the writer's clock; shown until the server's time is known.
    pub at: Timestamp,
}

impl Held {
    /// Holds a typed event.
    #[must_use]
    pub fn new<E: Durable>(id: EventId, room: RoomId, at: Timestamp, event: &E) -> Self {
        Self {
            id,
            ns: E::NAMESPACE.to_owned(),
            room,
            kind: E::NAME.to_owned(),
            data: serde_json::to_string(event).expect("declared events have string keys only"),
            target: event.effect().target(),
            at,
        }
    }
}

/// How far an event in the outbox has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowState {
    /// Never transmitted: its writer's to edit or discard.
    Queued,
    /// Has its number in the lane and may have been transmitted.
    Sent {
        /// The number.
        n: u64,
    },
    /// May have been sent by a writer that was replaced: the server is asked before it is sent again.
    Unsure,
    /// Durable at the server; the row stays until the entry has arrived.
    Acked {
        /// The incarnation of the log.
        epoch: Epoch,
        /// Its place in it.
        offset: Offset,
    },
    /// On the rejected shelf, for its writer to send anew or discard.
    Rejected {
        /// Why.
        code: Code,
        /// The same for a person.
        detail: String,
        /// The typed reason as JSON.
        why: Option<String>,
    },
}

impl RowState {
    /// Whether it still waits for a verdict: what [`Limits::outbox`](crate::limits::Limits::outbox)
    /// counts. Acked and rejected rows stay for other reasons, and hinder nobody from writing.
    #[must_use]
    pub fn waits(&self) -> bool {
        matches!(self, Self::Queued | Self::Sent { .. } | Self::Unsure)
    }
}

/// A lane's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneRow {
    /// The lane's room.
    pub room: RoomId,
    /// The number that the next event gets.
    pub next: u64,
}

/// A register's value that the server has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatestRow {
    /// The namespace that declares its type.
    pub ns: String,
    /// The room it is about.
    pub room: RoomId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its rank.
    pub rank: u64,
    /// Its payload.
    pub data: String,
}

/// Who the outbox belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// The person.
    pub person: PersonId,
    /// What proves it.
    pub secret: String,
    /// Their name.
    pub name: String,
}

/// What a client starts from: the database's content but for the entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose it is.
    pub principal: Principal,
    /// The writer.
    pub writer: WriterId,
    /// The last generation used.
    pub generation: u64,
    /// The outbox.
    pub rows: Vec<Row>,
    /// The lanes' counters.
    pub lanes: Vec<LaneRow>,
    /// Where the client stands in each room.
    pub cursors: Vec<(RoomId, Cursor)>,
    /// Registers to be confirmed.
    pub latest: Vec<LatestRow>,
}

/// One change. A batch of them is one transaction.
#[derive(Debug, Clone)]
pub enum Write {
    /// The generation raised for the next connection.
    Generation(u64),
    /// A new writer in place of a fenced one: its lanes are new. Generations go on, since they also
    /// fence tabs from each other.
    Writer {
        /// The new writer.
        writer: WriterId,
        /// Its first generation.
        generation: u64,
    },
    /// The person's name.
    Name(String),
    /// A new row: the database gives it its key, and the driver reports it as
    /// [`Input::Added`](super::Input::Added).
    AddRow(Held),
    /// A row as it is now.
    PutRow(Row),
    /// A row that is done with.
    DeleteRow(Key),
    /// A lane's counter.
    Lane(LaneRow),
    /// Entries that follow what is held of the room, and the cursor behind them.
    Entries {
        /// The room.
        room: RoomId,
        /// In order; the last one stands at the cursor.
        entries: Vec<Entry>,
        /// Where the client stands then.
        cursor: Cursor,
        /// Whether they were missed: they came before the room was live in this connection.
        missed: bool,
    },
    /// A page in place of entries that were not replayed: what was held below it may have changed.
    Page {
        /// The room.
        room: RoomId,
        /// The page's entries and the offsets it covers.
        items: Vec<Folded>,
        /// The first offset the page covers.
        from: Offset,
        /// The first offset that the log still has: the hole before `from` is trimmed below it.
        first: Offset,
        /// How many countable entries lie in the hole before it.
        skipped: u64,
        /// Where the client stands then; the items are folded as of it.
        cursor: Cursor,
    },
    /// A part of the log that cannot be had, and the cursor behind it.
    Gap(Gap),
    /// What is held of the room is of another log: forget it.
    Reset {
        /// The room.
        room: RoomId,
        /// Why.
        reason: ResetReason,
        /// How far the client had read.
        was: Option<Cursor>,
        /// Where the log is now.
        head: Head,
    },
    /// A room as the directory has it.
    Room(RoomInfo),
    /// The membership of a room has ended: its entries and its cursor are forgotten.
    Left(RoomId),
    /// The server has no such room any more and knows of no deletion: it has lost it. As
    /// [`Write::Left`], and nobody can join it.
    Lost(RoomId),
    /// A register waiting for its confirmation.
    PutLatest(LatestRow),
    /// A register that is confirmed up to this rank.
    DeleteLatest {
        /// The room.
        room: RoomId,
        /// The type.
        kind: String,
        /// Rows with a higher rank stay.
        rank: u64,
    },
    /// A register's value as the server has it.
    Register(LatestSet),
}

impl Write {
    /// Whether it must be on the disk, not only in the database's memory, before anything that
    /// follows from it: outbox, numbers and generation are (a discarded event must not
    /// come back); entries can be had again.
    #[must_use]
    pub fn strict(&self) -> bool {
        matches!(
            self,
            Self::Generation(_)
                | Self::Writer { .. }
                | Self::AddRow(_)
                | Self::PutRow(_)
                | Self::DeleteRow(_)
                | Self::Lane(_)
        )
    }
}
