//! `holdfast export` and a server that cannot for now: one that says what the test has it say.

use super::from_a_shell;
use crate::rig::PATIENCE;
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};

const FILE: &str = "{\"offset\":1}\n{\"offset\":2}\n{\"end\":{}}\n";

/// An answer whose body has so many bytes, of which these come.
fn answer(status: u16, length: usize, body: &str) -> String {
    let kind = if status < 300 { "application/json" } else { "application/problem+json" };
    format!("HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}")
}

fn whole(status: u16, body: &str) -> String {
    answer(status, body.len(), body)
}

fn refused(code: &str) -> String {
    whole(503, &format!("{{\"code\":\"{code}\",\"detail\":\"Not now.\"}}"))
}

/// Answers each request with the next of these, which have to be of these addresses, and ends. Its task
/// returns the heads that it got.
async fn server(script: Vec<(&'static str, String)>) -> (SocketAddr, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut heads = Vec::new();
        for (asked, answer) in script {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.windows(4).any(|it| it == b"\r\n\r\n") {
                assert!(stream.read_buf(&mut head).await.unwrap() > 0);
            }
            let said = String::from_utf8_lossy(&head).into_owned();
            assert!(said.starts_with(asked), "{asked}: {said}");
            heads.push(said);
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            // What was not read of the request would reset what was answered.
            let _ = stream.read_to_end(&mut head).await;
        }
        heads
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_asks_again_for_what_may_pass_and_goes_on_where_a_copy_broke_off() {
    let (ask, job, file) = (
        "POST /api/v1/chat/rooms/lobby/export ",
        "GET /api/v1/holdfast/jobs/7 ",
        "GET /api/v1/holdfast/exports/7 ",
    );
    let (address, served) = server(vec![
        (ask, refused("overloaded")),
        (ask, refused("draining")),
        (ask, whole(202, r#"{"job":"7"}"#)),
        (job, refused("storage_fault")),
        (job, String::new()),
        (job, whole(200, r#"{"state":"leased"}"#)),
        (job, whole(200, r#"{"state":"done"}"#)),
        (file, refused("overloaded")),
        (file, answer(200, FILE.len(), &FILE[..20])),
        (file, answer(200, FILE.len(), &FILE[..7])),
        (file, whole(200, FILE)),
    ])
    .await;
    let output = tokio::time::timeout(PATIENCE, from_a_shell(address, "lobby")).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), FILE);
    served.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_asks_once_for_what_stays_as_it_is() {
    let gone = whole(404, r#"{"code":"not_found","detail":"It is gone."}"#);
    let (address, served) = server(vec![
        ("POST ", whole(202, r#"{"job":"7"}"#)),
        ("GET ", whole(200, r#"{"state":"done"}"#)),
        ("GET ", gone),
    ])
    .await;
    let output = tokio::time::timeout(PATIENCE, from_a_shell(address, "lobby")).await.unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error, "holdfast: not_found: It is gone.\n");
    served.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_asks_for_one_export_whatever_comes_of_the_answers() {
    let gone = whole(404, r#"{"code":"not_found","detail":"It is gone."}"#);
    let mut keys = Vec::new();
    for _ in 0..2 {
        let (address, served) = server(vec![
            ("POST ", refused("overloaded")),
            ("POST ", String::new()),
            ("POST ", answer(202, 99, r#"{"job":"#)),
            ("POST ", whole(200, r#"{"job":"7"}"#)),
            ("GET ", gone.clone()),
        ])
        .await;
        let output = tokio::time::timeout(PATIENCE, from_a_shell(address, "lobby")).await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let heads = served.await.unwrap();
        let key = |head: &String| {
            let found = head.lines().find_map(|line| line.strip_prefix("idempotency-key: "));
            found.unwrap_or_else(|| panic!("no key: {head}")).to_owned()
        };
        let sent: Vec<_> = heads[..4].iter().map(key).collect();
        assert!(sent.iter().all(|key| *key == sent[0]), "{sent:?}");
        keys.push(sent[0].clone());
    }
    assert_ne!(keys[0], keys[1], "who asks anew gets one of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shell_gives_a_copy_up_that_breaks_off_again_and_again_where_it_was() {
    let cut = |length| ("GET ", answer(200, FILE.len(), &FILE[..length]));
    let mut script =
        vec![("POST ", whole(202, r#"{"job":"7"}"#)), ("GET ", whole(200, r#"{"state":"done"}"#))];
    script.extend([7; 6].map(cut));
    // Something new: it may break off as often as at first.
    script.extend([20; 11].map(cut));
    let (address, served) = server(script).await;
    let output = tokio::time::timeout(PATIENCE, from_a_shell(address, "lobby")).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), FILE[..20]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("holdfast: gave up after 10 tries: http://"), "{error}");
    served.await.unwrap();
}
