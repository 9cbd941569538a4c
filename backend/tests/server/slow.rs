//! A reader that does not read for a while, and is not told the less for it: what found no room in
//! its queue comes anew, as it is by then.

use crate::{
    faulty::Faulty,
    handle::Counting,
    rig::Rig,
    talker::{Me, Talker, dial, fresh},
    tally,
};
use holdfast_backend::engine::Engine;
use holdfast_common::{
    codec,
    error::Code,
    frame::{ClientFrame, JoinRoom, Presence, ServerFrame, SetLatest},
    id::{PersonId, RoomId},
    limits::Limits,
    time::Millis,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

/// A server with small queues and large messages.
async fn narrow() -> (Rig, RoomId) {
    // Who does not read does not answer pings either, for as long as this machine takes.
    let silence = Millis(10 * 60 * 1_000);
    let limits = Limits { text_chars: 60_000, silence, ..Limits::default() };
    let rig = Rig::start(Arc::new(Faulty::default()), None, |builder| {
        let builder = builder.limits(limits).waiting_frames(8);
        builder.namespace(tally::Serve(Counting)).welcome_room("tally", "sheep")
    });
    let rig = rig.await;
    let sheep = rig.handle.room("tally", "sheep").await.unwrap();
    (rig, sheep)
}

/// More than sockets and queues hold.
async fn stuff(rig: &Rig) {
    let message = json!({ "type": "message", "data": { "text": "x".repeat(50_000) } }).to_string();
    for _ in 0..300 {
        assert_eq!(rig.post(LOBBY, "", &message).await.status, 201);
    }
}

async fn set(talker: &mut Talker, ns: &str, room: RoomId, kind: &str, value: serde_json::Value) {
    let (ns, kind) = (ns.to_owned(), kind.to_owned());
    let head = ClientFrame::Latest(SetLatest { ns, room, kind, rank: None });
    talker.wire.text(codec::write_client_with(&head, &value.to_string())).await;
    let stored = |frame| matches!(frame, ServerFrame::Stored(_)).then_some(());
    talker.wire.find(stored).await;
}

fn told(here: &mut BTreeSet<PersonId>, presence: Presence) {
    if presence.all {
        here.clear();
    }
    here.extend(presence.came.iter().map(|author| author.id));
    here.retain(|person| !presence.left.contains(person));
}

#[tokio::test]
async fn a_reader_that_did_not_read_is_told_the_rooms_the_people_and_the_registers_anew() {
    let (rig, sheep) = narrow().await;
    let mut slow = Talker::at_home(&rig, "Slow").await;
    let mut phone = Talker::come(&rig, slow.me.elsewhere()).await;
    let mut ben = Talker::at_home(&rig, "Ben").await;
    stuff(&rig).await;
    let mut rooms = BTreeSet::new();
    for n in 1..=30 {
        let room = RoomId::from_bytes(fresh());
        ben.emit(room, 1, "room_created", json!({ "name": format!("room {n}") })).await;
        ben.ack().await;
        rooms.insert(room);
        set(&mut ben, "tally", sheep, "seen", json!({ "total": n })).await;
        set(&mut phone, "chat", rig.lobby, "read", json!({ "offset": n })).await;
        drop(Talker::at_home(&rig, "Passing").await);
    }
    let carol = Talker::at_home(&rig, "Carol").await;
    let here = BTreeSet::from([slow.me.person, ben.me.person, carol.me.person]);
    let ranks = BTreeMap::from([(slow.me.person, 30), (ben.me.person, 30)]);
    // Until all of it is true; a hole that stays would wait for ever.
    let (mut seen, mut present, mut heard) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
    while !(rooms.is_subset(&seen) && present == here && heard == ranks) {
        match slow.wire.next().await {
            ServerFrame::Rooms(frame) => seen.extend(frame.rooms.iter().map(|info| info.room)),
            ServerFrame::Presence(frame) if frame.room == rig.lobby => told(&mut present, frame),
            ServerFrame::Latest(value) => drop(heard.insert(value.person, value.rank)),
            _ => {}
        }
    }
    assert_eq!(slow.entries(rig.lobby, 300).await.len(), 300);
}

#[tokio::test]
async fn a_room_that_is_made_while_one_is_being_greeted_is_listed_too() {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let gate = engine.hold_greetings();
    let mut wire = dial(rig.address, Some("holdfast.v1")).await;
    wire.send(&ClientFrame::Hello(Me::new("Ben").hello())).await;
    gate.reached.notified().await;
    let room = RoomId::from_bytes(fresh());
    anna.emit(room, 1, "room_created", json!({ "name": "Ward" })).await;
    anna.ack().await;
    gate.open.notify_one();
    let listed = |frame| match frame {
        ServerFrame::Rooms(frame) => frame.rooms.into_iter().find(|info| info.room == room),
        _ => None,
    };
    assert!(!wire.find(listed).await.joined);
}

#[tokio::test]
async fn a_room_that_is_deleted_while_the_list_of_rooms_is_read_is_not_listed_as_living() {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    let ward = rig.handle.room("chat", "Ward").await.unwrap();
    let (greetings, directory) = (engine.hold_greetings(), engine.hold_directory());
    let mut wire = dial(rig.address, Some("holdfast.v1")).await;
    wire.send(&ClientFrame::Hello(Me::new("Ben").hello())).await;
    greetings.reached.notified().await;
    // A room that the greeting does not know has the list read behind it.
    let cellar = rig.handle.room("chat", "Cellar").await.unwrap();
    greetings.open.notify_one();
    directory.reached.notified().await;
    assert_eq!(rig.handle.delete_room(ward).await, Ok(true));
    let named = |room: RoomId| {
        move |frame| match frame {
            ServerFrame::Rooms(frame) if frame.rooms.iter().any(|it| it.room == room) => {
                Some(frame.rooms)
            }
            _ => None,
        }
    };
    let gone = |frame| named(ward)(frame).filter(|rooms| rooms.iter().any(|it| it.gone));
    wire.find(gone).await;
    directory.open.notify_one();
    let list = wire.find(named(cellar)).await;
    assert!(list.iter().all(|it| it.room != ward), "{list:?}");
}

#[tokio::test]
async fn a_membership_that_ends_while_one_is_being_greeted_is_told_behind_the_welcome() {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let ward = rig.handle.room("chat", "Ward").await.unwrap();
    anna.join(ward).await;
    let gate = engine.hold_greetings();
    let mut phone = dial(rig.address, Some("holdfast.v1")).await;
    phone.send(&ClientFrame::Hello(anna.me.elsewhere().hello())).await;
    gate.reached.notified().await;
    anna.wire.send(&ClientFrame::Leave(JoinRoom { req: 7, room: ward })).await;
    anna.settled().await;
    gate.open.notify_one();
    let told = |frame| match frame {
        ServerFrame::Welcome(_) => Some(None),
        ServerFrame::Left(left) => Some(Some(left.room)),
        _ => None,
    };
    assert_eq!(phone.find(told).await, None);
    assert_eq!(phone.find(told).await, Some(ward));
}

#[tokio::test]
async fn who_comes_to_a_room_is_told_the_registers_that_stand_there() {
    let (rig, sheep) = narrow().await;
    let mut ben = Talker::at_home(&rig, "Ben").await;
    set(&mut ben, "tally", sheep, "seen", json!({ "total": 3 })).await;
    set(&mut ben, "chat", rig.lobby, "read", json!({ "offset": 1 })).await;
    let mut carol = Talker::new(&rig, "Carol").await;
    let latest = |frame| match frame {
        ServerFrame::Latest(value) => Some((value.person, value.kind, value.rank)),
        _ => None,
    };
    let seen = (ben.me.person, "seen".to_owned(), 3);
    assert_eq!(carol.wire.find(latest).await, seen, "a read marker is its owner's alone");
}

#[tokio::test]
async fn of_a_join_and_a_leave_on_two_connections_the_one_that_was_later_is_the_last_word() {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    let mut anna = Talker::at_home(&rig, "Anna").await;
    let mut phone = Talker::come(&rig, anna.me.elsewhere()).await;
    phone.live(rig.lobby).await;
    let ward = rig.handle.room("chat", "Ward").await.unwrap();
    let gate = engine.hold_join();
    anna.wire.send(&ClientFrame::Join(JoinRoom { req: 7, room: ward })).await;
    gate.reached.notified().await;
    phone.wire.send(&ClientFrame::Leave(JoinRoom { req: 8, room: ward })).await;
    phone.settled().await;
    gate.open.notify_one();
    let change = |frame| match frame {
        ServerFrame::Joined(joined) => Some((true, Some(joined.req))),
        ServerFrame::Left(left) => Some((false, left.req)),
        _ => None,
    };
    assert_eq!(anna.wire.find(change).await, (true, Some(7)));
    assert_eq!(anna.wire.find(change).await, (false, None));
    assert_eq!(phone.wire.find(change).await, (false, Some(8)));
    anna.say(ward, 1, "am I still in?").await;
    assert_eq!(anna.rejected().await.code, Code::NotMember);
}
