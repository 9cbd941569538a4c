//! Schedules that are not made, and what nobody may do.

use super::{INBOX, SCHEDULES, ask, delete, on_both, tasks};
use crate::rig::Rig;
use serde_json::{Value, json};

/// That there is no schedule, and that nothing was noted of one.
async fn nothing_is_stored(rig: &Rig) {
    assert_eq!(rig.get(SCHEDULES).await.json(), json!({ "schedules": [] }));
    assert_eq!(rig.get(&format!("{INBOX}/audit")).await.json(), json!({ "audit": [] }));
}

#[tokio::test]
async fn what_is_no_schedule_or_never_comes_is_refused_and_nothing_is_stored() {
    on_both(async |rig, _| {
        for cron in [
            "",
            " ",
            "0 0 30 2 *",
            "0 0 31 4,6,9,11 *",
            "* * * * * *",
            "0 0 0 1 1 * 2030",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "0 0 0 * *",
            "0 0 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "5-1 * * * *",
            "-5 * * * *",
            "*/0 * * * *",
            "0 0 * * someday",
            "@reboot",
            "@",
            "٥ ٤ * * *",
            "０ ０ * * *",
            "🕒 * * * *",
            "0\u{0} 0 * * *",
            &"*".repeat(10 * 1024),
            &format!("{} * * * *", "0,".repeat(200)),
        ] {
            let answer = ask(rig, &format!("{SCHEDULES}/bad"), &tasks(cron, "never")).await;
            answer.is(422, "bad_schedule");
            assert!(answer.json()["detail"].as_str().unwrap().ends_with('.'), "{cron}");
        }
        nothing_is_stored(rig).await;
    })
    .await;
}

#[tokio::test]
async fn a_schedule_whose_jobs_could_not_be_enqueued_is_not_made() {
    on_both(async |rig, _| {
        let with = |member: &str, value: Value| {
            let mut body = tasks("* * * * *", "bad");
            body[member] = value;
            body
        };
        for (body, status, code) in [
            (with("queue", json!("nowhere")), 404, "unknown_queue"),
            (with("type", json!("nothing")), 422, "unknown_type"),
            (with("data", json!({ "body": "no title" })), 422, "bad_payload"),
            (with("data", json!([])), 422, "bad_payload"),
            (with("data", json!({ "title": "x".repeat(70_000) })), 413, "too_large"),
            (with("priority", json!(101)), 400, "bad_request"),
            (with("group", json!("")), 400, "bad_request"),
            (with("max_attempts", json!(0)), 400, "bad_request"),
            (with("backoff_ms", json!(-1)), 400, "bad_request"),
            (with("expires_ms", json!(u64::MAX)), 400, "bad_request"),
            (with("delay_ms", json!(1)), 400, "bad_request"),
            (with("cron", json!(5)), 400, "bad_request"),
            (with("tell", json!(true)), 400, "bad_request"),
            (json!({}), 400, "bad_request"),
        ] {
            ask(rig, &format!("{SCHEDULES}/bad"), &body).await.is(status, code);
        }
        let body = tasks("* * * * *", "bad");
        ask(rig, &format!("{SCHEDULES}/{}", "x".repeat(129)), &body).await.is(400, "bad_request");
        ask(rig, "/api/v1/chat/schedules/bad", &body).await.is(404, "unknown_queue");
        for word in ["pause", "resume"] {
            let path = format!("{SCHEDULES}/bad/{word}");
            ask(rig, &path, &json!({})).await.is(404, "not_found");
        }
        for word in ["pause", "resume"] {
            let answer = ask(rig, &format!("{SCHEDULES}/bad/{word}"), &json!({ "until": 7 })).await;
            answer.is(400, "bad_request");
            let detail = answer.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.starts_with(&format!("The body is no {word}: ")), "{detail}");
        }
        delete(rig, "bad").await.is(404, "not_found");
        nothing_is_stored(rig).await;
    })
    .await;
}

#[tokio::test]
async fn nobody_but_the_server_has_jobs_come_in_its_own_queues() {
    on_both(async |rig, _| {
        let path = "/api/v1/holdfast/schedules/mine";
        let body =
            json!({ "cron": "* * * * *", "queue": "webhooks", "type": "deliver", "data": {} });
        ask(rig, path, &body).await.is(403, "forbidden");
        for word in ["pause", "resume"] {
            ask(rig, &format!("{path}/{word}"), &json!({})).await.is(403, "forbidden");
        }
        let head = format!("DELETE {path} HTTP/1.1\r\nhost: {}\r\n", rig.address);
        rig.ask(&head, b"").await.is(403, "forbidden");
        let listed = rig.get("/api/v1/holdfast/schedules").await.json();
        assert_eq!(listed, json!({ "schedules": [] }));
    })
    .await;
}

#[tokio::test]
async fn a_schedule_that_is_bad_leaves_the_one_before_it() {
    on_both(async |rig, _| {
        let before = super::make(rig, "tidy", &tasks("* * * * *", "tidy")).await;
        let bad = ask(rig, &format!("{SCHEDULES}/tidy"), &tasks("0 0 30 2 *", "tidy")).await;
        bad.is(422, "bad_schedule");
        let listed = rig.get(SCHEDULES).await.json();
        assert_eq!(listed, json!({ "schedules": [before] }));
    })
    .await;
}
