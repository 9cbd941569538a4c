//! The program itself sends webhooks, where it is told that it may.

use super::{HOOKS, QUEUE, Receiver, key_of};
use crate::{
    program::{holdfast, started, terminate},
    rig::ask,
};
use holdfast_backend::engine::{Jobs, sqlite::SqliteEngine};
use holdfast_common::{
    id::PersonId,
    job::{QueueSettings, SettingsPatch},
    storage::jobs::{By, Deed, Govern, QueueName, QueueSpec},
    system::{SYSTEM, WEBHOOKS},
    time::Millis,
};
use serde_json::{Value, json};
use std::{net::SocketAddr, path::Path, process::Child};

fn run(folder: &Path, receiver: &Receiver) -> (Child, SocketAddr) {
    let inside = receiver.at.to_string();
    let options = ["--listen", "127.0.0.1:0", "--webhook-inside", &inside];
    let (child, address) = started(holdfast(&options, folder));
    (child, address.parse().unwrap())
}

fn end(mut child: Child) {
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

async fn post(server: SocketAddr, path: &str, body: &Value) -> Value {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n",
        body.len()
    );
    let answer = ask(server, &head, body.as_bytes()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn settings(server: SocketAddr) -> Value {
    let head = format!("GET {QUEUE} HTTP/1.1\r\nhost: {server}\r\n");
    ask(server, &head, b"").await.json()["settings"].clone()
}

#[tokio::test]
async fn the_program_delivers_signed_to_a_neighbour_that_it_was_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start().await;
    let (child, server) = run(folder.path(), &receiver);
    let hook = post(server, HOOKS, &json!({ "url": receiver.url() })).await;
    let event = json!({ "type": "message", "data": { "text": "from the program" } });
    post(server, "/api/v1/chat/rooms/lobby/events", &event).await;
    let had = receiver.next().await;
    assert_eq!(had.text(), "from the program");
    let key = key_of(hook["secret"].as_str().unwrap());
    assert_eq!(had.signatures(), [had.signed_by(&key)]);
    end(child);
}

/// What an older program has left in a folder, and perhaps an operator over it.
async fn older(folder: &Path, set: Option<QueueSettings>) {
    let engine = SqliteEngine::open(folder).unwrap();
    let (ns, name) = (SYSTEM.to_owned(), WEBHOOKS.to_owned());
    let settings =
        QueueSettings { attempts: 8, backoff: Millis(5_000), ..QueueSettings::default() };
    let spec = QueueSpec { ns: ns.clone(), name: name.clone(), settings };
    engine.ensure_queue(spec).await.unwrap();
    if let Some(settings) = set {
        let by = By { person: PersonId::NIL, name: "operator".to_owned() };
        let deed = Deed::Set(QueueName { ns, name }, SettingsPatch::of(settings, |_| true));
        engine.govern(Govern { by, deed, rest: None }).await.unwrap();
    }
}

#[tokio::test]
async fn a_folder_of_before_follows_the_attempts_of_now_unless_somebody_has_set_them() {
    let receiver = Receiver::start().await;
    let folder = tempfile::tempdir().unwrap();
    older(folder.path(), None).await;
    let (child, server) = run(folder.path(), &receiver);
    assert_eq!(settings(server).await["max_attempts"], 18);
    end(child);
    let folder = tempfile::tempdir().unwrap();
    older(folder.path(), Some(QueueSettings { attempts: 3, ..QueueSettings::default() })).await;
    let (child, server) = run(folder.path(), &receiver);
    assert_eq!(settings(server).await["max_attempts"], 3);
    end(child);
}
