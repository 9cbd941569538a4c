//! HTTP/1.1 (RFC 9112) as nobody should send it.

use crate::{
    raw::Raw,
    siege::{Target, kib, many, siege},
};

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";
const EVENT: &str = r#"{"type":"message","data":{"text":"?"}}"#;

/// A head is read into a buffer of at most twice 32 KiB, and the answer needs another one.
const HEAD: u64 = kib(160);

fn post(target: &Target, more: &str) -> String {
    let address = target.address;
    format!("POST {LOBBY} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n{more}")
}

/// Each from many sockets, for as long as it takes; each of them is answered like this and cut.
async fn each_is(target: &Target, classes: &[(&str, Vec<u8>)], statuses: &[u16]) {
    let mut first = true;
    while std::mem::take(&mut first) || target.pressing() {
        for (class, bytes) in classes {
            target.round().await;
            many(20, async |_| {
                let mut raw = Raw::connect(target.address).await;
                // It may be cut before all is written.
                let _ = raw.write(bytes).await;
                let status = raw.status().await;
                assert!(status.is_some_and(|it| statuses.contains(&it)), "{class}: {status:?}");
                assert_eq!(raw.status().await, None, "{class}");
            })
            .await;
        }
    }
}

#[test]
fn a_head_without_measure_is_refused_before_it_is_read() {
    let siege = siege("2,000 headers, endless lines, a megabyte of address");
    siege.sockets(20, HEAD).run(async |target| {
        let begin = format!("GET / HTTP/1.1\r\nhost: {}\r\n", target.address);
        let many: String = (0..2_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
        let classes = [
            ("2,000 headers", format!("{begin}{many}\r\n")),
            ("a header line without end", format!("{begin}x: {}", "y".repeat(1 << 20))),
            ("a header name without end", format!("{begin}{}", "y".repeat(1 << 20))),
            ("an address of a megabyte", format!("GET /{} HTTP/1.1\r\n", "y".repeat(1 << 20))),
            ("a method without end", "G".repeat(1 << 20)),
        ];
        let classes = classes.map(|(class, text)| (class, text.into_bytes()));
        each_is(target, &classes, &[400, 414, 431]).await;
    });
}

#[test]
fn a_head_that_breaks_the_rules_is_400_and_the_end() {
    siege("heads that break the rules").sockets(20, HEAD).run(async |target| {
        let host = format!("host: {}\r\n", target.address);
        let classes = [
            ("a line break alone", format!("GET / HTTP/1.1\r\n{host}x: a\rb\r\n\r\n")),
            ("a NUL", format!("GET / HTTP/1.1\r\n{host}x: a\0b\r\n\r\n")),
            ("a folded line", format!("GET / HTTP/1.1\r\n{host}x: a\r\n b\r\n\r\n")),
            ("a space before the colon", format!("GET / HTTP/1.1\r\n{host}x : a\r\n\r\n")),
            ("no name", format!("GET / HTTP/1.1\r\n{host}: a\r\n\r\n")),
            ("another version", format!("GET / HTTP/9.9\r\n{host}\r\n")),
            ("no version", format!("GET /\r\n{host}\r\n")),
            ("a space in the address", format!("GET /a b HTTP/1.1\r\n{host}\r\n")),
        ];
        let classes = classes.map(|(class, text)| (class, text.into_bytes()));
        each_is(target, &classes, &[400, 505]).await;
    });
}

#[test]
fn a_head_that_comes_a_byte_at_a_time_is_cut_when_its_time_is_over() {
    let siege = siege("slow heads").with("--request-ms", "700");
    siege.sockets(200, HEAD).run(async |target| {
        many(200, async |_| {
            let mut raw = Raw::connect(target.address).await;
            let begin = std::time::Instant::now();
            let head = format!("GET / HTTP/1.1\r\nhost: {}\r\nx: ", target.address);
            for byte in head.bytes().chain(std::iter::repeat(b'y')) {
                if raw.write(&[byte]).await.is_err() {
                    break;
                }
                target.round().await;
                assert!(begin.elapsed().as_secs() < 10);
            }
            assert_eq!(raw.status().await, None);
        })
        .await;
    });
}

#[test]
fn a_body_that_does_not_come_is_400_when_its_time_is_over() {
    let siege = siege("slow bodies, and lengths that lie").with("--request-ms", "700");
    siege.sockets(200, HEAD).run(async |target| {
        let [slow, chunked] =
            ["content-length: 1000\r\n\r\n", "transfer-encoding: chunked\r\n\r\n1"];
        many(200, async |n| {
            let mut raw = Raw::connect(target.address).await;
            let more = if n % 2 == 0 { slow } else { chunked };
            raw.write(post(target, more).as_bytes()).await.unwrap();
            for _ in 0..20 {
                let _ = raw.write(b"0").await;
                target.round().await;
            }
            assert_eq!(raw.status().await, Some(400));
            assert_eq!(raw.status().await, None);
        })
        .await;
    });
}

/// A body is kept up to the size of a frame, and grows by doubling.
#[test]
fn a_body_without_measure_is_413_and_the_end() {
    siege("bodies beyond the limit").sockets(20, kib(600)).run(async |target| {
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        let endless = post(target, "transfer-encoding: chunked\r\n\r\n") + &chunk.repeat(20);
        let declared = |length: &str| {
            let text = post(target, &format!("content-length: {length}\r\n\r\n"));
            text + &"x".repeat(1 << 20)
        };
        let classes = [
            ("chunks without end", endless),
            ("a megabyte", declared("1048576")),
            ("as much as there can be", declared("18446744073709551615")),
        ];
        let classes = classes.map(|(class, text)| (class, text.into_bytes()));
        // A length that is no length any more is too much of a head.
        each_is(target, &classes, &[413, 431]).await;
    });
}

/// Two readers of one stream must never see two different requests in it.
#[test]
fn a_body_whose_end_is_in_doubt_smuggles_nothing() {
    siege("two lengths, a length and chunks, chunks that lie").sockets(20, HEAD).run(
        async |target| {
            let inner = post(target, &format!("content-length: {}\r\n\r\n{EVENT}", EVENT.len()));
            let inner = inner.replace("\"?\"", "\"smuggled\"");
            let of = |more: &str| format!("{}{inner}", post(target, more)).into_bytes();
            let classes = [
                ("two lengths", of("content-length: 0\r\ncontent-length: 5\r\n\r\n")),
                ("a list of lengths", of("content-length: 0, 5\r\n\r\n")),
                ("a length with a sign", of("content-length: +0\r\n\r\n")),
                ("a length below nothing", of("content-length: -1\r\n\r\n")),
                ("a length beyond numbers", of("content-length: 18446744073709551616\r\n\r\n")),
                (
                    "chunked, and then something",
                    of("transfer-encoding: chunked, x\r\n\r\n0\r\n\r\n"),
                ),
                (
                    "something that is not chunked",
                    of("transfer-encoding: xchunked\r\n\r\n0\r\n\r\n"),
                ),
                ("a chunk of no size", of("transfer-encoding: chunked\r\n\r\nxyz\r\n")),
                (
                    "a chunk beyond numbers",
                    of("transfer-encoding: chunked\r\n\r\n10000000000000000\r\n"),
                ),
                (
                    "a chunk of another length",
                    of("transfer-encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n"),
                ),
                (
                    "a length and chunks",
                    of("content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
                ),
                (
                    "chunks and a length",
                    of("transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n"),
                ),
            ];
            each_is(target, &classes, &[400]).await;
            let mut raw = Raw::connect(target.address).await;
            let read =
                format!("GET {LOBBY}?limit=1000 HTTP/1.1\r\nhost: {}\r\n\r\n", target.address);
            raw.write(read.as_bytes()).await.unwrap();
            let (status, log) = raw.answer().await.unwrap();
            assert_eq!((status, log.contains("smuggled")), (200, false));
        },
    );
}
