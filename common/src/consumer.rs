//! The server's machine for one connection of `holdfast-work.v1`: pushes jobs for as much credit as
//! there is, answers each request once, and shows people what moves in a queue.
//!
//! It keeps nothing for who comes back: a lease is held by its token, over whatever connection that
//! is shown, and what a connection was told of ends by its holder's word or by the store's clock.
//!
//! # Driving it
//! 1. Make a [`Consumer`] when the upgrade is done and feed what happens to [`Consumer::handle`].
//! 2. Carry out the [`Output`]s in order. Each that asks for something is answered once, by the input that its
//!    doc names. An [`Output::Follow`] is in force before what follows it is read.
//! 3. When everything to be sent is on its way, feed [`Input::Flushed`]: only then are more jobs
//!    asked for and changes read.
//! 4. Take no further frame from the socket while [`Consumer::full`].
//! 5. Ask [`Consumer::deadline`] and feed [`Input::Tick`] when that time has come.
//! 6. After a close feed [`Input::Flushed`] if everything up to it is on its way.
//! 7. When the socket has ended feed [`Input::Gone`], and go on feeding the answers of claims: what
//!    nobody was told of is handed back.
//!
//! # Bounds
//! | what | bound | past it |
//! |---|---|---|
//! | requests under way | [`OPEN_REQUESTS`] | no frame is taken; one that is fed closes |
//! | subscriptions to jobs, and to boards | [`SUBSCRIPTIONS`] each | closes |
//! | boards of one queue | 1 | one more is refused |
//! | credit of a subscription | [`CREDIT`] | is taken as that |
//! | jobs asked for of it, and not there yet | [`PUSHED`] | the credit waits here |
//! | jobs of which the client was told, and that are not on their way yet | [`PUSHED`] a subscription, [`OPEN_REQUESTS`] | |
//! | jobs of which it is known that they are held | [`HELD`] | nobody is told that they are lost |
//! | jobs that are read at once, of those that are held | [`CHANGES`] | the others are read after them, and after a [pause](EVERY) |
//! | pages that are read, or not on their way yet | 1 | the others are read after it |
//! | changed jobs of a board that wait to be shown | [`CHANGES`] | the board is read anew |
//! | figures of a board | 1 | the newest |

mod asks;
mod ends;
mod holding;
mod io;
mod pushing;
mod refusal;
mod shown;
mod watching;

pub use crate::storage::jobs::QueueName;
pub use io::{BoardRead, BroughtIds, Decided, HeldRead, Input, JobsRead, Output, PlaceRead};
pub use refusal::Refusal;

use crate::{
    codec,
    error::Code,
    frame::{
        Author,
        work::{Away, Hello, Request, Sub, Welcome, WorkClient, WorkLimits, WorkServer},
    },
    id::{ConnectionId, JobId, PersonId},
    job::{
        Holder, Place, Token,
        limits::{CREDIT, LABEL_BYTES, RESULT_BYTES, SUBSCRIPTIONS},
    },
    limits::{Limits, OPEN_REQUESTS, SECRET_BYTES},
    planted::{Planted, planted},
    text,
    time::{Instant, Millis, Timestamp},
};
use asks::Asked;
use holding::{Doubts, Held};
use pushing::Subscription;
use std::{collections::BTreeMap, sync::Arc};
use watching::{Pages, Watching};

/// Jobs that are asked for at once for one subscription, whatever its credit: so many, of the
/// largest payloads, may wait for a client that does not read.
pub const PUSHED: u32 = 16;

/// Jobs of one connection of which it is known that somebody has them.
pub const HELD: usize = 10_000;

/// Changed jobs that wait to be shown at a board.
pub const CHANGES: usize = 256;

/// Jobs of one place on a board, and of a page.
pub const PAGE_JOBS: u32 = 50;

/// The places that a board shows from the first. The cancelled ones are shown when they are asked for.
pub const PLACES: [Place; 6] =
    [Place::Ready, Place::Delayed, Place::Behind, Place::Leased, Place::Done, Place::Dead];

/// How often a board's changes are read at most, and jobs that are held.
pub const EVERY: Millis = Millis(100);

/// How long such reads wait after one that failed.
pub const AGAIN: Millis = Millis(1_000);

#[derive(Debug, PartialEq, Eq)]
enum Phase {
    Hello,
    Greeting,
    Ready,
    Closed,
}

/// The machine.
#[derive(Debug)]
pub struct Consumer {
    limits: Limits,
    connection: ConnectionId,
    server: &'static str,
    phase: Phase,
    opened: Instant,
    heard: Instant,
    /// When it was, if nothing was heard since.
    pinged: Option<Instant>,
    me: Holder,
    /// Who writes what its ends bring.
    author: Author,
    /// Subscriptions are named from 1.
    named: Sub,
    open: BTreeMap<Request, Asked>,
    subs: BTreeMap<Sub, Subscription>,
    watches: BTreeMap<Sub, Watching>,
    held: BTreeMap<JobId, Held>,
    doubts: Doubts,
    /// The newest change that was heard of, or missed.
    newest: u64,
    /// Jobs that the client was told of, and what tells of them is not on its way yet.
    unsent: Vec<(JobId, Token)>,
    /// The queues that are followed, and for how many reasons.
    followed: BTreeMap<Arc<QueueName>, usize>,
    /// Pages that were asked for.
    pages: Pages,
    flushed: bool,
    draining: bool,
    out: Vec<Output>,
}

impl Consumer {
    /// A machine for a connection that has just opened. `server` is the version that it is told.
    #[must_use]
    pub const fn new(
        now: Instant,
        connection: ConnectionId,
        limits: Limits,
        server: &'static str,
    ) -> Self {
        Self {
            limits,
            connection,
            server,
            phase: Phase::Hello,
            opened: now,
            heard: now,
            pinged: None,
            me: Holder { consumer: String::new(), person: None },
            author: Author { id: PersonId::NIL, name: String::new() },
            named: 0,
            open: BTreeMap::new(),
            subs: BTreeMap::new(),
            watches: BTreeMap::new(),
            held: BTreeMap::new(),
            doubts: Doubts::new(),
            newest: 0,
            unsent: Vec::new(),
            followed: BTreeMap::new(),
            pages: Pages::new(),
            flushed: true,
            draining: false,
            out: Vec::new(),
        }
    }

    /// Takes one input and says what is to be done, in this order.
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Vec<Output> {
        if self.phase == Phase::Closed {
            self.too_late(input);
            return std::mem::take(&mut self.out);
        }
        match input {
            Input::Frame(bytes) => self.frame(now, bytes),
            Input::Heard => self.heard(now),
            Input::Greeted { now, result } => self.greeted(now, result),
            Input::Consuming { sub, result } => self.consuming(sub, result),
            Input::Leased { sub, version, jobs } => self.pushed(sub, version, jobs),
            Input::Enqueued { req, result } => self.enqueued(req, result),
            Input::Taken { req, moves, result } => self.taken(req, moves, result),
            Input::Ended { req, version, ids, result } => self.ended(req, version, ids, result),
            Input::Extended { req, result } => self.extended(req, result),
            Input::Governed { req, result } => self.governed(req, result),
            Input::Board { sub, result } => self.board(now, sub, result),
            Input::Jobs { sub, result } => self.jobs(now, sub, result),
            Input::Held(result) => self.looked(now, result),
            Input::Page { req, result } => self.page(req, result),
            Input::Moves(moves) => self.moves(moves),
            Input::Missed(version) => self.missed(version),
            Input::Figures { queue, rates, oldest } => self.figures(queue, rates, oldest),
            Input::Flushed => self.flushed(),
            Input::Drain(after) => self.drain(after),
            Input::Gone => {
                self.end();
                self.hand_back_unsent();
            }
            Input::Tick => self.tick(now),
        }
        self.push();
        self.turn();
        self.look(now);
        self.show(now);
        if self.draining && self.open.is_empty() {
            self.close(Code::GoingAway);
        }
        std::mem::take(&mut self.out)
    }

    /// Whether no further frame may be taken from the socket now.
    #[must_use]
    pub fn full(&self) -> bool {
        self.open.len() >= OPEN_REQUESTS || self.phase == Phase::Greeting
    }

    /// Whether nothing follows but [`Output::HandBack`].
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// Whose name its jobs are held in, once greeted.
    #[must_use]
    pub fn holder(&self) -> Option<&Holder> {
        (self.phase == Phase::Ready).then_some(&self.me)
    }

    /// When [`Input::Tick`] is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Closed => None,
            Phase::Hello => Some(self.opened + self.limits.hello),
            Phase::Greeting | Phase::Ready => {
                let beat = self.limits.answer_due(self.heard, self.pinged);
                let reads = self.shows().into_iter().chain(self.looks());
                Some(reads.fold(beat, Instant::min))
            }
        }
    }

    fn frame(&mut self, now: Instant, bytes: &[u8]) {
        self.heard(now);
        if bytes.len() > self.limits.frame_bytes() {
            return self.close(Code::FrameTooLarge);
        }
        let Ok(incoming) = codec::work::read_client(bytes) else {
            return self.close(Code::BadFrame);
        };
        match (&self.phase, &incoming.frame) {
            (Phase::Hello, WorkClient::Hello(hello)) => self.hello(hello.clone()),
            (Phase::Ready, WorkClient::Ping(ping)) => self.send(&WorkServer::Pong(*ping)),
            (Phase::Ready, WorkClient::Credit(credit)) => self.credit(credit.sub, credit.n),
            (Phase::Ready, _) => self.request(incoming),
            _ => self.close(Code::BadFrame),
        }
    }

    /// A name is a label, so what does not belong in one is left out instead of being refused.
    fn hello(&mut self, hello: Hello) {
        let Hello { person, secret, name } = hello;
        let plain = name.chars().filter(|it| !it.is_control() && !text::steers(*it));
        let plain: String = plain.collect();
        let mut name: String = plain.trim().chars().take(self.limits.name_chars as usize).collect();
        name.truncate(name.floor_char_boundary(*LABEL_BYTES.end()));
        let proved = match &secret {
            Some(secret) => person.is_some() && SECRET_BYTES.contains(&secret.len()),
            None => person.is_none(),
        };
        if name.is_empty() || !proved {
            return self.close(Code::BadFrame);
        }
        self.phase = Phase::Greeting;
        self.me = Holder { consumer: name.clone(), person };
        self.out.push(Output::Greet(Hello { person, secret, name }));
    }

    fn greeted(&mut self, now: Timestamp, result: Result<Option<String>, Code>) {
        if self.phase != Phase::Greeting {
            return;
        }
        let called = match result {
            Ok(called) => called,
            Err(code) => return self.close(code),
        };
        self.phase = Phase::Ready;
        let name = called.unwrap_or_else(|| self.me.consumer.clone());
        self.author = self.me.person.map_or_else(Author::service, |id| Author { id, name });
        self.send(&WorkServer::Welcome(Welcome {
            connection: self.connection,
            server: self.server.to_owned(),
            now,
            limits: stated(&self.limits),
        }));
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

    /// Nothing more is pushed. Who holds a job ends it here while there is time, or over the next
    /// connection.
    fn drain(&mut self, after: Millis) {
        if !self.draining {
            self.draining = true;
            self.send(&WorkServer::Away(Away { after }));
            self.unsubscribe_all();
        }
    }

    fn send(&mut self, frame: &WorkServer) {
        self.flushed = false;
        self.out.push(Output::Send(codec::work::write_server(frame)));
    }

    fn flushed(&mut self) {
        self.flushed = true;
        if !planted(Planted::ToldHandedBack) {
            self.unsent.clear();
        }
    }

    fn close(&mut self, code: Code) {
        if self.phase != Phase::Closed {
            self.end();
            self.out.push(Output::Close(code));
        }
    }

    /// Forgets all but what is needed to hand back what nobody will be told of.
    fn end(&mut self) {
        self.phase = Phase::Closed;
        self.unsubscribe_all();
        for queue in std::mem::take(&mut self.followed).into_keys() {
            self.out.push(Output::Unfollow(queue));
        }
        self.open.clear();
        self.watches.clear();
        self.held.clear();
        self.doubts = Doubts::new();
        self.pages = Pages::new();
    }
}

/// What the welcome says of the limits.
fn stated(limits: &Limits) -> WorkLimits {
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    WorkLimits {
        payload_bytes: limits.payload_bytes,
        result_bytes: number(RESULT_BYTES),
        requests: number(OPEN_REQUESTS),
        subscriptions: number(SUBSCRIPTIONS),
        credit: CREDIT,
        ping_every: limits.ping_every,
        silence: limits.silence,
    }
}

#[cfg(test)]
mod tests;
