//! A reader that takes nothing for a while: what found no room in its queue is told anew, and what
//! it shows is true again without a new connection.

use crate::{
    registers::{greetings, marker},
    world::{LOBBY, World},
};
use holdfast_common::{
    chat::RoomCreated,
    client::Command,
    id::{PersonId, RoomId},
};
use std::collections::BTreeSet;

/// More than a queue holds.
const MANY: u8 = 90;

/// Everyone but the slow one does what there is to do.
fn without(world: &mut World, slow: usize) {
    while (0..world.nodes.len()).any(|i| i != slow && world.step(i)) {}
}

#[test]
fn the_list_of_rooms_is_whole_again_when_a_slow_reader_reads_on() {
    let mut world = World::new(2);
    for n in 1..=MANY {
        let name = format!("room {n}");
        world.emit(0, RoomId::from_bytes([n; 16]), &RoomCreated { name });
        without(&mut world, 1);
    }
    assert_eq!(world.nodes[1].database.rooms.len(), 1);
    world.settle();
    assert_eq!(world.nodes[1].database.rooms.len(), 1 + usize::from(MANY));
    assert!(!world.nodes[1].database.rooms[&RoomId::from_bytes([1; 16])].joined);
    assert!(world.nodes[0].database.rooms.values().all(|info| info.joined));
    assert_eq!(greetings(&world, 1), 1);
}

#[test]
fn who_is_there_is_true_again_when_a_slow_reader_reads_on() {
    let mut world = World::new(4);
    for _ in 0..MANY {
        for i in [2, 3] {
            world.cut(i);
            world.command(i, Command::RetryNow);
            without(&mut world, 1);
        }
    }
    world.cut(2);
    world.settle();
    let here: BTreeSet<PersonId> = world.here(LOBBY).iter().map(|author| author.id).collect();
    assert_eq!(here.len(), 3);
    assert_eq!(world.nodes[1].presence(LOBBY), here);
    assert_eq!(greetings(&world, 1), 1);
}

#[test]
fn the_last_value_of_every_register_is_told_again_when_a_slow_reader_reads_on() {
    let mut world = World::new(8);
    for rank in 1..=u64::from(MANY) {
        for i in [0, 2, 3, 4, 5, 6, 7] {
            world.command(i, marker(rank));
        }
        without(&mut world, 1);
    }
    world.settle();
    let told = &world.nodes[1].database.registers;
    assert_eq!(told.len(), 7);
    assert!(told.values().all(|rank| *rank == u64::from(MANY)), "{told:?}");
    assert_eq!(greetings(&world, 1), 1);
}
