//! Requests that come too fast.

use crate::world::{LOBBY, World};
use holdfast_common::{
    chat::{Message, RoomCreated},
    client::{Command, Input, Show},
    id::{PersonId, RoomId},
    limits::Limits,
};

/// Two at once, and then one a second.
fn slow() -> Limits {
    Limits { emits_per_second: 1, ..Limits::default() }
}

fn rooms() -> [RoomId; 4] {
    [1, 2, 3, 4].map(|n| RoomId::from_bytes([n; 16]))
}

fn no_refusal_is_shown(world: &World) {
    let mut shown = world.nodes[0].shown.iter();
    assert!(!shown.any(|show| matches!(show, Show::Refused { .. })));
}

#[test]
fn a_request_above_the_rate_is_asked_again_until_it_is_answered() {
    let mut world = World::with(1, slow());
    for (n, room) in rooms().into_iter().enumerate() {
        world.server.engine.disk.create(room, &format!("room {n}"), PersonId::NIL);
        world.command(0, Command::Join { room });
    }
    world.settle();
    let person = world.nodes[0].database.principal.person;
    let joined = |world: &World| {
        world.server.engine.disk.rooms(person).iter().filter(|it| it.joined).count()
    };
    assert_eq!(joined(&world), 3, "the lobby and what was asked for at once");
    world.wait(10_000);
    assert_eq!(joined(&world), 5);
    no_refusal_is_shown(&world);
}

#[test]
fn an_outbox_that_asks_too_fast_does_not_take_it_for_a_no() {
    let mut world = World::with(1, slow());
    let mut said = Vec::new();
    for (n, room) in rooms().into_iter().enumerate() {
        world.emit(0, room, &RoomCreated { name: format!("room {n}") });
        world.wait(10_000);
    }
    world.server.trouble.mute = true;
    for room in rooms() {
        said.push(world.emit(0, room, &Message { text: "it stands".to_owned() }));
        world.settle();
    }
    while world.server.trouble.muted < 4 {
        world.wait(1_000);
    }
    world.server.trouble.mute = false;
    let before = world.sent[0].len();
    world.crash_client(0);
    world.nodes[0].database.generation -= 1;
    world.start(0);
    world.wait(60_000);
    let sent = &world.sent[0][before..];
    assert!(sent.iter().filter(|frame| frame.starts_with("{\"ask\"")).count() > 4, "some again");
    for id in said {
        let again =
            |frame: &&String| frame.starts_with("{\"emit\"") && frame.contains(&id.to_string());
        assert!(!sent.iter().any(|frame| again(&frame)), "it stands, and is not sent again");
    }
    assert!(world.nodes[0].database.rows.is_empty());
    assert!(world.server.engine.disk.log(LOBBY).is_empty());
    no_refusal_is_shown(&world);
    world.check();
}

#[test]
fn a_wish_that_was_lost_with_the_connection_is_asked_again_over_the_next_one() {
    let mut world = World::new(1);
    let [room, other, third, _] = rooms();
    for (n, room) in [room, other, third].into_iter().enumerate() {
        world.server.engine.disk.create(room, &format!("room {n}"), PersonId::NIL);
    }
    world.command(0, Command::Join { room });
    world.settle();
    world.blackhole(0);
    world.command(0, Command::Leave { room });
    world.command(0, Command::Join { room: other });
    world.settle();
    world.cut(0);
    // Without a connection the newest wish for a room takes the place of the one before.
    world.command(0, Command::Join { room: third });
    world.command(0, Command::Leave { room: third });
    world.wait(60_000);
    let person = world.nodes[0].database.principal.person;
    let rooms = world.server.engine.disk.rooms(person);
    let joined: Vec<RoomId> = rooms.iter().filter(|it| it.joined).map(|it| it.room).collect();
    assert_eq!(joined, [LOBBY, other]);
    assert!(
        !world.sent[0]
            .iter()
            .any(|frame| frame.contains("join") && frame.contains(&third.to_string()))
    );
    no_refusal_is_shown(&world);
    world.check();
}

#[test]
fn a_wish_that_the_storage_cannot_take_now_is_asked_again() {
    let mut world = World::new(1);
    let [room, ..] = rooms();
    world.server.engine.disk.create(room, "room", PersonId::NIL);
    world.swallow = Some("{\"joined\"");
    world.command(0, Command::Join { room });
    world.settle();
    let text = r#"{"refused":{"req":1,"code":"storage_full","detail":"no"}}"#;
    world.feed(0, Input::Frame(text.to_owned()));
    no_refusal_is_shown(&world);
    world.wait(2_000);
    let asked = world.sent[0].iter().filter(|frame| frame.starts_with("{\"join\""));
    assert_eq!(asked.count(), 2);
}
