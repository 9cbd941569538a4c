//! The person's inbox among their rooms.

use super::*;

fn inbox() -> RoomInfo {
    // Whatever the server calls it.
    RoomInfo { room: RoomId::from_bytes([7; 16]), name: "x".into(), inbox: true, ..lobby(1) }
}

fn names(stage: &mut Stage) -> Vec<String> {
    stage.store.lines().into_iter().map(|line| line.name).collect()
}

#[test]
fn the_inbox_stands_above_the_rooms_once_there_is_one() {
    let mut stage = Stage::new();
    stage.write(Write::Room(RoomInfo {
        room: RoomId::from_bytes([8; 16]),
        name: "a".into(),
        ..lobby(1)
    }));
    assert_eq!((names(&mut stage), stage.store.inbox()), (vec!["a".into(), "lobby".into()], None));
    stage.write(Write::Room(inbox()));
    assert_eq!(names(&mut stage), ["Inbox", "a", "lobby"]);
    assert_eq!(stage.store.inbox(), Some(inbox().room));
    assert!(stage.store.lines()[0].inbox);
}

#[test]
fn what_is_unread_in_it_is_counted() {
    let mut stage = Stage::new();
    stage.write(Write::Room(inbox()));
    let entries = vec![says(1, 2, "for you"), says(2, 2, "and you")];
    let (room, cursor) = (inbox().room, cursor(2));
    stage.write(Write::Entries { room, entries, cursor, missed: false });
    assert_eq!(stage.store.lines()[0].unread, 2);
}

#[test]
fn a_room_of_its_name_is_another_one() {
    let mut stage = Stage::new();
    stage.write(Write::Room(inbox()));
    assert_eq!(stage.store.named("Inbox"), None);
    let id = RoomId::from_bytes([8; 16]);
    stage.write(Write::Room(RoomInfo { room: id, name: "Inbox".into(), ..lobby(1) }));
    assert_eq!(stage.store.named("Inbox"), Some(id));
    assert_eq!(names(&mut stage), ["Inbox", "Inbox", "lobby"]);
}

#[test]
fn a_deleted_inbox_is_shown_no_more() {
    let mut stage = Stage::new();
    stage.write(Write::Room(inbox()));
    stage.write(Write::Left(inbox().room));
    assert_eq!((names(&mut stage), stage.store.inbox()), (vec!["lobby".into()], None));
}
