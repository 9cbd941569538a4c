//! What clients send: read by the codec, taken by a session.

use crate::PART;
use holdfast_common::{
    codec,
    cursor::{Head, Mark},
    error::Code,
    frame::{Entry, LaneWatermark, RoomInfo},
    id::{ConnectionId, Epoch, EventId, PersonId, RoomId},
    limits::Limits,
    session::{Emitting, Input, Output, Session},
    storage::{Appended, Folds, Greeted, Membership, Registers, Resume, RoomState, Slice, Verdict},
    time::{Instant, Timestamp},
};
use std::{collections::VecDeque, sync::Arc};

const HELLO: &[u8] =
    include_bytes!("../../common/tests/golden/wire/v1/client/hello-first.frame").as_slice();
const ROOM: &str = "0199c82c-c000-7a00-8a00-000000000001";
const EPOCH: &str = "0199c82c-c000-7b00-8b00-000000000001";

/// Each frame is read or has its code; what was read is written and read again as the same. A session
/// that has just opened and one that was greeted take them all: they say only what a client can read,
/// not much more than they were told, and nothing behind a close.
///
/// # Panics
/// One of that is not so.
pub fn run(bytes: &[u8]) {
    let frames = || bytes.split(|byte| *byte == PART);
    frames().for_each(same_again);
    let mut opened = Talk::new();
    frames().for_each(|frame| opened.hear(frame));
    let mut greeted = Talk::new();
    greeted.hear(HELLO);
    assert!(greeted.session.person().is_some(), "the hello of this file is a good one");
    frames().for_each(|frame| greeted.hear(frame));
}

fn same_again(bytes: &[u8]) {
    let Ok(read) = codec::read_client(bytes) else { return };
    let mut written = codec::write_client(&read.frame).into_bytes();
    if !read.payload.is_empty() {
        written.push(b'\n');
        written.extend(read.payload);
    }
    let again = codec::read_client(&written).expect("what was written is read");
    assert_eq!(format!("{:?}", again.frame), format!("{:?}", read.frame));
    assert_eq!(again.payload, read.payload);
}

/// A session with a driver whose engine has one room and takes everything.
struct Talk {
    session: Session<String>,
    now: Instant,
    closed: bool,
}

impl Talk {
    fn new() -> Self {
        let now = Instant(0);
        let connection = ConnectionId::NIL;
        let session = Session::new(now, connection, Limits::default(), Arc::default());
        Self { session, now, closed: false }
    }

    fn hear(&mut self, frame: &[u8]) {
        // Slow enough for most of them, and too fast for a long row of them.
        self.now = Instant(self.now.0 + 3);
        let was_closed = self.closed;
        let mut bytes = 0;
        let mut outputs = self.feed(Input::Frame(frame));
        let direct: Vec<Code> = outputs.iter().filter_map(closing).collect();
        if !was_closed && frame.len() > Limits::default().frame_bytes() {
            assert_eq!(direct, [Code::FrameTooLarge]);
        } else if !was_closed && codec::read_client(frame).is_err() {
            assert_eq!(direct, [Code::BadFrame]);
        }
        let mut steps = 0;
        while let Some(output) = outputs.pop_front() {
            steps += 1;
            assert!(!was_closed, "nothing follows a close: {output:?}");
            bytes += self.carry_out(output, frame, &mut outputs);
        }
        let bound = frame.len() + 1_000;
        assert!(steps <= bound && bytes <= 64 * bound, "{steps} outputs, {bytes} bytes");
        let flushed = self.feed(Input::Flushed);
        assert!(flushed.is_empty() || !self.closed);
        self.answer_all(flushed, frame);
    }

    /// What comes of the room being told, until there is no more.
    fn answer_all(&mut self, mut outputs: VecDeque<Output<String>>, frame: &[u8]) {
        while let Some(output) = outputs.pop_front() {
            self.carry_out(output, frame, &mut outputs);
            if outputs.is_empty() {
                outputs = self.feed(Input::Flushed);
            }
        }
    }

    fn feed(&mut self, input: Input<'_, String>) -> VecDeque<Output<String>> {
        let outputs = self.session.handle(self.now, input);
        let closes = outputs.iter().filter_map(closing).count();
        assert!(closes <= 1 && (closes == 0 || closing(&outputs[outputs.len() - 1]).is_some()));
        self.closed |= closes > 0;
        assert_eq!(self.closed, self.session.is_closed());
        outputs.into()
    }

    /// Does it, and puts what comes of it behind the rest. Returns the bytes that went out.
    fn carry_out(
        &mut self,
        output: Output<String>,
        frame: &[u8],
        rest: &mut VecDeque<Output<String>>,
    ) -> usize {
        let answer = match output {
            Output::Send(text) => {
                let read = codec::read_server(&text).expect("a client reads what a session says");
                assert!(read.is_some(), "{text}");
                return text.len();
            }
            Output::Close(code) => {
                assert!(code.close_number().is_some(), "{code:?} closes no connection");
                return 0;
            }
            Output::Emit(emitting) => appended(*emitting, frame),
            other => match answered(other) {
                Some(answer) => answer,
                None => return 0,
            },
        };
        rest.extend(self.feed(answer));
        0
    }
}

fn closing(output: &Output<String>) -> Option<Code> {
    match output {
        Output::Close(code) => Some(*code),
        _ => None,
    }
}

/// The payload goes to the engine as it came, unless the frame alone condemns it.
fn appended(emitting: Emitting, frame: &[u8]) -> Input<'static, String> {
    let Emitting { emit, payload, condemned, .. } = emitting;
    let behind =
        frame.iter().position(|byte| *byte == b'\n').map_or(&[][..], |at| &frame[at + 1..]);
    if condemned == Some(Code::TooLarge) {
        assert!(payload.is_empty() && behind.len() > Limits::default().payload_bytes as usize);
    } else {
        assert_eq!(payload, behind);
    }
    let verdict = match condemned {
        None => {
            Verdict::Ack { id: emit.id, epoch: epoch(), offset: emit.n, reply: "null".to_owned() }
        }
        Some(code) => {
            Verdict::Reject { id: emit.id, code, detail: code.text().to_owned(), why: None }
        }
    };
    let appended = match emit.n % 4 {
        0 => Appended::Expected(emit.n - 1),
        _ => Appended::decided(verdict, None),
    };
    Input::Appended { room: emit.room, n: emit.n, appended }
}

/// What an engine with one room and a log of three entries answers.
fn answered(output: Output<String>) -> Option<Input<'static, String>> {
    Some(match output {
        Output::Greet(hello) => {
            let lanes = hello.lanes.iter().map(|lane| LaneWatermark {
                room: lane.room,
                watermark: lane.floor,
                lost: false,
            });
            let state = RoomState { info: info(), mark_at: None, missed_since: None };
            let resume = Resume { rooms: vec![state], lanes: lanes.collect(), ..Resume::default() };
            Input::Greeted { now: Timestamp(1), result: Ok(Greeted::Welcome(resume)) }
        }
        Output::Follow(room) => Input::Head { room, offset: 3 },
        Output::Slice { room, after } => {
            let entries = (1..=3).filter(|offset| *offset > after);
            let entries = entries.map(|it| (it, codec::write_entry(&entry(it)))).collect();
            let slice = Slice { head: info().head, entries, trimmed_mark: None };
            Input::Sliced { room, after, result: Ok(Some(slice)) }
        }
        Output::Page { req, room, before, limit, .. } => {
            assert!((1..=Limits::default().page).contains(&limit));
            let to = before.unwrap_or(4).clamp(1, 4) - 1;
            let folds = Folds { head: info().head, from: 1, to, skipped: 0, items: Vec::new() };
            Input::Paged { req, room, result: Ok(Some(folds)) }
        }
        Output::Find { req, room, ids } => {
            assert!(ids.len() <= Limits::default().unsettled as usize);
            let found = ids.into_iter().take(1).map(|id| (id, 1)).collect();
            Input::Found { req, room, result: Ok(Some((epoch(), found))) }
        }
        Output::Join { req, room } => membership(req, room, true),
        Output::Leave { req, room } => membership(req, room, false),
        Output::Latest { latest, payload } => {
            assert!(payload.len() <= Limits::default().payload_bytes as usize);
            let result = Ok(latest.rank.unwrap_or(0));
            Input::Stored { room: latest.room, kind: latest.kind, about: latest.rank, result }
        }
        Output::Directory => Input::Directory(Ok(vec![info()])),
        Output::Registers(query) => Input::Registers { query, result: Ok(Registers::default()) },
        _ => return None,
    })
}

fn membership(req: u64, room: RoomId, join: bool) -> Input<'static, String> {
    let mut info = info();
    let known = room == info.room;
    info.joined = join;
    let result = Ok(if known { Membership::Done(info) } else { Membership::NoRoom });
    Input::Membership { req, room, join, result }
}

fn epoch() -> Epoch {
    EPOCH.parse().expect("it is an id")
}

fn entry(offset: u64) -> Entry {
    let json = format!(
        r#"{{"offset":{offset},"mark":"{}","id":"{}","type":"message","at":1,"data":{{}},
            "from":{{"id":"{}","name":"Ada"}}}}"#,
        marks(offset),
        event(offset),
        PersonId::NIL,
    );
    serde_json::from_str(&json).expect("it is an entry")
}

fn event(offset: u64) -> EventId {
    EventId::from_bytes(u128::from(offset).to_be_bytes())
}

fn marks(offset: u64) -> Mark {
    (1..=offset).fold(Mark::START, |mark, offset| mark.next(offset, event(offset)))
}

fn info() -> RoomInfo {
    let room = ROOM.parse().expect("it is an id");
    let head = Head { epoch: epoch(), offset: 3, mark: marks(3), first: 1 };
    let (ns, name) = ("chat".to_owned(), "lobby".to_owned());
    RoomInfo { room, ns, name, head, joined: true, gone: false, inbox: false }
}
