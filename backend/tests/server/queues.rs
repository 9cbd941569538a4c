//! Queues and jobs by HTTP.

mod bad;
mod decide;
mod gauges;
mod killed;
mod late;
mod never;
mod told;
mod trouble;
mod waits;

use crate::rig::{Answer, Rig, on_every_engine};
use serde_json::{Value, json};

const INBOX: &str = "/api/v1/work/queues/inbox";

/// Asks with a body of JSON and no more.
async fn ask(rig: &Rig, path: &str, body: &Value) -> Answer {
    rig.post(path, "", &body.to_string()).await
}

fn task(title: &str) -> Value {
    json!({ "type": "task", "data": { "title": title } })
}

/// Enqueues a task with more members and returns its id.
async fn enqueue(rig: &Rig, title: &str, more: &Value) -> String {
    let mut body = task(title);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = ask(rig, &format!("{INBOX}/jobs"), &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// What a consumer gets with these wishes.
async fn lease(rig: &Rig, wishes: &Value) -> Vec<Value> {
    let mut body = json!({ "consumer": "tester" });
    body.as_object_mut().unwrap().extend(wishes.as_object().unwrap().clone());
    let answer = ask(rig, &format!("{INBOX}/lease"), &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["jobs"].as_array().unwrap().clone()
}

/// Says something of a job.
async fn say(rig: &Rig, id: &str, what: &str, body: &Value) -> Answer {
    ask(rig, &format!("/api/v1/work/jobs/{id}/{what}"), body).await
}

async fn job(rig: &Rig, id: &str) -> Value {
    let answer = rig.get(&format!("/api/v1/work/jobs/{id}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn titles(jobs: &[Value]) -> Vec<&str> {
    jobs.iter().map(|job| job["data"]["title"].as_str().unwrap()).collect()
}

on_every_engine! {
    async fn a_job_is_enqueued_taken_and_done_and_what_came_of_it_is_read(rig) {
        let id = enqueue(&rig, "Call back", &json!({})).await;
        assert_eq!(job(&rig, &id).await["state"], "ready");
        let [taken] = &lease(&rig, &json!({ "max": 5, "lease_ms": 30_000 })).await[..] else {
            panic!("one job")
        };
        assert_eq!((&taken["id"], &taken["attempt"]), (&json!(id), &json!(1)));
        assert_eq!((&taken["type"], &taken["lease_ms"]), (&json!("task"), &json!(30_000)));
        assert_eq!(taken["data"], json!({ "title": "Call back" }));
        assert!(taken["token"].as_str().unwrap().starts_with(&format!("{}-", taken["fence"])));
        let longer = json!({ "token": taken["token"], "lease_ms": 60_000, "progress": 40 });
        let extended = say(&rig, &id, "extend", &longer).await;
        assert_eq!((extended.status, &extended.json()["lease_ms"]), (200, &json!(60_000)));
        let held = job(&rig, &id).await;
        assert_eq!((&held["state"], &held["progress"]), (&json!("leased"), &json!(40)));
        assert_eq!(held["consumer"], "tester");
        let done = json!({ "token": taken["token"], "result": { "by": "phone" } });
        let answer = say(&rig, &id, "complete", &done).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "state": "done" })));
        let read = job(&rig, &id).await;
        assert_eq!((&read["state"], &read["result"]), (&json!("done"), &json!({ "by": "phone" })));
        let queue = rig.get(INBOX).await.json();
        assert_eq!((&queue["ready"], &queue["leased"], &queue["done"]), (&json!(0), &json!(0), &json!(1)));
        assert_eq!((&queue["dead"], &queue["oldest_ms"]), (&json!(0), &json!(null)));
    }

    async fn a_key_makes_a_repeat_of_an_enqueue_return_the_first_job(rig) {
        let post = async |key: &str, title: &str| {
            let key = format!("idempotency-key: {key}\r\n");
            rig.post(&format!("{INBOX}/jobs"), &key, &task(title).to_string()).await
        };
        let first = post("a", "one").await;
        let again = post("a", "one").await;
        assert_eq!((first.status, again.status), (201, 200));
        assert_eq!(first.json(), again.json());
        post("a", "two").await.is(422, "idempotency_mismatch");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 1);
    }

    async fn a_batch_is_enqueued_as_a_whole_or_not_at_all(rig) {
        let jobs = json!({ "jobs": [task("one"), task("two")] });
        let answer = ask(&rig, &format!("{INBOX}/batch"), &jobs).await;
        assert_eq!((answer.status, answer.json()["ids"].as_array().unwrap().len()), (201, 2));
        let jobs = json!({ "jobs": [task("three"), { "type": "nothing", "data": {} }] });
        let answer = ask(&rig, &format!("{INBOX}/batch"), &jobs).await;
        answer.is(422, "unknown_type");
        assert_eq!(answer.json()["index"], 1);
        assert_eq!(rig.get(INBOX).await.json()["ready"], 2);
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["one", "two"]);
    }

    async fn jobs_begin_by_their_priority_and_those_of_a_group_one_by_one(rig) {
        enqueue(&rig, "a1", &json!({ "group": "a" })).await;
        enqueue(&rig, "a2", &json!({ "group": "a", "priority": 9 })).await;
        enqueue(&rig, "low", &json!({ "priority": -1 })).await;
        enqueue(&rig, "high", &json!({ "priority": 1 })).await;
        let jobs = lease(&rig, &json!({ "max": 9 })).await;
        assert_eq!(titles(&jobs), ["high", "a1", "low"]);
        let a1 = &jobs[1];
        assert_eq!(a1["group"], "a");
        let done = json!({ "token": a1["token"] });
        assert_eq!(say(&rig, a1["id"].as_str().unwrap(), "complete", &done).await.status, 200);
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["a2"]);
    }

    async fn a_job_that_fails_comes_again_until_it_is_a_dead_letter_with_every_error(rig) {
        let id = enqueue(&rig, "hard", &json!({ "max_attempts": 2, "backoff_ms": 0 })).await;
        for attempt in 1..=2 {
            let [taken] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else {
                panic!("attempt {attempt}")
            };
            assert_eq!(taken["attempt"], attempt);
            let failed = json!({
                "token": taken["token"], "reason": format!("no {attempt}"), "failure": { "n": attempt },
            });
            let answer = say(&rig, &id, "fail", &failed).await.json();
            assert_eq!(answer["state"], if attempt == 2 { "dead" } else { "ready" });
        }
        let dead = job(&rig, &id).await;
        assert_eq!((&dead["state"], &dead["failure"]), (&json!("dead"), &json!({ "n": 2 })));
        let errors = dead["errors"].as_array().unwrap();
        let errors: Vec<_> = errors.iter().map(|it| (&it["attempt"], &it["error"])).collect();
        assert_eq!(errors, [(&json!(1), &json!("no 1")), (&json!(2), &json!("no 2"))]);
        let fatal = enqueue(&rig, "fatal", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let failed = json!({ "token": taken["token"], "reason": "never", "retry": false });
        assert_eq!(say(&rig, &fatal, "fail", &failed).await.json()["state"], "dead");
        assert_eq!(rig.get(INBOX).await.json()["dead"], 2);
    }

    async fn a_job_that_is_handed_back_loses_no_attempt(rig) {
        let id = enqueue(&rig, "later", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let answer = say(&rig, &id, "snooze", &json!({ "token": taken["token"] })).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "state": "ready" })));
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        assert_eq!(taken["attempt"], 1);
        let later = json!({ "token": taken["token"], "delay_ms": 3_600_000 });
        let answer = say(&rig, &id, "snooze", &later).await.json();
        assert_eq!(answer, json!({ "state": "ready", "due_in_ms": 3_600_000 }));
        assert!(lease(&rig, &json!({})).await.is_empty());
    }

    async fn this_very_job_is_taken_by_one_and_the_other_is_told(rig) {
        enqueue(&rig, "first", &json!({})).await;
        let id = enqueue(&rig, "wanted", &json!({})).await;
        let take = json!({ "consumer": "Anna", "lease_ms": 60_000 });
        let (anna, ben) = tokio::join!(say(&rig, &id, "lease", &take), say(&rig, &id, "lease", &take));
        let (won, lost) = if anna.status == 200 { (anna, ben) } else { (ben, anna) };
        assert_eq!(won.json()["jobs"][0]["id"], id);
        lost.is(409, "wrong_state");
        assert_eq!(lost.json()["state"], "leased");
    }

    async fn the_next_jobs_are_taken_with_the_end_of_one(rig) {
        let id = enqueue(&rig, "one", &json!({})).await;
        enqueue(&rig, "two", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one") };
        let done = json!({ "token": taken["token"], "next": { "consumer": "tester", "max": 3 } });
        let answer = say(&rig, &id, "complete", &done).await.json();
        assert_eq!(answer["state"], "done");
        assert_eq!(titles(answer["jobs"].as_array().unwrap()), ["two"]);
    }

    async fn payloads_and_results_come_back_to_the_letter(rig) {
        let number = "123456789012345678901234567890";
        let data = format!(r#"{{"title":"n","b":{number}, "a":1.50}}"#);
        let body = format!(r#"{{"type":"task","data":{data}}}"#);
        let id = rig.post(&format!("{INBOX}/jobs"), "", &body).await.json()["id"].clone();
        let wish = json!({ "consumer": "tester" }).to_string();
        let leased = rig.post(&format!("{INBOX}/lease"), "", &wish).await;
        assert!(leased.text().contains(&data), "{}", leased.text());
        let token = leased.json()["jobs"][0]["token"].clone();
        let id = id.as_str().unwrap();
        let done = format!(r#"{{"token":{token},"result":[{number},  1.50]}}"#);
        assert_eq!(rig.post(&format!("/api/v1/work/jobs/{id}/complete"), "", &done).await.status, 200);
        let read = rig.get(&format!("/api/v1/work/jobs/{id}")).await.text();
        assert!(read.contains(&data) && read.contains(&format!("[{number},  1.50]")), "{read}");
    }

    async fn the_queues_of_every_namespace_are_listed_with_how_old_their_oldest_is_and_their_rates(rig) {
        enqueue(&rig, "Call back", &json!({})).await;
        let listed = rig.get("/api/v1/queues").await.json();
        let of_work = rig.get("/api/v1/work/queues").await.json();
        for listed in [&listed, &of_work] {
            let mut queues = listed["queues"].as_array().unwrap().iter();
            let inbox = queues.find(|queue| queue["name"] == "inbox").unwrap();
            assert_eq!((&inbox["rates"]["enqueued"], &inbox["rates"]["done"]), (&json!(1), &json!(0)));
        }
        let told = |queue: &Value| {
            let name = |of: &str| queue[of].as_str().unwrap().to_owned();
            (name("namespace"), name("name"), queue["ready"].as_u64(), queue["oldest_ms"].is_u64())
        };
        let mut queues: Vec<_> = listed["queues"].as_array().unwrap().iter().map(told).collect();
        queues.sort();
        let is = |ns: &str, name: &str, ready, waits| (ns.to_owned(), name.to_owned(), Some(ready), waits);
        let own = [is("holdfast", "exports", 0, false), is("holdfast", "webhooks", 0, false)];
        assert_eq!(queues[..2], own);
        assert_eq!(queues[2..], [is("work", "inbox", 1, true)]);
    }
}
