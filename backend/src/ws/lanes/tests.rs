use super::*;
use holdfast_common::{
    frame::Author,
    id::{EventId, PersonId},
    storage::Verdict,
};

const ROOM: RoomId = RoomId::NIL;

fn author() -> Author {
    Author { id: PersonId::NIL, name: "me".to_owned() }
}

fn emit(n: u64) -> Numbered {
    let draft = Draft {
        namespace: "chat".to_owned(),
        room: ROOM,
        id: EventId::NIL,
        kind: "message".to_owned(),
        author: author(),
        payload: Vec::new(),
        condemned: None,
        everywhere: false,
        lane: None,
        idempotency: None,
    };
    Numbered { n, draft: Arc::new(draft) }
}

/// Stands for an append.
fn append() -> Box<()> {
    Box::new(())
}

fn acked() -> Appended {
    Appended::Again(Verdict::Ack {
        id: EventId::NIL,
        epoch: holdfast_common::id::Epoch::NIL,
        offset: 1,
        reply: "null".to_owned(),
    })
}

/// Decides and submits all that can be, and returns their numbers.
fn submit(lanes: &mut Lanes) -> Vec<u64> {
    let mut submitted = Vec::new();
    while let Some(next) = lanes.next(ROOM) {
        submitted.push(next.n);
        assert!(matches!(lanes.decided(next, Ok(append())), Step::Submit(_)));
    }
    submitted
}

fn with(numbers: std::ops::RangeInclusive<u64>) -> Lanes {
    let mut lanes = Lanes::default();
    numbers.for_each(|n| lanes.push(emit(n)));
    lanes
}

#[test]
fn emits_are_decided_one_by_one_and_wait_at_the_engine_together() {
    let mut lanes = with(1..=3);
    let first = lanes.next(ROOM).unwrap();
    assert!(lanes.next(ROOM).is_none());
    lanes.decided(first, Ok(append()));
    assert_eq!(submit(&mut lanes), [2, 3]);
    for n in 1..=3 {
        assert_eq!(lanes.appended(ROOM, n, acked()).len(), 1);
    }
    assert!(lanes.0.is_empty());
}

#[test]
fn each_copy_of_a_number_keeps_its_own_answer() {
    let mut lanes = Lanes::default();
    for n in [1, 2, 2] {
        lanes.push(emit(n));
    }
    assert_eq!(submit(&mut lanes), [1, 2, 2]);
    assert!(lanes.appended(ROOM, 2, acked()).is_empty());
    assert!(lanes.appended(ROOM, 2, Appended::Settled).is_empty());
    let told: Vec<u64> = lanes.appended(ROOM, 1, acked()).iter().map(|(n, _)| *n).collect();
    assert_eq!(told, [1, 2, 2], "none waits for an answer that another has taken");
    assert!(lanes.0.is_empty());
}

#[test]
fn what_has_moved_and_all_behind_it_is_decided_again_in_order() {
    let mut lanes = with(1..=4);
    let first = lanes.next(ROOM).unwrap();
    lanes.decided(first, Ok(append()));
    let second = lanes.next(ROOM).unwrap();
    lanes.decided(second, Ok(append()));
    let third = lanes.next(ROOM).unwrap();
    assert_eq!(lanes.appended(ROOM, 1, acked()).len(), 1);
    assert!(lanes.appended(ROOM, 2, Appended::Moved).is_empty());
    // The third was being decided all the while.
    assert!(matches!(lanes.decided(third, Ok(append())), Step::Wait));
    assert_eq!(submit(&mut lanes), [2, 3, 4]);
    assert!(lanes.appended(ROOM, 2, Appended::Moved).is_empty());
    assert!(lanes.appended(ROOM, 3, Appended::Expected(2)).is_empty());
    assert!(lanes.next(ROOM).is_none());
    assert!(lanes.appended(ROOM, 4, Appended::Expected(2)).is_empty());
    assert_eq!(submit(&mut lanes), [2, 3, 4]);
}

#[test]
fn what_moves_for_ever_is_told_in_the_end() {
    let mut lanes = with(1..=1);
    for _ in 0..ATTEMPTS {
        assert_eq!(submit(&mut lanes), [1]);
        assert!(lanes.appended(ROOM, 1, Appended::Moved).is_empty());
    }
    assert_eq!(submit(&mut lanes), [1]);
    let told = lanes.appended(ROOM, 1, Appended::Moved);
    assert!(matches!(told[..], [(1, Appended::Moved)]));
    assert!(lanes.0.is_empty());
}

#[test]
fn a_fault_is_told_and_what_is_behind_it_too() {
    let mut lanes = with(1..=3);
    assert_eq!(submit(&mut lanes), [1, 2, 3]);
    let full = Appended::Fault(Fault::Full);
    assert_eq!(lanes.appended(ROOM, 1, full).len(), 1);
    let told = lanes.appended(ROOM, 2, Appended::Expected(1));
    assert!(matches!(told[..], [(2, Appended::Expected(1))]));
    assert_eq!(lanes.appended(ROOM, 3, Appended::Expected(1)).len(), 1);
    let mut lanes = with(7..=7);
    let next = lanes.next(ROOM).unwrap();
    let step = lanes.decided::<()>(next, Err(Fault::Full));
    assert!(matches!(step, Step::Tell(Appended::Fault(Fault::Full))));
    assert!(lanes.0.is_empty());
}

#[test]
fn an_answer_that_overtakes_another_waits_for_it() {
    let mut lanes = with(1..=3);
    assert_eq!(submit(&mut lanes), [1, 2, 3]);
    assert!(lanes.appended(ROOM, 3, Appended::Expected(2)).is_empty());
    assert!(lanes.appended(ROOM, 2, Appended::Moved).is_empty());
    let told = lanes.appended(ROOM, 1, acked());
    assert!(matches!(told[..], [(1, Appended::Again(_))]));
    assert_eq!(submit(&mut lanes), [2, 3]);
}
