//! A person's inbox is a room of theirs that is not there for anybody else.

use super::rig::*;
use holdfast_common::{
    cursor::Cursor,
    event::{Effect, Facts},
    frame::{RoomCursor, RoomInfo},
    id::{PersonId, RoomId},
    storage::{Appended, FactsQuery, Inbox, Membership, Verdict},
};

contract! {
    an_inbox_is_made_once_and_only_its_owner_is_a_member
    there_is_no_inbox_of_nobody
    each_namespace_has_an_inbox_of_its_own
    of_two_inboxes_made_at_once_the_second_is_asked_again
    an_inbox_takes_no_name_and_is_not_found_by_one
    a_greeting_tells_of_an_inbox_to_its_owner_alone
    what_stands_in_an_inbox_is_found_by_its_owner_alone
    an_event_that_stands_in_an_inbox_is_not_acked_to_somebody_else
    an_inbox_is_neither_joined_nor_left
    an_inbox_is_not_counted_among_the_rooms_of_its_owner
    the_facts_of_an_inbox_name_its_owner
    a_deleted_inbox_is_made_anew_as_another_room
}

/// A person and their inbox, whose log has one entry.
async fn made(rig: &Rig) -> (Sender, RoomId, RoomInfo) {
    let (ada, room) = (rig.sender().await, room_id());
    let new = rig.entry(inbox(room, ada.person)).await;
    assert_eq!(new.owner, Some(ada.person));
    (ada, room, new.created.unwrap())
}

async fn facts(rig: &Rig, room: RoomId, person: PersonId) -> Facts {
    let effect = Effect::Adds;
    let query = FactsQuery { person, namespace: NS.to_owned(), room, effect };
    rig.engine.facts(query).await.unwrap()
}

/// What a person's greeting says of a room that they have a cursor in.
async fn told(rig: &Rig, mut sender: Sender, room: RoomId) -> Option<RoomInfo> {
    sender.generation += 1;
    let mut greeting = sender.greeting();
    let cursor = Cursor::start(holdfast_common::id::Epoch::NIL);
    greeting.rooms = vec![RoomCursor { room, cursor }];
    let resume = rig.resume(greeting).await;
    resume.rooms.into_iter().map(|state| state.info).find(|info| info.room == room)
}

async fn an_inbox_is_made_once_and_only_its_owner_is_a_member(rig: Rig) {
    let (ada, room, info) = made(&rig).await;
    assert!(info.inbox && info.joined && !info.gone);
    assert_eq!((info.room, info.ns.as_str(), info.head.offset), (room, NS, 1));
    assert_eq!(rig.engine.inbox(ada.person, NS).await, Ok(Inbox::Room(info)));
    assert!(facts(&rig, room, ada.person).await.member);
    assert!(!facts(&rig, room, PersonId::NIL).await.member);
    let again = rig.put(inbox(room_id(), ada.person)).await;
    assert!(matches!(again, Appended::Moved));
}

async fn there_is_no_inbox_of_nobody(rig: Rig) {
    assert_eq!(rig.engine.inbox(person(), NS).await, Ok(Inbox::NoPerson));
    let ada = rig.sender().await;
    assert_eq!(rig.engine.inbox(ada.person, NS).await, Ok(Inbox::None));
}

async fn each_namespace_has_an_inbox_of_its_own(rig: Rig) {
    let (ada, ..) = made(&rig).await;
    let mut other = inbox(room_id(), ada.person);
    other.namespace = "tally".to_owned();
    let made = rig.entry(other).await.created.unwrap();
    assert_eq!(rig.engine.inbox(ada.person, "tally").await, Ok(Inbox::Room(made)));
}

async fn of_two_inboxes_made_at_once_the_second_is_asked_again(rig: Rig) {
    let ada = rig.sender().await;
    let one = rig.read_facts(inbox(room_id(), ada.person)).await;
    let two = rig.read_facts(inbox(room_id(), ada.person)).await;
    let (room, lost) = (one.room, two.room);
    let (one, two) = (rig.engine.append(one), rig.engine.append(two));
    let (one, two) = (one.await, two.await);
    assert_eq!(entry(one).room, room);
    assert!(matches!(two, Appended::Moved));
    assert!(rig.engine.slice(lost, 0, 9, 99).await.unwrap().is_none());
}

async fn an_inbox_takes_no_name_and_is_not_found_by_one(rig: Rig) {
    made(&rig).await;
    made(&rig).await;
    assert_eq!(rig.engine.room_named(NS, "Inbox").await, Ok(None));
    let named = rig.entry(creation(room_id(), person(), "Inbox")).await.created.unwrap();
    assert_eq!((named.name.as_str(), named.inbox), ("Inbox", false));
    let found = rig.engine.room_named(NS, "inbox").await.unwrap().unwrap();
    assert_eq!(found.room, named.room);
    made(&rig).await;
}

async fn a_greeting_tells_of_an_inbox_to_its_owner_alone(rig: Rig) {
    let (ada, room, info) = made(&rig).await;
    let bob = rig.sender().await;
    assert_eq!(told(&rig, bob, room).await, None);
    assert!(rig.resume(Sender::new().greeting()).await.rooms.is_empty());
    assert_eq!(told(&rig, ada, room).await, Some(info));
    rig.engine.delete_room(room).await.unwrap();
    let (ada, bob) = (Sender { generation: 7, ..ada }, Sender { generation: 7, ..bob });
    assert_eq!(told(&rig, bob, room).await, None);
    assert!(told(&rig, ada, room).await.unwrap().gone);
}

async fn what_stands_in_an_inbox_is_found_by_its_owner_alone(rig: Rig) {
    let (ada, room, _) = made(&rig).await;
    let id = rig.messages(room, 1).await[0].entry.id;
    for who in [ada.person, PersonId::NIL] {
        let found = rig.engine.find(who, room, vec![id]).await.unwrap().unwrap();
        assert_eq!(found.1, [(id, 2)]);
    }
    let found = rig.engine.find(person(), room, vec![id]).await.unwrap();
    assert!(found.is_none());
}

async fn an_event_that_stands_in_an_inbox_is_not_acked_to_somebody_else(rig: Rig) {
    let (_, room, _) = made(&rig).await;
    let (id, bob) = (rig.messages(room, 1).await[0].entry.id, rig.sender().await);
    let mut same = rejected(message(room, bob.person, "what is there?"));
    same.id = id;
    same.lane = bob.number(1, 0);
    let Appended::Decided { verdict: Verdict::Reject { .. }, entry: None, .. } =
        rig.put(same).await
    else {
        panic!("it is rejected, as in a room that is not there");
    };
}

async fn an_inbox_is_neither_joined_nor_left(rig: Rig) {
    let (ada, room, info) = made(&rig).await;
    let bob = person();
    assert_eq!(rig.engine.join(bob, room, 9, NOW).await, Ok(Membership::NoRoom));
    assert_eq!(rig.engine.leave(bob, room).await, Ok(Membership::NoRoom));
    assert_eq!(rig.engine.join(ada.person, room, 9, NOW).await, Ok(Membership::Done(info)));
    assert_eq!(rig.engine.leave(ada.person, room).await, Ok(Membership::ForGood));
    assert!(facts(&rig, room, ada.person).await.member);
}

async fn an_inbox_is_not_counted_among_the_rooms_of_its_owner(rig: Rig) {
    let (ada, ..) = made(&rig).await;
    let joined = rig.engine.join(ada.person, rig.room().await, 1, NOW).await.unwrap();
    assert!(matches!(joined, Membership::Done(_)));
    let second = rig.engine.join(ada.person, rig.room().await, 1, NOW).await;
    assert_eq!(second, Ok(Membership::TooMany));
}

async fn the_facts_of_an_inbox_name_its_owner(rig: Rig) {
    let (ada, room, _) = made(&rig).await;
    assert_eq!(facts(&rig, room, PersonId::NIL).await.room.unwrap().owner, Some(ada.person));
    let other = facts(&rig, rig.room().await, ada.person).await;
    assert_eq!(other.room.unwrap().owner, None);
}

async fn a_deleted_inbox_is_made_anew_as_another_room(rig: Rig) {
    let (ada, room, _) = made(&rig).await;
    let gone = rig.engine.delete_room(room).await.unwrap().unwrap();
    assert!(gone.gone && gone.inbox && !gone.joined);
    assert_eq!(rig.engine.inbox(ada.person, NS).await, Ok(Inbox::None));
    let again = rig.entry(inbox(room_id(), ada.person)).await;
    assert_ne!(again.room, room);
}
