//! Rooms are made by events, found by name, joined and left.

use super::rig::*;
use holdfast_common::{
    error::Code,
    event::{Effect, Facts},
    id::{PersonId, RoomId},
    storage::{Append, Appended, FactsQuery, Membership, Verdict},
};

contract! {
    a_room_is_made_by_its_first_event
    the_author_of_a_room_is_its_first_member_and_nobody_is_none
    an_epoch_is_never_the_same
    a_name_is_unique_whatever_its_case_and_the_space_around_it
    a_taken_name_is_offered_with_a_number
    a_name_that_was_taken_meanwhile_is_asked_again
    namespaces_do_not_share_names
    a_room_that_exists_is_not_made_again
    the_facts_of_an_unknown_room_are_nothing
    the_facts_of_a_room_say_what_it_is
    a_membership_has_another_version_each_time_it_begins
    one_may_be_a_member_of_so_many_rooms
    who_makes_a_room_is_held_to_the_same_number
    nobody_joins_an_unknown_or_deleted_room
    a_room_is_found_by_its_name
    a_deleted_room_leaves_a_tombstone_and_frees_its_name
}

async fn facts(rig: &Rig, room: RoomId, person: PersonId, effect: Effect) -> Facts {
    let query = FactsQuery { person, namespace: NS.to_owned(), room, effect };
    rig.engine.facts(query).await.unwrap()
}

async fn free_name(rig: &Rig, wished: &str) -> String {
    let effect = Effect::Creates(wished.to_owned());
    let facts = facts(rig, room_id(), PersonId::NIL, effect).await;
    facts.free_name.unwrap()
}

async fn a_room_is_made_by_its_first_event(rig: Rig) {
    let (room, ada) = (room_id(), person());
    let new = rig.entry(creation(room, ada, "Ward 7")).await;
    let info = new.created.as_ref().unwrap();
    assert_eq!((info.room, info.ns.as_str(), info.name.as_str()), (room, NS, "Ward 7"));
    assert!(info.joined && !info.gone);
    assert_eq!(info.head.cursor(), cursor(&new));
    assert_eq!((new.entry.offset, info.head.first), (1, 1));
    assert_chained(&rig.slice(room, 0).await);
}

async fn the_author_of_a_room_is_its_first_member_and_nobody_is_none(rig: Rig) {
    let ada = person();
    for (author, member) in [(ada, true), (PersonId::NIL, false)] {
        let room = room_id();
        rig.entry(creation(room, author, &room.to_string())).await;
        assert_eq!(facts(&rig, room, author, Effect::Adds).await.member, member);
    }
}

async fn an_epoch_is_never_the_same(rig: Rig) {
    let one = rig.slice(rig.room().await, 0).await.head.epoch;
    let two = rig.slice(rig.room().await, 0).await.head.epoch;
    assert_ne!(one, two);
}

async fn a_name_is_unique_whatever_its_case_and_the_space_around_it(rig: Rig) {
    rig.entry(creation(room_id(), PersonId::NIL, "Ward")).await;
    assert_eq!(free_name(&rig, " wARD\t").await, "wARD-2");
    assert_eq!(free_name(&rig, " Other ").await, "Other");
    let mut same = rig.read_facts(creation(room_id(), PersonId::NIL, "Other")).await;
    same.room_name = Some(" WARD ".to_owned());
    assert!(matches!(rig.engine.append(same).await, Appended::Moved));
}

async fn a_taken_name_is_offered_with_a_number(rig: Rig) {
    for expected in ["Ward", "Ward-2", "Ward-3", "Ward-4", "Ward-5"] {
        let new = rig.entry(creation(room_id(), person(), "Ward")).await;
        assert_eq!(new.created.unwrap().name, expected);
    }
}

async fn a_name_that_was_taken_meanwhile_is_asked_again(rig: Rig) {
    let ada = rig.sender().await;
    let mut late = rig.read_facts(creation(room_id(), ada.person, "Ward")).await;
    late.lane = ada.number(1, 0);
    rig.entry(creation(room_id(), PersonId::NIL, "Ward")).await;
    assert!(matches!(rig.engine.append(late.clone()).await, Appended::Moved));
    assert!(rig.engine.slice(late.room, 0, 1, 1).await.unwrap().is_none());
    assert_eq!(rig.entry(late).await.created.unwrap().name, "Ward-2");
}

async fn namespaces_do_not_share_names(rig: Rig) {
    rig.entry(creation(room_id(), PersonId::NIL, "Ward")).await;
    let mut other = creation(room_id(), PersonId::NIL, "Ward");
    other.namespace = "tally".to_owned();
    assert_eq!(rig.entry(other).await.created.unwrap().name, "Ward");
}

async fn a_room_that_exists_is_not_made_again(rig: Rig) {
    let room = room_id();
    let early = rig.read_facts(creation(room, person(), "Early")).await;
    let late = rig.read_facts(creation(room, person(), "Late")).await;
    rig.engine.append(early).await;
    assert!(matches!(rig.engine.append(late).await, Appended::Moved));
    let facts = facts(&rig, room, person(), Effect::Creates("Late".to_owned())).await;
    assert_eq!(facts.room.unwrap().name, "Early");
}

async fn the_facts_of_an_unknown_room_are_nothing(rig: Rig) {
    let facts = facts(&rig, room_id(), person(), Effect::Removes(event())).await;
    assert_eq!((facts.room, facts.target, facts.member), (None, None, false));
    assert_eq!(facts.versions, holdfast_common::event::Versions::default());
}

async fn the_facts_of_a_room_say_what_it_is(rig: Rig) {
    let (room, ada) = (room_id(), person());
    rig.entry(creation(room, ada, "Ward")).await;
    let said = rig.entry(message(room, ada, "hello")).await.entry.id;
    let facts = facts(&rig, room, ada, Effect::Replaces(said)).await;
    let about = facts.room.unwrap();
    assert_eq!((about.id, about.namespace.as_str()), (room, NS));
    assert_eq!((about.name.as_str(), about.creator, about.gone), ("Ward", ada, false));
    let target = facts.target.unwrap();
    assert_eq!((target.id, target.kind.as_str()), (said, "message"));
    assert_eq!((target.author, target.hollow), (ada, false));
    assert!(facts.member && facts.versions.room > 0 && facts.versions.member > 0);
    assert!(facts.free_name.is_none());
}

async fn a_membership_has_another_version_each_time_it_begins(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let mut versions = vec![0];
    for _ in 0..3 {
        rig.engine.join(ada, room, 9, NOW).await.unwrap();
        let joined = facts(&rig, room, ada, Effect::Adds).await;
        rig.engine.join(ada, room, 9, NOW).await.unwrap();
        let again = facts(&rig, room, ada, Effect::Adds).await;
        assert_eq!((joined.member, joined.versions), (true, again.versions));
        versions.push(joined.versions.member);
        let left = rig.engine.leave(ada, room).await.unwrap();
        assert!(matches!(left, Membership::Done(info) if !info.joined));
        let left = facts(&rig, room, ada, Effect::Adds).await;
        assert_eq!((left.member, left.versions.member), (false, 0));
    }
    versions.dedup();
    assert_eq!(versions.len(), 4);
    assert!(versions.is_sorted());
}

async fn one_may_be_a_member_of_so_many_rooms(rig: Rig) {
    let (one, two, ada) = (rig.room().await, rig.room().await, person());
    let joined = rig.engine.join(ada, one, 1, NOW).await.unwrap();
    assert!(matches!(joined, Membership::Done(info) if info.joined && info.room == one));
    let second = rig.engine.join(ada, two, 1, NOW).await.unwrap();
    assert_eq!(second, Membership::TooMany);
    let again = rig.engine.join(ada, one, 1, NOW).await.unwrap();
    assert!(matches!(again, Membership::Done(_)));
    rig.engine.delete_room(one).await.unwrap();
    let freed = rig.engine.join(ada, two, 1, NOW).await.unwrap();
    assert!(matches!(freed, Membership::Done(_)));
}

async fn who_makes_a_room_is_held_to_the_same_number(rig: Rig) {
    let ada = person();
    let make = |name: &str| Append { most_rooms: 2, ..creation(room_id(), ada, name) };
    rig.entry(make("one")).await;
    let (second, third) = (make("two"), make("three"));
    rig.entry(second.clone()).await;
    let Appended::Decided { verdict, entry: None, .. } = rig.put(third).await else {
        panic!("one room too many was made");
    };
    assert!(matches!(verdict, Verdict::Reject { code: Code::TooMany, .. }), "{verdict:?}");
    // What stands already is acked as ever, and a place that was given up can be had.
    assert_eq!(acked(&rig.put(second.clone()).await), 1);
    rig.engine.leave(ada, second.room).await.unwrap();
    rig.entry(make("four")).await;
}

async fn nobody_joins_an_unknown_or_deleted_room(rig: Rig) {
    let (gone, ada) = (rig.room().await, person());
    rig.engine.delete_room(gone).await.unwrap();
    for room in [gone, room_id()] {
        let joined = rig.engine.join(ada, room, 9, NOW).await;
        assert_eq!(joined, Ok(Membership::NoRoom));
        assert_eq!(rig.engine.leave(ada, room).await, Ok(Membership::NoRoom));
    }
}

async fn a_room_is_found_by_its_name(rig: Rig) {
    let room = room_id();
    rig.entry(creation(room, person(), "Ward 7")).await;
    for name in ["Ward 7", " ward 7 "] {
        let found = rig.engine.room_named(NS, name).await.unwrap().unwrap();
        assert_eq!((found.room, found.joined), (room, false));
    }
    assert_eq!(rig.engine.room_named(NS, "Ward 8").await, Ok(None));
    assert_eq!(rig.engine.room_named("tally", "Ward 7").await, Ok(None));
}

async fn a_deleted_room_leaves_a_tombstone_and_frees_its_name(rig: Rig) {
    let (room, ada) = (room_id(), person());
    let first = rig.entry(creation(room, ada, "Ward")).await.entry.id;
    let before = facts(&rig, room, ada, Effect::Adds).await.versions;
    let info = rig.engine.delete_room(room).await.unwrap().unwrap();
    assert!(info.gone && !info.joined);
    assert_eq!((info.head.offset, info.head.first), (1, 2));
    let after = facts(&rig, room, ada, Effect::Adds).await;
    assert!(after.room.unwrap().gone && !after.member);
    assert_ne!(after.versions.room, before.room);
    assert!(rig.engine.slice(room, 0, 9, 99).await.unwrap().is_none());
    assert!(rig.engine.page(room, None, 9, 999, None).await.unwrap().is_none());
    let found = rig.engine.find(ada, room, vec![first]).await.unwrap().unwrap();
    assert_eq!(found.1, [(first, 1)]);
    assert_eq!(rig.engine.room_named(NS, "Ward").await, Ok(None));
    assert_eq!(free_name(&rig, "Ward").await, "Ward");
    let again = rig.engine.delete_room(room).await.unwrap().unwrap();
    assert_eq!(again, info);
    assert_eq!(rig.engine.delete_room(room_id()).await, Ok(None));
}
