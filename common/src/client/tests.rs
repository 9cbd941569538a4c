//! What the simulator cannot see as long as its disks answer at once: what happens between a batch
//! that was handed over and the word that it is committed.

mod rooms;
mod sending;
mod unsure;

use super::*;
use crate::{
    cursor::{Cursor, Head, Mark},
    frame::{
        Ack, AskIds, Found, LaneWatermark, Left, Refused, Reject, Retry, RoomInfo, Rooms, Settled,
        Welcome,
    },
    id::{ConnectionId, Epoch, EventId, PersonId, RoomId},
    time::{Millis, Timestamp},
};
use serde_json::value::RawValue;

const NOW: Instant = Instant(1);
const ROOM: RoomId = RoomId::NIL;

/// A client with its last batch, which is not committed yet.
struct Stage {
    client: Client,
    batch: Option<Batch>,
    sent: Vec<String>,
}

impl Stage {
    fn new(cursors: Vec<(RoomId, Cursor)>) -> Self {
        let snapshot = Snapshot {
            principal: Principal {
                person: PersonId::NIL,
                secret: "s".repeat(16),
                name: "Ada".to_owned(),
            },
            writer: WriterId::NIL,
            generation: 0,
            rows: Vec::new(),
            lanes: Vec::new(),
            cursors,
            latest: Vec::new(),
        };
        let client = Client::new(snapshot, SessionId::NIL, 1);
        Self { client, batch: None, sent: Vec::new() }
    }

    fn online() -> Self {
        Self::with(Vec::new())
    }

    /// Online, with something held of these rooms.
    fn with(cursors: Vec<(RoomId, Cursor)>) -> Self {
        let mut stage = Self::new(cursors);
        stage.feed(Input::Start);
        stage.commit();
        stage.welcome();
        stage
    }

    fn welcome(&mut self) {
        self.welcome_with(Vec::new());
    }

    fn welcome_with(&mut self, lanes: Vec<LaneWatermark>) {
        self.feed(Input::Opened);
        self.hear(&ServerFrame::Welcome(Welcome {
            connection: ConnectionId::NIL,
            server: String::new(),
            now: Timestamp(0),
            limits: Limits::default(),
            lanes,
            latest: Vec::new(),
        }));
    }

    fn feed(&mut self, input: Input) {
        for output in self.client.handle(NOW, input) {
            match output {
                Output::Write(batch) => {
                    let earlier = self.batch.replace(batch);
                    assert!(earlier.is_none(), "at most one batch is under way");
                }
                Output::Send(text) => self.sent.push(text),
                _ => {}
            }
        }
    }

    fn hear(&mut self, frame: &ServerFrame) {
        self.feed(Input::Frame(codec::write_server(frame)));
    }

    /// The batch under way is committed; returns its writes.
    fn commit(&mut self) -> Vec<Write> {
        let Batch { token, writes, .. } = self.batch.take().unwrap();
        self.feed(Input::Written { token, result: Ok(()) });
        writes
    }

    fn commit_all(&mut self) -> Vec<Write> {
        let mut writes = Vec::new();
        while self.batch.is_some() {
            writes.extend(self.commit());
        }
        writes
    }

    /// The connection ends, and the next one is under way.
    fn lose_the_line(&mut self) {
        self.feed(Input::Closed { code: 0 });
        self.feed(Input::Command(Command::RetryNow));
        self.commit_all();
        self.sent.clear();
    }

    fn add(&mut self, key: u8) {
        self.add_to(ROOM, key);
    }

    fn add_to(&mut self, room: RoomId, key: u8) {
        self.feed(Input::Added(held(room, key)));
    }

    /// What was asked last.
    fn question(&self) -> AskIds {
        let last = codec::read_client(self.sent.last().unwrap().as_bytes()).unwrap();
        let ClientFrame::Ask(ask) = last.frame else { panic!("{:?}", self.sent) };
        ask
    }

    /// What was transmitted: rooms and numbers.
    fn emits(&self) -> Vec<(RoomId, u64)> {
        let emits = self.sent.iter().filter_map(|text| {
            let incoming = codec::read_client(text.as_bytes()).unwrap();
            match incoming.frame {
                ClientFrame::Emit(emit) => Some((emit.room, emit.n)),
                _ => None,
            }
        });
        emits.collect()
    }

    fn numbers(&self) -> Vec<u64> {
        self.emits().into_iter().map(|(_, n)| n).collect()
    }
}

fn held(room: RoomId, key: u8) -> Row {
    let event = Held {
        id: id(key),
        ns: "chat".to_owned(),
        room,
        kind: "message".to_owned(),
        data: "{}".to_owned(),
        target: None,
        at: Timestamp(0),
    };
    Row { key: key.into(), event, state: RowState::Queued }
}

fn id(key: u8) -> EventId {
    EventId::from_bytes([key; 16])
}

fn ack(n: u8) -> ServerFrame {
    let reply = RawValue::from_string("null".to_owned()).unwrap();
    ServerFrame::Ack(Ack {
        room: ROOM,
        n: n.into(),
        id: id(n),
        epoch: Epoch::NIL,
        offset: n.into(),
        reply,
    })
}

#[test]
fn more_than_the_disk_can_take_in_time_ends_the_connection_and_is_asked_for_again() {
    let mut stage = Stage::online();
    stage.add(1);
    assert!(stage.batch.is_some(), "a batch is under way");
    let text = codec::write_server(&ServerFrame::Rooms(Rooms { rooms: Vec::new() }));
    let large = format!("{text}{}", " ".repeat(MOST_UNWRITTEN / 4));
    for _ in 0..3 {
        stage.feed(Input::Frame(large.clone()));
        assert!(stage.client.link.online());
    }
    stage.feed(Input::Frame(large.clone()));
    assert!(!stage.client.link.online());
    stage.commit_all();
    stage.feed(Input::Command(Command::RetryNow));
    stage.commit_all();
    stage.welcome();
    stage.commit_all();
    stage.feed(Input::Frame(large.clone()));
    assert!(stage.client.link.online(), "what is written counts no more");
}
