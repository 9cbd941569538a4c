//! Emits, and what else counts against the window and the limits.

use super::*;

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
    let appended = Appended::decided(verdict, None);
    let out = session.handle(Instant(1), Input::Appended { room: ROOM, n: 1, appended });
    assert!(sent(&out).contains("{\"ack\""));
}
