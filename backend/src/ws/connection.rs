//! One connection: one task, one loop, driving a [`Session`].
//!
//! The loop carries out what the session asks for, takes in everything else that is ready, writes
//! all that came of it at once, and only then waits.

use super::{
    ROUNDS,
    lanes::{Lanes, Numbered, Step},
    turn::Turn,
    wire::{Ended, Socket, Wire},
};
use crate::{
    app::Shared,
    hub::{Frame, Seat},
    walk::{self, Known, Ready},
};
use axum::extract::ws::Message;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use holdfast_common::{
    fanout::Item,
    frame::Author,
    id::{ConnectionId, RoomId},
    session::{Input, Output, Session},
    storage::{Appended, Fault},
};
use std::{collections::VecDeque, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::coop::consume_budget,
    time::{Sleep, sleep_until},
};

/// What something that was under way has come to.
pub(super) enum Done {
    /// The session is told.
    Input(Box<Input<'static, Frame>>),
    /// The answer comes by the hub.
    ByHub,
    /// An emit was decided.
    Decided(Numbered, Result<Box<Ready>, Fault>),
    /// The engine has answered an append.
    Appended(RoomId, u64, Box<Appended>),
}

/// One turn of the loop's waiting.
enum Woken {
    Message(Result<Message, Ended>),
    Called,
    Done(Done),
    Turn(Option<Turn>),
    Drain,
    Deadline,
}

pub(super) struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) session: Session<Frame>,
    pub(super) seat: Seat,
    /// Who it is, once greeted.
    pub(super) author: Option<Author>,
    pub(super) lanes: Lanes,
    /// What its last plain event was judged by.
    known: Option<Known>,
    /// Pages and places that were asked for and wait for the one before to be told. Each is read when
    /// what came of the last has left: who asks and does not read has one answer in memory, not all.
    /// There are as many as requests may be open.
    pub(super) asks: VecDeque<Output<Frame>>,
    /// One of them is being read.
    asking: bool,
    /// Its turn to say a long hello, until what came of that has left.
    turn: Option<Turn>,
    /// How far the list of rooms had come when the greeting began to be read.
    pub(super) directory: u64,
    /// What was asked of the engine and is not answered yet.
    pub(super) under_way: FuturesUnordered<BoxFuture<'static, Done>>,
    /// What the session wants done, in order. Empty while the loop waits.
    pub(super) outputs: VecDeque<Output<Frame>>,
    draining: watch::Receiver<bool>,
    deadline: Pin<Box<Sleep>>,
}

/// Serves one connection until it is over.
pub(crate) async fn run<S: Socket>(socket: S, shared: Arc<Shared>, id: ConnectionId) {
    let limits = shared.limits.clone();
    let mut wire = Wire::new(socket, Duration::from_millis(limits.silence.0));
    let now = shared.clock.now();
    let mut connection = Connection {
        session: Session::new(now, id, limits, Arc::clone(&shared.server)),
        seat: shared.hub.connect(id),
        author: None,
        lanes: Lanes::default(),
        known: None,
        asks: VecDeque::new(),
        asking: false,
        turn: None,
        directory: 0,
        under_way: FuturesUnordered::new(),
        outputs: VecDeque::new(),
        draining: shared.draining.subscribe(),
        deadline: Box::pin(sleep_until(shared.clock.at(now))),
        shared,
    };
    if *connection.draining.borrow_and_update() {
        connection.drain();
    }
    let ended = loop {
        if let Err(ended) = connection.settle(&mut wire).await {
            break ended;
        }
        // Hundreds of small frames come by one read; the others' turn comes between them too.
        consume_budget().await;
        let mut woken = connection.wait(&mut wire).await;
        let greeted = connection.session.person().is_some();
        if matches!(woken, Woken::Deadline)
            && greeted
            && !connection.session.full()
            && let Some(message) = wire.arrived()
        {
            woken = Woken::Message(message);
        }
        if let Err(ended) = connection.take(woken) {
            break ended;
        }
    };
    tracing::debug!(%id, ?ended, "a connection is over");
    // Its place in the hub is given up before the close is said: that may take a while, and the
    // room should not see somebody who is gone. The shutdown waits for both.
    let alive = connection.draining.clone();
    drop(connection);
    wire.end(ended).await;
    drop(alive);
}

impl Connection {
    /// Carries out all that is wanted and all that becomes of it, and writes it out.
    async fn settle<S: Socket>(&mut self, wire: &mut Wire<S>) -> Result<(), Ended> {
        for round in 0.. {
            while let Some(output) = self.outputs.pop_front() {
                self.carry_out(output, wire).await?;
            }
            if round < ROUNDS && self.take_ready() {
                continue;
            }
            wire.flush().await?;
            if wire.taken() {
                self.feed(Input::Heard);
            }
            self.feed(Input::Flushed);
            self.ask_next();
            if self.turn.is_some() && self.session.listens() && !self.session.continues() {
                self.turn = None;
            }
            if self.outputs.is_empty() {
                break;
            }
        }
        // What a burst has made of it is given back.
        self.outputs = VecDeque::new();
        Ok(())
    }

    /// Takes in what is ready already; returns whether there was anything.
    fn take_ready(&mut self) -> bool {
        let mut any = false;
        while let Some(Some(done)) = self.under_way.next().now_or_never() {
            self.done(done);
            any = true;
        }
        if self.session.listens() && self.seat.called().now_or_never().is_some() {
            self.take_items();
            any = true;
        }
        any
    }

    async fn wait<S: Socket>(&mut self, wire: &mut Wire<S>) -> Woken {
        if let Some(due) = self.session.deadline() {
            let due = self.shared.clock.at(due);
            if due != self.deadline.deadline() {
                self.deadline.as_mut().reset(due);
            }
        }
        let (full, listens) = (self.session.full(), self.session.listens());
        // The rest of a long hello waits for its turn in the system's buffers.
        let continues = self.session.continues();
        let turnless = self.turn.is_none() && continues;
        let turns = Arc::clone(&self.shared.long_hellos);
        let until = self.turn.as_ref().filter(|_| continues).map(Turn::until);
        let message = Turn::in_time(until, wire.next());
        tokio::select! {
            turn = turns.acquire_owned(), if turnless => Woken::Turn(turn.ok().map(Turn::new)),
            message = message, if !full && !turnless => Woken::Message(message),
            () = self.seat.called(), if listens => Woken::Called,
            Some(done) = self.under_way.next(), if !self.under_way.is_empty() => Woken::Done(done),
            _ = self.draining.changed() => Woken::Drain,
            () = &mut self.deadline => Woken::Deadline,
        }
    }

    fn take(&mut self, woken: Woken) -> Result<(), Ended> {
        match woken {
            Woken::Message(message) => match message? {
                Message::Text(text) => self.frame(text.as_bytes()),
                Message::Binary(bytes) => self.frame(&bytes),
                Message::Ping(_) | Message::Pong(_) => self.feed(Input::Heard),
                Message::Close(_) => return Err(Ended::Gone),
            },
            Woken::Called => self.take_items(),
            Woken::Done(done) => self.done(done),
            Woken::Turn(turn) => self.turn = turn,
            Woken::Drain => self.drain(),
            Woken::Deadline => self.feed(Input::Tick),
        }
        Ok(())
    }

    fn frame(&mut self, bytes: &[u8]) {
        self.shared.metrics.frames_received.add(1);
        self.shared.metrics.bytes_received.add(bytes.len() as u64);
        if let Some(turn) = &mut self.turn {
            turn.heard(bytes.len());
        }
        self.feed(Input::Frame(bytes));
    }

    pub(super) fn feed(&mut self, input: Input<'_, Frame>) {
        let now = self.shared.clock.now();
        self.outputs.extend(self.session.handle(now, input));
    }

    /// Begins to read what was asked for next, if nothing is being read.
    fn ask_next(&mut self) {
        if !self.asking
            && let Some(ask) = self.asks.pop_front()
        {
            self.asking = true;
            self.ask(ask);
        }
    }

    fn drain(&mut self) {
        self.feed(Input::Drain(self.shared.away));
    }

    fn take_items(&mut self) {
        for item in self.seat.take() {
            let input = match item {
                Item::Live { room, offset, bytes } => Input::Live { room, offset, bytes },
                Item::Head { room, offset } => Input::Head { room, offset },
                Item::Note(note) => Input::Note(note),
                Item::Pass(bytes) => Input::Pass(bytes),
                Item::Member(info) => Input::Member(*info),
                Item::NotMember(room) => Input::NotMember(room),
                Item::Membership { req, room, join, result } => {
                    Input::Membership { req, room, join, result }
                }
                Item::TakenOver => Input::TakenOver,
            };
            self.feed(input);
        }
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Input(input) => {
                if matches!(*input, Input::Paged { req: Some(_), .. } | Input::Found { .. }) {
                    self.asking = false;
                }
                if matches!(*input, Input::Directory(_)) {
                    self.seat.lists(false);
                }
                self.feed(*input);
            }
            Done::ByHub => {}
            Done::Decided(emit, result) => {
                let (room, n) = (emit.draft.room, emit.n);
                match self.lanes.decided(emit, result) {
                    Step::Submit(ready) => {
                        self.known.clone_from(&ready.known);
                        let appended = self.shared.committer.submit(*ready);
                        let done = appended.map(move |it| Done::Appended(room, n, Box::new(it)));
                        self.under_way.push(done.boxed());
                    }
                    Step::Tell(appended) => self.feed(Input::Appended { room, n, appended }),
                    Step::Wait => {}
                }
                self.decide_next(room);
            }
            Done::Appended(room, n, appended) => {
                if matches!(*appended, Appended::Moved) {
                    self.known = None;
                }
                for (n, appended) in self.lanes.appended(room, n, *appended) {
                    self.feed(Input::Appended { room, n, appended });
                }
                self.decide_next(room);
            }
        }
    }

    /// Begins to decide the next emit of a lane, if it is time.
    pub(super) fn decide_next(&mut self, room: RoomId) {
        let Some(emit) = self.lanes.next(room) else {
            return;
        };
        let (shared, known) = (Arc::clone(&self.shared), self.known.clone());
        let decided = async move {
            let result = walk::decide(&shared, &emit.draft, known).await;
            Done::Decided(emit, result.map(Box::new))
        };
        self.under_way.push(decided.boxed());
    }
}
