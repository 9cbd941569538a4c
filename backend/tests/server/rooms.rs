//! Rooms that an application deletes and logs that it trims, under the eyes of who is connected.

use crate::{
    rig::{Rig, on_every_engine},
    talker::{Me, Talker, cursor},
};
use holdfast_backend::{
    app::NotEmitted,
    engine::{Engine, memory::MemoryEngine},
};
use holdfast_common::{
    chat::Message,
    error::Code,
    frame::{ClientFrame, Entry, GapReason, History, LeaveRoom, RoomCursor, ServerFrame},
    id::RoomId,
    limits::Limits,
};
use std::{collections::BTreeSet, sync::Arc};

async fn say(rig: &Rig, room: RoomId, text: &str) -> Result<u64, Option<Code>> {
    let emitted = rig.handle.emit_to_room(room, &Message { text: text.to_owned() }).await;
    emitted.map(|emitted| emitted.offset).map_err(|error| match error {
        NotEmitted::Code(code) => Some(code),
        _ => None,
    })
}

/// Waits for the end of a membership that this connection did not ask for.
async fn left(talker: &mut Talker, room: RoomId) {
    let left = |frame| match frame {
        ServerFrame::Left(left) if left.room == room => Some(left.req),
        _ => None,
    };
    assert_eq!(talker.wire.find(left).await, None);
}

#[tokio::test]
async fn who_is_in_more_rooms_than_a_lowered_limit_allows_stays_in_them_and_may_leave_some() {
    let engine: Arc<dyn Engine> = Arc::new(MemoryEngine::new());
    let before = Rig::start(Arc::clone(&engine), None, |builder| builder).await;
    let mut anna = Talker::at_home(&before, "Anna").await;
    let mut rooms = vec![before.lobby];
    for n in 0..100 {
        let room = before.handle.room("chat", &format!("room {n}")).await.unwrap();
        anna.join(room).await;
        rooms.push(room);
    }
    let limits = Limits { rooms: 1, ..Limits::default() };
    let after = Rig::start(engine, None, |builder| builder.limits(limits)).await;
    for room in &rooms {
        let slice = after.engine.slice(*room, 0, 1, 0).await.unwrap().unwrap();
        anna.me.rooms.push(RoomCursor { room: *room, cursor: slice.head.cursor() });
    }
    let mut anna = Talker::come(&after, anna.me.clone()).await;
    let mut live = BTreeSet::new();
    while live.len() < rooms.len() {
        let room = |frame| match frame {
            ServerFrame::Live(live) => Some(live.room),
            _ => None,
        };
        live.insert(anna.wire.find(room).await);
    }
    anna.say(rooms[100], 1, "still here").await;
    anna.ack().await;
    for (req, room) in rooms.iter().enumerate().skip(1) {
        let ask = LeaveRoom { req: req as u64, room: *room };
        anna.wire.send(&ClientFrame::Leave(ask)).await;
        left_by(&mut anna, *room).await;
    }
    let refused = |frame| match frame {
        ServerFrame::Refused(refused) => Some(refused.code),
        _ => None,
    };
    let ask = LeaveRoom { req: 200, room: rooms[1] };
    anna.wire.send(&ClientFrame::Join(ask)).await;
    assert_eq!(anna.wire.find(refused).await, Code::TooMany);
}

/// Waits for the end of a membership, whoever asked for it.
async fn left_by(talker: &mut Talker, room: RoomId) {
    let left = |frame| matches!(frame, ServerFrame::Left(left) if left.room == room).then_some(());
    talker.wire.find(left).await;
}

on_every_engine! {
    async fn a_deleted_room_is_over_at_once_for_whoever_is_connected(rig) {
        let room = rig.handle.room("chat", "Ward").await.unwrap();
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        anna.join(room).await;
        anna.live(room).await;
        assert_eq!(rig.handle.delete_room(room).await, Ok(true));
        let gone = anna.room(|info| info.room == room && info.gone).await;
        assert!(!gone.joined);
        left(&mut anna, room).await;
        ben.room(|info| info.room == room && info.gone).await;
        anna.say(room, 1, "is there anybody?").await;
        assert_eq!(anna.rejected().await.code, Code::RoomGone);
        assert_eq!(say(&rig, room, "nobody").await, Err(Some(Code::RoomGone)));
        rig.get("/api/v1/chat/rooms/Ward/events").await.is(404, "unknown_room");
    }

    async fn a_deleted_rooms_name_is_free_and_its_id_is_not(rig) {
        let room = rig.handle.room("chat", "Ward").await.unwrap();
        assert_eq!(rig.handle.delete_room(room).await, Ok(true));
        assert_eq!(rig.handle.delete_room(room).await, Ok(true), "it stays deleted");
        assert_ne!(rig.handle.room("chat", "Ward").await.unwrap(), room);
        assert_eq!(rig.handle.delete_room(RoomId::NIL).await, Ok(false));
    }

    async fn nobody_reads_what_was_trimmed(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        for n in 2..=6 {
            assert_eq!(say(&rig, rig.lobby, &n.to_string()).await, Ok(n));
        }
        let read: Vec<Entry> = anna.entries(rig.lobby, 5).await;
        let epoch = rig.engine.room_named("chat", "lobby").await.unwrap().unwrap().head.epoch;
        assert_eq!(rig.handle.trim(rig.lobby, 5).await, Ok(Some(5)));

        let mut ben = Me::new("Ben");
        ben.rooms.push(cursor(rig.lobby, epoch, &read[0]));
        let mut ben = Talker::come(&rig, ben).await;
        let gap = |frame| match frame {
            ServerFrame::Gap(gap) => Some(gap),
            _ => None,
        };
        let gap = ben.wire.find(gap).await;
        assert_eq!((gap.from, gap.to, gap.reason), (3, 4, GapReason::Trimmed));
        assert_eq!(ben.entries(rig.lobby, 2).await[0].offset, 5);

        let history = History { req: 1, room: rig.lobby, before: None, limit: 100 };
        anna.wire.send(&ClientFrame::History(history)).await;
        let page = |frame| match frame {
            ServerFrame::Page(page) => Some(page),
            _ => None,
        };
        let page = anna.wire.find(page).await;
        assert_eq!((page.first, page.from, page.items.len()), (5, 5, 2));
        // Who has read everything goes on as if nothing had been.
        assert_eq!(say(&rig, rig.lobby, "next").await, Ok(7));
        assert_eq!(anna.entries(rig.lobby, 1).await[0].offset, 7);

        assert_eq!(rig.handle.trim(rig.lobby, 2).await, Ok(Some(5)), "it never goes back");
        assert_eq!(rig.handle.trim(RoomId::NIL, 2).await, Ok(None));
    }
}
