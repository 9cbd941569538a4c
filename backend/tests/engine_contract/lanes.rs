//! A lane's numbers are decided one after the other, each once.

use super::rig::*;
use holdfast_common::{
    frame::LaneFloor,
    id::RoomId,
    storage::{Append, Appended, Verdict},
};

contract! {
    a_number_is_decided_once_and_its_verdict_told_again
    a_rejection_is_told_again_word_for_word
    a_number_that_is_ahead_is_told_which_is_expected
    a_number_at_or_below_the_floor_is_settled
    a_verdict_below_a_floor_is_forgotten
    a_floor_above_the_watermark_moves_it_up
    an_old_generation_is_fenced
    an_unknown_writer_is_fenced
    a_lane_of_an_unknown_room_goes_on_behind_its_rejection
    a_lane_outlives_a_trim
    lanes_of_one_writer_do_not_wait_for_each_other
}

fn numbered(room: RoomId, sender: &Sender, n: u64, floor: u64) -> Append {
    let mut append = message(room, sender.person, "numbered");
    append.lane = sender.number(n, floor);
    append
}

async fn a_number_is_decided_once_and_its_verdict_told_again(rig: Rig) {
    let (room, ada) = (rig.room().await, rig.sender().await);
    let append = numbered(room, &ada, 1, 0);
    let Appended::Decided { verdict, .. } = rig.put(append.clone()).await else {
        panic!("not decided");
    };
    // Even with another content: the number has its verdict.
    let Appended::Again(again) = rig.put(numbered(room, &ada, 1, 0)).await else {
        panic!("not told again");
    };
    assert_eq!(again, verdict);
    assert_eq!(rig.slice(room, 0).await.head.offset, 2);
}

async fn a_rejection_is_told_again_word_for_word(rig: Rig) {
    let (room, ada) = (rig.room().await, rig.sender().await);
    let append = rejected(numbered(room, &ada, 1, 0));
    let Appended::Decided { verdict, .. } = rig.put(append.clone()).await else {
        panic!("not decided");
    };
    let Appended::Again(again) = rig.put(append).await else {
        panic!("not told again");
    };
    assert_eq!(again, verdict);
    assert_eq!(acked(&rig.put(numbered(room, &ada, 2, 0)).await), 2);
}

async fn a_number_that_is_ahead_is_told_which_is_expected(rig: Rig) {
    let (room, ada) = (rig.room().await, rig.sender().await);
    let ahead = rig.put(numbered(room, &ada, 3, 0)).await;
    assert!(matches!(ahead, Appended::Expected(1)));
    rig.entry(numbered(room, &ada, 1, 0)).await;
    let ahead = rig.put(numbered(room, &ada, u64::MAX, 0)).await;
    assert!(matches!(ahead, Appended::Expected(2)));
    assert_eq!(rig.slice(room, 0).await.head.offset, 2);
}

async fn a_number_at_or_below_the_floor_is_settled(rig: Rig) {
    let (room, ada) = (rig.room().await, rig.sender().await);
    for n in 1..=3 {
        rig.entry(numbered(room, &ada, n, 0)).await;
    }
    for n in [0, 1, 2] {
        let below = rig.put(numbered(room, &ada, n, 2)).await;
        assert!(matches!(below, Appended::Settled));
    }
    let above = rig.put(numbered(room, &ada, 3, 2)).await;
    assert!(matches!(above, Appended::Again(_)));
}

async fn a_verdict_below_a_floor_is_forgotten(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    for n in 1..=3 {
        rig.entry(numbered(room, &ada, n, 0)).await;
    }
    rig.entry(numbered(room, &ada, 4, 2)).await;
    ada.generation += 1;
    let mut greeting = ada.greeting();
    greeting.lanes = vec![LaneFloor { room, floor: 0 }];
    let resume = rig.resume(greeting).await;
    let numbers = resume.verdicts.iter().map(|(_, n, _)| *n);
    assert!(numbers.eq([3, 4]));
    // A message that was long under way, with an older floor: the verdict is gone for good.
    let late = rig.put(numbered(room, &ada, 2, 0)).await;
    assert!(matches!(late, Appended::Settled));
}

async fn a_floor_above_the_watermark_moves_it_up(rig: Rig) {
    let (room, ada) = (rig.room().await, rig.sender().await);
    rig.entry(numbered(room, &ada, 1, 0)).await;
    let ahead = rig.put(numbered(room, &ada, 9, 6)).await;
    assert!(matches!(ahead, Appended::Expected(7)));
    assert_eq!(acked(&rig.put(numbered(room, &ada, 7, 6)).await), 3);
    let lost = rig.put(numbered(room, &ada, 3, 0)).await;
    assert!(matches!(lost, Appended::Settled));
}

async fn an_old_generation_is_fenced(rig: Rig) {
    let (room, mut ada) = (rig.room().await, rig.sender().await);
    let old = numbered(room, &ada, 1, 0);
    ada.generation = 5;
    rig.resume(ada.greeting()).await;
    assert!(matches!(rig.put(old).await, Appended::Fenced));
    let mut unheard = ada;
    unheard.generation = 6;
    let early = rig.put(numbered(room, &unheard, 1, 0)).await;
    assert!(matches!(early, Appended::Fenced));
    assert_eq!(acked(&rig.put(numbered(room, &ada, 1, 0)).await), 2);
}

async fn an_unknown_writer_is_fenced(rig: Rig) {
    let (room, nobody) = (rig.room().await, Sender::new());
    let appended = rig.put(numbered(room, &nobody, 1, 0)).await;
    assert!(matches!(appended, Appended::Fenced));
}

async fn a_lane_of_an_unknown_room_goes_on_behind_its_rejection(rig: Rig) {
    let (room, ada) = (room_id(), rig.sender().await);
    let append = rejected(numbered(room, &ada, 1, 0));
    assert!(matches!(rig.put(append).await, Appended::Decided { .. }));
    let mut append = creation(room, ada.person, "Ward");
    append.lane = ada.number(2, 0);
    assert_eq!(acked(&rig.put(append).await), 1);
    let again = rig.put(numbered(room, &ada, 1, 0)).await;
    assert!(matches!(again, Appended::Again(Verdict::Reject { .. })));
}

async fn a_lane_outlives_a_trim(rig: Rig) {
    let (room, ada) = (rig.room().await, rig.sender().await);
    let append = numbered(room, &ada, 1, 0);
    rig.entry(append.clone()).await;
    rig.engine.trim(room, 99).await.unwrap();
    assert!(matches!(rig.put(append).await, Appended::Again(_)));
    assert_eq!(acked(&rig.put(numbered(room, &ada, 2, 0)).await), 3);
}

async fn lanes_of_one_writer_do_not_wait_for_each_other(rig: Rig) {
    let (one, two, ada) = (rig.room().await, rig.room().await, rig.sender().await);
    let ahead = rig.put(numbered(one, &ada, 2, 0)).await;
    assert!(matches!(ahead, Appended::Expected(1)));
    assert_eq!(acked(&rig.put(numbered(two, &ada, 1, 0)).await), 2);
}
