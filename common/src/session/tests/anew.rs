//! What is told a second time, since it was dropped or has moved.

use super::*;

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
