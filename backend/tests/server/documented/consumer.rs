//! The consumer in Python, as the document has it and with its own command.

use super::{Ends, SERVER, blocks, steps, text};
use crate::{
    program::{holdfast, started},
    rig::{Answer, PATIENCE, ask},
};
use serde_json::{Value, json};
use std::{
    fs::{self, File},
    net::SocketAddr,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

const QUEUE: &str = "/api/v1/work/queues/inbox";

/// Who of the server itself waits for jobs: webhooks and exports.
const OWN: u32 = 2;

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

async fn get(server: SocketAddr, path: &str) -> Answer {
    ask(server, &format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n"), b"").await
}

async fn add(server: SocketAddr, title: &str) -> String {
    let body = json!({ "type": "task", "data": { "title": title } }).to_string();
    let head = format!(
        "POST {QUEUE}/jobs HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n",
        body.len()
    );
    let answer = ask(server, &head, body.as_bytes()).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// Asks until it is so.
async fn until(here: &Path, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        let error = || fs::read_to_string(here.join("stderr")).unwrap();
        assert!(begun.elapsed() < PATIENCE, "{}", error());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The server, on a free port or where it was before.
fn serve(data: &Path, at: &str) -> (Ends, SocketAddr) {
    let (server, address) = started(holdfast(&["--listen", at], data));
    (Ends(server), address.parse().unwrap())
}

/// The document's program.
fn program() -> String {
    let [program] = &blocks(&text(), "python")[..] else { panic!("one program") };
    program.clone()
}

/// Has somebody type the document's command beside the program.
fn consume(here: &Path, server: SocketAddr, program: &str, name: &str) -> Ends {
    fs::write(here.join("consumer.py"), program).unwrap();
    let all = blocks(&text(), "sh");
    let mut lines = all.iter().flat_map(|block| steps(block)).map(|step| step.line);
    let line = lines.find(|line| line.starts_with("python3 ")).unwrap();
    let line = line.replace(SERVER, &server.to_string()).replace("printer-2", name);
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = format!("exec {}", line.replacen("python3", &python, 1));
    let mut command = Command::new("sh");
    command.args(["-euc", &script]).current_dir(here).env("no_proxy", "*");
    Ends(command.stderr(File::create(here.join("stderr")).unwrap()).spawn().unwrap())
}

#[tokio::test]
async fn the_documents_consumer_does_each_job_once_though_it_and_its_server_are_killed_between_jobs()
 {
    let [data, here] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (server, address) = serve(data.path(), "127.0.0.1:0");
    let done = async |number: u64| {
        let counts = get(address, QUEUE).await.json();
        counts["done"] == number && counts["leased"] == 0
    };
    let mut ids = vec![add(address, "one").await];
    let consumer = consume(here.path(), address, &program(), "printer-2");
    until(here.path(), async || done(1).await).await;

    drop(server);
    let (_server, _) = serve(data.path(), &address.to_string());
    ids.push(add(address, "two").await);
    until(here.path(), async || done(2).await).await;

    // It waits for the next one, and the server knows that nobody does any more.
    let waits = async |number: u32| {
        let metrics = get(address, "/metrics").await.text();
        metrics.contains(&format!("\nholdfast_jobs_waiting {number}\n"))
    };
    until(here.path(), async || waits(OWN + 1).await).await;
    drop(consumer);
    until(here.path(), async || waits(OWN).await).await;
    ids.push(add(address, "three").await);
    let mut consumer = consume(here.path(), address, &program(), "printer-2");
    until(here.path(), async || done(3).await).await;
    assert!(consumer.0.try_wait().unwrap().is_none(), "it goes on");

    for id in ids {
        let job = get(address, &format!("/api/v1/work/jobs/{id}")).await.json();
        assert_eq!(
            (&job["state"], &job["result"]),
            (&json!("done"), &json!({ "by": "printer-2" }))
        );
    }
    let log = get(address, LOBBY).await.json();
    let said = log["events"].as_array().unwrap()[1..].iter();
    let texts: Vec<&Value> = said.map(|event| &event["data"]["text"]).collect();
    assert_eq!(texts, ["one", "two", "three"]);
}

/// It holds its first job for ever, and each for a second if it says no more.
fn stuck() -> String {
    let (lease, does) = ("lease_ms=30000", "    return {\"by\": ME}\n");
    let stuck = "    if job[\"attempt\"] == 1:\n        open(\"begun\", \"w\").close()\n        \
                 time.sleep(600)\n";
    let program = program();
    assert_eq!((program.matches(lease).count(), program.matches(does).count()), (1, 1));
    program.replace(lease, "lease_ms=1000").replace(does, &format!("{stuck}{does}"))
}

#[tokio::test]
async fn a_job_whose_documented_consumer_is_killed_comes_to_the_next_after_its_lease() {
    let [data, here] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (_server, address) = serve(data.path(), "127.0.0.1:0");
    let path = format!("/api/v1/work/jobs/{}", add(address, "one").await);
    let killed = consume(here.path(), address, &stuck(), "printer-2");
    until(here.path(), async || here.path().join("begun").exists()).await;
    drop(killed);
    let held = get(address, &path).await.json();
    assert_eq!((&held["state"], &held["attempt"]), (&json!("leased"), &json!(1)), "{held}");

    let _next = consume(here.path(), address, &stuck(), "printer-3");
    until(here.path(), async || get(address, &path).await.json()["state"] == "done").await;
    let job = get(address, &path).await.json();
    assert_eq!((&job["attempt"], &job["result"]), (&json!(2), &json!({ "by": "printer-3" })));
    let [error] = &job["errors"].as_array().unwrap()[..] else { panic!("one error: {job}") };
    assert_eq!(
        (&error["attempt"], &error["consumer"], &error["error"]),
        (&json!(1), &json!("printer-2"), &json!("lease ran out"))
    );
    assert!(error["took_ms"].as_u64().unwrap() >= 1_000, "its lease was its own: {error}");
    let log = get(address, LOBBY).await.json();
    let said = &log["events"].as_array().unwrap()[1..];
    assert_eq!(said.len(), 1, "said once: {log}");
}

/// It takes as long for each job as this, and its leases are of a second.
fn slow(seconds: u32) -> String {
    let (lease, does) = ("lease_ms=30000", "    return {\"by\": ME}\n");
    program()
        .replace(lease, "lease_ms=1000")
        .replace(does, &format!("    time.sleep({seconds})\n{does}"))
}

#[tokio::test]
async fn a_job_that_takes_longer_than_its_lease_stays_with_its_documented_consumer() {
    let [data, here] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (_server, address) = serve(data.path(), "127.0.0.1:0");
    let path = format!("/api/v1/work/jobs/{}", add(address, "one").await);
    let _consumer = consume(here.path(), address, &slow(3), "printer-2");
    until(here.path(), async || get(address, &path).await.json()["state"] == "done").await;
    let job = get(address, &path).await.json();
    assert_eq!((&job["attempt"], &job["errors"]), (&json!(1), &json!([])), "{job}");
}

#[tokio::test]
async fn what_the_room_refuses_the_documented_consumer_is_found_with_the_dead_letter() {
    let [data, here] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (_server, address) = serve(data.path(), "127.0.0.1:0");
    // No room takes a message of so many characters.
    let title = "x".repeat(8_001);
    let path = format!("/api/v1/work/jobs/{}", add(address, &title).await);
    let _consumer = consume(here.path(), address, &program(), "printer-2");
    let errors = async || get(address, &path).await.json()["errors"].clone();
    until(here.path(), async || !errors().await.as_array().unwrap().is_empty()).await;
    let error = errors().await[0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("422 ") && error.contains("too_long"), "{error}");
    let log = get(address, LOBBY).await.json();
    assert_eq!(log["events"].as_array().unwrap().len(), 1, "nothing but its beginning: {log}");
}

#[tokio::test]
async fn what_the_documents_producer_sends_twice_is_one_job() {
    let [data, here] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (_server, address) = serve(data.path(), "127.0.0.1:0");
    let text = text();
    let line = text.lines().find(|line| line.starts_with("    say(\"/queues")).unwrap().trim();
    let program = program();
    let (says, _) = program.split_once("\ndef keep").unwrap();
    let twice = format!("{says}\n{line}\n{line}\n");
    let mut producer = consume(here.path(), address, &twice, "shop");
    assert!(producer.0.wait().unwrap().success());
    assert_eq!(get(address, QUEUE).await.json()["ready"], 1);
}
