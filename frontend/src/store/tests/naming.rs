//! Rooms and people in the order of their names.

use super::*;
use holdfast_common::chat::RoomCreated;

fn named(id: u8, name: &str) -> RoomInfo {
    RoomInfo { room: RoomId::from_bytes([id; 16]), name: name.into(), ..lobby(1) }
}

fn welcome() -> Show {
    Show::Welcome { limits: Limits::default(), now: Timestamp(0) }
}

fn names(stage: &mut Stage) -> Vec<String> {
    stage.store.lines().into_iter().map(|line| line.name).collect()
}

#[test]
fn rooms_stand_in_the_order_of_their_names_whenever_they_come() {
    let mut stage = Stage::new();
    stage.write(Write::Room(named(8, "b")));
    stage.write(Write::Room(named(3, "z")));
    assert_eq!(names(&mut stage), ["b", "lobby", "z"]);
    stage.write(Write::Room(named(5, "a")));
    assert_eq!(names(&mut stage), ["a", "b", "lobby", "z"]);
}

#[test]
fn a_room_with_another_name_moves_to_its_place() {
    let mut stage = Stage::new();
    stage.write(Write::Room(named(8, "b")));
    stage.write(Write::Room(named(3, "z")));
    names(&mut stage);
    stage.write(Write::Room(named(8, "x")));
    assert_eq!(names(&mut stage), ["lobby", "x", "z"]);
    let gone = RoomInfo { gone: true, joined: false, ..named(3, "z") };
    stage.write(Write::Room(gone));
    assert_eq!(names(&mut stage), ["lobby", "x"]);
}

#[test]
fn rooms_of_one_name_both_stand_there() {
    let mut stage = Stage::new();
    stage.write(Write::Room(named(8, "lobby")));
    assert_eq!(names(&mut stage), ["lobby", "lobby"]);
}

#[test]
fn the_order_is_the_one_that_was_given() {
    let mut stage = Stage::new();
    stage.store = Store::new(|a, b| b.cmp(a));
    stage.write(Write::Room(named(8, "a")));
    stage.write(Write::Room(named(3, "b")));
    assert_eq!(names(&mut stage), ["b", "a"]);
}

#[test]
fn a_name_leads_to_the_room_that_is_joined_then_to_one_that_was_told_and_last_to_one_merely_held() {
    let mut stage = Stage::new();
    let [held, told, joined] = [2, 7, 8].map(|id| RoomId::from_bytes([id; 16]));
    let other = |room| RoomInfo { room, joined: false, ..named(0, "plans") };
    stage.write(Write::Room(other(held)));
    stage.show(welcome());
    assert_eq!(stage.store.named("plans"), Some(held));
    stage.write(Write::Room(other(told)));
    assert_eq!(stage.store.named("plans"), Some(told));
    stage.write(Write::Room(RoomInfo { joined: true, ..other(joined) }));
    stage.show(welcome());
    assert_eq!(stage.store.named("plans"), Some(joined));
}

#[test]
fn a_room_that_the_server_has_lost_leaves_its_name_to_the_new_one_and_is_told() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "unread")]);
    stage.show(welcome());
    stage.write(Write::Room(named(8, "lobby")));
    stage.write(Write::Lost(room()));
    assert_eq!(stage.store.named("lobby"), Some(RoomId::from_bytes([8; 16])));
    assert_eq!(names(&mut stage), ["lobby"]);
    let [notice] = stage.store.notices() else { panic!("one notice") };
    assert_eq!(notice.trouble, Trouble::Lost(room()));
}

#[test]
fn a_lost_room_stays_in_the_list_while_something_of_the_persons_own_is_there() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "unread")]);
    stage.write(Write::PutRow(message(1, 900, "own", RowState::Queued)));
    stage.write(Write::Lost(room()));
    let [line] = &stage.store.lines()[..] else { panic!("one line") };
    assert!(line.gone && !line.joined);
    assert_eq!(line.unread, 0);
}

#[test]
fn a_room_that_did_not_get_the_wished_name_is_told_and_one_that_did_is_not() {
    let mut stage = Stage::new();
    for (id, name) in [(5, "Plans"), (8, "Ward-2")] {
        let info = named(id, name);
        let wish = RoomCreated { name: name.trim_end_matches("-2").into() };
        let event = Held::new(event(id.into()), info.room, Timestamp(0), &wish);
        let state = RowState::Queued;
        stage.write(Write::PutRow(OutboxRow { key: id.into(), event, state }));
        stage.write(Write::Room(info.clone()));
        stage.write(Write::Room(info));
    }
    let [notice] = stage.store.notices() else { panic!("one notice") };
    let (wished, name) = ("Ward".to_owned(), "Ward-2".to_owned());
    assert_eq!(notice.trouble, Trouble::Renamed { wished, name });
}
