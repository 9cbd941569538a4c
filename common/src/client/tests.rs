//! What the simulator cannot see as long as its disks answer at once: what happens between a batch
//! that was handed over and the word that it is committed.

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

fn reject(n: u8) -> ServerFrame {
    ServerFrame::Reject(Reject {
        room: ROOM,
        n: n.into(),
        id: id(n),
        code: Code::NotMember,
        detail: String::new(),
        why: None,
    })
}

/// The room, which is not joined, as the directory has it.
fn listed(gone: bool) -> ServerFrame {
    let head = Head { epoch: Epoch::NIL, offset: 1, mark: Mark::START, first: 1 };
    let (ns, name) = ("chat".to_owned(), "ward".to_owned());
    let info = RoomInfo { room: ROOM, ns, name, head, joined: false, gone, inbox: false };
    ServerFrame::Rooms(Rooms { rooms: vec![info] })
}

#[test]
fn a_number_leaves_only_when_it_is_on_the_disk_itself() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit();
    stage.hear(&ack(1));
    stage.commit_all();
    assert_eq!(stage.numbers(), [1]);
    stage.add(2);
    // This one's number has to wait for the next batch.
    stage.add(3);
    stage.commit();
    assert_eq!(stage.numbers(), [1, 2]);
    stage.commit();
    assert_eq!(stage.numbers(), [1, 2, 3]);
}

#[test]
fn a_verdict_that_is_being_written_is_kept_when_the_writer_is_replaced() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit();
    stage.hear(&reject(1));
    stage.feed(Input::Closed { code: Code::Fenced.number() });
    stage.feed(Input::NewWriter(WriterId::from_bytes([2; 16])));
    let writes = stage.commit_all();
    let states = writes.iter().filter_map(|write| match write {
        Write::PutRow(row) => Some(&row.state),
        _ => None,
    });
    let states: Vec<_> = states.collect();
    assert!(matches!(states[..], [RowState::Rejected { .. }]), "{states:?}");
    stage.sent.clear();
    stage.welcome();
    stage.commit_all();
    assert!(stage.numbers().is_empty());
}

#[test]
fn a_verdict_of_an_earlier_connection_says_nothing_about_how_far_this_one_has_decided() {
    let mut stage = Stage::online();
    for key in 1..=3 {
        stage.add(key);
    }
    stage.commit_all();
    // One alone goes first, and its verdict is being written when the connection is lost.
    assert_eq!(stage.numbers(), [1]);
    stage.hear(&ack(1));
    let settled = stage.batch.take().unwrap();
    stage.feed(Input::Closed { code: 0 });
    stage.feed(Input::Command(Command::RetryNow));
    stage.feed(Input::Written { token: settled.token, result: Ok(()) });
    stage.commit_all();
    stage.sent.clear();
    stage.welcome();
    assert_eq!(stage.numbers(), [2]);
}

#[test]
fn nothing_goes_behind_a_held_number_before_the_floor_says_that_it_is_settled() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    stage.add(2);
    stage.add(3);
    stage.commit_all();
    assert_eq!(stage.numbers(), [1, 2, 3]);
    stage.hear(&ack(2));
    let (code, after) = (Code::TooFast, Millis(0));
    stage.hear(&ServerFrame::Retry(Retry { room: ROOM, n: 2, code, after }));
    stage.feed(Input::Tick);
    assert_eq!(stage.numbers(), [1, 2, 3], "its floor would not reach the held number");
    stage.commit_all();
    stage.feed(Input::Tick);
    assert_eq!(stage.numbers(), [1, 2, 3, 3]);
}

#[test]
fn what_is_behind_an_expected_number_that_has_left_goes_once_the_floor_has_passed_it() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    stage.add(2);
    stage.add(3);
    stage.add(4);
    stage.commit_all();
    stage.hear(&ack(3));
    stage.commit_all();
    // Set back to before all of them, the server has the second only because it came again.
    stage.hear(&ack(2));
    stage.hear(&ServerFrame::Expected(Settled { room: ROOM, n: 3 }));
    assert_eq!(stage.numbers(), [1, 2, 3, 4], "its floor would not reach the expected number");
    stage.commit_all();
    assert_eq!(stage.numbers(), [1, 2, 3, 4, 4]);
}

#[test]
fn a_long_backlog_in_one_room_does_not_hold_another_one_back() {
    let other = RoomId::from_bytes([9; 16]);
    let mut stage = Stage::online();
    for key in 1..=200 {
        stage.add(key);
    }
    stage.add_to(other, 201);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    assert!(stage.emits().contains(&(other, 1)), "{:?}", stage.emits());
    assert!(stage.client.pending() > 100, "the backlog is not done");
}

#[test]
fn an_ack_that_comes_when_the_room_was_left_does_not_stay_in_the_outbox() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit_all();
    stage.hear(&ServerFrame::Left(Left { req: None, room: ROOM }));
    stage.hear(&ack(1));
    let writes = stage.commit_all();
    assert!(writes.iter().any(|write| matches!(write, Write::DeleteRow(1))), "{writes:?}");
}

/// A client whose acked event has not arrived when its connection ends, and the next begins.
fn acked_and_away() -> Stage {
    let mut stage = Stage::with(vec![(ROOM, Cursor::start(Epoch::NIL))]);
    stage.add(1);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    stage.lose_the_line();
    stage.welcome();
    stage
}

fn asked(stage: &Stage) -> u64 {
    let ask = stage.question();
    assert_eq!((ask.room, &ask.ids[..]), (ROOM, &[id(1)][..]));
    ask.req
}

#[test]
fn an_acked_event_of_a_room_that_is_lost_is_sent_again_to_be_refused_and_not_forgotten() {
    let mut stage = acked_and_away();
    stage.hear(&ServerFrame::Left(Left { req: None, room: ROOM }));
    let (req, code) = (asked(&stage), Code::UnknownRoom);
    stage.hear(&ServerFrame::Refused(Refused { req, code, detail: String::new() }));
    stage.commit_all();
    assert_eq!(stage.numbers(), [2]);
}

#[test]
fn whether_a_room_that_one_is_not_in_has_an_acked_event_is_asked_before_it_is_forgotten() {
    let mut stage = acked_and_away();
    stage.hear(&listed(false));
    stage.hear(&ServerFrame::Left(Left { req: None, room: ROOM }));
    let found =
        Found { req: asked(&stage), room: ROOM, epoch: Epoch::NIL, found: vec![(id(1), 1)] };
    stage.hear(&ServerFrame::Found(found));
    let writes = stage.commit_all();
    assert!(writes.iter().any(|write| matches!(write, Write::DeleteRow(1))), "{writes:?}");
    assert!(stage.numbers().is_empty());
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

#[test]
fn a_held_room_that_the_greeting_does_not_list_is_lost_and_a_listed_one_was_left() {
    let left = || ServerFrame::Left(Left { req: None, room: ROOM });
    let held = || vec![(ROOM, Cursor::start(Epoch::NIL))];
    let mut stage = Stage::with(held());
    stage.hear(&left());
    assert!(matches!(stage.commit_all()[..], [Write::Lost(ROOM)]));
    let mut stage = Stage::with(held());
    stage.hear(&listed(false));
    stage.hear(&left());
    let writes = stage.commit_all();
    assert!(matches!(writes[..], [Write::Room(_), Write::Left(ROOM)]), "{writes:?}");
}

#[test]
fn an_acked_event_went_with_its_deleted_room() {
    let mut stage = acked_and_away();
    stage.hear(&listed(true));
    stage.hear(&ServerFrame::Left(Left { req: None, room: ROOM }));
    let writes = stage.commit_all();
    assert!(writes.iter().any(|write| matches!(write, Write::DeleteRow(1))), "{writes:?}");
    assert!(!stage.sent.iter().any(|text| text.starts_with("{\"ask\"")), "{:?}", stage.sent);
}

#[test]
fn an_acked_event_of_a_room_of_which_nothing_came_has_the_room_named_in_the_hello() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    stage.lose_the_line();
    stage.feed(Input::Opened);
    let start = "\"offset\":0,\"mark\":\"0000000000000000\"";
    assert!(stage.sent[0].contains(start), "{:?}", stage.sent);
}

#[test]
fn nothing_goes_behind_a_number_that_is_decided_before_its_verdict_shows_whose_it_was() {
    let mut stage = Stage::online();
    for key in 1..=3 {
        stage.add(key);
    }
    stage.commit_all();
    assert_eq!(stage.numbers(), [1]);
    stage.lose_the_line();
    stage.welcome_with(vec![LaneWatermark { room: ROOM, watermark: 2, lost: false }]);
    stage.hear(&ack(1));
    stage.commit_all();
    assert!(stage.numbers().is_empty(), "the verdict of 2 may be another event's");
    stage.hear(&ack(2));
    stage.commit_all();
    assert_eq!(stage.numbers(), [3]);
}

/// A client that was fenced while so many events were waiting or under way, and is told that the log has
/// none of them.
fn asked_in_vain(events: u8) -> Stage {
    let mut stage = Stage::online();
    for key in 1..=events {
        stage.add(key);
    }
    stage.commit_all();
    stage.feed(Input::Closed { code: Code::Fenced.number() });
    stage.feed(Input::NewWriter(WriterId::from_bytes([2; 16])));
    stage.commit_all();
    stage.sent.clear();
    stage.welcome();
    stage.commit_all();
    let (req, epoch) = (stage.question().req, Epoch::NIL);
    assert!(stage.numbers().is_empty());
    stage.hear(&ServerFrame::Found(Found { req, room: ROOM, epoch, found: Vec::new() }));
    stage
}

#[test]
fn what_was_asked_about_and_not_found_goes_out_as_it_was_and_is_nobodys_to_change() {
    let most = u8::try_from(Limits::default().window).unwrap() + 2;
    let mut stage = asked_in_vain(most);
    // The last ones still wait for their numbers; what another copy has sent of them may come yet.
    let (revised, discarded) = (id(most - 1), id(most));
    stage.feed(Input::Command(Command::Revise { id: revised, data: "{\"new\":1}".to_owned() }));
    stage.feed(Input::Command(Command::Discard { id: discarded }));
    let mut writes = stage.commit_all();
    for n in 1..=most {
        stage.hear(&ack(n));
        writes.extend(stage.commit_all());
    }
    assert_eq!(stage.numbers(), (1..=most.into()).collect::<Vec<u64>>());
    for write in writes {
        match write {
            Write::PutRow(row) => {
                assert_eq!(row.event.data, "{}");
                assert_ne!(row.state, RowState::Queued);
            }
            write => assert!(!matches!(write, Write::DeleteRow(_)), "{write:?}"),
        }
    }
}

#[test]
fn what_may_have_been_transmitted_and_is_too_large_by_now_gets_its_verdict_from_the_server() {
    let mut stage = Stage::online();
    let large = "x".repeat(Limits::default().payload_bytes as usize + 1);
    let mut row = held(ROOM, 1);
    (row.event.data, row.state) = (large, RowState::Unsure);
    stage.feed(Input::Added(row));
    let (req, epoch) = (stage.question().req, Epoch::NIL);
    stage.hear(&ServerFrame::Found(Found { req, room: ROOM, epoch, found: Vec::new() }));
    stage.commit_all();
    assert_eq!(stage.numbers(), [1]);
    assert!(stage.sent.last().unwrap().ends_with('\n'), "without its payload");
}
