//! What goes through a queue and how old its oldest job is, as boards are told of it.

use super::{Hand, add, state};
use crate::{faulty::Faulty, rig::on_every_engine, trouble::faulty};
use serde_json::{Value, json};
use std::time::Instant;

/// Boards that look at one queue.
const BOARDS: usize = 5;

fn age(figures: &Value) -> Option<u64> {
    figures["oldest_ms"].as_u64()
}

/// How often the queue was asked for.
fn reads(engine: &Faulty) -> usize {
    engine.queues_read.lock().unwrap().iter().filter(|name| *name == "inbox").count()
}

on_every_engine! {
    async fn figures_tell_the_age_of_the_oldest_job_that_could_begin(rig) {
        let [old, young] = [add(&rig, "old").await, add(&rig, "young").await];
        let mut board = Hand::service(&rig, "board").await;
        board.watch().await;
        let first = board.find_if("figures", |it| age(it).is_some()).await;
        let second = board.find("figures").await;
        assert!(age(&second) > age(&first), "it grows: {first} {second}");
        let mut hand = Hand::service(&rig, "hand").await;
        for id in [old, young] {
            let req = hand.ask("take", json!({ "job": id }), None).await;
            assert_eq!(hand.answer(req).await.0, "leased");
        }
        board.find_if("figures", |it| age(it).is_none()).await;
    }
}

#[tokio::test]
async fn figures_come_also_while_the_storage_does_not_tell_of_queues() {
    let (rig, engine) = faulty().await;
    add(&rig, "old").await;
    let mut board = Hand::service(&rig, "board").await;
    board.watch().await;
    let before = board.find_if("figures", |it| age(it).is_some()).await;
    engine.queues_hang.send_replace(Some("work"));
    board.find("figures").await;
    let later = board.find("figures").await;
    assert!(age(&later) > age(&before), "nothing has moved, and it is older: {before} {later}");
}

#[tokio::test]
async fn one_read_of_the_figures_of_a_queue_serves_all_of_its_boards() {
    let (rig, engine) = faulty().await;
    let mut boards = Vec::new();
    for _ in 0..BOARDS {
        let mut board = Hand::service(&rig, "board").await;
        board.watch().await;
        board.find("figures").await;
        boards.push(board);
    }
    let (before, begun) = (reads(&engine), Instant::now());
    for board in &mut boards {
        for _ in 0..3 {
            board.find("figures").await;
        }
    }
    let reads = reads(&engine) - before;
    // One that is 900 ms old is not asked for anew, whoever looks.
    let most = 2 + begun.elapsed().as_millis() as usize / 900;
    assert!((1..=most).contains(&reads), "{reads} of {most}");
}

#[tokio::test]
async fn boards_over_a_storage_that_hangs_hear_of_it_once_it_answers_and_hold_up_nobody() {
    let (rig, engine) = faulty().await;
    let id = add(&rig, "old").await;
    engine.queues_hang.send_replace(Some("work"));
    let mut boards = Vec::new();
    for _ in 0..3 {
        let mut board = Hand::service(&rig, "board").await;
        let req = board.ask("watch", json!({ "ns": "work", "queue": "inbox" }), None).await;
        board.settled().await;
        boards.push((board, req));
    }
    // One of them does not wait for it.
    drop(boards.pop());
    let mut hand = Hand::service(&rig, "hand").await;
    hand.consume(1, 60_000).await;
    let token = hand.leased().await["token"].clone();
    let req = hand.ask("complete", json!({ "job": id, "token": token }), None).await;
    assert_eq!(hand.answer(req).await.1["state"], "done");
    assert_eq!(state(&rig, &id).await, "done");
    // A board of another queue is told what it waits for, for longer than a read serves.
    let mut other = Hand::service(&rig, "other").await;
    other.watch_of("holdfast", "exports").await;
    for _ in 0..3 {
        other.find("figures").await;
    }
    for (board, _) in &mut boards {
        board.settled().await;
        assert!(board.held.is_empty(), "{:?}", board.held);
    }
    assert_eq!(reads(&engine), 3 + 1, "of each board, and of the figures for all of them");
    let id = add(&rig, "young").await;
    engine.queues_hang.send_replace(None);
    for (board, req) in &mut boards {
        assert_eq!(board.answer(*req).await.0, "board");
        board.find_if("figures", |it| age(it).is_some()).await;
    }
    assert_eq!(state(&rig, &id).await, "ready");
}
