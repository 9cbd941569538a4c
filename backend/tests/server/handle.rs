//! What an application emits through the server it has mounted, in a namespace of its own.

use crate::{
    rig::{Rig, on_every_engine},
    talker::Talker,
    tally::{self, CountRefused, Counted, Hovering, Tallied},
};
use holdfast_backend::app::NotEmitted;
use holdfast_common::{
    chat::{Message, TextRefused, Typing},
    event::{Decision, Facts, No},
    frame::ServerFrame,
    id::RoomId,
    limits::Limits,
};
use std::sync::Arc;

pub struct Counting;

impl tally::Rules for Counting {
    fn counted(&self, event: &Counted, _: &Facts, _: &Limits) -> Decision<Counted> {
        match event.by {
            0 => Err(No::Because(CountRefused::Nothing)),
            by => Ok(Tallied { by }),
        }
    }
}

pub async fn tally() -> (Rig, RoomId) {
    let engine = Arc::new(holdfast_backend::engine::memory::MemoryEngine::new());
    let rig = Rig::start(engine, None, |builder| {
        builder.namespace(tally::Serve(Counting)).name("tally").welcome_room("tally", "sheep")
    });
    let rig = rig.await;
    let sheep = rig.handle.room("tally", "sheep").await.unwrap();
    (rig, sheep)
}

async fn heard(talker: &mut Talker) -> (String, Option<RoomId>) {
    let signal = |frame| match frame {
        ServerFrame::Signal(signal) => Some((signal.kind, signal.room)),
        _ => None,
    };
    talker.wire.find(signal).await
}

#[tokio::test]
async fn another_namespace_has_its_own_rules_and_typed_replies() {
    let (rig, sheep) = tally().await;
    let mut anna = Talker::new(&rig, "Anna").await;
    anna.live(sheep).await;
    let emitted = rig.handle.emit_to_room(sheep, &Counted { by: 7 }).await.unwrap();
    assert_eq!(emitted.reply, Tallied { by: 7 });
    let entry = anna.entries(sheep, 1).await.remove(0);
    assert_eq!((entry.id, entry.kind.as_str()), (emitted.id, "counted"));
    assert_eq!(entry.from.name, "tally");
    let refused = rig.handle.emit_to_room(sheep, &Counted { by: 0 }).await;
    assert!(matches!(refused, Err(NotEmitted::Refused(CountRefused::Nothing))));
    let elsewhere = rig.handle.emit_to_room(rig.lobby, &Counted { by: 1 }).await;
    assert!(matches!(elsewhere, Err(NotEmitted::Code(_))));
}

#[tokio::test]
async fn each_target_hears_what_is_meant_for_it() {
    let (rig, sheep) = tally().await;
    let mut anna = Talker::new(&rig, "Anna").await;
    let mut phone = Talker::come(&rig, anna.me.elsewhere()).await;
    let mut ben = Talker::new(&rig, "Ben").await;
    for talker in [&mut anna, &mut phone, &mut ben] {
        talker.settled().await;
    }
    let (typing, hovering) = ("typing".to_owned(), "hovering".to_owned());
    rig.handle.signal_connection(anna.welcome.connection, &Typing {});
    rig.handle.signal_person(anna.me.person, &Hovering {});
    rig.handle.signal_room(sheep, &Hovering {});
    // Of another namespace than the room: nobody hears it.
    rig.handle.signal_room(sheep, &Typing {});
    // The sender hears nothing of it, nor anybody of the other namespace.
    rig.handle.signal_room_but(sheep, ben.welcome.connection, &Hovering {});
    rig.handle.signal_room_but(sheep, ben.welcome.connection, &Typing {});
    rig.handle.signal_namespace(&Hovering {});
    rig.handle.signal_everyone(&Typing {});
    let of_all =
        [(hovering.clone(), Some(sheep)), (hovering.clone(), None), (typing.clone(), None)];
    let in_room = (hovering.clone(), Some(sheep));
    let mut of_anna = vec![(typing, None), (hovering, None), in_room];
    of_anna.extend(of_all.clone());
    for (talker, expected) in
        [(&mut anna, &of_anna[..]), (&mut phone, &of_anna[1..]), (&mut ben, &of_all[..])]
    {
        for signal in expected {
            assert_eq!(heard(talker).await, *signal);
        }
    }
}

#[tokio::test]
async fn a_namespace_is_who_follows_a_room_of_it() {
    let engine = Arc::new(holdfast_backend::engine::memory::MemoryEngine::new());
    let rig = Rig::start(engine, None, |builder| builder.namespace(tally::Serve(Counting))).await;
    let goats = rig.handle.room("tally", "goats").await.unwrap();
    let mut anna = Talker::at_home(&rig, "Anna").await;
    anna.join(goats).await;
    anna.settled().await;
    rig.handle.signal_namespace(&Hovering {});
    assert_eq!(heard(&mut anna).await.0, "hovering");
    let leave = holdfast_common::frame::LeaveRoom { req: 1, room: goats };
    anna.wire.send(&holdfast_common::frame::ClientFrame::Leave(leave)).await;
    let left = |frame| matches!(frame, ServerFrame::Left(_)).then_some(());
    anna.wire.find(left).await;
    rig.handle.signal_namespace(&Hovering {});
    rig.handle.signal_everyone(&Typing {});
    assert_eq!(heard(&mut anna).await.0, "typing");
}

on_every_engine! {
    async fn the_servers_own_events_go_by_the_rules(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let text = "maintenance at noon".to_owned();
        rig.handle.emit_to_room(rig.lobby, &Message { text }).await.unwrap();
        assert_eq!(anna.entries(rig.lobby, 1).await[0].from.name, "server");
        let empty = rig.handle.emit_to_room(rig.lobby, &Message { text: String::new() }).await;
        assert!(matches!(empty, Err(NotEmitted::Refused(TextRefused::Empty))));
        let again = rig.handle.room("chat", "lobby").await.unwrap();
        assert_eq!(again, rig.lobby);
    }
}
