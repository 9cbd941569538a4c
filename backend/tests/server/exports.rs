//! Exports: a room's log as a file.

#[cfg(unix)]
mod files;
mod refused;
mod shell;
mod slow;

use crate::{
    faulty::{Faulty, passing},
    program::{holdfast, started, terminate},
    rig::{Answer, PATIENCE, Rig, ask},
    talker::Me,
};
use holdfast_backend::{
    app::Builder,
    engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine},
    export::Exports,
};
use holdfast_common::{
    storage::{Fault, Inbox, jobs::How},
    time::Millis,
};
use serde_json::{Value, json};
use std::{
    net::SocketAddr,
    path::Path,
    process::{Command, Output},
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

const ROOM: &str = "/api/v1/chat/rooms/lobby";
const QUEUE: &str = "/api/v1/holdfast/queues/exports";

/// A folder with what is usual in it.
fn exports(folder: &Path) -> Exports {
    let (folder, pace) = (folder.join("exports"), Duration::from_secs(30));
    Exports { folder, keep: Millis(3_600_000), bytes: 1 << 30, pace }
}

/// A server with a folder for exports, which does not wait long before it tries again.
async fn start(build: impl FnOnce(Exports) -> Exports) -> Rig {
    let folder = tempfile::tempdir().unwrap();
    let engine = SqliteEngine::open(folder.path()).unwrap();
    let exports = build(exports(folder.path()));
    let rig = Rig::start(Arc::new(engine), Some(folder), |builder| builder.exports(exports)).await;
    quick(rig.address).await;
    rig
}

async fn quick(server: SocketAddr) {
    assert_eq!(post(server, &format!("{QUEUE}/settings"), r#"{"backoff_ms":1}"#).await.status, 200);
}

async fn get(server: SocketAddr, path: &str) -> Answer {
    ask(server, &format!("GET {path} HTTP/1.1\r\nhost: {server}\r\n"), b"").await
}

async fn post(server: SocketAddr, path: &str, body: &str) -> Answer {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {server}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n",
        body.len()
    );
    ask(server, &head, body.as_bytes()).await
}

async fn emit(server: SocketAddr, kind: &str, data: &str) -> Value {
    let body = format!(r#"{{"type":"{kind}","data":{data}}}"#);
    let said = post(server, &format!("{ROOM}/events"), &body).await;
    assert_eq!(said.status, 201, "{}", said.text());
    said.json()
}

/// More messages than one read of the log has: between their parts are many ends of lines.
async fn say_much(server: SocketAddr) {
    let blanks = "\r\n  \t".repeat(12_000);
    for n in 0..40 {
        emit(server, "message", &format!("{{{blanks}\"text\":\"grüß\\ndich {n}\"\n}}")).await;
    }
}

/// Asks for the lobby's export.
async fn begin(server: SocketAddr) -> String {
    let asked = post(server, &format!("{ROOM}/export"), "").await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    asked.json()["job"].as_str().unwrap().to_owned()
}

/// The job, once it is in this state.
async fn until(server: SocketAddr, job: &str, state: &str) -> Value {
    let begun = Instant::now();
    loop {
        let now = get(server, &format!("/api/v1/holdfast/jobs/{job}")).await.json();
        if now["state"] == state {
            return now;
        }
        assert!(begun.elapsed() < 2 * PATIENCE, "{now}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn file(server: SocketAddr, job: &str) -> Answer {
    get(server, &format!("/api/v1/holdfast/exports/{job}")).await
}

fn lines(file: &Answer) -> Vec<Value> {
    assert_eq!(file.status, 200, "{}", file.text());
    let text = String::from_utf8(file.body.clone()).unwrap();
    assert!(text.ends_with('\n') && !text.contains('\r'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The whole log, as a reader by HTTP gets it.
async fn log(server: SocketAddr) -> (Value, Vec<Value>) {
    let (mut after, mut events) = (0, Vec::new());
    loop {
        let read = get(server, &format!("{ROOM}/events?limit=7&after={after}")).await.json();
        events.extend(read["events"].as_array().unwrap().clone());
        after = events.last().map_or(0, |event| event["offset"].as_u64().unwrap());
        if after == read["head"].as_u64().unwrap() {
            return (read["epoch"].clone(), events);
        }
    }
}

/// Asserts that the export has each entry as the log has it, and says so at its end.
async fn is_whole(server: SocketAddr, job: &str) {
    let done = until(server, job, "done").await;
    let file = file(server, job).await;
    let mut lines = lines(&file);
    let (epoch, events) = log(server).await;
    let (entries, head) = (events.len(), events.last().unwrap()["offset"].clone());
    let end = json!({ "end": { "epoch": epoch, "head": head, "entries": entries } });
    assert_eq!(lines.pop(), Some(end));
    assert_eq!(lines, events);
    let bytes = file.body.len();
    let result = json!({ "entries": entries, "bytes": bytes, "epoch": epoch, "head": head });
    assert_eq!(done["result"], result);
}

#[tokio::test]
async fn an_export_has_each_entry_as_the_log_has_it_and_the_hollow_ones_too() {
    let folder = tempfile::tempdir().unwrap();
    let build = |builder: Builder| builder.exports(exports(folder.path()));
    let memory = Rig::start(Arc::new(MemoryEngine::new()), None, build).await;
    for rig in [memory, start(|exports| exports).await] {
        say_much(rig.address).await;
        let gone = emit(rig.address, "message", r#"{"text":"not for ever"}"#).await;
        let delete = json!({ "target": gone["id"] }).to_string();
        emit(rig.address, "delete", &delete).await;
        let job = begin(rig.address).await;
        is_whole(rig.address, &job).await;
        let file = file(rig.address, &job).await;
        assert!(file.body.len() > 2 * 1024 * 1024, "one read has no more than half of it");
        assert!(file.text().contains(r#""type":"hollow""#) && !file.text().contains("for ever"));
        assert_eq!(file.header("content-type"), "application/x-ndjson");
        assert_eq!(file.header("content-length"), file.body.len().to_string());
        let name = format!("attachment; filename=\"chat-lobby-{job}.jsonl\"");
        assert_eq!(file.header("content-disposition"), name);
    }
}

#[tokio::test]
async fn each_export_of_a_room_is_a_file_of_its_own_up_to_the_head_at_its_beginning() {
    let rig = start(|exports| exports).await;
    emit(rig.address, "message", r#"{"text":"one"}"#).await;
    let first = begin(rig.address).await;
    until(rig.address, &first, "done").await;
    let before = file(rig.address, &first).await.text();
    emit(rig.address, "message", r#"{"text":"two"}"#).await;
    let (second, third) = (begin(rig.address).await, begin(rig.address).await);
    is_whole(rig.address, &second).await;
    is_whole(rig.address, &third).await;
    assert_eq!(file(rig.address, &first).await.text(), before);
    assert!(!before.contains("two"));
}

#[tokio::test]
async fn what_was_trimmed_is_noted_before_the_first_entry_that_is_left() {
    let rig = start(|exports| exports).await;
    for n in 0..5 {
        emit(rig.address, "message", &format!(r#"{{"text":"{n}"}}"#)).await;
    }
    rig.engine.trim(rig.lobby, 4).await.unwrap();
    let job = begin(rig.address).await;
    until(rig.address, &job, "done").await;
    let read = lines(&file(rig.address, &job).await);
    let gap = json!({ "gap": { "from": 1, "to": 3, "count": 3, "reason": "trimmed" } });
    assert_eq!(read[0], gap);
    let offsets: Vec<_> = read[1..4].iter().map(|event| event["offset"].clone()).collect();
    assert_eq!(offsets, [4, 5, 6]);
    assert_eq!((&read[4]["end"]["entries"], read.len()), (&json!(3), 5));
    rig.engine.trim(rig.lobby, 100).await.unwrap();
    let job = begin(rig.address).await;
    until(rig.address, &job, "done").await;
    let read = lines(&file(rig.address, &job).await);
    assert_eq!((&read[0]["gap"]["to"], &read[1]["end"]["entries"]), (&json!(6), &json!(0)));
}

#[tokio::test]
async fn the_same_key_is_the_same_export_and_for_another_room_a_mismatch() {
    let folder = tempfile::tempdir().unwrap();
    let build =
        |builder: Builder| builder.exports(exports(folder.path())).welcome_room("chat", "ward");
    let rig = Rig::start(Arc::new(MemoryEngine::new()), None, build).await;
    let export = async |room: &str| {
        rig.post(&format!("/api/v1/{room}/export"), "idempotency-key: monthly\r\n", "{}").await
    };
    let (first, again) = (export("chat/rooms/lobby").await, export("chat/rooms/lobby").await);
    assert_eq!((first.status, again.status), (202, 200));
    assert_eq!(first.json(), again.json());
    export("chat/rooms/ward").await.is(422, "idempotency_mismatch");
}

/// In which attempt an export is done, if reading the log goes well so often and then fails like this, and
/// how its leases ended.
async fn attempt_after(good: u32, faults: Vec<Fault>) -> (Value, Vec<How>) {
    let folder = tempfile::tempdir().unwrap();
    let build = |builder: Builder| builder.exports(exports(folder.path()));
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, build).await;
    quick(rig.address).await;
    say_much(rig.address).await;
    engine.good_slices.store(good, Ordering::SeqCst);
    *engine.bad_slices.lock().unwrap() = faults;
    let job = begin(rig.address).await;
    until(rig.address, &job, "done").await;
    assert!(engine.bad_slices.lock().unwrap().is_empty());
    is_whole(rig.address, &job).await;
    let ended = engine.ends.lock().unwrap().clone();
    (until(rig.address, &job, "done").await["attempt"].clone(), ended)
}

#[tokio::test]
async fn a_storage_that_cannot_say_costs_an_export_time_and_no_attempt_and_no_snooze() {
    for fault in passing() {
        let (attempt, ended) = attempt_after(0, vec![fault]).await;
        assert_eq!(attempt, 1);
        let [How::HandBack { delay: Millis(1..) }, How::Complete { .. }] = ended[..] else {
            panic!("{ended:?}");
        };
    }
}

#[tokio::test]
async fn an_export_that_is_under_way_goes_on_where_it_was_once_the_storage_can_say_again() {
    let (attempt, ended) = attempt_after(1, [passing(), passing()].concat()).await;
    assert_eq!(attempt, 1);
    assert!(matches!(ended[..], [How::Complete { .. }]), "{ended:?}");
}

#[tokio::test]
async fn an_export_leaves_its_place_to_others_when_the_storage_cannot_say_for_long() {
    let (attempt, ended) = attempt_after(1, vec![Fault::Overloaded; 21]).await;
    assert_eq!(attempt, 1);
    assert!(matches!(ended[..], [How::HandBack { .. }, How::Complete { .. }]), "{ended:?}");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_costs_an_export_an_attempt() {
    let fault = Fault::Failed("a page cannot be read".to_owned());
    let (attempt, ended) = attempt_after(1, vec![fault]).await;
    assert_eq!(attempt, 2);
    assert!(matches!(ended[0], How::Fail { .. }), "{ended:?}");
}

/// Runs `holdfast export`, away from the runtime that serves.
async fn from_a_shell(server: SocketAddr, room: &str) -> Output {
    let (server, room) = (format!("http://{server}"), room.to_owned());
    let run = move || {
        let words = ["export", "--server", &server, "chat", &room];
        Command::new(env!("CARGO_BIN_EXE_holdfast")).args(words).output().unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_is_exported_from_a_shell_or_there_is_one_line_that_says_why_not() {
    let rig = start(|exports| exports).await;
    say_much(rig.address).await;
    let output = from_a_shell(rig.address, "lobby").await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let job = &get(rig.address, &format!("{QUEUE}/jobs?state=done")).await.json()["jobs"][0];
    let file = file(rig.address, job["id"].as_str().unwrap()).await;
    assert!(output.stdout == file.body && file.body.len() > 2 * 1024 * 1024);
    let none = from_a_shell(rig.address, "attic").await;
    assert_eq!((none.status.code(), none.stdout.len()), (Some(1), 0));
    let error = String::from_utf8(none.stderr).unwrap();
    assert_eq!(error, "holdfast: unknown_room: There is no such room.\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_that_waits_for_an_export_gets_it_also_of_a_server_that_was_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let server = address.parse().unwrap();
    assert_eq!(post(server, &format!("{QUEUE}/pause"), "").await.status, 200);
    let shell = tokio::spawn(from_a_shell(server, "lobby"));
    let begun = Instant::now();
    while get(server, QUEUE).await.json()["ready"] == 0 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    terminate(&child);
    assert!(child.wait().unwrap().success());
    let (mut child, _) = started(holdfast(&["--listen", &address], folder.path()));
    assert_eq!(post(server, &format!("{QUEUE}/resume"), "").await.status, 200);
    let output = shell.await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stdout.ends_with(b"\n") && output.stdout.starts_with(b"{\"offset\":1,"));
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn who_asked_for_an_export_hears_of_its_end() {
    let rig = start(|exports| exports).await;
    let me = Me::new("Anna");
    let auth = format!("authorization: Holdfast {}:{}\r\n", me.person, me.secret);
    let asked = rig.post(&format!("{ROOM}/export"), &auth, "").await.json();
    let begun = Instant::now();
    let told = loop {
        if let Inbox::Room(info) = rig.engine.inbox(me.person, "work").await.unwrap() {
            let slice = rig.engine.slice(info.room, 1, 9, 1 << 20).await.unwrap().unwrap();
            if let Some((_, entry)) = slice.entries.first() {
                break serde_json::from_str::<Value>(entry).unwrap();
            }
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let data = &told["data"];
    assert_eq!(data["job"], asked["job"]);
    assert_eq!(data["result"]["entries"], 1);
    let bytes = &data["result"]["bytes"];
    let text = format!("The export of “lobby” is done: 1 entry, {bytes} bytes");
    assert_eq!(data["text"], text);
}
