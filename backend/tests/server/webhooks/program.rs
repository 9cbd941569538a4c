//! The program itself sends webhooks, where it is told that it may.

use super::{
    HOOKS, QUEUE, Receiver, key_of,
    receiver::{Had, read},
};
use crate::{
    program::{holdfast, started, terminate},
    rig::{Answer, PATIENCE, ask},
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
use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Child,
    time::{Duration, Instant},
};

fn run(folder: &Path, receiver: &Receiver) -> (Child, SocketAddr) {
    run_with(folder, "--webhook-inside", &receiver.at.to_string())
}

fn run_with(folder: &Path, option: &str, target: &str) -> (Child, SocketAddr) {
    let options = ["--listen", "127.0.0.1:0", option, target];
    let (child, address) = started(holdfast(&options, folder));
    (child, address.parse().unwrap())
}

fn end(mut child: Child) {
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

async fn post(server: SocketAddr, path: &str, body: &Value) -> Value {
    let answer = posted(server, path, body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()
}

async fn posted(server: SocketAddr, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n",
        body.len()
    );
    ask(server, &head, body.as_bytes()).await
}

async fn settings(server: SocketAddr) -> Value {
    let head = format!("GET {QUEUE} HTTP/1.1\r\nhost: {server}\r\n");
    ask(server, &head, b"").await.json()["settings"].clone()
}

/// One of the server's own jobs, once it is as wanted.
async fn until(server: SocketAddr, job: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let head = format!("GET /api/v1/holdfast/jobs/{job} HTTP/1.1\r\nhost: {server}\r\n");
    let begun = Instant::now();
    loop {
        let now = ask(server, &head, b"").await.json();
        if wanted(&now) {
            return now;
        }
        assert!(begun.elapsed() < PATIENCE, "{now}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
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

#[tokio::test]
async fn to_an_allowed_name_that_leads_inside_nothing_is_sent_and_the_job_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let place = format!("localhost:{}", listener.local_addr().unwrap().port());
    let hook = json!({ "url": format!("https://{place}/") });
    // As if the name had led outside when the webhook was made.
    let (child, server) = run_with(folder.path(), "--webhook-inside", &place);
    let made = post(server, HOOKS, &hook).await;
    end(child);

    let (child, server) = run_with(folder.path(), "--webhook-target", &place);
    posted(server, HOOKS, &hook).await.is(403, "target_refused");
    let test = format!("{HOOKS}/{}/test", made["id"].as_str().unwrap());
    let asked = posted(server, &test, &json!({})).await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let job = asked.json()["job"].as_str().unwrap().to_owned();
    let failed = until(server, &job, |job| job["errors"][0].is_object()).await;
    let error = "target_refused: the host has no public address";
    assert_eq!(failed["errors"][0]["error"], error);
    let nobody = listener.accept().unwrap_err();
    assert_eq!(nobody.kind(), std::io::ErrorKind::WouldBlock);
    end(child);
}

#[tokio::test]
async fn a_delivery_at_which_the_server_was_killed_comes_again_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let (mut child, server) = run_with(folder.path(), "--webhook-inside", &place);
    // An attempt that nobody can end any more is over so long after the next server has begun.
    let set = posted(server, &format!("{QUEUE}/settings"), &json!({ "lease_ms": 2_000 })).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let hook =
        post(server, HOOKS, &json!({ "url": format!("http://{place}/hook?of=lobby") })).await;
    let event = json!({ "type": "message", "data": { "text": "unanswered" } });
    post(server, "/api/v1/chat/rooms/lobby/events", &event).await;
    let (mut unanswered, _) = listener.accept().await.unwrap();
    let first = read(&mut unanswered).await.unwrap();
    child.kill().unwrap();
    assert!(!child.wait().unwrap().success());

    let mut receiver = Receiver::on(listener);
    let (child, server) = run(folder.path(), &receiver);
    let second = receiver.next().await;
    let id = |had: &Had| had.header("webhook-id").to_owned();
    assert_eq!((id(&second), second.text()), (id(&first), "unanswered".to_owned()));
    assert_eq!(second.body, first.body);
    let key = key_of(hook["secret"].as_str().unwrap());
    assert_eq!(second.signatures(), [second.signed_by(&key)]);
    let done = until(server, &id(&first), |job| job["state"] == "done").await;
    assert_eq!((&done["attempt"], &done["errors"][0]["attempt"]), (&json!(2), &json!(1)));
    assert_eq!(done["errors"][0]["error"], "lease ran out");
    assert!(receiver.is_quiet());
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
