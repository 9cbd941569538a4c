//! Schedules of which no job can come for now.

use super::{
    Hands, INBOX, MINUTE, SCHEDULES, TEN, ask, half, make, memory, next_job, next_title,
    nothing_else_comes, on_both, read, tasks,
};
use crate::rig::Rig;
use holdfast_backend::engine::Engine;
use holdfast_common::{
    job::{JobKind, QueueType},
    work::Task,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// A server that knows the queue `attic` with jobs of these types.
async fn with_attic(engine: &Arc<dyn Engine>, kinds: Vec<JobKind>) -> Rig {
    let attic = vec![QueueType::new("work", "attic", kinds)];
    Rig::start(Arc::clone(engine), None, |builder| builder.queues(attic)).await
}

async fn ready(rig: &Rig, queue: &str) -> Value {
    rig.get(&format!("/api/v1/work/queues/{queue}")).await.json()["ready"].clone()
}

/// That the server neither fires it nor forgets it.
async fn is_stuck(rig: &Rig, hands: &Hands, marker: &str, reason: &str) {
    nothing_else_comes(rig, hands, marker).await;
    let schedule = read(rig, "sweep").await;
    assert_eq!((&schedule["state"], &schedule["reason"]), (&json!("stuck"), &json!(reason)));
    assert_eq!((&schedule["next"], &schedule["last"]), (&json!(TEN + MINUTE), &Value::Null));
    rig.handle.drain();
}

#[tokio::test]
async fn a_schedule_of_a_type_that_this_build_does_not_know_waits_for_one_that_does() {
    let hands = Hands::at(half(0));
    let engine = memory(&hands);
    let rig = with_attic(&engine, vec![JobKind::of::<Task>()]).await;
    let mut body = tasks("1 10 * * *", "sweep");
    body["queue"] = json!("attic");
    make(&rig, "sweep", &body).await;
    rig.handle.drain();
    hands.put(half(3));
    let rig = with_attic(&engine, Vec::new()).await;
    is_stuck(&rig, &hands, "first", "unknown_type").await;
    let rig = Rig::start(Arc::clone(&engine), None, |builder| builder).await;
    is_stuck(&rig, &hands, "second", "unknown_queue").await;
    let rig = with_attic(&engine, vec![JobKind::of::<Task>()]).await;
    nothing_else_comes(&rig, &hands, "third").await;
    assert_eq!(ready(&rig, "attic").await, 1, "what it has missed is one job");
    assert_eq!(read(&rig, "sweep").await["state"], "active");
}

#[tokio::test]
async fn an_occurrence_waits_for_room_in_its_queue_and_comes_once() {
    on_both(async |rig, hands| {
        let set = ask(rig, &format!("{INBOX}/settings"), &json!({ "max_jobs": 1 })).await;
        assert_eq!(set.status, 200);
        let full = json!({ "type": "task", "data": { "title": "full" } });
        assert_eq!(ask(rig, &format!("{INBOX}/jobs"), &full).await.status, 201);
        make(rig, "tidy", &tasks("* * * * *", "tidy")).await;
        hands.put(half(5));
        let job = next_job(rig).await;
        assert_eq!(job["data"]["title"], "full");
        assert_eq!(ready(rig, "inbox").await, 0);
        assert_eq!(
            read(rig, "tidy").await["next"],
            TEN + MINUTE,
            "it has not come, and is not lost"
        );
        let path = format!("/api/v1/work/jobs/{}/complete", job["id"].as_str().unwrap());
        assert_eq!(ask(rig, &path, &json!({ "token": job["token"] })).await.status, 200);
        assert_eq!(next_title(rig).await, "tidy");
        assert_eq!(read(rig, "tidy").await["next"], TEN + 6 * MINUTE);
    })
    .await;
}

#[tokio::test]
async fn while_the_server_drains_no_schedule_is_made_and_the_next_one_fires_what_is_due() {
    let hands = Hands::at(half(0));
    let engine = memory(&hands);
    let rig = super::start(Arc::clone(&engine)).await;
    make(&rig, "tidy", &tasks("* * * * *", "tidy")).await;
    rig.handle.drain();
    let new = ask(&rig, &format!("{SCHEDULES}/new"), &tasks("* * * * *", "new")).await;
    new.is(503, "draining");
    hands.put(TEN + MINUTE);
    let rig = super::start(engine).await;
    assert_eq!(next_title(&rig).await, "tidy");
    assert_eq!(ready(&rig, "inbox").await, 0);
}
