//! Copies of an outbox, and what one of them has under way while another one asks.

use crate::{
    rig::on_every_engine,
    talker::{Talker, fresh, text},
};
use holdfast_common::{
    error::Code,
    frame::{AskIds, ClientFrame, ServerFrame},
    id::{EventId, RoomId},
};

/// Asks whether an event stands, and hears that it does not.
async fn asks_in_vain(talker: &mut Talker, room: RoomId, id: EventId) {
    let ids = vec![id];
    talker.wire.send(&ClientFrame::Ask(AskIds { req: 1, room, ids })).await;
    let found = |frame| match frame {
        ServerFrame::Found(found) => Some(found.found),
        ServerFrame::Refused(refused) => panic!("{refused:?}"),
        _ => None,
    };
    assert!(talker.wire.find(found).await.is_empty());
}

on_every_engine! {
    async fn what_an_older_generation_has_under_way_is_not_taken_behind_an_answer_to_a_newer_one(rig) {
        let mut older = Talker::at_home(&rig, "Anna").await;
        let mut me = older.me.clone();
        me.session = me.elsewhere().session;
        let mut newer = Talker::come(&rig, me).await;
        let id = EventId::from_bytes(fresh());
        asks_in_vain(&mut newer, rig.lobby, id).await;
        older.emit_as(id, rig.lobby, 1, "message", r#"{"text":"late"}"#).await;
        assert_eq!(older.wire.closed().await, Some(Code::Fenced));
        newer.say(rig.lobby, 1, "on time").await;
        assert_eq!(newer.ack().await.offset, 2);
    }

    async fn what_another_writer_has_under_way_may_come_behind_the_answer_and_stands_once(rig) {
        let mut earlier = Talker::at_home(&rig, "Anna").await;
        let mut renewed = Talker::come(&rig, earlier.me.elsewhere()).await;
        renewed.live(rig.lobby).await;
        let id = EventId::from_bytes(fresh());
        asks_in_vain(&mut renewed, rig.lobby, id).await;
        earlier.emit_as(id, rig.lobby, 1, "message", r#"{"text":"as it was"}"#).await;
        let stands = earlier.ack().await.offset;
        // Had its writer been let to change it, the change would be lost without a word.
        renewed.emit_as(id, rig.lobby, 1, "message", r#"{"text":"changed"}"#).await;
        assert_eq!(renewed.ack().await.offset, stands);
        let entry = renewed.entries(rig.lobby, 1).await.remove(0);
        assert_eq!((entry.offset, text(&entry).as_str()), (stands, "as it was"));
    }
}
