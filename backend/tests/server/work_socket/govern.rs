//! What a person decides from a board, and what it is noted as.

use super::{Hand, INBOX, add, state};
use crate::{
    rig::{Rig, on_every_engine},
    talker::Me,
};
use serde_json::{Value, json};

fn decision(deed: &Value) -> Value {
    json!({ "ns": "work", "queue": "inbox", "deed": deed })
}

/// What is answered to a decision about the inbox.
async fn decide(hand: &mut Hand, deed: &Value) -> (String, Value) {
    let req = hand.ask("govern", decision(deed), None).await;
    hand.answer(req).await
}

/// Takes it for a long time, and returns its token.
async fn taken(hand: &mut Hand, id: &str) -> Value {
    let req = hand.ask("take", json!({ "job": id, "lease_ms": 600_000 }), None).await;
    let (name, body) = hand.answer(req).await;
    assert_eq!(name, "leased", "{body}");
    body["job"]["token"].clone()
}

/// A dead letter.
async fn dead(rig: &Rig, hand: &mut Hand, title: &str) -> String {
    let id = add(rig, title).await;
    let token = taken(hand, &id).await;
    let ask = json!({ "job": id, "token": token, "reason": "torn", "retry": false });
    let req = hand.ask("fail", ask, None).await;
    assert_eq!(hand.answer(req).await.1["state"], "dead");
    id
}

/// Who did what to which job, and to how many: the newest first.
async fn noted(rig: &Rig) -> Vec<Value> {
    let audit = rig.get(&format!("{INBOX}/audit")).await.json();
    let notes = audit["audit"].as_array().unwrap().iter();
    notes.map(|it| json!([it["by"]["name"], it["deed"], it["job"], it["count"]])).collect()
}

on_every_engine! {
    async fn a_person_decides_about_dead_letters_and_pauses_from_a_board(rig) {
        let mut hand = Hand::person(&rig, &Me::new("Anna")).await;
        hand.watch().await;
        let id = dead(&rig, &mut hand, "wrong").await;
        let deed = decision(&json!({ "requeue": { "jobs": [id] } }));
        let req = hand.ask("govern", deed.clone(), Some(json!({ "title": 7 }))).await;
        assert_eq!(hand.answer(req).await.1["code"], "bad_payload");
        let req = hand.ask("govern", deed, Some(json!({ "title": "right" }))).await;
        assert_eq!(hand.answer(req).await.1["count"], 1);
        assert_eq!(decide(&mut hand, &json!("pause")).await.0, "did");
        hand.find_if("moved", |moved| moved["queue"]["paused"] == true).await;
        let req = hand.ask("take", json!({ "job": id }), None).await;
        let (name, body) = hand.answer(req).await;
        assert_eq!(name, "refused", "{body}");
        let settings = json!({ "in_flight": 3 });
        let req = hand.ask("govern", decision(&json!("set")), Some(settings)).await;
        assert_eq!(hand.answer(req).await.0, "did");
        assert_eq!(rig.get(INBOX).await.json()["settings"]["in_flight"], 3);
        assert_eq!(decide(&mut hand, &json!("resume")).await.0, "did");
        assert_eq!(rig.get(INBOX).await.json()["paused"], false);
        let notes = [
            json!(["Anna", "resume", null, 0]),
            json!(["Anna", "set", null, 0]),
            json!(["Anna", "pause", null, 0]),
            json!(["Anna", "requeue", id, 1]),
        ];
        assert_eq!(noted(&rig).await, notes);
    }

    async fn a_purge_drops_what_is_in_its_state_and_nothing_else(rig) {
        let mut hand = Hand::person(&rig, &Me::new("Anna")).await;
        let letter = dead(&rig, &mut hand, "dead").await;
        let held = add(&rig, "held").await;
        taken(&mut hand, &held).await;
        let ready = [add(&rig, "one").await, add(&rig, "two").await];
        let states = async || {
            let mut states = Vec::new();
            for id in [&letter, &held, &ready[0], &ready[1]] {
                states.push(state(&rig, id).await);
            }
            states
        };
        assert_eq!(states().await, ["dead", "leased", "ready", "ready"]);
        let (name, did) = decide(&mut hand, &json!({ "purge": "ready" })).await;
        assert_eq!((&*name, &did["count"]), ("did", &json!(2)), "{did}");
        assert_eq!(states().await, ["dead", "leased", "cancelled", "cancelled"]);
        let another = add(&rig, "another").await;
        let (name, did) = decide(&mut hand, &json!({ "purge": "dead" })).await;
        assert_eq!((&*name, &did["count"]), ("did", &json!(1)), "{did}");
        assert_eq!(states().await, ["cancelled", "leased", "cancelled", "cancelled"]);
        assert_eq!(state(&rig, &another).await, "ready");
        let notes = [json!(["Anna", "purge", null, 1]), json!(["Anna", "purge", null, 2])];
        assert_eq!(noted(&rig).await, notes);
    }

    async fn a_job_that_is_cancelled_is_lost_to_its_holder_who_is_told(rig) {
        let mut holder = Hand::service(&rig, "holder").await;
        let id = add(&rig, "unwanted").await;
        let beside = add(&rig, "beside").await;
        let token = taken(&mut holder, &id).await;
        taken(&mut holder, &beside).await;
        let mut hand = Hand::person(&rig, &Me::new("Anna")).await;
        let cancel = json!({ "cancel": { "jobs": [id] } });
        let (name, did) = decide(&mut hand, &cancel).await;
        assert_eq!((&*name, &did["count"]), ("did", &json!(1)), "{did}");
        let lost = holder.find("lost").await;
        assert_eq!((&lost["job"], &lost["reason"]), (&json!(id), &json!("cancelled")));
        for what in ["complete", "fail", "snooze", "extend"] {
            let req = holder.ask(what, json!({ "job": id, "token": token }), None).await;
            let (name, refused) = holder.answer(req).await;
            let is = (&*name, &refused["code"], &refused["reason"]);
            assert_eq!(is, ("refused", &json!("fenced"), &json!("cancelled")), "{what}");
        }
        let (name, refused) = decide(&mut hand, &cancel).await;
        let is = (&*name, &refused["code"], &refused["state"]);
        assert_eq!(is, ("refused", &json!("wrong_state"), &json!("cancelled")));
        // Of several each that can be is, and how many that were is said.
        let both = json!({ "cancel": { "jobs": [id, beside] } });
        let (name, did) = decide(&mut hand, &both).await;
        assert_eq!((&*name, &did["count"]), ("did", &json!(1)), "{did}");
        assert_eq!(holder.find("lost").await["job"], json!(beside));
        assert_eq!((state(&rig, &id).await, state(&rig, &beside).await), (json!("cancelled"), json!("cancelled")));
        let notes = [json!(["Anna", "cancel", null, 1]), json!(["Anna", "cancel", id, 1])];
        assert_eq!(noted(&rig).await, notes);
    }
}
