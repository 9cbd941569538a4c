//! A shutdown.

use crate::{
    rig::{PATIENCE, Rig, on_every_engine},
    talker::{Talker, dial},
};
use holdfast_common::{error::Code, frame::ServerFrame};
use serde_json::json;

on_every_engine! {
    async fn clients_are_told_when_to_come_back_and_get_every_verdict(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        for n in 1..=20 {
            anna.say(rig.lobby, n, "on its way").await;
        }
        // The first one's ack shows that the server has begun to read them.
        assert_eq!(anna.ack().await.n, 1);
        let mut verdicts = 1;
        rig.handle.drain();
        let away = |frame| match frame {
            ServerFrame::Away(away) => Some(away.after),
            ServerFrame::Ack(_) => {
                verdicts += 1;
                None
            }
            _ => None,
        };
        assert_eq!(anna.wire.find(away).await.0, 1_000);
        loop {
            match anna.wire.message().await {
                Some(tokio_tungstenite::tungstenite::Message::Text(text)) => {
                    verdicts += u64::from(text.starts_with("{\"ack\""));
                }
                Some(tokio_tungstenite::tungstenite::Message::Close(Some(close))) => {
                    let code = Code::from_close(close.code.into());
                    assert_eq!(code, Some(Code::GoingAway));
                    break;
                }
                other => panic!("a frame or a close, not {other:?}"),
            }
        }
        // What had not been read yet is told to come again or not told at all; what was, is.
        let log = rig.engine.slice(rig.lobby, 0, 100, 100_000).await.unwrap().unwrap();
        assert_eq!(log.head.offset, 1 + verdicts);
        assert_eq!(ben.wire.closed().await, Some(Code::GoingAway));
        drop((anna, ben));
        assert!(rig.handle.drained(PATIENCE).await);
    }
}

#[tokio::test]
async fn a_draining_server_takes_nothing_new() {
    let rig = Rig::memory().await;
    rig.handle.drain();
    rig.get("/readyz").await.is(503, "draining");
    assert_eq!(rig.get("/healthz").await.status, 200);
    let event = json!({ "type": "message", "data": { "text": "late" } }).to_string();
    let late = rig.post("/api/v1/chat/rooms/lobby/events", "", &event).await;
    late.is(503, "draining");
    assert_eq!(late.header("retry-after"), "1");
    let mut wire = dial(rig.address, Some("holdfast.v1")).await;
    assert_eq!(wire.closed().await, Some(Code::GoingAway));
}
