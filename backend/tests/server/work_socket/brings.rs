//! Completions that bring events and further jobs: all of it in one transaction, or nothing.

use super::{Hand, INBOX, add, state};
use crate::{
    rig::{Rig, on_every_engine},
    talker::{Me, Talker},
};
use serde_json::{Value, json};

const LOG: &str = "/api/v1/chat/rooms/lobby/events";

fn message(room: &str, text: &str) -> Value {
    json!({ "namespace": "chat", "room": room, "type": "message", "data": { "text": text } })
}

fn further(kind: &str, title: &str) -> Value {
    json!({ "job": { "type": kind, "data": { "title": title }, "priority": 3 } })
}

/// Takes a job that is there, for a time.
async fn taken(hand: &mut Hand, id: &str, lease: u64) -> Value {
    let req = hand.ask("take", json!({ "job": id, "lease_ms": lease }), None).await;
    let (name, body) = hand.answer(req).await;
    assert_eq!(name, "leased", "{body}");
    body["job"].clone()
}

/// What is answered to this completion of it.
async fn complete(hand: &mut Hand, job: &Value, brings: &Value) -> (String, Value) {
    let mut ask = json!({ "job": job["id"], "token": job["token"] });
    ask.as_object_mut().unwrap().extend(brings.as_object().unwrap().clone());
    let req = hand.ask("complete", ask, Some(json!({ "pages": 3 }))).await;
    hand.answer(req).await
}

async fn head(rig: &Rig) -> Value {
    rig.get(LOG).await.json()["head"].clone()
}

on_every_engine! {
    async fn a_completion_appends_its_events_and_enqueues_its_jobs_and_names_them(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut hand = Hand::service(&rig, "printer").await;
        let id = add(&rig, "report").await;
        let job = taken(&mut hand, &id, 60_000).await;
        let brings = json!({
            "events": [message("lobby", "one"), message("lobby", "two")],
            "jobs": [further("task", "next"), { "namespace": "work", "queue": "inbox", "job":
                { "type": "task", "data": { "title": "later" }, "delay_ms": 600_000 } }],
        });
        let (name, first) = complete(&mut hand, &job, &brings).await;
        assert_eq!((&*name, &first["state"]), ("did", &json!("done")), "{first}");
        let entries = anna.entries(rig.lobby, 2).await;
        let texts: Vec<_> = entries.iter().map(crate::talker::text).collect();
        assert_eq!(texts, ["one", "two"]);
        assert_eq!(&*entries[0].from.name, "service");
        let stand: Vec<_> = entries.iter().map(|it| json!({ "id": it.id, "offset": it.offset })).collect();
        assert_eq!(first["events"], json!(stand));
        let enqueued = first["enqueued"].as_array().unwrap();
        let next = taken(&mut hand, enqueued[0].as_str().unwrap(), 60_000).await;
        assert_eq!(next["data"]["title"], "next");
        let later = rig.get(&format!("/api/v1/work/jobs/{}", enqueued[1].as_str().unwrap())).await.json();
        assert_eq!((&later["data"]["title"], &later["state"]), (&json!("later"), &json!("ready")));
        // Said again it is known, happens once, and names the same.
        let (name, again) = complete(&mut hand, &job, &brings).await;
        let mut same = first.clone();
        (same["again"], same["req"]) = (json!(true), again["req"].clone());
        assert_eq!((&*name, &again), ("did", &same));
        assert_eq!(head(&rig).await, 3);
        assert_eq!(rig.get(INBOX).await.json()["ready"], 1);
    }

    async fn a_late_completion_appends_nothing_and_enqueues_nothing(rig) {
        let mut hand = Hand::service(&rig, "slow").await;
        let id = add(&rig, "report").await;
        let job = taken(&mut hand, &id, 150).await;
        hand.find("lost").await;
        let brings = json!({ "events": [message("lobby", "late")], "jobs": [further("task", "late")] });
        let (name, refused) = complete(&mut hand, &job, &brings).await;
        assert_eq!((&*name, &refused["code"], &refused["reason"]), ("refused", &json!("fenced"), &json!("expired")));
        assert_eq!(head(&rig).await, 1, "nothing but the room's beginning");
        let queue = rig.get(INBOX).await.json();
        // The one job is not done. Its lease may not have been tended to yet.
        let count = |of: &str| queue[of].as_u64().unwrap();
        assert_eq!((count("ready") + count("leased"), count("done")), (1, 0), "{queue}");
    }

    async fn what_cannot_be_brought_is_refused_with_its_place_and_the_job_is_still_held(rig) {
        let mut hand = Hand::service(&rig, "printer").await;
        let id = add(&rig, "report").await;
        let job = taken(&mut hand, &id, 600_000).await;
        let good = message("lobby", "good");
        let events = |bad: Value| json!({ "events": [good, bad], "jobs": [further("task", "x")] });
        let jobs = |bad: Value| json!({ "events": [good], "jobs": [further("task", "x"), bad] });
        let mut at = further("task", "x");
        at["job"]["at"] = json!(1_760_000_000_000_u64);
        let mut lofty = further("task", "x");
        lofty["job"]["priority"] = json!(1_000);
        let mut no_title = further("task", "x");
        no_title["job"]["data"]["title"] = json!(7);
        let elsewhere = json!({ "queue": "nowhere", "job": { "type": "task", "data": { "title": "x" } } });
        let nowhere = json!({ "namespace": "nowhere", "room": "lobby", "type": "message", "data": {} });
        for (brings, code, event, n) in [
            (events(message("attic", "x")), "unknown_room", json!(1), json!(null)),
            (events(nowhere), "unknown_namespace", json!(1), json!(null)),
            (events(message("lobby", "")), "refused", json!(1), json!(null)),
            (jobs(further("chore", "x")), "unknown_type", json!(null), json!(1)),
            (jobs(elsewhere), "unknown_queue", json!(null), json!(1)),
            (jobs(no_title), "bad_payload", json!(null), json!(1)),
            (jobs(at), "bad_request", json!(null), json!(1)),
            (jobs(lofty), "bad_request", json!(null), json!(1)),
            (json!({ "events": vec![&good; 17] }), "too_large", json!(null), json!(null)),
            (json!({ "jobs": vec![further("task", "x"); 101] }), "too_large", json!(null), json!(null)),
        ] {
            let (name, refused) = complete(&mut hand, &job, &brings).await;
            assert_eq!((&*name, &refused["code"]), ("refused", &json!(code)), "{refused}");
            assert_eq!((&refused["event"], &refused["job"]), (&event, &n), "{refused}");
            assert_eq!(state(&rig, &id).await, "leased", "{refused}");
        }
        assert_eq!((head(&rig).await, &rig.get(INBOX).await.json()["ready"]), (json!(1), &json!(0)));
        let (name, did) = complete(&mut hand, &job, &json!({ "events": [good] })).await;
        assert_eq!((&*name, &did["state"]), ("did", &json!("done")), "{did}");
    }

    async fn an_event_and_a_job_that_another_word_of_a_holder_names_are_passed_over(rig) {
        let mut hand = Hand::service(&rig, "printer").await;
        let id = add(&rig, "report").await;
        for what in ["extend", "snooze", "fail"] {
            let job = taken(&mut hand, &id, 600_000).await;
            let ask = json!({
                "job": id, "token": job["token"], "retry_ms": 0,
                "events": [message("lobby", what)], "jobs": [further("task", what)],
            });
            let req = hand.ask(what, ask, None).await;
            let (name, did) = hand.answer(req).await;
            assert_eq!((&*name, did.get("events"), did.get("enqueued")), ("did", None, None), "{what} {did}");
            if what == "extend" {
                let req = hand.ask("snooze", json!({ "job": id, "token": job["token"] }), None).await;
                assert_eq!(hand.answer(req).await.0, "did");
            }
        }
        assert_eq!(head(&rig).await, 1, "nothing but the room's beginning");
        let queue = rig.get(INBOX).await.json();
        assert_eq!((&queue["ready"], &queue["leased"], &queue["rates"]["enqueued"]), (&json!(1), &json!(0), &json!(1)), "{queue}");
        assert_eq!(rig.get(&format!("/api/v1/work/jobs/{id}")).await.json()["errors"].as_array().unwrap().len(), 1);
    }

    async fn a_person_writes_what_their_completion_brings_where_they_are_a_member(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let me = anna.me.clone();
        // By this name it holds its jobs; in rooms it writes as the person that it works for.
        let mut hand = Hand::person(&rig, &Me { name: "annas-printer".into(), ..me.clone() }).await;
        let id = add(&rig, "report").await;
        let job = taken(&mut hand, &id, 60_000).await;
        let (name, did) = complete(&mut hand, &job, &json!({ "events": [message("lobby", "x")] })).await;
        assert_eq!(name, "did", "{did}");
        let from = anna.entries(rig.lobby, 1).await[0].from.clone();
        assert_eq!((from.id, &*from.name), (me.person, "Anna"));
        let mut stranger = Hand::person(&rig, &Me::new("Ben")).await;
        let id = add(&rig, "report").await;
        let job = taken(&mut stranger, &id, 60_000).await;
        let (name, refused) = complete(&mut stranger, &job, &json!({ "events": [message("lobby", "x")] })).await;
        assert_eq!((&*name, &refused["code"], &refused["event"]), ("refused", &json!("not_member"), &json!(0)));
        assert_eq!(state(&rig, &id).await, "leased");
    }

    async fn a_failure_says_how_long_it_is_to_wait_at_least(rig) {
        let mut hand = Hand::service(&rig, "printer").await;
        let id = add(&rig, "report").await;
        let job = taken(&mut hand, &id, 60_000).await;
        let fail = |wait: u64| json!({ "job": id, "token": job["token"], "retry_ms": wait });
        let req = hand.ask("fail", fail(24 * 60 * 60 * 1_000 + 1), None).await;
        let (name, refused) = hand.answer(req).await;
        assert_eq!((&*name, &refused["code"]), ("refused", &json!("bad_request")), "{refused}");
        assert_eq!(state(&rig, &id).await, "leased");
        let req = hand.ask("fail", fail(600_000), None).await;
        let (name, did) = hand.answer(req).await;
        assert_eq!((&*name, &did["state"]), ("did", &json!("ready")), "{did}");
        assert!(did["retry_ms"].as_u64() >= Some(600_000), "{did}");
    }
}
