//! Sockets that do not read what they make the server send.

use crate::{
    raw::{self, PING, Raw, TEXT, framed, hello, said},
    siege::{Target, kib, many, metrics, mib, siege},
};
use holdfast_common::{
    codec,
    frame::{AskIds, ClientFrame, Emit, History, JoinRoom, Ping, ServerFrame, Signal},
    id::{EventId, RoomId},
};
use std::time::Duration;

/// Greeted, and reads nothing more.
async fn narrow(target: &Target) -> Raw {
    Raw::narrow(target.address).await.up(target.address).await.welcomed(hello()).await
}

/// Writes the same bytes over and over until the server takes no more of them, or it has been enough.
async fn pour(raw: &mut Raw, bytes: &[u8], most: usize) {
    let mut poured = 0;
    while poured < most && raw.press(bytes).await {
        poured += bytes.len();
    }
}

/// So many messages of 60 KB into a room.
async fn fill(target: &Target, room: &str, count: usize) {
    let more = "y".repeat(60_000);
    let body = format!(r#"{{"type":"message","data":{{"text":"long","more":"{more}"}}}}"#);
    let mut raw = Raw::connect(target.address).await;
    for _ in 0..count {
        let head = format!(
            "POST /api/v1/chat/rooms/{room}/events HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            target.address,
            body.len()
        );
        raw.write((head + &body).as_bytes()).await.unwrap();
        assert_eq!(raw.status().await, Some(201));
    }
}

/// What one answer takes, while it is made and while it is written: [`PAGE_BYTES`] three times.
///
/// [`PAGE_BYTES`]: holdfast_common::limits::PAGE_BYTES
const ANSWER: u64 = kib(768);

/// Half of them by the WebSocket's pings, half by the protocol's. The systems of both sides take some
/// megabytes for each; the server would take as many pongs as it may have in its buffer.
#[test]
fn who_pings_and_reads_no_pongs_is_read_no_further() {
    siege("pings whose pongs are not read").sockets(4, kib(256)).run(async |target| {
        let pings = framed(PING, &[b'p'; 125]).repeat(500);
        let ours = said(&ClientFrame::Ping(Ping { n: u64::MAX })).repeat(1_000);
        let sockets = many(4, async |n| {
            if n % 2 == 0 {
                let mut raw = narrow(target).await;
                pour(&mut raw, &ours, 24 << 20).await;
                return raw;
            }
            // To who is greeted the room's entries are written too, which waits until they leave.
            let mut raw = Raw::narrow(target.address).await.up(target.address).await;
            pour(&mut raw, &pings, 24 << 20).await;
            raw
        })
        .await;
        target.hold().await;
        drop(sockets);
    });
}

/// Nothing is lost of them: who reads at last is told everything.
#[test]
fn who_asks_for_pages_and_reads_none_has_one_in_memory() {
    siege("pages that are asked for and not read").sockets(4, ANSWER).run(async |target| {
        fill(target, "lobby", 10).await;
        let room = raw::lobby(target.address).await;
        let mut sockets = many(4, async |_| {
            let mut raw = Raw::greeted(target.address).await;
            for req in 1..=48 {
                let ask = History { req, room, before: None, limit: 100 };
                raw.write(&said(&ClientFrame::History(ask))).await.unwrap();
            }
            raw
        })
        .await;
        rest(target, "holdfast_pages_total").await;
        let last = &mut sockets[0];
        let mut told = 0;
        while told < 48 {
            let (_, frame) = last.frame().await.unwrap();
            told += u32::from(frame.starts_with(br#"{"page":{"req":"#));
        }
    });
}

/// Waits until what is counted by this name has not moved for a while.
async fn rest(target: &Target, name: &str) {
    let mut counts = vec![u64::MAX];
    while !counts.ends_with(&[counts[counts.len() - 1]; 6]) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let text = metrics(target.address).await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        counts.push(line.trim().parse().unwrap());
    }
}

#[test]
fn who_asks_for_places_and_reads_none_has_one_answer_in_memory() {
    // And the ids of all that wait.
    let siege = siege("places that are asked for and not read");
    siege.sockets(3, ANSWER + 64 * 1_024 * 16).run(async |target| {
        let room = raw::lobby(target.address).await;
        let ids = vec![EventId::from_bytes(raw::fresh()); 1_024];
        let ask = said(&ClientFrame::Ask(AskIds { req: 1, room, ids }));
        let sockets = many(3, async |_| {
            let mut raw = Raw::greeted(target.address).await;
            pour(&mut raw, &ask, 60 * ask.len()).await;
            raw
        })
        .await;
        target.hold().await;
        drop(sockets);
    });
}

#[test]
fn who_does_not_read_a_busy_room_costs_a_cursor() {
    siege("readers that do not read a busy room").sockets(50, ANSWER).run(async |target| {
        let sockets = many(50, async |_| narrow(target).await).await;
        let mut count = 0;
        while target.pressing() && count < 200 {
            fill(target, "lobby", 10).await;
            count += 10;
        }
        target.hold().await;
        drop(sockets);
    });
}

/// Each in a room of its own, so that no two wait for the same bytes.
#[test]
fn who_does_not_read_rooms_of_their_own_costs_a_cursor_each() {
    let siege = siege("readers that do not read rooms of their own");
    let siege = siege.with("--signals-per-second", "1000");
    siege.sockets(8, ANSWER).run(async |target| {
        let sockets = many(4, async |n| {
            let room = RoomId::from_bytes(raw::fresh());
            let (mut writer, mut reader) = (narrow(target).await, narrow(target).await);
            create(&mut writer, room, &format!("own-{n}")).await;
            let join = JoinRoom { req: 1, room };
            reader.write(&said(&ClientFrame::Join(join))).await.unwrap();
            is_live(&mut reader, room).await;
            let (ns, kind) = ("chat".to_owned(), "typing".to_owned());
            let head = ClientFrame::Signal(Signal { ns, room, kind });
            let payload = format!(r#"{{"more":"{}"}}"#, "z".repeat(60_000));
            let signal = codec::write_client_with(&head, &payload);
            let signal = framed(TEXT, signal.as_bytes());
            for _ in 0..250 {
                writer.write(&signal).await.unwrap();
            }
            (writer, reader)
        })
        .await;
        target.hold().await;
        drop(sockets);
    });
}

async fn create(raw: &mut Raw, room: RoomId, name: &str) {
    let (ns, kind) = ("chat".to_owned(), "room_created".to_owned());
    let id = EventId::from_bytes(raw::fresh());
    let head = ClientFrame::Emit(Emit { ns, room, n: 1, floor: 0, id, kind });
    let text = codec::write_client_with(&head, &format!(r#"{{"name":"{name}"}}"#));
    raw.write(&framed(TEXT, text.as_bytes())).await.unwrap();
    is_live(raw, room).await;
}

async fn is_live(raw: &mut Raw, room: RoomId) {
    let live = |frame| match frame {
        ServerFrame::Live(live) => (live.room == room).then_some(()),
        _ => None,
    };
    raw.find(live).await;
}

/// An answer of a megabyte, while it is put together and while it is written.
#[test]
fn an_answer_that_nobody_reads_is_let_go_when_its_time_is_over() {
    let siege = siege("reads of the log that are not read").with("--request-ms", "500");
    let siege = siege.with("--silence-ms", "1500").with("--ping-every-ms", "700");
    siege.sockets(12, mib(4)).run(async |target| {
        // In a room of its own, where no short ones come before them.
        let mut maker = Raw::greeted(target.address).await;
        create(&mut maker, RoomId::from_bytes(raw::fresh()), "own").await;
        drop(maker);
        fill(target, "own", 20).await;
        let address = target.address;
        let log = "/api/v1/chat/rooms/own/events?limit=1000";
        let get = format!("GET {log} HTTP/1.1\r\nhost: {address}\r\n\r\n");
        let mut sockets = many(12, async |_| {
            let mut raw = Raw::narrow(address).await;
            // More than the system takes for the socket, one behind the other.
            raw.write(get.repeat(12).as_bytes()).await.unwrap();
            raw
        })
        .await;
        for raw in &sockets {
            raw.stream.readable().await.unwrap();
        }
        target.let_go().await;
        // What can still be read ends before all is there; but for three, which may be mistaken for
        // requests of the others, and go on once they are read.
        let mut whole = 0;
        for raw in &mut sockets {
            let mut answers = 0;
            while raw.status().await.is_some() {
                answers += 1;
            }
            whole += u32::from(answers == 12);
        }
        assert!(whole <= 3, "{whole}");
    });
}

#[test]
fn thousands_of_requests_in_one_go_are_answered_one_by_one() {
    siege("pipelined requests that are not read").sockets(20, kib(256)).run(async |target| {
        let get = format!("GET /metrics HTTP/1.1\r\nhost: {}\r\n\r\n", target.address);
        let sockets = many(20, async |_| {
            let mut raw = Raw::narrow(target.address).await;
            pour(&mut raw, get.repeat(50).as_bytes(), 500 * get.len()).await;
            raw
        });
        let sockets = sockets.await;
        target.hold().await;
        drop(sockets);
    });
}
