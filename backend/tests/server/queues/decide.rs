//! What people decide about queues and jobs, and that it is noted.

use super::{INBOX, ask, enqueue, job, lease, say, titles};
use crate::rig::{Rig, on_every_engine};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A dead letter with this error.
async fn dead(rig: &Rig, title: &str, error: &str) -> String {
    let id = enqueue(rig, title, &json!({ "priority": 100 })).await;
    let [taken] = &lease(rig, &json!({})).await[..] else { panic!("one job") };
    assert_eq!(taken["id"], id);
    let failed = json!({ "token": taken["token"], "reason": error, "retry": false });
    assert_eq!(say(rig, &id, "fail", &failed).await.json()["state"], "dead");
    id
}

async fn decide(rig: &Rig, what: &str, body: &Value) -> Value {
    let answer = ask(rig, &format!("{INBOX}/{what}"), body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn audit(rig: &Rig) -> Vec<Value> {
    rig.get(&format!("{INBOX}/audit")).await.json()["audit"].as_array().unwrap().clone()
}

async fn list(rig: &Rig, query: &str) -> Value {
    rig.get(&format!("{INBOX}/jobs?{query}")).await.json()
}

on_every_engine! {
    async fn a_dead_letter_is_mended_and_tried_again_with_all_its_attempts(rig) {
        let id = dead(&rig, "wrong", "no such ward").await;
        let bad = say(&rig, &id, "requeue", &json!({ "data": { "title": 7 } })).await;
        bad.is(422, "bad_payload");
        let mended = json!({ "data": { "title": "right" } });
        assert_eq!(say(&rig, &id, "requeue", &mended).await.json(), json!({ "state": "ready" }));
        say(&rig, &id, "requeue", &json!({})).await.is(409, "wrong_state");
        let read = job(&rig, &id).await;
        assert_eq!(read["errors"][0]["error"], "no such ward");
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        assert_eq!((&taken["attempt"], &taken["data"]), (&json!(1), &json!({ "title": "right" })));
        let noted = &audit(&rig).await[0];
        assert_eq!((&noted["deed"], &noted["job"]), (&json!("requeue"), &json!(id)));
        assert_eq!((&noted["by"]["name"], &noted["count"]), (&json!("service"), &json!(1)));
        assert_eq!(noted["detail"], "mended");
    }

    async fn a_job_that_is_cancelled_is_lost_to_who_has_it(rig) {
        let id = enqueue(&rig, "unwanted", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        assert_eq!(say(&rig, &id, "cancel", &json!({})).await.json(), json!({ "state": "cancelled" }));
        let late = say(&rig, &id, "complete", &json!({ "token": taken["token"] })).await;
        late.is(409, "fenced");
        assert_eq!(late.json()["reason"], "cancelled");
        say(&rig, &id, "cancel", &json!({})).await.is(409, "wrong_state");
        assert_eq!(job(&rig, &id).await["state"], "cancelled");
    }

    async fn dead_letters_are_chosen_by_their_error_and_what_is_discarded_is_gone(rig) {
        dead(&rig, "one", "the ward is closed").await;
        dead(&rig, "two", "Closed for the night").await;
        let third = dead(&rig, "three", "no answer").await;
        let listed = list(&rig, "state=dead&error=closed").await;
        assert_eq!(titles(listed["jobs"].as_array().unwrap()), ["two", "one"]);
        let done = decide(&rig, "requeue", &json!({ "error": "closed" })).await;
        assert_eq!(done, json!({ "count": 2 }));
        let done = decide(&rig, "discard", &json!({ "ids": [third] })).await;
        assert_eq!(done, json!({ "count": 1 }));
        let gone = job(&rig, &third).await;
        assert_eq!((&gone["state"], &gone["data"]), (&json!("cancelled"), &json!(null)));
        assert_eq!(list(&rig, "state=dead").await, json!({ "jobs": [], "after": null }));
        let deeds: Vec<_> = audit(&rig).await.iter().map(|it| it["deed"].clone()).collect();
        assert_eq!(deeds, ["discard", "requeue"]);
    }

    async fn of_several_jobs_that_are_named_the_audit_has_the_ids(rig) {
        let (one, two) = (dead(&rig, "one", "x").await, dead(&rig, "two", "y").await);
        assert_eq!(decide(&rig, "requeue", &json!({ "ids": [two, one] })).await, json!({ "count": 2 }));
        let noted = &audit(&rig).await[0];
        assert_eq!((&noted["job"], &noted["count"]), (&json!(null), &json!(2)));
        assert_eq!(noted["detail"], format!("{two}, {one}"));
    }

    async fn a_text_that_is_longer_than_any_error_is_not_looked_for(rig) {
        // Cut, and found by all that is left of it.
        let id = dead(&rig, "long", &"x".repeat(5_000)).await;
        let kept = job(&rig, &id).await["errors"][0]["error"].as_str().unwrap().to_owned();
        assert_eq!(kept.len(), 4_096);
        let whole = kept.replace('…', "%E2%80%A6");
        assert_eq!(titles(list(&rig, &format!("state=dead&error={whole}")).await["jobs"].as_array().unwrap()), ["long"]);
        let longer = "x".repeat(4_097);
        let listed = rig.get(&format!("{INBOX}/jobs?state=dead&error={longer}")).await;
        listed.is(400, "bad_request");
        for what in ["requeue", "discard"] {
            ask(&rig, &format!("{INBOX}/{what}"), &json!({ "error": longer })).await.is(400, "bad_request");
        }
        assert_eq!(audit(&rig).await, Vec::<Value>::new());
        assert_eq!(decide(&rig, "requeue", &json!({ "error": kept.to_uppercase() })).await, json!({ "count": 1 }));
    }

    async fn nothing_begins_while_a_queue_is_paused_and_all_goes_on_when_it_is_resumed(rig) {
        enqueue(&rig, "waits", &json!({})).await;
        assert_eq!(decide(&rig, "pause", &json!({})).await, json!({ "paused": true }));
        assert!(lease(&rig, &json!({ "wait_ms": 100 })).await.is_empty());
        assert_eq!(rig.get(INBOX).await.json()["paused"], true);
        let wish = json!({ "wait_ms": 10_000 });
        let resume = json!({});
        let (jobs, _) = tokio::join!(lease(&rig, &wish), decide(&rig, "resume", &resume));
        assert_eq!(titles(&jobs), ["waits"]);
    }

    async fn a_queue_is_emptied_of_what_waits_or_of_what_is_dead(rig) {
        dead(&rig, "dead", "never").await;
        for n in 0..3 {
            enqueue(&rig, &n.to_string(), &json!({ "group": "g" })).await;
        }
        enqueue(&rig, "later", &json!({ "delay_ms": 60_000 })).await;
        assert_eq!(decide(&rig, "purge", &json!({ "state": "ready" })).await, json!({ "count": 4 }));
        let queue = rig.get(INBOX).await.json();
        assert_eq!((&queue["ready"], &queue["dead"]), (&json!(0), &json!(1)));
        assert_eq!(decide(&rig, "purge", &json!({ "state": "dead" })).await, json!({ "count": 1 }));
        ask(&rig, &format!("{INBOX}/purge"), &json!({ "state": "done" })).await.is(400, "bad_request");
    }

    async fn a_queue_goes_by_the_settings_that_were_set(rig) {
        let set = decide(&rig, "settings", &json!({ "in_flight": 1, "lease_ms": 7_000 })).await;
        let settings = (&set["settings"]["in_flight"], &set["settings"]["max_attempts"]);
        assert_eq!(settings, (&json!(1), &json!(5)), "what is not named stays");
        enqueue(&rig, "one", &json!({})).await;
        enqueue(&rig, "two", &json!({})).await;
        let jobs = lease(&rig, &json!({ "max": 2 })).await;
        assert_eq!((titles(&jobs), &jobs[0]["lease_ms"]), (vec!["one"], &json!(7_000)));
        decide(&rig, "settings", &json!({ "in_flight": null })).await;
        assert_eq!(titles(&lease(&rig, &json!({ "max": 2 })).await), ["two"]);
        for bad in [json!({ "in_flight": 0 }), json!({ "lease_ms": -1 }), json!({ "colour": 1 })] {
            ask(&rig, &format!("{INBOX}/settings"), &bad).await.is(400, "bad_request");
        }
    }

    async fn as_many_begin_as_the_rate_of_a_queue_lets_and_the_next_when_its_turn_comes(rig) {
        let rate = json!({ "jobs": 2, "per_ms": 1_000, "burst": 1 });
        let set = decide(&rig, "settings", &json!({ "rate": rate })).await;
        assert_eq!(set["settings"]["rate"], rate);
        for title in ["one", "two", "three"] {
            enqueue(&rig, title, &json!({})).await;
        }
        let begun = Instant::now();
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["one"]);
        for (title, turn) in [("two", 500), ("three", 1_000)] {
            let jobs = lease(&rig, &json!({ "max": 9, "wait_ms": 10_000 })).await;
            assert_eq!(titles(&jobs), [title]);
            // The engine counts whole milliseconds.
            let waited = begun.elapsed();
            assert!(waited >= Duration::from_millis(turn - 2), "{title} after {waited:?}");
        }
    }

    async fn a_list_is_read_page_by_page_to_its_end(rig) {
        for n in 0..7 {
            enqueue(&rig, &n.to_string(), &json!({})).await;
        }
        let (mut query, mut read) = ("state=ready&limit=3".to_owned(), Vec::new());
        loop {
            let page = list(&rig, &query).await;
            read.extend(titles(page["jobs"].as_array().unwrap()).into_iter().map(str::to_owned));
            let Some(after) = page["after"].as_str() else { break };
            query = format!("state=ready&limit=3&after={after}");
        }
        assert_eq!(read, ["0", "1", "2", "3", "4", "5", "6"]);
        for bad in ["", "state=odd", "state=ready&limit=0", "state=ready&after=9.x.y"] {
            rig.get(&format!("{INBOX}/jobs?{bad}")).await.is(400, "bad_request");
        }
    }

    async fn a_million_ids_in_one_call_are_too_many(rig) {
        let one = dead(&rig, "x", "y").await;
        let ids = |n: usize| json!({ "ids": vec![one.as_str(); n] });
        ask(&rig, &format!("{INBOX}/discard"), &ids(1_001)).await.is(413, "too_large");
        ask(&rig, &format!("{INBOX}/discard"), &ids(1_000_000)).await.is(413, "too_large");
        assert_eq!(job(&rig, &one).await["state"], "dead");
    }
}
