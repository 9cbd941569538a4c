//! What may have been transmitted under an earlier writer is asked about before it is sent again.

use crate::{
    registers::greetings,
    world::{LOBBY, World},
};
use holdfast_common::{
    chat::Message,
    client::{Held, Input, RowState},
    event::EventType,
    limits::Limits,
    time::Timestamp,
};

/// Rows that may have been transmitted, in the outbox of a client that starts again.
fn unsure(world: &mut World, texts: &[&str]) {
    world.crash_client(0);
    for text in texts {
        let message = Message { text: (*text).to_owned() };
        let event = Held::new(world.id(), LOBBY, Timestamp(0), &message);
        let key = world.nodes[0].database.add(event).key;
        world.nodes[0].database.rows.get_mut(&key).expect("it was added").state = RowState::Unsure;
    }
    world.start(0);
}

fn asks(world: &World) -> Vec<&String> {
    world.sent[0].iter().filter(|text| text.starts_with("{\"ask\"")).collect()
}

fn emits(world: &World) -> usize {
    world.sent[0].iter().filter(|text| text.contains(Message::NAME)).count()
}

/// The answer to the first question, which is lost, is this one instead.
fn refused(code: &str) -> World {
    let mut world = World::new(1);
    world.swallow = Some("{\"found\"");
    unsure(&mut world, &["may stand"]);
    world.settle();
    assert_eq!((world.swallowed, asks(&world).len()), (1, 1));
    let text = format!(r#"{{"refused":{{"req":1,"code":"{code}","detail":"no"}}}}"#);
    world.feed(0, Input::Frame(text));
    world.settle();
    world
}

#[test]
fn a_question_that_is_refused_for_now_is_no_answer_and_is_asked_again_after_a_wait() {
    for code in ["storage_fault", "overloaded", "a_code_of_tomorrow"] {
        let mut world = refused(code);
        let outbox = world.nodes[0].database.outbox();
        assert!(matches!(outbox[..], [(_, RowState::Unsure)]), "{code}: {outbox:?}");
        assert_eq!((asks(&world).len(), emits(&world)), (1, 0), "{code}");
        world.wait(2_000);
        assert_eq!((asks(&world).len(), emits(&world)), (2, 1), "{code}");
        assert!(world.nodes[0].database.rows.is_empty(), "{code}");
    }
}

#[test]
fn a_room_that_is_unknown_has_none_of_what_was_asked_about() {
    let world = refused("unknown_room");
    assert_eq!((asks(&world).len(), emits(&world)), (1, 1));
    assert!(world.nodes[0].database.rows.is_empty());
}

#[test]
fn more_than_one_question_may_hold_is_asked_in_parts_and_sent_in_order() {
    let limits = Limits { unsettled: 2, window: 2, ..Limits::default() };
    let mut world = World::with(1, limits);
    let texts = ["1", "2", "3", "4", "5"];
    unsure(&mut world, &texts);
    world.settle();
    assert_eq!(asks(&world).len(), 3);
    let said = texts.map(|text| format!("{{\"text\":\"{text}\"}}"));
    assert_eq!(world.texts(LOBBY), said);
    assert_eq!(greetings(&world, 0), 2, "one for each start: nothing was closed over the limit");
}
