//! An event may replace or remove an earlier one: history shows the newest, and what was removed
//! is gone from wherever it stood.

use super::rig::*;
use holdfast_common::{
    event::Effect,
    frame::{Entry, HOLLOW},
    id::{EventId, PersonId, RoomId},
    storage::FactsQuery,
};

contract! {
    a_page_shows_the_newest_replacement
    a_replacement_of_a_replacement_replaces_the_first
    a_removed_event_is_hollow_and_keeps_its_place
    a_removal_empties_every_replacement
    a_removed_replacement_uncovers_the_one_before
    a_target_moves_when_it_is_replaced_or_removed
    a_hollow_event_does_not_count
    a_removal_of_what_is_not_there_is_an_event_like_any
    pages_are_walked_from_item_to_item_whatever_lies_between_or_was_trimmed
}

async fn read(rig: &Rig, room: RoomId) -> Vec<Entry> {
    let slice = rig.slice(room, 1).await;
    let entries = slice.entries.iter();
    entries.map(|(_, text)| serde_json::from_str(text).unwrap()).collect()
}

async fn target_version(rig: &Rig, room: RoomId, target: EventId) -> (u64, bool) {
    let query = FactsQuery {
        person: PersonId::NIL,
        namespace: NS.to_owned(),
        room,
        effect: Effect::Removes(target),
    };
    let facts = rig.engine.facts(query).await.unwrap();
    let target = facts.target.unwrap();
    (facts.versions.target, target.hollow)
}

async fn pages_are_walked_from_item_to_item_whatever_lies_between_or_was_trimmed(rig: Rig) {
    let items = async |room, before, limit| {
        let page = rig.page(room, before, limit).await;
        let items = page.items.iter().map(|item| item.entry.offset);
        (page.from, items.collect::<Vec<_>>())
    };
    let (room, ada) = (rig.room().await, person());
    let second = rig.entry(message(room, ada, "2")).await.entry.id;
    for _ in 3..=5 {
        rig.entry(edit(room, ada, second, "2, changed")).await;
    }
    let sixth = rig.entry(message(room, ada, "6")).await.entry.id;
    rig.entry(delete(room, ada, sixth)).await;
    assert_eq!(items(room, None, 9).await, (1, vec![1, 2, 6]));
    assert_eq!(items(room, None, 2).await, (2, vec![2, 6]));
    for (before, limit, expected) in [
        (7, 1, (6, vec![6])),
        (6, 9, (1, vec![1, 2])),
        (4, 1, (2, vec![2])),
        (3, 1, (2, vec![2])),
        (2, 9, (1, vec![1])),
        (1, 9, (1, vec![])),
    ] {
        assert_eq!(items(room, Some(before), limit).await, expected, "before {before}");
    }
    rig.engine.trim(room, 3).await.unwrap();
    assert_eq!(items(room, None, 9).await, (3, vec![6]));
    for before in 3..=6 {
        assert_eq!(items(room, Some(before), 9).await, (3, vec![]), "before {before}");
    }
    rig.engine.trim(room, 7).await.unwrap();
    assert_eq!(items(room, None, 9).await, (7, vec![]), "a deletion alone is left");
    rig.engine.trim(room, 8).await.unwrap();
    assert_eq!(items(room, None, 9).await, (8, vec![]));
    rig.entry(edit(room, ada, second, "of what is trimmed")).await;
    assert_eq!(items(room, None, 9).await, (8, vec![]));
    rig.entry(message(room, ada, "9")).await;
    rig.entry(message(room, ada, "10")).await;
    assert_eq!(items(room, None, 9).await, (8, vec![9, 10]));
    assert_eq!(items(room, Some(10), 1).await, (8, vec![9]));
    assert_eq!(items(room, Some(9), 1).await, (8, vec![]));
}

async fn a_page_shows_the_newest_replacement(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let target = rig.entry(message(room, ada, "v1")).await.entry.id;
    rig.entry(edit(room, ada, target, "v2")).await;
    rig.entry(message(room, ada, "between")).await;
    rig.entry(edit(room, ada, target, "v3")).await;
    let page = rig.page(room, None, 10).await;
    let texts: Vec<_> = page.items[1..].iter().map(shown).collect();
    assert_eq!(texts, [r#"{"text":"v3"}"#, r#"{"text":"between"}"#]);
    assert_eq!(page.items[1].entry.data.as_ref().unwrap().get(), r#"{"text":"v1"}"#);
    assert_eq!(page.items[1].change.as_ref().unwrap().offset, 5);
    assert_eq!(read(&rig, room).await.len(), 4);
}

async fn a_replacement_of_a_replacement_replaces_the_first(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let target = rig.entry(message(room, ada, "v1")).await.entry.id;
    let second = rig.entry(edit(room, ada, target, "v2")).await.entry.id;
    rig.entry(edit(room, ada, second, "v3")).await;
    assert_eq!(shown(&rig.page(room, None, 1).await.items[0]), r#"{"text":"v3"}"#);
    rig.entry(delete(room, ada, target)).await;
    let entries = read(&rig, room).await;
    assert!(entries[..3].iter().all(|entry| entry.kind == HOLLOW));
}

async fn a_removed_event_is_hollow_and_keeps_its_place(rig: Rig) {
    let (room, ada, bob) = (rig.room().await, person(), person());
    let before = rig.entry(message(room, ada, "secret")).await.entry;
    rig.entry(delete(room, bob, before.id)).await;
    let entries = read(&rig, room).await;
    let hollow = &entries[0];
    assert_eq!((hollow.kind.as_str(), hollow.data.is_none()), (HOLLOW, true));
    assert_eq!(hollow.from.id, bob);
    assert_eq!((hollow.offset, hollow.mark), (before.offset, before.mark));
    assert_eq!((hollow.id, hollow.at), (before.id, before.at));
    assert_eq!(entries[1].kind, "delete");
    assert_chained(&rig.slice(room, 0).await);
    let page = rig.page(room, None, 10).await;
    assert_eq!(page.items.len(), 2, "it stays in history, as a hollow item");
    assert_eq!(page.items[1].entry.kind, HOLLOW);
}

async fn a_removal_empties_every_replacement(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let target = rig.entry(message(room, ada, "v1")).await.entry.id;
    for text in ["v2", "v3"] {
        rig.entry(edit(room, ada, target, text)).await;
    }
    let other = rig.entry(message(room, ada, "other")).await.entry.id;
    rig.entry(edit(room, ada, other, "other v2")).await;
    rig.entry(delete(room, ada, target)).await;
    let kinds: Vec<_> = read(&rig, room).await.into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [HOLLOW, HOLLOW, HOLLOW, "message", "edit", "delete"]);
    let page = rig.page(room, None, 10).await;
    assert!(page.items[1].change.is_none());
    assert_eq!(shown(&page.items[2]), r#"{"text":"other v2"}"#);
}

async fn a_removed_replacement_uncovers_the_one_before(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let target = rig.entry(message(room, ada, "v1")).await.entry.id;
    rig.entry(edit(room, ada, target, "v2")).await;
    let third = rig.entry(edit(room, ada, target, "v3")).await.entry.id;
    rig.entry(delete(room, ada, third)).await;
    assert_eq!(shown(&rig.page(room, None, 1).await.items[0]), r#"{"text":"v2"}"#);
}

async fn a_target_moves_when_it_is_replaced_or_removed(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let target = rig.entry(message(room, ada, "v1")).await.entry.id;
    assert_eq!(target_version(&rig, room, target).await, (1, false));
    let replacement = rig.entry(edit(room, ada, target, "v2")).await.entry;
    let after = target_version(&rig, room, target).await;
    assert_eq!(after, (1 + replacement.offset, false));
    let removal = rig.entry(delete(room, ada, target)).await.entry;
    for id in [target, replacement.id] {
        let after = target_version(&rig, room, id).await;
        assert_eq!(after, (1 + removal.offset, true));
    }
}

async fn a_hollow_event_does_not_count(rig: Rig) {
    let room = rig.room().await;
    let entries = rig.messages(room, 5).await;
    rig.entry(delete(room, PersonId::NIL, entries[1].entry.id)).await;
    let page = rig.engine.page(room, None, 1, usize::MAX, Some(1)).await.unwrap().unwrap();
    assert_eq!((page.from, page.skipped), (6, 3));
}

async fn a_removal_of_what_is_not_there_is_an_event_like_any(rig: Rig) {
    let room = rig.room().await;
    rig.entry(delete(room, PersonId::NIL, event())).await;
    rig.entry(edit(room, PersonId::NIL, event(), "of nothing")).await;
    assert_eq!(read(&rig, room).await.len(), 2);
    assert_eq!(rig.page(room, None, 10).await.items.len(), 1);
}
