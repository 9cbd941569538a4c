//! Jobs over a WebSocket: pushed for credit, and shown on boards.

mod bad;
mod brings;
mod drain;
mod figures;
mod govern;
mod once;
mod order;

use crate::{
    rig::{Rig, on_every_engine},
    talker::{Me, Wire, dial},
};
use holdfast_common::error::Code;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

const INBOX: &str = "/api/v1/work/queues/inbox";

/// A connection of jobs that says exactly what a test wants said.
struct Hand {
    wire: Wire,
    /// Frames that have come and were not asked for yet.
    held: Vec<Value>,
    req: u64,
}

impl Hand {
    /// A service that has been greeted.
    async fn service(rig: &Rig, name: &str) -> Self {
        Self::greeted(rig, json!({ "name": name })).await
    }

    async fn person(rig: &Rig, me: &Me) -> Self {
        let hello = json!({ "name": me.name, "person": me.person, "secret": me.secret });
        Self::greeted(rig, hello).await
    }

    async fn greeted(rig: &Rig, hello: Value) -> Self {
        let wire = dial(rig.address, Some("holdfast-work.v1")).await;
        let mut hand = Self { wire, held: Vec::new(), req: 0 };
        hand.say("hello", hello, None).await;
        hand.find("welcome").await;
        hand
    }

    async fn say(&mut self, name: &str, body: Value, payload: Option<Value>) {
        let mut text = json!({ name: body }).to_string();
        if let Some(payload) = payload {
            text = format!("{text}\n{payload}");
        }
        self.wire.text(text).await;
    }

    /// Asks and returns the number of the request.
    async fn ask(&mut self, name: &str, mut body: Value, payload: Option<Value>) -> u64 {
        self.req += 1;
        body["req"] = json!(self.req);
        self.say(name, body, payload).await;
        self.req
    }

    async fn next(&mut self) -> Value {
        match self.wire.message().await {
            Some(Message::Text(text)) => serde_json::from_str(&text).unwrap(),
            other => panic!("a frame, not {other:?}"),
        }
    }

    /// The next frame of this name; others are kept.
    async fn find(&mut self, name: &str) -> Value {
        self.find_if(name, |_| true).await
    }

    async fn find_if(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let is_it = |frame: &Value| frame.get(name).is_some_and(&wanted);
        if let Some(at) = self.held.iter().position(is_it) {
            return self.held.remove(at)[name].clone();
        }
        loop {
            let frame = self.next().await;
            if is_it(&frame) {
                return frame[name].clone();
            }
            self.held.push(frame);
        }
    }

    /// The answer to a request, by its name and its body.
    async fn answer(&mut self, req: u64) -> (String, Value) {
        let is_it = |frame: &Value| {
            let (_, body) = frame.as_object().unwrap().iter().next().unwrap();
            body["req"] == req
        };
        let frame = match self.held.iter().position(is_it) {
            Some(at) => self.held.remove(at),
            None => loop {
                let frame = self.next().await;
                if is_it(&frame) {
                    break frame;
                }
                self.held.push(frame);
            },
        };
        let (name, body) = frame.as_object().unwrap().iter().next().unwrap();
        (name.clone(), body.clone())
    }

    async fn consume(&mut self, credit: u32, lease: u64) -> u64 {
        let ask = json!({ "ns": "work", "queue": "inbox", "credit": credit, "lease_ms": lease });
        let req = self.ask("consume", ask, None).await;
        let (name, body) = self.answer(req).await;
        assert_eq!(name, "consuming", "{body}");
        body["sub"].as_u64().unwrap()
    }

    async fn watch(&mut self) -> Value {
        self.watch_of("work", "inbox").await
    }

    async fn watch_of(&mut self, ns: &str, queue: &str) -> Value {
        let req = self.ask("watch", json!({ "ns": ns, "queue": queue }), None).await;
        let (name, body) = self.answer(req).await;
        assert_eq!(name, "board", "{body}");
        body
    }

    async fn leased(&mut self) -> Value {
        self.find("leased").await["job"].clone()
    }

    /// Everything that was said before has been taken in, and what came of it told.
    async fn settled(&mut self) {
        let n = self.req + 1_000;
        self.say("ping", json!({ "n": n }), None).await;
        self.find_if("pong", |pong| pong["n"] == n).await;
    }
}

async fn add(rig: &Rig, title: &str) -> String {
    let body = json!({ "type": "task", "data": { "title": title } }).to_string();
    let answer = rig.post(&format!("{INBOX}/jobs"), "", &body).await;
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn state(rig: &Rig, id: &str) -> Value {
    rig.get(&format!("/api/v1/work/jobs/{id}")).await.json()["state"].clone()
}

on_every_engine! {
    async fn a_service_is_pushed_jobs_for_its_credit_and_no_more(rig) {
        let mut hand = Hand::service(&rig, "printer").await;
        let sub = hand.consume(2, 60_000).await;
        for title in ["one", "two", "three"] {
            add(&rig, title).await;
        }
        let first = hand.leased().await;
        let second = hand.leased().await;
        assert_eq!((&first["data"]["title"], &second["data"]["title"]), (&json!("one"), &json!("two")));
        hand.settled().await;
        assert!(hand.held.iter().all(|frame| frame.get("leased").is_none()), "{:?}", hand.held);
        assert_eq!(rig.get(INBOX).await.json()["leased"], 2);
        hand.say("credit", json!({ "sub": sub, "n": 1 }), None).await;
        assert_eq!(hand.leased().await["data"]["title"], "three");
        let ask = json!({ "job": first["id"], "token": first["token"], "next": sub });
        let req = hand.ask("complete", ask, Some(json!({ "pages": 3 }))).await;
        let (name, did) = hand.answer(req).await;
        assert_eq!((&*name, &did["state"]), ("did", &json!("done")));
        // The credit that came with the end.
        add(&rig, "four").await;
        assert_eq!(hand.leased().await["data"]["title"], "four");
        let read = rig.get(&format!("/api/v1/work/jobs/{}", first["id"].as_str().unwrap())).await;
        assert_eq!(read.json()["result"], json!({ "pages": 3 }));
    }

    async fn each_job_goes_to_one_of_those_who_have_credit(rig) {
        let mut hands = [Hand::service(&rig, "a").await, Hand::service(&rig, "b").await];
        for hand in &mut hands {
            hand.consume(5, 60_000).await;
        }
        let mut ids = Vec::new();
        for n in 0..10 {
            ids.push(json!(add(&rig, &n.to_string()).await));
        }
        let mut got = Vec::new();
        for hand in &mut hands {
            for _ in 0..5 {
                got.push(hand.leased().await["id"].clone());
            }
        }
        let text = |id: &Value| id.as_str().unwrap().to_owned();
        got.sort_by_key(text);
        ids.sort_by_key(text);
        assert_eq!(got, ids);
    }

    async fn a_lease_that_is_over_by_anothers_doing_is_told_to_who_is_there(rig) {
        let mut hand = Hand::service(&rig, "slow").await;
        hand.consume(1, 150).await;
        let id = add(&rig, "expires").await;
        let job = hand.leased().await;
        let lost = hand.find("lost").await;
        assert_eq!((&lost["job"], &lost["reason"]), (&json!(id), &json!("expired")));
        for what in ["complete", "fail", "snooze", "extend"] {
            let req = hand.ask(what, json!({ "job": id, "token": job["token"] }), None).await;
            let (name, refused) = hand.answer(req).await;
            let is = (&*name, &refused["code"], &refused["reason"]);
            assert_eq!(is, ("refused", &json!("fenced"), &json!("expired")), "{what}");
        }
        hand.say("credit", json!({ "sub": 1, "n": 1 }), None).await;
        assert_eq!(hand.leased().await["attempt"], 2);
    }

    async fn a_job_is_ended_over_the_next_connection_with_its_token(rig) {
        let mut hand = Hand::service(&rig, "breaks").await;
        hand.consume(9, 60_000).await;
        let id = add(&rig, "once").await;
        let job = hand.leased().await;
        drop(hand);
        assert_eq!(state(&rig, &id).await, "leased");
        let mut next = Hand::service(&rig, "breaks").await;
        for again in [false, true] {
            let ask = json!({ "job": id, "token": job["token"] });
            let req = next.ask("complete", ask, None).await;
            let (name, did) = next.answer(req).await;
            assert_eq!((&*name, &did["state"]), ("did", &json!("done")));
            assert_eq!(did.get("again").is_some(), again);
        }
    }

    async fn who_extends_is_told_for_how_long_and_shows_how_far_it_is(rig) {
        let id = add(&rig, "long").await;
        let mut hand = Hand::service(&rig, "slow").await;
        let req = hand.ask("take", json!({ "job": id, "lease_ms": 60_000 }), None).await;
        let job = hand.answer(req).await.1["job"].clone();
        let ask = json!({ "job": id, "token": job["token"], "lease_ms": 600_000, "progress": 50, "note": "half of it" });
        let req = hand.ask("extend", ask, None).await;
        let (name, did) = hand.answer(req).await;
        assert_eq!((&*name, &did["lease_ms"], did.get("state")), ("did", &json!(600_000), None), "{did}");
        assert!(did["expires_at"].as_u64() > job["expires_at"].as_u64(), "{did}");
        let read = rig.get(&format!("/api/v1/work/jobs/{id}")).await.json();
        assert_eq!((&read["progress"], &read["note"]), (&json!(50), &json!("half of it")), "{read}");
        assert!(read["due_in_ms"].as_u64() > Some(60_000), "its lease is the longer one: {read}");
        // Without a length it is the queue's, from now; how far it was stays.
        let req = hand.ask("extend", json!({ "job": id, "token": job["token"] }), None).await;
        assert_eq!(hand.answer(req).await.1["lease_ms"], 30_000);
        let read = rig.get(&format!("/api/v1/work/jobs/{id}")).await.json();
        assert_eq!((&read["state"], &read["note"]), (&json!("leased"), &json!("half of it")));
        assert!(read["due_in_ms"].as_u64() <= Some(30_000), "{read}");
    }

    async fn two_people_who_take_one_job_at_once_never_both_have_it(rig) {
        let (anna, ben) = (Me::new("Anna"), Me::new("Ben"));
        let mut hands = [Hand::person(&rig, &anna).await, Hand::person(&rig, &ben).await];
        for round in 0..10 {
            let id = add(&rig, &round.to_string()).await;
            let mut reqs = Vec::new();
            for hand in &mut hands {
                reqs.push(hand.ask("take", json!({ "job": id, "lease_ms": 60_000 }), None).await);
            }
            let mut names = Vec::new();
            for (hand, req) in hands.iter_mut().zip(reqs) {
                let (name, body) = hand.answer(req).await;
                if name == "refused" {
                    assert_eq!((&body["code"], &body["state"]), (&json!("wrong_state"), &json!("leased")));
                }
                names.push(name);
            }
            names.sort();
            assert_eq!(names, ["leased", "refused"]);
        }
    }

    async fn a_board_shows_what_is_there_and_then_each_move(rig) {
        let anna = Me::new("Anna");
        add(&rig, "there before").await;
        let mut board = Hand::service(&rig, "board").await;
        let shown = board.watch().await;
        let ready = shown["places"].as_array().unwrap().iter().find(|it| it["place"] == "ready").unwrap();
        assert_eq!(ready["jobs"][0]["data"]["title"], "there before");
        assert_eq!((&shown["queue"]["ready"], &shown["queue"]["paused"]), (&json!(1), &json!(false)));
        let id = add(&rig, "new").await;
        let place = |wanted: &'static str, id: String| move |moved: &Value| {
            let jobs = moved["jobs"].as_array().unwrap().iter();
            jobs.clone().any(|job| job["id"] == id && job["place"] == wanted)
        };
        board.find_if("moved", place("ready", id.clone())).await;
        let mut person = Hand::person(&rig, &anna).await;
        let req = person.ask("take", json!({ "job": id }), None).await;
        let token = person.answer(req).await.1["job"]["token"].clone();
        let moved = board.find_if("moved", place("leased", id.clone())).await;
        let job = moved["jobs"].as_array().unwrap().iter().find(|job| job["id"] == id).unwrap();
        assert_eq!((&job["consumer"], &job["person"]), (&json!("Anna"), &json!(anna.person)));
        let req = person.ask("complete", json!({ "job": id, "token": token }), None).await;
        assert_eq!(person.answer(req).await.0, "did");
        let moved = board.find_if("moved", place("done", id)).await;
        assert_eq!((&moved["queue"]["done"], &moved["queue"]["ready"]), (&json!(1), &json!(1)));
        let figures = board.find_if("figures", |it| it["figures"]["done"] == 1).await;
        assert_eq!(figures["figures"]["started"], 1);
    }

    async fn a_text_that_is_longer_than_any_error_is_looked_for_on_no_board(rig) {
        let mut hand = Hand::service(&rig, "page").await;
        let sub = hand.watch().await["sub"].clone();
        let govern = |deed: Value| json!({ "ns": "work", "queue": "inbox", "deed": deed });
        for (error, answered) in [("ä".repeat(2_048), ["page", "did", "did"]), ("x".repeat(4_097), ["refused"; 3])] {
            let like = json!({ "error": error });
            let more = json!({ "sub": sub, "place": "dead", "like": like });
            let requeue = govern(json!({ "requeue": { "like": like } }));
            let discard = govern(json!({ "discard": { "like": like } }));
            for (at, (word, ask)) in [("more", more), ("govern", requeue), ("govern", discard)].into_iter().enumerate() {
                let req = hand.ask(word, ask, None).await;
                let (name, body) = hand.answer(req).await;
                assert_eq!(name, answered[at], "{body}");
                assert!(name != "refused" || body["code"] == "bad_request", "{body}");
            }
        }
    }

    async fn a_job_that_is_enqueued_twice_with_its_id_is_there_once(rig) {
        let mut hand = Hand::service(&rig, "page").await;
        let id = "01234567-89ab-7cde-8f01-23456789abcd";
        let ask = json!({ "id": id, "ns": "work", "queue": "inbox", "type": "task" });
        for again in [false, true] {
            let req = hand.ask("enqueue", ask.clone(), Some(json!({ "title": "x" }))).await;
            let (name, body) = hand.answer(req).await;
            assert_eq!((&*name, body.get("again").is_some()), ("enqueued", again));
        }
        assert_eq!(rig.get(INBOX).await.json()["ready"], 1);
        let bad = json!({ "id": id, "ns": "work", "queue": "inbox", "type": "chore" });
        let req = hand.ask("enqueue", bad, Some(json!({}))).await;
        assert_eq!(hand.answer(req).await.1["code"], "unknown_type");
    }

    async fn who_says_to_be_another_person_is_closed(rig) {
        let anna = Me::new("Anna");
        drop(Hand::person(&rig, &anna).await);
        let mut wire = dial(rig.address, Some("holdfast-work.v1")).await;
        let hello = json!({ "hello": { "name": "x", "person": anna.person, "secret": "another secret that is long" } });
        wire.text(hello.to_string()).await;
        assert_eq!(wire.closed().await, Some(Code::WrongSecret));
        let mut wire = dial(rig.address, Some("holdfast-work.v1")).await;
        wire.text("{\"consume\":{}}").await;
        assert_eq!(wire.closed().await, Some(Code::BadFrame));
    }
}
