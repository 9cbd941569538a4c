//! Below HTTP: connections that come and go, say nothing, or are too many.

use crate::{
    raw::{End, Raw, upgrade},
    siege::{kib, many, siege},
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;

#[test]
fn connections_that_come_and_are_reset_leave_nothing_behind() {
    siege("connect and reset").sockets(100, kib(64)).run(async |target| {
        let half = b"GET /healthz HTTP/1.1\r\nhost: 127.".as_slice();
        let whole = upgrade(target.address);
        let mut count = 0;
        while target.round().await || count < 1_500 {
            for bytes in [b"".as_slice(), half, whole.as_bytes()] {
                many(10, async |_| {
                    let mut raw = Raw::connect(target.address).await;
                    let _ = raw.write(bytes).await;
                    raw.reset();
                })
                .await;
                count += 10;
            }
        }
    });
}

/// 64 KiB each: a task, and the buffer that a head begins with.
#[test]
fn sockets_that_say_nothing_are_closed_when_a_heads_time_is_over() {
    let siege = siege("sockets that say nothing").with("--request-ms", "500");
    siege.sockets(600, kib(64)).run(async |target| {
        let sockets = many(600, async |_| Raw::connect(target.address).await).await;
        for mut raw in sockets {
            assert_eq!(raw.status().await, None);
        }
    });
}

#[test]
fn what_is_no_http_is_answered_and_cut() {
    siege("TLS and HTTP/2 on the plain port").sockets(200, kib(64)).run(async |target| {
        // The beginning of a ClientHello.
        let tls = [&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3][..], &[0x42; 512]].concat();
        many(200, async |n| {
            let mut raw = Raw::connect(target.address).await;
            if n % 2 == 0 {
                raw.write(&tls).await.unwrap();
                assert_eq!(raw.status().await, Some(400));
            } else {
                raw.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            }
            assert_eq!(raw.status().await, None);
        })
        .await;
    });
}

#[test]
fn who_ends_its_half_in_the_middle_is_let_go() {
    siege("half a request, half a frame, then the end").sockets(200, kib(64)).run(async |target| {
        many(200, async |n| {
            let mut raw = Raw::connect(target.address).await;
            if n % 2 == 0 {
                raw.write(b"POST / HTTP/1.1\r\nhost: localh").await.unwrap();
            } else {
                raw = raw.up(target.address).await;
                raw.write(&[0x81, 0xfe, 0]).await.unwrap();
            }
            tokio::io::AsyncWriteExt::shutdown(&mut raw.stream).await.unwrap();
            assert!(matches!(raw.closed().await, End::Gone | End::Close(..)));
        })
        .await;
    });
}

/// A hundred may come; the others are told so, and operators are answered all the same.
#[test]
fn more_connections_than_may_come_are_refused_and_change_nothing_for_those_that_are_there() {
    let siege = siege("more connections than may come").with("--connections", "100");
    let siege = siege.with("--hello-ms", "60000").health_only();
    siege.sockets(100, kib(64)).besides(256 * kib(64)).run(async |target| {
        let address = target.address;
        let there = many(60, async |_| Raw::greeted(address).await).await;
        let silent = many(100, async |_| Raw::connect(address).await).await;
        let places = full(address).await;
        many(40, async |_| {
            let (mut raw, (status, answer)) = asked(address, "/").await;
            assert_eq!(status, 503);
            assert!(answer.contains(r#""code":"overloaded""#), "{answer}");
            assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
            assert_eq!(raw.status().await, None, "one answer, and it ends");
            let mut raw = Raw::connect(address).await.up(address).await;
            assert_eq!(raw.closed().await, End::Close(4413, "overloaded".to_owned()));
            for path in ["/healthz", "/readyz", "/metrics"] {
                assert_eq!(asked(address, path).await.1.0, 200, "{path}");
            }
        })
        .await;
        drop((there, silent, places));
        // There is room again once they have gone.
        while asked(address, "/healthz.txt").await.1.0 == 503 {
            target.round().await;
        }
    });
}

async fn asked(address: SocketAddr, path: &str) -> (Raw, (u16, String)) {
    let mut raw = Raw::connect(address).await;
    let get = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    raw.write(get.as_bytes()).await.unwrap();
    let answer = raw.answer().await.expect("an answer");
    (raw, answer)
}

/// Takes every place, also those that the others' requests give back, and returns who has them.
async fn full(address: SocketAddr) -> Vec<Raw> {
    let (mut places, mut refused) = (Vec::new(), 0);
    while refused < 10 {
        // It takes a place for as long as it is open, and a hello may take a minute.
        let mut raw = Raw::connect(address).await.up(address).await;
        match timeout(Duration::from_millis(500), raw.closed()).await {
            Ok(_) => refused += 1,
            Err(_) => {
                refused = 0;
                places.push(raw);
            }
        }
    }
    places
}
