//! What an end brings: events, further jobs, and word to who asked.

use super::{INBOX, enqueue, job, lease, say, task, titles};
use crate::{
    rig::{PATIENCE, Rig, on_every_engine},
    talker::{Me, Talker},
};
use holdfast_common::{frame::Entry, id::PersonId, storage::Inbox};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn auth(me: &Me) -> String {
    format!("authorization: Holdfast {}:{}\r\n", me.person, me.secret)
}

pub(super) async fn asked_by(rig: &Rig, me: &Me, title: &str) -> String {
    let answer = rig.post(&format!("{INBOX}/jobs"), &auth(me), &task(title).to_string()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Takes the one job there is and completes it.
pub(super) async fn complete(rig: &Rig, id: &str, result: &Value) {
    let [taken] = &lease(rig, &json!({})).await[..] else { panic!("one job") };
    let done = json!({ "token": taken["token"], "result": result });
    assert_eq!(say(rig, id, "complete", &done).await.status, 200);
}

/// The ends that stand in the person's inbox, once there are so many.
pub(super) async fn ends(rig: &Rig, person: PersonId, number: usize) -> Vec<Value> {
    let begun = Instant::now();
    loop {
        let mut ends = Vec::new();
        if let Inbox::Room(info) = rig.engine.inbox(person, "work").await.unwrap() {
            let slice = rig.engine.slice(info.room, 1, 100, 1 << 20).await.unwrap().unwrap();
            let entries = slice.entries.iter().map(|(_, text)| serde_json::from_str(text).unwrap());
            ends = entries.map(|entry: Value| entry["data"].clone()).collect();
        }
        if ends.len() >= number {
            return ends;
        }
        assert!(begun.elapsed() < PATIENCE, "{number} ends, not {ends:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_every_engine! {
    async fn who_asked_and_is_there_hears_of_the_end_at_once(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let id = asked_by(&rig, &anna.me.clone(), "call back").await;
        complete(&rig, &id, &json!("reached")).await;
        let room = anna.room(|room| room.ns == "work").await.room;
        let entries: Vec<Entry> = anna.entries(room, 2).await;
        assert_eq!((&*entries[1].kind, &*entries[1].from.name), ("job_ended", "server"));
        let told: Value = serde_json::from_str(entries[1].data.as_ref().unwrap().get()).unwrap();
        assert_eq!((&told["job"], &told["state"]), (&json!(id), &json!("done")));
        assert_eq!((&told["result"], &told["text"]), (&json!("reached"), &json!("“call back” is done: reached")));
    }

    async fn who_asked_and_is_away_finds_each_end_once(rig) {
        let me = Me::new("Ben");
        let done = asked_by(&rig, &me, "done").await;
        complete(&rig, &done, &json!({ "beds": 7 })).await;
        ends(&rig, me.person, 1).await;
        let dead = asked_by(&rig, &me, "dead").await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let failed = json!({ "token": taken["token"], "reason": "no line", "retry": false });
        assert_eq!(say(&rig, &dead, "fail", &failed).await.status, 200);
        ends(&rig, me.person, 2).await;
        // Tried again it ends again, and that is another end.
        assert_eq!(say(&rig, &dead, "requeue", &json!({})).await.status, 200);
        assert_eq!(say(&rig, &dead, "cancel", &json!({})).await.status, 200);
        let ends = ends(&rig, me.person, 3).await;
        let states: Vec<_> = ends.iter().map(|end| end["state"].as_str().unwrap()).collect();
        assert_eq!(states, ["done", "dead", "cancelled"]);
        let jobs: Vec<_> = ends.iter().map(|end| end["job"].as_str().unwrap()).collect();
        assert_eq!(jobs, [&*done, &dead, &dead]);
        assert_eq!((&ends[0]["result"], ends[0].get("error")), (&json!({ "beds": 7 }), None));
        assert_eq!((&ends[1]["error"], ends[1].get("result")), (&json!("no line"), None));
        let texts: Vec<_> = ends.iter().map(|end| end["text"].as_str().unwrap()).collect();
        assert_eq!(texts, [r#"“done” is done: {"beds":7}"#, "“dead” has failed: no line", "“dead” was cancelled."]);
    }

    async fn the_key_of_one_person_is_no_other_persons(rig) {
        let (anna, ben) = (Me::new("Anna"), Me::new("Ben"));
        let post = async |me: &Me| {
            let headers = format!("{}idempotency-key: today\r\n", auth(me));
            rig.post(&format!("{INBOX}/jobs"), &headers, &task("export").to_string()).await
        };
        let (first, other, again) = (post(&anna).await, post(&ben).await, post(&anna).await);
        assert_eq!((first.status, other.status, again.status), (201, 201, 200));
        assert_eq!(first.json(), again.json());
        assert_ne!(first.json(), other.json());
    }

    async fn nothing_is_taken_by_its_id_while_the_server_drains(rig) {
        let id = enqueue(&rig, "late", &json!({})).await;
        rig.handle.drain();
        say(&rig, &id, "lease", &json!({ "consumer": "x" })).await.is(503, "draining");
        assert_eq!(job(&rig, &id).await["state"], "ready");
    }

    async fn a_result_that_no_event_can_carry_is_left_to_the_job(rig) {
        let me = Me::new("Cleo");
        let id = asked_by(&rig, &me, "much").await;
        let much = "x".repeat(64 * 1024 - 2);
        complete(&rig, &id, &json!(much)).await;
        let ends = ends(&rig, me.person, 1).await;
        assert_eq!((&ends[0]["state"], ends[0].get("result")), (&json!("done"), None));
        let text = ends[0]["text"].as_str().unwrap();
        assert!(text.starts_with("“much” is done: xxx") && text.ends_with("x…"), "{text}");
        assert_eq!(job(&rig, &id).await["result"], much);
    }

    async fn nobody_writes_an_end_of_their_own(rig) {
        let me = Me::new("Dora");
        let id = asked_by(&rig, &me, "x").await;
        complete(&rig, &id, &json!(null)).await;
        ends(&rig, me.person, 1).await;
        let Inbox::Room(info) = rig.engine.inbox(me.person, "work").await.unwrap() else { panic!() };
        let event = json!({ "type": "job_ended", "data": {
            "job": id, "queue": "inbox", "type": "task", "state": "done", "text": "forged",
        }});
        let path = format!("/api/v1/work/rooms/{}/events", info.name);
        let answer = rig.post(&path, "", &event.to_string()).await;
        assert!(matches!(answer.status, 403 | 404), "{}", answer.text());
    }

    async fn events_and_jobs_of_a_completion_stand_with_it_or_not_at_all(rig) {
        let id = enqueue(&rig, "report", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let done = |room: &str, text: &str, kind: &str| json!({
            "token": taken["token"],
            "result": 7,
            "events": [
                { "namespace": "chat", "room": "lobby", "type": "message", "data": { "text": "one" } },
                { "namespace": "chat", "room": room, "type": "message", "data": { "text": text } },
            ],
            "jobs": [{ "job": { "type": kind, "data": { "title": "next" }, "priority": 3 } }],
        });
        let bad = say(&rig, &id, "complete", &done("lobby", "", "task")).await;
        bad.is(422, "refused");
        assert_eq!(bad.json()["event"], 1);
        say(&rig, &id, "complete", &done("attic", "x", "task")).await.is(404, "unknown_room");
        say(&rig, &id, "complete", &done("lobby", "x", "chore")).await.is(422, "unknown_type");
        let log = "/api/v1/chat/rooms/lobby/events";
        assert_eq!(rig.get(log).await.json()["head"], 1, "nothing but the room's beginning");
        assert_eq!(job(&rig, &id).await["state"], "leased");
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let answer = say(&rig, &id, "complete", &done("lobby", "two", "task")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        // Said again it is known, happens once, and names the same.
        let again = say(&rig, &id, "complete", &done("lobby", "two", "task")).await;
        let (mut first, again) = (answer.json(), again.json());
        first["again"] = json!(true);
        assert_eq!(again, first);
        say(&rig, &id, "complete", &done("lobby", "three", "task")).await.is(409, "fenced");
        let entries = anna.entries(rig.lobby, 2).await;
        let texts: Vec<_> = entries.iter().map(crate::talker::text).collect();
        assert_eq!(texts, ["one", "two"]);
        assert_eq!(rig.get(log).await.json()["head"], 3);
        let stand: Vec<_> = entries.iter().map(|entry| json!({ "id": entry.id, "offset": entry.offset })).collect();
        assert_eq!(first["events"], json!(stand));
        let next = lease(&rig, &json!({ "max": 9 })).await;
        assert_eq!(titles(&next), ["next"]);
        assert_eq!(first["enqueued"], json!([next[0]["id"]]));
    }

    async fn a_completion_with_too_much_in_it_is_refused_and_the_job_is_still_held(rig) {
        let id = enqueue(&rig, "much", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let event = json!({ "room": "lobby", "namespace": "chat", "type": "message", "data": { "text": "x" } });
        let events = json!({ "token": taken["token"], "events": vec![event; 17] });
        say(&rig, &id, "complete", &events).await.is(413, "too_large");
        let jobs = json!({ "token": taken["token"], "jobs": vec![json!({ "job": task("x") }); 101] });
        say(&rig, &id, "complete", &jobs).await.is(413, "too_large");
        assert_eq!(job(&rig, &id).await["state"], "leased");
    }
}
