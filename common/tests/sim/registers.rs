//! A register's newest value is kept until it stands, whatever is said of older ones.

use crate::world::{LOBBY, World};
use holdfast_common::{
    client::{Command, Input, LatestRow, Show},
    limits::Limits,
};

/// The command that moves the read marker.
pub fn marker(offset: u64) -> Command {
    let (ns, kind) = ("chat".to_owned(), "read".to_owned());
    let data = format!("{{\"offset\":{offset}}}");
    Command::SetLatest(LatestRow { ns, room: LOBBY, kind, rank: offset, data })
}

/// How often a client was greeted.
pub fn greetings(world: &World, i: usize) -> usize {
    let shown = world.nodes[i].shown.iter();
    shown.filter(|show| matches!(show, Show::Welcome { .. })).count()
}

fn waiting(world: &World) -> Vec<u64> {
    world.nodes[0].database.latest.iter().map(|row| row.rank).collect()
}

#[test]
fn a_register_above_the_rate_is_sent_again_after_a_wait_and_without_a_new_connection() {
    let mut world = World::with(2, Limits { emits_per_second: 1, ..Limits::default() });
    world.say(0, "one");
    world.say(0, "two");
    world.settle();
    world.command(0, marker(5));
    world.settle();
    assert_eq!(waiting(&world), [5], "refused for now, and kept");
    world.wait(5_000);
    assert!(waiting(&world).is_empty());
    let told = world.nodes[1].database.registers.values();
    assert_eq!(told.copied().collect::<Vec<_>>(), [5]);
    assert_eq!(greetings(&world, 0), 1);
}

#[test]
fn a_late_refusal_takes_the_value_that_it_is_about_and_no_newer_one() {
    let mut world = World::new(1);
    world.blackhole(0);
    world.command(0, marker(5));
    world.command(0, marker(8));
    let refusal = |about: &str| {
        Input::Frame(format!(
            r#"{{"stored":{{"room":"{LOBBY}","type":"read","rank":0,"code":"bad_payload"{about}}}}}"#
        ))
    };
    world.feed(0, refusal(",\"about\":5"));
    assert!(waiting(&world).contains(&8));
    world.feed(0, refusal(",\"about\":8"));
    assert!(waiting(&world).is_empty());
    world.command(0, marker(9));
    world.feed(0, refusal(""));
    assert!(waiting(&world).is_empty(), "a server that does not say is taken at its word");
}
