//! Frames of the protocol where they have no place, or more of them than there may be.

use crate::{
    raw::{End, Raw, TEXT, framed, hello, lobby, said},
    siege::{kib, many, siege},
};
use holdfast_common::{
    codec,
    error::Code,
    frame::{ClientFrame, Emit, ServerFrame, SetLatest},
    id::{EventId, RoomId},
};

fn emit(room: RoomId, n: u64, floor: u64) -> Vec<u8> {
    let (ns, kind) = ("chat".to_owned(), "message".to_owned());
    let id = EventId::from_bytes(crate::raw::fresh());
    let head = ClientFrame::Emit(Emit { ns, room, n, floor, id, kind });
    framed(TEXT, codec::write_client_with(&head, r#"{"text":"!"}"#).as_bytes())
}

fn closed(code: Code) -> End {
    End::Close(code.close_number().unwrap(), code.name().to_owned())
}

#[test]
fn what_comes_before_its_time_closes_its_connection() {
    siege("emits before the hello, hellos twice").sockets(50, kib(256)).run(async |target| {
        let room = lobby(target.address).await;
        while target.round().await {
            many(50, async |n| {
                let mut raw = Raw::upgraded(target.address).await;
                let hello = said(&ClientFrame::Hello(hello()));
                let bytes = match n % 2 {
                    0 => emit(room, 1, 0).repeat(100),
                    _ => hello.repeat(100),
                };
                let _ = raw.write(&bytes).await;
                assert_eq!(raw.closed().await, closed(Code::BadFrame));
            })
            .await;
        }
    });
}

#[test]
fn a_number_out_of_reach_is_told_so_or_closes_its_connection() {
    siege("numbers out of reach").sockets(50, kib(256)).run(async |target| {
        let room = lobby(target.address).await;
        let wrong = [
            (0, 0, Code::BadFrame),
            (5, 5, Code::BadFrame),
            (1, u64::MAX, Code::BadFrame),
            (u64::MAX, 0, Code::OverLimit),
            (1_026, 1, Code::OverLimit),
        ];
        while target.round().await {
            for (n, floor, code) in wrong {
                many(10, async |_| {
                    let mut raw = Raw::greeted(target.address).await;
                    raw.write(&emit(room, n, floor)).await.unwrap();
                    assert_eq!(raw.closed().await, closed(code), "{n} {floor}");
                })
                .await;
            }
            // The highest number there is: it is decided, and the lane is at its end.
            let mut raw = Raw::greeted(target.address).await;
            for (n, floor) in [(u64::MAX - 1, u64::MAX - 2), (u64::MAX, u64::MAX - 1), (7, 0)] {
                raw.write(&emit(room, n, floor)).await.unwrap();
                let told = |frame| match frame {
                    ServerFrame::Ack(ack) => Some(ack.n),
                    ServerFrame::Settled(settled) => Some(settled.n),
                    _ => None,
                };
                assert_eq!(raw.find(told).await, n);
            }
        }
    });
}

#[test]
fn who_sends_more_than_may_come_is_told_to_wait() {
    siege("registers above the rate").sockets(4, kib(512)).run(async |target| {
        let room = lobby(target.address).await;
        let (ns, kind) = ("chat".to_owned(), "read".to_owned());
        let head = ClientFrame::Latest(SetLatest { ns, room, kind, rank: None });
        let text = codec::write_client_with(&head, r#"{"offset":1}"#);
        let flood = framed(TEXT, text.as_bytes()).repeat(50);
        many(4, async |_| {
            let mut raw = Raw::greeted(target.address).await;
            let mut sent = 0;
            while target.round().await || sent < 2_000 {
                let _ = raw.write(&flood).await;
                sent += 50;
            }
            let told = |frame| match frame {
                ServerFrame::Stored(stored) => (stored.code == Some(Code::TooFast)).then_some(()),
                _ => None,
            };
            raw.find(told).await;
        })
        .await;
    });
}

#[test]
fn a_session_that_takes_itself_over_and_over_ends_its_older_connections() {
    siege("one session from many sockets").sockets(100, kib(256)).run(async |target| {
        let me = hello();
        let mut last: Option<Raw> = None;
        let mut generation = 0;
        while target.round().await || generation < 100 {
            for _ in 0..4 {
                generation += 1;
                let mut hello = me.clone();
                hello.generation = generation;
                let next = Raw::upgraded(target.address).await.welcomed(hello).await;
                if let Some(mut old) = last.replace(next) {
                    assert_eq!(old.closed().await, closed(Code::TakenOver));
                }
            }
        }
    });
}
