//! The server: real sessions and the real fanout over a model engine. Its driver does one thing at a
//! time, so that whoever drives it can say what comes next, and what does not come any more.

use crate::{
    disk::Disk,
    engine::{Done, End, Engine, Job, LOBBY, Trouble},
    ledger::{Copy, Ledger},
};
use holdfast_common::{
    chat, codec,
    error::Code,
    fanout::{self, Fanout, Item, Key, Note, Target},
    frame::{Author, Presence, Rooms, ServerFrame, Signalled},
    id::{ConnectionId, EventId, PersonId, RoomId},
    limits::Limits,
    session::{Input, Output, Session},
    storage::{Appended, Fault, Membership, NewEntry, Verdict},
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

    fn serve(&mut self, now: Instant, end: End, output: Output<String>) {
        let Some(wire) = self.wires.get_mut(&end) else {
            return;
        };
        let (key, person) = (wire.key, wire.session.person());
        match output {
            Output::Send(text) | Output::Pass(text) => self.down(end, Down::Text(text)),
            Output::Ping => self.down(end, Down::Ping),
            Output::Close(code) => {
                self.ledger.counts.add_named("close: ", code.name());
                self.down(end, Down::Close(code));
                self.leave(end);
                if self.wires[&end].alone {
                    self.hang_up(end);
                }
            }
            Output::Greet(hello) => {
                self.fanout.expect(key, hello.person);
                self.ledger.hello(end, &hello);
                wire.rooms = self.engine.disk.logs.len();
                self.engine.put(end, Job::Greet(hello));
            }
            Output::Register { person, run } => {
                self.fanout.register(key, person, run);
                // A room that was made since then may be missing in what was read.
                if wire.rooms != self.engine.disk.logs.len() {
                    self.answer(end, Input::Note(Note::Directory));
                }
            }
            Output::Follow(room) => {
                if let Some(change) = self.fanout.follow(key, room) {
                    self.told(key, change);
                }
                // At once: what is told from now on comes behind it.
                self.tell(now, end, Input::Pass(self.everyone_in(room)));
                let offset = self.fanout.head(room);
                self.tell(now, end, Input::Head { room, offset });
            }
            Output::Unfollow(room) => {
                if let Some(change) = self.fanout.unfollow(key, room) {
                    self.told(key, change);
                }
            }
            Output::Emit(emitting) => self.engine.put(end, Job::Append(emitting)),
            Output::Signal { signal, .. } => {
                let from = Author { id: person.expect("it is greeted"), name: String::new() };
                let data = serde_json::value::RawValue::from_string("{}".to_owned());
                let (ns, kind, data) = (signal.ns, signal.kind, data.expect("it is JSON"));
                let frame = Signalled { ns, room: Some(signal.room), kind, from, data };
                let text = codec::write_server(&ServerFrame::Signal(frame));
                self.fanout.send(Target::RoomBut(signal.room, key), &text);
            }
            Output::Latest { latest, payload } => {
                let person = person.expect("it is greeted");
                self.engine.put(end, Job::Latest { person, latest, payload });
            }
            Output::Presence(room) => self.down(end, Down::Text(self.everyone_in(room))),
            Output::Join { req, room } => self.member(end, person, req, room, true),
            Output::Leave { req, room } => self.member(end, person, req, room, false),
            reading => self.read(end, person, reading),
        }
    }

    /// Reads see what is committed, at once, and are heard later.
    fn read(&mut self, end: End, person: Option<PersonId>, output: Output<String>) {
        let disk = &self.engine.disk;
        let readable = match self.trouble.unread.checked_sub(1) {
            None => Ok(()),
            Some(left) => {
                self.trouble.unread = left;
                self.ledger.counts.add("storage: the server cannot read");
                Err(Fault::Failed("it cannot be read".to_owned()))
            }
        };
        let answer = match output {
            Output::Directory => {
                let key = self.wires[&end].key;
                self.fanout.lists(key, true);
                let person = person.expect("it is greeted");
                Input::Directory(readable.map(|()| disk.rooms(person)))
            }
            Output::Registers(query) => {
                let result = readable.map(|()| disk.registers(&query, 3));
                Input::Registers { query, result }
            }
            Output::Slice { room, after } => {
                let result = readable.map(|()| disk.slice(room, after, 16));
                Input::Sliced { room, after, result }
            }
            Output::Page { req, room, before, limit, since } => {
                let result = readable.map(|()| disk.page(room, before, limit, since));
                Input::Paged { req, room, result }
            }
            Output::Find { req, room, ids } => {
                let result = readable.map(|()| disk.find(room, &ids));
                Input::Found { req, room, result }
            }
            _ => unreachable!("only reads come here"),
        };
        self.answer(end, answer);
    }

    fn member(&mut self, end: End, person: Option<PersonId>, req: u64, room: RoomId, join: bool) {
        let person = person.expect("it is greeted");
        self.engine.put(end, Job::Member { person, req, room, join });
    }

    /// Tells what became of a job that is on the disk by now.
    fn finish(&mut self, now: Instant) {
        let Some((end, done)) = self.engine.answer() else {
            return;
        };
        match done {
            Done::Greeted { result, .. } => {
                self.answer(
                    end,
                    Input::Greeted {
                        now: Timestamp(now.0.saturating_add_signed(self.wall)),
                        result,
                    },
                );
            }
            Done::Appended { room, n, appended, .. } => self.appended(end, room, n, appended),
            Done::Stored { room, kind, about, result } => {
                if let Ok((Some(value), _)) = &result {
                    let value = value.clone();
                    let text = codec::write_server(&ServerFrame::Latest(value));
                    self.fanout.tell(Target::Room(room), Note::Registers(room), &text);
                }
                let result = result.map(|(_, stands)| stands).map_err(|fault| fault.code());
                self.answer(end, Input::Stored { room, kind, about, result });
            }
            Done::Membership { req, room, join, result } => {
                let person = self.wires.get(&end).and_then(|wire| wire.session.person());
                let change = match &result {
                    Ok(Membership::Done(info)) if join => {
                        Some(Item::Member(Box::new(info.clone())))
                    }
                    Ok(Membership::Done(_)) => Some(Item::NotMember(room)),
                    _ => None,
                };
                let key = self.wires.get(&end).map(|wire| wire.key);
                if let (Some(person), Some(change)) = (person, change) {
                    self.fanout.membership(key, person, &change);
                }
                if let Some(key) = key {
                    self.fanout.answer(key, Item::Membership { req, room, join, result });
                }
            }
        }
    }

    fn appended(&mut self, end: End, room: RoomId, n: u64, appended: Appended) {
        let decided = matches!(appended, Appended::Decided { .. } | Appended::Again(_));
        if decided && self.trouble.mute {
            self.trouble.muted += 1;
            return;
        }
        if decided && self.trouble.unknown > 0 {
            self.trouble.unknown -= 1;
            let appended = Appended::Fault(Fault::Unknown("nobody knows".to_owned()));
            return self.answer(end, Input::Appended { room, n, appended });
        }
        match &appended {
            Appended::Decided { entry: Some(new), .. } => self.publish(end, new),
            Appended::Decided { verdict, entry: None, .. } | Appended::Again(verdict) => {
                if let Verdict::Ack { offset, .. } = verdict {
                    self.fanout.stands(room, *offset);
                }
            }
            _ => {}
        }
        self.answer(end, Input::Appended { room, n, appended });
    }

    /// An entry by another way than these wires, as an HTTP caller's. It can become durable without
    /// being published: the server died between.
    pub fn service(&mut self, room: RoomId, id: EventId, data: String, published: bool) {
        let Some(new) = self.engine.disk.service(room, id, data) else {
            return;
        };
        self.ledger.entered(&new, &self.engine.disk);
        if published {
            self.publish(0, &new);
        }
    }

    /// A room is deleted: its followers' memberships are over, and everyone is told.
    pub fn delete(&mut self, room: RoomId) {
        let info = self.engine.disk.delete(room);
        self.ledger.deleted(room);
        let text = codec::write_server(&ServerFrame::Rooms(Rooms { rooms: vec![info] }));
        self.fanout.tell(Target::Everyone, Note::Directory, &text);
        self.fanout.room_gone(room);
    }

    fn publish(&mut self, end: End, new: &NewEntry) {
        let entry = codec::write_entry(&new.entry);
        let text = codec::entries_frame(new.room, new.epoch, [entry.as_str()]);
        self.fanout.publish(new.room, new.entry.offset, &text);
        let Some(created) = &new.created else {
            return;
        };
        let member = Item::Member(Box::new(created.clone()));
        self.fanout.membership(None, new.entry.from.id, &member);
        let mut info = created.clone();
        info.joined = false;
        let text = codec::write_server(&ServerFrame::Rooms(Rooms { rooms: vec![info] }));
        let others = self.wires.iter().filter(|(other, _)| **other != end);
        let keys: Vec<Key> = others.map(|(_, wire)| wire.key).collect();
        for key in keys {
            self.fanout.tell(Target::Connection(key), Note::Directory, &text);
        }
    }

    /// Tells a room who came or left.
    fn told(&mut self, key: Key, change: fanout::Presence) {
        let (room, all, came, left) = match change {
            fanout::Presence::Came(room, author) => (room, false, vec![author], Vec::new()),
            fanout::Presence::Left(room, person) => (room, false, Vec::new(), vec![person]),
            fanout::Presence::Turned(room) => (room, true, self.fanout.here(room), Vec::new()),
        };
        let frame = ServerFrame::Presence(Presence { room, all, came, left });
        let text = codec::write_server(&frame);
        self.fanout.tell(Target::RoomBut(room, key), Note::Presence(room), &text);
    }

    fn everyone_in(&self, room: RoomId) -> String {
        let (came, left) = (self.fanout.here(room), Vec::new());
        codec::write_server(&ServerFrame::Presence(Presence { room, all: true, came, left }))
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
