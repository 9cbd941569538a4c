//! What becomes of a connection and of what it has while the server drains.

use super::{Hand, add, state};
use crate::{
    rig::{PATIENCE, on_every_engine},
    trouble::faulty,
};
use holdfast_common::error::Code;
use serde_json::json;

on_every_engine! {
    async fn who_is_told_that_the_server_drains_may_still_end_what_it_has_by_http(rig) {
        let mut hand = Hand::service(&rig, "printer").await;
        hand.consume(1, 60_000).await;
        let id = add(&rig, "last").await;
        let job = hand.leased().await;
        rig.handle.drain();
        hand.find("away").await;
        assert_eq!(hand.wire.closed().await, Some(Code::GoingAway));
        assert_eq!(state(&rig, &id).await, "leased");
        let done = json!({ "token": job["token"] }).to_string();
        let ended = rig.post(&format!("/api/v1/work/jobs/{id}/complete"), "", &done).await;
        assert_eq!((ended.status, state(&rig, &id).await), (200, json!("done")), "{}", ended.text());
        assert!(rig.handle.drained(PATIENCE).await);
    }
}

#[tokio::test]
async fn while_a_word_from_before_the_drain_is_under_way_what_else_is_held_may_be_ended() {
    let (rig, engine) = faulty().await;
    let mut hand = Hand::service(&rig, "printer").await;
    hand.consume(2, 60_000).await;
    let mut held = Vec::new();
    for title in ["first", "last"] {
        let id = add(&rig, title).await;
        held.push(json!({ "job": id, "token": hand.leased().await["token"] }));
    }
    let gate = engine.hold_end();
    let first = hand.ask("complete", held[0].clone(), None).await;
    gate.reached.notified().await;
    rig.handle.drain();
    hand.find("away").await;
    let last = hand.ask("complete", held[1].clone(), None).await;
    let (name, did) = hand.answer(last).await;
    assert_eq!((&*name, &did["state"]), ("did", &json!("done")));
    gate.open.notify_one();
    let (name, did) = hand.answer(first).await;
    assert_eq!((&*name, &did["state"]), ("did", &json!("done")));
    assert_eq!(hand.wire.closed().await, Some(Code::GoingAway));
    for ask in held {
        assert_eq!(state(&rig, ask["job"].as_str().unwrap()).await, "done");
    }
    assert!(rig.handle.drained(PATIENCE).await);
}
