//! An append is durable once, in one order, and never half.

use super::rig::*;
use holdfast_common::{
    codec,
    error::Code,
    id::PersonId,
    storage::{Appended, Fault, Verdict},
};

contract! {
    an_acked_event_stands_in_the_log_at_the_acked_offset
    what_is_read_is_byte_for_byte_what_was_published
    an_event_stands_once_whoever_sends_it_again
    an_event_that_stands_is_acked_even_where_its_rule_now_says_no
    a_rejection_appends_nothing
    a_decision_on_old_facts_is_asked_again
    a_rejection_on_old_facts_is_asked_again
    appends_are_decided_in_the_order_of_the_calls
    sixty_four_writers_share_one_dense_log
    one_broken_append_takes_nothing_of_the_others_with_it
}

async fn an_acked_event_stands_in_the_log_at_the_acked_offset(rig: Rig) {
    let room = rig.room().await;
    let append = message(room, PersonId::NIL, "hello");
    let id = append.id;
    let appended = rig.put(append).await;
    assert_eq!(acked(&appended), 2);
    let new = entry(appended);
    assert_eq!((new.room, new.entry.id, new.entry.offset), (room, id, 2));
    assert!(new.created.is_none());
    let slice = rig.slice(room, 1).await;
    assert_eq!(slice.head.cursor(), cursor(&new));
    assert_eq!(slice.entries.len(), 1);
}

async fn what_is_read_is_byte_for_byte_what_was_published(rig: Rig) {
    let room = rig.room().await;
    let mut append = message(room, person(), "");
    append.data = r#" {"text": "ä\n\u0041", "n": [1.50, null]} "#.to_owned();
    let new = rig.entry(append).await;
    let slice = rig.slice(room, 1).await;
    assert_eq!(slice.entries[0].1, codec::write_entry(&new.entry));
}

async fn an_event_stands_once_whoever_sends_it_again(rig: Rig) {
    let room = rig.room().await;
    let (ada, bob) = (rig.sender().await, rig.sender().await);
    let mut append = message(room, ada.person, "once");
    append.lane = ada.number(1, 0);
    let first = rig.put(append.clone()).await;
    append.lane = bob.number(1, 0);
    append.author.id = bob.person;
    let second = rig.put(append.clone()).await;
    append.lane = None;
    let third = rig.put(append.clone()).await;
    for again in [&second, &third] {
        assert!(matches!(again, Appended::Decided { entry: None, .. }));
        assert_eq!(acked(again), acked(&first));
    }
    assert_eq!(rig.slice(room, 0).await.entries.len(), 2);
    // The number is consumed: the lane goes on behind it.
    let mut next = message(room, bob.person, "next");
    next.lane = bob.number(2, 0);
    assert_eq!(acked(&rig.put(next).await), 3);
}

async fn an_event_that_stands_is_acked_even_where_its_rule_now_says_no(rig: Rig) {
    let room = room_id();
    let mut append = creation(room, PersonId::NIL, "Ward");
    append.verified = holdfast_common::event::Verified::allowed(r#"{"name":"Ward"}"#.to_owned());
    rig.put(append.clone()).await;
    match rig.put(rejected(append)).await {
        Appended::Decided { verdict: Verdict::Ack { offset, reply, .. }, entry: None, .. } => {
            assert_eq!((offset, reply.as_str()), (1, r#"{"name":"Ward"}"#))
        }
        other => panic!("no ack: {other:?}"),
    }
}

async fn a_rejection_appends_nothing(rig: Rig) {
    let room = rig.room().await;
    let append = rejected(message(room, PersonId::NIL, ""));
    let id = append.id;
    match rig.put(append).await {
        Appended::Decided {
            verdict: Verdict::Reject { id: of, code, why, .. },
            entry: None,
            ..
        } => {
            assert_eq!((of, code), (id, Code::Refused));
            assert_eq!(why.as_deref(), Some(r#"{"reason":"empty"}"#));
        }
        other => panic!("no rejection: {other:?}"),
    }
    assert_eq!(rig.slice(room, 0).await.head.offset, 1);
}

async fn a_decision_on_old_facts_is_asked_again(rig: Rig) {
    let room = rig.room().await;
    let ada = rig.sender().await;
    let target = rig.entry(message(room, ada.person, "v1")).await.entry.id;

    let mut early = edit(room, ada.person, target, "early");
    early.lane = ada.number(1, 0);
    let early = rig.read_facts(early).await;
    rig.entry(edit(room, ada.person, target, "late")).await;
    assert!(matches!(rig.engine.append(early.clone()).await, Appended::Moved));

    let early = rig.read_facts(early).await;
    rig.engine.join(ada.person, room, 9, NOW).await.unwrap();
    assert!(matches!(rig.engine.append(early.clone()).await, Appended::Moved));

    let early = rig.read_facts(early).await;
    let deleted = rig.engine.delete_room(room).await.unwrap().unwrap();
    assert!(matches!(rig.engine.append(early.clone()).await, Appended::Moved));

    // Nothing of it happened: the log is as it was and the number is still to be decided.
    assert_eq!(deleted.head.offset, 3);
    assert_eq!(rig.engine.delete_room(room).await, Ok(Some(deleted)));
    let rejection = rejected(early);
    assert!(matches!(rig.put(rejection).await, Appended::Decided { .. }));
}

async fn a_rejection_on_old_facts_is_asked_again(rig: Rig) {
    let (room, ada) = (room_id(), rig.sender().await);
    let mut early = rejected(message(room, ada.person, "to a room yet to come"));
    early.lane = ada.number(1, 0);
    let early = rig.read_facts(early).await;
    rig.entry(creation(room, PersonId::NIL, "Ward")).await;
    assert!(matches!(rig.engine.append(early).await, Appended::Moved));
}

async fn appends_are_decided_in_the_order_of_the_calls(rig: Rig) {
    let room = rig.room().await;
    let ada = rig.sender().await;
    let mut waiting = Vec::new();
    for n in 1..=20 {
        let mut append = rig.read_facts(message(room, ada.person, "in order")).await;
        append.lane = ada.number(n, 0);
        waiting.push((n, rig.engine.append(append)));
    }
    // The last call's answer is asked for first.
    for (n, appended) in waiting.into_iter().rev() {
        assert_eq!(acked(&appended.await), n + 1);
    }
}

async fn sixty_four_writers_share_one_dense_log(rig: Rig) {
    const WRITERS: u64 = 64;
    const EACH: u64 = 8;
    let room = rig.room().await;
    let mut tasks = Vec::new();
    for _ in 0..WRITERS {
        let ada = rig.sender().await;
        let rig = rig.share();
        tasks.push(tokio::spawn(async move {
            let mut offsets = Vec::new();
            for n in 1..=EACH {
                let mut append = message(room, ada.person, "at once");
                append.lane = ada.number(n, n - 1);
                offsets.push(rig.entry(append).await.entry.offset);
            }
            assert!(offsets.is_sorted(), "a writer's own events keep their order");
            offsets
        }));
    }
    let mut offsets = Vec::new();
    for task in tasks {
        offsets.extend(task.await.unwrap());
    }
    offsets.sort_unstable();
    assert!(offsets.into_iter().eq(2..=WRITERS * EACH + 1));
    assert_chained(&rig.slice(room, 0).await);
}

async fn one_broken_append_takes_nothing_of_the_others_with_it(rig: Rig) {
    let room = rig.room().await;
    let mut waiting = Vec::new();
    for n in 0..9 {
        let mut append = rig.read_facts(message(room, PersonId::NIL, "whole")).await;
        if n == 4 {
            append.data = "{ no JSON".to_owned();
        }
        waiting.push(rig.engine.append(append));
    }
    let mut acks = Vec::new();
    for (n, appended) in waiting.into_iter().enumerate() {
        match appended.await {
            Appended::Fault(Fault::Failed(_)) => assert_eq!(n, 4),
            appended => acks.push(acked(&appended)),
        }
    }
    assert!(acks.into_iter().eq(2..=9));
    assert_chained(&rig.slice(room, 0).await);
}
