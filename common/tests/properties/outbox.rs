//! What a client does with its outbox, beside a model of what a person and a server see of it, with a
//! crash between any two outputs.

mod model;

use crate::{cases, epoch, event, room};
use holdfast_common::{
    client::{Batch, Client, Command, Held, Input, Key, Output, RowState},
    codec,
    error::Code,
    frame::{ClientFrame, Emit, Found, Hello, LaneWatermark, Refused, ServerFrame, Welcome},
    id::{ConnectionId, EventId, RoomId, SessionId},
    limits::Limits,
    time::{Instant, Timestamp},
};
use model::{Disk, Server, verdict};
use proptest::{prelude::*, sample::Index};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

#[derive(Debug, Clone)]
enum Step {
    /// Something is written in a room; a server rejects what is `bad`.
    Write {
        room: u8,
        bad: bool,
    },
    Edit(Index),
    Discard(Index),
    Resend(Index),
    /// The batch under way is on the disk.
    Commit,
    /// The server takes a frame, or says "not now".
    Serve {
        not_now: bool,
    },
    /// A frame of the server's arrives.
    Hear,
    Disconnect,
    /// Time passes, and a new connection is made and welcomed if one is wanted.
    Wait,
    /// The page is gone, with all that is not on the disk, and is loaded anew.
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let at = any::<Index>;
    prop_oneof![
        6 => (1..=2_u8, prop::bool::weighted(0.2)).prop_map(|(room, bad)| Step::Write { room, bad }),
        2 => at().prop_map(Step::Edit),
        2 => at().prop_map(Step::Discard),
        1 => at().prop_map(Step::Resend),
        12 => Just(Step::Commit),
        8 => prop::bool::weighted(0.1).prop_map(|not_now| Step::Serve { not_now }),
        8 => Just(Step::Hear),
        1 => Just(Step::Disconnect),
        4 => Just(Step::Wait),
        1 => Just(Step::Crash),
    ]
}

struct World {
    client: Client,
    disk: Disk,
    server: Server,
    now: Instant,
    batch: Option<Batch>,
    to_server: VecDeque<String>,
    to_client: VecDeque<ServerFrame>,
    /// A socket is to be opened.
    wants: bool,
    open: bool,
    events: u64,
    runs: u8,
    /// What was transmitted under each number, and the highest of each lane.
    sent: BTreeMap<(RoomId, u64), (EventId, String)>,
    /// What was ever transmitted.
    transmitted: BTreeSet<EventId>,
    /// What a person was told is gone, and what they wrote last of the rest.
    discarded: BTreeSet<EventId>,
    texts: BTreeMap<EventId, String>,
}

impl World {
    fn new() -> Self {
        let disk = Disk::default();
        let mut world = Self {
            client: Client::new(disk.snapshot(), SessionId::NIL, 1),
            disk,
            server: Server::default(),
            now: Instant(0),
            batch: None,
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            wants: false,
            open: false,
            events: 0,
            runs: 0,
            sent: BTreeMap::new(),
            transmitted: BTreeSet::new(),
            discarded: BTreeSet::new(),
            texts: BTreeMap::new(),
        };
        world.feed(Input::Start);
        world
    }

    fn fresh(&mut self) -> EventId {
        self.events += 1;
        event(self.events)
    }

    fn feed(&mut self, input: Input) {
        for output in self.client.handle(self.now, input) {
            match output {
                Output::Connect => (self.wants, self.open) = (true, false),
                Output::Close(_) => self.cut(),
                Output::Send(text) => {
                    self.leaves(&text);
                    self.to_server.push_back(text);
                }
                Output::Write(batch) => {
                    let before = self.batch.replace(batch);
                    assert!(before.is_none(), "at most one batch is under way");
                }
                Output::WantWriter => panic!("nothing has shown that the outbox was set back"),
                Output::Show(_) => {}
            }
        }
    }

    /// An event leaves with a number that is on the disk, dense, and its own for ever.
    fn leaves(&mut self, text: &str) {
        let read = codec::read_client(text.as_bytes()).unwrap();
        let ClientFrame::Emit(Emit { room, n, id, .. }) = read.frame else { return };
        let payload = String::from_utf8(read.payload.to_vec()).unwrap();
        let stored = self.disk.rows.values().find(|row| row.event.id == id).unwrap();
        assert_eq!(
            stored.state,
            RowState::Sent { n },
            "the number is on the disk before the bytes"
        );
        assert_eq!(stored.event.data, payload, "what leaves is what is held");
        assert!(n == 1 || self.sent.contains_key(&(room, n - 1)), "{n} follows no number");
        let first = self.sent.entry((room, n)).or_insert_with(|| (id, payload.clone()));
        assert_eq!(*first, (id, payload), "a number is one event's, with the same bytes each time");
        self.transmitted.insert(id);
    }

    fn cut(&mut self) {
        (self.wants, self.open) = (false, false);
        self.to_server.clear();
        self.to_client.clear();
    }

    fn rows(&self, of: impl Fn(&RowState) -> bool) -> Vec<EventId> {
        let rows = self.disk.rows.values().filter(|row| of(&row.state));
        rows.map(|row| row.event.id).collect()
    }

    fn step(&mut self, step: &Step) {
        let queued = self.rows(|state| *state == RowState::Queued);
        let rejected = self.rows(|state| matches!(state, RowState::Rejected { .. }));
        match step {
            Step::Write { room: n, bad } => {
                let id = self.fresh();
                let data = format!("{{\"{}\":{}}}", if *bad { "bad" } else { "good" }, self.events);
                self.texts.insert(id, data.clone());
                let (ns, kind) = ("chat".to_owned(), "message".to_owned());
                let (room, target, at) = (room(*n), None, Timestamp(0));
                let row = self.disk.add(Held { id, ns, room, kind, data, target, at });
                self.feed(Input::Added(row));
            }
            Step::Edit(at) if !queued.is_empty() => {
                let id = *at.get(&queued);
                let data = format!("{{\"edited\":{}}}", self.events);
                self.feed(Input::Command(Command::Revise { id, data }));
            }
            Step::Discard(at) if !queued.is_empty() => {
                let id = *at.get(&queued);
                self.feed(Input::Command(Command::Discard { id }));
            }
            Step::Resend(at) if !rejected.is_empty() => {
                let id = *at.get(&rejected);
                let ids = self.client.shelf(id).iter().map(|_| self.fresh()).collect();
                self.feed(Input::Command(Command::Resend { id, ids }));
            }
            Step::Commit => self.commit(),
            Step::Serve { not_now } => self.serve(*not_now),
            Step::Hear => {
                if let Some(frame) = self.to_client.pop_front() {
                    self.feed(Input::Frame(codec::write_server(&frame)));
                }
            }
            Step::Disconnect if self.open => {
                self.cut();
                self.feed(Input::Closed { code: 1006 });
            }
            Step::Wait => self.wait(),
            Step::Crash => {
                self.cut();
                self.batch = None;
                self.runs += 1;
                let session = SessionId::from_bytes([self.runs; 16]);
                self.client = Client::new(self.disk.snapshot(), session, 1);
                self.feed(Input::Start);
            }
            Step::Edit(_) | Step::Discard(_) | Step::Resend(_) | Step::Disconnect => {}
        }
    }

    /// What a person sees is what is committed, so they know of an edit from then on.
    fn commit(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        let token = batch.token;
        let before = self.disk.clone();
        let added = self.disk.commit(batch);
        for row in self.disk.rows.values() {
            self.texts.insert(row.event.id, row.event.data.clone());
        }
        for (key, row) in &before.rows {
            let gone = !self.disk.rows.contains_key(key);
            match row.state {
                RowState::Queued | RowState::Rejected { .. } if gone => {
                    assert!(
                        !self.in_logs(row.event.id),
                        "{:?} stands, and is gone here",
                        row.event
                    );
                    self.discarded.insert(row.event.id);
                }
                _ => assert!(!gone, "{row:?} left the outbox without a verdict"),
            }
        }
        self.feed(Input::Written { token, result: Ok(()) });
        for row in added {
            self.feed(Input::Added(row));
        }
    }

    fn in_logs(&self, id: EventId) -> bool {
        self.server.logs.values().flatten().any(|(it, _)| *it == id)
    }

    fn serve(&mut self, not_now: bool) {
        let Some(text) = self.to_server.pop_front() else { return };
        let read = codec::read_client(text.as_bytes()).unwrap();
        let payload = std::str::from_utf8(read.payload).unwrap();
        match read.frame {
            ClientFrame::Emit(emit) => {
                let heard = self.server.take(&emit, payload, not_now);
                self.to_client.extend(heard);
            }
            ClientFrame::Hello(hello) => self.greet(&hello),
            ClientFrame::Ask(ask) => {
                let log = self.server.logs.get(&ask.room);
                let place = |id: &EventId| log?.iter().position(|(it, _)| it == id);
                let found = ask.ids.iter().filter_map(|id| Some((*id, place(id)? as u64 + 1)));
                let (req, room, found) = (ask.req, ask.room, found.collect());
                self.to_client.push_back(match log {
                    Some(_) => ServerFrame::Found(Found { req, room, epoch: epoch(1), found }),
                    None => {
                        let (code, detail) = (Code::UnknownRoom, String::new());
                        ServerFrame::Refused(Refused { req, code, detail })
                    }
                });
            }
            ClientFrame::Ping(_) => {}
            other => panic!("nobody wanted {other:?}"),
        }
    }

    fn greet(&mut self, hello: &Hello) {
        let mut verdicts = Vec::new();
        let lanes = hello.lanes.iter().map(|lane| {
            let watermark = self.server.watermarks.get(&lane.room).copied().unwrap_or(0);
            assert!(lane.floor <= watermark && lane.next > watermark, "{lane:?}");
            for n in lane.floor + 1..=watermark {
                let (id, place) = self.server.verdicts[&(lane.room, n)];
                verdicts.push(verdict(lane.room, n, id, place));
            }
            LaneWatermark { room: lane.room, watermark, lost: false }
        });
        let welcome = ServerFrame::Welcome(Welcome {
            connection: ConnectionId::NIL,
            server: String::new(),
            now: Timestamp(0),
            limits: Limits { window: 4, ..Limits::default() },
            lanes: lanes.collect(),
            latest: Vec::new(),
        });
        self.server.awaits.clear();
        self.to_client.push_back(welcome);
        self.to_client.extend(verdicts);
    }

    fn wait(&mut self) {
        if self.wants {
            (self.wants, self.open) = (false, true);
            return self.feed(Input::Opened);
        }
        if let Some(due) = self.client.deadline().filter(|_| !self.open) {
            self.now = self.now.max(due);
        } else {
            self.now = Instant(self.now.0 + 5);
        }
        self.feed(Input::Tick);
    }

    /// From here on all goes well, until nothing waits any more.
    fn settle(&mut self) {
        for _ in 0..3_000 {
            self.step(&Step::Commit);
            self.step(&Step::Serve { not_now: false });
            self.step(&Step::Hear);
            if self.batch.is_none() && self.to_server.is_empty() && self.to_client.is_empty() {
                if self.open && self.client.pending() == 0 {
                    return;
                }
                self.wait();
            }
        }
        panic!("{} events never got their verdict: {:?}", self.client.pending(), self.disk.rows);
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn whatever_happens_each_event_stands_once_or_its_writer_has_it(
        steps in prop::collection::vec(step(), 0..150),
    ) {
        let mut world = World::new();
        for step in &steps {
            world.step(step);
        }
        world.settle();
        let mut places: BTreeMap<EventId, u32> = BTreeMap::new();
        for (id, text) in world.server.logs.values().flatten() {
            *places.entry(*id).or_default() += 1;
            prop_assert_eq!(Some(text), world.texts.get(id), "what stands is what was written last");
            prop_assert!(!world.discarded.contains(id), "what was discarded stands");
        }
        for row in world.disk.rows.values() {
            match &row.state {
                RowState::Acked { offset, .. } => {
                    let (id, _) = &world.server.logs[&row.event.room][*offset as usize - 1];
                    prop_assert_eq!(*id, row.event.id, "an ack names the event's place");
                }
                RowState::Rejected { .. } => *places.entry(row.event.id).or_default() += 1,
                state => prop_assert!(false, "{:?} still waits", state),
            }
        }
        for n in 1..=world.events {
            let id = event(n);
            // A resend takes a new id only if it comes to be.
            if world.texts.contains_key(&id) {
                let count = places.get(&id).copied().unwrap_or(0);
                let gone = u32::from(world.discarded.contains(&id));
                prop_assert_eq!(count + gone, 1, "{:?} is there once, or was discarded", id);
            }
        }
        for log in world.server.logs.values() {
            let order: Vec<Key> = log
                .iter()
                .map(|(id, _)| world.disk.rows.values().find(|row| row.event.id == *id).unwrap().key)
                .collect();
            prop_assert!(order.is_sorted(), "a writer's events keep their order: {:?}", order);
        }
    }
}
