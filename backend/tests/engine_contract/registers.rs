//! Of a register's values the greatest stands.

use super::rig::*;
use holdfast_common::{
    error::Code,
    frame::LatestSet,
    id::{PersonId, RoomId},
    limits::SLICE_BYTES,
    storage::{Registered, RegistersQuery},
    time::Timestamp,
};
use serde_json::value::RawValue;

contract! {
    the_greatest_rank_stands
    of_two_values_of_one_rank_the_first_stands
    a_register_is_of_a_live_room_of_its_namespace
    a_resume_has_the_persons_own_registers
    a_resume_has_no_registers_of_rooms_that_the_person_is_not_in
    a_resume_has_as_many_registers_as_fit_and_says_from_which_room_on_they_did_not
    a_rooms_registers_are_read_in_parts_each_once
    one_persons_registers_of_a_room_are_read_without_the_others
}

fn read_to(room: RoomId, person: PersonId, rank: u64) -> LatestSet {
    LatestSet {
        ns: NS.to_owned(),
        room,
        kind: "read".to_owned(),
        person,
        rank,
        data: RawValue::from_string(format!(r#"{{"offset":{rank}}}"#)).unwrap(),
    }
}

async fn the_greatest_rank_stands(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    for (rank, becomes) in [
        (5, Registered::Stored),
        (3, Registered::Stands(5)),
        (8, Registered::Stored),
        (8, Registered::Stands(8)),
        (u64::MAX, Registered::Stored),
        (9, Registered::Stands(u64::MAX)),
    ] {
        let stored = rig.engine.set_latest(read_to(room, ada, rank)).await;
        assert_eq!(stored, Ok(becomes));
    }
    let other = rig.engine.set_latest(read_to(rig.room().await, ada, 1)).await;
    assert_eq!(other, Ok(Registered::Stored));
}

async fn of_two_values_of_one_rank_the_first_stands(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    rig.engine.join(ada.person, room, 9, Timestamp(1)).await.unwrap();
    let first = read_to(room, ada.person, 4);
    let data = RawValue::from_string(r#"{"offset":4,"more":true}"#.to_owned()).unwrap();
    let second = LatestSet { data, ..first.clone() };
    assert_eq!(rig.engine.set_latest(first).await, Ok(Registered::Stored));
    assert_eq!(rig.engine.set_latest(second).await, Ok(Registered::Stands(4)));
    ada.generation += 1;
    let resume = rig.resume(ada.greeting()).await;
    assert_eq!(resume.latest[0].data.get(), r#"{"offset":4}"#);
}

async fn a_register_is_of_a_live_room_of_its_namespace(rig: Rig) {
    let (room, ada) = (rig.room().await, person());
    let elsewhere = LatestSet { ns: "tally".to_owned(), ..read_to(room, ada, 4) };
    let refused = |code| Ok(Registered::Refused(code));
    assert_eq!(rig.engine.set_latest(elsewhere).await, refused(Code::WrongNamespace));
    let nowhere = read_to(room_id(), ada, 4);
    assert_eq!(rig.engine.set_latest(nowhere).await, refused(Code::UnknownRoom));
    rig.engine.delete_room(room).await.unwrap();
    assert_eq!(rig.engine.set_latest(read_to(room, ada, 4)).await, refused(Code::RoomGone));
}

async fn a_resume_has_the_persons_own_registers(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    rig.engine.join(ada.person, room, 9, Timestamp(1)).await.unwrap();
    rig.engine.set_latest(read_to(room, ada.person, 4)).await.unwrap();
    rig.engine.set_latest(read_to(room, person(), 7)).await.unwrap();
    ada.generation += 1;
    let resume = rig.resume(ada.greeting()).await;
    assert_eq!(resume.latest.len(), 1);
    let own = &resume.latest[0];
    assert_eq!((own.room, own.person, own.rank), (room, ada.person, 4));
    assert_eq!(own.data.get(), r#"{"offset":4}"#);
    rig.engine.delete_room(room).await.unwrap();
    ada.generation += 1;
    assert!(rig.resume(ada.greeting()).await.latest.is_empty());
}

async fn a_resume_has_no_registers_of_rooms_that_the_person_is_not_in(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    rig.engine.set_latest(read_to(room, ada.person, 4)).await.unwrap();
    rig.engine.leave(ada.person, room).await.unwrap();
    ada.generation += 1;
    assert!(rig.resume(ada.greeting()).await.latest.is_empty());
}

async fn a_resume_has_as_many_registers_as_fit_and_says_from_which_room_on_they_did_not(rig: Rig) {
    let mut ada = rig.sender().await;
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(rig.room().await);
    }
    rooms.sort();
    let data = format!(r#"{{"offset":4,"more":"{}"}}"#, "x".repeat(SLICE_BYTES / 3));
    for room in &rooms {
        rig.engine.join(ada.person, *room, 9, Timestamp(1)).await.unwrap();
        let data = RawValue::from_string(data.clone()).unwrap();
        let value = LatestSet { data, ..read_to(*room, ada.person, 4) };
        rig.engine.set_latest(value).await.unwrap();
    }
    ada.generation += 1;
    let resume = rig.resume(ada.greeting()).await;
    let told: Vec<RoomId> = resume.latest.iter().map(|value| value.room).collect();
    assert_eq!((told, resume.latest_rest), (rooms[..2].to_vec(), Some(rooms[2])));
}

/// The ranks of all parts, from first to last.
async fn parts(rig: &Rig, mut query: RegistersQuery, most: u32, bytes: usize) -> Vec<Vec<u64>> {
    let mut parts = Vec::new();
    loop {
        let part = rig.engine.registers(query.clone(), most, bytes).await.unwrap();
        assert!(part.values.iter().all(|value| value.room == query.room));
        parts.push(part.values.iter().map(|value| value.rank).collect());
        query.after = part.rest;
        if query.after.is_none() {
            return parts;
        }
    }
}

async fn a_rooms_registers_are_read_in_parts_each_once(rig: Rig) {
    let (room, other) = (rig.room().await, rig.room().await);
    let people: Vec<PersonId> = (0..7).map(|_| person()).collect();
    for (rank, person) in people.iter().enumerate() {
        let rank = rank as u64 + 1;
        rig.engine.set_latest(read_to(room, *person, rank)).await.unwrap();
        rig.engine.set_latest(read_to(other, *person, 9)).await.unwrap();
    }
    let query = RegistersQuery { room, person: None, after: None };
    for most in [1, 2, 3, 7, 8] {
        let parts = parts(&rig, query.clone(), most, usize::MAX).await;
        assert_eq!(parts.concat(), [1, 2, 3, 4, 5, 6, 7], "{most} at a time");
        assert!(parts.iter().all(|part| part.len() <= most as usize));
    }
    let data = read_to(room, people[0], 1).data.get().len();
    let two = parts(&rig, query.clone(), 99, 2 * data).await;
    assert_eq!(two, [vec![1, 2], vec![3, 4], vec![5, 6], vec![7]]);
    let one = parts(&rig, query, 99, 0).await;
    assert_eq!(one.len(), 7, "the first value goes whatever its size");
    let nowhere = RegistersQuery { room: room_id(), person: None, after: None };
    assert!(rig.engine.registers(nowhere, 9, 9).await.unwrap().values.is_empty());
}

async fn one_persons_registers_of_a_room_are_read_without_the_others(rig: Rig) {
    let room = rig.room().await;
    let people: Vec<PersonId> = (0..3).map(|_| person()).collect();
    for person in &people {
        for kind in ["read", "topic"] {
            let value = LatestSet { kind: kind.to_owned(), ..read_to(room, *person, 5) };
            rig.engine.set_latest(value).await.unwrap();
        }
    }
    for person in people {
        let query = RegistersQuery { room, person: Some(person), after: None };
        let own = rig.engine.registers(query.clone(), 9, usize::MAX).await.unwrap();
        let kinds: Vec<&str> = own.values.iter().map(|value| value.kind.as_str()).collect();
        assert_eq!(kinds, ["read", "topic"]);
        assert!(own.values.iter().all(|value| value.person == person) && own.rest.is_none());
        assert_eq!(parts(&rig, query, 1, 0).await, [[5], [5]]);
    }
}
