//! Outboxes and logs of which there are two, or that are older than they were.

use super::message;
use crate::world::{LOBBY, World};
use holdfast_common::{
    chat::{Message, RoomCreated},
    client::RowState,
    id::RoomId,
};

#[test]
fn a_copied_outbox_is_fenced_and_sends_only_what_was_never_seen() {
    let mut world = World::new(2);
    world.swallow = Some("{\"ack\"");
    world.say(0, "seen");
    world.settle();
    let copy = world.nodes[0].database.clone();
    world.cut(0);
    world.wait(60_000);
    assert!(world.nodes[0].database.rows.is_empty());
    world.crash_client(0);
    let writer = copy.writer;
    world.nodes[0].database = copy;
    world.nodes[0].database.generation -= 1;
    world.start(0);
    let fresh = world.say(0, "fresh");
    world.wait(60_000);
    assert_ne!(world.nodes[0].database.writer, writer);
    assert_eq!(world.texts(LOBBY), vec![message("seen"), message("fresh")]);
    assert_eq!(world.nodes[1].ids(LOBBY).last(), Some(&fresh));
    assert!(world.nodes[0].database.rows.is_empty());
    world.check();
}

#[test]
fn after_a_restore_the_reader_is_told_and_own_lost_events_are_sent_again() {
    let mut world = World::new(2);
    world.say(1, "kept");
    world.settle();
    // Acked, and its entry still on the way, when the server goes back in time.
    world.swallow = Some("{\"entries\"");
    world.say(0, "lost");
    world.settle();
    assert_eq!(world.swallowed, 1);
    world.restore(1);
    world.crash_server();
    world.wait(60_000);
    assert!(world.nodes[0].database.told.contains(&"reset Epoch".to_owned()));
    assert!(world.nodes[1].database.told.contains(&"reset Epoch".to_owned()));
    assert_eq!(world.texts(LOBBY), vec![message("kept"), message("lost")]);
    world.check();
}

#[test]
fn an_acked_event_that_a_silent_rollback_lost_is_sent_again() {
    let mut world = World::new(2);
    world.say(1, "kept");
    world.settle();
    world.swallow = Some("{\"entries\"");
    world.say(0, "lost");
    world.settle();
    assert_eq!(world.swallowed, 1);
    // The same epoch, and nobody writes after it: the cursor still fits.
    world.roll_back(1);
    world.crash_server();
    world.wait(60_000);
    let texts = world.texts(LOBBY);
    assert_eq!(texts.iter().filter(|text| **text == message("lost")).count(), 1);
    assert!(world.nodes[0].database.rows.is_empty());
}

#[test]
fn of_two_tabs_that_both_raised_the_generation_one_is_refused_by_the_database() {
    let mut world = World::new(1);
    let mut other = world.nodes[0].database.clone();
    world.crash_client(0);
    world.start(0);
    other.generation = world.nodes[0].database.generation;
    // A second leader, which loaded before the first one's last raise.
    world.nodes[0].database.generation += 1;
    world.say(0, "from the stale one");
    world.settle();
    assert!(world.sent[0].iter().all(|text| !text.contains("from the stale one")));
}

#[test]
fn a_fenced_outbox_learns_what_became_of_its_events_in_a_room_that_it_has_left() {
    let mut world = World::new(2);
    let room = RoomId::from_bytes([5; 16]);
    world.emit(0, room, &RoomCreated { name: "Ward".to_owned() });
    world.settle();
    world.server.trouble.mute = true;
    let stood = world.emit(0, room, &Message { text: "it stands".to_owned() });
    world.settle();
    world.server.trouble.mute = false;
    world.crash_client(0);
    // Another browser of the same person takes them out of the room, and the outbox is set back.
    let person = world.nodes[0].database.principal.person;
    world.server.engine.disk.member(person, room, false);
    world.nodes[0].database.generation -= 1;
    world.start(0);
    world.wait(60_000);
    assert!(world.sent[0].iter().any(|text| text.contains("\"ask\"")), "it was fenced and asked");
    let sent = world.sent[0].iter().filter(|text| text.contains(&stood.to_string()));
    assert_eq!(sent.filter(|text| text.contains("\"emit\"")).count(), 1, "never sent again");
    let left: Vec<&RowState> =
        world.nodes[0].database.rows.values().map(|row| &row.state).collect();
    assert!(matches!(left[..], [] | [RowState::Acked { offset: 2, .. }]), "{left:?}");
    assert_eq!(world.server.engine.disk.log(room).len(), 2);
}
