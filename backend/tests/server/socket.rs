//! People talking over real sockets.

use crate::{
    rig::on_every_engine,
    talker::{Talker, cursor, dial, fresh, text},
};
use holdfast_common::{
    codec,
    error::Code,
    frame::{
        AskIds, ClientFrame, LaneState, LeaveRoom, RoomCursor, ServerFrame, SetLatest, Signal,
    },
    id::{EventId, RoomId},
    limits::PRESENCE_MOST,
};
use serde_json::json;

on_every_engine! {
    async fn a_text_is_acked_and_reaches_both(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        let id = anna.say(rig.lobby, 1, "hello").await;
        let entry = ben.entries(rig.lobby, 1).await.remove(0);
        assert_eq!((entry.id, text(&entry).as_str()), (id, "hello"));
        assert_eq!((entry.from.id, entry.from.name.as_str()), (anna.me.person, "Anna"));
        let ack = anna.ack().await;
        assert_eq!((ack.id, ack.n, ack.offset), (id, 1, entry.offset));
    }

    async fn emits_of_one_connection_keep_their_order(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        for n in 1..=300 {
            anna.say(rig.lobby, n, &format!("text {n}")).await;
        }
        let entries = ben.entries(rig.lobby, 300).await;
        let texts: Vec<String> = entries.iter().map(text).collect();
        let expected: Vec<String> = (1..=300).map(|n| format!("text {n}")).collect();
        assert_eq!(texts, expected);
        for n in 1..=300 {
            assert_eq!(anna.ack().await.n, n);
        }
    }

    async fn a_room_made_offline_comes_with_everything_behind_it(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let room = RoomId::from_bytes(fresh());
        anna.emit(room, 1, "room_created", json!({ "name": "Ward" })).await;
        let message = anna.say(room, 2, "first").await;
        anna.emit(room, 3, "edit", json!({ "target": message, "text": "better" })).await;
        anna.say(room, 4, "second").await;
        anna.emit(room, 5, "delete", json!({ "target": message })).await;
        let created = anna.ack().await;
        assert_eq!(created.reply.get(), r#"{"name":"Ward"}"#);
        for n in 2..=5 {
            let ack = anna.ack().await;
            assert_eq!((ack.n, ack.offset), (n, n));
        }
        let kinds: Vec<String> =
            anna.entries(room, 5).await.into_iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds.len(), 5);
    }

    async fn others_hear_of_a_new_room_and_may_join_it(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        let room = RoomId::from_bytes(fresh());
        anna.emit(room, 1, "room_created", json!({ "name": "Ward" })).await;
        let info = ben.room(|info| info.room == room).await;
        assert_eq!((info.name.as_str(), info.joined), ("Ward", false));
        ben.say(room, 1, "may I?").await;
        assert_eq!(ben.rejected().await.code, Code::NotMember);
        ben.join(room).await;
        assert_eq!(ben.entries(room, 1).await[0].kind, "room_created");
        ben.say(room, 2, "now I may").await;
        assert_eq!(ben.ack().await.offset, 2);
    }

    async fn an_emit_that_comes_again_gets_the_same_verdict(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let id = anna.say(rig.lobby, 1, "once").await;
        let first = anna.ack().await;
        let payload = r#"{"text":"once"}"#;
        anna.emit_as(id, rig.lobby, 1, "message", payload).await;
        let again = anna.ack().await;
        assert_eq!((again.id, again.offset), (first.id, first.offset));
        let empty = anna.emit(rig.lobby, 2, "message", json!({ "text": " " })).await;
        assert_eq!(anna.rejected().await.id, empty);
        anna.emit_as(empty, rig.lobby, 2, "message", r#"{"text":" "}"#).await;
        assert_eq!(anna.rejected().await.code, Code::Refused);
    }

    async fn a_number_that_is_ahead_is_told_which_is_expected(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        anna.say(rig.lobby, 3, "too far").await;
        let expected = |frame| match frame {
            ServerFrame::Expected(expected) => Some(expected.n),
            _ => None,
        };
        assert_eq!(anna.wire.find(expected).await, 1);
    }

    async fn a_rejected_event_does_not_block_the_next(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        anna.say(rig.lobby, 1, "\u{1b}[2J").await;
        anna.emit(rig.lobby, 2, "dance", json!({})).await;
        anna.emit(rig.lobby, 3, "message", json!(["no", "object"])).await;
        anna.say(rig.lobby, 4, "fine").await;
        let reject = anna.rejected().await;
        assert_eq!(reject.code, Code::Refused);
        assert_eq!(reject.why.unwrap().get(), r#"{"reason":"control_characters"}"#);
        assert_eq!(anna.rejected().await.code, Code::UnknownType);
        assert_eq!(anna.rejected().await.code, Code::BadPayload);
        assert_eq!(anna.ack().await.n, 4);
    }

    async fn who_was_away_gets_exactly_what_they_missed(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        anna.say(rig.lobby, 1, "seen").await;
        let seen = ben.entries(rig.lobby, 1).await.remove(0);
        let epoch = anna.ack().await.epoch;
        let mut me = ben.me.clone();
        drop(ben);
        for n in 2..=51 {
            anna.say(rig.lobby, n, &format!("missed {n}")).await;
        }
        for _ in 2..=51 {
            anna.ack().await;
        }
        me.rooms = vec![cursor(rig.lobby, epoch, &seen)];
        let mut ben = Talker::come(&rig, me).await;
        let missed = ben.entries(rig.lobby, 50).await;
        assert_eq!(missed[0].offset, seen.offset + 1);
        assert_eq!(text(&missed[49]), "missed 51");
        ben.live(rig.lobby).await;
    }

    async fn a_welcome_tells_the_verdicts_that_the_client_has_not_settled(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let id = anna.say(rig.lobby, 1, "acked, but did they hear?").await;
        let offset = anna.ack().await.offset;
        let mut me = anna.me.clone();
        drop(anna);
        me.lanes = vec![LaneState { room: rig.lobby, floor: 0, next: 2 }];
        let mut anna = Talker::come(&rig, me).await;
        assert_eq!(anna.welcome.lanes[0].watermark, 1);
        let ack = anna.ack().await;
        assert_eq!((ack.id, ack.offset), (id, offset));
    }

    async fn a_newer_connection_of_a_session_takes_over(rig) {
        let mut old = Talker::at_home(&rig, "Anna").await;
        let mut new = Talker::come(&rig, old.me.clone()).await;
        assert_eq!(old.wire.closed().await, Some(Code::TakenOver));
        new.say(rig.lobby, 1, "still here").await;
        new.ack().await;
    }

    async fn a_copy_of_an_outbox_is_fenced(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut copy = anna.me.clone();
        copy.generation -= 1;
        let mut wire = dial(rig.address, Some("holdfast.v1")).await;
        wire.send(&ClientFrame::Hello(copy.hello())).await;
        assert_eq!(wire.closed().await, Some(Code::Fenced));
        let mut thief = anna.me.clone();
        thief.secret = "a secret that is wrong".to_owned();
        let mut wire = dial(rig.address, Some("holdfast.v1")).await;
        wire.send(&ClientFrame::Hello(thief.hello())).await;
        assert_eq!(wire.closed().await, Some(Code::WrongSecret));
        anna.say(rig.lobby, 1, "untouched").await;
        anna.ack().await;
    }

    async fn typing_reaches_the_others_and_is_not_kept(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        anna.settled().await;
        let signal = ClientFrame::Signal(Signal {
            ns: "chat".to_owned(),
            room: rig.lobby,
            kind: "typing".to_owned(),
        });
        anna.wire.text(codec::write_client_with(&signal, "{}")).await;
        let heard = |frame| match frame {
            ServerFrame::Signal(signal) => Some(signal),
            _ => None,
        };
        let heard = ben.wire.find(heard).await;
        assert_eq!((heard.from.id, heard.room), (anna.me.person, Some(rig.lobby)));
        let page = rig.engine.slice(rig.lobby, 0, 100, 10_000).await.unwrap().unwrap();
        assert_eq!(page.entries.len(), 1);
    }

    async fn a_read_marker_reaches_ones_other_browsers_and_stays(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut phone = Talker::come(&rig, anna.me.elsewhere()).await;
        phone.live(rig.lobby).await;
        let (room, ns, kind) = (rig.lobby, "chat".to_owned(), "read".to_owned());
        let set = ClientFrame::Latest(SetLatest { ns, room, kind, rank: None });
        anna.wire.text(codec::write_client_with(&set, r#"{"offset":7}"#)).await;
        let told = |frame| match frame {
            ServerFrame::Latest(value) => Some(value.rank),
            _ => None,
        };
        assert_eq!(phone.wire.find(told).await, 7);
        anna.wire.text(codec::write_client_with(&set, r#"{"offset":3}"#)).await;
        let stored = |frame| match frame {
            ServerFrame::Stored(stored) => Some(stored.rank),
            _ => None,
        };
        assert_eq!(anna.wire.find(stored).await, 7);
        assert_eq!(anna.wire.find(stored).await, 7);
        let again = Talker::come(&rig, anna.me.elsewhere()).await;
        assert_eq!(again.welcome.latest[0].rank, 7);
    }

    async fn a_room_knows_who_is_there(rig) {
        let mut anna = Talker::new(&rig, "Anna").await;
        let all = anna.presence(rig.lobby).await;
        assert!(all.all);
        assert_eq!(all.came.len(), 1);
        let ben = Talker::at_home(&rig, "Ben").await;
        assert_eq!(anna.presence(rig.lobby).await.came[0].name, "Ben");
        let person = ben.me.person;
        drop(ben);
        assert_eq!(anna.presence(rig.lobby).await.left, [person]);
    }

    async fn a_room_tells_that_it_has_too_many_people_and_who_is_there_once_it_has_fewer(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut others = Vec::new();
        for n in 2..=PRESENCE_MOST {
            others.push(Talker::at_home(&rig, &format!("{n}")).await);
            assert_eq!(anna.presence(rig.lobby).await.came.len(), 1);
        }
        let one_more = Talker::at_home(&rig, "One more").await;
        let told = anna.presence(rig.lobby).await;
        assert!(told.all && told.came.is_empty(), "{told:?}");
        let mut ben = Talker::new(&rig, "Ben").await;
        let told = ben.presence(rig.lobby).await;
        assert!(told.all && told.came.is_empty(), "{told:?}");
        drop(one_more);
        drop(ben);
        let told = anna.presence(rig.lobby).await;
        assert!(told.all && told.came.len() == PRESENCE_MOST, "{told:?}");
        drop(others.pop());
        assert_eq!(anna.presence(rig.lobby).await.left.len(), 1);
    }

    async fn a_membership_ends_on_every_connection_of_the_person(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut phone = Talker::come(&rig, anna.me.elsewhere()).await;
        phone.live(rig.lobby).await;
        let ward = rig.handle.room("chat", "Ward").await.unwrap();
        anna.join(ward).await;
        phone.live(ward).await;
        let leave = LeaveRoom { req: 9, room: ward };
        anna.wire.send(&ClientFrame::Leave(leave)).await;
        let left = |frame| match frame {
            ServerFrame::Left(left) => Some(left),
            _ => None,
        };
        assert_eq!(phone.wire.find(left).await.room, ward);
        assert_eq!(anna.wire.find(left).await.req, Some(9));
        phone.say(ward, 1, "am I still in?").await;
        assert_eq!(phone.rejected().await.code, Code::NotMember);
        phone.join(ward).await;
        anna.room(|info| info.room == ward && info.joined).await;
    }

    async fn what_a_message_was_judged_by_does_not_outlive_the_membership(rig) {
        let ward = rig.handle.room("chat", "Ward").await.unwrap();
        let mut anna = Talker::at_home(&rig, "Anna").await;
        anna.join(ward).await;
        let mut phone = Talker::come(&rig, anna.me.elsewhere()).await;
        phone.live(ward).await;
        anna.say(ward, 1, "I am in").await;
        anna.ack().await;
        phone.wire.send(&ClientFrame::Leave(LeaveRoom { req: 9, room: ward })).await;
        let left = |frame| matches!(frame, ServerFrame::Left(_)).then_some(());
        phone.wire.find(left).await;
        anna.say(ward, 2, "am I still in?").await;
        assert_eq!(anna.rejected().await.code, Code::NotMember);
        anna.join(ward).await;
        anna.say(ward, 3, "in again").await;
        assert_eq!(anna.ack().await.n, 3);
    }

    async fn who_has_left_a_room_is_still_told_whether_their_events_stand(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let ward = rig.handle.room("chat", "Ward").await.unwrap();
        anna.join(ward).await;
        let id = anna.say(ward, 1, "said before leaving").await;
        let offset = anna.ack().await.offset;
        let leave = LeaveRoom { req: 1, room: ward };
        anna.wire.send(&ClientFrame::Leave(leave)).await;
        let ids = vec![id, EventId::from_bytes(fresh())];
        anna.wire.send(&ClientFrame::Ask(AskIds { req: 2, room: ward, ids })).await;
        let found = |frame| match frame {
            ServerFrame::Found(found) => Some(found.found),
            ServerFrame::Refused(refused) => panic!("{refused:?}"),
            _ => None,
        };
        assert_eq!(anna.wire.find(found).await, [(id, offset)]);
    }

    async fn the_lobby_cannot_be_left_and_who_had_left_it_is_in_it_again(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let leave = LeaveRoom { req: 9, room: rig.lobby };
        anna.wire.send(&ClientFrame::Leave(leave)).await;
        let refused = |frame| match frame {
            ServerFrame::Refused(refused) => Some((refused.req, refused.code)),
            ServerFrame::Left(left) => panic!("refused, not {left:?}"),
            _ => None,
        };
        assert_eq!(anna.wire.find(refused).await, (9, Code::Forbidden));
        anna.say(rig.lobby, 1, "still here").await;
        anna.ack().await;
        // As it was with an earlier server.
        rig.engine.leave(anna.me.person, rig.lobby).await.unwrap();
        let mut anna = Talker::come(&rig, anna.me.clone()).await;
        anna.live(rig.lobby).await;
    }

    async fn what_one_has_left_is_told_before_anything_of_a_room(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        for n in 0..3 {
            let room = rig.handle.room("chat", &format!("{n}")).await.unwrap();
            let known = rig.engine.slice(room, 0, 1, 0).await.unwrap().unwrap().head.cursor();
            anna.me.rooms.push(RoomCursor { room, cursor: known });
        }
        let mut ahead = anna.me.rooms[0];
        ahead.room = rig.lobby;
        anna.me.rooms.insert(1, ahead);
        let mut anna = Talker::come(&rig, anna.me.clone()).await;
        let mut told = Vec::new();
        while told.last() != Some(&"live") {
            match anna.wire.next().await {
                ServerFrame::Left(_) => told.push("left"),
                ServerFrame::Live(_) => told.push("live"),
                ServerFrame::Rooms(_) => {}
                _ => told.push("of a room"),
            }
        }
        assert_eq!(told[..4], ["left", "left", "left", "of a room"]);
    }

    async fn an_event_of_ones_own_id_is_never_in_the_log_twice(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let id = EventId::from_bytes(fresh());
        let payload = r#"{"text":"once"}"#;
        for n in 1..=3 {
            anna.emit_as(id, rig.lobby, n, "message", payload).await;
        }
        let offset = anna.ack().await.offset;
        assert_eq!(anna.ack().await.offset, offset);
        assert_eq!(anna.ack().await.offset, offset);
        let log = rig.engine.slice(rig.lobby, 0, 100, 10_000).await.unwrap().unwrap();
        assert_eq!(log.head.offset, offset);
    }

    async fn writers_of_one_room_at_the_same_time_all_reach_every_reader(rig) {
        let mut reader = Talker::at_home(&rig, "Reader").await;
        let mut writers = Vec::new();
        for n in 0..8 {
            writers.push(Talker::at_home(&rig, &format!("Writer {n}")).await);
        }
        let room = rig.lobby;
        let writing = writers.into_iter().map(|mut writer| {
            tokio::spawn(async move {
                for n in 1..=50 {
                    writer.say(room, n, "text").await;
                }
                for n in 1..=50 {
                    assert_eq!(writer.ack().await.n, n);
                }
            })
        });
        let writing: Vec<_> = writing.collect();
        assert_eq!(reader.entries(room, 400).await.len(), 400);
        for one in writing {
            one.await.unwrap();
        }
    }
}
