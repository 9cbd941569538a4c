//! What a session asks of the engine and what it hears back, as plain data. The engine itself, and
//! every database, is elsewhere; a simulator's model disk speaks the same words.

use crate::{
    cursor::{Head, Mark, Offset},
    error::Code,
    event::{Effect, Facts, Verified, Versions},
    frame::{Author, Entry, Folded, LaneFloor, LaneWatermark, LatestSet, RoomCursor, RoomInfo},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    job::NewJob,
    time::Timestamp,
};
use jobs::Moves;

pub mod hooks;
pub mod jobs;
pub mod schedules;

/// The storage could not do it, or could not say whether it did.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// More is waiting than may wait.
    #[error("too much is waiting for the storage")]
    Overloaded,
    /// It failed; what was asked has not happened.
    #[error("the storage failed: {0}")]
    Failed(String),
    /// It failed in a way that leaves open whether what was asked has happened.
    #[error("the storage could not say whether it committed: {0}")]
    Unknown(String),
}

impl Fault {
    /// What the one who asked is told.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Self::Full => Code::StorageFull,
            Self::Overloaded => Code::Overloaded,
            Self::Failed(_) | Self::Unknown(_) => Code::StorageFault,
        }
    }
}

/// A hello as the engine needs it: binds what is new, refuses what does not fit, raises the
/// generation, and answers with all that a resume needs, in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// Who it says it is.
    pub person: PersonId,
    /// SHA-256 of the secret. Bound at the person's first use.
    pub secret_hash: [u8; 32],
    /// The person's name from now on.
    pub name: String,
    /// Bound to the person at first use.
    pub writer: WriterId,
    /// Stored if it is above the stored one, else the greeting is refused as fenced.
    pub generation: u64,
    /// Where the client stands.
    pub rooms: Vec<RoomCursor>,
    /// The lanes it has unsettled events in. A floor above the watermark moves it up.
    pub lanes: Vec<LaneFloor>,
    /// The rooms in which everyone is: the person becomes a member of those where they are none.
    pub welcome_rooms: Vec<RoomId>,
    /// For what is created.
    pub at: Timestamp,
}

/// The answer to a [`Greeting`].
#[derive(Debug, Clone)]
pub enum Greeted {
    /// Come in.
    Welcome(Resume),
    /// [`Code::WrongSecret`], [`Code::WrongWriter`] or [`Code::Fenced`].
    Refused(Code),
}

/// All that a resume needs, of one snapshot.
#[derive(Debug, Clone, Default)]
pub struct Resume {
    /// Every room that is there for the person to see, members' first.
    pub rooms: Vec<RoomState>,
    /// For each lane of the greeting.
    pub lanes: Vec<LaneWatermark>,
    /// The verdicts above the floors, by lane and number.
    pub verdicts: Vec<(RoomId, u64, Verdict)>,
    /// The person's own registers of the rooms they are in, in the order of the rooms, as many as
    /// [`SLICE_BYTES`](crate::limits::SLICE_BYTES) hold.
    pub latest: Vec<LatestSet>,
    /// The first room of which they did not all fit.
    pub latest_rest: Option<RoomId>,
}

/// A room, and what the log says about the client's cursor in it.
#[derive(Debug, Clone)]
pub struct RoomState {
    /// The room.
    pub info: RoomInfo,
    /// The log's mark at the cursor's offset, if the cursor is of its epoch and the entry (or the
    /// place before the first one) is there.
    pub mark_at: Option<Mark>,
    /// When the entry behind the cursor was appended: how old the oldest missed one is.
    pub missed_since: Option<Timestamp>,
}

/// A durable event's fate, as it is stored and told again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It stands in the log.
    Ack {
        /// The event.
        id: EventId,
        /// The incarnation of the log.
        epoch: Epoch,
        /// Its place.
        offset: Offset,
        /// The typed reply as JSON.
        reply: String,
    },
    /// It does not, and never will.
    Reject {
        /// The event.
        id: EventId,
        /// Why.
        code: Code,
        /// The same for a person.
        detail: String,
        /// The typed reason as JSON.
        why: Option<String>,
    },
}

/// Whose number an append carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneWrite {
    /// The writer. The lane is (writer, the append's room).
    pub writer: WriterId,
    /// The connection's generation: refused when a newer one has come.
    pub generation: u64,
    /// The number: decided if it is the watermark plus one.
    pub n: u64,
    /// Verdicts at or below it may be forgotten.
    pub floor: u64,
}

/// A caller's promise that a repeat is a repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idempotency {
    /// 1 to 128 bytes. It belongs to (caller, room), or to [(caller, queue)](jobs::Promise::Key).
    pub key: String,
    /// Whose key it is; in open mode the same for everyone.
    pub caller: PersonId,
    /// SHA-256 of the body: another one under the same key is a mismatch.
    pub body_hash: [u8; 32],
}

/// One event with its rule's verdict, to be made durable: the entry (if allowed), the lane's
/// watermark and the verdict in one transaction.
#[derive(Debug, Clone)]
pub struct Append {
    /// The lane; absent for HTTP and for the server's own events.
    pub lane: Option<LaneWrite>,
    /// The promise of an HTTP caller.
    pub idempotency: Option<Idempotency>,
    /// The namespace.
    pub namespace: String,
    /// The room.
    pub room: RoomId,
    /// The event.
    pub id: EventId,
    /// Its type.
    pub kind: String,
    /// Who wrote it.
    pub author: Author,
    /// When the server took it.
    pub at: Timestamp,
    /// The payload, JSON that was read as its type. Of a rejected one, anything.
    pub data: String,
    /// What it does to the log.
    pub effect: Effect,
    /// The name of the room it creates: the facts' free name. The wished one where it is absent.
    pub room_name: Option<String>,
    /// Whose inbox the room that it creates is: its only member, in place of the author.
    pub owner: Option<PersonId>,
    /// How many rooms the author may be a member of: one that creates another is rejected. Inboxes
    /// are not counted.
    pub most_rooms: u32,
    /// Whether a person would count it.
    pub counts: bool,
    /// What the rule said.
    pub verified: Verified,
    /// What the rule went by: compared in the transaction.
    pub versions: Versions,
}

impl Append {
    /// What is enqueued with it, if and only if its entry is appended by it. A job whose id is known
    /// already is not enqueued again.
    #[must_use]
    pub fn jobs(&self) -> &[NewJob] {
        match &self.verified {
            Verified::Allowed { jobs, .. } => jobs,
            Verified::Rejected { .. } => &[],
        }
    }
}

/// What became of an [`Append`]. Nothing of it is told before it is durable.
#[derive(Debug, Clone)]
pub enum Appended {
    /// Durable now.
    Decided {
        /// The verdict.
        verdict: Verdict,
        /// The entry to pass on, where one was appended. Boxed for its size.
        entry: Option<Box<NewEntry>>,
        /// What its jobs have moved; of version 0 where nothing has.
        moves: Moves,
    },
    /// Decided earlier: the same verdict again.
    Again(Verdict),
    /// At or below the floor: settled at the client, the verdict is forgotten.
    Settled,
    /// The number is ahead; this one is expected.
    Expected(u64),
    /// A newer generation of the writer has come.
    Fenced,
    /// What the rule went by has changed: ask it again.
    Moved,
    /// The key was used with another body.
    Mismatch,
    /// Nothing is known to be durable.
    Fault(Fault),
}

impl Appended {
    /// Where it stands now that it was not there before.
    #[must_use]
    pub const fn offset(&self) -> Option<Offset> {
        match self {
            Self::Decided { verdict: Verdict::Ack { offset, .. }, .. } => Some(*offset),
            _ => None,
        }
    }
}

impl Appended {
    /// Of an append that has moved no jobs.
    #[must_use]
    pub fn decided(verdict: Verdict, entry: Option<Box<NewEntry>>) -> Self {
        Self::Decided { verdict, entry, moves: Moves::default() }
    }
}

/// An entry that has just become durable.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The room.
    pub room: RoomId,
    /// The incarnation of its log.
    pub epoch: Epoch,
    /// The entry.
    pub entry: Entry,
    /// The room as its first member sees it now, where the entry created it.
    pub created: Option<RoomInfo>,
    /// Whose inbox it created.
    pub owner: Option<PersonId>,
}

/// Facts to be read for a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactsQuery {
    /// Who emits.
    pub person: PersonId,
    /// The namespace, for the names of new rooms.
    pub namespace: String,
    /// The room.
    pub room: RoomId,
    /// What the event would do.
    pub effect: Effect,
}

/// The answer to a [`FactsQuery`].
pub type FactsRead = Result<Facts, Fault>;

/// Which of the asked events stand in a log, each with its place; `None` if there is no such room.
pub type Places = Option<(Epoch, Vec<(EventId, Offset)>)>;

/// Part of a log, in order, from one snapshot.
#[derive(Debug, Clone)]
pub struct Slice {
    /// Where the log ends and begins.
    pub head: Head,
    /// The entries after the asked offset (or after what was trimmed), each with its offset and
    /// its encoded form.
    pub entries: Vec<(Offset, String)>,
    /// The log's mark just before the first entry of `entries`, where trimming moved the start.
    pub trimmed_mark: Option<Mark>,
}

/// A page of history, of one snapshot.
#[derive(Debug, Clone)]
pub struct Folds {
    /// Where the log ends and begins; the entries are folded as of its end.
    pub head: Head,
    /// The page holds all that is left of the offsets from here…
    pub from: Offset,
    /// … to here.
    pub to: Offset,
    /// How many entries that a person would count lie between the asked cursor and `from`.
    pub skipped: u64,
    /// The entries, in order; replacing and removing ones are folded into their targets.
    pub items: Vec<Folded>,
}

/// A register's place among those of a room: its owner, its namespace, its type.
pub type RegisterKey = (PersonId, String, String);

/// Registers of one room to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistersQuery {
    /// The room.
    pub room: RoomId,
    /// Whose; everyone's where it is absent.
    pub person: Option<PersonId>,
    /// Those behind this one.
    pub after: Option<RegisterKey>,
}

/// A part of a room's registers, in the order of their keys.
#[derive(Debug, Clone, Default)]
pub struct Registers {
    /// The values.
    pub values: Vec<LatestSet>,
    /// Where the next part goes on, if there may be one.
    pub rest: Option<RegisterKey>,
}

/// What became of a register's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// It stands now.
    Stored,
    /// A value of this rank stands, which is not lower; this one changes nothing.
    Stands(u64),
    /// There is no such room, it was deleted, or it is of another namespace.
    Refused(Code),
}

/// How a membership call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership {
    /// It is as asked, now or already.
    Done(RoomInfo),
    /// There is no such room, or it was deleted.
    NoRoom,
    /// The person is a member of as many rooms as one may be.
    TooMany,
    /// It is the person's inbox, or a room in which everyone is: that cannot be left.
    ForGood,
}

/// A person's inbox in a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbox {
    /// It is this room.
    Room(RoomInfo),
    /// It has not been made yet.
    None,
    /// Nobody of that id has ever come.
    NoPerson,
}
