//! What can never be had is refused for good: who repeats a call until it is done is not to repeat this one.

use super::{INBOX, ask, enqueue, job, lease, say, task};
use crate::rig::{Rig, on_every_engine};
use serde_json::{Value, json};

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

fn event(kind: &str, data: Value) -> Value {
    json!({ "namespace": "chat", "room": "lobby", "type": kind, "data": data })
}

async fn texts(rig: &Rig) -> Vec<Value> {
    let log = rig.get(LOBBY).await.json();
    log["events"].as_array().unwrap()[1..].iter().map(|it| it["data"]["text"].clone()).collect()
}

on_every_engine! {
    async fn a_completion_that_changes_one_message_twice_is_refused_and_the_job_is_still_held(rig) {
        let begun = json!({ "type": "message", "data": { "text": "begun" } }).to_string();
        let target = rig.post(LOBBY, "", &begun).await.json()["id"].clone();
        let id = enqueue(&rig, "report", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let edit = |text: &str| event("edit", json!({ "target": target, "text": text }));
        let delete = event("delete", json!({ "target": target }));
        for second in [edit("done"), delete] {
            let events = json!([edit("half"), event("message", json!({ "text": "beside" })), second]);
            let done = json!({ "token": taken["token"], "events": events });
            let refused = say(&rig, &id, "complete", &done).await;
            refused.is(400, "bad_request");
            assert_eq!(refused.json()["event"], 2);
        }
        assert_eq!(texts(&rig).await, ["begun"]);
        assert_eq!(job(&rig, &id).await["state"], "leased");
        let done = json!({ "token": taken["token"], "events": [edit("done")] });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200);
    }

    async fn more_jobs_than_a_queue_may_have_are_too_many_for_good(rig) {
        let id = enqueue(&rig, "first", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        assert_eq!(ask(&rig, &format!("{INBOX}/settings"), &json!({ "max_jobs": 3 })).await.status, 200);
        let batch = async |jobs: usize| {
            ask(&rig, &format!("{INBOX}/batch"), &json!({ "jobs": vec![task("x"); jobs] })).await
        };
        batch(3).await.is(503, "queue_full");
        batch(4).await.is(413, "too_large");
        let with = |jobs: usize| json!({ "token": taken["token"], "jobs": vec![json!({ "job": task("x") }); jobs] });
        say(&rig, &id, "complete", &with(4)).await.is(413, "too_large");
        assert_eq!(job(&rig, &id).await["state"], "leased");
        assert_eq!(batch(2).await.status, 201);
    }
}
