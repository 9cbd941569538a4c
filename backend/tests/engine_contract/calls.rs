//! Every engine answers any calls as the [`Reference`] says. A failing row of them is made short before
//! it is shown, and kept in `proptest-regressions`.
//!
//! `PROPTEST_CASES=1000 cargo test -p holdfast-backend --test engine_contract reference` tries more.

mod draw;

use super::{reference::Reference, rig::*};
use draw::{Call, Draft, Few, What, call};
use holdfast_common::{
    cursor::{Cursor, Mark},
    event::{Effect, Verified},
    frame::{Folded, LaneFloor, LatestSet, RoomCursor},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    storage::{Append, Appended, FactsQuery, Fault, Greeted, Greeting, Inbox, RegistersQuery},
    time::Timestamp,
};
use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::value::RawValue;
use std::fmt::Debug;

fn room_of(n: Few) -> RoomId {
    RoomId::from_bytes([n; 16])
}

/// Nobody is 0: so the server acts.
fn person_of(n: Few) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn writer_of(n: Few) -> WriterId {
    WriterId::from_bytes([n; 16])
}

fn event_of(n: u64) -> EventId {
    EventId::from_bytes(u128::from(n).to_be_bytes())
}

fn name_of(n: Few) -> &'static str {
    ["Ward", " wArd", "Ward-2"][usize::from(n - 1)]
}

/// Without what an engine draws for itself, the epochs, and without the words of a fault.
fn comparable(answer: &impl Debug) -> String {
    let text = format!("{answer:?}");
    let mut parts = text.split("Epoch(");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push_str(part.split_once(')').unwrap().1);
    }
    out
}

fn same(engines: &impl Debug, references: &impl Debug) {
    assert_eq!(comparable(engines), comparable(references), "the engine's answer is on the left");
}

/// An engine, and what it has to answer.
struct Pair {
    rig: Rig,
    reference: Reference,
    /// Counts the calls: each happens at a time of its own.
    now: u64,
}

impl Pair {
    async fn call(&mut self, call: &Call) {
        self.now += 1;
        match call {
            Call::Append(draft) => self.append(draft).await,
            Call::Greet { .. } => self.greet(call).await,
            Call::Walk { room, limits, bytes } => self.walk(room_of(*room), limits, *bytes).await,
            Call::Trim { .. } | Call::Delete { .. } | Call::Member { .. } | Call::Set { .. } => {
                self.change(call).await;
            }
            _ => self.read(call).await,
        }
    }

    fn drafted(&self, draft: &Draft) -> Append {
        let (room, author) = (room_of(draft.room), person_of(draft.author));
        let text = format!("at {}", self.now);
        let mut append = match draft.what {
            What::Says => message(room, author, &text),
            What::Edits(target) => edit(room, author, self.target(room, target), &text),
            What::Deletes(target) => delete(room, author, self.target(room, target)),
            What::Creates(name) => creation(room, author, name_of(name)),
            What::Inbox(owner) => inbox(room, person_of(owner)),
        };
        append.id = event_of(draft.id);
        append.at = Timestamp(NOW.0 + self.now);
        append.counts = draft.counts;
        append.most_rooms = draft.most_rooms;
        append.verified = Verified::allowed(self.now.to_string());
        append.idempotency =
            draft.key.and_then(|(key, other)| promise(&key.to_string(), u8::from(other)));
        if let Some((writer, ahead, below)) = draft.lane {
            let writer = writer_of(writer);
            let generation = self.reference.generation(writer);
            let next = self.reference.watermark(writer, room) + 1;
            let n = next.saturating_add_signed(ahead.into()).max(1);
            let sender = Sender { person: author, writer, generation };
            append.lane = sender.number(n, n.saturating_sub(1 + below));
        }
        // No rule allows anything in a deleted room.
        if draft.rejected || self.reference.is_gone(room) {
            append = rejected(append);
        }
        append
    }

    /// Mostly an event that stands in the room, or stood there.
    fn target(&self, room: RoomId, drawn: u64) -> EventId {
        let known = self.reference.ids(room);
        match known.len() {
            0 => event_of(drawn),
            _ if drawn.is_multiple_of(8) => event_of(drawn),
            count => known[usize::try_from(drawn).unwrap() % count],
        }
    }

    async fn append(&mut self, draft: &Draft) {
        let mut append = self.drafted(draft);
        let query = FactsQuery {
            person: append.author.id,
            namespace: NS.to_owned(),
            room: append.room,
            effect: append.effect.clone(),
        };
        let facts = self.rig.engine.facts(query).await.unwrap();
        if let (Effect::Creates(wished), Some(free)) = (&append.effect, &facts.free_name) {
            let (wished, taken) = (wished.trim(), |name| self.reference.named(NS, name).is_some());
            assert!(!taken(free), "{free} is taken");
            assert!(free == wished || taken(wished) && free.starts_with(wished), "{free}");
        }
        if !draft.stale {
            (append.versions, append.room_name) = (facts.versions, facts.free_name);
        }
        let mut appended = self.rig.engine.append(append.clone()).await;
        if let Appended::Fault(Fault::Failed(why)) = &mut appended {
            why.clear(); // It is for a log.
        }
        same(&appended, &self.reference.append(&append, !draft.stale));
    }

    async fn greet(&mut self, call: &Call) {
        let Call::Greet { person, writer, raise, wrong, floors, at, welcome } = call else {
            return;
        };
        let (person, writer) = (person_of(*person), writer_of(*writer));
        let last = self.reference.generation(writer);
        let sender = Sender { person, writer, generation: last + raise };
        let lane = |(room, floor): &(Few, u64)| LaneFloor { room: room_of(*room), floor: *floor };
        let mut greeting = Greeting {
            lanes: floors.iter().map(lane).collect(),
            welcome_rooms: vec![room_of(*welcome)],
            at: Timestamp(NOW.0 + self.now),
            ..sender.greeting()
        };
        if *wrong {
            greeting.secret_hash = [8; 32];
        }
        let stands: Vec<_> = at.iter().map(|(room, offset)| (room_of(*room), *offset)).collect();
        for (room, offset) in &stands {
            let slice = self.rig.engine.slice(*room, 0, 1, 1).await.unwrap();
            let epoch = slice.map_or(Epoch::NIL, |slice| slice.head.epoch);
            let cursor = Cursor { epoch, offset: *offset, mark: Mark(7) };
            greeting.rooms.push(RoomCursor { room: *room, cursor });
        }
        let greeted = self.rig.engine.greet(greeting.clone()).await.unwrap();
        same(&ordered(greeted), &ordered(self.reference.greet(&greeting, &stands)));
    }

    /// Pages join without a hole, and show each item once and in order.
    async fn walk(&mut self, room: RoomId, limits: &[u32], bytes: usize) {
        let Some(items) = self.reference.items(room) else { return };
        let (mut walked, mut before): (Vec<Folded>, _) = (Vec::new(), None);
        for limit in limits.iter().cycle().take(items.len() + 1) {
            let page = self.rig.engine.page(room, before, *limit, bytes, None).await;
            let page = page.unwrap().unwrap();
            assert!(before.is_none_or(|before| page.to == before - 1), "pages join: {page:?}");
            assert!(page.items.len() <= *limit as usize);
            walked.splice(0..0, page.items);
            if page.from <= page.head.first || page.from > page.to {
                break;
            }
            before = Some(page.from);
        }
        same(&walked, &items);
    }

    async fn read(&mut self, call: &Call) {
        let (engine, reference) = (&self.rig.engine, &mut self.reference);
        match call {
            Call::Slice { room, after, entries, bytes } => {
                let room = room_of(*room);
                let slice = engine.slice(room, *after, *entries, *bytes).await.unwrap();
                same(&slice, &reference.slice(room, *after, *entries, *bytes));
            }
            Call::Page { room, before, limit, bytes, since } => {
                let room = room_of(*room);
                let page = engine.page(room, *before, *limit, *bytes, *since).await.unwrap();
                same(&page, &reference.page(room, *before, *limit, *bytes, *since));
            }
            Call::Directory { person } => {
                let (mut rooms, mut expected) = (
                    engine.directory(person_of(*person)).await.unwrap(),
                    reference.directory(person_of(*person)),
                );
                // Only the order of who is a member and who is not is promised.
                assert!(rooms.is_sorted_by_key(|info| !info.joined), "{rooms:?}");
                rooms.sort_by_key(|info| info.room);
                expected.sort_by_key(|info| info.room);
                same(&rooms, &expected);
            }
            Call::Registers { room, person, after, entries, bytes } => {
                let after = after.map(|it| (person_of(it), NS.to_owned(), "read".to_owned()));
                let (room, person) = (room_of(*room), person.map(person_of));
                let query = RegistersQuery { room, person, after };
                let part = engine.registers(query.clone(), *entries, *bytes).await.unwrap();
                same(&part, &reference.registers(&query, *entries, *bytes));
            }
            Call::Find { person, room, ids } => {
                let ids: Vec<EventId> = ids.iter().map(|it| event_of(*it)).collect();
                let (person, room) = (person_of(*person), room_of(*room));
                let places = engine.find(person, room, ids.clone()).await.unwrap();
                same(&places, &reference.find(person, room, &ids));
            }
            Call::Named { name } => {
                let name = name_of(*name);
                same(&engine.room_named(NS, name).await.unwrap(), &reference.named(NS, name));
            }
            Call::Inbox { person } => {
                let person = person_of(*person);
                let inbox: Inbox = engine.inbox(person, NS).await.unwrap();
                same(&inbox, &reference.inbox(person, NS));
            }
            _ => {}
        }
    }

    async fn change(&mut self, call: &Call) {
        let (engine, reference) = (&self.rig.engine, &mut self.reference);
        match call {
            Call::Trim { room, first } => {
                let trimmed = engine.trim(room_of(*room), *first).await.unwrap();
                same(&trimmed.map(|it| it.first), &reference.trim(room_of(*room), *first));
            }
            Call::Delete { room } => {
                let deleted = engine.delete_room(room_of(*room)).await.unwrap();
                same(&deleted, &reference.delete(room_of(*room)));
            }
            Call::Member { person, room, join: true, most } => {
                let (person, room) = (person_of(*person), room_of(*room));
                let joined = engine.join(person, room, *most, NOW).await.unwrap();
                same(&joined, &reference.join(person, room, *most));
            }
            Call::Member { person, room, .. } => {
                let (person, room) = (person_of(*person), room_of(*room));
                let left = engine.leave(person, room).await.unwrap();
                same(&left, &reference.leave(person, room));
            }
            Call::Set { person, room, rank, other } => {
                let value = LatestSet {
                    ns: if *other { "tally" } else { NS }.to_owned(),
                    room: room_of(*room),
                    kind: "read".to_owned(),
                    person: person_of(*person),
                    rank: *rank,
                    data: RawValue::from_string(format!("[{rank}]")).unwrap(),
                };
                let set = engine.set_latest(value.clone()).await.unwrap();
                same(&set, &reference.set_latest(&value));
            }
            _ => {}
        }
    }
}

/// In an order of ours where none is promised.
fn ordered(mut greeted: Greeted) -> Greeted {
    if let Greeted::Welcome(resume) = &mut greeted {
        resume.rooms.sort_by_key(|state| state.info.room);
        resume.latest.sort_by_key(|value| (value.room, value.kind.clone()));
    }
    greeted
}

/// Rooms and people that are there from the start, so that most calls come to something.
fn begin() -> Vec<Call> {
    let greet = |n| {
        let (floors, at) = (Vec::new(), Vec::new());
        Call::Greet { person: n, writer: n, raise: 1, wrong: false, floors, at, welcome: 0 }
    };
    let create = |room| {
        Call::Append(Draft {
            room,
            author: 1,
            id: 100 + u64::from(room),
            what: What::Creates(room),
            rejected: false,
            stale: false,
            counts: false,
            lane: None,
            key: None,
            most_rooms: u32::MAX,
        })
    };
    vec![greet(1), greet(2), create(1), create(2)]
}

fn answers_as_the_reference_does(cases: u32, rig: impl Fn() -> Rig) {
    let source =
        Box::new(prop::test_runner::FileFailurePersistence::SourceParallel("proptest-regressions"));
    let config = ProptestConfig {
        failure_persistence: Some(source),
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let said = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if said { config.cases } else { cases };
    let calls = prop::collection::vec(call(), 1..120);
    let run = TestRunner::new(ProptestConfig { cases, ..config }).run(&calls, |calls| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair { rig: rig(), reference: Reference::default(), now: 0 };
            for call in begin().iter().chain(&calls) {
                pair.call(call).await;
            }
        });
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn memory_answers_any_calls_as_the_reference_does() {
    answers_as_the_reference_does(60, Rig::memory);
}

#[test]
fn sqlite_answers_any_calls_as_the_reference_does() {
    answers_as_the_reference_does(12, Rig::sqlite);
}
