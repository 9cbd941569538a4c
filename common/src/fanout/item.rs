//! What waits for a connection, whom a frame is for, and what changes in a room.

use super::Key;
use crate::{
    cursor::Offset,
    frame::{Author, Request, RoomInfo},
    id::{PersonId, RoomId, SessionId, WriterId},
    storage::{Fault, Membership},
};

/// Something was dropped for want of room, and has to be told anew as it is by then. There is at
/// most one of each kind for each room that the connection's person is in, and one for the list
/// of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// Live entries of this room.
    Behind(RoomId),
    /// Who came to this room or left it.
    Presence(RoomId),
    /// The person's own registers of this room.
    OwnRegisters(RoomId),
    /// Registers of this room, whoever's, that everyone in it is told.
    Registers(RoomId),
    /// The list of rooms.
    Directory,
}

impl Note {
    /// The room it is about.
    #[must_use]
    pub fn room(self) -> Option<RoomId> {
        match self {
            Self::Behind(room)
            | Self::Presence(room)
            | Self::OwnRegisters(room)
            | Self::Registers(room) => Some(room),
            Self::Directory => None,
        }
    }
}

/// Which run of a client a connection belongs to, and which of its connections it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The client's run.
    pub session: SessionId,
    /// The writer it greeted with.
    pub writer: WriterId,
    /// Raised by the client with each connection.
    pub generation: u64,
}

impl Run {
    /// Whether this connection takes over from that one: of the same run, and not the older one of
    /// them. A client that has replaced its writer counts generations anew; it comes later then.
    #[must_use]
    pub fn follows(&self, other: &Self) -> bool {
        let later = self.writer != other.writer || self.generation >= other.generation;
        self.session == other.session && later
    }
}

/// One thing that waits for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<B> {
    /// An entry has become durable.
    Live {
        /// The room.
        room: RoomId,
        /// Its place.
        offset: Offset,
        /// Its frame.
        bytes: B,
    },
    /// A room's log goes at least so far, and not all of it came live.
    Head {
        /// The room.
        room: RoomId,
        /// An offset that is durable.
        offset: Offset,
    },
    /// Something was dropped.
    Note(Note),
    /// A frame to pass on.
    Pass(B),
    /// The person has become a member of a room by another connection, or by the server.
    Member(Box<RoomInfo>),
    /// The person's membership has ended in the same ways.
    NotMember(RoomId),
    /// The answer to a request of this connection's own. It comes here in its order among the
    /// changes that others make.
    Membership {
        /// The request.
        req: Request,
        /// The room.
        room: RoomId,
        /// Whether it was a join.
        join: bool,
        /// The engine's answer.
        result: Result<Membership, Fault>,
    },
    /// A newer connection of the same session is there.
    TakenOver,
}

impl<B> Item<B> {
    /// The room whose membership it is about.
    pub(super) fn membership(&self) -> Option<RoomId> {
        match self {
            Self::Member(info) => Some(info.room),
            Self::NotMember(room) => Some(*room),
            _ => None,
        }
    }
}

/// Whom a frame is for. All but these are for the room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One connection.
    Connection(Key),
    /// Every connection of a person.
    Person(PersonId),
    /// Every connection that follows a room.
    Room(RoomId),
    /// Every connection that follows a room, but one: the sender's.
    RoomBut(RoomId, Key),
    /// Every connection of a person, but one.
    PersonBut(PersonId, Key),
    /// Every connection.
    Everyone,
}

/// A change of who is in a room. The driver makes a frame of it and sends it to the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// This person's first connection follows the room now.
    Came(RoomId, Author),
    /// This person's last connection has left the room.
    Left(RoomId, PersonId),
    /// There are too many people now to tell who is here; of this one too it is not told. Or there
    /// are no longer too many. Everyone is told what [`Fanout::here`](super::Fanout::here) says.
    Turned(RoomId),
}

/// All places but one connection's.
pub(super) fn but(places: Vec<usize>, key: Key) -> Vec<usize> {
    places.into_iter().filter(|place| *place != key.place).collect()
}
