//! The server's machine for one connection: greets, keeps lanes in order, and tells each room's
//! log from where the client stands.
//!
//! # Driving it
//! 1. Make a [`Session`] when the upgrade is done and feed what happens to [`Session::handle`].
//! 2. Carry out the [`Output`]s in order. Those that ask the engine or the hub for something are
//!    answered by the input that their doc names. [`Output::Emit`]s must reach the engine in order.
//! 3. When everything to be sent is on its way, feed [`Input::Flushed`]: only then is more of a log
//!    read, so a slow reader costs a cursor and not a buffer.
//! 4. Take no further frame from the socket while [`Session::full`].
//! 5. Let what waits in the hub wait there unless [`Session::listens`].
//! 6. Ask [`Session::deadline`] and feed [`Input::Tick`] when that time has come.
//!
//! # Live and replay are one
//! For each room the session keeps the offset it has `sent`. A live entry that is `sent + 1` is
//! passed on; a lower one is dropped; anything else sends the room back to reading the log from
//! `sent`, in short reads. That is the whole rule.

mod anew;
mod following;
mod greeting;
mod io;
mod lanes;
mod requests;

pub use io::{Emitting, Input, Output};

use crate::{
    codec,
    error::Code,
    frame::{Author, Away, ClientFrame, Hello, JoinRoom, LeaveRoom, ServerFrame},
    id::{ConnectionId, PersonId, RoomId, WriterId},
    limits::Limits,
    time::{Instant, Millis},
};
use std::{collections::BTreeMap, sync::Arc};

/// How long a lane waits after a fault of the storage.
const FAULT_WAIT: Millis = Millis(1_000);

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    /// Waiting for the hello's last frame.
    Hello,
    Greeting,
    Ready,
    Closed,
}

/// The server, as far as its sessions have to know it.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// Told in the welcome.
    pub version: &'static str,
    /// Namespaces with registers that all in a room are told: who comes is told those that stand.
    pub telling: Vec<&'static str>,
}

/// The machine.
#[derive(Debug)]
pub struct Session<B> {
    limits: Limits,
    connection: ConnectionId,
    server: Arc<Server>,
    phase: Phase,
    opened: Instant,
    heard: Instant,
    /// When it was, if nothing was heard since.
    pinged: Option<Instant>,
    hello: Option<Box<Hello>>,
    me: Option<Me>,
    rooms: BTreeMap<RoomId, following::Following>,
    reads: following::Reads,
    lanes: lanes::Lanes,
    signals: lanes::Bucket,
    requests: usize,
    /// Registers that the engine has not answered.
    registers: u32,
    draining: bool,
    out: Vec<Output<B>>,
}

/// Who the connection is, once greeted.
#[derive(Debug)]
struct Me {
    author: Author,
    writer: WriterId,
    generation: u64,
}

impl<B> Session<B> {
    /// A session of a connection that has just opened.
    #[must_use]
    pub fn new(
        now: Instant,
        connection: ConnectionId,
        limits: Limits,
        server: Arc<Server>,
    ) -> Self {
        Self {
            lanes: lanes::Lanes::new(now, limits.emits_per_second),
            signals: lanes::Bucket::new(now, limits.signals_per_second),
            limits,
            connection,
            server,
            phase: Phase::Hello,
            opened: now,
            heard: now,
            pinged: None,
            hello: None,
            me: None,
            rooms: BTreeMap::new(),
            reads: following::Reads::default(),
            requests: 0,
            registers: 0,
            draining: false,
            out: Vec::new(),
        }
    }

    /// Takes one input and says what is to be done.
    pub fn handle(&mut self, now: Instant, input: Input<'_, B>) -> Vec<Output<B>> {
        if self.phase == Phase::Closed {
            return Vec::new();
        }
        match input {
            Input::Frame(bytes) => self.frame(now, bytes),
            Input::Heard => self.heard(now),
            Input::Greeted { now, result } => self.greeted(now, result),
            Input::Appended { room, n, appended } => self.appended(room, n, appended),
            Input::Sliced { room, after, result } => self.sliced(room, after, result),
            Input::Paged { req, room, result } => self.paged(req, room, result),
            Input::Found { req, room, result } => self.found(req, room, result),
            Input::Membership { req, room, join, result } => {
                self.membership(req, room, join, result);
            }
            Input::Stored { room, kind, about, result } => {
                self.registers = self.registers.saturating_sub(1);
                self.stored(room, kind, about, result);
            }
            Input::Live { room, offset, bytes } => self.live(room, offset, bytes),
            Input::Head { room, offset } => self.head(room, offset),
            Input::Note(note) => self.note(note),
            Input::Directory(result) => self.directory(result),
            Input::Registers { query, result } => self.registers(query, result),
            Input::Pass(bytes) => {
                if self.phase == Phase::Ready {
                    self.out.push(Output::Pass(bytes));
                }
            }
            Input::Member(info) => self.member(&info),
            Input::NotMember(room) => self.ended(room),
            Input::Flushed => self.reads.flushed = true,
            Input::TakenOver => self.close(Code::TakenOver),
            Input::Drain(after) => self.drain(after),
            Input::Tick => self.tick(now),
        }
        self.read_on();
        self.drained();
        std::mem::take(&mut self.out)
    }

    /// Whether no further frame may be taken from the socket now: as many emits and registers as
    /// the window allows are under way.
    #[must_use]
    pub fn full(&self) -> bool {
        let under_way = self.lanes.under_way.saturating_add(self.registers);
        under_way >= self.limits.window || self.phase == Phase::Greeting
    }

    /// Whether what waits in the hub may be fed in. During the greeting it may be missing from the
    /// answer, and its place is behind that: it waits in the hub's queue, which has a bound.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.phase != Phase::Greeting
    }

    /// Whether more of a hello is to come. What it takes until the greeting has been told is more than
    /// that of others, so a driver may let those who say one take turns.
    #[must_use]
    pub fn continues(&self) -> bool {
        self.phase == Phase::Hello && self.hello.is_some()
    }

    /// Whether nothing follows.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Closed => None,
            Phase::Hello => Some(self.opened + self.limits.hello),
            Phase::Greeting | Phase::Ready => Some(self.limits.answer_due(self.heard, self.pinged)),
        }
    }

    /// Who the connection is, once greeted.
    #[must_use]
    pub fn person(&self) -> Option<PersonId> {
        self.me.as_ref().map(|me| me.author.id)
    }

    fn frame(&mut self, now: Instant, bytes: &[u8]) {
        self.heard(now);
        if bytes.len() > self.limits.frame_bytes() {
            return self.close(Code::FrameTooLarge);
        }
        let Ok(incoming) = codec::read_client(bytes) else {
            return self.close(Code::BadFrame);
        };
        let payload = incoming.payload;
        match (&self.phase, incoming.frame) {
            (Phase::Hello, ClientFrame::Hello(hello)) => self.hello(hello),
            (Phase::Ready, ClientFrame::Emit(emit)) => self.emit(now, emit, payload),
            (Phase::Ready, ClientFrame::Signal(signal)) => self.signal(now, signal, payload),
            (Phase::Ready, ClientFrame::Latest(latest)) => self.latest(now, latest, payload),
            (Phase::Ready, ClientFrame::Join(join)) => {
                let JoinRoom { req, room } = join;
                self.request(now, req, || Output::Join { req, room });
            }
            (Phase::Ready, ClientFrame::Leave(leave)) => {
                let LeaveRoom { req, room } = leave;
                self.request(now, req, || Output::Leave { req, room });
            }
            (Phase::Ready, ClientFrame::History(history)) => self.history(now, history),
            (Phase::Ready, ClientFrame::Ask(ask)) => self.find(now, ask),
            (Phase::Ready, ClientFrame::Ping(ping)) => self.send(&ServerFrame::Pong(ping)),
            _ => self.close(Code::BadFrame),
        }
    }

    fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    fn tick(&mut self, now: Instant) {
        if self.phase == Phase::Hello {
            if now >= self.opened + self.limits.hello {
                self.close(Code::HelloTimeout);
            }
        } else if self.full() {
            // Nothing is taken from the socket, so its silence says nothing.
            self.heard(now);
        } else if now >= self.limits.answer_due(self.heard, self.pinged) {
            if self.pinged.is_some() {
                return self.close(Code::Silent);
            }
            self.pinged = Some(now);
            self.out.push(Output::Ping);
        }
    }

    fn drain(&mut self, after: Millis) {
        self.draining = true;
        self.send(&ServerFrame::Away(Away { after }));
    }

    /// A draining connection ends when every emit it has taken has its verdict on the way.
    fn drained(&mut self) {
        if self.draining && self.lanes.under_way == 0 && self.phase != Phase::Closed {
            self.close(Code::GoingAway);
        }
    }

    fn send(&mut self, frame: &ServerFrame) {
        self.out.push(Output::Send(codec::write_server(frame)));
    }

    fn close(&mut self, code: Code) {
        if self.phase != Phase::Closed {
            self.phase = Phase::Closed;
            self.out.push(Output::Close(code));
        }
    }
}

#[cfg(test)]
mod tests;
