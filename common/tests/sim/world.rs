//! Clients and a server in virtual time, for stories: whatever can happen happens at once, but for
//! what a story holds back.

pub use crate::engine::LOBBY;
use crate::{
    engine::End,
    node::Node,
    server::{Down, Server, Up, Way},
};
use holdfast_common::{
    chat,
    client::{self, Command, Held, Output as Out, Row},
    codec,
    event::Durable,
    frame::{Author, ClientFrame},
    id::{EventId, RoomId, WriterId},
    limits::Limits,
    time::{Instant, Millis, Timestamp},
};

/// Items that may wait for a connection.
const BOUND: usize = 64;

pub struct World {
    pub now: Instant,
    pub server: Server,
    pub nodes: Vec<Node>,
    wires: Vec<Option<End>>,
    /// The next frame to a client that has this text in it is lost on the way.
    pub swallow: Option<&'static str>,
    pub swallowed: u32,
    /// Everything each client put on the wire.
    pub sent: Vec<Vec<String>>,
    ids: u64,
}

impl World {
    pub fn new(nodes: u8) -> Self {
        Self::with(nodes, Limits::default())
    }

    pub fn with(nodes: u8, limits: Limits) -> Self {
        let mut world = Self {
            now: Instant(1_000),
            server: Server::new(limits, BOUND),
            nodes: (1..=nodes).map(Node::new).collect(),
            wires: vec![None; usize::from(nodes)],
            swallow: None,
            swallowed: 0,
            sent: vec![Vec::new(); usize::from(nodes)],
            ids: 0,
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
        self.server.service(LOBBY, id, data.expect("a message is JSON"), false);
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
                Out::Connect => {
                    self.hang_up(i);
                    self.wires[i] = Some(self.server.connect(self.now));
                    self.feed(i, client::Input::Opened);
                }
                Out::Send(text) => {
                    self.numbered(i, &text);
                    self.sent[i].push(text.clone());
                    if let Some(end) = self.wires[i] {
                        self.server.send(end, Up::Text(text));
                    }
                }
                Out::Close(_) => self.hang_up(i),
                Out::Write(batch) => {
                    let token = batch.token;
                    let result = self.nodes[i].database.commit(batch);
                    let added: Vec<Row> = result.clone().unwrap_or_default();
                    for row in added {
                        self.feed(i, client::Input::Added(row));
                    }
                    self.feed(i, client::Input::Written { token, result: result.map(|_| ()) });
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

    /// The socket ends; the client is not told.
    fn hang_up(&mut self, i: usize) {
        if let Some(end) = self.wires[i].take() {
            self.server.hang_up(end);
        }
    }

    /// Who is in a room.
    pub fn here(&self, room: RoomId) -> Vec<Author> {
        self.server.here(room)
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
        let wire = self.wires[i].and_then(|end| self.server.wires.get_mut(&end));
        if let Some(wire) = wire {
            (wire.deaf_up, wire.deaf_down) = (true, true);
        }
    }

    pub fn crash_client(&mut self, i: usize) {
        self.nodes[i].client = None;
        self.hang_up(i);
    }

    pub fn crash_server(&mut self) {
        self.server.crash(false);
        for i in 0..self.nodes.len() {
            if self.wires[i].take().is_some() {
                self.feed(i, client::Input::Closed { code: 1006 });
            }
        }
    }

    /// As after a restore of a copy that has the first `keep` entries of the lobby.
    pub fn restore(&mut self, keep: usize) {
        let mut copy = self.server.copy();
        copy.disk.truncate(LOBBY, keep);
        self.server.set_back(copy, true);
    }

    /// As after a power cut that took acked entries, with nothing to show for it.
    pub fn roll_back(&mut self, keep: usize) {
        let mut copy = self.server.copy();
        copy.disk.truncate(LOBBY, keep);
        copy.disk.forget_lanes();
        self.server.set_back(copy, false);
    }

    /// Lets everything that is under way arrive.
    pub fn settle(&mut self) {
        while (0..self.nodes.len()).any(|i| self.step(i)) {}
    }

    /// Lets time pass, with everything that falls due in it.
    pub fn wait(&mut self, ms: u64) {
        let end = self.now + Millis(ms);
        loop {
            self.settle();
            let clients = self.nodes.iter().filter_map(|node| node.client.as_ref()?.deadline());
            let due = clients.chain(self.server.deadline()).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due) + Millis(1);
            for i in 0..self.nodes.len() {
                self.feed(i, client::Input::Tick);
            }
            self.server.tick(self.now);
        }
        self.now = self.now.max(end);
    }

    /// One thing for one node, and all that the server does at once for it; `false` if there was
    /// nothing.
    pub fn step(&mut self, i: usize) -> bool {
        let Some(end) = self.wires[i] else {
            return false;
        };
        if let Some(down) = self.server.receive(end) {
            self.down(i, end, down);
            return true;
        }
        let mut moved = false;
        while let Some(way) = self.server.ways().into_iter().find(|way| concerns(*way, end)) {
            self.server.go(self.now, way, usize::MAX);
            moved = true;
        }
        moved
    }

    fn down(&mut self, i: usize, end: End, down: Down) {
        match down {
            Down::Text(text) if self.swallow.is_some_and(|part| text.contains(part)) => {
                self.swallow = None;
                self.swallowed += 1;
            }
            Down::Text(text) => self.feed(i, client::Input::Frame(text)),
            Down::Ping => self.server.send(end, Up::Pong),
            Down::Close(code) => {
                self.wires[i] = None;
                let code = code.close_number().expect("a close has a number");
                self.feed(i, client::Input::Closed { code });
            }
        }
    }

    /// What must hold of every reader at any time: it has the log's entries, each once and in
    /// order, exactly up to its cursor. And the ledger has seen nothing that does not hold.
    pub fn check(&self) {
        assert!(self.server.ledger.broken.is_none(), "{:?}", self.server.ledger.broken);
        for node in &self.nodes {
            for (room, cursor) in &node.database.cursors {
                let log = self.server.disk().log(*room);
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
        let data = self.server.disk().log(room).iter().filter_map(|entry| entry.data.as_ref());
        data.map(|data| data.get().to_owned()).collect()
    }
}

/// Whether a way is a connection's own, or the engine's.
fn concerns(way: Way, whose: End) -> bool {
    match way {
        Way::Output(end) | Way::Answer(end) | Way::Up(end) | Way::Items(end) => end == whose,
        Way::Begin | Way::Sync | Way::Finish => true,
    }
}
