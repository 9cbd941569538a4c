//! Rooms that are followed no more, or not yet.

use super::*;

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
        let mut session = ready();
        session.handle(Instant(1), Input::Flushed);
        let out = session.handle(Instant(1), Input::Found { req: 1, room, result });
        assert_eq!(out.iter().any(|it| matches!(it, Output::Directory)), left, "{out:?}");
        let told = sent(&session.handle(Instant(1), Input::Directory(Ok(Vec::new()))));
        assert_eq!(told.contains("\"left\""), left, "{told}");
    }
}
