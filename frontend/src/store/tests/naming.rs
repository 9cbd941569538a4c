//! Rooms and people in the order of their names.

use super::*;

fn named(id: u8, name: &str) -> RoomInfo {
    RoomInfo { room: RoomId::from_bytes([id; 16]), name: name.into(), ..lobby(1) }
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
