//! When things go wrong: a full disk, a bug, readers that do not read, peers that are gone.

use crate::{
    faulty::Faulty,
    rig::{PATIENCE, Rig},
    talker::{Me, Talker, cursor, dial, fresh, text},
};
use holdfast_backend::engine::Engine;
use holdfast_common::{
    codec,
    error::Code,
    frame::{AskIds, ClientFrame, Entry, History, ServerFrame},
    id::EventId,
    limits::{Limits, PAGE_BYTES},
    storage::Fault,
    time::Millis,
};
use serde_json::json;
use std::sync::{Arc, atomic::Ordering};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

fn message(text: &str) -> String {
    json!({ "type": "message", "data": { "text": text } }).to_string()
}

pub async fn faulty() -> (Rig, Arc<Faulty>) {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    (rig, engine)
}

#[tokio::test]
async fn what_one_message_was_judged_by_is_not_read_again_for_the_next() {
    let (rig, engine) = faulty().await;
    let ward = rig.handle.room("chat", "Ward").await.unwrap();
    let mut anna = Talker::at_home(&rig, "Anna").await;
    anna.join(ward).await;
    let mut read = Vec::new();
    for (n, room) in [(1, ward), (2, ward), (3, ward), (1, rig.lobby), (4, ward)] {
        let before = engine.facts.load(Ordering::Relaxed);
        anna.say(room, n, "hello").await;
        anna.ack().await;
        read.push(engine.facts.load(Ordering::Relaxed) - before);
    }
    assert_eq!(read, [1, 0, 0, 1, 1]);
}

#[tokio::test]
async fn a_full_disk_is_never_a_rejection_and_passes_by_itself() {
    let (rig, engine) = faulty().await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    *engine.fault.lock().unwrap() = Some(Fault::Full);
    for n in 1..=3 {
        anna.say(rig.lobby, n, "held").await;
    }
    let retry = |frame| match frame {
        ServerFrame::Retry(retry) => Some(retry),
        ServerFrame::Reject(reject) => panic!("{reject:?}"),
        _ => None,
    };
    let told = anna.wire.find(retry).await;
    assert_eq!((told.n, told.code), (1, Code::StorageFull));
    rig.post(LOBBY, "", &message("x")).await.is(507, "storage_full");
    rig.get("/readyz").await.is(503, "storage_full");
    *engine.fault.lock().unwrap() = None;
    assert_eq!(rig.get("/readyz").await.status, 200);
    for n in 1..=3 {
        anna.say(rig.lobby, n, "sent again").await;
    }
    for n in 1..=3 {
        assert_eq!(anna.ack().await.n, n);
    }
    assert_eq!(rig.post(LOBBY, "", &message("x")).await.status, 201);
}

#[tokio::test]
async fn who_cannot_be_greeted_now_is_told_why_and_may_come_again() {
    let (rig, engine) = faulty().await;
    let mut me = Me::new("Anna");
    let unknown = Fault::Unknown("lost".to_owned());
    for (fault, code) in [
        (Fault::Full, Code::StorageFull),
        (Fault::Overloaded, Code::Overloaded),
        (unknown, Code::StorageFault),
    ] {
        *engine.fault.lock().unwrap() = Some(fault);
        let mut wire = dial(rig.address, Some("holdfast.v1")).await;
        wire.send(&ClientFrame::Hello(me.hello())).await;
        assert_eq!(wire.closed().await, Some(code));
        assert!(code.may_reconnect());
    }
    *engine.fault.lock().unwrap() = None;
    Talker::come(&rig, me).await.live(rig.lobby).await;
}

#[tokio::test]
async fn what_the_storage_cannot_say_is_told_as_no_verdict() {
    let (rig, engine) = faulty().await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    *engine.fault.lock().unwrap() = Some(Fault::Unknown("lost".to_owned()));
    anna.say(rig.lobby, 1, "did it?").await;
    let told = |frame| match frame {
        ServerFrame::Retry(retry) => Some(retry.code),
        ServerFrame::Reject(_) | ServerFrame::Ack(_) => panic!("{frame:?}"),
        _ => None,
    };
    assert_eq!(anna.wire.find(told).await, Code::StorageFault);
    rig.post(LOBBY, "", &message("x")).await.is(503, "storage_fault");
}

#[tokio::test]
async fn what_is_counted_is_told_also_while_the_storage_does_not_tell_of_queues() {
    let (rig, engine) = faulty().await;
    assert!(rig.get("/metrics").await.text().contains("holdfast_queue_ready{"));
    engine.queues_hang.send_replace(Some("work"));
    let metrics = rig.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    assert!(text.contains("holdfast_connections ") && !text.contains("holdfast_queue_ready{"));
}

#[tokio::test]
async fn a_panic_of_a_request_is_answered_and_counted() {
    let (rig, _) = faulty().await;
    let answer = rig.get("/api/v1/chat/rooms/bug/events").await;
    answer.is(500, "server_fault");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    let metrics = rig.get("/metrics").await.text();
    assert!(metrics.contains("holdfast_panics_total 1"), "{metrics}");
    assert_eq!(rig.post(LOBBY, "", &message("x")).await.status, 201);
}

#[tokio::test]
async fn a_panic_costs_its_connection_alone() {
    let (rig, _) = faulty().await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let mut ben = Talker::at_home(&rig, "Ben").await;
    let ids = vec![EventId::from_bytes(fresh())];
    ben.wire.send(&ClientFrame::Ask(AskIds { req: 1, room: rig.lobby, ids })).await;
    assert!(ben.wire.message().await.is_none_or(|it| it.is_close()));
    let person = ben.me.person;
    let gone = |frame| match frame {
        ServerFrame::Presence(presence) => presence.left.first().copied(),
        _ => None,
    };
    assert_eq!(anna.wire.find(gone).await, person);
    anna.say(rig.lobby, 1, "still here").await;
    anna.ack().await;
    let metrics = rig.get("/metrics").await.text();
    assert!(metrics.contains("holdfast_panics_total 1"), "{metrics}");
}

#[tokio::test]
async fn a_reader_that_does_not_read_delays_nobody_and_misses_nothing() {
    let limits = Limits { text_chars: 60_000, ..Limits::default() };
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(engine, None, |builder| builder.limits(limits).waiting_frames(8)).await;
    let mut slow = Talker::at_home(&rig, "Slow").await;
    let mut fast = Talker::at_home(&rig, "Fast").await;
    // More than sockets and queues hold: 300 entries of 50 kB.
    let text = "x".repeat(50_000);
    for n in 0..300 {
        assert_eq!(rig.post(LOBBY, "", &message(&text)).await.status, 201, "{n}");
        fast.entries(rig.lobby, 1).await;
    }
    let metrics = rig.get("/metrics").await.text();
    let dropped = metrics.lines().find_map(|line| line.strip_prefix("holdfast_dropped_total "));
    assert_ne!(dropped, Some("0"), "{metrics}");
    assert_eq!(slow.entries(rig.lobby, 300).await.len(), 300);
}

/// A client that does not answer: it says hello and then only listens, without a pong.
async fn mute(rig: &Rig) -> TcpStream {
    let mut stream = TcpStream::connect(rig.address).await.unwrap();
    let request = format!(
        "GET /ws HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: holdfast.v1\r\n\r\n",
        rig.address
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let hello = ClientFrame::Hello(crate::talker::Me::new("Mute").hello());
    let hello = holdfast_common::codec::write_client(&hello);
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(u16::try_from(hello.len()).unwrap().to_be_bytes());
    frame.extend([0, 0, 0, 0]);
    frame.extend(hello.as_bytes());
    stream.write_all(&frame).await.unwrap();
    stream
}

#[tokio::test]
async fn a_peer_that_has_gone_silent_is_closed_and_one_that_answers_is_not() {
    let limits = Limits { ping_every: Millis(200), silence: Millis(600), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let mut mute = mute(&rig).await;
    let mut heard = Vec::new();
    // The socket of someone who only listens still answers pings; this one does not.
    tokio::select! {
        read = tokio::time::timeout(PATIENCE, mute.read_to_end(&mut heard)) => {
            read.expect("closed in time").unwrap();
        }
        _ = anna.wire.closed() => panic!("she answers every ping"),
    }
    let close = [0x88, 2 + 6, 0x11, 0x38];
    assert!(heard.windows(4).any(|it| it == close), "a close with {:?}", Code::Silent);
    anna.say(rig.lobby, 1, "here").await;
    anna.ack().await;
}

#[tokio::test]
async fn a_connection_that_breaks_off_leaves_nothing_behind() {
    let rig = Rig::memory().await;
    for _ in 0..20 {
        let mut wire = dial(rig.address, Some("holdfast.v1")).await;
        wire.text("{\"hello\":").await;
        drop(wire);
        drop(mute(&rig).await);
        drop(TcpStream::connect(rig.address).await.unwrap());
    }
    rig.handle.drain();
    assert!(rig.handle.drained(PATIENCE).await);
    let metrics = rig.get("/metrics").await.text();
    assert!(metrics.contains("holdfast_connections 0"), "{metrics}");
}

#[tokio::test]
async fn pages_of_the_longest_messages_are_of_a_moderate_size_and_reach_a_newcomer_whole() {
    let rig = Rig::memory().await;
    let text = "x".repeat(Limits::default().text_chars as usize);
    for _ in 0..110 {
        assert_eq!(rig.post(LOBBY, "", &message(&text)).await.status, 201);
    }
    let mut anna = Talker::new(&rig, "Anna").await;
    let page = |frame| match frame {
        ServerFrame::Page(page) => Some(page),
        ServerFrame::Refused(refused) => panic!("{refused:?}"),
        _ => None,
    };
    let mut pages = vec![anna.wire.find(page).await];
    anna.live(rig.lobby).await;
    while let Some(last) = pages.last().filter(|last| last.from > last.first) {
        let (room, before) = (rig.lobby, Some(last.from));
        let ask = History { req: 1, room, before, limit: Limits::default().page };
        anna.wire.send(&ClientFrame::History(ask)).await;
        pages.push(anna.wire.find(page).await);
    }
    assert!(pages.windows(2).all(|two| two[1].to + 1 == two[0].from));
    assert_eq!(pages.iter().map(|page| page.items.len()).sum::<usize>(), 111);
    for page in pages {
        let bytes = codec::write_server(&ServerFrame::Page(page)).len();
        assert!(bytes < PAGE_BYTES + 10_000, "{bytes}");
    }
}

#[tokio::test]
async fn an_entry_from_a_time_of_higher_limits_still_reaches_everyone() {
    let engine: Arc<dyn Engine> = Arc::new(Faulty::default());
    let high =
        Limits { payload_bytes: 4 * 1024 * 1024, text_chars: 4 * 1024 * 1024, ..Limits::default() };
    let rig = Rig::start(Arc::clone(&engine), None, |builder| builder.limits(high)).await;
    let long = message(&"x".repeat(3 * 1024 * 1024));
    assert_eq!(rig.post(LOBBY, "", &long).await.status, 201);
    let low = Limits { page: 1, ..Limits::default() };
    let rig = Rig::start(engine, None, |builder| builder.limits(low)).await;
    // The log has more entries than a page: a newcomer gets a page. The second one reads it live.
    let mut anna = Talker::new(&rig, "Anna").await;
    let page = |frame| match frame {
        ServerFrame::Page(page) => Some(page.items.len()),
        _ => None,
    };
    assert_eq!(anna.wire.find(page).await, 1);
    let mut me = Me::new("Ben");
    let head = rig.engine.room_named("chat", "lobby").await.unwrap().unwrap().head;
    let first = rig.engine.slice(rig.lobby, 0, 1, 1).await.unwrap().unwrap();
    let first: Entry = serde_json::from_str(&first.entries[0].1).unwrap();
    me.rooms = vec![cursor(rig.lobby, head.epoch, &first)];
    let mut ben = Talker::come(&rig, me).await;
    assert!(text(&ben.entries(rig.lobby, 1).await[0]).len() > 3_000_000);
}
