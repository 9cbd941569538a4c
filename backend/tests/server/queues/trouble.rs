//! When the store fails, and when many want much at once.

use super::{
    INBOX, ask, enqueue, lease, say,
    told::{asked_by, complete, ends},
};
use crate::{
    faulty::Faulty,
    rig::{PATIENCE, Rig},
    talker::Me,
};
use futures_util::future::join_all;
use holdfast_backend::engine::Engine;
use serde_json::json;
use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

async fn faulty() -> (Rig, Arc<Faulty>) {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    (rig, engine)
}

#[tokio::test]
async fn ends_that_cannot_be_told_hold_up_no_others_and_are_told_when_they_can_be() {
    for panics in [false, true] {
        let (rig, engine) = faulty().await;
        let (anna, ben) = (Me::new("Anna"), Me::new("Ben"));
        *engine.spoiled.lock().unwrap() = Some(("spoiled", panics));
        // More than are read at once, and in front of the other.
        for _ in 0..120 {
            let id = asked_by(&rig, &anna, "x").await;
            complete(&rig, &id, &json!("spoiled")).await;
        }
        let id = asked_by(&rig, &ben, "y").await;
        complete(&rig, &id, &json!("fine")).await;
        assert_eq!(ends(&rig, ben.person, 1).await[0]["result"], "fine");
        *engine.spoiled.lock().unwrap() = None;
        // As many as one read of the inbox gives.
        ends(&rig, anna.person, 100).await;
    }
}

#[tokio::test]
async fn a_panic_while_the_store_is_tended_to_ends_no_tending() {
    let (rig, engine) = faulty().await;
    engine.untended.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    while engine.untended.load(Ordering::SeqCst) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    enqueue(&rig, "later", &json!({ "delay_ms": 100 })).await;
    assert_eq!(lease(&rig, &json!({ "wait_ms": 10_000 })).await.len(), 1);
}

#[tokio::test]
async fn what_is_done_to_many_jobs_goes_step_by_step_however_many_want_it() {
    let (rig, engine) = faulty().await;
    for _ in 0..3 {
        enqueue(&rig, "bad", &json!({})).await;
    }
    for job in lease(&rig, &json!({ "max": 3 })).await {
        let failed = json!({ "token": job["token"], "retry": false });
        assert_eq!(say(&rig, job["id"].as_str().unwrap(), "fail", &failed).await.status, 200);
    }
    let (path, all) = (format!("{INBOX}/requeue"), json!({ "error": "" }));
    let answers = join_all((0..16).map(|_| ask(&rig, &path, &all))).await;
    let counts = answers.iter().map(|answer| answer.json()["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 3);
    assert_eq!(engine.deeds.1.load(Ordering::SeqCst), 1, "one step at a time");
}
