//! Rooms that an application deletes and logs that it trims, under the eyes of who is connected.

use crate::{
    rig::{Rig, on_every_engine},
    talker::{Me, Talker, cursor},
};
use holdfast_backend::app::NotEmitted;
use holdfast_common::{
    chat::Message,
    error::Code,
    frame::{ClientFrame, Entry, GapReason, History, ServerFrame},
    id::RoomId,
};

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
