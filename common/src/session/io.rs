//! What goes into a session and comes out.

use crate::{
    cursor::Offset,
    error::Code,
    fanout::{Note, Run},
    frame::{Author, Emit, Hello, Request, RoomInfo, SetLatest, Signal},
    id::{EventId, RoomId, WriterId},
    storage::{
        Appended, Fault, Folds, Greeted, Membership, Places, Registers, RegistersQuery, Slice,
    },
    time::{Millis, Timestamp},
};

/// What happens to a connection. `B` is an encoded frame that many connections share.
#[derive(Debug)]
pub enum Input<'a, B> {
    /// A text or binary message came.
    Frame(&'a [u8]),
    /// Something else came: the client is there.
    Heard,
    /// The answer to [`Output::Greet`].
    Greeted {
        /// The wall clock, for the welcome.
        now: Timestamp,
        /// The engine's answer.
        result: Result<Greeted, Fault>,
    },
    /// The answer to [`Output::Emit`].
    Appended {
        /// The lane's room.
        room: RoomId,
        /// The number.
        n: u64,
        /// What became of it.
        appended: Appended,
    },
    /// The answer to [`Output::Slice`]; `None` where the room is gone.
    Sliced {
        /// The room.
        room: RoomId,
        /// As asked.
        after: Offset,
        /// The engine's answer.
        result: Result<Option<Slice>, Fault>,
    },
    /// The answer to [`Output::Page`].
    Paged {
        /// As asked.
        req: Option<Request>,
        /// The room.
        room: RoomId,
        /// The engine's answer.
        result: Result<Option<Folds>, Fault>,
    },
    /// The answer to [`Output::Find`].
    Found {
        /// As asked.
        req: Request,
        /// The room.
        room: RoomId,
        /// The engine's answer.
        result: Result<Places, Fault>,
    },
    /// The answer to [`Output::Join`] and [`Output::Leave`].
    Membership {
        /// As asked.
        req: Request,
        /// The room.
        room: RoomId,
        /// Whether it was a join.
        join: bool,
        /// The engine's answer.
        result: Result<Membership, Fault>,
    },
    /// The answer to [`Output::Latest`]: the rank that stands, or why it was not taken.
    Stored {
        /// The room.
        room: RoomId,
        /// The type.
        kind: String,
        /// The rank that it was about, where that is known.
        about: Option<u64>,
        /// The rank, or the code.
        result: Result<u64, Code>,
    },
    /// An entry has become durable; its frame.
    Live {
        /// The room.
        room: RoomId,
        /// Its place.
        offset: Offset,
        /// The entries frame that holds it.
        bytes: B,
    },
    /// The answer to [`Output::Follow`]: how far the log was published before. The log may have been
    /// read before that, for the greeting or the join, and what came between does not come live.
    /// Later: how far it goes at least, where not all of it came live.
    Head {
        /// The room.
        room: RoomId,
        /// The last offset that is known there; 0 where none is.
        offset: Offset,
    },
    /// Something was dropped for want of room in the queue.
    Note(Note),
    /// The answer to [`Output::Directory`].
    Directory(Result<Vec<RoomInfo>, Fault>),
    /// The answer to [`Output::Registers`].
    Registers {
        /// As asked.
        query: RegistersQuery,
        /// The engine's answer, without what is not this connection's to know.
        result: Result<Registers, Fault>,
    },
    /// A frame of the hub's, to be passed on: volatile, or about a room or a register.
    Pass(B),
    /// The person has become a member of a room, by another connection or by the server.
    Member(RoomInfo),
    /// The person's membership has ended, in the same ways.
    NotMember(RoomId),
    /// Everything put out so far is on its way.
    Flushed,
    /// A newer connection of the same session is there.
    TakenOver,
    /// The server shuts down; clients come back after this time.
    Drain(Millis),
    /// The deadline has come.
    Tick,
}

/// What the driver is to do.
#[derive(Debug)]
pub enum Output<B> {
    /// Send this frame.
    Send(String),
    /// Send this shared frame.
    Pass(B),
    /// Send a WebSocket ping: a browser answers it by itself, even in a hidden tab.
    Ping,
    /// Close with this code; nothing follows.
    Close(Code),
    /// Greet this hello at the engine. From before it is asked, changes of the person's memberships
    /// are fed in: those that the answer misses.
    Greet(Box<Hello>),
    /// The connection is this person's. Of two of one session the older one is taken over.
    Register {
        /// Whose it is.
        person: Author,
        /// The client's run, and which of its connections this is.
        run: Run,
    },
    /// Send the room's live entries from now on. Comes before the room's log is read, which waits
    /// for the answer: [`Input::Head`].
    Follow(RoomId),
    /// No longer.
    Unfollow(RoomId),
    /// Parse, decide and append.
    Emit(Box<Emitting>),
    /// Check the payload with the handler and pass it to the room.
    Signal {
        /// The head.
        signal: Signal,
        /// Unread.
        payload: Vec<u8>,
    },
    /// Store a register's value and tell those it reaches.
    Latest {
        /// The head.
        latest: SetLatest,
        /// Unread.
        payload: Vec<u8>,
    },
    /// Read a part of the log: at most [`SLICE_ENTRIES`](crate::limits::SLICE_ENTRIES) entries and [`SLICE_BYTES`](crate::limits::SLICE_BYTES).
    Slice {
        /// The room.
        room: RoomId,
        /// From behind this.
        after: Offset,
    },
    /// Send who is in the room, all of them.
    Presence(RoomId),
    /// Read the rooms as a greeting lists them.
    Directory,
    /// Read a part of a room's registers, bounded as [`Output::Slice`] is. Of other people's only
    /// those are told that everyone in the room is told.
    Registers(RegistersQuery),
    /// Read a page of history, of at most [`PAGE_BYTES`](crate::limits::PAGE_BYTES).
    Page {
        /// The client's request; `None` for a page in place of a replay.
        req: Option<Request>,
        /// The room.
        room: RoomId,
        /// Entries below it.
        before: Option<Offset>,
        /// At most.
        limit: u32,
        /// Where the reader stands.
        since: Option<Offset>,
    },
    /// Look events up in a log.
    Find {
        /// The request.
        req: Request,
        /// The room.
        room: RoomId,
        /// The events.
        ids: Vec<EventId>,
    },
    /// Make the person a member.
    Join {
        /// The request.
        req: Request,
        /// The room.
        room: RoomId,
    },
    /// End the membership.
    Leave {
        /// The request.
        req: Request,
        /// The room.
        room: RoomId,
    },
}

/// A durable event on its way to the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitting {
    /// The head.
    pub emit: Emit,
    /// Unread.
    pub payload: Vec<u8>,
    /// The writer.
    pub writer: WriterId,
    /// The connection's generation.
    pub generation: u64,
    /// Who writes.
    pub author: Author,
    /// Set where the frame alone condemns it: no rule is asked, but its number is consumed.
    pub condemned: Option<Code>,
}
