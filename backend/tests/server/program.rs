//! The program itself: what it prints, and how it ends.

use crate::{
    rig::{Answer, ask},
    talker::{Me, dial},
};
use holdfast_common::{
    error::Code,
    frame::{ClientFrame, ServerFrame},
};
use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, Command, Output, Stdio},
};

pub fn holdfast(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(arguments).arg("--data").arg(data);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("HOLDFAST_") {
            command.env_remove(name);
        }
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it and returns the address that it prints.
pub fn started(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let out = child.stdout.as_mut().unwrap();
    BufReader::new(out).read_line(&mut line).unwrap();
    let address = line.strip_prefix("listening on http://").unwrap_or_else(|| {
        let mut error = String::new();
        child.stderr.as_mut().unwrap().read_to_string(&mut error).unwrap();
        panic!("{line}{error}")
    });
    (child, address.trim_end().to_owned())
}

pub fn terminate(child: &Child) {
    let status = Command::new("kill").arg(child.id().to_string()).status();
    assert!(status.unwrap().success());
}

/// One line on stderr and this code.
fn is_one_line(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(output.stdout.is_empty());
    text
}

#[test]
fn it_says_where_it_listens_and_sigterm_ends_it_with_0() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["--listen", "127.0.0.1:0"]] {
        let (mut child, address) = started(holdfast(arguments, folder.path()));
        assert!(address.starts_with("127.0.0.1:"), "{address}");
        terminate(&child);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[tokio::test]
async fn sigterm_tells_the_clients_when_to_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let options = ["--listen", "127.0.0.1:0", "--away-ms", "700"];
    let (mut child, address) = started(holdfast(&options, folder.path()));
    let mut wire = dial(address.parse().unwrap(), Some("holdfast.v1")).await;
    wire.send(&ClientFrame::Hello(Me::new("Anna").hello())).await;
    wire.find(|frame| matches!(frame, ServerFrame::Live(_)).then_some(())).await;
    terminate(&child);
    let away = |frame| match frame {
        ServerFrame::Away(away) => Some(away.after.0),
        _ => None,
    };
    assert_eq!(wire.find(away).await, 700);
    assert_eq!(wire.closed().await, Some(Code::GoingAway));
    while wire.message().await.is_some() {}
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn every_option_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.env("HOLDFAST_LISTEN", "127.0.0.1:0").env("HOLDFAST_DATA", folder.path());
    command.arg("serve").stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, address) = started(command);
    assert_ne!(address, "127.0.0.1:3000");
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_fault_at_start_is_one_line_and_exit_code_1() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let elsewhere = tempfile::tempdir().unwrap();
    let taken = holdfast(&["--listen", &address], elsewhere.path()).output().unwrap();
    assert!(is_one_line(&taken, 1).contains(&address));
    let same = holdfast(&["--listen", "127.0.0.1:0"], folder.path()).output().unwrap();
    is_one_line(&same, 1);
    let open = holdfast(&["--listen", "0.0.0.0:0"], elsewhere.path()).output().unwrap();
    assert!(is_one_line(&open, 1).contains("sign-in"));
    let file = elsewhere.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let no_folder = holdfast(&["--listen", "127.0.0.1:0"], &file).output().unwrap();
    is_one_line(&no_folder, 1);
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

async fn read(address: &str, query: &str) -> Answer {
    let head = format!("GET {LOBBY}?{query} HTTP/1.1\r\nhost: {address}\r\n");
    ask(address.parse().unwrap(), &head, b"").await
}

/// Runs the program on the folder, appends so many messages, and ends it. Returns what the reader
/// who asks like this is answered then.
async fn appended(folder: &Path, count: usize, query: &str) -> Answer {
    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder));
    for _ in 0..count {
        let body = br#"{"type":"message","data":{"text":"x"}}"#;
        let head = format!(
            "POST {LOBBY} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n",
            body.len()
        );
        assert_eq!(ask(address.parse().unwrap(), &head, body).await.status, 201);
    }
    let answer = read(&address, query).await;
    terminate(&child);
    assert!(child.wait().unwrap().success());
    answer
}

fn copy(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

#[tokio::test]
async fn who_read_a_log_that_was_set_back_and_has_grown_again_starts_over() {
    let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    appended(folder.path(), 1, "").await;
    copy(folder.path(), backup.path());
    let first = appended(folder.path(), 2, "").await.json();
    let (epoch, last) = (first["epoch"].as_str().unwrap(), &first["events"][3]);
    assert_eq!(last["offset"], 4);
    let mark = last["mark"].as_str().unwrap();

    let forgotten = tempfile::tempdir().unwrap();
    copy(backup.path(), forgotten.path());
    let by_mark = format!("epoch={epoch}&after=4&mark={mark}");
    let answer = appended(forgotten.path(), 5, &by_mark).await;
    answer.is(409, "reset");
    assert_eq!(answer.json()["reason"], "forked", "the marks tell, whatever else was forgotten");

    let told = holdfast(&["restored"], backup.path()).output().unwrap();
    assert!(told.status.success(), "{told:?}");
    assert_eq!(String::from_utf8_lossy(&told.stdout), "1 logs have a new epoch\n");
    let answer = appended(backup.path(), 5, &format!("epoch={epoch}&after=4")).await;
    answer.is(409, "reset");
    assert_eq!(answer.json()["reason"], "epoch");
    let now = answer.json()["epoch"].clone();
    assert_ne!(now, epoch);
    let again = appended(backup.path(), 0, "after=4").await.json();
    assert_eq!((&again["epoch"], &again["events"][0]["offset"]), (&now, &5.into()));
}

#[test]
fn what_is_in_use_or_holds_nothing_was_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let none = holdfast(&["restored"], folder.path()).output().unwrap();
    assert!(is_one_line(&none, 1).contains("no database"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let (mut child, _) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let used = holdfast(&["restored"], folder.path()).output().unwrap();
    assert!(is_one_line(&used, 1).contains("another server"));
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

#[tokio::test]
async fn what_is_no_http_is_answered_by_its_status_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
    let host = format!("host: {address}\r\n");
    let many: String = (0..101).map(|n| format!("x-{n}: 1\r\n")).collect();
    for (head, status) in
        [("NONSENSE\r\n".to_owned(), 400), (format!("GET /healthz HTTP/1.1\r\n{host}{many}"), 431)]
    {
        let answer = ask(address.parse().unwrap(), &head, b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (status, ""));
    }
    let long = "x".repeat(31 * 1024);
    let head = format!("GET /healthz HTTP/1.1\r\n{host}x-long: {long}\r\n");
    assert_eq!(ask(address.parse().unwrap(), &head, b"").await.status, 200);
    terminate(&child);
    assert!(child.wait().unwrap().success());
}

/// Where the system allows fewer files than there may be connections, those are refused that would
/// have none, before the database has none.
#[cfg(unix)]
#[tokio::test]
async fn there_are_no_more_connections_than_files_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = holdfast(&["--listen", "127.0.0.1:0"], folder.path());
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 386 && exec \"$0\" \"$@\""]);
    command.arg(server.get_program()).args(server.get_args());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, address) = started(command);
    let healthz = format!("GET /healthz HTTP/1.1\r\nhost: {address}\r\n");
    let read = format!("GET {LOBBY} HTTP/1.1\r\nhost: {address}\r\n");
    let address = address.parse().unwrap();
    let two = [dial(address, Some("holdfast.v1")).await, dial(address, Some("holdfast.v1")).await];
    ask(address, &read, b"").await.is(503, "overloaded");
    assert_eq!(ask(address, &healthz, b"").await.status, 200);
    drop(two);
    terminate(&child);
    assert!(child.wait().unwrap().success());
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("fewer connections most=2"), "{log}");
}

#[test]
fn wrong_options_are_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["--nonsense"][..], &["--listen", "nowhere"], &["serve", "--window", "0"]] {
        let output = holdfast(arguments, folder.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty());
    }
}

/// Needs a server with failpoints: `cargo test --features failpoints`.
#[cfg(feature = "failpoints")]
mod failpoints {
    use super::*;
    use holdfast_common::{
        codec,
        frame::Emit,
        id::{EventId, RoomId},
    };

    async fn emitted(address: &str, me: &mut Me, id: EventId) -> (crate::talker::Wire, RoomId) {
        let mut wire = dial(address.parse().unwrap(), Some("holdfast.v1")).await;
        wire.send(&ClientFrame::Hello(me.hello())).await;
        let live = |frame| match frame {
            ServerFrame::Live(live) => Some(live.room),
            _ => None,
        };
        let room = wire.find(live).await;
        let (ns, kind) = ("chat".to_owned(), "message".to_owned());
        let emit = ClientFrame::Emit(Emit { ns, room, n: 1, floor: 0, id, kind });
        wire.text(codec::write_client_with(&emit, r#"{"text":"held"}"#)).await;
        (wire, room)
    }

    async fn acked(wire: &mut crate::talker::Wire) -> u64 {
        let ack = |frame| match frame {
            ServerFrame::Ack(ack) => Some(ack.offset),
            _ => None,
        };
        wire.find(ack).await
    }

    #[tokio::test]
    async fn killed_between_commit_and_ack_the_event_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        // The first commit is the lobby's.
        let mut command = holdfast(&["--listen", "127.0.0.1:0"], folder.path());
        command.env("HOLDFAST_FAILPOINT", "after_commit_before_ack:kill:2");
        let (mut child, address) = started(command);
        let mut me = Me::new("Anna");
        let id = EventId::from_bytes(crate::talker::fresh());
        let (mut wire, _) = emitted(&address, &mut me, id).await;
        while wire.message().await.is_some() {}
        assert!(!child.wait().unwrap().success());
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert!(error.contains("failpoint fired: after_commit_before_ack:kill"), "{error}");

        let (mut child, address) = started(holdfast(&["--listen", "127.0.0.1:0"], folder.path()));
        let (mut wire, _) = emitted(&address, &mut me, id).await;
        assert_eq!(acked(&mut wire).await, 2);
        terminate(&child);
        assert!(child.wait().unwrap().success());
    }

    #[tokio::test]
    async fn an_ack_that_is_swallowed_comes_again_with_the_event() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = holdfast(&["--listen", "127.0.0.1:0"], folder.path());
        command.env("HOLDFAST_FAILPOINT", "drop_ack:1");
        let (mut child, address) = started(command);
        let mut me = Me::new("Anna");
        let id = EventId::from_bytes(crate::talker::fresh());
        let (mut wire, _) = emitted(&address, &mut me, id).await;
        let own = |frame| matches!(frame, ServerFrame::Entries(_)).then_some(());
        wire.find(own).await;
        drop(wire);
        let (mut wire, _) = emitted(&address, &mut me, id).await;
        assert_eq!(acked(&mut wire).await, 2);
        terminate(&child);
        assert!(child.wait().unwrap().success());
    }
}
