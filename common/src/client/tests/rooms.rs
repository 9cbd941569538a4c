//! What becomes of acked events where a room was left, lost or deleted.

use super::*;

/// The room, which is not joined, as the directory has it.
fn listed(gone: bool) -> ServerFrame {
    let head = Head { epoch: Epoch::NIL, offset: 1, mark: Mark::START, first: 1 };
    let (ns, name) = ("chat".to_owned(), "ward".to_owned());
    let info = RoomInfo { room: ROOM, ns, name, head, joined: false, gone, inbox: false };
    ServerFrame::Rooms(Rooms { rooms: vec![info] })
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
