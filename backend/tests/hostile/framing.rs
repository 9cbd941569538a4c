//! WebSocket frames (RFC 6455) as nobody should send them.

use crate::{
    raw::{BEGIN, BINARY, CLOSE, End, LAST, MORE, PING, PONG, Raw, TEXT, framed, header},
    siege::{Target, kib, many, siege},
};

/// Bytes of a frame at the usual limits.
const MOST: usize = 2 * 64 * 1024 + 64 * 1024;

fn bad_frame() -> End {
    End::Close(4401, "bad_frame".to_owned())
}

fn too_large() -> End {
    End::Close(4402, "frame_too_large".to_owned())
}

/// Each class from many sockets at once; each of them ends in this way.
async fn each_ends(target: &Target, classes: &[(&str, Vec<u8>)], end: &End) {
    let mut first = true;
    while std::mem::take(&mut first) || target.pressing() {
        for (class, bytes) in classes {
            target.round().await;
            many(10, async |n| {
                let raw = Raw::connect(target.address).await.up(target.address);
                let mut raw =
                    if n % 2 == 0 { raw.await } else { Raw::greeted(target.address).await };
                // It may be cut before all is written.
                let _ = raw.write(bytes).await;
                assert_eq!(&raw.closed().await, end, "{class}");
            })
            .await;
        }
    }
}

#[test]
fn a_frame_that_breaks_the_rules_costs_its_connection_alone() {
    siege("reserved bits, opcodes, masks, control frames, fragments, text that is none")
        .sockets(20, kib(256))
        .run(async |target| {
            let twice = [framed(BEGIN, b"{"), framed(TEXT, b"{}")].concat();
            let cut = [framed(BEGIN, b"\xe2\x82"), framed(LAST, b"x")].concat();
            let classes = [
                ("RSV1", framed(TEXT | 0x40, b"{}")),
                ("RSV2", framed(TEXT | 0x20, b"{}")),
                ("RSV3", framed(PING | 0x10, b"")),
                ("an unknown kind of message", framed(0x83, b"{}")),
                ("an unknown kind of control", framed(0x8b, b"{}")),
                ("no mask", vec![TEXT, 2, b'{', b'}']),
                ("no mask, a ping", vec![PING, 0]),
                ("a ping of 126 bytes", framed(PING, &[0; 126])),
                ("a pong of 100 KB", framed(PONG, &vec![0; 100_000])),
                ("a close of 126 bytes", framed(CLOSE, &[&[3, 232][..], &[b'x'; 124]].concat())),
                ("a ping in parts", framed(PING & 0x7f, b"half")),
                ("a close of one byte", framed(CLOSE, &[3])),
                ("a close whose reason is no text", framed(CLOSE, &[3, 232, 0xff, 0xfe])),
                ("a continuation of nothing", framed(LAST, b"{}")),
                ("a message within a message", twice),
                ("text that is no UTF-8", framed(TEXT, b"\xc3\x28")),
                ("a character that is cut", cut),
                ("a surrogate", framed(TEXT, b"\xed\xa0\x80")),
                ("binary noise", framed(BINARY, &[0xff; 1_000])),
            ];
            each_ends(target, &classes, &bad_frame()).await;
        });
}

/// What a frame says of its length is not taken before it has come.
#[test]
fn a_length_beyond_the_limit_is_refused_by_its_header() {
    siege("huge declared lengths").sockets(20, kib(256)).run(async |target| {
        let lengths = [MOST as u64 + 1, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX];
        let classes: Vec<_> = lengths.map(|it| ("a text", header(TEXT, it))).to_vec();
        each_ends(target, &classes, &too_large()).await;
        let parts = [framed(BEGIN, b"{"), header(MORE, u64::MAX - 1)].concat();
        let control = header(PING, u64::MAX);
        each_ends(target, &[("a part", parts), ("a ping", control)], &too_large()).await;
    });
}

/// What was sent of a frame, what was put together of a message, and what the growing of either
/// needs: four frames of the largest size.
#[test]
fn frames_and_messages_that_are_held_back_cost_what_was_sent_of_them() {
    let siege = siege("frames and messages held one byte short");
    siege.sockets(100, 4 * MOST as u64).run(async |target| {
        let frame = [header(TEXT, MOST as u64), vec![b'x'; MOST - 1]].concat();
        let half = MOST / 2;
        let message =
            [framed(BEGIN, &vec![b'x'; half]), header(LAST, half as u64), vec![b'x'; half - 1]];
        let message = message.concat();
        let sockets = many(100, async |n| {
            let mut raw = Raw::upgraded(target.address).await;
            raw.write(if n % 2 == 0 { &frame } else { &message }).await.unwrap();
            raw
        })
        .await;
        target.hold().await;
        drop(sockets);
    });
}

/// A thousand frames of a byte are one message of a thousand bytes.
#[test]
fn a_flood_of_fragments_is_bounded_by_the_size_of_a_message() {
    let siege = siege("thousands of tiny fragments").with("--payload-bytes", "64");
    siege.sockets(8, kib(4 * 64)).run(async |target| {
        let parts = framed(MORE, b"x").repeat(1_000);
        many(8, async |_| {
            let mut raw = Raw::greeted(target.address).await;
            raw.write(&framed(BEGIN, b"x")).await.unwrap();
            let end = loop {
                let _ = raw.write(&parts).await;
                if let Some(end) = raw.closed_soon().await {
                    break end;
                }
            };
            assert_eq!(end, too_large());
        })
        .await;
    });
}

/// Of empty parts a message may have as many as it likes: it is cut by its time.
#[test]
fn a_message_that_never_ends_is_cut_by_the_hello_or_by_the_silence() {
    let siege = siege("a message of empty parts without end").with("--hello-ms", "1500");
    let siege = siege.with("--ping-every-ms", "800").with("--silence-ms", "1500");
    siege.sockets(50, kib(64)).run(async |target| {
        let parts = framed(MORE, b"").repeat(50);
        many(50, async |n| {
            let greeted = n % 2 == 0;
            let mut raw = if greeted {
                Raw::greeted(target.address).await
            } else {
                Raw::upgraded(target.address).await
            };
            let _ = raw.write(&framed(BEGIN, b"")).await;
            let end = loop {
                // What comes behind the close may find nobody.
                let _ = raw.write(&parts).await;
                if let Some(end) = raw.closed_soon().await {
                    break end;
                }
            };
            let number = if greeted { 4408 } else { 4407 };
            assert_eq!(end.number(), Some(number));
        })
        .await;
    });
}

#[test]
fn a_close_is_answered_whatever_is_in_it_and_nothing_after_it_is() {
    siege("closes with every number, and floods behind them").sockets(20, kib(256)).run(
        async |target| {
            for number in [0_u16, 999, 1000, 1004, 1005, 1006, 1015, 2999, 3000, 4999, 5000, 65535]
            {
                let code = number.to_be_bytes();
                let close = framed(CLOSE, &[&code[..], b"why"].concat());
                let flood = [close.repeat(50), framed(PING, b"x").repeat(50)].concat();
                many(20, async |n| {
                    let mut raw = Raw::upgraded(target.address).await;
                    raw.write(&close).await.unwrap();
                    if n % 2 == 0 {
                        let _ = raw.write(&flood).await;
                    }
                    // A number that nobody may send is a breach of the protocol.
                    let answer = match number {
                        1000 | 3000 | 4999 => number,
                        _ => 1002,
                    };
                    let end = raw.closed().await;
                    assert!(
                        end.number() == Some(answer) || n % 2 == 0 && end == End::Gone,
                        "{number} was answered by {end:?}"
                    );
                })
                .await;
            }
        },
    );
}

#[test]
fn floods_of_pings_and_pongs_are_in_nobodys_way() {
    siege("floods of pings, pongs and empty parts").sockets(50, kib(256)).run(async |target| {
        let flood = [framed(PING, b"?").repeat(5), framed(PONG, b"!").repeat(5)].concat();
        many(50, async |_| {
            let mut raw = Raw::greeted(target.address).await;
            while target.round().await {
                raw.write(&flood).await.unwrap();
                for _ in 0..5 {
                    while raw.frame().await.unwrap().0 != PONG {}
                }
            }
        })
        .await;
    });
}
