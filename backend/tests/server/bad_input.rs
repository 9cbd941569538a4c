//! What costs its sender, and nobody else.

use crate::{
    rig::Rig,
    talker::{Me, Talker, dial, fresh, text},
};
use futures_util::SinkExt;
use holdfast_common::{
    codec,
    cursor::{Cursor, Mark},
    error::Code,
    frame::{AskIds, ClientFrame, Emit, Hello, History, JoinRoom, RoomCursor, ServerFrame},
    id::{Epoch, EventId, PersonId, RoomId},
    limits::Limits,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

/// Frames that cannot be read, or have no place; each closes its connection.
#[tokio::test]
async fn a_frame_that_cannot_be_read_closes_its_connection_alone() {
    let rig = Rig::memory().await;
    let mut neighbour = Talker::at_home(&rig, "Neighbour").await;
    let hello = codec::write_client(&ClientFrame::Hello(Me::new("Twice").hello()));
    let frames = [
        "",
        "\n",
        "nonsense",
        "{}",
        "[]",
        "null",
        "0",
        "{\"dance\":{}}",
        "{\"ping\":{\"n\":-1}}",
        "{\"ping\":{\"n\":1e400}}",
        "{\"ping\":{\"n\":18446744073709551616}}",
        "{\"ping\":{\"n\":1},\"pong\":{\"n\":1}}",
        "{\"emit\":{}}",
        "{\"emit\":{\"ns\":\"chat\",\"room\":\"lobby\",\"n\":1,\"floor\":0,\"id\":\"x\",\"type\":\"message\"}}",
        "{\"join\":{\"req\":1,\"room\":[]}}",
        "{\"welcome\":{}}",
        "\u{0}",
        "{\"ping\":{\"n\":1}",
        hello.as_str(),
    ];
    for frame in frames {
        let mut talker = Talker::at_home(&rig, "Bad").await;
        talker.wire.text(frame).await;
        assert_eq!(talker.wire.closed().await, Some(Code::BadFrame), "{frame}");
    }
    let deep = "[".repeat(100_000);
    let mut talker = Talker::at_home(&rig, "Deep").await;
    talker.wire.text(deep).await;
    assert_eq!(talker.wire.closed().await, Some(Code::BadFrame));
    neighbour.say(rig.lobby, 1, "unbothered").await;
    assert_eq!(neighbour.ack().await.n, 1);
}

#[tokio::test]
async fn bytes_that_are_no_text_close_their_connection_alone() {
    let rig = Rig::memory().await;
    let mut talker = Talker::at_home(&rig, "Bad").await;
    talker.wire.socket.send(Message::binary(vec![0xff, 0xfe, 0x00])).await.unwrap();
    assert_eq!(talker.wire.closed().await, Some(Code::BadFrame));
}

#[tokio::test]
async fn a_payload_that_is_no_text_costs_its_event_alone() {
    let rig = Rig::memory().await;
    let mut talker = Talker::at_home(&rig, "Bad").await;
    for (n, payload) in [
        b"\xff\xfe".as_slice(),
        b"",
        b"{\"text\":\"\xff\"}",
        b"{\"text\":1}",
        b"{\"x\":\"\xff\",\"text\":\"a\"}",
        b"{\"text\":\"\\ud800\"}",
    ]
    .into_iter()
    .enumerate()
    {
        let n = n as u64 + 1;
        let (ns, kind) = ("chat".to_owned(), "message".to_owned());
        let id = EventId::from_bytes(fresh());
        let head = ClientFrame::Emit(Emit { ns, room: rig.lobby, n, floor: 0, id, kind });
        let mut bytes = codec::write_client(&head).into_bytes();
        bytes.push(b'\n');
        bytes.extend(payload);
        talker.wire.socket.send(Message::binary(bytes)).await.unwrap();
        let reject = talker.rejected().await;
        assert_eq!((reject.n, reject.code), (n, Code::BadPayload), "{payload:?}");
    }
    talker.say(rig.lobby, 7, "fine").await;
    assert_eq!(talker.ack().await.n, 7);
}

#[tokio::test]
async fn what_is_too_large_is_rejected_by_its_number_and_far_too_large_closes() {
    let limits = Limits { payload_bytes: 1_000, ..Limits::default() };
    let most = limits.frame_bytes();
    let rig = Rig::with(limits).await;
    let mut talker = Talker::at_home(&rig, "Large").await;
    talker.say(rig.lobby, 1, &"x".repeat(1_500)).await;
    assert_eq!(talker.rejected().await.code, Code::TooLarge);
    talker.say(rig.lobby, 2, &"x".repeat(900)).await;
    assert_eq!(talker.ack().await.n, 2);
    for size in [most + 1, 4 * most, 1024 * 1024] {
        let mut talker = Talker::at_home(&rig, "Larger").await;
        talker.wire.text("x".repeat(size)).await;
        assert_eq!(talker.wire.closed().await, Some(Code::FrameTooLarge), "{size}");
    }
}

#[tokio::test]
async fn an_event_that_names_what_is_not_there_is_rejected() {
    let rig = Rig::memory().await;
    let mut talker = Talker::at_home(&rig, "Lost").await;
    let nowhere = RoomId::from_bytes(fresh());
    talker.say(nowhere, 1, "anybody?").await;
    assert_eq!(talker.rejected().await.code, Code::UnknownRoom);
    let edit = json!({ "target": EventId::from_bytes(fresh()), "text": "x" });
    talker.emit(rig.lobby, 1, "edit", edit).await;
    assert_eq!(talker.rejected().await.code, Code::UnknownTarget);
    talker.emit(rig.lobby, 2, "typing", json!({})).await;
    assert_eq!(talker.rejected().await.code, Code::WrongClass);
    let head = ClientFrame::Emit(Emit {
        ns: "nonsense".to_owned(),
        room: rig.lobby,
        n: 3,
        floor: 0,
        id: EventId::from_bytes(fresh()),
        kind: "message".to_owned(),
    });
    talker.wire.text(codec::write_client_with(&head, "{}")).await;
    assert_eq!(talker.rejected().await.code, Code::UnknownNamespace);
    for name in ["", "  ", "a\u{7}b", "tab\there", &"x".repeat(81)] {
        let mut talker = Talker::at_home(&rig, "Namer").await;
        let room = RoomId::from_bytes(fresh());
        talker.emit(room, 1, "room_created", json!({ "name": name })).await;
        assert_eq!(talker.rejected().await.code, Code::Refused, "{name:?}");
    }
}

#[tokio::test]
async fn markup_is_passed_on_as_the_text_it_is() {
    let rig = Rig::memory().await;
    let mut talker = Talker::at_home(&rig, "<b>Bold</b>").await;
    let markup = "<script>alert(1)</script>";
    talker.say(rig.lobby, 1, markup).await;
    let entry = talker.entries(rig.lobby, 1).await.remove(0);
    assert_eq!((text(&entry).as_str(), entry.from.name.as_str()), (markup, "<b>Bold</b>"));
}

#[tokio::test]
async fn a_persons_name_is_made_plain_and_short() {
    let rig = Rig::memory().await;
    let long = format!(" a\u{1b}\u{202e}b{} ", "x".repeat(100));
    let mut talker = Talker::at_home(&rig, &long).await;
    talker.say(rig.lobby, 1, "hello").await;
    let name = talker.entries(rig.lobby, 1).await.remove(0).from.name;
    assert_eq!(name, format!("ab{}", "x".repeat(78)));
}

#[tokio::test]
async fn a_cursor_that_cannot_be_gone_on_from_is_a_reset_with_its_reason() {
    let rig = Rig::memory().await;
    let head = rig.engine.room_named("chat", "lobby").await.unwrap().unwrap().head;
    let future = Cursor { offset: 1_000_000, ..head.cursor() };
    let huge = Cursor { offset: u64::MAX, ..head.cursor() };
    let elsewhere = Cursor { epoch: Epoch::from_bytes(fresh()), ..head.cursor() };
    let forked = Cursor { mark: Mark(1), ..head.cursor() };
    for (cursor, reason) in
        [(future, "Future"), (huge, "Future"), (elsewhere, "Epoch"), (forked, "Forked")]
    {
        let mut me = Me::new("Traveller");
        me.rooms = vec![RoomCursor { room: rig.lobby, cursor }];
        let mut talker = Talker::come(&rig, me).await;
        let reset = |frame| match frame {
            ServerFrame::Reset(reset) => Some(format!("{:?}", reset.reason)),
            _ => None,
        };
        assert_eq!(talker.wire.find(reset).await, reason);
        talker.live(rig.lobby).await;
    }
}

#[tokio::test]
async fn a_hello_that_is_wrong_is_closed() {
    let rig = Rig::memory().await;
    let good = || Me::new("Good").hello();
    let reserved = PersonId::from_bytes(*b"holdfast service");
    let hellos = [
        (Hello { name: "  ".to_owned(), ..good() }, Code::BadFrame),
        (Hello { name: "\u{1b}\u{202e}".to_owned(), ..good() }, Code::BadFrame),
        (Hello { secret: "short".to_owned(), ..good() }, Code::BadFrame),
        (Hello { secret: "x".repeat(129), ..good() }, Code::BadFrame),
        (Hello { generation: 0, ..good() }, Code::BadFrame),
        (Hello { person: PersonId::NIL, ..good() }, Code::WrongSecret),
        (Hello { person: reserved, ..good() }, Code::WrongSecret),
    ];
    for (hello, code) in hellos {
        let mut wire = dial(rig.address, Some("holdfast.v1")).await;
        wire.send(&ClientFrame::Hello(hello.clone())).await;
        assert_eq!(wire.closed().await, Some(code), "{hello:?}");
    }
    let mut wire = dial(rig.address, Some("holdfast.v1")).await;
    wire.text("{\"ping\":{\"n\":1}}").await;
    assert_eq!(wire.closed().await, Some(Code::BadFrame));
}

#[tokio::test]
async fn a_version_that_is_not_spoken_is_echoed_and_closed() {
    let rig = Rig::memory().await;
    for protocol in [Some("holdfast.v99"), Some("holdfast.v2"), Some("soap"), None] {
        let mut wire = dial(rig.address, protocol).await;
        assert_eq!(wire.closed().await, Some(Code::UnsupportedVersion), "{protocol:?}");
    }
}

#[tokio::test]
async fn who_sends_no_hello_is_closed() {
    let limits = Limits { hello: holdfast_common::time::Millis(100), ..Limits::default() };
    let rig = Rig::with(limits).await;
    let mut wire = dial(rig.address, Some("holdfast.v1")).await;
    assert_eq!(wire.closed().await, Some(Code::HelloTimeout));
}

#[tokio::test]
async fn who_emits_too_fast_is_told_to_wait_and_loses_nothing() {
    let limits = Limits { emits_per_second: 5, ..Limits::default() };
    let rig = Rig::with(limits).await;
    let mut talker = Talker::at_home(&rig, "Hasty").await;
    for n in 1..=20 {
        talker.say(rig.lobby, n, "quick").await;
    }
    let retry = |frame| match frame {
        ServerFrame::Retry(retry) => Some(retry),
        _ => None,
    };
    let retry = talker.wire.find(retry).await;
    assert_eq!((retry.n, retry.code), (11, Code::TooFast));
    assert!(retry.after.0 > 0);
    let log = rig.engine.slice(rig.lobby, 0, 100, 100_000).await.unwrap().unwrap();
    assert_eq!(log.entries.len(), 11);
}

#[tokio::test]
async fn requests_that_come_too_fast_are_told_so_and_reach_no_engine() {
    let rig = Rig::with(Limits { emits_per_second: 5, ..Limits::default() }).await;
    let room = rig.handle.room("chat", "Ward").await.unwrap();
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let mut refused = Vec::new();
    for req in 1..=20 {
        let ask = JoinRoom { req, room };
        let ask = if req % 2 == 0 { ClientFrame::Leave(ask) } else { ClientFrame::Join(ask) };
        anna.wire.send(&ask).await;
    }
    let history = History { req: 21, room: rig.lobby, before: None, limit: 1 };
    anna.wire.send(&ClientFrame::History(history)).await;
    anna.wire.send(&ClientFrame::Ask(AskIds { req: 22, room, ids: Vec::new() })).await;
    let mut answered = 0;
    while answered < 22 {
        match anna.wire.next().await {
            ServerFrame::Refused(refusal) => {
                assert_eq!(refusal.code, Code::TooFast);
                refused.push(refusal.req);
                answered += 1;
            }
            ServerFrame::Joined(_) | ServerFrame::Found(_) => answered += 1,
            ServerFrame::Left(left) if left.req.is_some() => answered += 1,
            ServerFrame::Page(page) if page.req.is_some() => answered += 1,
            _ => {}
        }
    }
    assert!(!refused.is_empty());
    // The connection goes on, and there is room again after a while.
    for req in 23.. {
        anna.wire.send(&ClientFrame::Ask(AskIds { req, room, ids: Vec::new() })).await;
        let answer = |frame| match frame {
            ServerFrame::Found(_) => Some(true),
            ServerFrame::Refused(_) => Some(false),
            _ => None,
        };
        if anna.wire.find(answer).await {
            break;
        }
    }
}
