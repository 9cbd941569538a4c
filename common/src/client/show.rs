//! What a client tells its view beside what is in the database.

use crate::{
    error::Code,
    frame::{Page, Presence, Signalled},
    id::{EventId, RoomId},
    limits::Limits,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};

/// The link's state, as a person is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// A connection is being made.
    Connecting,
    /// Welcomed.
    Online,
    /// No connection; a new one is tried after this time.
    Offline {
        /// From now.
        retry_in: Millis,
        /// What ended the last one, where the server said.
        why: Option<Code>,
    },
    /// No connection, and none is tried until somebody asks for it.
    Blocked {
        /// What the server said.
        why: Option<Code>,
        /// Whether the cause is this browser's database.
        storage: bool,
        /// Whether what it lacks is room.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        full: bool,
    },
}

/// Things to show that are not in the database.
#[derive(Debug, Clone)]
pub enum Show {
    /// The link's state has changed.
    Link(Link),
    /// The server's limits and clock.
    Welcome {
        /// What the server holds its clients to.
        limits: Limits,
        /// The server's clock.
        now: Timestamp,
    },
    /// What came before it was missed; what comes after it is live.
    Live(RoomId),
    /// A page of history that was asked for.
    Page(Page),
    /// A volatile event.
    Signal(Signalled),
    /// Who is in a room.
    Presence(Presence),
    /// An event's typed reply.
    Reply {
        /// The event.
        id: EventId,
        /// As JSON.
        reply: String,
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
    /// The server has lost events of this room that it had acked.
    Lost(RoomId),
    /// The membership has ended: nothing of the room is live any more.
    Left(RoomId),
}
