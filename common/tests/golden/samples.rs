//! What stands in the files, as values: one for each frame and each stored form, and one more for
//! each optional member that changes what is written.

use holdfast_common::{
    client::{Held, LaneRow, LatestRow, Principal, Row, RowState, Write},
    cursor::{Cursor, Head, Mark, Offset, ResetReason},
    error::Code,
    frame::*,
    id::{Epoch, EventId, PersonId, RoomId},
    limits::Limits,
    time::{Millis, Timestamp},
};
use serde_json::value::RawValue;
use std::str::FromStr;

pub const WRITER: &str = "0199c82c-c000-7e00-8e00-000000000001";
const SESSION: &str = "0199c82c-c000-7f00-8f00-000000000001";
pub const CONNECTION: &str = "0199c82c-c000-7c00-8c00-000000000001";
const AT: u64 = 1_760_000_000_000;

pub fn id<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("it is an id")
}

fn room() -> RoomId {
    id("0199c82c-c000-7a00-8a00-000000000001")
}

fn other_room() -> RoomId {
    id("0199c82c-c000-7a00-8a00-000000000002")
}

fn epoch() -> Epoch {
    id("0199c82c-c000-7b00-8b00-000000000001")
}

fn event(n: Offset) -> EventId {
    id(&format!("0199c82c-c000-7000-8000-{n:012}"))
}

pub fn ada() -> PersonId {
    id("0199c82c-c000-7d00-8d00-000000000001")
}

fn bo() -> PersonId {
    id("0199c82c-c000-7d00-8d00-000000000002")
}

fn author(id: PersonId, name: &str) -> Author {
    Author { id, name: name.to_owned() }
}

pub fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("it is JSON")
}

pub fn at(n: Offset) -> Timestamp {
    Timestamp(AT + n)
}

/// The log of the samples: the event at each offset has the id with its number.
fn mark(offset: Offset) -> Mark {
    (1..=offset).fold(Mark::START, |mark, offset| mark.next(offset, event(offset)))
}

fn cursor(offset: Offset) -> Cursor {
    Cursor { epoch: epoch(), offset, mark: mark(offset) }
}

fn head() -> Head {
    Head { epoch: epoch(), offset: 5, mark: mark(5), first: 1 }
}

fn entry(offset: Offset, kind: &str, data: &str) -> Entry {
    Entry {
        offset,
        mark: mark(offset),
        id: event(offset),
        kind: kind.to_owned(),
        from: author(ada(), "Ada"),
        at: at(offset),
        data: Some(raw(data)),
    }
}

fn hollow(offset: Offset) -> Entry {
    Entry { from: author(bo(), "Bo"), data: None, ..entry(offset, HOLLOW, "null") }
}

fn message() -> Entry {
    entry(2, "message", r#"{"text":"Tea is \"ready\"\n☕"}"#)
}

fn edit() -> Entry {
    let data = format!(r#"{{"target":"{}","text":"Tea is gone"}}"#, event(2));
    entry(4, "edit", &data)
}

fn folded() -> Vec<Folded> {
    let plain = Folded { entry: entry(1, "room_created", r#"{"name":"lobby"}"#), change: None };
    let changed = Folded { entry: message(), change: Some(edit()) };
    vec![plain, changed, Folded { entry: hollow(3), change: None }]
}

fn room_info() -> RoomInfo {
    RoomInfo {
        room: room(),
        ns: "chat".to_owned(),
        name: "lobby".to_owned(),
        head: head(),
        joined: true,
        gone: false,
        inbox: false,
    }
}

fn latest_set() -> LatestSet {
    LatestSet {
        ns: "chat".to_owned(),
        room: room(),
        kind: "read".to_owned(),
        person: ada(),
        rank: 5,
        data: raw(r#"{"offset":5}"#),
    }
}

fn hello() -> Hello {
    Hello {
        person: ada(),
        secret: "correct horse battery staple".to_owned(),
        name: "Ada".to_owned(),
        writer: id(WRITER),
        generation: 7,
        session: id(SESSION),
        rooms: vec![RoomCursor { room: room(), cursor: cursor(3) }],
        lanes: vec![LaneState { room: room(), floor: 4, next: 7 }],
        more: false,
    }
}

fn emit() -> ClientFrame {
    ClientFrame::Emit(Emit {
        ns: "chat".to_owned(),
        room: room(),
        n: 5,
        floor: 4,
        id: event(6),
        kind: "message".to_owned(),
    })
}

/// Each with what follows its line break.
pub fn client_frames() -> Vec<(&'static str, ClientFrame, Option<&'static str>)> {
    use ClientFrame as F;
    let fresh = Hello { rooms: Vec::new(), lanes: Vec::new(), generation: 1, ..hello() };
    let (ns, kind) = ("chat".to_owned(), "typing".to_owned());
    let signal = F::Signal(Signal { ns: ns.clone(), room: room(), kind });
    let latest = SetLatest { ns, room: room(), kind: "read".to_owned(), rank: None };
    let latest_rank = F::Latest(SetLatest { rank: Some(5), ..latest.clone() });
    let ask = JoinRoom { req: 1, room: room() };
    let history = History { req: 3, room: room(), before: None, limit: 100 };
    let ids = vec![event(6), event(7)];
    vec![
        ("hello", F::Hello(hello()), None),
        ("hello-first", F::Hello(fresh), None),
        ("hello-more", F::Hello(Hello { more: true, ..hello() }), None),
        ("emit", emit(), Some(r#"{"text":"Tea is \"ready\"\n☕"}"#)),
        ("emit-lines", emit(), Some("{\n  \"text\": \"Tea\"\n}\n")),
        ("emit-no-json", emit(), Some("no JSON at all\n{")),
        ("emit-nothing", emit(), Some("")),
        ("signal", signal, Some("{}")),
        ("latest", F::Latest(latest), Some(r#"{"offset":5}"#)),
        ("latest-rank", latest_rank, Some(r#"{"offset":5}"#)),
        ("join", F::Join(ask), None),
        ("leave", F::Leave(LeaveRoom { req: 2, room: room() }), None),
        ("history", F::History(history), None),
        ("history-before", F::History(History { before: Some(401), ..history }), None),
        ("ask", F::Ask(AskIds { req: 4, room: room(), ids }), None),
        ("ping", F::Ping(Ping { n: 1 }), None),
    ]
}

pub fn server_frames() -> Vec<(&'static str, ServerFrame)> {
    let parts = [greeting_frames(), reading_frames(), verdict_frames(), other_frames()];
    parts.into_iter().flatten().collect()
}

pub fn server_frame(stem: &str) -> ServerFrame {
    let frame = server_frames().into_iter().find(|(of, _)| *of == stem);
    frame.expect("there is such a sample").1
}

fn greeting_frames() -> Vec<(&'static str, ServerFrame)> {
    use ServerFrame as F;
    let welcome = Welcome {
        connection: id(CONNECTION),
        server: "0.1.0".to_owned(),
        now: at(0),
        limits: Limits::default(),
        lanes: vec![LaneWatermark { room: room(), watermark: 5, lost: false }],
        latest: vec![latest_set()],
    };
    let lost = vec![LaneWatermark { room: room(), watermark: 4, lost: true }];
    let welcome_lost = Welcome { lanes: lost, latest: Vec::new(), ..welcome.clone() };
    let plans = RoomInfo { room: other_room(), name: "plans".to_owned(), ..room_info() };
    let inbox = RoomInfo { name: "Inbox".to_owned(), inbox: true, ..plans.clone() };
    let trimmed = Head { first: 6, ..head() };
    let gone = RoomInfo { joined: false, gone: true, head: trimmed, ..plans };
    vec![
        ("welcome", F::Welcome(welcome)),
        ("welcome-lost", F::Welcome(welcome_lost)),
        ("rooms", F::Rooms(Rooms { rooms: vec![room_info()] })),
        ("rooms-inbox", F::Rooms(Rooms { rooms: vec![inbox] })),
        ("rooms-gone", F::Rooms(Rooms { rooms: vec![gone] })),
        ("away", F::Away(Away { after: Millis(1000) })),
        ("pong", F::Pong(Ping { n: 1 })),
    ]
}

fn reading_frames() -> Vec<(&'static str, ServerFrame)> {
    use ServerFrame as F;
    let entries = |entries| F::Entries(Entries { room: room(), epoch: epoch(), entries });
    let reset = |reason| F::Reset(Reset { room: room(), reason, head: head() });
    let (from, to, count) = (1, 3, 3);
    let gap = |reason| F::Gap(Gap { room: room(), from, to, count, reason, cursor: cursor(3) });
    let page = Page {
        req: None,
        room: room(),
        as_of: cursor(5),
        from: 1,
        to: 5,
        first: 1,
        skipped: 0,
        items: folded(),
    };
    let jump = Page { from: 3, skipped: 2, items: vec![folded().remove(2)], ..page.clone() };
    let asked = Page { req: Some(3), to: 3, ..page.clone() };
    let empty = Page { req: Some(3), from: 6, first: 6, items: Vec::new(), ..page.clone() };
    vec![
        ("entries", entries(vec![message(), edit()])),
        ("entries-hollow", entries(vec![hollow(3)])),
        ("reset", reset(ResetReason::Epoch)),
        ("reset-forked", reset(ResetReason::Forked)),
        ("reset-future", reset(ResetReason::Future)),
        ("gap", gap(GapReason::Trimmed)),
        ("gap-absent", gap(GapReason::Absent)),
        ("gap-reset", gap(GapReason::Reset)),
        ("page", F::Page(page)),
        ("page-skipped", F::Page(jump)),
        ("page-asked", F::Page(asked)),
        ("page-empty", F::Page(empty)),
        ("live", F::Live(Live { room: room(), offset: 5 })),
    ]
}

fn verdict_frames() -> Vec<(&'static str, ServerFrame)> {
    use ServerFrame as F;
    let (room, n, id, epoch, offset) = (room(), 5, event(6), epoch(), 6);
    let ack = |reply| F::Ack(Ack { room, n, id, epoch, offset, reply: raw(reply) });
    let reject = |code: Code, why: Option<&str>| {
        let detail = "There is nothing in it.".to_owned();
        F::Reject(Reject { room, n, id, code, detail, why: why.map(raw) })
    };
    let retry = Retry { room, n, code: Code::StorageFull, after: Millis(1000) };
    vec![
        ("ack", ack("null")),
        ("ack-reply", ack(r#"{"name":"plans-2"}"#)),
        ("reject", reject(Code::BadPayload, None)),
        ("reject-why", reject(Code::Refused, Some(r#"{"reason":"empty"}"#))),
        ("retry", F::Retry(retry)),
        ("settled", F::Settled(Settled { room, n: 4 })),
        ("expected", F::Expected(Settled { room, n: 5 })),
    ]
}

fn other_frames() -> Vec<(&'static str, ServerFrame)> {
    use ServerFrame as F;
    let room = room();
    let (kind, detail) = ("read".to_owned(), Code::NotMember.text().to_owned());
    let stored = Stored { room, kind, rank: 5, code: None, about: None };
    let not_stored = Stored { rank: 0, code: Some(Code::NotMember), ..stored.clone() };
    let signal = Signalled {
        ns: "chat".to_owned(),
        room: Some(room),
        kind: "typing".to_owned(),
        from: author(bo(), "Bo"),
        data: raw("{}"),
    };
    let direct = Signalled { room: None, ..signal.clone() };
    let all = Presence { room, all: true, came: vec![author(ada(), "Ada")], left: Vec::new() };
    let came = Presence { all: false, came: vec![author(bo(), "Bo")], ..all.clone() };
    let left = Presence { all: false, came: Vec::new(), left: vec![bo()], ..all.clone() };
    let found = Found { req: 4, room, epoch: epoch(), found: vec![(event(6), 6)] };
    vec![
        ("signal", F::Signal(signal)),
        ("signal-direct", F::Signal(direct)),
        ("latest", F::Latest(latest_set())),
        ("stored", F::Stored(stored)),
        ("stored-code", F::Stored(not_stored.clone())),
        ("stored-about", F::Stored(Stored { about: Some(5), ..not_stored })),
        ("presence-all", F::Presence(all)),
        ("presence-came", F::Presence(came)),
        ("presence-left", F::Presence(left)),
        ("joined", F::Joined(Joined { req: 1, room: room_info() })),
        ("left", F::Left(Left { req: None, room })),
        ("left-asked", F::Left(Left { req: Some(2), room })),
        ("found", F::Found(found)),
        ("refused", F::Refused(Refused { req: 3, code: Code::NotMember, detail })),
    ]
}

pub fn principal() -> Principal {
    let Hello { person, secret, name, .. } = hello();
    Principal { person, secret, name }
}

pub fn lane_row() -> LaneRow {
    LaneRow { room: room(), next: 7 }
}

pub fn latest_row() -> LatestRow {
    LatestRow {
        ns: "chat".to_owned(),
        room: room(),
        kind: "read".to_owned(),
        rank: 5,
        data: r#"{"offset":5}"#.to_owned(),
    }
}

fn held() -> Held {
    Held {
        id: event(6),
        ns: "chat".to_owned(),
        room: room(),
        kind: "message".to_owned(),
        data: r#"{"text":"Tea is \"ready\"\n☕"}"#.to_owned(),
        target: None,
        at: at(6),
    }
}

fn row(state: RowState) -> Row {
    Row { key: 9, event: held(), state }
}

/// A row in each of its states.
pub fn rows() -> Vec<(&'static str, Row)> {
    let detail = "There is nothing in it.".to_owned();
    let why = Some(r#"{"reason":"empty"}"#.to_owned());
    let because = RowState::Rejected { code: Code::Refused, detail: detail.clone(), why };
    let (kind, target) = ("edit".to_owned(), Some(event(2)));
    let data = format!(r#"{{"target":"{}","text":"Tea is gone"}}"#, event(2));
    let edit = Row { event: Held { kind, target, data, ..held() }, ..row(RowState::Queued) };
    let rejected = RowState::Rejected { code: Code::BadPayload, detail, why: None };
    vec![
        ("queued", row(RowState::Queued)),
        ("queued-edit", edit),
        ("sent", row(RowState::Sent { n: 5 })),
        ("unsure", row(RowState::Unsure)),
        ("acked", row(RowState::Acked { epoch: epoch(), offset: 6 })),
        ("rejected", row(rejected)),
        ("rejected-why", row(because)),
    ]
}

/// Every change that tabs tell each other.
pub fn writes() -> Vec<(&'static str, Write)> {
    let room = room();
    let entries = vec![message(), hollow(3)];
    let items = folded();
    let gap = Gap { room, from: 1, to: 3, count: 3, reason: GapReason::Trimmed, cursor: cursor(3) };
    let reset = |was| Write::Reset { room, reason: ResetReason::Epoch, was, head: head() };
    vec![
        ("generation", Write::Generation(7)),
        ("writer", Write::Writer { writer: id(WRITER), generation: 8 }),
        ("name", Write::Name("Ada".to_owned())),
        ("add_row", Write::AddRow(held())),
        ("put_row", Write::PutRow(row(RowState::Sent { n: 5 }))),
        ("delete_row", Write::DeleteRow(9)),
        ("lane", Write::Lane(lane_row())),
        ("entries", Write::Entries { room, entries, cursor: cursor(3), missed: true }),
        ("page", Write::Page { room, items, from: 4, first: 1, skipped: 2, cursor: cursor(5) }),
        ("gap", Write::Gap(gap)),
        ("reset", reset(Some(cursor(3)))),
        ("reset-nothing_read", reset(None)),
        ("room", Write::Room(room_info())),
        ("left", Write::Left(room)),
        ("lost", Write::Lost(room)),
        ("put_latest", Write::PutLatest(latest_row())),
        ("delete_latest", Write::DeleteLatest { room, kind: "read".to_owned(), rank: 5 }),
        ("register", Write::Register(latest_set())),
    ]
}
