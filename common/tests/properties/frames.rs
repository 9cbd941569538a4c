//! Any frame, each way.

use holdfast_common::{
    cursor::{Cursor, Head, Mark, ResetReason},
    error::Code,
    frame::*,
    id::*,
    limits::Limits,
    time::{Millis, Timestamp},
};
use proptest::{prelude::*, sample::select};
use serde_json::value::RawValue;

macro_rules! ids {
    ($($make:ident $id:ident)*) => {
        $(fn $make() -> impl Strategy<Value = $id> + Clone {
            any::<[u8; 16]>().prop_map($id::from_bytes)
        })*
    };
}

ids! { connection ConnectionId epoch Epoch event EventId person PersonId room RoomId
session SessionId writer WriterId }

/// Numbers, the ends among them.
fn number() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![select(vec![0, 1, u64::MAX - 1, u64::MAX]), any::<u64>()]
}

fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![Just(String::new()), ".{0,12}", "[\"\\\\\n\u{0}\u{2028}😀]{1,4}"]
}

fn list<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(of, 0..4)
}

fn maybe<T: std::fmt::Debug>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop::option::of(of)
}

/// An event's own JSON, with the white space that its writer gave it.
fn raw() -> impl Strategy<Value = Box<RawValue>> + Clone {
    let made =
        select(vec!["{}", "null", "[ 1,\t-0.50e+3 ]", "{\"a\":{\"a\":1},\"a\":2}", "\"\\u00e4\""]);
    let made = prop_oneof![
        made.prop_map(str::to_owned),
        text().prop_map(|it| format!("{{ \"text\":\n{} }}", serde_json::to_string(&it).unwrap())),
    ];
    made.prop_map(|json| RawValue::from_string(json).unwrap())
}

/// A payload or a reason: an object. What may be absent is never `null` beside.
fn object() -> impl Strategy<Value = Box<RawValue>> + Clone {
    raw().prop_filter("it is an object", |raw| raw.get().starts_with('{'))
}

fn code() -> impl Strategy<Value = Code> + Clone {
    select(Code::ALL.to_vec())
}

prop_compose! {
    fn cursor()(epoch in epoch(), offset in number(), mark in any::<u64>()) -> Cursor {
        Cursor { epoch, offset, mark: Mark(mark) }
    }
}

prop_compose! {
    fn head()(at in cursor(), first in number()) -> Head {
        Head { epoch: at.epoch, offset: at.offset, mark: at.mark, first }
    }
}

prop_compose! {
    fn author()(id in person(), name in text()) -> Author {
        Author { id, name }
    }
}

prop_compose! {
    fn entry()(offset in number(), mark in any::<u64>(), id in event(), kind in text(),
        from in author(), at in number(), data in maybe(object())) -> Entry {
        Entry { offset, mark: Mark(mark), id, kind, from, at: Timestamp(at), data }
    }
}

prop_compose! {
    fn info()(room in room(), ns in text(), name in text(), head in head(),
        [joined, gone, inbox] in any::<[bool; 3]>()) -> RoomInfo {
        RoomInfo { room, ns, name, head, joined, gone, inbox }
    }
}

prop_compose! {
    fn latest_set()(ns in text(), room in room(), kind in text(), person in person(),
        rank in number(), data in raw()) -> LatestSet {
        LatestSet { ns, room, kind, person, rank, data }
    }
}

prop_compose! {
    fn hello()(person in person(), secret in text(), name in text(), writer in writer(),
        generation in number(), session in session(),
        rooms in list((room(), cursor()).prop_map(|(room, cursor)| RoomCursor { room, cursor })),
        lanes in list((room(), number(), number())
            .prop_map(|(room, floor, next)| LaneState { room, floor, next })),
        more in any::<bool>()) -> ClientFrame {
        let hello =
            Hello { person, secret, name, writer, generation, session, rooms, lanes, more };
        ClientFrame::Hello(hello)
    }
}

prop_compose! {
    fn emit()(ns in text(), room in room(), n in number(), floor in number(), id in event(),
        kind in text()) -> ClientFrame {
        ClientFrame::Emit(Emit { ns, room, n, floor, id, kind })
    }
}

/// Any frame of a client.
pub fn client() -> impl Strategy<Value = ClientFrame> {
    let signal = (text(), room(), text());
    let latest = (text(), room(), text(), maybe(number()));
    let history = (number(), room(), maybe(number()), any::<u32>());
    prop_oneof![
        hello(),
        emit(),
        signal.prop_map(|(ns, room, kind)| ClientFrame::Signal(Signal { ns, room, kind })),
        latest.prop_map(|(ns, room, kind, rank)| {
            ClientFrame::Latest(SetLatest { ns, room, kind, rank })
        }),
        (number(), room()).prop_map(|(req, room)| ClientFrame::Join(JoinRoom { req, room })),
        (number(), room()).prop_map(|(req, room)| ClientFrame::Leave(LeaveRoom { req, room })),
        history.prop_map(|(req, room, before, limit)| {
            ClientFrame::History(History { req, room, before, limit })
        }),
        (number(), room(), list(event())).prop_map(|(req, room, ids)| ClientFrame::Ask(AskIds {
            req,
            room,
            ids
        })),
        number().prop_map(|n| ClientFrame::Ping(Ping { n })),
    ]
}

prop_compose! {
    fn welcome()(connection in connection(), server in text(), now in number(),
        window in any::<u32>(), silence in number(),
        lanes in list((room(), number(), any::<bool>())
            .prop_map(|(room, watermark, lost)| LaneWatermark { room, watermark, lost })),
        latest in list(latest_set())) -> ServerFrame {
        let limits = Limits { window, silence: Millis(silence), ..Limits::default() };
        let now = Timestamp(now);
        ServerFrame::Welcome(Welcome { connection, server, now, limits, lanes, latest })
    }
}

prop_compose! {
    fn page()(req in maybe(number()), room in room(), as_of in cursor(),
        [from, to, first] in [number(), number(), number()], skipped in number(),
        items in list((entry(), maybe(entry()))
            .prop_map(|(entry, change)| Folded { entry, change }))) -> ServerFrame {
        ServerFrame::Page(Page { req, room, as_of, from, to, first, skipped, items })
    }
}

/// Frames about logs.
fn of_logs() -> impl Strategy<Value = ServerFrame> {
    let reasons = [ResetReason::Epoch, ResetReason::Future, ResetReason::Forked];
    let gaps = [GapReason::Trimmed, GapReason::Reset, GapReason::Absent];
    let gap = (room(), [number(), number(), number()], select(gaps.to_vec()), cursor());
    prop_oneof![
        (room(), epoch(), list(entry())).prop_map(|(room, epoch, entries)| {
            ServerFrame::Entries(Entries { room, epoch, entries })
        }),
        (room(), select(reasons.to_vec()), head())
            .prop_map(|(room, reason, head)| ServerFrame::Reset(Reset { room, reason, head })),
        gap.prop_map(|(room, [from, to, count], reason, cursor)| {
            ServerFrame::Gap(Gap { room, from, to, count, reason, cursor })
        }),
        page(),
        (room(), number()).prop_map(|(room, offset)| ServerFrame::Live(Live { room, offset })),
        (number(), room(), epoch(), list((event(), number()))).prop_map(
            |(req, room, epoch, found)| ServerFrame::Found(Found { req, room, epoch, found })
        ),
    ]
}

/// Frames about what was emitted.
fn of_verdicts() -> impl Strategy<Value = ServerFrame> {
    let ack = (room(), number(), event(), epoch(), number(), raw());
    let reject = (room(), number(), event(), code(), text(), maybe(object()));
    let stored = (room(), text(), number(), maybe(code()), maybe(number()));
    prop_oneof![
        ack.prop_map(|(room, n, id, epoch, offset, reply)| {
            ServerFrame::Ack(Ack { room, n, id, epoch, offset, reply })
        }),
        reject.prop_map(|(room, n, id, code, detail, why)| {
            ServerFrame::Reject(Reject { room, n, id, code, detail, why })
        }),
        (room(), number(), code(), number()).prop_map(|(room, n, code, after)| {
            ServerFrame::Retry(Retry { room, n, code, after: Millis(after) })
        }),
        (room(), number()).prop_map(|(room, n)| ServerFrame::Settled(Settled { room, n })),
        (room(), number()).prop_map(|(room, n)| ServerFrame::Expected(Settled { room, n })),
        stored.prop_map(|(room, kind, rank, code, about)| {
            ServerFrame::Stored(Stored { room, kind, rank, code, about })
        }),
        (number(), code(), text()).prop_map(|(req, code, detail)| ServerFrame::Refused(Refused {
            req,
            code,
            detail
        })),
    ]
}

/// Any frame of a server.
pub fn server() -> impl Strategy<Value = ServerFrame> {
    let signal = (text(), maybe(room()), text(), author(), raw());
    let presence = (room(), any::<bool>(), list(author()), list(person()));
    prop_oneof![
        2 => welcome(),
        6 => of_logs(),
        7 => of_verdicts(),
        1 => list(info()).prop_map(|rooms| ServerFrame::Rooms(Rooms { rooms })),
        1 => signal.prop_map(|(ns, room, kind, from, data)| {
            ServerFrame::Signal(Signalled { ns, room, kind, from, data })
        }),
        1 => latest_set().prop_map(ServerFrame::Latest),
        1 => presence.prop_map(|(room, all, came, left)| {
            ServerFrame::Presence(Presence { room, all, came, left })
        }),
        1 => (number(), info()).prop_map(|(req, room)| ServerFrame::Joined(Joined { req, room })),
        1 => (maybe(number()), room()).prop_map(|(req, room)| ServerFrame::Left(Left { req, room })),
        1 => number().prop_map(|n| ServerFrame::Pong(Ping { n })),
        1 => number().prop_map(|after| ServerFrame::Away(Away { after: Millis(after) })),
    ]
}
