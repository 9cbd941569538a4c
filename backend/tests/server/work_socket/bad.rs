//! What cannot be: a coded refusal, or a coded close of who said it, and nothing is changed or lost.

use super::{Hand, INBOX, add, state};
use crate::rig::Rig;
use holdfast_backend::engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine};
use holdfast_common::{
    error::Code,
    id::JobId,
    job::{Holder, JobKind, NewJob, Place, QueueType},
    storage::jobs::{Claim, Claimed, Enqueue, Enqueued, Wanted},
    system::{EXPORTS, SYSTEM},
    time::Millis,
    work::Task,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

const NEW: &str = "01234567-89ab-7cde-8f01-23456789abcd";

/// On each engine, with a queue `attic` beside the inbox.
async fn on_both(test: impl AsyncFn(Rig)) {
    let start = async |engine: Arc<dyn Engine>, folder: Option<TempDir>| {
        let attic = vec![QueueType::new("work", "attic", vec![JobKind::of::<Task>()])];
        Rig::start(engine, folder, |builder| builder.queues(attic)).await
    };
    test(start(Arc::new(MemoryEngine::new()), None).await).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = SqliteEngine::open(folder.path()).unwrap();
    test(start(Arc::new(engine), Some(folder)).await).await;
}

/// Enqueues a task there and takes it, for a long time.
async fn held(rig: &Rig, queue: &str) -> Value {
    let path = format!("/api/v1/work/queues/{queue}");
    let task = json!({ "type": "task", "data": { "title": "held" } }).to_string();
    assert_eq!(rig.post(&format!("{path}/jobs"), "", &task).await.status, 201);
    let wish = json!({ "consumer": "holder", "lease_ms": 600_000 }).to_string();
    rig.post(&format!("{path}/lease"), "", &wish).await.json()["jobs"][0].clone()
}

/// It is still held by its token, which ends it.
async fn is_still_held(rig: &Rig, job: &Value) {
    let id = job["id"].as_str().unwrap();
    assert_eq!(state(rig, id).await, "leased");
    let end = json!({ "token": job["token"] }).to_string();
    let ended = rig.post(&format!("/api/v1/work/jobs/{id}/complete"), "", &end).await;
    assert_eq!(ended.status, 200, "{}", ended.text());
}

fn new_job(name: &str, value: &Value) -> (&'static str, Value) {
    let mut body = json!({ "id": NEW, "ns": "work", "queue": "inbox", "type": "task" });
    body[name] = value.clone();
    ("enqueue", body)
}

#[tokio::test]
async fn a_time_below_zero_or_that_is_none_costs_its_connection_alone() {
    on_both(async |rig| {
        let job = held(&rig, "inbox").await;
        let of = |name: &str, value: &Value| json!({ "job": job["id"], "token": job["token"], name: value });
        for wrong in [json!(-1), json!(-1_000), json!(1.5), json!("soon")] {
            let consume = json!({ "ns": "work", "queue": "inbox", "lease_ms": wrong });
            for (name, body) in [
                new_job("delay_ms", &wrong),
                new_job("expires_ms", &wrong),
                new_job("backoff_ms", &wrong),
                ("snooze", of("delay_ms", &wrong)),
                ("extend", of("lease_ms", &wrong)),
                ("take", json!({ "job": job["id"], "lease_ms": wrong })),
                ("consume", consume),
            ] {
                let mut hand = Hand::service(&rig, "wrong").await;
                hand.ask(name, body, Some(json!({ "title": "x" }))).await;
                assert_eq!(hand.wire.closed().await, Some(Code::BadFrame), "{name} {wrong}");
            }
        }
        assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
        is_still_held(&rig, &job).await;
    })
    .await;
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_by_its_code_and_the_connection_goes_on() {
    on_both(async |rig| {
        let job = held(&rig, "inbox").await;
        let mut hand = Hand::service(&rig, "holder").await;
        let much = "x".repeat(64 * 1024 + 1);
        let of = |more: Value| {
            let mut body = json!({ "job": job["id"], "token": job["token"] });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let none = || json!({});
        for ((name, body), payload, code) in [
            (new_job("type", &json!("chore")), json!({ "title": "x" }), "unknown_type"),
            (new_job("queue", &json!("cellar")), json!({ "title": "x" }), "unknown_queue"),
            (new_job("group", &json!("")), json!({ "title": "x" }), "bad_request"),
            (new_job("delay_ms", &json!(u64::MAX)), json!({ "title": "x" }), "bad_request"),
            (new_job("expires_ms", &json!(u64::MAX)), json!({ "title": "x" }), "bad_request"),
            (new_job("backoff_ms", &json!(86_400_001)), json!({ "title": "x" }), "bad_request"),
            (new_job("priority", &json!(-101)), json!({ "title": "x" }), "bad_request"),
            (new_job("max_attempts", &json!(101)), json!({ "title": "x" }), "bad_request"),
            (new_job("ns", &json!("work")), json!({ "title": 7 }), "bad_payload"),
            (new_job("ns", &json!("work")), json!({ "title": much }), "too_large"),
            (("complete", of(none())), json!(much), "too_large"),
            (("fail", of(none())), json!(much), "too_large"),
            (("snooze", of(json!({ "delay_ms": u64::MAX }))), Value::Null, "bad_request"),
            (("extend", of(json!({ "progress": 101 }))), Value::Null, "bad_request"),
        ] {
            let req = hand.ask(name, body, Some(payload)).await;
            let (answer, refused) = hand.answer(req).await;
            assert_eq!(
                (&*answer, &refused["code"]),
                ("refused", &json!(code)),
                "{name}: {refused}"
            );
        }
        assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
        is_still_held(&rig, &job).await;
    })
    .await;
}

#[tokio::test]
async fn who_has_the_token_of_one_of_the_servers_own_jobs_has_no_say_in_it_by_either_way() {
    on_both(async |rig| {
        let task = Task { title: "own".to_owned(), body: String::new() };
        let id = JobId::from_bytes([7; 16]);
        let (ns, queue) = (SYSTEM.to_owned(), EXPORTS.to_owned());
        let job = NewJob { ns: ns.clone(), queue: queue.clone(), ..NewJob::of(id, &task) };
        let holder = Holder { consumer: "server".to_owned(), person: None };
        let wanted = Wanted::Of { ns, queue, most: 1 };
        let claim = Claim { wanted, holder, lease: Some(Millis(600_000)) };
        // With the same commit, so that nobody else has it.
        let enqueue = Enqueue { jobs: vec![job], promise: None, then: vec![claim] };
        let enqueued = rig.engine.enqueue(enqueue).await.unwrap().0;
        let Enqueued::Made { claimed, .. } = enqueued else { panic!("{enqueued:?}") };
        let [Claimed::Jobs { jobs, .. }] = &claimed[..] else { panic!("{claimed:?}") };
        let token = jobs[0].token.to_string();
        let mut hand = Hand::service(&rig, "thief").await;
        for what in ["complete", "fail", "snooze", "extend"] {
            let req = hand.ask(what, json!({ "job": id, "token": token }), None).await;
            let (answer, refused) = hand.answer(req).await;
            assert_eq!((&*answer, &refused["code"]), ("refused", &json!("forbidden")), "{what}");
            let (path, body) =
                (format!("/api/v1/{SYSTEM}/jobs/{id}/{what}"), json!({ "token": token }));
            rig.post(&path, "", &body.to_string()).await.is(403, "forbidden");
        }
        let read = rig.engine.job(id).await.unwrap().unwrap();
        assert_eq!(read.place, Place::Leased);
        assert!(read.due > Some(Millis(500_000)), "the lease is as long as it was");
    })
    .await;
}

#[tokio::test]
async fn what_is_late_is_told_so_whatever_else_is_wrong_with_it() {
    on_both(async |rig| {
        let id = add(&rig, "slow").await;
        let mut hand = Hand::service(&rig, "slow").await;
        let req = hand.ask("take", json!({ "job": id, "lease_ms": 100 }), None).await;
        let token = hand.answer(req).await.1["job"]["token"].clone();
        hand.find("lost").await;
        let much = json!("x".repeat(64 * 1024 + 1));
        for (what, member, value, payload) in [
            ("complete", "next", json!(9), much.clone()),
            ("fail", "reason", json!("late"), much.clone()),
            ("snooze", "delay_ms", json!(u64::MAX), Value::Null),
            ("extend", "progress", json!(101), Value::Null),
        ] {
            let ask = json!({ "job": id, "token": token, member: value });
            let req = hand.ask(what, ask, Some(payload)).await;
            let (answer, refused) = hand.answer(req).await;
            let is = (&*answer, &refused["code"], &refused["reason"]);
            assert_eq!(is, ("refused", &json!("fenced"), &json!("expired")), "{what}: {refused}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_of_another_lease_or_queue_ends_nothing_by_either_way() {
    on_both(async |rig| {
        let (job, beside, above) =
            (held(&rig, "inbox").await, held(&rig, "inbox").await, held(&rig, "attic").await);
        let id = job["id"].as_str().unwrap();
        let mut hand = Hand::service(&rig, "thief").await;
        for token in
            [&beside["token"], &above["token"], &json!("1-0000000000000000"), &json!("no token")]
        {
            for what in ["complete", "fail", "snooze", "extend"] {
                let req = hand.ask(what, json!({ "job": id, "token": token }), None).await;
                let (answer, refused) = hand.answer(req).await;
                let is = (&*answer, &refused["code"], &refused["reason"]);
                assert_eq!(is, ("refused", &json!("fenced"), &json!("other")), "{what} {token}");
                let body = json!({ "token": token }).to_string();
                let answer = rig.post(&format!("/api/v1/work/jobs/{id}/{what}"), "", &body).await;
                answer.is(409, "fenced");
                assert_eq!(answer.json()["reason"], "other");
            }
        }
        for job in [job, beside, above] {
            is_still_held(&rig, &job).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_completion_that_would_enqueue_into_the_servers_own_queues_leaves_its_job_held() {
    on_both(async |rig| {
        let job = held(&rig, "inbox").await;
        let id = job["id"].as_str().unwrap();
        let fits = json!({ "job": { "type": "task", "data": { "title": "next" } } });
        let export = json!({ "room": rig.lobby, "namespace": "chat", "name": "lobby" });
        let own = json!({
            "namespace": SYSTEM, "queue": EXPORTS, "job": { "type": "export", "data": export }
        });
        let brings = json!({ "token": job["token"], "jobs": [fits, own] });
        let path = format!("/api/v1/work/jobs/{id}/complete");
        let answer = rig.post(&path, "", &brings.to_string()).await;
        answer.is(403, "forbidden");
        assert_eq!(answer.json()["job"], 1, "{}", answer.text());
        let mut hand = Hand::service(&rig, "climber").await;
        let mut ask = brings.clone();
        ask["job"] = json!(id);
        let req = hand.ask("complete", ask, None).await;
        let (name, refused) = hand.answer(req).await;
        assert_eq!((&*name, &refused["code"]), ("refused", &json!("forbidden")), "{refused}");
        assert_eq!(refused["job"], 1, "{refused}");
        is_still_held(&rig, &job).await;
    })
    .await;
}

#[tokio::test]
async fn a_million_ids_in_one_frame_cost_their_connection_alone_and_some_too_many_are_refused() {
    on_both(async |rig| {
        let waits = add(&rig, "waits").await;
        let discard = |count: usize| {
            let ids = vec![&*waits; count];
            let deed = json!({ "cancel": { "jobs": ids } });
            json!({ "ns": "work", "queue": "inbox", "deed": deed })
        };
        let mut hand = Hand::service(&rig, "eager").await;
        let req = hand.ask("govern", discard(1_001), None).await;
        let (answer, refused) = hand.answer(req).await;
        assert_eq!((&*answer, &refused["code"]), ("refused", &json!("too_large")), "{refused}");
        let mut frame = discard(1_000_000);
        frame["req"] = json!(9);
        // It is cut before all of it is sent.
        hand.wire.pour(json!({ "govern": frame }).to_string()).await;
        assert_eq!(hand.wire.closed().await, Some(Code::FrameTooLarge));
        assert_eq!(state(&rig, &waits).await, "ready");
    })
    .await;
}
