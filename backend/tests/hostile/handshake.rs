//! Handshakes: wrong ones, half ones, and those after which nothing is said.

use crate::{
    raw::{End, Raw, upgrade},
    siege::{kib, many, siege},
};

/// A head may take 32 KiB while it is read, and the buffer grows by doubling.
#[test]
fn half_a_handshake_is_closed_when_its_time_is_over() {
    let siege = siege("half a handshake, then silence").with("--request-ms", "500");
    siege.sockets(200, kib(64)).run(async |target| {
        let head = upgrade(target.address);
        many(200, async |n| {
            let mut raw = Raw::connect(target.address).await;
            raw.write(&head.as_bytes()[..=n % (head.len() - 1)]).await.unwrap();
            assert_eq!(raw.status().await, None);
        })
        .await;
    });
}

#[test]
fn a_socket_without_a_hello_is_closed_when_its_time_is_over() {
    let siege = siege("an upgrade, then silence").with("--hello-ms", "500");
    siege.sockets(200, kib(64)).run(async |target| {
        many(200, async |_| {
            let mut raw = Raw::upgraded(target.address).await;
            assert_eq!(raw.closed().await, End::Close(4407, "hello_timeout".to_owned()));
        })
        .await;
    });
}

#[test]
fn a_wrong_handshake_is_answered_by_what_is_wrong() {
    siege("wrong handshakes").sockets(14 * 20, kib(64)).run(async |target| {
        let good = upgrade(target.address);
        let host = format!("host: {}", target.address);
        let key = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let origin = |it: &str| format!("{host}\r\norigin: {it}");
        let wrong = [
            ("another host", good.replace(&host, "host: example.org"), 403),
            ("no host", good.replace(&format!("{host}\r\n"), ""), 403),
            ("two hosts", good.replace(&host, &format!("{host}\r\n{host}")), 403),
            ("another origin", good.replace(&host, &origin("http://example.org")), 403),
            ("the origin null", good.replace(&host, &origin("null")), 403),
            ("another version", good.replace("version: 13", "version: 8"), 400),
            ("no version", good.replace("sec-websocket-version: 13\r\n", ""), 400),
            ("no key", good.replace(key, ""), 400),
            ("no upgrade", good.replace("upgrade: websocket\r\n", ""), 400),
            ("another upgrade", good.replace("upgrade: websocket", "upgrade: h2c"), 400),
            ("no connection", good.replace("connection: upgrade\r\n", ""), 400),
            ("another method", good.replace("GET", "PUT"), 405),
            ("of HTTP/1.0", good.replace("HTTP/1.1", "HTTP/1.0"), 400),
            ("a line break in the host", good.replace(&host, "host: localhost\r\r\n\n"), 400),
        ];
        while target.round().await {
            for (class, head, status) in &wrong {
                target.round().await;
                many(20, async |_| {
                    let mut raw = Raw::connect(target.address).await;
                    raw.write(head.as_bytes()).await.unwrap();
                    assert_eq!(raw.status().await, Some(*status), "{class}");
                })
                .await;
            }
        }
    });
}
