//! What the server emits to one person: durable, theirs alone, and there when they come back.

use crate::{
    rig::{Rig, on_every_engine},
    talker::{Talker, cursor, fresh, text},
};
use futures_util::future::join_all;
use holdfast_backend::app::{Emitted, NotEmitted};
use holdfast_common::{
    chat::{Message, TextRefused},
    codec,
    cursor::{Cursor, Mark},
    error::Code,
    frame::{
        AskIds, ClientFrame, History, JoinRoom, LeaveRoom, RoomCursor, ServerFrame, SetLatest,
        Signal,
    },
    id::{Epoch, EventId, PersonId, RoomId},
};
use std::collections::BTreeSet;

async fn tell(rig: &Rig, person: PersonId, text: &str) -> Emitted<()> {
    let text = text.to_owned();
    rig.handle.emit_to_person(person, &Message { text }).await.unwrap()
}

async fn code(rig: &Rig, person: PersonId) -> Option<Code> {
    let text = "are you there?".to_owned();
    match rig.handle.emit_to_person(person, &Message { text }).await {
        Err(NotEmitted::Code(code)) => Some(code),
        _ => None,
    }
}

/// The frames that have come until the server has taken in everything that was sent.
async fn settled(talker: &mut Talker) -> Vec<ServerFrame> {
    let n = 77;
    talker.wire.send(&ClientFrame::Ping(holdfast_common::frame::Ping { n })).await;
    let mut frames = Vec::new();
    loop {
        match talker.wire.next().await {
            ServerFrame::Pong(pong) if pong.n == n => return frames,
            frame => frames.push(frame),
        }
    }
}

async fn send(talker: &mut Talker, head: ClientFrame, payload: &str) {
    talker.wire.text(codec::write_client_with(&head, payload)).await;
}

/// Everything that a client can say about a room, but for the event that would create it.
async fn try_everything(talker: &mut Talker, room: RoomId, n: u64, known: EventId) {
    let ns = "chat".to_owned();
    let asks = [
        ClientFrame::Join(JoinRoom { req: 1, room }),
        ClientFrame::Leave(LeaveRoom { req: 2, room }),
        ClientFrame::History(History { req: 3, room, before: None, limit: 9 }),
        ClientFrame::Ask(AskIds { req: 4, room, ids: vec![known] }),
    ];
    for ask in asks {
        talker.wire.send(&ask).await;
    }
    for (n, id) in [(n, EventId::from_bytes(fresh())), (n + 1, known)] {
        talker.emit_as(id, room, n, "message", "{\"text\":\"hello?\"}").await;
    }
    let read = ClientFrame::Latest(SetLatest {
        ns: ns.clone(),
        room,
        kind: "read".to_owned(),
        rank: None,
    });
    send(talker, read, "{\"offset\":1}").await;
    let typing = ClientFrame::Signal(Signal { ns, room, kind: "typing".to_owned() });
    send(talker, typing, "{}").await;
}

/// What was answered, as a set and without the ids that differ.
async fn answers(talker: &mut Talker, room: RoomId) -> BTreeSet<String> {
    let mut answers = BTreeSet::new();
    while answers.len() < 7 {
        let frame = match talker.wire.next().await {
            ServerFrame::Reject(reject) => format!("{} {:?}", reject.n, reject.code),
            frame => format!("{frame:?}").replace(&room.to_string(), "room"),
        };
        answers.insert(frame);
    }
    answers
}

on_every_engine! {
    async fn a_person_hears_of_an_event_in_their_inbox_at_once_and_nobody_else_does(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut phone = Talker::come(&rig, anna.me.elsewhere()).await;
        phone.live(rig.lobby).await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        let emitted = tell(&rig, anna.me.person, "your turn").await;
        for talker in [&mut anna, &mut phone] {
            let info = talker.room(|info| info.inbox).await;
            assert_eq!((info.room, info.joined), (emitted.room, true));
            let entries = talker.entries(emitted.room, 2).await;
            assert_eq!((entries[0].kind.as_str(), entries[1].id), ("room_created", emitted.id));
            assert_eq!((text(&entries[1]).as_str(), entries[1].offset), ("your turn", 2));
            assert_eq!(entries[1].from.name, "server");
        }
        tell(&rig, anna.me.person, "still your turn").await;
        assert_eq!(anna.entries(emitted.room, 1).await[0].offset, 3);
        let told = format!("{:?}", settled(&mut ben).await);
        assert!(!told.contains(&emitted.room.to_string()), "{told}");
    }

    async fn who_was_away_finds_what_they_missed_at_the_next_hello(rig) {
        let Talker { mut me, wire, .. } = Talker::at_home(&rig, "Anna").await;
        drop(wire);
        let first = tell(&rig, me.person, "one").await;
        let mut anna = Talker::come(&rig, me.clone()).await;
        let read = anna.entries(first.room, 2).await;
        assert_eq!(text(&read[1]), "one");
        me = anna.me;
        drop(anna.wire);
        tell(&rig, me.person, "two").await;
        me.rooms.push(cursor(first.room, first.epoch, &read[1]));
        let mut anna = Talker::come(&rig, me).await;
        let missed = anna.entries(first.room, 1).await;
        assert_eq!((missed[0].offset, text(&missed[0]).as_str()), (3, "two"));
    }

    async fn first_events_at_once_make_one_inbox(rig) {
        let anna = Talker::at_home(&rig, "Anna").await;
        let person = anna.me.person;
        let texts: Vec<String> = (0..9).map(|n| n.to_string()).collect();
        let emitted = join_all(texts.iter().map(|text| tell(&rig, person, text))).await;
        let rooms: BTreeSet<RoomId> = emitted.iter().map(|it| it.room).collect();
        assert_eq!(rooms.len(), 1);
        let offsets: BTreeSet<u64> = emitted.iter().map(|it| it.offset).collect();
        assert_eq!(offsets, (2..=10).collect());
    }

    async fn who_has_never_come_has_no_inbox(rig) {
        let service = PersonId::from_bytes(*b"holdfast service");
        for nobody in [PersonId::from_bytes(fresh()), PersonId::NIL, service] {
            assert_eq!(code(&rig, nobody).await, Some(Code::UnknownPerson));
        }
    }

    async fn an_events_own_rule_is_asked_in_an_inbox_too(rig) {
        let anna = Talker::at_home(&rig, "Anna").await;
        let empty = Message { text: " ".to_owned() };
        let refused = rig.handle.emit_to_person(anna.me.person, &empty).await;
        assert!(matches!(refused, Err(NotEmitted::Refused(TextRefused::Empty))));
    }

    async fn to_anybody_else_an_inbox_is_a_room_that_is_not_there(rig) {
        let anna = Talker::at_home(&rig, "Anna").await;
        let emitted = tell(&rig, anna.me.person, "for you alone").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        let nowhere = RoomId::from_bytes(fresh());
        let mut heard = Vec::new();
        for room in [nowhere, emitted.room] {
            try_everything(&mut ben, room, 1, emitted.id).await;
            heard.push(answers(&mut ben, room).await);
        }
        assert_eq!(heard[0], heard[1]);
        assert!(heard[0].contains("1 UnknownRoom") && heard[0].contains("2 UnknownRoom"));
        let after = format!("{:?}", settled(&mut ben).await);
        assert!(!after.contains(&emitted.room.to_string()), "{after}");

        let Talker { mut me, .. } = ben;
        let at = Cursor { epoch: emitted.epoch, offset: 2, mark: Mark(0) };
        me.rooms = vec![
            RoomCursor { room: emitted.room, cursor: at },
            RoomCursor { room: nowhere, cursor: Cursor { epoch: Epoch::NIL, ..at } },
        ];
        let mut ben = Talker::come(&rig, me).await;
        let frames = settled(&mut ben).await;
        let left = |room| frames.iter().any(|it| matches!(it, ServerFrame::Left(at) if at.room == room));
        assert!(left(nowhere) && left(emitted.room));
        let about = |frame: &&ServerFrame| format!("{frame:?}").contains(&emitted.room.to_string());
        assert_eq!(frames.iter().filter(about).count(), 1, "nothing but that is said of it");

        for name in ["Inbox", "inbox", &emitted.room.to_string()] {
            let path = format!("/api/v1/chat/rooms/{name}/events");
            rig.get(&path).await.is(404, "unknown_room");
            rig.post(&path, "", r#"{"type":"message","data":{"text":"spam"}}"#).await.is(404, "unknown_room");
        }
    }

    async fn its_owner_reads_it_and_neither_writes_in_it_nor_leaves(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let Emitted { room, id, .. } = tell(&rig, anna.me.person, "read me").await;
        anna.live(room).await;
        anna.say(room, 1, "thank you").await;
        assert_eq!(anna.rejected().await.code, Code::Forbidden);
        anna.emit(room, 2, "delete", serde_json::json!({ "target": id })).await;
        assert_eq!(anna.rejected().await.code, Code::Forbidden);
        anna.wire.send(&ClientFrame::Leave(LeaveRoom { req: 5, room })).await;
        let refused = |frame| match frame {
            ServerFrame::Refused(refused) => Some((refused.req, refused.code)),
            ServerFrame::Left(left) => panic!("refused, not {left:?}"),
            _ => None,
        };
        assert_eq!(anna.wire.find(refused).await, (5, Code::Forbidden));
        let read = SetLatest { ns: "chat".to_owned(), room, kind: "read".to_owned(), rank: None };
        send(&mut anna, ClientFrame::Latest(read), "{\"offset\":2}").await;
        let stored = |frame| match frame {
            ServerFrame::Stored(stored) => Some((stored.rank, stored.code)),
            _ => None,
        };
        assert_eq!(anna.wire.find(stored).await, (2, None));
        let history = History { req: 6, room, before: None, limit: 9 };
        anna.wire.send(&ClientFrame::History(history)).await;
        let page = |frame| match frame {
            ServerFrame::Page(page) => Some(page.items.len()),
            _ => None,
        };
        assert_eq!(anna.wire.find(page).await, 2);
    }

    async fn a_deleted_inbox_is_over_for_its_owner_and_the_next_event_makes_another(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let mut ben = Talker::at_home(&rig, "Ben").await;
        let first = tell(&rig, anna.me.person, "one").await;
        anna.live(first.room).await;
        assert_eq!(rig.handle.delete_room(first.room).await, Ok(true));
        anna.room(|info| info.room == first.room && info.gone && info.inbox).await;
        let told = format!("{:?}", settled(&mut ben).await);
        assert!(!told.contains(&first.room.to_string()), "{told}");
        let second = tell(&rig, anna.me.person, "two").await;
        assert_ne!(second.room, first.room);
        assert_eq!(anna.entries(second.room, 2).await.len(), 2);
    }
}
