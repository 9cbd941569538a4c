mod anew;
mod emits;
mod following;
mod greeting;
mod rooms;

use super::*;
use crate::{
    cursor::{Cursor, Head, Mark},
    fanout::Note,
    frame::{Emit, Hello, LaneState, LaneWatermark, LatestSet, RoomCursor, RoomInfo},
    id::{Epoch, EventId, SessionId},
    limits::{MOST_ROOMS, MOST_VERDICTS},
    storage::{
        Appended, Folds, Greeted, Registers, RegistersQuery, Resume, RoomState, Slice, Verdict,
    },
    time::Timestamp,
};

const ROOM: RoomId = RoomId::NIL;

fn fresh() -> Session<String> {
    let server = Server { version: "test", telling: vec!["topics"] };
    Session::new(Instant(0), ConnectionId::NIL, Limits::default(), Arc::new(server))
}

fn hello() -> Hello {
    Hello {
        person: PersonId::NIL,
        secret: "0123456789abcdef".to_owned(),
        name: "Ada".to_owned(),
        writer: WriterId::NIL,
        generation: 1,
        session: SessionId::NIL,
        rooms: Vec::new(),
        lanes: Vec::new(),
        more: false,
    }
}

fn frame(session: &mut Session<String>, text: &str) -> Vec<Output<String>> {
    session.handle(Instant(1), Input::Frame(text.as_bytes()))
}

/// A session that is greeted and follows one empty room.
fn ready() -> Session<String> {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    greeted(&mut session, info(ROOM, false));
    session.handle(Instant(1), Input::Head { room: ROOM, offset: 0 });
    session
}

fn info(room: RoomId, inbox: bool) -> RoomInfo {
    let head = Head { epoch: Epoch::NIL, offset: 0, mark: Mark::START, first: 1 };
    let (ns, name) = ("chat".to_owned(), "lobby".to_owned());
    RoomInfo { room, ns, name, head, joined: true, gone: false, inbox }
}

fn greeted(session: &mut Session<String>, info: RoomInfo) -> Vec<Output<String>> {
    let state = RoomState { info, mark_at: None, missed_since: None };
    let resume = Resume { rooms: vec![state], ..Resume::default() };
    let result = Ok(Greeted::Welcome(resume));
    session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result })
}

fn emit(n: u64, payload: &str) -> String {
    emit_above(0, n, payload)
}

fn emit_above(floor: u64, n: u64, payload: &str) -> String {
    let (ns, kind) = ("chat".to_owned(), "message".to_owned());
    let head = Emit { ns, room: ROOM, n, floor, id: EventId::NIL, kind };
    codec::write_client_with(&ClientFrame::Emit(head), payload)
}

fn closed(out: &[Output<String>]) -> Option<Code> {
    out.iter().find_map(|output| match output {
        Output::Close(code) => Some(*code),
        _ => None,
    })
}

fn sent(out: &[Output<String>]) -> String {
    let texts = out.iter().filter_map(|output| match output {
        Output::Send(text) | Output::Pass(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn every_frame_that_has_no_place_closes_with_a_code_and_never_panics() {
    for text in [
        "",
        "{",
        "null",
        "[]",
        "{}",
        "{\"emit\":{}}",
        "{\"hello\":{\"person\":1}}",
        "{\"ping\":{\"n\":-1}}",
        "{\"ping\":{\"n\":1e99}}",
        "{\"history\":{\"req\":1,\"room\":\"x\",\"limit\":5}}",
        "{\"welcome\":{}}",
        "\u{0}",
    ] {
        assert_eq!(closed(&frame(&mut fresh(), text)), Some(Code::BadFrame), "{text:?}");
        assert_eq!(closed(&frame(&mut ready(), text)), Some(Code::BadFrame), "{text:?}");
    }
    let binary = fresh().handle(Instant(1), Input::Frame(&[0xff, 0xfe, b'\n']));
    assert_eq!(closed(&binary), Some(Code::BadFrame));
    assert_eq!(closed(&frame(&mut fresh(), &emit(1, "{}"))), Some(Code::BadFrame));
}

#[test]
fn a_socket_that_is_not_read_is_not_taken_for_silent() {
    let mut session = ready();
    for n in 1..=u64::from(Limits::default().window) {
        frame(&mut session, &emit(n, "{}"));
    }
    assert!(session.full());
    let later = Instant(1) + Limits::default().silence;
    assert_eq!(closed(&session.handle(later, Input::Tick)), None);
}

#[test]
fn a_client_that_says_nothing_is_pinged_and_then_closed() {
    let mut session = ready();
    let limits = Limits::default();
    let later = Instant(1) + limits.ping_every;
    assert_eq!(session.deadline(), Some(later));
    let out = session.handle(later, Input::Tick);
    assert!(matches!(out[..], [Output::Ping]));
    let dead = Instant(1) + limits.silence;
    assert_eq!(session.deadline(), Some(dead));
    assert_eq!(closed(&session.handle(dead, Input::Tick)), Some(Code::Silent));
    assert!(session.is_closed());
}

#[test]
fn a_client_that_was_pinged_late_has_as_long_for_its_answer() {
    let limits = Limits::default();
    let mut session = ready();
    // The driver was busy all the time in which nothing was heard.
    let late = Instant(1) + limits.silence + Millis(5_000);
    assert!(matches!(session.handle(late, Input::Tick)[..], [Output::Ping]));
    let answer = late + Millis(limits.silence.0 - limits.ping_every.0);
    assert_eq!(session.deadline(), Some(answer));
    assert_eq!(closed(&session.handle(Instant(answer.0 - 1), Input::Tick)), None);
    assert_eq!(closed(&session.handle(answer, Input::Tick)), Some(Code::Silent));
}

#[test]
fn a_draining_session_answers_what_it_took_and_takes_no_more() {
    let mut session = ready();
    frame(&mut session, &emit(1, "{}"));
    let out = session.handle(Instant(1), Input::Drain(Millis(500)));
    assert!(sent(&out).contains("{\"away\":{\"after\":500}}"));
    assert_eq!(closed(&out), None);
    assert!(sent(&frame(&mut session, &emit(2, "{}"))).contains("draining"));
    let appended = Appended::Settled;
    let out = session.handle(Instant(1), Input::Appended { room: ROOM, n: 1, appended });
    assert_eq!(closed(&out), Some(Code::GoingAway));
}
