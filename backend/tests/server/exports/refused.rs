//! Who gets no export, and why.

use super::{QUEUE, ROOM, begin, emit, exports, file, post, start, until};
use crate::rig::{PATIENCE, Rig};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn an_export_is_asked_for_by_who_may_read_the_room_and_from_here_alone() {
    let rig = start(|exports| exports).await;
    let elsewhere =
        rig.post(&format!("{ROOM}/export"), "origin: http://evil.example\r\n", "").await;
    elsewhere.is(403, "wrong_origin");
    let form = format!("POST {ROOM}/export HTTP/1.1\r\nhost: {}\r\n", rig.address);
    rig.ask(&form, b"").await.is(415, "unsupported_media_type");
    let wrong = "authorization: Holdfast me\r\n";
    rig.post(&format!("{ROOM}/export"), wrong, "").await.is(400, "bad_request");
    post(rig.address, &format!("{ROOM}/export"), r#"{"to":"/etc"}"#).await.is(400, "bad_request");
    let room = |of: &str| format!("/api/v1/{of}/export");
    post(rig.address, &room("chat/rooms/attic"), "").await.is(404, "unknown_room");
    post(rig.address, &room("shop/rooms/lobby"), "").await.is(404, "unknown_namespace");
    post(rig.address, &room("holdfast/rooms/lobby"), "").await.is(404, "unknown_namespace");
    // Nobody writes files for whom they please.
    let forged = json!({ "type": "export", "data": { "room": rig.lobby } }).to_string();
    post(rig.address, &format!("{QUEUE}/jobs"), &forged).await.is(403, "forbidden");
    let take = r#"{"consumer":"thief"}"#;
    post(rig.address, &format!("{QUEUE}/lease"), take).await.is(403, "forbidden");
    assert_eq!(rig.get(QUEUE).await.json()["done"], 0);
}

#[tokio::test]
async fn there_is_no_file_but_of_an_export_that_is_done() {
    let rig = start(|exports| exports).await;
    for job in ["7", "..%2F..%2Fholdfast.db", "019aa1b2-0000-7000-8000-000000000000"] {
        file(rig.address, job).await.is(404, "unknown_job");
    }
    let task = r#"{"type":"task","data":{"title":"x"}}"#;
    let task = post(rig.address, "/api/v1/work/queues/inbox/jobs", task).await.json();
    file(rig.address, task["id"].as_str().unwrap()).await.is(404, "unknown_job");
    assert_eq!(post(rig.address, &format!("{QUEUE}/pause"), "").await.status, 200);
    let job = begin(rig.address).await;
    let early = file(rig.address, &job).await;
    early.is(409, "wrong_state");
    assert_eq!(early.json()["state"], "ready");
    let cancel = format!("/api/v1/holdfast/jobs/{job}/cancel");
    assert_eq!(post(rig.address, &cancel, "").await.status, 200);
    file(rig.address, &job).await.is(409, "wrong_state");
}

#[tokio::test]
async fn a_server_without_a_folder_for_exports_makes_none() {
    let rig = Rig::memory().await;
    post(rig.address, &format!("{ROOM}/export"), "").await.is(404, "not_found");
    assert_eq!(rig.get(QUEUE).await.json()["ready"], 0);
}

#[tokio::test]
async fn the_export_of_a_room_that_was_deleted_meanwhile_fails_for_good() {
    let rig = start(|exports| exports).await;
    assert_eq!(post(rig.address, &format!("{QUEUE}/pause"), "").await.status, 200);
    let job = begin(rig.address).await;
    rig.engine.delete_room(rig.lobby).await.unwrap();
    assert_eq!(post(rig.address, &format!("{QUEUE}/resume"), "").await.status, 200);
    let dead = until(rig.address, &job, "dead").await;
    assert_eq!((&dead["failure"]["code"], &dead["attempt"]), (&json!("room_gone"), &json!(1)));
    assert!(dead["errors"][0]["error"].as_str().unwrap().starts_with("room_gone: "));
    file(rig.address, &job).await.is(409, "wrong_state");
}

#[tokio::test]
async fn past_the_bytes_that_are_kept_an_export_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let to = exports(folder.path()).folder;
    let own = to.clone();
    let rig = start(|exports| super::Exports { folder: own, bytes: 700, ..exports }).await;
    let job = begin(rig.address).await;
    until(rig.address, &job, "done").await;
    emit(rig.address, "message", &json!({ "text": "x".repeat(900) }).to_string()).await;
    let job = begin(rig.address).await;
    let dead = until(rig.address, &job, "dead").await;
    assert_eq!(dead["failure"]["code"], "too_many");
    let begun = Instant::now();
    while std::fs::read_dir(&to).unwrap().count() > 1 {
        assert!(begun.elapsed() < PATIENCE, "what is not whole goes");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    std::fs::write(to.join(format!("{job}.9.jsonl")), "x".repeat(700)).unwrap();
    post(rig.address, &format!("{ROOM}/export"), "").await.is(429, "too_many");
}

#[tokio::test]
async fn an_export_goes_when_it_was_kept_for_long_enough() {
    let folder = tempfile::tempdir().unwrap();
    let to = exports(folder.path()).folder;
    let own = to.clone();
    let keep = holdfast_common::time::Millis(1_500);
    let rig = start(|exports| super::Exports { folder: own, keep, ..exports }).await;
    let job = begin(rig.address).await;
    until(rig.address, &job, "done").await;
    assert_eq!(file(rig.address, &job).await.status, 200);
    std::fs::write(to.join("notes.txt"), "of somebody else").unwrap();
    let begun = Instant::now();
    while file(rig.address, &job).await.status == 200 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    file(rig.address, &job).await.is(404, "not_found");
    let left: Vec<_> = std::fs::read_dir(&to).unwrap().map(|it| it.unwrap().file_name()).collect();
    assert_eq!(left, ["notes.txt"]);
}

#[tokio::test]
async fn a_key_with_which_an_export_was_refused_is_as_good_as_new() {
    let rig = start(|exports| exports).await;
    for (what, body) in [("pause", "{}"), ("settings", r#"{"max_jobs":1}"#)] {
        assert_eq!(post(rig.address, &format!("{QUEUE}/{what}"), body).await.status, 200);
    }
    let first = begin(rig.address).await;
    let ask = async || {
        rig.post(&format!("{ROOM}/export"), "idempotency-key: refused once\r\n", "{}").await
    };
    for _ in 0..2 {
        ask().await.is(503, "queue_full");
    }
    let cancel = format!("/api/v1/holdfast/jobs/{first}/cancel");
    assert_eq!(post(rig.address, &cancel, "").await.status, 200);
    let (asked, again) = (ask().await, ask().await);
    assert_eq!((asked.status, again.status), (202, 200), "{}", asked.text());
    assert_eq!(asked.json(), again.json());
}
