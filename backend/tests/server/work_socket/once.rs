//! A job that is enqueued with its id is enqueued once, whatever became of the answer and of the job.

use super::{Hand, INBOX};
use crate::{
    rig::{PATIENCE, Rig, on_every_engine},
    talker::Me,
};
use holdfast_backend::engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine};
use holdfast_common::{
    job::{JobKind, QueueType},
    work::Task,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

const ID: &str = "01234567-89ab-7cde-8f01-23456789abcd";

/// Asks for the job, with these members beside the usual ones or in place of them.
async fn ask(hand: &mut Hand, more: &Value, title: &str) -> u64 {
    let mut ask = json!({ "id": ID, "ns": "work", "queue": "inbox", "type": "task" });
    ask.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    hand.ask("enqueue", ask, Some(json!({ "title": title }))).await
}

/// The answer in short: `new`, `again`, or why it is refused.
async fn enqueue(hand: &mut Hand, more: &Value, title: &str) -> String {
    let req = ask(hand, more, title).await;
    let (name, body) = hand.answer(req).await;
    if name == "refused" {
        return body["code"].as_str().unwrap().to_owned();
    }
    assert_eq!((&*name, &body["id"]), ("enqueued", &json!(ID)), "{body}");
    if body["again"] == true { "again" } else { "new" }.to_owned()
}

async fn until(mut is: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is().await {
        assert!(begun.elapsed() < PATIENCE, "it comes to be so");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn status(rig: &Rig) -> u16 {
    rig.get(&format!("/api/v1/work/jobs/{ID}")).await.status
}

/// What has ended is not kept.
async fn keep_nothing(rig: &Rig) {
    let set = rig.post(&format!("{INBOX}/settings"), "", r#"{"keep_ms":0}"#).await;
    assert_eq!(set.status, 200, "{}", set.text());
}

/// Does the job, and waits until it is removed.
async fn do_it(rig: &Rig) {
    let mut hand = Hand::service(rig, "doer").await;
    let req = hand.ask("take", json!({ "job": ID }), None).await;
    let token = hand.answer(req).await.1["job"]["token"].clone();
    let req = hand.ask("complete", json!({ "job": ID, "token": token }), None).await;
    assert_eq!(hand.answer(req).await.1["state"], "done");
    until(async || status(rig).await == 404).await;
}

/// Nothing is there to be done, or was done since what was done is not kept.
async fn nothing_is_there(rig: &Rig) {
    let queue = rig.get(INBOX).await.json();
    let counts = ["ready", "leased", "done", "dead"].map(|of| queue[of].clone());
    assert_eq!(counts, [0, 0, 0, 0].map(|n| json!(n)));
    assert_eq!(status(rig).await, 404);
}

/// On each engine, with a queue `attic` beside the inbox and another inbox in the namespace `chat`.
async fn with_more_queues(test: impl AsyncFn(Rig)) {
    let start = async |engine: Arc<dyn Engine>, folder| {
        let more = [("work", "attic"), ("chat", "inbox")];
        let more = more.map(|(ns, name)| QueueType::new(ns, name, vec![JobKind::of::<Task>()]));
        Rig::start(engine, folder, |builder| builder.queues(more.to_vec())).await
    };
    test(start(Arc::new(MemoryEngine::new()), None).await).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = SqliteEngine::open(folder.path()).unwrap();
    test(start(Arc::new(engine), Some(folder)).await).await;
}

on_every_engine! {
    async fn what_is_said_again_after_the_job_was_done_and_removed_is_not_done_twice(rig) {
        keep_nothing(&rig).await;
        let mut hand = Hand::service(&rig, "asks").await;
        // Nobody hears the answer.
        ask(&mut hand, &json!({}), "x").await;
        until(async || status(&rig).await == 200).await;
        drop(hand);
        do_it(&rig).await;
        let mut hand = Hand::service(&rig, "asks").await;
        assert_eq!(enqueue(&mut hand, &json!({}), "x").await, "again");
        nothing_is_there(&rig).await;
        assert_eq!(enqueue(&mut hand, &json!({}), "y").await, "idempotency_mismatch");
        nothing_is_there(&rig).await;
    }

    async fn an_id_and_a_key_of_the_same_words_are_two(rig) {
        let by_key = async |title: &str| {
            let body = json!({ "type": "task", "data": { "title": title } }).to_string();
            rig.post(&format!("{INBOX}/jobs"), &format!("idempotency-key: {ID}\r\n"), &body).await
        };
        let mut hand = Hand::service(&rig, "asks").await;
        let first = by_key("by key").await;
        assert_eq!(first.status, 201, "{}", first.text());
        assert_eq!(enqueue(&mut hand, &json!({}), "by id").await, "new");
        let again = by_key("by key").await;
        assert_eq!((again.status, again.json()), (200, first.json()));
        assert_eq!(enqueue(&mut hand, &json!({}), "by id").await, "again");
        by_key("by id").await.is(422, "idempotency_mismatch");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 2);
    }

    async fn an_id_that_somebody_else_has_used_is_refused_while_the_job_is_there(rig) {
        let mut anna = Hand::person(&rig, &Me::new("Anna")).await;
        let mut ben = Hand::person(&rig, &Me::new("Ben")).await;
        let mut service = Hand::service(&rig, "asks").await;
        assert_eq!(enqueue(&mut anna, &json!({}), "x").await, "new");
        // What they asked for would be lost, and they would not be told of its end.
        assert_eq!(enqueue(&mut ben, &json!({}), "x").await, "idempotency_mismatch");
        assert_eq!(enqueue(&mut service, &json!({}), "x").await, "idempotency_mismatch");
        assert_eq!(enqueue(&mut anna, &json!({}), "x").await, "again");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 1);
    }

    async fn two_that_say_one_id_at_once_enqueue_one_job(rig) {
        let mut hands = [Hand::service(&rig, "a").await, Hand::service(&rig, "b").await];
        let mut reqs = Vec::new();
        for (at, title) in [(0, "x"), (0, "x"), (1, "x"), (1, "y")] {
            reqs.push((at, ask(&mut hands[at], &json!({}), title).await));
        }
        let (mut new, mut refused) = (0, 0);
        for (at, req) in reqs {
            let (name, body) = hands[at].answer(req).await;
            refused += u32::from(name == "refused");
            new += u32::from(name == "enqueued" && body.get("again").is_none());
        }
        // Whichever of the two bodies came first, what says the other one is told.
        assert_eq!((new, refused == 1 || refused == 3), (1, true), "{refused}");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_job_under_an_id_that_was_used_is_refused_and_nothing_is_lost_silently() {
    with_more_queues(async |rig| {
        keep_nothing(&rig).await;
        let mut hand = Hand::service(&rig, "asks").await;
        let terms = json!({ "priority": 3, "group": "g", "expires_ms": 600_000 });
        assert_eq!(enqueue(&mut hand, &terms, "x").await, "new");
        for removed in [false, true] {
            if removed {
                do_it(&rig).await;
            }
            assert_eq!(enqueue(&mut hand, &terms, "y").await, "idempotency_mismatch");
            for (member, value) in [
                ("queue", json!("attic")),
                ("ns", json!("chat")),
                ("delay_ms", json!(1)),
                ("priority", json!(4)),
                ("group", json!("h")),
                ("max_attempts", json!(7)),
                ("backoff_ms", json!(7)),
                ("expires_ms", json!(600_001)),
            ] {
                let mut other = terms.clone();
                other[member] = value;
                let answer = enqueue(&mut hand, &other, "x").await;
                assert_eq!(answer, "idempotency_mismatch", "{member} {removed}");
            }
            assert_eq!(enqueue(&mut hand, &terms, "x").await, "again");
            for queue in ["work/queues/attic", "chat/queues/inbox"] {
                assert_eq!(rig.get(&format!("/api/v1/{queue}")).await.json()["ready"], 0);
            }
        }
        nothing_is_there(&rig).await;
    })
    .await;
}

/// The folder, once whoever had it has let go of it.
async fn reopened(folder: &Path) -> Rig {
    let mut engine = None;
    until(async || {
        engine = SqliteEngine::open(folder).ok();
        engine.is_some()
    })
    .await;
    Rig::start(Arc::new(engine.unwrap()), None, |builder| builder).await
}

#[test]
fn an_id_is_remembered_over_a_restart_also_of_a_job_that_was_removed() {
    let folder = tempfile::tempdir().unwrap();
    let first = Runtime::new().unwrap();
    first.block_on(async {
        let rig = reopened(folder.path()).await;
        keep_nothing(&rig).await;
        let mut hand = Hand::service(&rig, "asks").await;
        assert_eq!(enqueue(&mut hand, &json!({ "priority": 3 }), "x").await, "new");
        do_it(&rig).await;
    });
    // All that runs in it ends where it stands.
    drop(first);
    let second = Runtime::new().unwrap();
    second.block_on(async {
        let rig = reopened(folder.path()).await;
        let mut hand = Hand::service(&rig, "asks").await;
        assert_eq!(enqueue(&mut hand, &json!({ "priority": 3 }), "x").await, "again");
        assert_eq!(enqueue(&mut hand, &json!({}), "x").await, "idempotency_mismatch");
        nothing_is_there(&rig).await;
    });
}
