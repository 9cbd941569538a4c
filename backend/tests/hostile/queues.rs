//! Jobs as nobody should speak of them. Whatever is said, what was in the queue before is there after
//! it, and who holds a job may still end it.

mod backlog;
mod sockets;
mod waits;
mod webhooks;
mod words;

use crate::{raw::Raw, siege::Target};
use serde_json::{Value, json};
use std::net::SocketAddr;

const INBOX: &str = "/api/v1/work/queues/inbox";

/// What one request costs: its head, and a body of as much as a frame may have, which grows by doubling.
const REQUEST: u64 = crate::siege::kib(600);

fn post(address: SocketAddr, path: &str, body: &str) -> Vec<u8> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    (head + body).into_bytes()
}

/// Says it over a connection of its own.
async fn say(address: SocketAddr, path: &str, body: &Value) -> (u16, Value) {
    said(address, &post(address, path, &body.to_string())).await
}

async fn said(address: SocketAddr, request: &[u8]) -> (u16, Value) {
    let mut raw = Raw::connect(address).await;
    // It may be cut before all is written.
    let _ = raw.write(request).await;
    let (status, answer) = raw.answer().await.expect("an answer");
    let body = answer.split_once("\r\n\r\n").expect("a head").1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

async fn read(address: SocketAddr, path: &str) -> Value {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let (status, body) = said(address, request.as_bytes()).await;
    assert_eq!(status, 200, "{path}: {body}");
    body
}

async fn enqueue(address: SocketAddr, title: &str) -> String {
    let task = json!({ "type": "task", "data": { "title": title } });
    let (status, body) = say(address, &format!("{INBOX}/jobs"), &task).await;
    assert_eq!(status, 201, "{body}");
    body["id"].as_str().unwrap().to_owned()
}

/// The queue, but for what went through it in the last minute.
async fn queue(address: SocketAddr) -> Value {
    let mut queue = read(address, INBOX).await;
    assert!(queue.as_object_mut().unwrap().remove("rates").is_some());
    queue
}

/// Takes the next job, for a long time.
async fn take(address: SocketAddr) -> Value {
    let wishes = json!({ "consumer": "honest", "lease_ms": 600_000 });
    let (status, body) = say(address, &format!("{INBOX}/lease"), &wishes).await;
    assert_eq!(status, 200, "{body}");
    body["jobs"][0].clone()
}

/// What stands in the queue beside an attack.
struct Honest {
    address: SocketAddr,
    /// Held by who is honest.
    held: Value,
    waits: String,
    queue: Value,
}

impl Honest {
    /// One job is held, and one waits, later than anything here takes.
    async fn come(target: &Target) -> Self {
        let address = target.address;
        enqueue(address, "is held").await;
        let held = take(address).await;
        let task = json!({ "type": "task", "data": { "title": "waits" }, "delay_ms": 3_600_000 });
        let (status, body) = say(address, &format!("{INBOX}/jobs"), &task).await;
        assert_eq!(status, 201, "{body}");
        let waits = body["id"].as_str().unwrap().to_owned();
        let queue = queue(address).await;
        Self { address, held, waits, queue }
    }

    fn held(&self) -> (&str, &str) {
        (self.held["id"].as_str().unwrap(), self.held["token"].as_str().unwrap())
    }

    /// Nothing has changed: the counts and settings, the job that waits, the one that is held.
    async fn still_stands(self) {
        assert_eq!(queue(self.address).await, self.queue);
        let waits = read(self.address, &format!("/api/v1/work/jobs/{}", self.waits)).await;
        assert_eq!((&waits["state"], &waits["attempt"]), (&json!("ready"), &json!(0)));
        let (id, token) = self.held();
        let done = json!({ "token": token, "result": "done all the same" });
        let (status, body) =
            say(self.address, &format!("/api/v1/work/jobs/{id}/complete"), &done).await;
        assert_eq!((status, &body["state"]), (200, &json!("done")), "{body}");
    }
}
