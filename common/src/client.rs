//! The client's machine: an outbox that is emptied by verdicts alone, and cursors that apply each
//! entry once.
//!
//! # Driving it
//! 1. Load a [`Snapshot`] from the database and make a [`Client`].
//! 2. Feed what happens as an [`Input`] to [`Client::handle`], with the steady clock's time.
//! 3. Carry out the returned [`Output`]s in their order. A [`Output::Write`] is one transaction:
//!    strict if [`Batch::strict`], refused unless the stored generation is [`Batch::generation`].
//!    When it is committed, apply its writes to the view, then feed [`Input::Written`].
//!    At most one is under way.
//! 4. Ask [`Client::deadline`] and feed [`Input::Tick`] when that time has come.
//!
//! # How an event leaves
//! Its row is in the database before the client hears of it ([`Input::Added`]). When the link is up
//! and the window has room, the lane gives it the next number, writes the number strictly, and
//! only then transmits. From then on an ack or a rejection alone takes it out of the lane: either
//! is written before the lane's floor moves past it. A lost connection changes nothing but that
//! the welcome of the next one says which numbers have been decided; the others are sent again,
//! the same bytes under the same numbers.
//!
//! # How an entry arrives
//! The cursor judges it ([`Cursor::accept`](crate::cursor::Cursor::accept)); the next one is
//! written together with the cursor. Anything that does not follow ends the connection, and the
//! next hello asks from the stored cursor.

mod asks;
mod lanes;
mod link;
mod reading;
mod sending;
mod show;
mod store;

pub use asks::Command;
pub use show::{Link, Show};
pub use store::{Held, Key, LaneRow, LatestRow, Principal, Row, RowState, Snapshot, Write};

use crate::{
    backoff::Dice,
    codec,
    error::Code,
    frame::{ClientFrame, ServerFrame},
    id::{SessionId, WriterId},
    limits::{Limits, MOST_UNWRITTEN},
    time::Instant,
};

/// What happens to a client.
#[derive(Debug, Clone)]
pub enum Input {
    /// The driver is ready: connect.
    Start,
    /// A row was added to the outbox, by this tab or another one.
    Added(Row),
    /// The view, of this tab or another one, wants something.
    Command(Command),
    /// The batch was committed, or could not be.
    Written {
        /// The batch.
        token: u64,
        /// Whether it is in the database.
        result: Result<(), NotWritten>,
    },
    /// The socket is open.
    Opened,
    /// A frame came.
    Frame(String),
    /// The socket is closed, or could not be opened.
    Closed {
        /// The close code; 0 where there was none.
        code: u16,
    },
    /// A new writer id, as asked for by [`Output::WantWriter`].
    NewWriter(WriterId),
    /// The page came back to the foreground, or the network changed: is the other side there?
    Woke,
    /// The deadline has come.
    Tick,
}

/// Why a batch is not in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotWritten {
    /// Another tab has raised the generation: it leads now.
    #[error("another tab leads")]
    Fenced,
    /// The browser's quota is used up.
    #[error("the browser has no room left")]
    Full,
    /// The database failed or is gone.
    #[error("the browser's database failed")]
    Failed,
}

/// What the driver is to do.
#[derive(Debug, Clone)]
pub enum Output {
    /// Open a socket; an old one is given up.
    Connect,
    /// Send this text.
    Send(String),
    /// Close the socket with this code and expect nothing more from it.
    Close(u16),
    /// Commit this, then report [`Input::Written`].
    Write(Batch),
    /// Make a random writer id and report [`Input::NewWriter`].
    WantWriter,
    /// Show something that is not in the database.
    Show(Show),
}

/// One transaction.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Comes back in [`Input::Written`].
    pub token: u64,
    /// The transaction is refused unless this is the stored generation, before its own writes:
    /// another tab has raised it, and leads.
    pub generation: u64,
    /// Whether the commit has to reach the disk.
    pub strict: bool,
    /// The changes, in order.
    pub writes: Vec<Write>,
}

/// What is to happen once a batch is committed.
#[derive(Debug)]
enum After {
    /// The generation is on disk: connect with it.
    Connect,
    /// This lane's numbers up to this one are on disk: transmit. Higher ones are in a later batch.
    Numbered(crate::id::RoomId, u64),
    /// These numbers' verdicts are on disk: the floor may move.
    Settled(crate::id::RoomId, Vec<u64>),
}

/// The machine.
#[derive(Debug)]
pub struct Client {
    principal: Principal,
    session: SessionId,
    writer: WriterId,
    generation: u64,
    /// The generation in the database, as far as this tab has written it.
    stored_generation: u64,
    limits: Limits,
    dice: Dice,
    link: link::LinkMachine,
    lanes: lanes::Lanes,
    reading: reading::Reading,
    asks: asks::Asks,
    /// Writes that wait for the one under way.
    waiting: Vec<Write>,
    /// Bytes of the frames that came while they did.
    unwritten: usize,
    after: Vec<After>,
    under_way: Option<(u64, Vec<After>)>,
    tokens: u64,
    out: Vec<Output>,
}

impl Client {
    /// A client that goes on from `snapshot`. `session` is new for each run; `seed` is for jitter.
    #[must_use]
    pub fn new(snapshot: Snapshot, session: SessionId, seed: u64) -> Self {
        let Snapshot { principal, writer, generation, rows, lanes, cursors, latest } = snapshot;
        Self {
            principal,
            session,
            writer,
            generation,
            stored_generation: generation,
            limits: Limits::default(),
            dice: Dice::new(seed),
            link: link::LinkMachine::default(),
            lanes: lanes::Lanes::load(rows, &lanes),
            reading: reading::Reading::load(cursors),
            asks: asks::Asks::load(latest),
            waiting: Vec::new(),
            unwritten: 0,
            after: Vec::new(),
            under_way: None,
            tokens: 0,
            out: Vec::new(),
        }
    }

    /// Takes one input and says what is to be done.
    pub fn handle(&mut self, now: Instant, input: Input) -> Vec<Output> {
        match input {
            Input::Start => self.start(),
            Input::Added(row) => self.lanes.add(row),
            Input::Command(command) => self.command(now, command),
            Input::Written { token, result } => self.written(now, token, result),
            Input::Opened => self.opened(now),
            Input::Frame(text) => self.frame(now, &text),
            Input::Closed { code } => self.closed(now, code),
            Input::NewWriter(writer) => self.renew(writer),
            Input::Woke => self.woke(now),
            Input::Tick => {}
        }
        self.tick(now);
        self.pump(now);
        self.flush();
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due, if at all.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let link = self.link.deadline(&self.limits);
        [link, self.lanes.deadline(), self.asks.deadline()].into_iter().flatten().min()
    }

    /// How many events are in the outbox, queued or sent and without a verdict.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.lanes.pending()
    }

    fn frame(&mut self, now: Instant, text: &str) {
        if !self.link.hears() {
            return;
        }
        self.link.heard(now);
        let frame = match codec::read_server(text) {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(_) => return self.give_up(now, Code::BadFrame),
        };
        match frame {
            ServerFrame::Welcome(welcome) => self.welcome(now, welcome),
            ServerFrame::Away(away) => self.link.away(away.after),
            ServerFrame::Pong(_) => {}
            ServerFrame::Ack(ack) => self.acked(ack),
            ServerFrame::Reject(reject) => self.rejected(reject),
            ServerFrame::Retry(retry) => self.lanes.hold(now, &retry),
            ServerFrame::Settled(settled) => self.settled(settled),
            ServerFrame::Expected(expected) => self.lanes.expected(expected),
            ServerFrame::Rooms(rooms) => self.rooms(rooms),
            ServerFrame::Entries(entries) => self.entries(now, entries),
            ServerFrame::Page(page) => self.page(page),
            ServerFrame::Gap(gap) => self.gap(gap),
            ServerFrame::Reset(reset) => self.reset(reset),
            ServerFrame::Live(live) => self.live(live),
            ServerFrame::Joined(joined) => self.joined(joined),
            ServerFrame::Left(left) => self.left(left),
            ServerFrame::Found(found) => self.found(found),
            ServerFrame::Refused(refused) => self.refused(now, refused),
            ServerFrame::Stored(stored) => self.stored(now, stored),
            ServerFrame::Latest(value) => self.waiting.push(Write::Register(value)),
            ServerFrame::Signal(signal) => self.out.push(Output::Show(Show::Signal(signal))),
            ServerFrame::Presence(who) => self.out.push(Output::Show(Show::Presence(who))),
        }
        if self.under_way.is_some() {
            self.unwritten += text.len();
            if self.unwritten > MOST_UNWRITTEN {
                self.give_up(now, Code::Overloaded);
            }
        }
    }

    fn send(&mut self, frame: &ClientFrame) {
        self.out.push(Output::Send(codec::write_client(frame)));
    }

    /// Hands over what waits as one transaction, once the one before has ended.
    fn flush(&mut self) {
        if self.under_way.is_some() || self.waiting.is_empty() {
            return;
        }
        self.tokens += 1;
        self.unwritten = 0;
        let writes = std::mem::take(&mut self.waiting);
        self.under_way = Some((self.tokens, std::mem::take(&mut self.after)));
        self.out.push(Output::Write(Batch {
            token: self.tokens,
            generation: self.stored_generation,
            strict: writes.iter().any(Write::strict),
            writes,
        }));
        self.stored_generation = self.generation;
    }

    fn written(&mut self, now: Instant, token: u64, result: Result<(), NotWritten>) {
        let Some((under_way, after)) = self.under_way.take() else {
            return;
        };
        if under_way != token {
            self.under_way = Some((under_way, after));
            return;
        }
        if let Err(why) = result {
            return self.store_failed(why);
        }
        for then in after {
            match then {
                After::Connect => self.connect(now),
                After::Numbered(room, last) => self.lanes.numbered(room, last),
                After::Settled(room, numbers) => self.lanes.forget(room, &numbers),
            }
        }
    }

    /// What is in memory is ahead of the database and can no longer catch up. The client stops, so
    /// that nothing leaves which a crash would forget; a fresh one starts from the database.
    fn store_failed(&mut self, why: NotWritten) {
        self.waiting.clear();
        self.after.clear();
        if self.link.hears() {
            self.out.push(Output::Close(1000));
        }
        self.link.store_failed(why);
        self.show_link();
    }
}

#[cfg(test)]
mod tests;
