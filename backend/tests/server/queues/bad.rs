//! What is no proper word about queues: a coded error each, and nothing is changed.

use super::{INBOX, ask, enqueue, job, lease, say, task};
use crate::rig::on_every_engine;
use serde_json::{Value, json};

const NOBODY: &str = "00000000-0000-7000-8000-000000000001";

on_every_engine! {
    async fn a_job_that_is_none_is_refused_with_its_own_code(rig) {
        let with = |name: &str, value: Value| {
            let mut body = task("x");
            body[name] = value;
            body
        };
        let large = "x".repeat(65 * 1024);
        for (status, code, body) in [
            (422, "unknown_type", json!({ "type": "chore", "data": {} })),
            (422, "bad_payload", json!({ "type": "task", "data": { "title": 7 } })),
            (422, "bad_payload", json!({ "type": "task", "data": ["a", "b"] })),
            (413, "too_large", json!({ "type": "task", "data": { "title": large } })),
            (400, "bad_request", json!({ "type": "task" })),
            (400, "bad_request", json!([])),
            (400, "bad_request", with("delay_ms", json!(-1))),
            (400, "bad_request", with("delay_ms", json!(1.5))),
            (400, "bad_request", with("delay_ms", json!(u64::MAX))),
            (400, "bad_request", with("expires_ms", json!(-5))),
            (400, "bad_request", with("backoff_ms", json!(86_400_001))),
            (400, "bad_request", with("priority", json!(101))),
            (400, "bad_request", with("priority", json!(300))),
            (400, "bad_request", with("max_attempts", json!(0))),
            (400, "bad_request", with("max_attempts", json!(101))),
            (400, "bad_request", with("group", json!(""))),
            (400, "bad_request", with("group", json!("x".repeat(129)))),
            (400, "bad_request", with("when", json!("now"))),
        ] {
            ask(&rig, &format!("{INBOX}/jobs"), &body).await.is(status, code);
        }
        let both = json!({ "type": "task", "data": { "title": "x" }, "delay_ms": 1, "at": 1 });
        ask(&rig, &format!("{INBOX}/jobs"), &both).await.is(400, "bad_request");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
    }

    async fn a_queue_or_a_job_that_is_not_there_is_said_to_be_so(rig) {
        for path in ["/api/v1/work/queues/attic", "/api/v1/nowhere/queues/inbox"] {
            rig.get(path).await.is(404, "unknown_queue");
            ask(&rig, &format!("{path}/jobs"), &task("x")).await.is(404, "unknown_queue");
            ask(&rig, &format!("{path}/lease"), &json!({ "consumer": "c" })).await.is(404, "unknown_queue");
        }
        let id = enqueue(&rig, "here", &json!({})).await;
        for path in [
            format!("/api/v1/work/jobs/{NOBODY}"),
            "/api/v1/work/jobs/seven".to_owned(),
            // Of another namespace than the address says.
            format!("/api/v1/chat/jobs/{id}"),
        ] {
            rig.get(&path).await.is(404, "unknown_job");
            let done = json!({ "token": "1-0000000000000000" });
            ask(&rig, &format!("{path}/complete"), &done).await.is(404, "unknown_job");
            ask(&rig, &format!("{path}/extend"), &done).await.is(404, "unknown_job");
        }
    }

    async fn nobody_works_in_the_servers_own_name(rig) {
        for what in ["jobs", "lease", "batch"] {
            let path = format!("/api/v1/holdfast/queues/webhooks/{what}");
            let answer = ask(&rig, &path, &json!({ "consumer": "me" })).await;
            assert!(matches!(answer.status, 403 | 404), "{}", answer.text());
        }
    }

    async fn a_result_that_is_too_large_leaves_the_job_with_its_consumer(rig) {
        let id = enqueue(&rig, "much", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let much = "x".repeat(64 * 1024);
        let done = json!({ "token": taken["token"], "result": much });
        say(&rig, &id, "complete", &done).await.is(413, "too_large");
        let failed = json!({ "token": taken["token"], "failure": much });
        say(&rig, &id, "fail", &failed).await.is(413, "too_large");
        assert_eq!(job(&rig, &id).await["state"], "leased");
        let done = json!({ "token": taken["token"], "result": "less" });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200);
    }

    async fn times_that_are_none_leave_the_job_with_its_consumer(rig) {
        let id = enqueue(&rig, "held", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let further = |delay: &Value| {
            let asked = json!({ "type": "task", "data": { "title": "x" }, "delay_ms": delay });
            json!([{ "queue": "inbox", "job": asked }])
        };
        for wrong in [json!(-1), json!(1.5), json!("soon"), json!(u64::MAX)] {
            let further = further(&wrong);
            for (what, member, value) in [
                ("snooze", "delay_ms", &wrong),
                ("fail", "retry_ms", &wrong),
                ("complete", "jobs", &further),
            ] {
                let body = json!({ "token": taken["token"], member: value });
                say(&rig, &id, what, &body).await.is(400, "bad_request");
            }
        }
        assert_eq!(job(&rig, &id).await["state"], "leased");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
        let done = json!({ "token": taken["token"], "jobs": further(&json!(60_000)) });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200, "a time that is one");
        assert_eq!(rig.get(INBOX).await.json()["delayed"], 1);
    }

    async fn a_million_jobs_in_one_call_are_too_many(rig) {
        let one = task("x").to_string();
        let many = |n: usize| format!(r#"{{"jobs":[{}]}}"#, vec![one.as_str(); n].join(","));
        rig.post(&format!("{INBOX}/batch"), "", &many(1_001)).await.is(413, "too_large");
        rig.post(&format!("{INBOX}/batch"), "", &many(1_000_000)).await.is(413, "too_large");
        rig.post(&format!("{INBOX}/batch"), "", &many(0)).await.is(400, "bad_request");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
    }

    async fn wishes_beyond_a_bound_are_taken_as_the_bound_and_bad_ones_refused(rig) {
        enqueue(&rig, "x", &json!({})).await;
        let wish = json!({ "max": 1_000_000, "lease_ms": 1 });
        let jobs = lease(&rig, &wish).await;
        assert_eq!((jobs.len(), &jobs[0]["lease_ms"]), (1, &json!(100)));
        for body in [
            json!({}),
            json!({ "consumer": "" }),
            json!({ "consumer": "x".repeat(129) }),
            json!({ "consumer": "c", "max": -1 }),
            json!({ "consumer": "c", "lease_ms": -1 }),
            json!({ "consumer": "c", "wait_ms": "long" }),
        ] {
            ask(&rig, &format!("{INBOX}/lease"), &body).await.is(400, "bad_request");
        }
    }

    async fn who_says_to_be_somebody_else_is_refused(rig) {
        let person = "01234567-89ab-7cde-8f01-23456789abcd";
        let auth = |secret: &str| format!("authorization: Holdfast {person}:{secret}\r\n");
        let body = task("mine").to_string();
        let path = format!("{INBOX}/jobs");
        assert_eq!(rig.post(&path, &auth("0123456789abcdef"), &body).await.status, 201);
        rig.post(&path, &auth("fedcba9876543210"), &body).await.is(403, "forbidden");
        let [short, long] = ["x".repeat(15), "x".repeat(129)].map(|it| format!("{person}:{it}"));
        for who in ["nobody", "x:0123456789abcdef", &short, &long] {
            let header = format!("authorization: Holdfast {who}\r\n");
            let answer = rig.post(&path, &header, &body).await;
            answer.is(400, "bad_request");
            assert!(answer.text().contains("a secret of 16 to 128 bytes"), "{}", answer.text());
        }
        rig.post(&path, "authorization: Basic YTpi\r\n", &body).await.is(400, "bad_request");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 1);
    }
}
