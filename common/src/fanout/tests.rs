use super::*;
use crate::{
    cursor::{Head, Mark},
    frame::RoomInfo,
    id::{Epoch, SessionId, WriterId},
};

fn room(n: u8) -> RoomId {
    RoomId::from_bytes([n; 16])
}

fn person(n: u8) -> Author {
    Author { id: PersonId::from_bytes([n; 16]), name: format!("person {n}") }
}

/// The first connection of a client's run.
fn run(n: u8) -> Run {
    nth(1, n)
}

fn nth(generation: u64, n: u8) -> Run {
    let (session, writer) = (SessionId::from_bytes([n; 16]), WriterId::from_bytes([n; 16]));
    Run { session, writer, generation }
}

fn greeted(fanout: &mut Fanout<&'static str>, n: u8) -> Key {
    let key = fanout.connect();
    fanout.register(key, person(n), run(n));
    key
}

#[test]
fn an_entry_reaches_each_follower_once_and_wakes_it_once() {
    let mut fanout = Fanout::new(8);
    let (a, b) = (greeted(&mut fanout, 1), greeted(&mut fanout, 2));
    let other = greeted(&mut fanout, 3);
    fanout.follow(a, room(1));
    fanout.follow(b, room(1));
    assert_eq!(fanout.publish(room(1), 1, &"one"), vec![a, b]);
    assert_eq!(fanout.publish(room(1), 2, &"two"), vec![]);
    assert_eq!(fanout.take(a).len(), 2);
    assert_eq!(fanout.publish(room(1), 3, &"three"), vec![a]);
    assert_eq!(fanout.take(b).len(), 3);
    assert!(fanout.take(other).is_empty());
}

#[test]
fn who_follows_a_room_learns_how_far_its_log_was_published_before() {
    let mut fanout = Fanout::new(8);
    assert_eq!(fanout.head(room(1)), 0);
    fanout.publish(room(1), 6, &"six");
    let key = greeted(&mut fanout, 1);
    fanout.follow(key, room(1));
    assert_eq!(fanout.head(room(1)), 6);
    fanout.room_gone(room(1));
    assert_eq!(fanout.head(room(1)), 0, "nothing is kept of a room that is no more");
}

#[test]
fn an_entry_that_stands_and_was_not_published_is_made_known_once() {
    let mut fanout = Fanout::new(8);
    let key = greeted(&mut fanout, 1);
    fanout.follow(key, room(1));
    fanout.publish(room(1), 1, &"one");
    fanout.take(key);
    assert!(fanout.stands(room(1), 1).is_empty(), "it was published");
    assert_eq!(fanout.stands(room(1), 2), vec![key]);
    assert_eq!(fanout.take(key), vec![Item::Head { room: room(1), offset: 2 }]);
    assert!(fanout.stands(room(1), 2).is_empty());
    assert_eq!(fanout.head(room(1)), 2, "whoever follows next learns of it too");
}

#[test]
fn a_full_queue_costs_a_note_and_never_another_reader() {
    let mut fanout = Fanout::new(4);
    let (slow, fast) = (greeted(&mut fanout, 1), greeted(&mut fanout, 2));
    fanout.follow(slow, room(1));
    fanout.follow(fast, room(1));
    for offset in 1..=100 {
        fanout.publish(room(1), offset, &"entry");
        assert_eq!(fanout.take(fast).len(), 1);
    }
    let waiting = fanout.take(slow);
    assert_eq!(waiting.len(), 5);
    assert_eq!(waiting[4], Item::Note(Note::Behind(room(1))));
    assert_eq!(fanout.dropped(), 96);
    fanout.publish(room(1), 101, &"entry");
    assert_eq!(fanout.take(slow).len(), 1);
}

#[test]
fn volatile_frames_go_first_under_load_and_rights_never_do() {
    let mut fanout = Fanout::new(4);
    let key = greeted(&mut fanout, 1);
    fanout.follow(key, room(1));
    for _ in 0..10 {
        fanout.send(Target::Room(room(1)), &"typing");
    }
    fanout.publish(room(1), 1, &"entry");
    fanout.publish(room(1), 2, &"entry");
    fanout.membership(None, person(1).id, &Item::NotMember(room(1)));
    let waiting = fanout.take(key);
    assert_eq!(waiting.iter().filter(|item| matches!(item, Item::Pass(_))).count(), 2);
    assert_eq!(waiting.iter().filter(|item| matches!(item, Item::Live { .. })).count(), 2);
    assert!(waiting.contains(&Item::NotMember(room(1))));
}

fn info(n: u8) -> RoomInfo {
    let head = Head { epoch: Epoch::NIL, offset: 0, mark: Mark::START, first: 1 };
    let (ns, name) = ("chat".to_owned(), "ward".to_owned());
    RoomInfo { room: room(n), ns, name, head, joined: true, gone: false, inbox: false }
}

#[test]
fn of_the_changes_of_one_membership_the_newest_waits_alone() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let key = greeted(&mut fanout, 1);
    let member = |n| Item::Member(Box::new(info(n)));
    for _ in 0..1_000 {
        fanout.membership(None, person(1).id, &member(1));
        fanout.membership(None, person(1).id, &Item::NotMember(room(2)));
        fanout.membership(None, person(1).id, &Item::NotMember(room(1)));
        fanout.membership(None, person(1).id, &member(2));
        fanout.register(key, person(1), run(1));
        let newer = fanout.connect();
        fanout.register(newer, person(1), run(1));
        fanout.disconnect(newer);
    }
    let directory = Item::Note(Note::Directory);
    assert_eq!(fanout.take(key), [Item::NotMember(room(1)), member(2), Item::TakenOver, directory]);
}

#[test]
fn what_is_kept_elsewhere_and_finds_no_room_leaves_one_note_of_it() {
    let mut fanout = Fanout::new(4);
    let key = greeted(&mut fanout, 1);
    for n in 1..=3 {
        fanout.follow(key, room(n));
    }
    for _ in 0..50 {
        fanout.tell(Target::Everyone, Note::Directory, &"a room");
        for n in 1..=3 {
            fanout.tell(Target::Room(room(n)), Note::Presence(room(n)), &"came");
            fanout.tell(Target::Room(room(n)), Note::Registers(room(n)), &"topic");
            fanout.tell(Target::Person(person(1).id), Note::OwnRegisters(room(n)), &"read");
        }
    }
    fanout.unfollow(key, room(3));
    let waiting = fanout.take(key);
    let notes: Vec<_> = waiting.iter().filter(|item| matches!(item, Item::Note(_))).collect();
    assert_eq!(waiting.len() - notes.len(), 2, "the queue holds what it may");
    assert_eq!(notes.len(), 1 + 2 * 3, "one for the list and three for each room still followed");
    assert!(fanout.take(key).is_empty(), "told once");
    fanout.tell(Target::Everyone, Note::Directory, &"a room");
    assert_eq!(fanout.take(key), [Item::Pass("a room")]);
}

#[test]
fn nothing_overtakes_the_note_that_stands_for_what_was_dropped() {
    let mut fanout = Fanout::new(4);
    let key = greeted(&mut fanout, 1);
    fanout.follow(key, room(1));
    for _ in 0..3 {
        fanout.tell(Target::Room(room(1)), Note::Presence(room(1)), &"came");
    }
    assert_eq!(fanout.take(key).len(), 3);
    fanout.publish(room(1), 1, &"entry");
    fanout.publish(room(1), 2, &"entry");
    assert!(fanout.tell(Target::Room(room(1)), Note::Presence(room(1)), &"left").is_empty());
    let last = Item::Note(Note::Presence(room(1)));
    assert_eq!(fanout.take(key).last(), Some(&last));
}

#[test]
fn a_newer_connection_of_a_session_takes_over_and_of_another_does_not() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (old, new, other) = (fanout.connect(), fanout.connect(), fanout.connect());
    fanout.register(old, person(1), run(1));
    fanout.register(other, person(1), run(2));
    assert_eq!(fanout.register(new, person(1), run(1)), vec![old]);
    assert_eq!(fanout.take(old), vec![Item::TakenOver]);
    assert!(fanout.take(other).is_empty());
}

#[test]
fn an_older_connection_whose_greeting_is_answered_later_takes_nothing_over() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (old, new) = (fanout.connect(), fanout.connect());
    fanout.register(new, person(1), nth(6, 1));
    assert_eq!(fanout.register(old, person(1), nth(5, 1)), vec![old]);
    assert_eq!(fanout.take(old), vec![Item::TakenOver]);
    assert!(fanout.take(new).is_empty());
}

#[test]
fn a_writer_that_was_replaced_counts_its_generations_anew_and_takes_over() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (old, new) = (fanout.connect(), fanout.connect());
    fanout.register(old, person(1), nth(6, 1));
    let replaced = Run { writer: WriterId::from_bytes([2; 16]), ..nth(1, 1) };
    assert_eq!(fanout.register(new, person(1), replaced), vec![old]);
    assert_eq!(fanout.take(old), vec![Item::TakenOver]);
}

#[test]
fn a_person_is_here_from_their_first_connection_to_their_last() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (a, b) = (fanout.connect(), fanout.connect());
    fanout.register(a, person(1), run(1));
    fanout.register(b, person(1), run(2));
    assert_eq!(fanout.follow(a, room(1)), Some(Presence::Came(room(1), person(1))));
    assert_eq!(fanout.follow(b, room(1)), None);
    assert_eq!(fanout.here(room(1)), vec![person(1)]);
    assert_eq!(fanout.unfollow(a, room(1)), None);
    assert_eq!(fanout.disconnect(b), vec![Presence::Left(room(1), person(1).id)]);
    assert!(fanout.here(room(1)).is_empty());
}

#[test]
fn of_a_room_with_too_many_people_nobody_is_told_until_they_are_fewer() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let come = |fanout: &mut Fanout<&'static str>, n: usize| {
        let key = greeted(fanout, u8::try_from(n).unwrap());
        (key, fanout.follow(key, room(1)))
    };
    let keys: Vec<Key> = (1..=PRESENCE_MOST)
        .map(|n| {
            let (key, change) = come(&mut fanout, n);
            assert!(matches!(change, Some(Presence::Came(..))), "{n}");
            key
        })
        .collect();
    assert_eq!(fanout.here(room(1)).len(), PRESENCE_MOST);
    let (one_more, turned) = come(&mut fanout, PRESENCE_MOST + 1);
    assert_eq!(turned, Some(Presence::Turned(room(1))));
    assert!(fanout.here(room(1)).is_empty());
    let again = come(&mut fanout, PRESENCE_MOST + 1);
    assert_eq!(again.1, None, "the same person");
    let (another, change) = come(&mut fanout, PRESENCE_MOST + 2);
    assert_eq!(change, None);
    assert_eq!(fanout.unfollow(another, room(1)), None);
    assert!(fanout.disconnect(again.0).is_empty());
    assert_eq!(fanout.disconnect(one_more), vec![Presence::Turned(room(1))]);
    assert_eq!(fanout.here(room(1)).len(), PRESENCE_MOST);
    let left = fanout.unfollow(keys[0], room(1));
    assert_eq!(left, Some(Presence::Left(room(1), person(1).id)));
}

#[test]
fn every_target_reaches_whom_it_names_and_nobody_else() {
    let mut fanout = Fanout::new(8);
    let keys: Vec<Key> = (1..=3).map(|n| greeted(&mut fanout, n)).collect();
    fanout.follow(keys[0], room(1));
    fanout.follow(keys[1], room(1));
    let told = |fanout: &mut Fanout<&'static str>, target| {
        let mut wake = fanout.send(target, &"hi");
        wake.sort();
        for key in &wake {
            fanout.take(*key);
        }
        wake
    };
    assert_eq!(told(&mut fanout, Target::Connection(keys[2])), vec![keys[2]]);
    assert_eq!(told(&mut fanout, Target::Person(person(2).id)), vec![keys[1]]);
    assert_eq!(told(&mut fanout, Target::Room(room(1))), vec![keys[0], keys[1]]);
    assert_eq!(told(&mut fanout, Target::RoomBut(room(1), keys[0])), vec![keys[1]]);
    assert_eq!(told(&mut fanout, Target::Everyone), keys);
}

#[test]
fn a_closed_connections_place_is_used_again_but_its_key_is_dead() {
    let mut fanout = Fanout::new(4);
    let old = greeted(&mut fanout, 1);
    fanout.follow(old, room(1));
    fanout.disconnect(old);
    let new = greeted(&mut fanout, 2);
    assert_ne!(old, new);
    assert!(fanout.send(Target::Connection(old), &"hi").is_empty());
    assert!(fanout.publish(room(1), 1, &"entry").is_empty());
}

#[test]
fn a_person_who_is_being_greeted_is_told_of_memberships_already() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (key, other) = (fanout.connect(), fanout.connect());
    fanout.expect(key, person(1).id);
    fanout.expect(other, person(2).id);
    let begins = Item::NotMember(room(1));
    assert_eq!(fanout.membership(None, person(1).id, &begins), vec![key]);
    assert_eq!(fanout.take(key), vec![begins]);
    fanout.register(key, person(1), run(1));
    assert_eq!(fanout.send(Target::Person(person(1).id), &"once"), vec![key]);
    assert_eq!(fanout.take(key).len(), 1);
    fanout.disconnect(key);
    assert!(fanout.send(Target::Person(person(1).id), &"nobody").is_empty());
}

#[test]
fn a_deleted_room_is_told_to_who_follows_it_or_may_be_about_to() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (follows, elsewhere) = (greeted(&mut fanout, 1), greeted(&mut fanout, 2));
    let coming = fanout.connect();
    fanout.expect(coming, person(3).id);
    fanout.follow(follows, room(1));
    fanout.follow(elsewhere, room(2));
    assert_eq!(fanout.room_gone(room(1)), vec![follows, coming]);
    assert_eq!(fanout.take(follows), vec![Item::NotMember(room(1))]);
}

#[test]
fn a_deleted_room_is_told_to_whom_it_may_be_listed_to_as_living() {
    let mut fanout: Fanout<&str> = Fanout::new(4);
    let (lists, listed) = (greeted(&mut fanout, 1), greeted(&mut fanout, 2));
    fanout.lists(lists, true);
    fanout.lists(listed, true);
    fanout.lists(listed, false);
    assert_eq!(fanout.room_gone(room(1)), vec![lists]);
    assert_eq!(fanout.take(lists), vec![Item::NotMember(room(1))]);
}

#[test]
fn a_room_whose_first_entry_was_not_published_has_everyone_told_the_rooms_anew() {
    let mut fanout = Fanout::new(8);
    let (a, b) = (greeted(&mut fanout, 1), greeted(&mut fanout, 2));
    assert_eq!(fanout.stands(room(1), 1), vec![a, b]);
    assert_eq!(fanout.take(a), vec![Item::Note(Note::Directory)]);
    assert_eq!(fanout.stands(room(1), 1), vec![], "once");
    assert_eq!(fanout.stands(room(1), 2), vec![], "it is no room's beginning");
}

#[test]
fn a_queue_holds_so_many_bytes_and_one_frame_whatever_its_size() {
    let mut fanout = Fanout::new(100).weighing(20, |bytes: &&str| bytes.len());
    let anna = greeted(&mut fanout, 1);
    fanout.follow(anna, room(1));
    fanout.take(anna);
    fanout.publish(room(1), 1, &"an entry of more than twenty bytes");
    fanout.publish(room(1), 2, &"x");
    let waiting = fanout.take(anna);
    let note = Item::Note(Note::Behind(room(1)));
    assert!(matches!(waiting[..], [Item::Live { offset: 1, .. }, _]) && waiting[1] == note);
    for offset in 3..=7 {
        fanout.publish(room(1), offset, &"five!");
    }
    fanout.send(Target::Room(room(1)), &"typing");
    let waiting = fanout.take(anna);
    let live = waiting.iter().filter(|item| matches!(item, Item::Live { .. })).count();
    assert_eq!((live, waiting.len()), (4, 5), "{waiting:?}");
}
