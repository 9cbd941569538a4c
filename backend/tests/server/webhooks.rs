//! Webhooks: what is appended to a room, told to a service elsewhere.

mod astray;
mod bad;
mod program;
mod receiver;
mod restart;
mod silent;

use crate::rig::{Answer, PATIENCE, Rig};
use holdfast_backend::{
    app::Builder,
    engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine},
    webhook::Targets,
};
use receiver::{Receiver, key_of};
use serde_json::{Value, json};
use std::{net::SocketAddr, sync::Arc, time::Instant};

const HOOKS: &str = "/api/v1/chat/rooms/lobby/webhooks";
const QUEUE: &str = "/api/v1/holdfast/queues/webhooks";

/// A server whose webhooks may go to one receiver on this machine, and which does not wait long.
struct Post {
    rig: Rig,
    receiver: Receiver,
}

impl Post {
    async fn open(engine: Arc<dyn Engine>, folder: Option<tempfile::TempDir>) -> Self {
        let receiver = Receiver::start().await;
        Self { rig: start(engine, folder, &receiver).await, receiver }
    }

    async fn on_both(test: impl AsyncFn(Self)) {
        test(Self::open(Arc::new(MemoryEngine::new()), None).await).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteEngine::open(folder.path()).unwrap();
        test(Self::open(Arc::new(engine), Some(folder)).await).await;
    }

    async fn make(&self, more: &Value) -> Hook {
        make(&self.rig, &self.receiver, more).await
    }

    async fn say(&self, text: &str) {
        say(&self.rig, text).await;
    }

    async fn ask(&self, path: &str, body: &Value) -> Answer {
        self.rig.post(path, "", &body.to_string()).await
    }

    async fn delete(&self, path: &str) -> Answer {
        let head = format!("DELETE {path} HTTP/1.1\r\nhost: {}\r\n", self.rig.address);
        self.rig.ask(&head, b"").await
    }

    /// The counts of the queue, once they are as wanted.
    async fn until(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        until(&self.rig, wanted).await
    }

    async fn jobs(&self, state: &str) -> Vec<Value> {
        jobs(&self.rig, state).await
    }

    async fn listed(&self) -> Vec<Value> {
        self.rig.get(HOOKS).await.json()["webhooks"].as_array().unwrap().clone()
    }
}

/// A webhook as whoever made it knows it.
struct Hook {
    id: String,
    key: Vec<u8>,
}

async fn start(
    engine: Arc<dyn Engine>,
    folder: Option<tempfile::TempDir>,
    receiver: &Receiver,
) -> Rig {
    start_with(engine, folder, receiver.at, |builder| builder).await
}

async fn start_with(
    engine: Arc<dyn Engine>,
    folder: Option<tempfile::TempDir>,
    inside: SocketAddr,
    more: impl FnOnce(Builder) -> Builder,
) -> Rig {
    let inside = vec![inside.to_string().parse().unwrap()];
    let build = |builder: Builder| more(builder.webhooks(Targets { public: Vec::new(), inside }));
    let rig = Rig::start(engine, folder, build).await;
    let quick = json!({ "backoff_ms": 1, "max_attempts": 3 });
    let set = rig.post(&format!("{QUEUE}/settings"), "", &quick.to_string()).await;
    assert_eq!(set.status, 200, "{}", set.text());
    rig
}

/// The counts of the queue, once they are as wanted.
async fn until(rig: &Rig, wanted: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let queue = rig.get(QUEUE).await.json();
        if wanted(&queue) {
            return queue;
        }
        assert!(begun.elapsed() < PATIENCE, "{queue}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

async fn jobs(rig: &Rig, state: &str) -> Vec<Value> {
    let listed = rig.get(&format!("{QUEUE}/jobs?state={state}")).await.json();
    listed["jobs"].as_array().unwrap().clone()
}

async fn make(rig: &Rig, receiver: &Receiver, more: &Value) -> Hook {
    let mut body = json!({ "url": receiver.url() });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = rig.post(HOOKS, "", &body.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let key = key_of(made["secret"].as_str().unwrap());
    Hook { id: made["id"].as_str().unwrap().to_owned(), key }
}

async fn say(rig: &Rig, text: &str) {
    let body = json!({ "type": "message", "data": { "text": text } }).to_string();
    let said = rig.post("/api/v1/chat/rooms/lobby/events", "", &body).await;
    assert_eq!(said.status, 201, "{}", said.text());
}

#[tokio::test]
async fn an_event_arrives_signed_as_the_specification_says() {
    Post::on_both(async |mut post| {
        let hook = post.make(&json!({})).await;
        post.say("grüß dich").await;
        let had = post.receiver.next().await;
        assert_eq!(had.signatures(), [had.signed_by(&hook.key)]);
        assert_eq!(had.header("content-type"), "application/json");
        let body = had.json();
        assert_eq!(body["type"], "chat.message");
        let data = &body["data"];
        assert_eq!((&data["room"], &data["data"]["text"]), (&json!("lobby"), &json!("grüß dich")));
        let log = post.rig.get("/api/v1/chat/rooms/lobby/events?after=1").await.json();
        assert_eq!(data["epoch"], log["epoch"]);
        for (name, value) in log["events"][0].as_object().unwrap() {
            assert_eq!(&data[name], value, "{name}");
        }
        post.until(|queue| queue["done"] == 1).await;
        let [done] = &post.jobs("done").await[..] else { panic!("one job") };
        assert_eq!(done["id"], had.header("webhook-id"));
    })
    .await;
}

#[tokio::test]
async fn what_the_receiver_could_not_take_comes_again_by_the_same_id() {
    Post::on_both(async |mut post| {
        post.make(&json!({})).await;
        post.receiver.answers([500, 302]);
        post.say("again").await;
        let first = post.receiver.next().await;
        for _ in 0..2 {
            let again = post.receiver.next().await;
            assert_eq!(again.header("webhook-id"), first.header("webhook-id"));
            assert_eq!(again.body, first.body);
        }
        post.until(|queue| queue["done"] == 1).await;
        assert!(post.receiver.is_quiet(), "a redirect is not followed");
    })
    .await;
}

#[tokio::test]
async fn what_fails_for_good_is_a_dead_letter_and_is_delivered_when_it_is_requeued() {
    Post::on_both(async |mut post| {
        post.make(&json!({})).await;
        post.receiver.answers([500, 302, 404]);
        post.say("late").await;
        post.until(|queue| queue["dead"] == 1).await;
        let [dead] = &post.jobs("dead").await[..] else { panic!("one job") };
        let path = format!("/api/v1/holdfast/jobs/{}", dead["id"].as_str().unwrap());
        let job = post.rig.get(&path).await.json();
        let errors = job["errors"].as_array().unwrap().iter();
        let errors: Vec<_> = errors.map(|error| error["error"].as_str().unwrap()).collect();
        assert_eq!(errors.len(), 3);
        for (error, status) in errors.iter().zip(["500", "302", "404"]) {
            assert!(error.contains(status), "{error}");
        }
        assert_eq!(post.ask(&format!("{path}/requeue"), &json!({})).await.status, 200);
        let had = post.receiver.all(4).await;
        assert!(had.iter().all(|it| it.header("webhook-id") == dead["id"]));
        post.until(|queue| queue["done"] == 1 && queue["dead"] == 0).await;
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_is_gone_ends_its_webhook() {
    Post::on_both(async |mut post| {
        let hook = post.make(&json!({})).await;
        post.receiver.answers([410]);
        post.say("one").await;
        post.receiver.next().await;
        post.until(|queue| queue["done"] == 1).await;
        let listed = &post.listed().await[0];
        assert_eq!((&listed["id"], &listed["state"]), (&json!(hook.id), &json!("ended")));
        post.say("two").await;
        let queue = post.until(|queue| queue["ready"] == 0 && queue["leased"] == 0).await;
        assert_eq!(queue["done"], 1, "nothing more is enqueued for it");
        assert!(post.receiver.is_quiet());
    })
    .await;
}

#[tokio::test]
async fn a_webhook_of_other_types_hears_nothing() {
    Post::on_both(async |mut post| {
        post.make(&json!({ "types": ["edit"] })).await;
        let heard = post.make(&json!({ "types": ["delete", "message"] })).await;
        post.say("one").await;
        let had = post.receiver.next().await;
        assert_eq!(had.signatures(), [had.signed_by(&heard.key)]);
        post.until(|queue| queue["done"] == 1 && queue["ready"] == 0 && queue["leased"] == 0).await;
        assert!(post.receiver.is_quiet());
    })
    .await;
}

#[tokio::test]
async fn an_ordered_webhook_hears_of_all_in_order_although_the_first_attempt_fails() {
    Post::on_both(async |mut post| {
        post.make(&json!({ "ordered": true })).await;
        post.receiver.answers([500]);
        for text in ["one", "two", "three"] {
            post.say(text).await;
        }
        let had = post.receiver.all(4).await;
        let texts: Vec<_> = had.iter().map(receiver::Had::text).collect();
        assert_eq!(texts, ["one", "one", "two", "three"]);
    })
    .await;
}

#[tokio::test]
async fn while_a_secret_is_changed_both_sign_and_after_the_next_change_the_first_one_does_not() {
    Post::on_both(async |mut post| {
        let hook = post.make(&json!({})).await;
        let mut keys = vec![hook.key.clone()];
        for _ in 0..2 {
            let path = format!("{HOOKS}/{}/secret", hook.id);
            let changed = post.ask(&path, &json!({})).await;
            assert_eq!(changed.status, 200, "{}", changed.text());
            keys.insert(0, key_of(changed.json()["secret"].as_str().unwrap()));
            post.say("signed").await;
            let had = post.receiver.next().await;
            assert_eq!(had.signatures(), [had.signed_by(&keys[0]), had.signed_by(&keys[1])]);
        }
        let own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let theirs = post.make(&json!({ "secret": own })).await;
        assert_eq!(theirs.key, key_of(own), "a receiver may have made it");
    })
    .await;
}

#[tokio::test]
async fn what_was_removed_meanwhile_is_sent_hollow_and_what_was_trimmed_is_said_so() {
    Post::on_both(async |mut post| {
        post.make(&json!({ "types": ["message"] })).await;
        assert_eq!(post.ask(&format!("{QUEUE}/pause"), &json!({})).await.status, 200);
        post.say("trimmed").await;
        post.say("removed").await;
        let path = "/api/v1/chat/rooms/lobby/events";
        let log = post.rig.get(path).await.json();
        let target = &log["events"][2]["id"];
        let delete = json!({ "type": "delete", "data": { "target": target } });
        assert_eq!(post.ask(path, &delete).await.status, 201);
        post.rig.engine.trim(post.rig.lobby, 3).await.unwrap();
        assert_eq!(post.ask(&format!("{QUEUE}/resume"), &json!({})).await.status, 200);
        let mut had: Vec<_> = post.receiver.all(2).await.iter().map(receiver::Had::json).collect();
        had.sort_by_key(|body| body["data"]["offset"].as_u64());
        assert_eq!(had[0]["type"], "holdfast.trimmed");
        let data = &had[0]["data"];
        assert_eq!(
            (&data["data"], &data["trimmed"], &data["room"]),
            (&Value::Null, &json!(true), &json!("lobby"))
        );
        assert_eq!(had[1]["type"], "chat.hollow");
        assert!(!had[1].to_string().contains("removed"), "{}", had[1]);
    })
    .await;
}

#[tokio::test]
async fn a_test_is_sent_that_is_no_event() {
    Post::on_both(async |mut post| {
        let hook = post.make(&json!({})).await;
        let sent = post.ask(&format!("{HOOKS}/{}/test", hook.id), &json!({})).await;
        assert_eq!(sent.status, 202);
        let had = post.receiver.next().await;
        assert_eq!(had.signatures(), [had.signed_by(&hook.key)]);
        assert_eq!(sent.json()["job"], had.header("webhook-id"));
        let body = had.json();
        let expected = json!({ "room": "lobby", "webhook": hook.id });
        assert_eq!((&body["type"], &body["data"]), (&json!("holdfast.test"), &expected));
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_webhook_that_was_removed_or_a_room_that_was_deleted_is_not_sent() {
    Post::on_both(async |mut post| {
        let hook = post.make(&json!({})).await;
        post.make(&json!({})).await;
        assert_eq!(post.ask(&format!("{QUEUE}/pause"), &json!({})).await.status, 200);
        post.say("unsent").await;
        assert_eq!(post.delete(&format!("{HOOKS}/{}", hook.id)).await.status, 204);
        post.delete(&format!("{HOOKS}/{}", hook.id)).await.is(404, "not_found");
        post.rig.engine.delete_room(post.rig.lobby).await.unwrap();
        assert_eq!(post.ask(&format!("{QUEUE}/resume"), &json!({})).await.status, 200);
        post.until(|queue| queue["done"] == 2).await;
        for job in post.jobs("done").await {
            let path = format!("/api/v1/holdfast/jobs/{}", job["id"].as_str().unwrap());
            assert_eq!(post.rig.get(&path).await.json()["result"]["outcome"], "unsent");
        }
        assert!(post.receiver.is_quiet());
    })
    .await;
}
