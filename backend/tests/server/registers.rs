//! Registers and signals: only what stands is told, and only in a room of its namespace.

use crate::{
    handle::tally,
    talker::{Talker, fresh},
};
use holdfast_common::{
    codec,
    error::Code,
    frame::{ClientFrame, ServerFrame, SetLatest, Signal, Stored},
    id::RoomId,
};

async fn set(talker: &mut Talker, ns: &str, room: RoomId, kind: &str, payload: &str) -> Stored {
    let (ns, kind) = (ns.to_owned(), kind.to_owned());
    let head = ClientFrame::Latest(SetLatest { ns, room, kind, rank: Some(7) });
    talker.wire.text(codec::write_client_with(&head, payload)).await;
    let stored = |frame| match frame {
        ServerFrame::Stored(stored) => Some(stored),
        _ => None,
    };
    talker.wire.find(stored).await
}

async fn signal(talker: &mut Talker, ns: &str, room: RoomId, kind: &str) {
    let (ns, kind) = (ns.to_owned(), kind.to_owned());
    let head = ClientFrame::Signal(Signal { ns, room, kind });
    talker.wire.text(codec::write_client_with(&head, "{}")).await;
}

#[tokio::test]
async fn a_value_that_does_not_stand_is_told_to_nobody() {
    let (rig, sheep) = tally().await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let mut ben = Talker::at_home(&rig, "Ben").await;
    for (payload, rank) in
        [(r#"{"total":7}"#, 7), (r#"{"total":7,"other":1}"#, 7), (r#"{"total":3}"#, 7)]
    {
        let stored = set(&mut anna, "tally", sheep, "seen", payload).await;
        assert_eq!((stored.rank, stored.code), (rank, None));
    }
    set(&mut anna, "tally", sheep, "seen", r#"{"total":8}"#).await;
    let told = |frame| match frame {
        ServerFrame::Latest(value) => Some(value.data.get().to_owned()),
        _ => None,
    };
    assert_eq!(ben.wire.find(told).await, r#"{"total":7}"#);
    assert_eq!(ben.wire.find(told).await, r#"{"total":8}"#);
}

#[tokio::test]
async fn a_refusal_of_a_register_names_the_value_that_it_is_about() {
    let (rig, sheep) = tally().await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let nowhere = RoomId::from_bytes(fresh());
    let read = r#"{"offset":7}"#;
    let huge = format!(r#"{{"offset":7,"x":"{}"}}"#, "x".repeat(70_000));
    for (ns, room, kind, payload, code) in [
        ("chat", sheep, "read", read, Code::WrongNamespace),
        ("tally", rig.lobby, "seen", r#"{"total":7}"#, Code::WrongNamespace),
        ("nothing", sheep, "read", read, Code::UnknownNamespace),
        ("chat", nowhere, "read", read, Code::NotMember),
        ("chat", rig.lobby, "read", "{}", Code::BadPayload),
        ("chat", rig.lobby, "read", huge.as_str(), Code::TooLarge),
    ] {
        let stored = set(&mut anna, ns, room, kind, payload).await;
        assert_eq!((stored.code, stored.about, stored.rank), (Some(code), Some(7), 0));
    }
    let again = Talker::come(&rig, anna.me.elsewhere()).await;
    assert!(again.welcome.latest.is_empty());
}

#[tokio::test]
async fn a_signal_of_another_namespace_than_its_room_reaches_nobody() {
    let (rig, sheep) = tally().await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let mut ben = Talker::new(&rig, "Ben").await;
    ben.settled().await;
    anna.settled().await;
    signal(&mut anna, "chat", sheep, "typing").await;
    signal(&mut anna, "tally", rig.lobby, "hovering").await;
    signal(&mut anna, "tally", sheep, "hovering").await;
    let heard = |frame| match frame {
        ServerFrame::Signal(signal) => Some((signal.ns, signal.room)),
        _ => None,
    };
    assert_eq!(ben.wire.find(heard).await, ("tally".to_owned(), Some(sheep)));
}
