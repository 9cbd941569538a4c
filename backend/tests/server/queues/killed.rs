//! A server that is killed in the middle of what somebody does to many jobs.

use super::INBOX;
use crate::{
    program::{holdfast, started, terminate},
    rig::{Answer, PATIENCE, ask},
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{io::AsyncWriteExt as _, net::TcpStream};

/// Dead letters: a requeue of them takes 20 steps.
const DEAD: u64 = 10_000;

/// Jobs of a step.
const STEP: u64 = 500;

fn post(server: SocketAddr, path: &str, body: &Value) -> String {
    let length = body.to_string().len();
    let kind = "content-type: application/json";
    format!("POST {path} HTTP/1.1\r\nhost: {server}\r\n{kind}\r\ncontent-length: {length}\r\n")
}

async fn said(server: SocketAddr, path: &str, body: Value) -> Answer {
    ask(server, &post(server, path, &body), body.to_string().as_bytes()).await
}

async fn get(server: SocketAddr, path: &str) -> Value {
    ask(server, &format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n"), b"").await.json()
}

/// How many are dead and how many are ready.
async fn counts(server: SocketAddr) -> (u64, u64) {
    let queue = get(server, INBOX).await;
    (queue["dead"].as_u64().unwrap(), queue["ready"].as_u64().unwrap())
}

/// Has that many dead letters, which are those whose only lease has run out.
async fn die(server: SocketAddr) {
    let job = json!({ "type": "task", "data": { "title": "Count" }, "max_attempts": 1 });
    for _ in 0..DEAD / 1_000 {
        let jobs = json!({ "jobs": vec![&job; 1_000] });
        assert_eq!(said(server, &format!("{INBOX}/batch"), jobs).await.status, 201);
    }
    for _ in 0..DEAD / 100 {
        let wish = json!({ "consumer": "asleep", "max": 100, "lease_ms": 100 });
        assert_eq!(said(server, &format!("{INBOX}/lease"), wish).await.status, 200);
    }
    let begun = Instant::now();
    while counts(server).await != (DEAD, 0) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn killed_in_the_middle_of_a_requeue_each_job_is_dead_or_ready_and_the_next_requeue_takes_the_rest()
 {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let server = address.parse().unwrap();
    die(server).await;
    let all = json!({});
    let head = post(server, &format!("{INBOX}/requeue"), &all);
    let mut asks = TcpStream::connect(server).await.unwrap();
    asks.write_all(format!("{head}\r\n{all}").as_bytes()).await.unwrap();
    while counts(server).await.0 == DEAD {}
    child.kill().unwrap();
    child.wait().unwrap();

    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let server = address.parse().unwrap();
    let (dead, ready) = counts(server).await;
    assert_eq!(dead + ready, DEAD);
    assert!(ready >= STEP && ready % STEP == 0, "{ready}: by whole steps");
    let noted = get(server, &format!("{INBOX}/audit")).await;
    let noted: Vec<_> = noted["audit"].as_array().unwrap().iter().collect();
    assert_eq!(
        (noted.len(), &noted[0]["count"]),
        (1, &json!(ready)),
        "the audit says how far it came"
    );
    let again = said(server, &format!("{INBOX}/requeue"), all).await;
    assert_eq!(again.json(), json!({ "count": dead }));
    assert_eq!(counts(server).await, (0, DEAD));
    terminate(&child);
    assert!(child.wait().unwrap().success());
}
