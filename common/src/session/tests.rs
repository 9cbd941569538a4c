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
fn a_name_or_secret_out_of_bounds_is_refused_before_the_engine_is_asked() {
    for bad in [
        Hello { name: "  ".to_owned(), ..hello() },
        Hello { name: "\u{7}\u{202e}".to_owned(), ..hello() },
        Hello { secret: "short".to_owned(), ..hello() },
        Hello { generation: 0, ..hello() },
    ] {
        let out = frame(&mut fresh(), &codec::write_client(&ClientFrame::Hello(bad)));
        assert_eq!(closed(&out), Some(Code::BadFrame));
        assert!(!out.iter().any(|output| matches!(output, Output::Greet(_))));
    }
}

#[test]
fn a_hello_may_name_more_rooms_than_one_may_join_by_now_but_not_any_number() {
    let cursor = Cursor { epoch: Epoch::NIL, offset: 1, mark: Mark::START };
    let known = |n: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        RoomCursor { room: RoomId::from_bytes(id), cursor }
    };
    let mut session = fresh();
    session.limits.rooms = 1;
    let mut n = 0;
    let mut chunk = |more| {
        let rooms = (n..n + 512).map(known).collect();
        n += 512;
        codec::write_client(&ClientFrame::Hello(Hello { rooms, more, ..hello() }))
    };
    assert_eq!(closed(&frame(&mut session, &chunk(true))), None);
    let greets = |out: &[Output<String>]| out.iter().any(|it| matches!(it, Output::Greet(_)));
    assert!(greets(&frame(&mut session, &chunk(false))));
    let mut session = fresh();
    let ended = (0..=MOST_ROOMS / 512).find_map(|_| closed(&frame(&mut session, &chunk(true))));
    assert_eq!(ended, Some(Code::OverLimit));
}

#[test]
fn a_name_is_cut_to_what_belongs_in_a_label() {
    let name = format!(" A\u{7}d\u{202e}a {}", "x".repeat(100));
    let out =
        frame(&mut fresh(), &codec::write_client(&ClientFrame::Hello(Hello { name, ..hello() })));
    let greeted = out.iter().find_map(|output| match output {
        Output::Greet(hello) => Some(hello.name.as_str()),
        _ => None,
    });
    assert_eq!(greeted, Some(format!("Ada {}", "x".repeat(76)).as_str()));
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
fn registers_that_the_engine_has_not_answered_fill_the_window_with_the_emits() {
    let mut session = ready();
    let window = Limits::default().window;
    frame(&mut session, &emit(1, "{}"));
    let set =
        format!("{{\"latest\":{{\"ns\":\"chat\",\"room\":\"{ROOM}\",\"type\":\"read\"}}}}\n{{}}");
    for _ in 1..window {
        assert!(!session.full());
        frame(&mut session, &set);
    }
    assert!(session.full());
    let stored =
        || Input::Stored { room: ROOM, kind: "read".to_owned(), about: None, result: Ok(1) };
    session.handle(Instant(1), stored());
    assert!(!session.full());
    frame(&mut session, &set);
    assert!(session.full());
}

#[test]
fn an_event_in_one_room_too_many_is_rejected_by_its_number() {
    let mut session = ready();
    session.limits.rooms = 1;
    assert_eq!(creation(&mut session), Some(Code::TooMany));
}

#[test]
fn an_inbox_is_not_counted_among_a_persons_rooms() {
    let mut session = ready();
    session.limits.rooms = 2;
    session.handle(Instant(1), Input::Member(info(RoomId::from_bytes([1; 16]), true)));
    assert_eq!(creation(&mut session), None);
    session.handle(Instant(1), Input::Member(info(RoomId::from_bytes([2; 16]), false)));
    assert_eq!(creation(&mut session), Some(Code::TooMany));
}

/// What condemns an event that would create a room.
fn creation(session: &mut Session<String>) -> Option<Code> {
    let (ns, kind) = ("chat".to_owned(), "room_created".to_owned());
    let room = RoomId::from_bytes([7; 16]);
    let head = Emit { ns, room, n: 1, floor: 0, id: EventId::NIL, kind };
    let out = frame(session, &codec::write_client_with(&ClientFrame::Emit(head), "{}"));
    let emitting = out.into_iter().find_map(|output| match output {
        Output::Emit(emitting) => Some(emitting),
        _ => None,
    });
    emitting.expect("it goes to the engine").condemned
}

#[test]
fn a_number_ahead_is_answered_once_until_the_expected_one_comes() {
    let mut session = ready();
    for n in 1..=4 {
        frame(&mut session, &emit(n, "{}"));
    }
    let expected = |session: &mut Session<String>, n| {
        let appended = Appended::Expected(1);
        sent(&session.handle(Instant(1), Input::Appended { room: ROOM, n, appended }))
    };
    assert!(expected(&mut session, 2).contains("{\"expected\""));
    assert_eq!(expected(&mut session, 3), "");
    assert!(frame(&mut session, &emit(5, "{}")).is_empty());
    assert!(!frame(&mut session, &emit(1, "{}")).is_empty());
}

fn acked_again(session: &mut Session<String>, n: u64) {
    let (id, epoch, reply) = (EventId::NIL, Epoch::NIL, "null".to_owned());
    let appended = Appended::Again(Verdict::Ack { id, epoch, offset: n, reply });
    session.handle(Instant(1), Input::Appended { room: ROOM, n, appended });
}

/// A session whose pace is used up by two copies of the first event.
fn too_fast() -> Session<String> {
    let mut session = ready();
    session.lanes = lanes::Lanes::new(Instant(1), 1);
    for _ in 0..2 {
        frame(&mut session, &emit(1, "{}"));
    }
    session
}

#[test]
fn a_lane_held_at_a_number_that_the_client_has_settled_goes_on() {
    let mut session = too_fast();
    acked_again(&mut session, 1);
    assert!(sent(&frame(&mut session, &emit(1, "{}"))).contains("{\"retry\""));
    let later = Instant(10_000);
    let behind = session.handle(later, Input::Frame(emit(2, "{}").as_bytes()));
    assert!(behind.is_empty(), "it was sent before the client heard of the retry");
    let next = session.handle(later, Input::Frame(emit_above(1, 2, "{}").as_bytes()));
    assert!(next.iter().any(|it| matches!(it, Output::Emit(_))), "{next:?}");
}

#[test]
fn a_lane_held_at_a_number_that_gets_its_verdict_by_an_earlier_copy_goes_on() {
    let mut session = too_fast();
    assert!(sent(&frame(&mut session, &emit(1, "{}"))).contains("{\"retry\""));
    acked_again(&mut session, 1);
    let later = Instant(10_000);
    let next = session.handle(later, Input::Frame(emit(2, "{}").as_bytes()));
    assert!(next.iter().any(|it| matches!(it, Output::Emit(_))), "{next:?}");
}

#[test]
fn a_payload_above_the_limit_is_rejected_by_its_number_and_a_frame_above_it_closes() {
    let mut session = ready();
    let most = Limits::default().payload_bytes as usize;
    let out = frame(&mut session, &emit(1, &"x".repeat(most + 1)));
    let condemned = out.iter().any(|output| {
        matches!(output, Output::Emit(emitting) if emitting.condemned == Some(Code::TooLarge))
    });
    assert!(condemned);
    assert_eq!(closed(&out), None);
    let out = frame(&mut session, &emit(2, &"x".repeat(Limits::default().frame_bytes())));
    assert_eq!(closed(&out), Some(Code::FrameTooLarge));
}

#[test]
fn nothing_is_acked_before_the_engine_has_answered() {
    let mut session = ready();
    let out = frame(&mut session, &emit(1, "{\"text\":\"hi\"}"));
    assert!(!sent(&out).contains("ack"));
    let (id, epoch, reply) = (EventId::NIL, Epoch::NIL, "null".to_owned());
    let verdict = Verdict::Ack { id, epoch, offset: 1, reply };
    let appended = Appended::Decided { verdict, entry: None };
    let out = session.handle(Instant(1), Input::Appended { room: ROOM, n: 1, appended });
    assert!(sent(&out).contains("{\"ack\""));
}

#[test]
fn a_live_entry_goes_out_once_and_only_in_its_turn() {
    let mut session = ready();
    let live = |session: &mut Session<String>, offset| {
        let bytes = format!("entry {offset}");
        session.handle(Instant(1), Input::Live { room: ROOM, offset, bytes })
    };
    assert_eq!(sent(&live(&mut session, 1)), "entry 1");
    assert_eq!(sent(&live(&mut session, 1)), "");
    session.handle(Instant(1), Input::Flushed);
    let out = live(&mut session, 3);
    assert!(out.iter().any(|output| matches!(output, Output::Slice { after: 1, .. })));
    assert_eq!(sent(&out), "");
}

#[test]
fn an_entry_that_was_published_between_the_snapshot_and_the_following_is_read_from_the_log() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    let out = greeted(&mut session, info(ROOM, false));
    assert!(!sent(&out).contains("{\"live\""), "it may not be so: {}", sent(&out));
    session.handle(Instant(1), Input::Flushed);
    let out = session.handle(Instant(1), Input::Head { room: ROOM, offset: 1 });
    assert!(matches!(out[..], [Output::Slice { room: ROOM, after: 0 }]), "{out:?}");
}

#[test]
fn a_resume_that_misses_nothing_reads_no_log() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    greeted(&mut session, info(ROOM, false));
    let out = session.handle(Instant(1), Input::Head { room: ROOM, offset: 0 });
    assert!(sent(&out).starts_with("{\"live\""), "{out:?}");
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}

#[test]
fn what_the_hub_has_for_a_connection_waits_there_during_the_greeting() {
    let mut session = fresh();
    assert!(session.listens());
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    assert!(!session.listens(), "it would be told before the welcome, or not at all");
    greeted(&mut session, info(ROOM, false));
    assert!(session.listens());
    let told = session.handle(Instant(1), Input::Pass("a register".to_owned()));
    assert_eq!(sent(&told), "a register");
}

#[test]
fn the_registers_of_a_room_that_tells_them_are_read_once_it_is_live() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    greeted(&mut session, RoomInfo { ns: "topics".to_owned(), ..info(ROOM, false) });
    let out = session.handle(Instant(1), Input::Head { room: ROOM, offset: 0 });
    assert!(sent(&out).starts_with("{\"live\""), "{out:?}");
    let out = session.handle(Instant(1), Input::Flushed);
    let query = RegistersQuery { room: ROOM, person: None, after: None };
    assert!(matches!(&out[..], [Output::Registers(asked)] if *asked == query), "{out:?}");
}

#[test]
fn no_second_read_of_a_log_begins_before_the_first_has_left() {
    let mut session = ready();
    session.handle(Instant(1), Input::Flushed);
    let behind = session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    assert!(behind.iter().any(|output| matches!(output, Output::Slice { .. })));
    let again = session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    assert!(again.is_empty());
}

#[test]
fn pages_in_place_of_replays_are_read_one_after_the_other_as_they_leave() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    let long = |n| {
        let mut info = info(RoomId::from_bytes([n; 16]), false);
        info.head.offset = 1_000;
        RoomState { info, mark_at: None, missed_since: None }
    };
    let resume = Resume { rooms: (1..=3).map(long).collect(), ..Resume::default() };
    let heads = resume.rooms.iter().map(|state| (state.info.room, state.info.head));
    let heads: Vec<(RoomId, Head)> = heads.collect();
    let result = Ok(Greeted::Welcome(resume));
    let mut out = session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result });
    for (room, _) in &heads {
        out.extend(session.handle(Instant(1), Input::Head { room: *room, offset: 1_000 }));
    }
    let asked = |out: &[Output<String>]| -> Vec<RoomId> {
        let pages = out.iter().filter_map(|it| match it {
            Output::Page { req: None, room, .. } => Some(*room),
            _ => None,
        });
        pages.collect()
    };
    assert!(asked(&out).is_empty(), "the welcome has not left yet");
    for (room, head) in heads {
        let out = session.handle(Instant(1), Input::Flushed);
        assert_eq!(asked(&out), [room]);
        let folds = Folds { head, from: 900, to: 1_000, skipped: 0, items: Vec::new() };
        let result = Ok(Some(folds));
        let out = session.handle(Instant(1), Input::Paged { req: None, room, result });
        assert!(sent(&out).contains("{\"page\"") && sent(&out).contains("{\"live\""));
        assert!(asked(&out).is_empty(), "the page has not left yet");
    }
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}

#[test]
fn a_late_slice_of_an_earlier_membership_is_not_told_in_the_next_one() {
    let mut session = ready();
    for offset in 1..=2 {
        let bytes = format!("entry {offset}");
        session.handle(Instant(1), Input::Live { room: ROOM, offset, bytes });
    }
    session.handle(Instant(1), Input::Flushed);
    let out = session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    assert!(matches!(out[..], [Output::Slice { after: 2, .. }]));
    session.handle(Instant(1), Input::NotMember(ROOM));
    let mut again = info(ROOM, false);
    again.head.offset = 3;
    session.handle(Instant(1), Input::Member(again.clone()));
    session.handle(Instant(1), Input::Head { room: ROOM, offset: 3 });
    let slice = Slice {
        head: again.head,
        entries: vec![(3, "\"the third\"".to_owned())],
        trimmed_mark: None,
    };
    let late = Input::Sliced { room: ROOM, after: 2, result: Ok(Some(slice)) };
    let mut out = session.handle(Instant(1), late);
    assert_eq!(sent(&out), "", "the first two are missing");
    out.extend(session.handle(Instant(1), Input::Flushed));
    assert!(out.iter().any(|it| matches!(it, Output::Slice { after: 0, .. })), "{out:?}");
}

#[test]
fn a_note_about_entries_that_were_sent_already_costs_one_read_and_no_more() {
    let mut session = ready();
    session.handle(Instant(1), Input::Flushed);
    session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    let head = Head { epoch: Epoch::NIL, offset: 0, mark: Mark::START, first: 1 };
    let slice = Slice { head, entries: Vec::new(), trimmed_mark: None };
    session.handle(Instant(1), Input::Sliced { room: ROOM, after: 0, result: Ok(Some(slice)) });
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}

#[test]
fn what_was_dropped_is_told_anew_one_thing_after_the_other_and_each_once() {
    let mut session = ready();
    for note in [Note::Directory, Note::Presence(ROOM), Note::Directory, Note::Presence(ROOM)] {
        assert!(session.handle(Instant(1), Input::Note(note)).is_empty(), "nothing has left yet");
    }
    let out = session.handle(Instant(1), Input::Flushed);
    assert!(matches!(out[..], [Output::Directory]));
    assert!(session.handle(Instant(1), Input::Flushed).is_empty(), "a read is under way");
    let out = session.handle(Instant(1), Input::Directory(Ok(Vec::new())));
    assert!(matches!(out[..], [Output::Presence(ROOM)]));
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}

#[test]
fn the_list_of_rooms_says_of_each_whether_one_is_in_it_as_it_was_told_before() {
    let (mut session, other) = (ready(), RoomId::from_bytes([7; 16]));
    session.handle(Instant(1), Input::Note(Note::Directory));
    let out = session.handle(Instant(1), Input::Flushed);
    assert!(matches!(out[..], [Output::Directory]));
    session.handle(Instant(1), Input::Member(info(other, false)));
    let stale = RoomInfo { joined: false, ..info(other, false) };
    let told = sent(&session.handle(Instant(1), Input::Directory(Ok(vec![stale]))));
    assert!(told.contains("\"name\":\"lobby\"") && told.contains("\"joined\":true"), "{told}");
}

#[test]
fn a_room_that_one_was_told_the_end_of_while_the_list_was_read_is_looked_for_once_more() {
    let (mut session, other) = (ready(), RoomId::from_bytes([7; 16]));
    session.handle(Instant(1), Input::Note(Note::Directory));
    session.handle(Instant(1), Input::Flushed);
    for room in [ROOM, other] {
        session.handle(Instant(1), Input::NotMember(room));
    }
    let stale = vec![info(ROOM, false), info(other, false)];
    let told = sent(&session.handle(Instant(1), Input::Directory(Ok(stale))));
    assert!(!told.contains("\"rooms\""), "either may be gone: {told}");
    let out = session.handle(Instant(1), Input::Flushed);
    assert!(matches!(out[..], [Output::Directory]), "{out:?}");
    let now = vec![RoomInfo { joined: false, ..info(ROOM, false) }];
    let told = sent(&session.handle(Instant(1), Input::Directory(Ok(now))));
    assert!(told.contains("\"name\":\"lobby\"") && told.contains("\"joined\":false"), "{told}");
    assert!(session.handle(Instant(1), Input::Flushed).is_empty(), "once");
}

fn registers(session: &mut Session<String>, query: RegistersQuery, more: bool) -> String {
    let key = (PersonId::from_bytes([1; 16]), "chat".to_owned(), "read".to_owned());
    let value = LatestSet {
        ns: "chat".to_owned(),
        room: ROOM,
        kind: "read".to_owned(),
        person: key.0,
        rank: 7,
        data: serde_json::value::RawValue::from_string("{}".to_owned()).unwrap(),
    };
    let result = Ok(Registers { values: vec![value], rest: more.then_some(key) });
    sent(&session.handle(Instant(1), Input::Registers { query, result }))
}

fn asked(out: &[Output<String>]) -> Option<RegistersQuery> {
    out.iter().find_map(|output| match output {
        Output::Registers(query) => Some(query.clone()),
        _ => None,
    })
}

#[test]
fn registers_are_told_anew_in_parts_and_what_moves_meanwhile_is_told_again() {
    let mut session = ready();
    session.handle(Instant(1), Input::Note(Note::Registers(ROOM)));
    let first = asked(&session.handle(Instant(1), Input::Flushed)).unwrap();
    assert_eq!((first.person, &first.after), (None, &None));
    assert!(registers(&mut session, first, true).contains("{\"latest\""));
    session.handle(Instant(1), Input::Note(Note::Registers(ROOM)));
    let second = asked(&session.handle(Instant(1), Input::Flushed)).unwrap();
    assert!(second.after.is_some(), "it goes on where it was");
    registers(&mut session, second, false);
    let again = asked(&session.handle(Instant(1), Input::Flushed)).unwrap();
    assert!(again.after.is_none(), "and then begins anew");
    session.handle(Instant(1), Input::NotMember(ROOM));
    assert_eq!(registers(&mut session, again, true), "", "nothing more of a room one has left");
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
    session.handle(Instant(1), Input::Note(Note::OwnRegisters(ROOM)));
    assert!(asked(&session.handle(Instant(1), Input::Flushed)).is_none());
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

#[test]
fn what_one_is_no_member_of_is_told_before_anything_of_a_room() {
    let rooms = [1, 2, 3, 4].map(|n| RoomId::from_bytes([n; 16]));
    let cursor = Cursor { epoch: Epoch::NIL, offset: 1, mark: Mark::START };
    let known = rooms.map(|room| RoomCursor { room, cursor }).to_vec();
    let mut session = fresh();
    let hello = Hello { rooms: known, ..hello() };
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello)));
    // The server has lost an entry of the first and the third; the second is another's, the fourth gone.
    let states = [(rooms[0], true), (rooms[1], false), (rooms[2], true)].map(|(room, joined)| {
        let info = RoomInfo { joined, ..info(room, false) };
        RoomState { info, mark_at: None, missed_since: None }
    });
    let resume = Resume { rooms: states.to_vec(), ..Resume::default() };
    let result = Ok(Greeted::Welcome(resume));
    let out = session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result });
    let text = sent(&out);
    let told = text.lines().filter_map(|line| line.split('"').nth(1));
    let told: Vec<&str> =
        told.filter(|name| !["live", "rooms", "welcome"].contains(name)).collect();
    assert_eq!(told, ["left", "left", "reset", "reset"]);
    let left = out.iter().position(|it| matches!(it, Output::Follow(_)));
    let first = out
        .iter()
        .rposition(|it| matches!(it, Output::Send(text) if text.starts_with("{\"left\"")));
    assert!(first < left, "nor does anybody's presence come before");
}

#[test]
fn who_is_told_of_the_end_of_a_room_without_following_it_passes_it_over() {
    let mut session = ready();
    let elsewhere = RoomId::from_bytes([1; 16]);
    assert!(session.handle(Instant(1), Input::NotMember(elsewhere)).is_empty());
}

#[test]
fn a_room_that_is_gone_when_its_log_is_read_is_left() {
    let mut session = ready();
    session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    let out = session.handle(Instant(1), Input::Sliced { room: ROOM, after: 0, result: Ok(None) });
    assert!(out.iter().any(|output| matches!(output, Output::Unfollow(ROOM))));
    assert!(sent(&out).contains("{\"left\""));
}

#[test]
fn a_room_of_which_an_ack_alone_is_heard_is_looked_for_and_followed() {
    let mut session = ready();
    session.handle(Instant(1), Input::Flushed);
    let room = RoomId::from_bytes([7; 16]);
    let (id, reply) = (EventId::NIL, "null".to_owned());
    let verdict = Verdict::Ack { id, epoch: Epoch::NIL, offset: 1, reply };
    let appended = Appended::Again(verdict);
    let out = session.handle(Instant(1), Input::Appended { room, n: 1, appended });
    assert!(out.iter().any(|it| matches!(it, Output::Directory)), "{out:?}");
    let rooms = vec![info(room, false)];
    let out = session.handle(Instant(1), Input::Directory(Ok(rooms)));
    assert!(out.iter().any(|it| matches!(it, Output::Follow(of) if *of == room)), "{out:?}");
}

#[test]
fn a_room_of_which_an_ack_alone_is_heard_is_said_to_be_left_where_it_is_no_more() {
    let mut session = ready();
    session.handle(Instant(1), Input::Flushed);
    let room = RoomId::from_bytes([7; 16]);
    let (id, reply) = (EventId::NIL, "null".to_owned());
    let appended = Appended::Again(Verdict::Ack { id, epoch: Epoch::NIL, offset: 1, reply });
    session.handle(Instant(1), Input::Appended { room, n: 1, appended });
    let told = sent(&session.handle(Instant(1), Input::Directory(Ok(Vec::new()))));
    assert!(told.contains("\"left\"") && told.contains(&room.to_string()), "{told}");
}

#[test]
fn a_room_in_which_an_event_is_found_and_that_one_is_not_in_is_said_to_be_left() {
    let other = RoomId::from_bytes([7; 16]);
    for (room, found, left) in [(ROOM, true, false), (other, true, true), (other, false, false)] {
        let found = found.then_some((EventId::NIL, 1)).into_iter().collect();
        let result = Ok(Some((Epoch::NIL, found)));
        let told = sent(&ready().handle(Instant(1), Input::Found { req: 1, room, result }));
        assert_eq!(told.contains("\"left\""), left, "{told}");
    }
}

#[test]
fn a_room_of_which_the_greeting_brings_an_ack_alone_is_said_to_be_left() {
    let room = RoomId::from_bytes([7; 16]);
    let told = sent(&with_verdicts(&[room], 1));
    let (ack, left) = (told.find("\"ack\"").unwrap(), told.find("\"left\"").unwrap());
    assert!(ack < left, "{told}");
}

/// A greeting of these lanes with so many verdicts each.
fn with_verdicts(rooms: &[RoomId], each: u64) -> Vec<Output<String>> {
    let states = rooms.iter().map(|room| LaneState { room: *room, floor: 0, next: each + 1 });
    let hello = Hello { lanes: states.collect(), ..hello() };
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello)));
    let marks =
        rooms.iter().map(|room| LaneWatermark { room: *room, watermark: each, lost: false });
    let ack = Verdict::Ack { id: EventId::NIL, epoch: Epoch::NIL, offset: 1, reply: "null".into() };
    let verdicts = rooms.iter().flat_map(|room| (1..=each).map(|n| (*room, n, ack.clone())));
    let (lanes, verdicts) = (marks.collect(), verdicts.collect());
    let result = Ok(Greeted::Welcome(Resume { lanes, verdicts, ..Resume::default() }));
    session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result })
}

/// What becomes of a greeting of so many lanes with so many verdicts each.
fn of_verdicts(lanes: u8, each: u64) -> Option<Code> {
    let rooms: Vec<RoomId> = (1..=lanes).map(|n| RoomId::from_bytes([n; 16])).collect();
    closed(&with_verdicts(&rooms, each))
}

#[test]
fn a_greeting_brings_so_many_verdicts_and_no_more() {
    let each = MOST_VERDICTS as u64 / 16;
    assert_eq!(of_verdicts(16, each), None);
    assert_eq!(of_verdicts(17, each), Some(Code::OverLimit));
}

#[test]
fn of_a_hello_that_goes_on_it_is_known_until_it_ends() {
    let mut session = fresh();
    assert!(!session.continues(), "nothing was said");
    for more in [true, true, false] {
        let part = Hello { more, ..hello() };
        frame(&mut session, &codec::write_client(&ClientFrame::Hello(part)));
        assert_eq!(session.continues(), more);
    }
}
