//! The server: real sessions and the real fanout over a model engine. Its driver does one thing at a
//! time, so that whoever drives it can say what comes next, and what does not come any more.

mod serves;
mod tells;

use crate::{
    disk::Disk,
    engine::{End, Engine, LOBBY, Trouble},
    ledger::{Copy, Ledger},
};
use holdfast_common::{
    chat,
    error::Code,
    fanout::{Fanout, Item, Key},
    frame::Author,
    id::{ConnectionId, PersonId, RoomId},
    limits::Limits,
    session::{Input, Output, Session},
    time::{Instant, Timestamp},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// What comes to a client.
#[derive(Debug, Clone)]
pub enum Down {
    Text(String),
    Ping,
    Close(Code),
}

/// What comes to the server.
#[derive(Debug, Clone)]
pub enum Up {
    Text(String),
    /// A browser answers a ping by itself.
    Pong,
}

/// One socket, seen from both ends.
pub struct Wire {
    session: Session<String>,
    key: Key,
    pub up: VecDeque<Up>,
    pub down: VecDeque<Down>,
    /// What the session wants done and the driver has not done yet, in order.
    outputs: VecDeque<Output<String>>,
    /// Something was put out since the last [`Input::Flushed`].
    busy: bool,
    /// What the disk has answered and the session has not heard yet, in order.
    answers: VecDeque<Input<'static, String>>,
    /// Nothing of what is sent this way arrives, and nobody is told.
    pub deaf_up: bool,
    pub deaf_down: bool,
    /// The server does not get round to it for a while.
    pub stalled: bool,
    /// Something was lost, doubled or swapped in the middle, as no line does that goes on.
    pub torn: bool,
    /// The server's side has ended; what it said before may still arrive.
    over: bool,
    /// The client's side has ended, and the server has not heard of it.
    alone: bool,
    /// How many rooms there were when the greeting was asked for.
    rooms: usize,
}

/// Something that the server can do next.
#[derive(Debug, Clone, Copy)]
pub enum Way {
    /// Something a session wants done.
    Output(End),
    /// An answer of the disk.
    Answer(End),
    Up(End),
    Items(End),
    /// A transaction begins, …
    Begin,
    /// … is on the disk, …
    Sync,
    /// … and is answered.
    Finish,
}

pub struct Server {
    pub limits: Limits,
    pub engine: Engine,
    pub trouble: Trouble,
    pub ledger: Ledger,
    /// The wall clock is ahead of the steady one by so much.
    pub wall: i64,
    fanout: Fanout<String>,
    bound: usize,
    pub wires: BTreeMap<End, Wire>,
    ends: End,
}

impl Server {
    /// `bound` items may wait for a connection.
    pub fn new(limits: Limits, bound: usize) -> Self {
        let mut engine = Engine::default();
        engine.disk.create(LOBBY, chat::LOBBY, PersonId::NIL);
        Self {
            limits,
            engine,
            trouble: Trouble::default(),
            ledger: Ledger::default(),
            wall: 0,
            fanout: Fanout::new(bound),
            bound,
            wires: BTreeMap::new(),
            ends: 0,
        }
    }

    pub fn disk(&self) -> &Disk {
        &self.engine.disk
    }

    pub fn connect(&mut self, now: Instant) -> End {
        self.ends += 1;
        let limits = self.limits.clone();
        let wire = Wire {
            session: Session::new(now, ConnectionId::NIL, limits, Arc::default()),
            key: self.fanout.connect(),
            up: VecDeque::new(),
            down: VecDeque::new(),
            outputs: VecDeque::new(),
            busy: false,
            answers: VecDeque::new(),
            deaf_up: false,
            deaf_down: false,
            stalled: false,
            torn: false,
            over: false,
            alone: false,
            rooms: 0,
        };
        self.wires.insert(self.ends, wire);
        self.ends
    }

    /// Who is in a room.
    pub fn here(&self, room: RoomId) -> Vec<Author> {
        self.fanout.here(room)
    }

    /// A client sends.
    pub fn send(&mut self, end: End, up: Up) {
        if let Some(wire) = self.wires.get_mut(&end).filter(|wire| !wire.deaf_up) {
            wire.up.push_back(up);
        }
    }

    /// What a client gets next. With a close the socket is gone.
    pub fn receive(&mut self, end: End) -> Option<Down> {
        let wire = self.wires.get_mut(&end)?;
        if wire.deaf_down {
            wire.down.clear();
        }
        let down = wire.down.pop_front()?;
        if matches!(down, Down::Close(_)) {
            self.hang_up(end);
        }
        Some(down)
    }

    /// The server's side of the socket ends, and what was under way on it.
    pub fn hang_up(&mut self, end: End) {
        self.leave(end);
        self.wires.remove(&end);
        self.ledger.hung_up(end);
    }

    /// The client's side ends, and the server does not hear of it: half-open.
    pub fn abandon(&mut self, end: End) {
        let Some(wire) = self.wires.get_mut(&end) else {
            return;
        };
        (wire.alone, wire.deaf_up, wire.deaf_down) = (true, true, true);
        if wire.over {
            self.hang_up(end);
        }
    }

    fn leave(&mut self, end: End) {
        let Some(wire) = self.wires.get_mut(&end).filter(|wire| !wire.over) else {
            return;
        };
        wire.over = true;
        let key = wire.key;
        for change in self.fanout.disconnect(key) {
            self.told(key, change);
        }
    }

    /// The process ends at once. Returns the sockets that end with it.
    pub fn crash(&mut self, written: bool) -> Vec<End> {
        let durable = self.engine.crash(written);
        self.ledger.durable(&durable, &self.engine.disk);
        self.fanout = Fanout::new(self.bound);
        std::mem::take(&mut self.wires)
            .into_keys()
            .inspect(|end| self.ledger.hung_up(*end))
            .collect()
    }

    /// A copy of the data folder, as an operator makes it.
    pub fn copy(&self) -> Copy {
        self.ledger.copy(self.engine.disk.clone())
    }

    /// An older copy of the data folder takes the place of this one; `told` says whether the server
    /// knows.
    pub fn set_back(&mut self, copy: Copy, told: bool) {
        self.engine.disk.set_back(copy.disk.clone(), told);
        self.ledger.set_back(&copy, &self.engine.disk);
    }

    /// Gets round to everyone again.
    pub fn resume(&mut self) {
        self.wires.values_mut().for_each(|wire| wire.stalled = false);
    }

    /// How much found no room in a queue.
    pub fn dropped(&self) -> u64 {
        self.fanout.dropped()
    }

    /// The next time at which a session has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let wires = self.wires.values().filter(|wire| !wire.over);
        wires.filter_map(|wire| wire.session.deadline()).min()
    }

    pub fn tick(&mut self, now: Instant) {
        let ends: Vec<End> = self.wires.keys().copied().collect();
        for end in ends {
            self.tell(now, end, Input::Tick);
        }
    }

    /// What may come next. A session's driver takes nothing in before it has done what the session
    /// wanted.
    pub fn ways(&mut self) -> Vec<Way> {
        let mut ways = Vec::new();
        for (end, wire) in &self.wires {
            if wire.over {
                continue;
            }
            if !wire.outputs.is_empty() || wire.busy {
                ways.push(Way::Output(*end));
                continue;
            }
            if !wire.answers.is_empty() {
                ways.push(Way::Answer(*end));
            }
            if wire.stalled {
                continue;
            }
            if !wire.up.is_empty() && !wire.session.full() {
                ways.push(Way::Up(*end));
            }
            if wire.session.listens() && self.fanout.waits(wire.key) {
                ways.push(Way::Items(*end));
            }
        }
        if self.engine.can_begin() {
            ways.push(Way::Begin);
        }
        if self.engine.commits() {
            ways.push(Way::Sync);
        }
        if self.engine.answers() {
            ways.push(Way::Finish);
        }
        ways
    }

    /// Goes one way. `most` jobs go into a transaction that begins.
    pub fn go(&mut self, now: Instant, way: Way, most: usize) {
        match way {
            Way::Output(end) => self.do_next(now, end),
            Way::Answer(end) => {
                let wire = self.wires.get_mut(&end).expect("it has answers");
                let answer = wire.answers.pop_front().expect("there was one");
                if matches!(answer, Input::Directory(_)) {
                    self.fanout.lists(wire.key, false);
                }
                self.tell(now, end, answer);
            }
            Way::Up(end) => match self.wires.get_mut(&end).and_then(|wire| wire.up.pop_front()) {
                Some(Up::Text(text)) => self.tell(now, end, Input::Frame(text.as_bytes())),
                Some(Up::Pong) => self.tell(now, end, Input::Heard),
                None => {}
            },
            Way::Items(end) => {
                let key = self.wires.get(&end).map(|wire| wire.key);
                for item in self.fanout.take(key.expect("it has items")) {
                    self.tell(now, end, input(item));
                }
            }
            Way::Begin => self.begin(now, most),
            Way::Sync => {
                let durable = self.engine.sync();
                self.ledger.durable(&durable, &self.engine.disk);
            }
            Way::Finish => self.finish(now),
        }
    }

    fn begin(&mut self, now: Instant, most: usize) {
        let at = Timestamp(now.0.saturating_add_signed(self.wall));
        self.engine.begin(most, &self.limits, at, &mut self.trouble);
    }

    /// Feeds a session; what it says is carried out behind what it said before.
    fn tell(&mut self, now: Instant, end: End, input: Input<'_, String>) {
        let Some(wire) = self.wires.get_mut(&end).filter(|wire| !wire.over) else {
            return;
        };
        let out = wire.session.handle(now, input);
        wire.busy |= !out.is_empty();
        wire.outputs.extend(out);
    }

    /// Carries out what a session wants next; when that was all, it has left.
    fn do_next(&mut self, now: Instant, end: End) {
        let Some(wire) = self.wires.get_mut(&end) else {
            return;
        };
        if let Some(output) = wire.outputs.pop_front() {
            self.serve(now, end, output);
        } else {
            wire.busy = false;
            self.tell(now, end, Input::Flushed);
        }
    }

    fn answer(&mut self, end: End, input: Input<'static, String>) {
        if let Some(wire) = self.wires.get_mut(&end) {
            wire.answers.push_back(input);
        }
    }

    fn down(&mut self, end: End, down: Down) {
        if let Down::Text(text) = &down {
            self.ledger.leaves(end, text, &self.engine.disk);
        }
        if let Some(wire) = self.wires.get_mut(&end) {
            wire.down.push_back(down);
        }
    }
}

fn input(item: Item<String>) -> Input<'static, String> {
    match item {
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
    }
}
