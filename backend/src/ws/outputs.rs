//! What a session asks for, carried out.

use super::{
    connection::{Connection, Done},
    lanes::Numbered,
    wire::{Ended, Socket, Wire},
};
use crate::{
    app::signalled,
    failpoint,
    http::events::service,
    hub::{Frame, To, encode},
    walk::Draft,
};
use axum::{body::Bytes, extract::ws::Message};
use futures_util::FutureExt;
use holdfast_common::{
    error::Code,
    event::Reach,
    fanout::{Item, Note, Target},
    frame::{Hello, LaneState, LatestSet, Request, ServerFrame, SetLatest, Signal},
    id::{PersonId, RoomId},
    limits::{PAGE_BYTES, SLICE_BYTES, SLICE_ENTRIES},
    session::{Emitting, Input, Output},
    storage::{Fault, Greeted, Greeting, LaneWrite, Membership, Registered, RegistersQuery},
};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use std::sync::Arc;

impl Connection {
    /// Carries out one output. What it asks the engine for is answered later, as a [`Done`].
    pub(super) async fn carry_out<S: Socket>(
        &mut self,
        output: Output<Frame>,
        wire: &mut Wire<S>,
    ) -> Result<(), Ended> {
        match output {
            Output::Send(text) if failpoint::swallows(&text) => {}
            Output::Send(text) => self.send(text.into(), wire).await?,
            Output::Pass(bytes) => {
                if bytes.starts_with("{\"entries\"") {
                    self.shared.metrics.entries_delivered.add(1);
                }
                self.send(bytes, wire).await?;
            }
            Output::Ping => wire.feed(Message::Ping(Bytes::new())).await?,
            Output::Close(code) => return Err(Ended::By(code)),
            Output::Register { person, run } => {
                self.author = Some(person.clone());
                self.seat.register(person, run);
                // A room that was made since then may be missing in what was read, and this
                // connection was not among those that were told of it.
                if self.shared.hub.directory() != self.directory {
                    self.feed(Input::Note(Note::Directory));
                }
            }
            Output::Presence(room) => {
                let here = self.seat.presence(room);
                self.send(here, wire).await?;
            }
            Output::Follow(room) => {
                let (here, offset) = self.seat.follow(room);
                self.feed(Input::Pass(here));
                self.feed(Input::Head { room, offset });
            }
            Output::Unfollow(room) => self.seat.unfollow(room),
            Output::Emit(emitting) => self.emit(*emitting),
            Output::Signal { signal, payload } => self.signal(&signal, payload),
            Output::Latest { latest, payload } => self.latest(latest, payload),
            ask @ (Output::Page { req: Some(_), .. } | Output::Find { .. }) => {
                self.asks.push_back(ask)
            }
            asks => self.ask(asks),
        }
        Ok(())
    }

    async fn send<S: Socket>(&mut self, frame: Frame, wire: &mut Wire<S>) -> Result<(), Ended> {
        self.shared.metrics.frames_sent.add(1);
        self.shared.metrics.bytes_sent.add(frame.len() as u64);
        wire.feed(Message::Text(frame)).await
    }

    fn emit(&mut self, emitting: Emitting) {
        let Emitting { emit, payload, writer, generation, author, condemned } = emitting;
        let (room, n) = (emit.room, emit.n);
        let lane = LaneWrite { writer, generation, n, floor: emit.floor };
        let draft = Arc::new(Draft {
            namespace: emit.ns,
            room,
            id: emit.id,
            kind: emit.kind,
            author,
            payload,
            condemned,
            everywhere: false,
            lane: Some(lane),
            idempotency: None,
        });
        self.lanes.push(Numbered { n, draft });
        self.decide_next(room);
    }

    /// Passes a volatile event on. One that is not of its type, or of another namespace than its
    /// room, is dropped: nobody waits for it.
    fn signal(&mut self, signal: &Signal, payload: Vec<u8>) {
        let Some(from) = self.author.clone() else {
            return;
        };
        if !self.shared.hub.is_of(signal.room, &signal.ns) {
            return;
        }
        let handler = self.shared.handler(&signal.ns);
        let checked = handler.and_then(|handler| handler.signal(&signal.kind, &payload));
        if let (Ok(()), Some(data)) = (checked, raw(payload)) {
            self.shared.metrics.signals.add(1);
            let frame = signalled(&signal.ns, Some(signal.room), &signal.kind, from, data);
            let to = To::Target(Target::RoomBut(signal.room, self.seat.key()));
            self.shared.hub.send(to, &frame);
        }
    }

    /// Stores a register's value and tells those it reaches, even if this connection is gone then.
    fn latest(&mut self, latest: SetLatest, payload: Vec<u8>) {
        let SetLatest { ns, room, kind, rank: about } = latest;
        let handler = self.shared.handler(&ns);
        let ranked = handler.and_then(|handler| handler.rank(&kind, &payload));
        let data = raw(payload).ok_or(Code::BadPayload);
        let person = self.session.person().unwrap_or(PersonId::NIL);
        let (ranked, data) = match ranked.and_then(|ranked| Ok((ranked, data?))) {
            Ok(read) => read,
            Err(code) => {
                let result = Err(code);
                return self.feed(Input::Stored { room, kind, about, result });
            }
        };
        let about = about.or(Some(ranked.rank));
        let value = LatestSet { ns, room, kind: kind.clone(), person, rank: ranked.rank, data };
        let (shared, key) = (Arc::clone(&self.shared), self.seat.key());
        let stored = tokio::spawn(async move {
            let result = shared.engine.set_latest(value.clone()).await;
            if result == Ok(Registered::Stored) {
                let (target, note) = match ranked.reach {
                    Reach::Own => {
                        (Target::PersonBut(value.person, key), Note::OwnRegisters(value.room))
                    }
                    Reach::Room => (Target::RoomBut(value.room, key), Note::Registers(value.room)),
                };
                let frame = encode(&ServerFrame::Latest(value));
                shared.hub.tell(target, note, &frame);
            }
            result
        });
        self.under_way.push(
            async move {
                let result = match stored.await.unwrap_or_else(|_| Err(lost())) {
                    Ok(Registered::Stored) => Ok(ranked.rank),
                    Ok(Registered::Stands(rank)) => Ok(rank),
                    Ok(Registered::Refused(code)) => Err(code),
                    Err(fault) => Err(fault.code()),
                };
                input(Input::Stored { room, kind, about, result })
            }
            .boxed(),
        );
    }

    /// Asks the engine for what the session wants to know.
    pub(super) fn ask(&mut self, output: Output<Frame>) {
        let shared = Arc::clone(&self.shared);
        let engine = Arc::clone(&shared.engine);
        let done = match output {
            Output::Greet(hello) => {
                self.seat.expect(hello.person);
                self.directory = shared.hub.directory();
                greet(shared, *hello).boxed()
            }
            Output::Directory => {
                self.seat.lists(true);
                let person = self.session.person().unwrap_or(PersonId::NIL);
                async move { input(Input::Directory(engine.directory(person).await)) }.boxed()
            }
            Output::Registers(query) => registers(shared, query).boxed(),
            Output::Slice { room, after } => {
                shared.metrics.replays.add(1);
                let slice = async move {
                    let result = engine.slice(room, after, SLICE_ENTRIES, SLICE_BYTES).await;
                    input(Input::Sliced { room, after, result })
                };
                slice.boxed()
            }
            Output::Page { req, room, before, limit, since } => {
                shared.metrics.pages.add(1);
                let page = async move {
                    let result = engine.page(room, before, limit, PAGE_BYTES, since).await;
                    input(Input::Paged { req, room, result })
                };
                page.boxed()
            }
            Output::Find { req, room, ids } => {
                let person = self.session.person().unwrap_or(PersonId::NIL);
                let find = async move {
                    let result = engine.find(person, room, ids).await;
                    input(Input::Found { req, room, result })
                };
                find.boxed()
            }
            Output::Join { req, room } => self.member(req, room, true),
            Output::Leave { req, room } => self.member(req, room, false),
            // The others are carried out at once.
            _ => return,
        };
        self.under_way.push(done);
    }

    /// Begins or ends a membership and tells the person's other connections, even if this one is
    /// gone by then.
    fn member(
        &self,
        req: Request,
        room: RoomId,
        join: bool,
    ) -> futures_util::future::BoxFuture<'static, Done> {
        let (shared, key) = (Arc::clone(&self.shared), self.seat.key());
        let person = self.session.person().unwrap_or(PersonId::NIL);
        let changed = tokio::spawn(async move {
            let _turn = shared.turns.of(room).await;
            let result = if join {
                let most = shared.limits.rooms;
                let at = crate::clock::wall();
                shared.engine.join(person, room, most, at).await
            } else if shared.welcome_rooms.contains(&room) {
                Ok(Membership::ForGood)
            } else {
                shared.engine.leave(person, room).await
            };
            let change = match &result {
                Ok(Membership::Done(info)) if join => Some(Item::Member(Box::new(info.clone()))),
                Ok(Membership::Done(_)) => Some(Item::NotMember(room)),
                _ => None,
            };
            let answer = Item::Membership { req, room, join, result };
            shared.hub.membership(key, person, change.as_ref(), answer);
        });
        let done = async move {
            match changed.await {
                Ok(()) => Done::ByHub,
                Err(_) => input(Input::Membership { req, room, join, result: Err(lost()) }),
            }
        };
        done.boxed()
    }
}

async fn greet(shared: Arc<crate::app::Shared>, hello: Hello) -> Done {
    let result = if hello.person == PersonId::NIL || hello.person == service() {
        // The server's own ids are nobody's to speak for.
        Ok(Greeted::Refused(Code::WrongSecret))
    } else {
        let greeting = Greeting {
            person: hello.person,
            secret_hash: Sha256::digest(hello.secret.as_bytes()).into(),
            name: hello.name.trim().to_owned(),
            writer: hello.writer,
            generation: hello.generation,
            rooms: hello.rooms,
            lanes: hello.lanes.iter().map(LaneState::floor).collect(),
            welcome_rooms: shared.welcome_rooms.clone(),
            at: crate::clock::wall(),
        };
        shared.engine.greet(greeting).await
    };
    if let Ok(Greeted::Welcome(resume)) = &result {
        let rooms = resume.rooms.iter().map(|state| &state.info);
        shared.hub.learn(rooms.filter(|info| info.joined));
    }
    let now = crate::clock::wall();
    input(Input::Greeted { now, result })
}

/// Reads a part of a room's registers, and leaves out those of others that are told to them alone.
async fn registers(shared: Arc<crate::app::Shared>, query: RegistersQuery) -> Done {
    let engine = &shared.engine;
    let mut result = engine.registers(query.clone(), SLICE_ENTRIES, SLICE_BYTES).await;
    if let (Ok(part), None) = (&mut result, query.person) {
        part.values.retain(|value| {
            let handler = shared.handler(&value.ns);
            let ranked = handler.and_then(|it| it.rank(&value.kind, value.data.get().as_bytes()));
            ranked.is_ok_and(|ranked| ranked.reach == Reach::Room)
        });
    }
    input(Input::Registers { query, result })
}

fn input(input: Input<'static, Frame>) -> Done {
    Done::Input(Box::new(input))
}

fn raw(payload: Vec<u8>) -> Option<Box<RawValue>> {
    RawValue::from_string(String::from_utf8(payload).ok()?).ok()
}

fn lost() -> Fault {
    Fault::Unknown("the request was lost".to_owned())
}
