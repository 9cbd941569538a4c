//! Hellos: slow ones, endless ones, and those that name as much as a hello may.

use crate::{
    raw::{BEGIN, End, MORE, PATIENCE, Raw, TEXT, framed, fresh, hello, said},
    siege::{kib, many, mib, siege},
};
use futures_util::future::{join, join_all};
use holdfast_common::{
    codec,
    cursor::{Cursor, Mark},
    error::Code,
    frame::{ClientFrame, Hello, LaneState, RoomCursor, ServerFrame},
    id::{Epoch, RoomId},
    limits::MOST_LANES,
};
use std::time::Duration;
use tokio::time::timeout;

/// Rooms in a frame. More would fit; but reading them takes a debug build so long that it is noticed.
const ROOMS_A_FRAME: usize = 250;

/// A hello that names so many rooms that there are not, in as many frames as it needs.
fn long(hello: &Hello, count: usize) -> Vec<u8> {
    let rooms: Vec<RoomCursor> = (0..count)
        .map(|_| {
            let epoch = Epoch::from_bytes(fresh());
            let cursor = Cursor { epoch, offset: 1, mark: Mark(7) };
            RoomCursor { room: RoomId::from_bytes(fresh()), cursor }
        })
        .collect();
    let mut parts = rooms.chunks(ROOMS_A_FRAME).peekable();
    let mut bytes = Vec::new();
    while let Some(rooms) = parts.next() {
        let more = parts.peek().is_some();
        let part = Hello { rooms: rooms.to_vec(), more, ..hello.clone() };
        bytes.extend(said(&ClientFrame::Hello(part)));
    }
    bytes
}

/// What a hello of this many rooms may take: each in what was read, in what is asked of the database, in
/// what both look it up by, and as a frame that says that it is left.
const LONG: u64 = 8 * ROOMS_A_FRAME as u64 * (4 * 64 + 256);

fn closed(code: Code) -> End {
    End::Close(code.close_number().unwrap(), code.name().to_owned())
}

#[test]
fn a_hello_that_comes_a_byte_at_a_time_is_cut_when_its_time_is_over() {
    let siege = siege("slow hellos").with("--hello-ms", "700");
    siege.sockets(200, kib(64)).run(async |target| {
        let text = codec::write_client(&ClientFrame::Hello(hello()));
        let whole = framed(TEXT, text.as_bytes());
        many(200, async |n| {
            let mut raw = Raw::upgraded(target.address).await;
            let mut sent = 0;
            let end = loop {
                // A byte of a frame, or a frame of a byte.
                let bytes = match n % 2 {
                    0 => vec![whole[sent]],
                    _ => {
                        framed(if sent == 0 { BEGIN } else { MORE }, &text.as_bytes()[sent..=sent])
                    }
                };
                sent = (sent + 1).min(text.len() - 1);
                let _ = raw.write(&bytes).await;
                if let Some(end) = raw.closed_soon().await {
                    break end;
                }
            };
            assert_eq!(end, closed(Code::HelloTimeout));
        })
        .await;
    });
}

#[test]
fn a_hello_without_end_is_cut_when_its_time_is_over() {
    let siege = siege("hellos without end").with("--hello-ms", "700");
    siege.sockets(100, kib(256)).run(async |target| {
        let part = said(&ClientFrame::Hello(Hello { more: true, ..hello() }));
        many(100, async |_| {
            let mut raw = Raw::upgraded(target.address).await;
            let end = loop {
                let _ = raw.write(&part).await;
                if let Some(end) = raw.closed_soon().await {
                    break end;
                }
            };
            assert_eq!(end, closed(Code::HelloTimeout));
        })
        .await;
    });
}

/// However many begin a long hello, eight are listened to. Others are not in their way.
#[test]
fn long_hellos_take_turns_and_short_ones_do_not_wait_for_them() {
    let siege = siege("long hellos that are begun and not ended");
    siege.sockets(100, kib(256)).besides(8 * LONG).run(async |target| {
        let begun = said(&ClientFrame::Hello(Hello { more: true, ..hello() }));
        let sockets = many(100, async |_| {
            let mut raw = Raw::upgraded(target.address).await;
            raw.write(&begun).await.unwrap();
            raw
        })
        .await;
        let whole = long(&hello(), 2 * ROOMS_A_FRAME);
        let mut late = Raw::upgraded(target.address).await;
        late.write(&whole).await.unwrap();
        drop(Raw::greeted(target.address).await);
        let mut told = async || {
            late.find(|frame| matches!(frame, ServerFrame::Live(_)).then_some(())).await;
        };
        assert!(
            timeout(Duration::from_millis(500), told()).await.is_err(),
            "its turn has not come"
        );
        drop(sockets);
        told().await;
    });
}

/// Neither by silence, nor by frames that say nothing, nor by a frame without end: who has a turn and
/// does not go on with its hello loses it long before the time for a hello is over.
#[test]
fn whose_turn_it_is_has_to_go_on_with_its_long_hello() {
    let siege = siege("turns that are taken and not used").with("--hello-ms", "60000");
    siege.sockets(9, kib(256)).besides(8 * LONG).run(async |target| {
        let part = said(&ClientFrame::Hello(Hello { more: true, ..hello() }));
        let mut sockets = many(8, async |_| {
            let mut raw = Raw::upgraded(target.address).await;
            raw.write(&part).await.unwrap();
            raw
        })
        .await;
        // Nobody else is in the way of those, so each has its turn when the small ones have theirs.
        drop(Raw::greeted(target.address).await);
        let late = async {
            let mut late = Raw::upgraded(target.address).await;
            late.write(&long(&hello(), 2 * ROOMS_A_FRAME)).await.unwrap();
            late.find(|frame| matches!(frame, ServerFrame::Live(_)).then_some(())).await;
        };
        let idle = join_all(sockets.iter_mut().enumerate().map(async |(n, raw)| {
            let mut bytes = part.iter();
            for round in 0.. {
                let _ = match n % 3 {
                    0 => raw.write(bytes.next().copied().as_slice()).await,
                    1 if round % 10 == 0 => raw.write(&part).await,
                    _ => Ok(()),
                };
                if let Some(end) = raw.closed_soon().await {
                    return end;
                }
            }
            unreachable!("it goes on until it is closed")
        }));
        let ((), ends) = timeout(PATIENCE, join(late, idle)).await.expect("turns are given up");
        assert!(ends.iter().all(|end| *end == closed(Code::HelloTimeout)), "{ends:?}");
    });
}

/// They wait for their turns one after the other, also while what they have asked for is not read.
#[test]
fn whole_long_hellos_take_turns_until_what_they_ask_for_has_left() {
    siege("long hellos whose answer is not read").sockets(12, kib(768)).besides(8 * LONG).run(
        async |target| {
            let bytes = long(&hello(), 8 * ROOMS_A_FRAME);
            let sockets = many(12, async |_| {
                let mut raw = Raw::narrow(target.address).await.up(target.address).await;
                raw.press(&bytes).await;
                raw
            })
            .await;
            target.hold().await;
            drop(sockets);
        },
    );
}

#[test]
fn a_hello_of_more_than_it_may_name_is_over_the_limit() {
    siege("hellos of too much").sockets(8, mib(1)).run(async |target| {
        let lane = |_| LaneState { room: RoomId::from_bytes(fresh()), floor: 0, next: 1 };
        let lanes: Vec<_> = (0..=MOST_LANES).map(lane).collect();
        let parts = lanes.chunks(2_000).map(|lanes| {
            let part = Hello { lanes: lanes.to_vec(), more: true, ..hello() };
            said(&ClientFrame::Hello(part))
        });
        let bytes = parts.collect::<Vec<_>>().concat();
        many(8, async |_| {
            let mut raw = Raw::upgraded(target.address).await;
            let _ = raw.write(&bytes).await;
            assert_eq!(raw.closed().await, closed(Code::OverLimit));
        })
        .await;
    });
}

#[test]
fn a_flood_of_people_that_were_never_here_is_in_nobodys_way() {
    siege("greetings of new people, and resets").sockets(20, kib(256)).run(async |target| {
        let mut count = 0;
        while target.round().await || count < 200 {
            many(20, async |_| {
                let mut raw = Raw::upgraded(target.address).await;
                raw.write(&said(&ClientFrame::Hello(hello()))).await.unwrap();
                raw.reset();
            })
            .await;
            count += 20;
        }
    });
}
