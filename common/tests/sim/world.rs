//! Clients, a server and the wires between them, in virtual time and in one thread.

use crate::{disk::Disk, node::Node};
use holdfast_common::{
    backoff::Dice,
    chat,
    client::{self, Command, Held, Output as Out, Row},
    codec,
    error::Code,
    event::{Class, Decision, Durable, Facts, Handler, No, Verified},
    fanout::{self, Fanout, Item, Key, Note, Target},
    frame::{
        Author, ClientFrame, Hello, LaneState, LatestSet, Presence, Rooms, ServerFrame, SetLatest,
        Signalled,
    },
    id::{ConnectionId, EventId, PersonId, RoomId, WriterId},
    limits::Limits,
    session::{Emitting, Input, Output, Session},
    storage::{Append, Appended, Fault, Greeting, LaneWrite, Verdict},
    time::{Instant, Millis, Timestamp},
};
use std::{collections::VecDeque, sync::Arc};

pub const LOBBY: RoomId = RoomId::NIL;

/// Chat's rules as far as stories need them.
struct Rules;

impl chat::Rules for Rules {
    fn message(&self, event: &chat::Message, _: &Facts, _: &Limits) -> Decision<chat::Message> {
        if event.text.is_empty() { Err(No::Because(chat::TextRefused::Empty)) } else { Ok(()) }
    }
    fn edit(&self, _: &chat::Edit, _: &Facts, _: &Limits) -> Decision<chat::Edit> {
        Ok(())
    }
    fn delete(&self, _: &chat::Delete, _: &Facts, _: &Limits) -> Decision<chat::Delete> {
        Ok(())
    }
    fn room_created(
        &self,
        event: &chat::RoomCreated,
        _: &Facts,
        _: &Limits,
    ) -> Decision<chat::RoomCreated> {
        Ok(chat::RoomNamed { name: event.name.clone() })
    }
}

/// One socket, seen from both ends.
struct Wire {
    session: Session<String>,
    key: Key,
    up: VecDeque<String>,
    down: VecDeque<Down>,
    /// What the session wants done and the driver has not done yet, in order.
    outputs: VecDeque<Output<String>>,
    /// Something was put out since the last [`Input::Flushed`].
    busy: bool,
    /// What the disk has answered and the session has not heard yet, in order.
    answers: VecDeque<Input<'static, String>>,
    /// Nothing gets through, and nobody is told.
    black: bool,
}

/// Something that is under way for one node.
#[derive(Clone, Copy)]
enum Way {
    /// A batch to the client's database.
    Written,
    /// Something the session wants done.
    Output,
    /// An answer of the server's disk.
    Answer,
    Up,
    Items,
    Down,
}

enum Down {
    Text(String),
    Close(Code),
}

pub struct World {
    pub now: Instant,
    pub limits: Limits,
    pub disk: Disk,
    pub nodes: Vec<Node>,
    wires: Vec<Option<Wire>>,
    fanout: Fanout<String>,
    /// The next frame to a client that has this text in it is lost on the way.
    pub swallow: Option<&'static str>,
    pub swallowed: u32,
    /// Commit answers stay away, as when the server dies between append and ack.
    pub mute_appends: bool,
    pub refuse_appends: Option<Fault>,
    /// So many appends more are committed and answered as unknown.
    pub unknown_appends: u64,
    /// Emits whose answer was held back.
    pub muted: u32,
    /// Everything each client put on the wire.
    pub sent: Vec<Vec<String>>,
    ids: u64,
    /// What takes its time: with them, chance says which of the things under way comes next. Without
    /// them a disk answers, and a driver does what it is told, at once.
    delays: Option<Dice>,
}

impl World {
    pub fn new(nodes: u8) -> Self {
        Self::with(nodes, Limits::default())
    }

    pub fn with(nodes: u8, limits: Limits) -> Self {
        Self::begin(nodes, limits, None)
    }

    /// A world in which a client's writes, the server's reads and what a session wants done take
    /// their time, as the seed says.
    pub fn delayed(nodes: u8, limits: Limits, seed: u64) -> Self {
        Self::begin(nodes, limits, Some(Dice::new(seed)))
    }

    fn begin(nodes: u8, limits: Limits, delays: Option<Dice>) -> Self {
        let mut disk = Disk::default();
        disk.create(LOBBY, chat::LOBBY, PersonId::NIL);
        let mut world = Self {
            now: Instant(1_000),
            limits,
            disk,
            nodes: (1..=nodes).map(Node::new).collect(),
            wires: (0..nodes).map(|_| None).collect(),
            fanout: Fanout::new(64),
            swallow: None,
            swallowed: 0,
            mute_appends: false,
            refuse_appends: None,
            unknown_appends: 0,
            muted: 0,
            sent: vec![Vec::new(); usize::from(nodes)],
            ids: 0,
            delays,
        };
        for i in 0..world.nodes.len() {
            world.start(i);
        }
        world.settle();
        world
    }

    pub fn start(&mut self, i: usize) {
        let out = self.nodes[i].start(self.now);
        self.carry_out(i, out);
    }

    pub fn id(&mut self) -> EventId {
        self.ids += 1;
        EventId::new(self.ids, &[0; 10])
    }

    /// What a person does: the row is in the database before the client hears of it.
    pub fn emit<E: Durable>(&mut self, i: usize, room: RoomId, event: &E) -> EventId {
        let id = self.id();
        let held = Held::new(id, room, Timestamp(self.now.0), event);
        let row = self.nodes[i].database.add(held);
        self.feed(i, client::Input::Added(row));
        id
    }

    pub fn say(&mut self, i: usize, text: &str) -> EventId {
        self.emit(i, LOBBY, &chat::Message { text: text.to_owned() })
    }

    /// An entry of a service's, by another way than these wires.
    pub fn disk_says(&mut self, text: &str) {
        let id = self.id();
        let data = serde_json::to_string(&chat::Message { text: text.to_owned() });
        self.disk.service(LOBBY, id, data.expect("a message is JSON"));
    }

    pub fn command(&mut self, i: usize, command: Command) {
        self.feed(i, client::Input::Command(command));
    }

    pub fn feed(&mut self, i: usize, input: client::Input) {
        let now = self.now;
        if let Some(client) = &mut self.nodes[i].client {
            let out = client.handle(now, input);
            self.carry_out(i, out);
        }
    }

    fn carry_out(&mut self, i: usize, out: Vec<Out>) {
        for output in out {
            match output {
                Out::Connect => self.connect(i),
                Out::Send(text) => {
                    self.numbered(i, &text);
                    self.sent[i].push(text.clone());
                    if let Some(wire) = &mut self.wires[i] {
                        wire.up.push_back(text);
                    }
                }
                Out::Close(_) => self.hang_up(i),
                Out::Write(batch) => {
                    self.nodes[i].writing.push_back(batch);
                    if self.delays.is_none() {
                        self.written(i);
                    }
                }
                Out::WantWriter => {
                    self.ids += 1;
                    let writer = WriterId::new(self.ids, &[9; 10]);
                    self.feed(i, client::Input::NewWriter(writer));
                }
                Out::Show(show) => self.nodes[i].shown.push(show),
            }
        }
    }

    /// What must hold of every emit: its number is in the client's database before it leaves.
    fn numbered(&self, i: usize, text: &str) {
        let Ok(ClientFrame::Emit(emit)) =
            codec::read_client(text.as_bytes()).map(|incoming| incoming.frame)
        else {
            return;
        };
        let next = self.nodes[i].database.lanes.get(&emit.room).copied().unwrap_or(1);
        assert!(emit.n < next, "number {} left before it was on disk", emit.n);
    }

    /// The oldest batch that is under way is committed, and the client hears of it.
    fn written(&mut self, i: usize) {
        let Some(batch) = self.nodes[i].writing.pop_front() else {
            return;
        };
        let token = batch.token;
        let result = self.nodes[i].database.commit(batch);
        let added: Vec<Row> = result.clone().unwrap_or_default();
        for row in added {
            self.feed(i, client::Input::Added(row));
        }
        self.feed(i, client::Input::Written { token, result: result.map(|_| ()) });
    }

    fn connect(&mut self, i: usize) {
        self.hang_up(i);
        let key = self.fanout.connect();
        let limits = self.limits.clone();
        let session = Session::new(self.now, ConnectionId::NIL, limits, Arc::default());
        self.wires[i] = Some(Wire {
            session,
            key,
            up: VecDeque::new(),
            down: VecDeque::new(),
            outputs: VecDeque::new(),
            busy: false,
            answers: VecDeque::new(),
            black: false,
        });
        self.feed(i, client::Input::Opened);
    }

    /// The socket ends; the client is not told.
    fn hang_up(&mut self, i: usize) {
        if let Some(wire) = self.wires[i].take() {
            for change in self.fanout.disconnect(wire.key) {
                self.told(wire.key, change);
            }
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

    /// Who is in a room.
    pub fn here(&self, room: RoomId) -> Vec<Author> {
        self.fanout.here(room)
    }

    fn everyone_in(&self, room: RoomId) -> String {
        let (came, left) = (self.fanout.here(room), Vec::new());
        codec::write_server(&ServerFrame::Presence(Presence { room, all: true, came, left }))
    }

    /// The connection breaks and both sides learn of it.
    pub fn cut(&mut self, i: usize) {
        if self.wires[i].is_some() {
            self.hang_up(i);
            self.feed(i, client::Input::Closed { code: 1006 });
        }
    }

    /// Nothing gets through any more, and nobody is told.
    pub fn blackhole(&mut self, i: usize) {
        if let Some(wire) = &mut self.wires[i] {
            wire.black = true;
        }
    }

    pub fn crash_client(&mut self, i: usize) {
        self.nodes[i].client = None;
        self.nodes[i].writing.clear();
        self.hang_up(i);
    }

    pub fn crash_server(&mut self) {
        self.fanout = Fanout::new(64);
        for i in 0..self.nodes.len() {
            self.cut(i);
        }
    }

    /// Lets everything that is under way arrive.
    pub fn settle(&mut self) {
        let nodes = self.nodes.len();
        loop {
            let first = self.chance(nodes);
            if !(0..nodes).any(|k| self.step((first + k) % nodes)) {
                return;
            }
        }
    }

    /// One of so many, by chance where there are delays and else the first.
    fn chance(&mut self, among: usize) -> usize {
        self.delays.as_mut().map_or(0, |dice| dice.up_to(among as u64 - 1) as usize)
    }

    /// Lets time pass, with every timer on the way.
    pub fn wait(&mut self, length: u64) {
        let end = self.now + Millis(length);
        loop {
            self.settle();
            let clients = self.nodes.iter().filter_map(|node| node.client.as_ref()?.deadline());
            let sessions = self.wires.iter().flatten().filter_map(|wire| wire.session.deadline());
            let due = clients.chain(sessions).min().filter(|due| *due <= end);
            let Some(due) = due else { break };
            self.now = self.now.max(due) + Millis(1);
            for i in 0..self.nodes.len() {
                self.feed(i, client::Input::Tick);
                self.tell(i, Input::Tick);
            }
        }
        self.now = self.now.max(end);
    }

    /// One thing for one node; `false` if there was nothing.
    pub fn step(&mut self, i: usize) -> bool {
        let ways = self.ways(i);
        if ways.is_empty() {
            return false;
        }
        match ways[self.chance(ways.len())] {
            Way::Written => self.written(i),
            Way::Output => self.do_next(i),
            Way::Answer => {
                let answer = self.wires[i].as_mut().and_then(|wire| wire.answers.pop_front());
                self.tell(i, answer.expect("there was one"));
            }
            Way::Up => {
                let text = self.wires[i].as_mut().and_then(|wire| wire.up.pop_front());
                self.tell(i, Input::Frame(text.expect("there was one").as_bytes()));
            }
            Way::Items => {
                let key = self.wires[i].as_ref().map(|wire| wire.key);
                for item in self.fanout.take(key.expect("it has items")) {
                    self.tell(i, input(item));
                }
            }
            Way::Down => self.down(i),
        }
        true
    }

    /// What may come next for a node. A session's driver takes nothing in before it has done what
    /// the session wanted.
    fn ways(&mut self, i: usize) -> Vec<Way> {
        let mut ways = Vec::new();
        if !self.nodes[i].writing.is_empty() {
            ways.push(Way::Written);
        }
        let Some(wire) = &mut self.wires[i] else {
            return ways;
        };
        if wire.black {
            wire.up.clear();
            wire.down.clear();
            self.fanout.take(wire.key);
        }
        let idle = wire.outputs.is_empty() && !wire.busy;
        if !idle {
            ways.push(Way::Output);
        }
        if idle && !wire.answers.is_empty() {
            ways.push(Way::Answer);
        }
        if idle && !wire.up.is_empty() {
            ways.push(Way::Up);
        }
        if idle && wire.session.listens() && self.fanout.waits(wire.key) {
            ways.push(Way::Items);
        }
        if !wire.down.is_empty() {
            ways.push(Way::Down);
        }
        ways
    }

    fn down(&mut self, i: usize) {
        match self.wires[i].as_mut().and_then(|wire| wire.down.pop_front()) {
            Some(Down::Text(text)) => {
                if self.swallow.is_some_and(|part| text.contains(part)) {
                    self.swallow = None;
                    self.swallowed += 1;
                } else {
                    self.feed(i, client::Input::Frame(text));
                }
            }
            Some(Down::Close(code)) => {
                self.hang_up(i);
                let code = code.close_number().expect("a close has a number");
                self.feed(i, client::Input::Closed { code });
            }
            None => {}
        }
    }

    /// Feeds a session; what it says is carried out behind what it said before.
    fn tell(&mut self, i: usize, input: Input<'_, String>) {
        let now = self.now;
        let Some(wire) = &mut self.wires[i] else {
            return;
        };
        let out = wire.session.handle(now, input);
        let begins = wire.outputs.is_empty() && !wire.busy;
        wire.busy |= !out.is_empty();
        wire.outputs.extend(out);
        if begins && self.delays.is_none() {
            while self.wires[i].as_ref().is_some_and(|wire| wire.busy) {
                self.do_next(i);
            }
        }
    }

    /// Carries out what a session wants next; when that was all, it has left.
    fn do_next(&mut self, i: usize) {
        let Some(wire) = &mut self.wires[i] else {
            return;
        };
        if let Some(output) = wire.outputs.pop_front() {
            self.serve(i, output);
        } else {
            wire.busy = false;
            self.tell(i, Input::Flushed);
        }
    }

    /// The disk has answered; the session hears of it when it comes to it.
    fn answer(&mut self, i: usize, input: Input<'static, String>) {
        if self.delays.is_none() {
            self.tell(i, input);
        } else if let Some(wire) = &mut self.wires[i] {
            wire.answers.push_back(input);
        }
    }

    fn serve(&mut self, i: usize, output: Output<String>) {
        let Some(wire) = &mut self.wires[i] else {
            return;
        };
        let key = wire.key;
        match output {
            Output::Send(text) | Output::Pass(text) => wire.down.push_back(Down::Text(text)),
            Output::Ping if !wire.black => self.tell(i, Input::Heard),
            Output::Ping => {}
            Output::Close(code) => wire.down.push_back(Down::Close(code)),
            Output::Greet(hello) => {
                self.fanout.expect(key, hello.person);
                self.greet(i, *hello);
            }
            Output::Register { person, run } => {
                self.fanout.register(key, person, run);
            }
            Output::Follow(room) => {
                if let Some(change) = self.fanout.follow(key, room) {
                    self.told(key, change);
                }
                let everyone = self.everyone_in(room);
                self.tell(i, Input::Pass(everyone));
                let offset = self.fanout.head(room);
                self.tell(i, Input::Head { room, offset });
            }
            Output::Unfollow(room) => {
                if let Some(change) = self.fanout.unfollow(key, room) {
                    self.told(key, change);
                }
            }
            Output::Emit(emitting) => self.append(i, *emitting),
            Output::Signal { signal, .. } => {
                let from =
                    Author { id: self.nodes[i].database.principal.person, name: String::new() };
                let data = serde_json::value::RawValue::from_string("{}".to_owned());
                let (ns, kind, data) = (signal.ns, signal.kind, data.expect("it is JSON"));
                let frame = Signalled { ns, room: Some(signal.room), kind, from, data };
                let text = codec::write_server(&ServerFrame::Signal(frame));
                self.fanout.send(Target::RoomBut(signal.room, key), &text);
            }
            Output::Latest { latest, payload } => self.latest(i, latest, payload),
            Output::Presence(room) => {
                let everyone = self.everyone_in(room);
                if let Some(wire) = &mut self.wires[i] {
                    wire.down.push_back(Down::Text(everyone));
                }
            }
            Output::Directory => {
                let rooms = self.disk.rooms(self.nodes[i].database.principal.person);
                self.answer(i, Input::Directory(Ok(rooms)));
            }
            Output::Registers(query) => {
                let result = Ok(self.disk.registers(&query, 3));
                self.answer(i, Input::Registers { query, result });
            }
            Output::Slice { room, after } => {
                let result = Ok(self.disk.slice(room, after, 16));
                self.answer(i, Input::Sliced { room, after, result });
            }
            Output::Page { req, room, before, limit, .. } => {
                let result = Ok(self.disk.page(room, before, limit));
                self.answer(i, Input::Paged { req, room, result });
            }
            Output::Find { req, room, ids } => {
                let result = Ok(self.disk.find(room, &ids));
                self.answer(i, Input::Found { req, room, result });
            }
            Output::Join { req, room } => self.member(i, req, room, true),
            Output::Leave { req, room } => self.member(i, req, room, false),
        }
    }

    fn greet(&mut self, i: usize, hello: Hello) {
        let greeting = Greeting {
            person: hello.person,
            secret_hash: [hello.secret.as_bytes()[hello.secret.len() - 1]; 32],
            name: hello.name,
            writer: hello.writer,
            generation: hello.generation,
            rooms: hello.rooms,
            lanes: hello.lanes.iter().map(LaneState::floor).collect(),
            welcome_rooms: vec![LOBBY],
            at: Timestamp(self.now.0),
        };
        let result = Ok(self.disk.greet(&greeting));
        let now = Timestamp(self.now.0);
        self.answer(i, Input::Greeted { now, result });
    }

    fn latest(&mut self, i: usize, latest: SetLatest, payload: Vec<u8>) {
        let SetLatest { ns, room, kind, rank: about } = latest;
        let result = chat::Serve(Rules).rank(&kind, &payload).map(|ranked| {
            let data = String::from_utf8(payload).expect("it was read");
            let data = serde_json::value::RawValue::from_string(data).expect("it was read");
            let person = self.nodes[i].database.principal.person;
            let value = LatestSet { ns, room, kind: kind.clone(), person, rank: ranked.rank, data };
            let (stored, stands) = self.disk.set_latest(&value);
            if stored {
                let text = codec::write_server(&ServerFrame::Latest(value));
                self.fanout.tell(Target::Room(room), Note::Registers(room), &text);
            }
            stands
        });
        self.answer(i, Input::Stored { room, kind, about, result });
    }

    fn member(&mut self, i: usize, req: u64, room: RoomId, join: bool) {
        let person = self.nodes[i].database.principal.person;
        let result = Ok(self.disk.member(person, room, join));
        self.answer(i, Input::Membership { req, room, join, result });
    }

    fn append(&mut self, i: usize, emitting: Emitting) {
        let (room, n) = (emitting.emit.room, emitting.emit.n);
        if let Some(fault) = self.refuse_appends.clone() {
            let appended = Appended::Fault(fault);
            return self.answer(i, Input::Appended { room, n, appended });
        }
        let appended = self.disk.append(self.decide(emitting));
        if let Appended::Decided { entry: Some(new), .. } = &appended {
            let entry = codec::write_entry(&new.entry);
            let text = codec::entries_frame(room, new.epoch, [entry.as_str()]);
            if !self.mute_appends && self.unknown_appends == 0 {
                self.fanout.publish(room, new.entry.offset, &text);
                if let Some(created) = &new.created {
                    let mut info = created.clone();
                    info.joined = false;
                    let rooms = ServerFrame::Rooms(Rooms { rooms: vec![info] });
                    let text = codec::write_server(&rooms);
                    let others = (0..self.wires.len()).filter(|other| *other != i);
                    let others = others.filter_map(|other| self.wires[other].as_ref());
                    let keys: Vec<Key> = others.map(|wire| wire.key).collect();
                    for key in keys {
                        self.fanout.tell(Target::Connection(key), Note::Directory, &text);
                    }
                }
            }
        }
        if self.unknown_appends > 0 {
            self.unknown_appends -= 1;
            let appended = Appended::Fault(Fault::Unknown("nobody knows".to_owned()));
            return self.answer(i, Input::Appended { room, n, appended });
        }
        if let Appended::Decided { verdict, entry: None } | Appended::Again(verdict) = &appended
            && let (Verdict::Ack { offset, .. }, false) = (verdict, self.mute_appends)
        {
            self.fanout.stands(room, *offset);
        }
        if self.mute_appends {
            self.muted += 1;
        } else {
            self.answer(i, Input::Appended { room, n, appended });
        }
    }

    fn decide(&self, emitting: Emitting) -> Append {
        let Emitting { emit, payload, writer, generation, author, condemned } = emitting;
        let handler = chat::Serve(Rules);
        let parsed = condemned.map_or_else(|| handler.parse(&emit.kind, &payload), Err);
        let (verified, effect, counts) = match &parsed {
            Ok(parsed) => {
                let facts = self.disk.facts(author.id, emit.room, &parsed.effect());
                (parsed.decide(&facts, &self.limits), parsed.effect(), parsed.counts())
            }
            Err(code) => (
                Verified::Rejected { code: *code, why: None, detail: code.text().to_owned() },
                holdfast_common::event::Effect::Adds,
                false,
            ),
        };
        assert_eq!(handler.class("typing"), Some(Class::Volatile));
        let facts = self.disk.facts(author.id, emit.room, &effect);
        Append {
            lane: Some(LaneWrite { writer, generation, n: emit.n, floor: emit.floor }),
            idempotency: None,
            namespace: emit.ns,
            room: emit.room,
            id: emit.id,
            kind: emit.kind,
            author,
            at: Timestamp(self.now.0),
            data: String::from_utf8_lossy(&payload).into_owned(),
            room_name: facts.free_name,
            owner: None,
            most_rooms: u32::MAX,
            effect,
            counts,
            verified,
            versions: facts.versions,
        }
    }

    /// What must hold of every reader at any time: it has the log's entries, each once and in
    /// order, exactly up to its cursor.
    pub fn check(&self) {
        for node in &self.nodes {
            for (room, cursor) in &node.database.cursors {
                let log = self.disk.log(*room);
                let held = node.database.entries.get(room).map_or(&[][..], Vec::as_slice);
                let same = held.iter().zip(log).all(|(a, b)| a.id == b.id && a.offset == b.offset);
                assert!(same, "a reader differs from the log");
                assert_eq!(
                    held.len() as u64,
                    cursor.offset,
                    "a cursor is not where the entries end"
                );
            }
        }
    }

    pub fn texts(&self, room: RoomId) -> Vec<String> {
        let data = self.disk.log(room).iter().filter_map(|entry| entry.data.as_ref());
        data.map(|data| data.get().to_owned()).collect()
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
