//! An idempotency key makes a repeat a repeat, as long as its event is in the log.

use super::rig::*;
use holdfast_common::{
    id::{PersonId, RoomId},
    storage::{Append, Appended},
};

contract! {
    a_repeat_gets_the_first_answer
    another_body_under_the_key_is_a_mismatch
    a_key_belongs_to_its_caller_and_room
    a_rejected_event_leaves_no_key
    a_key_is_remembered_until_its_event_is_trimmed
}

fn with_key(room: RoomId, key: &str, body: u8) -> Append {
    let mut append = message(room, PersonId::NIL, "posted");
    append.idempotency = promise(key, body);
    append
}

async fn a_repeat_gets_the_first_answer(rig: Rig) {
    let room = rig.room().await;
    let Appended::Decided { verdict, .. } = rig.put(with_key(room, "k", 1)).await else {
        panic!("not decided");
    };
    let Appended::Again(again) = rig.put(with_key(room, "k", 1)).await else {
        panic!("not told again");
    };
    assert_eq!(again, verdict);
    assert_eq!(rig.slice(room, 0).await.head.offset, 2);
    // The key comes before the versions: a repeat on old facts is a repeat.
    let mut old = rig.read_facts(with_key(room, "k", 1)).await;
    old.versions.room += 1;
    assert!(matches!(rig.engine.append(old).await, Appended::Again(_)));
}

async fn another_body_under_the_key_is_a_mismatch(rig: Rig) {
    let room = rig.room().await;
    rig.entry(with_key(room, "k", 1)).await;
    let other = rig.put(with_key(room, "k", 2)).await;
    assert!(matches!(other, Appended::Mismatch));
    assert_eq!(rig.slice(room, 0).await.head.offset, 2);
}

async fn a_key_belongs_to_its_caller_and_room(rig: Rig) {
    let (one, two) = (rig.room().await, rig.room().await);
    rig.entry(with_key(one, "k", 1)).await;
    rig.entry(with_key(two, "k", 2)).await;
    let mut other = with_key(one, "k", 3);
    if let Some(promise) = &mut other.idempotency {
        promise.caller = person();
    }
    rig.entry(other).await;
    assert_eq!(rig.slice(one, 0).await.head.offset, 3);
}

async fn a_rejected_event_leaves_no_key(rig: Rig) {
    let room = rig.room().await;
    rig.put(rejected(with_key(room, "k", 1))).await;
    assert_eq!(acked(&rig.put(with_key(room, "k", 2)).await), 2);
}

async fn a_key_is_remembered_until_its_event_is_trimmed(rig: Rig) {
    let room = rig.room().await;
    rig.entry(with_key(room, "trimmed", 1)).await;
    let removed = rig.entry(with_key(room, "removed", 1)).await.entry.id;
    rig.entry(delete(room, PersonId::NIL, removed)).await;
    rig.engine.trim(room, 3).await.unwrap();
    assert_eq!(acked(&rig.put(with_key(room, "removed", 1)).await), 3);
    assert_eq!(acked(&rig.put(with_key(room, "trimmed", 2)).await), 5);
}
