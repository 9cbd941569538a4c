//! What a server sends.

use super::{Author, Entry, Folded, Ping, Request};
use crate::{
    cursor::{Cursor, Head, Offset, ResetReason},
    error::Code,
    id::{ConnectionId, Epoch, EventId, PersonId, RoomId},
    limits::Limits,
    time::{Millis, Timestamp},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From server to client.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to the last hello frame.
    Welcome(Welcome),
    /// Rooms that there are. Those of the person follow the welcome; later ones come as they change.
    Rooms(Rooms),
    /// Entries of a room's log, in order.
    Entries(Entries),
    /// The room's cursor cannot be gone on from: forget what is held of it. A page follows.
    Reset(Reset),
    /// Entries that cannot be replayed.
    Gap(Gap),
    /// A page of history: asked for, or in place of a replay that would be too long.
    Page(Page),
    /// The room has been replayed up to here; what comes now is live.
    Live(Live),
    /// The event is durable.
    Ack(Ack),
    /// The event is refused, finally.
    Reject(Reject),
    /// The event cannot be taken now: send it, and what is behind it in its lane, again later.
    Retry(Retry),
    /// The event's number is at or below the floor, so its verdict is no longer kept.
    Settled(Settled),
    /// The number is ahead of the one expected: go on from this one.
    Expected(Settled),
    /// A volatile event of somebody.
    Signal(Signalled),
    /// A register's new value.
    Latest(LatestSet),
    /// The register's value is durable, or a greater one was.
    Stored(Stored),
    /// Who is in a room now.
    Presence(Presence),
    /// The membership begins; the room's entries follow.
    Joined(Joined),
    /// The membership has ended, on request or not.
    Left(Left),
    /// The answer to an ask.
    Found(Found),
    /// The request is refused.
    Refused(Refused),
    /// I am here.
    Pong(Ping),
    /// The server closes soon; come back after this time.
    Away(Away),
}

/// The name of every server frame of this version, as on the wire.
pub const SERVER_FRAMES: &[&str] = &[
    "welcome", "rooms", "entries", "reset", "gap", "page", "live", "ack", "reject", "retry",
    "settled", "expected", "signal", "latest", "stored", "presence", "joined", "left", "found",
    "refused", "pong", "away",
];

/// What a client is told first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Welcome {
    /// The connection's name.
    pub connection: ConnectionId,
    /// The server's version.
    pub server: String,
    /// The server's clock, for showing times only.
    pub now: Timestamp,
    /// What this server holds its clients to.
    pub limits: Limits,
    /// For each lane of the hello: the highest number that has its verdict. The verdicts above the
    /// floor follow as ack and reject frames.
    pub lanes: Vec<LaneWatermark>,
    /// The person's registers.
    pub latest: Vec<LatestSet>,
}

/// How far a lane has been decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneWatermark {
    /// The lane's room.
    pub room: RoomId,
    /// The highest decided number.
    pub watermark: u64,
    /// Whether the floor was above what the server knew: it has lost history, and acked events
    /// may be missing from the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// Rooms that there are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rooms {
    /// Each as it is now.
    pub rooms: Vec<RoomInfo>,
}

/// A room as the directory shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomInfo {
    /// The room.
    pub room: RoomId,
    /// Its namespace.
    pub ns: String,
    /// Its name, unique in the namespace.
    pub name: String,
    /// Where its log ends and begins.
    pub head: Head,
    /// Whether the person is a member.
    pub joined: bool,
    /// Whether it was deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    /// Whether it is the person's inbox: the server alone writes in it, and nobody else knows it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inbox: bool,
}

/// Entries of one room, in order, without a hole between them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entries {
    /// The room.
    pub room: RoomId,
    /// The incarnation of its log.
    pub epoch: Epoch,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// A cursor that cannot be gone on from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reset {
    /// The room.
    pub room: RoomId,
    /// Why.
    pub reason: ResetReason,
    /// Where the log is now.
    pub head: Head,
}

/// Why entries cannot be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// They were trimmed from the log.
    Trimmed,
    /// The log is another one than was read.
    Reset,
    /// The reader was not a member.
    Absent,
    /// A reason of a newer server.
    #[serde(other)]
    Unknown,
}

/// Entries that cannot be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The room.
    pub room: RoomId,
    /// The first of them.
    pub from: Offset,
    /// The last of them.
    pub to: Offset,
    /// How many.
    pub count: u64,
    /// Why.
    pub reason: GapReason,
    /// The cursor behind them, from which the reader goes on.
    pub cursor: Cursor,
}

/// A page of history.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page {
    /// The request it answers; absent where it stands in place of a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<Request>,
    /// The room.
    pub room: RoomId,
    /// The entries are folded as of this place: later changes apply only above it.
    pub as_of: Cursor,
    /// The page holds all that is left of the offsets from here…
    pub from: Offset,
    /// … to here, both included. Empty where `from` is above it.
    pub to: Offset,
    /// The first offset the log still has.
    pub first: Offset,
    /// In place of a replay: how many entries that a person would count lie between the reader's
    /// cursor and `from`. They are reached by asking for history.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped: u64,
    /// The entries, in order.
    pub items: Vec<Folded>,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// A room has been replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// The room.
    pub room: RoomId,
    /// Up to here.
    pub offset: Offset,
}

/// A durable event's ack.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ack {
    /// The lane's room.
    pub room: RoomId,
    /// The event's number.
    pub n: u64,
    /// The event.
    pub id: EventId,
    /// The incarnation of the log it stands in.
    pub epoch: Epoch,
    /// Its place.
    pub offset: Offset,
    /// The typed reply.
    pub reply: Box<RawValue>,
}

/// A durable event's rejection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Reject {
    /// The lane's room.
    pub room: RoomId,
    /// The event's number.
    pub n: u64,
    /// The event.
    pub id: EventId,
    /// Why.
    pub code: Code,
    /// The same for a person.
    pub detail: String,
    /// The typed reason, where the code is [`Code::Refused`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Box<RawValue>>,
}

/// Not now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// The lane's room.
    pub room: RoomId,
    /// The first number to send again.
    pub n: u64,
    /// Why.
    pub code: Code,
    /// After this time.
    pub after: Millis,
}

/// A number of a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The lane's room.
    pub room: RoomId,
    /// The number.
    pub n: u64,
}

/// A volatile event of somebody.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Signalled {
    /// The namespace that declares the type.
    pub ns: String,
    /// The room it was sent to; absent where it was meant for the connection, the person, the
    /// namespace or everyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who sent it.
    pub from: Author,
    /// The payload.
    pub data: Box<RawValue>,
}

/// A register's value.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LatestSet {
    /// The namespace that declares the type.
    pub ns: String,
    /// The room it is about.
    pub room: RoomId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whose register.
    pub person: PersonId,
    /// Its rank.
    pub rank: u64,
    /// The payload.
    pub data: Box<RawValue>,
}

/// A register's value is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The room it is about.
    pub room: RoomId,
    /// The event's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// The rank that stands now: at least the one sent; 0 where it was refused.
    pub rank: u64,
    /// Set where the value was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The rank of the value that was refused, where it is known: a newer one is not meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<u64>,
}

/// Who is in a room now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// The room.
    pub room: RoomId,
    /// Whether `came` is everyone there is: the reader forgets whom it knew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
    /// Who came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came: Vec<Author>,
    /// Who left.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<PersonId>,
}

/// A membership begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The request.
    pub req: Request,
    /// The room.
    pub room: RoomInfo,
}

/// A membership has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// The request; absent where nobody on this connection asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub req: Option<Request>,
    /// The room.
    pub room: RoomId,
}

/// Events that stand in a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// The request.
    pub req: Request,
    /// The room.
    pub room: RoomId,
    /// The incarnation of the log.
    pub epoch: Epoch,
    /// Those of the asked ids that stand in it, each with its place.
    pub found: Vec<(EventId, Offset)>,
}

/// A request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The request.
    pub req: Request,
    /// Why.
    pub code: Code,
    /// The same for a person.
    pub detail: String,
}

/// The server closes soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// Come back after this time.
    pub after: Millis,
}
