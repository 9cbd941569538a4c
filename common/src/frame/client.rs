//! What a client sends.

use super::Request;
use crate::{
    cursor::{Cursor, Offset},
    id::{EventId, PersonId, RoomId, SessionId, WriterId},
};
use serde::{Deserialize, Serialize};

/// From client to server.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame of a connection; more of them while [`Hello::more`] is set.
    Hello(Hello),
    /// A durable event; its payload follows.
    Emit(Emit),
    /// A volatile event; its payload follows.
    Signal(Signal),
    /// A register's value; its payload follows.
    Latest(SetLatest),
    /// Become a member of a room and follow it.
    Join(JoinRoom),
    /// End a membership.
    Leave(LeaveRoom),
    /// A page of a room's history.
    History(History),
    /// Which of these events stand in the room's log?
    Ask(AskIds),
    /// Are you there?
    Ping(Ping),
}

/// Who speaks, where it stands and what it has not heard of yet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// Who the writer is bound to.
    pub person: PersonId,
    /// What proves it, 16 to 128 bytes. The first use of a person id binds it.
    pub secret: String,
    /// The person's name, a label.
    pub name: String,
    /// The outbox that speaks.
    pub writer: WriterId,
    /// Raised before each connect; the server takes only one above the last it saw.
    pub generation: u64,
    /// The client's run. A newer connection of the same session takes over.
    pub session: SessionId,
    /// The rooms the client has entries of, and where it stands in each.
    pub rooms: Vec<RoomCursor>,
    /// The lanes in which something waits. In one it does not name, an event goes out alone until its
    /// verdict has come.
    pub lanes: Vec<LaneState>,
    /// Whether another hello frame with more rooms and lanes follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// Where a client stands in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCursor {
    /// The room.
    pub room: RoomId,
    /// The last entry applied.
    pub cursor: Cursor,
}

/// How far a lane has come at the client. A `next` that the server has decided already shows that
/// the outbox has gone back in time: it is fenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneState {
    /// The lane's room.
    pub room: RoomId,
    /// All numbers up to it are durably settled at the client.
    pub floor: u64,
    /// The number that the next event gets.
    pub next: u64,
}

impl LaneState {
    /// What the engine needs of it.
    #[must_use]
    pub fn floor(&self) -> LaneFloor {
        LaneFloor { room: self.room, floor: self.floor }
    }
}

/// The part of a [`LaneState`] that the engine goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneFloor {
    /// The lane's room.
    pub room: RoomId,
    /// The floor.
    pub floor: u64,
}

/// The head of an emit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emit {
    /// The namespace that declares the type.
    pub ns: String,
    /// The room to append to.
    pub room: RoomId,
    /// The event's number in its lane, from 1.
    pub n: u64,
    /// The lane's floor.
    pub floor: u64,
    /// The event.
    pub id: EventId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The head of a volatile event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The namespace that declares the type.
    pub ns: String,
    /// The room to pass it to.
    pub room: RoomId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The head of a register's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetLatest {
    /// The namespace that declares the type.
    pub ns: String,
    /// The room it is about.
    pub room: RoomId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The value's rank as the client knows it. It comes back with a refusal, and is looked at no
    /// further: the payload says which rank it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<u64>,
}

/// Asks to become a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinRoom {
    /// The request.
    pub req: Request,
    /// The room.
    pub room: RoomId,
}

/// Asks to end a membership.
pub type LeaveRoom = JoinRoom;

/// Asks for a page of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The request.
    pub req: Request,
    /// The room.
    pub room: RoomId,
    /// Entries below this offset; the newest ones where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Offset>,
    /// At most so many, and never more than [`Limits::page`](crate::limits::Limits::page).
    pub limit: u32,
}

/// Asks which events are in a log: by a client whose writer was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskIds {
    /// The request.
    pub req: Request,
    /// The room.
    pub room: RoomId,
    /// At most [`Limits::unsettled`](crate::limits::Limits::unsettled).
    pub ids: Vec<EventId>,
}

/// A ping, and its pong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ping {
    /// Comes back in the pong.
    pub n: u64,
}
