//! Words about jobs that come too late, or with a token that is none.

use super::{INBOX, enqueue, job, lease, say, task, titles};
use crate::rig::{PATIENCE, Rig, on_every_engine};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

/// An end that says something in the lobby and enqueues a job.
pub fn loud(token: &Value, text: &str) -> Value {
    let (message, title) = (json!({ "text": text }), json!({ "title": text }));
    json!({
        "token": token,
        "events": [{ "namespace": "chat", "room": "lobby", "type": "message", "data": message }],
        "jobs": [{ "job": { "type": "task", "data": title } }],
    })
}

/// What was said in the lobby, its beginning apart.
async fn said(rig: &Rig) -> Vec<Value> {
    let log = rig.get(LOBBY).await.json();
    let events = log["events"].as_array().unwrap()[1..].iter();
    events.map(|event| event["data"]["text"].clone()).collect()
}

/// Words by this token with which something is wrong beside, whoever holds the job.
fn wrong_words(token: &Value) -> Vec<(&'static str, Value)> {
    let much = "x".repeat(64 * 1024);
    let event = |namespace: &str, room: &str, data: Value| json!([{ "namespace": namespace, "room": room, "type": "message", "data": data }]);
    let further = |queue: &str, more: Value| {
        let mut asked = task("x");
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!([{ "queue": queue, "job": asked }])
    };
    let text = || json!({ "text": "late" });
    let many = vec![event("chat", "lobby", text())[0].clone(); 17];
    let words = [
        ("complete", "result", json!(much)),
        ("complete", "events", event("chat", "nowhere", text())),
        ("complete", "events", event("nowhere", "lobby", text())),
        ("complete", "events", event("chat", "lobby", json!({ "text": "x".repeat(65 * 1024) }))),
        ("complete", "events", event("chat", "lobby", json!(7))),
        ("complete", "events", json!(many)),
        ("complete", "jobs", further("attic", json!({}))),
        ("complete", "jobs", further("inbox", json!({ "type": "chore" }))),
        ("complete", "jobs", further("inbox", json!({ "data": { "title": 7 } }))),
        ("complete", "jobs", further("inbox", json!({ "at": 1 }))),
        ("complete", "jobs", further("inbox", json!({ "delay_ms": u64::MAX }))),
        ("complete", "next", json!({ "consumer": "" })),
        ("fail", "failure", json!(much)),
        ("fail", "retry_ms", json!(u64::MAX)),
        ("snooze", "delay_ms", json!(u64::MAX)),
        ("extend", "progress", json!(101)),
    ];
    let body = |member: &str, value| json!({ "token": token, member: value });
    words.into_iter().map(|(what, member, value)| (what, body(member, value))).collect()
}

async fn fenced(rig: &Rig, id: &str, token: &Value, reason: &str) {
    let before = job(rig, id).await;
    for (what, body) in [
        ("complete", json!({ "token": token, "result": "late" })),
        ("fail", json!({ "token": token, "reason": "late" })),
        ("snooze", json!({ "token": token })),
        ("extend", json!({ "token": token, "lease_ms": 1_000, "progress": 7 })),
    ] {
        let answer = say(rig, id, what, &body).await;
        answer.is(409, "fenced");
        assert_eq!(answer.json()["reason"], reason, "{what}");
    }
    let after = job(rig, id).await;
    for member in ["state", "attempt", "result", "errors", "progress", "consumer"] {
        assert_eq!(before[member], after[member], "{member} of {id}");
    }
}

on_every_engine! {
    async fn a_word_that_comes_after_the_lease_has_run_out_is_refused_whoever_has_the_job(rig) {
        let id = enqueue(&rig, "slow", &json!({})).await;
        let [first] = &lease(&rig, &json!({ "lease_ms": 100 })).await[..] else { panic!("one") };
        // Comes when the lease has run out, and not before.
        let [second] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else { panic!("one") };
        assert_eq!((&second["id"], &second["attempt"]), (&json!(id), &json!(2)));
        assert!(second["fence"].as_u64() > first["fence"].as_u64());
        fenced(&rig, &id, &first["token"], "expired").await;
        assert_eq!(job(&rig, &id).await["errors"][0]["error"], "lease ran out");
        let done = json!({ "token": second["token"], "result": "in time" });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200);
        assert_eq!(job(&rig, &id).await["result"], "in time");
    }

    async fn a_consumer_that_wakes_too_late_says_nothing_in_any_room_and_enqueues_nothing(rig) {
        let id = enqueue(&rig, "slow", &json!({})).await;
        let [first] = &lease(&rig, &json!({ "lease_ms": 100 })).await[..] else { panic!("one") };
        // Comes when the lease has run out, and not before.
        let [second] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else { panic!("one") };
        say(&rig, &id, "complete", &loud(&first["token"], "late")).await.is(409, "fenced");
        // No other word takes them, whoever holds the job.
        for what in ["fail", "snooze", "extend"] {
            say(&rig, &id, what, &loud(&second["token"], what)).await.is(400, "bad_request");
        }
        assert_eq!(said(&rig).await, [] as [Value; 0]);
        let done = say(&rig, &id, "complete", &loud(&second["token"], "in time")).await;
        assert_eq!(done.status, 200, "{}", done.text());
        say(&rig, &id, "complete", &loud(&first["token"], "later")).await.is(409, "fenced");
        assert_eq!(said(&rig).await, ["in time"]);
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["in time"]);
    }

    async fn a_consumer_that_wakes_too_late_says_nothing_although_nobody_else_has_the_job(rig) {
        let id = enqueue(&rig, "slow", &json!({})).await;
        let [first] = &lease(&rig, &json!({ "lease_ms": 100 })).await[..] else { panic!("one") };
        let begun = Instant::now();
        while job(&rig, &id).await["state"] != "ready" {
            assert!(begun.elapsed() < PATIENCE, "the lease runs out");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let late = say(&rig, &id, "complete", &loud(&first["token"], "late")).await;
        late.is(409, "fenced");
        assert_eq!((&late.json()["reason"], said(&rig).await.len()), (&json!("expired"), 0));
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["slow"]);
    }

    async fn what_is_late_is_told_so_whatever_else_is_wrong_with_it(rig) {
        let id = enqueue(&rig, "slow", &json!({})).await;
        let [first] = &lease(&rig, &json!({ "lease_ms": 100 })).await[..] else { panic!("one job") };
        // Comes when the lease has run out, and not before.
        let [second] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else { panic!("one") };
        for (what, body) in wrong_words(&first["token"]) {
            let late = say(&rig, &id, what, &body).await;
            late.is(409, "fenced");
            assert_eq!(late.json()["reason"], "expired", "{what}");
        }
        for (what, body) in wrong_words(&second["token"]) {
            let wrong = say(&rig, &id, what, &body).await;
            let told = matches!(wrong.status, 400 | 404 | 413 | 422);
            assert!(told, "who holds the job is told what is wrong: {what} {}", wrong.text());
        }
        assert_eq!(job(&rig, &id).await["state"], "leased");
        let done = json!({ "token": second["token"], "result": "in time" });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200);
        for (what, body) in wrong_words(&second["token"]) {
            let late = say(&rig, &id, what, &body).await;
            late.is(409, "fenced");
            assert_eq!(late.json()["reason"], "ended", "{what}");
        }
        assert_eq!(said(&rig).await, [] as [Value; 0]);
    }

    async fn the_same_end_is_known_again_although_its_room_is_gone_or_another_has_its_name(rig) {
        let ward = rig.handle.room("chat", "Ward").await.unwrap();
        let id = enqueue(&rig, "once", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let mut end = loud(&taken["token"], "done");
        end["events"][0]["room"] = json!("Ward");
        let mut other = end.clone();
        other["events"][0]["data"]["text"] = json!("something else");
        let first = say(&rig, &id, "complete", &end).await;
        assert_eq!(first.status, 200, "{}", first.text());
        let mut told = first.json();
        told["again"] = json!(true);
        let known = async || {
            let again = say(&rig, &id, "complete", &end).await;
            assert_eq!((again.status, again.json()), (200, told.clone()));
            let ended = say(&rig, &id, "complete", &other).await;
            ended.is(409, "fenced");
            assert_eq!(ended.json()["reason"], "ended");
        };
        known().await;
        assert_eq!(rig.handle.delete_room(ward).await, Ok(true));
        known().await;
        assert_ne!(rig.handle.room("chat", "Ward").await.unwrap(), ward);
        known().await;
        let log = rig.get("/api/v1/chat/rooms/Ward/events").await.json();
        assert_eq!(log["events"].as_array().unwrap().len(), 1, "nothing but its beginning");
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["done"], "one further job");
    }

    async fn the_same_end_again_is_known_and_another_one_is_refused(rig) {
        let id = enqueue(&rig, "once", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let done = json!({ "token": taken["token"], "result": 1 });
        assert_eq!(say(&rig, &id, "complete", &done).await.json(), json!({ "state": "done" }));
        let again = say(&rig, &id, "complete", &done).await;
        assert_eq!((again.status, again.json()), (200, json!({ "state": "done", "again": true })));
        fenced(&rig, &id, &taken["token"], "ended").await;
    }

    async fn a_token_of_another_job_or_of_none_holds_nothing(rig) {
        let one = enqueue(&rig, "one", &json!({})).await;
        enqueue(&rig, "two", &json!({})).await;
        let jobs = lease(&rig, &json!({ "max": 2 })).await;
        fenced(&rig, &one, &jobs[1]["token"], "other").await;
        for text in ["", "1-", "nonsense", "1-0000000000000000", "18446744073709551616-0"] {
            fenced(&rig, &one, &json!(text), "other").await;
        }
        let done = json!({ "token": jobs[0]["token"] });
        assert_eq!(say(&rig, &one, "complete", &done).await.status, 200);
        assert_eq!(rig.get(INBOX).await.json()["leased"], 1);
    }

    async fn a_token_of_an_earlier_attempt_is_refused_as_old(rig) {
        let id = enqueue(&rig, "again", &json!({ "backoff_ms": 0 })).await;
        let [first] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let failed = json!({ "token": first["token"], "reason": "no" });
        assert_eq!(say(&rig, &id, "fail", &failed).await.status, 200);
        let [second] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else { panic!("one") };
        let done = json!({ "token": second["token"] });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200);
        fenced(&rig, &id, &first["token"], "old").await;
    }
}
