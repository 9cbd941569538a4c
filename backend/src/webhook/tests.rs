//! Attempts, with small servers at the other end.

mod names;
mod receiver;
mod safe;

use super::{
    Inside, Public, Secret, Sender, Targets,
    client::{Message, Outcome, Patience},
    sign::signatures,
    target::BadTarget,
};
use axum::body::Bytes;
use holdfast_common::{
    id::JobId,
    system::{NotDelivered, Undelivered},
    time::{Millis, Timestamp},
};
use receiver::{Receiver, quiet};
use std::{net::SocketAddr, time::Duration};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::rustls::RootCertStore;

const BODY: &[u8] = br#"{"type":"chat.message"}"#;
const AT: Timestamp = Timestamp(1_795_305_600_000); // 22 November 2026

fn id() -> JobId {
    JobId::new(AT.0, &[7; 10])
}

/// One that has a target inside.
fn sender(inside: SocketAddr, patience: Patience) -> Sender {
    let inside: Inside = inside.to_string().parse().unwrap();
    let targets = Targets { inside: vec![inside], ..Targets::default() };
    Sender::trusting(RootCertStore::empty(), targets, patience)
}

/// A worker is moved between threads, and so is what it does.
fn movable<F: Future + Send>(future: F) -> F {
    future
}

async fn deliver(sender: &Sender, url: &str) -> Outcome {
    let secrets = [Secret::of(vec![1; 32]).unwrap()];
    let body = Bytes::from_static(BODY);
    let message = Message { id: id(), at: AT, body, secrets: &secrets };
    let attempt = movable(sender.deliver(url, &message));
    tokio::time::timeout(Duration::from_secs(40), attempt).await.expect("an attempt ends")
}

/// What becomes of an attempt that is answered with this, and then no more.
async fn answered(answer: impl Into<Vec<u8>>) -> Outcome {
    let receiver = Receiver::answering(answer.into()).await;
    let outcome = deliver(&sender(receiver.at, calm()), &receiver.url("/")).await;
    receiver.had().await;
    outcome
}

#[track_caller]
fn failure(outcome: &Outcome) -> &NotDelivered {
    match outcome {
        Outcome::Failed { why, .. } => why,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn reason(outcome: &Outcome) -> &str {
    &failure(outcome).detail
}

#[track_caller]
fn code(outcome: &Outcome) -> Undelivered {
    failure(outcome).code
}

/// Long enough for a machine that has much to do.
fn calm() -> Patience {
    let long = Duration::from_secs(30);
    Patience { name: long, connect: long, whole: long, rest: long }
}

/// Short where something is waited for that never comes.
fn short() -> Patience {
    Patience { whole: Duration::from_millis(300), ..calm() }
}

#[tokio::test]
async fn the_receiver_gets_one_signed_request() {
    let receiver = Receiver::answering(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()).await;
    let (one, two) = (Secret::of(vec![1; 32]).unwrap(), Secret::of(vec![2; 24]).unwrap());
    let secrets = [one, two];
    let message = Message { id: id(), at: AT, body: Bytes::from_static(BODY), secrets: &secrets };
    let url = receiver.url("/hooks/%7Ea?b=c&d");
    let outcome = sender(receiver.at, calm()).deliver(&url, &message).await;
    assert_eq!(outcome, Outcome::Delivered(204));
    let (at, had) = (receiver.at, receiver.had().await);
    let (head, body) = had.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("POST /hooks/%7Ea?b=c&d HTTP/1.1"));
    let signed = signatures(&secrets, &id().to_string(), AT, BODY);
    let mut lines: Vec<_> = lines.collect();
    lines.sort_unstable();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        lines,
        [
            "connection: close".to_owned(),
            format!("content-length: {}", BODY.len()),
            "content-type: application/json".to_owned(),
            format!("host: {at}"),
            format!("user-agent: holdfast/{version}"),
            format!("webhook-id: {}", id()),
            format!("webhook-signature: {signed}"),
            "webhook-timestamp: 1795305600".to_owned(),
        ]
    );
    assert_eq!(body.as_bytes(), BODY);
    assert_eq!(signed.matches("v1,").count(), 2);
}

#[tokio::test]
async fn every_status_of_success_is_a_delivery_and_410_ends_it() {
    for status in [200, 201, 202, 299] {
        let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 2\r\n\r\nok");
        assert_eq!(answered(answer).await, Outcome::Delivered(status));
    }
    assert_eq!(answered("HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n").await, Outcome::Gone);
    let early = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(answered(early).await, Outcome::Delivered(200));
}

#[tokio::test]
async fn another_status_is_a_failure_with_its_reason() {
    for status in
        ["400 Bad Request", "401 Unauthorized", "404 Not Found", "503 Service Unavailable"]
    {
        let outcome = answered(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n")).await;
        let number = status[..3].parse().unwrap();
        let detail = format!("the receiver answered {status}");
        let why = NotDelivered { code: Undelivered::Refused, status: Some(number), detail };
        assert_eq!(outcome, Outcome::Failed { why, retry_after: None });
    }
}

#[tokio::test]
async fn a_receiver_can_say_when_to_come_back() {
    let answer =
        |when: &str| format!("HTTP/1.1 500 No\r\nretry-after: {when}\r\ncontent-length: 0\r\n\r\n");
    for (when, then) in [
        ("90", Some(Millis(90_000))),
        ("Sun, 22 Nov 2026 00:02:00 GMT", Some(Millis(120_000))),
        ("1000000", Some(Millis(43_200_000))),
        ("later", None),
    ] {
        let outcome = answered(answer(when)).await;
        let Outcome::Failed { retry_after, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(retry_after, then, "{when}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_leads_nowhere() {
    for status in [301, 302, 303, 307, 308] {
        let (elsewhere, listener) = quiet();
        let answer = format!(
            "HTTP/1.1 {status} So\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
        );
        let receiver = Receiver::answering(answer.into_bytes()).await;
        // It would be allowed there as well.
        let inside = [receiver.at, elsewhere].map(|it| it.to_string().parse().unwrap());
        let targets = Targets { inside: inside.to_vec(), ..Targets::default() };
        let sender = Sender::trusting(RootCertStore::empty(), targets, calm());
        let outcome = deliver(&sender, &receiver.url("/")).await;
        assert!(reason(&outcome).ends_with("and redirects are not followed"), "{outcome:?}");
        assert_eq!(
            (code(&outcome), failure(&outcome).status),
            (Undelivered::Redirected, Some(status))
        );
        assert!(listener.accept().is_err(), "{status} was followed");
    }
}

#[tokio::test]
async fn nobody_connects_to_what_is_not_allowed_or_not_public() {
    let (at, listener) = quiet();
    let public: Public = format!("localhost:{}", at.port()).parse().unwrap();
    let targets = Targets { public: vec![public], ..Targets::default() };
    let sender = Sender::new(targets, Duration::from_secs(15));
    let refused = async |host| {
        let url = format!("https://{host}:{}/", at.port());
        sender.check(&url).await.unwrap_err()
    };
    assert!(matches!(refused("127.0.0.1").await, BadTarget::NotAllowed { .. }));
    assert_eq!(refused("localhost").await, BadTarget::Inside);
    let outcome = deliver(&sender, &format!("https://{at}/")).await;
    assert!(reason(&outcome).contains("not allowed by this server's --webhook-target"));
    assert_eq!(code(&outcome), Undelivered::TargetRefused);
    let outcome = deliver(&sender, &format!("https://localhost:{}/", at.port())).await;
    assert_eq!(reason(&outcome), "the host has no public address");
    assert_eq!(code(&outcome), Undelivered::TargetRefused);
    assert!(listener.accept().is_err(), "somebody connected");
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_a_failure() {
    let (at, listener) = quiet();
    drop(listener);
    let outcome = deliver(&sender(at, calm()), &format!("http://{at}/")).await;
    assert!(reason(&outcome).starts_with("the receiver cannot be reached: "), "{outcome:?}");
    assert_eq!(code(&outcome), Undelivered::Unreachable);
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_a_failure() {
    // It takes the connection and no more, as the backlog of a listener does.
    let (at, _listener) = quiet();
    let outcome = deliver(&sender(at, short()), &format!("http://{at}/")).await;
    assert_eq!(reason(&outcome), "the receiver did not answer within 300ms");
    assert_eq!(code(&outcome), Undelivered::Slow);
}

#[tokio::test]
async fn a_receiver_that_answers_byte_by_byte_is_a_failure() {
    let receiver = Receiver::of(async |mut stream| {
        for byte in b"HTTP/1.1 200 OK\r\n".iter().chain(b"x: y\r\n".iter().cycle()) {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let receiver = receiver.await;
    let outcome = deliver(&sender(receiver.at, short()), &receiver.url("/")).await;
    assert_eq!(reason(&outcome), "the receiver did not answer within 300ms");
    assert_eq!(code(&outcome), Undelivered::Slow);
}

#[tokio::test]
async fn a_receiver_that_is_always_about_to_answer_is_a_failure() {
    let receiver = Receiver::of(async |mut stream| {
        let soon = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
        while stream.write_all(&soon).await.is_ok() {}
    });
    let receiver = receiver.await;
    let outcome = deliver(&sender(receiver.at, short()), &receiver.url("/")).await;
    assert_eq!(reason(&outcome), "the receiver did not answer within 300ms");
    assert_eq!(code(&outcome), Undelivered::Slow);
}

#[tokio::test]
async fn a_webhook_may_be_made_while_its_name_is_not_found() {
    // A label of more than 63 bytes (RFC 1035) is not even asked for.
    let host = format!("{}.example.org", "a".repeat(64));
    let public = vec!["*.example.org".parse().unwrap()];
    let targets = Targets { public, ..Targets::default() };
    let sender = Sender::new(targets, Duration::from_secs(15));
    let target = sender.check(&format!("https://{host}")).await.unwrap();
    assert_eq!(target.url(), format!("https://{host}/"));
    let outcome = deliver(&sender, target.url()).await;
    assert!(reason(&outcome).starts_with("the name of the host was not found"), "{outcome:?}");
    assert_eq!(code(&outcome), Undelivered::UnknownHost);
}

#[tokio::test]
async fn who_says_that_they_have_it_has_it_whatever_follows() {
    let whole = Duration::from_secs(30);
    let patience = Patience { rest: Duration::from_millis(100), whole, ..calm() };
    // A body that never ends, one that never comes, and one that breaks off.
    let endless = Receiver::of(async |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
    });
    let never = Receiver::of(async |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n").await;
        let _ = stream.read(&mut [0]).await;
    });
    let broken = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffff\r\nx".to_vec();
    for receiver in [endless.await, never.await, Receiver::answering(broken).await] {
        let outcome = deliver(&sender(receiver.at, patience), &receiver.url("/")).await;
        assert_eq!(outcome, Outcome::Delivered(200));
    }
}

#[tokio::test]
async fn a_head_that_comes_in_time_decides_although_what_follows_does_not() {
    let patience = Patience { rest: Duration::from_millis(600), ..short() };
    for (head, means) in [("200 OK", Outcome::Delivered(200)), ("410 Gone", Outcome::Gone)] {
        let receiver = Receiver::of(async move |mut stream| {
            let head = format!("HTTP/1.1 {head}\r\ncontent-length: 9\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.read(&mut [0]).await;
        });
        let receiver = receiver.await;
        assert_eq!(deliver(&sender(receiver.at, patience), &receiver.url("/")).await, means);
    }
}

#[tokio::test]
async fn an_answer_is_read_to_its_end_so_that_nobody_is_cut_off() {
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-length: 40000\r\n\r\n".to_vec();
    answer.extend([b'x'; 40_000]);
    let receiver = Receiver::of(async move |mut stream| {
        stream.write_all(&answer).await.unwrap();
        // The connection ends in peace: nothing that was sent is left unread.
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
    });
    let receiver = receiver.await;
    let outcome = deliver(&sender(receiver.at, calm()), &receiver.url("/")).await;
    assert_eq!(outcome, Outcome::Delivered(200));
    receiver.had().await;
}

#[tokio::test]
async fn a_head_of_great_length_is_a_failure() {
    let receiver = Receiver::of(async |mut stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
    });
    let receiver = receiver.await;
    let outcome = deliver(&sender(receiver.at, calm()), &receiver.url("/")).await;
    assert!(reason(&outcome).contains("a head of more than 65536 bytes"), "{outcome:?}");
    let long =
        |bytes| format!("HTTP/1.1 200 OK\r\nx: {}\r\ncontent-length: 0\r\n\r\n", "x".repeat(bytes));
    assert_eq!(answered(long(60_000)).await, Outcome::Delivered(200));
    let outcome = answered(long(100_000)).await;
    assert!(reason(&outcome).contains("a head of more than 65536 bytes"), "{outcome:?}");
    let lines = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(2_000));
    let outcome = answered(lines).await;
    assert!(reason(&outcome).contains("of too many lines"), "{outcome:?}");
    assert_eq!(code(&outcome), Undelivered::BadAnswer);
}

#[tokio::test]
async fn what_is_not_http_is_a_failure() {
    for answer in [
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n",
    ] {
        let outcome = answered(answer).await;
        let is = reason(&outcome).starts_with("what the receiver answered is not HTTP: ");
        assert!(is, "{answer}: {outcome:?}");
        assert_eq!(code(&outcome), Undelivered::BadAnswer);
    }
}

#[tokio::test]
async fn a_connection_that_is_closed_early_is_a_failure() {
    for answer in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n"] {
        let outcome = answered(answer).await;
        let closed = "the receiver closed the connection without an answer";
        assert_eq!(reason(&outcome), closed, "{answer}");
        assert_eq!(code(&outcome), Undelivered::Broken);
    }
}
