//! A greeting binds what is new, refuses what does not fit, and answers with all a resume needs.

use super::rig::*;
use holdfast_backend::limits::OTHER_ROOMS;
use holdfast_common::{
    cursor::{Cursor, Mark},
    error::Code,
    event::Effect,
    frame::{LaneFloor, LaneWatermark, RoomCursor},
    id::{Epoch, PersonId, RoomId, WriterId},
    storage::{FactsQuery, Greeted, Greeting, RoomState, Verdict},
    time::Timestamp,
};

contract! {
    a_person_is_bound_and_welcomed_into_rooms
    a_wrong_secret_is_refused
    a_person_is_recognised_without_a_writer
    a_writer_belongs_to_one_person
    a_generation_that_is_not_above_the_last_is_fenced
    a_refused_greeting_changes_nothing
    a_lane_without_history_stands_at_its_floor
    a_lane_that_lost_history_says_so_once
    verdicts_above_the_floor_come_in_order
    a_lane_named_twice_counts_once
    members_rooms_come_first
    a_deleted_room_comes_only_to_who_has_a_cursor_in_it
    of_the_other_rooms_the_newest_come
    the_directory_is_what_a_resume_without_cursors_lists
    a_cursor_is_told_the_marks_of_the_log
    a_cursor_of_another_epoch_or_from_the_future_is_told_nothing
    a_cursor_in_the_trimmed_part_is_told_the_mark_at_its_end
}

async fn greet(rig: &Rig, greeting: &Greeting) -> Option<Code> {
    match rig.engine.greet(greeting.clone()).await.unwrap() {
        Greeted::Welcome(_) => None,
        Greeted::Refused(code) => Some(code),
    }
}

async fn member(rig: &Rig, room: RoomId, person: PersonId) -> bool {
    let query = FactsQuery { person, namespace: NS.to_owned(), room, effect: Effect::Adds };
    rig.engine.facts(query).await.unwrap().member
}

async fn state(rig: &Rig, room: RoomId, cursor: Cursor) -> RoomState {
    let mut greeting = Sender::new().greeting();
    greeting.rooms = vec![RoomCursor { room, cursor }];
    let resume = rig.resume(greeting).await;
    let mut states = resume.rooms.into_iter();
    states.find(|state| state.info.room == room).unwrap()
}

async fn a_person_is_bound_and_welcomed_into_rooms(rig: Rig) {
    let (lobby, other) = (rig.room().await, rig.room().await);
    let mut ada = Sender::new();
    let mut greeting = ada.greeting();
    greeting.welcome_rooms = vec![lobby, room_id()];
    let resume = rig.resume(greeting).await;
    let joined: Vec<_> =
        resume.rooms.iter().map(|room| (room.info.room, room.info.joined)).collect();
    assert_eq!(joined, [(lobby, true), (other, false)]);
    // Each greeting does: a room may be one of these since yesterday.
    rig.engine.leave(ada.person, lobby).await.unwrap();
    ada.generation += 1;
    let mut greeting = ada.greeting();
    greeting.welcome_rooms = vec![lobby];
    let resume = rig.resume(greeting).await;
    assert!(resume.rooms.iter().any(|room| room.info.room == lobby && room.info.joined));
    assert!(member(&rig, lobby, ada.person).await);
}

async fn a_wrong_secret_is_refused(rig: Rig) {
    let ada = rig.sender().await;
    let mut greeting = ada.greeting();
    greeting.generation += 1;
    greeting.secret_hash[31] ^= 1;
    assert_eq!(greet(&rig, &greeting).await, Some(Code::WrongSecret));
}

async fn a_person_is_recognised_without_a_writer(rig: Rig) {
    let (ada, bob) = (Sender::new(), Sender::new());
    let recognise = async |person, secret: u8| {
        let name = "Ada".to_owned();
        rig.engine.recognise(person, [secret; 32], name, NOW).await.unwrap()
    };
    // Bound by it, as by a greeting.
    assert_eq!(recognise(ada.person, 7).await.as_deref(), Ok("Ada"));
    assert_eq!(recognise(ada.person, 8).await, Err(Code::WrongSecret));
    assert_eq!(recognise(ada.person, 7).await.as_deref(), Ok("Ada"));
    let secret_hash = [8; 32];
    let refused = greet(&rig, &Greeting { secret_hash, ..ada.greeting() }).await;
    assert_eq!(refused, Some(Code::WrongSecret));
    assert_eq!(greet(&rig, &ada.greeting()).await, None);
    // Bound by a greeting.
    assert_eq!(greet(&rig, &bob.greeting()).await, None);
    assert_eq!(recognise(bob.person, 8).await, Err(Code::WrongSecret));
    let before = rig.engine.commits();
    assert_eq!(recognise(bob.person, 7).await, Ok(bob.greeting().name), "as they were greeted");
    assert_eq!(rig.engine.commits(), before, "who comes again costs no write");
}

async fn a_writer_belongs_to_one_person(rig: Rig) {
    let (ada, bob) = (rig.sender().await, rig.sender().await);
    let mut greeting = bob.greeting();
    greeting.writer = ada.writer;
    greeting.generation = 9;
    assert_eq!(greet(&rig, &greeting).await, Some(Code::WrongWriter));
    // A person may have many writers.
    let mut greeting = ada.greeting();
    greeting.writer = WriterId::from_bytes([9; 16]);
    assert_eq!(greet(&rig, &greeting).await, None);
}

async fn a_generation_that_is_not_above_the_last_is_fenced(rig: Rig) {
    let mut ada = rig.sender().await;
    assert_eq!(greet(&rig, &ada.greeting()).await, Some(Code::Fenced));
    ada.generation = 7;
    assert_eq!(greet(&rig, &ada.greeting()).await, None);
    ada.generation = 6;
    assert_eq!(greet(&rig, &ada.greeting()).await, Some(Code::Fenced));
    ada.generation = u64::MAX;
    assert_eq!(greet(&rig, &ada.greeting()).await, None);
    assert_eq!(greet(&rig, &ada.greeting()).await, Some(Code::Fenced));
}

async fn a_refused_greeting_changes_nothing(rig: Rig) {
    let (lobby, ada) = (rig.room().await, rig.sender().await);
    let newcomer = Sender { writer: ada.writer, generation: 9, ..Sender::new() };
    let mut greeting = newcomer.greeting();
    greeting.welcome_rooms = vec![lobby];
    greeting.lanes = vec![LaneFloor { room: lobby, floor: 5 }];
    assert_eq!(greet(&rig, &greeting).await, Some(Code::WrongWriter));
    assert!(!member(&rig, lobby, newcomer.person).await);
    // The id is still free: its owner may bind it with another secret.
    greeting.secret_hash = [8; 32];
    greeting.writer = WriterId::from_bytes([3; 16]);
    assert_eq!(greet(&rig, &greeting).await, None);
    // The other's generation and lane are as they were.
    let mut append = message(lobby, ada.person, "still here");
    append.lane = ada.number(1, 0);
    assert_eq!(acked(&rig.put(append).await), 2);
}

async fn lane(rig: &Rig, sender: &mut Sender, room: RoomId, floor: u64) -> LaneWatermark {
    sender.generation += 1;
    let mut greeting = sender.greeting();
    greeting.lanes = vec![LaneFloor { room, floor }];
    rig.resume(greeting).await.lanes[0]
}

async fn a_lane_without_history_stands_at_its_floor(rig: Rig) {
    let (room, mut ada) = (room_id(), rig.sender().await);
    let known = lane(&rig, &mut ada, room, 0).await;
    assert_eq!((known.room, known.watermark, known.lost), (room, 0, false));
}

async fn a_lane_that_lost_history_says_so_once(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    let known = lane(&rig, &mut ada, room, 4).await;
    assert_eq!((known.watermark, known.lost), (4, true));
    let known = lane(&rig, &mut ada, room, 4).await;
    assert_eq!((known.watermark, known.lost), (4, false));
    let mut append = message(room, ada.person, "behind it");
    append.lane = ada.number(5, 4);
    assert_eq!(acked(&rig.put(append).await), 2);
}

async fn verdicts_above_the_floor_come_in_order(rig: Rig) {
    let (one, two, mut ada) = (rig.room().await, rig.room().await, rig.sender().await);
    let mut expected = Vec::new();
    for n in 1..=12 {
        for room in [one, two] {
            let mut append = message(room, ada.person, "unsettled");
            if n % 3 == 0 {
                append = rejected(append);
            }
            append.lane = ada.number(n, 0);
            let holdfast_common::storage::Appended::Decided { verdict, .. } = rig.put(append).await
            else {
                panic!("not decided");
            };
            if n > 2 || room == two {
                expected.push((room, n, verdict));
            }
        }
    }
    expected.sort_by_key(|(room, n, _)| (*room, *n));
    ada.generation += 1;
    let mut greeting = ada.greeting();
    greeting.lanes = vec![LaneFloor { room: two, floor: 0 }, LaneFloor { room: one, floor: 2 }];
    let resume = rig.resume(greeting).await;
    assert_eq!(resume.verdicts, expected);
    assert!(resume.lanes.iter().all(|lane| lane.watermark == 12 && !lane.lost));
    let reject = |verdict: &Verdict| matches!(verdict, Verdict::Reject { .. });
    let rejections = resume.verdicts.iter().filter(|(_, _, verdict)| reject(verdict));
    assert_eq!(rejections.count(), 8);
}

async fn a_lane_named_twice_counts_once(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    ada.generation += 1;
    let mut greeting = ada.greeting();
    greeting.lanes = [3, 5, 4].map(|floor| LaneFloor { room, floor }).to_vec();
    let resume = rig.resume(greeting).await;
    let expected = LaneWatermark { room, watermark: 5, lost: true };
    assert_eq!(resume.lanes, [expected]);
}

async fn members_rooms_come_first(rig: Rig) {
    let mut rooms = Vec::new();
    for _ in 0..4 {
        rooms.push(rig.room().await);
    }
    let mut ada = rig.sender().await;
    rig.engine.join(ada.person, rooms[0], 9, NOW).await.unwrap();
    rig.engine.join(ada.person, rooms[2], 9, NOW).await.unwrap();
    ada.generation += 1;
    let resume = rig.resume(ada.greeting()).await;
    let order: Vec<_> = resume.rooms.iter().map(|room| room.info.room).collect();
    assert_eq!(order, [rooms[2], rooms[0], rooms[3], rooms[1]]);
    assert!(
        resume
            .rooms
            .iter()
            .all(|room| room.info.joined
                == (room.info.room == rooms[0] || room.info.room == rooms[2]))
    );
}

async fn a_deleted_room_comes_only_to_who_has_a_cursor_in_it(rig: Rig) {
    let room = rig.room().await;
    let said = rig.messages(room, 1).await;
    rig.engine.delete_room(room).await.unwrap();
    assert!(rig.resume(Sender::new().greeting()).await.rooms.is_empty());
    assert!(state(&rig, room, cursor(&said[0])).await.info.gone);
}

async fn of_the_other_rooms_the_newest_come(rig: Rig) {
    let many = OTHER_ROOMS as usize + 3;
    let mut waiting = Vec::new();
    for _ in 0..many {
        let room = room_id();
        let append = creation(room, PersonId::NIL, &room.to_string());
        waiting.push((room, rig.engine.append(append)));
    }
    let mut rooms = Vec::new();
    for (room, appended) in waiting {
        entry(appended.await);
        rooms.push(room);
    }
    let sender = Sender::new();
    let mut greeting = sender.greeting();
    let cursor = Cursor::start(Epoch::NIL);
    greeting.rooms = vec![RoomCursor { room: rooms[1], cursor }];
    greeting.welcome_rooms = vec![rooms[0]];
    let listed = rig.resume(greeting).await.rooms;
    let listed: Vec<_> = listed.iter().map(|room| room.info.room).collect();
    assert_eq!(listed.len(), OTHER_ROOMS as usize + 2);
    assert_eq!(listed[0], rooms[0]);
    assert!(listed.contains(&rooms[1]) && listed.contains(&rooms[many - 1]));
    assert!(!listed.contains(&rooms[2]));
}

async fn a_cursor_is_told_the_marks_of_the_log(rig: Rig) {
    let room = rig.room().await;
    let mut said = Vec::new();
    for n in 1..=3 {
        let mut append = message(room, PersonId::NIL, "dated");
        append.at = Timestamp(NOW.0 + n);
        said.push(rig.entry(append).await);
    }
    let start = state(&rig, room, Cursor::start(said[0].epoch)).await;
    assert_eq!((start.mark_at, start.missed_since), (Some(Mark::START), Some(NOW)));
    let middle = state(&rig, room, cursor(&said[0])).await;
    assert_eq!(middle.mark_at, Some(said[0].entry.mark));
    assert_eq!(middle.missed_since, Some(Timestamp(NOW.0 + 2)));
    let end = state(&rig, room, cursor(&said[2])).await;
    assert_eq!((end.mark_at, end.missed_since), (Some(said[2].entry.mark), None));
    assert_eq!(end.info.head.cursor(), cursor(&said[2]));
}

async fn a_cursor_of_another_epoch_or_from_the_future_is_told_nothing(rig: Rig) {
    let room = rig.room().await;
    let mut at = cursor(&rig.messages(room, 1).await[0]);
    at.offset = u64::MAX;
    let future = state(&rig, room, at).await;
    assert_eq!((future.mark_at, future.missed_since), (None, None));
    let elsewhere = state(&rig, room, Cursor::start(Epoch::NIL)).await;
    assert_eq!((elsewhere.mark_at, elsewhere.missed_since), (None, None));
}

async fn a_cursor_in_the_trimmed_part_is_told_the_mark_at_its_end(rig: Rig) {
    let room = rig.room().await;
    let said = rig.messages(room, 4).await;
    rig.engine.trim(room, 4).await.unwrap();
    let inside = state(&rig, room, cursor(&said[0])).await;
    assert_eq!((inside.mark_at, inside.missed_since), (None, Some(NOW)));
    let end = state(&rig, room, cursor(&said[1])).await;
    assert_eq!(end.mark_at, Some(said[1].entry.mark));
    let start = state(&rig, room, Cursor::start(said[0].epoch)).await;
    assert_eq!(start.mark_at, Some(Mark::START));
}

async fn the_directory_is_what_a_resume_without_cursors_lists(rig: Rig) {
    let mut ada = rig.sender().await;
    let rooms = [rig.room().await, rig.room().await, rig.room().await, rig.room().await];
    for room in [rooms[0], rooms[3]] {
        rig.engine.join(ada.person, room, 9, NOW).await.unwrap();
    }
    rig.engine.delete_room(rooms[1]).await.unwrap();
    rig.engine.delete_room(rooms[3]).await.unwrap();
    rig.messages(rooms[2], 3).await;
    ada.generation += 1;
    let resume = rig.resume(ada.greeting()).await;
    let listed: Vec<_> = resume.rooms.into_iter().map(|state| state.info).collect();
    assert_eq!(rig.engine.directory(ada.person).await.unwrap(), listed);
    assert_eq!(listed.len(), 2);
}
