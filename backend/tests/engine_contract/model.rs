//! Every engine does as the model does: the same calls, drawn from a seed, get the same answers.

use super::rig::*;
use holdfast_common::{
    cursor::{Cursor, Mark},
    event::Effect,
    frame::{LaneFloor, LatestSet, RoomCursor},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    storage::{Append, Appended, FactsQuery, Greeting, RegistersQuery},
};
use serde_json::value::RawValue;
use std::{collections::BTreeMap, fmt::Debug};

const SEEDS: u64 = 5;
const CALLS: usize = 400;

/// SplitMix64: the same seed draws the same calls. A small world, so that the calls meet.
struct Draw {
    state: u64,
    /// The writers' generations, and what each lane expects.
    generations: BTreeMap<WriterId, u64>,
    lanes: BTreeMap<(WriterId, RoomId), u64>,
}

impl Draw {
    fn below(&mut self, end: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn bytes(&mut self, end: u8) -> [u8; 16] {
        let n = self.below(u64::from(end));
        [u8::try_from(n).unwrap() + 1; 16]
    }

    fn room(&mut self) -> RoomId {
        RoomId::from_bytes(self.bytes(4))
    }

    fn person(&mut self) -> PersonId {
        PersonId::from_bytes(self.bytes(3))
    }

    fn event(&mut self) -> EventId {
        EventId::from_bytes(self.bytes(150))
    }

    /// A person at one of their writers, or, seldom, at somebody else's.
    fn sender(&mut self) -> Sender {
        let person = self.bytes(3);
        let writer = if self.below(9) > 0 { person } else { self.bytes(3) };
        let writer = WriterId::from_bytes(writer);
        let last = self.generations.get(&writer).copied().unwrap_or(0);
        Sender {
            person: PersonId::from_bytes(person),
            writer,
            generation: last.saturating_sub(self.below(9) / 8),
        }
    }

    fn append(&mut self) -> Append {
        let (room, sender) = (self.room(), self.sender());
        let author = sender.person;
        let text = format!("text {}", self.below(1000));
        let target = self.event();
        let mut append = match self.below(11) {
            0..=3 => message(room, author, &text),
            4..=5 => edit(room, author, target, &text),
            6 => delete(room, author, target),
            7 => rejected(message(room, author, &text)),
            8 => rejected(creation(room, author, &text)),
            _ => {
                let name = ["Ward", " ward", "Lobby", "Ward-2"][self.below(4) as usize];
                creation(room, author, name)
            }
        };
        if matches!(append.effect, Effect::Creates(_)) && self.below(3) == 0 {
            append.owner = Some(self.person());
            append.author.id = PersonId::NIL;
        }
        append.id = self.event();
        match self.below(4) {
            0 => {
                let key = self.below(6).to_string();
                append.idempotency = promise(&key, u8::from(self.below(4) == 0));
            }
            1 => {}
            _ => {
                let last = self.lanes.get(&(sender.writer, room)).copied().unwrap_or(0);
                let n = last + [1, 1, 1, 1, 1, 0, 2][self.below(7) as usize];
                let floor = last.saturating_sub(self.below(4)) + self.below(30) / 29;
                append.lane = sender.number(n, floor);
            }
        }
        append
    }

    fn greeting(&mut self) -> Greeting {
        let mut sender = self.sender();
        sender.generation += self.below(3);
        let mut greeting = sender.greeting();
        greeting.secret_hash = [u8::from(self.below(9) == 0); 32];
        for _ in 0..3 {
            let (room, floor) = (self.room(), self.below(9));
            greeting.lanes.push(LaneFloor { room, floor });
            greeting.welcome_rooms.push(self.room());
        }
        greeting
    }

    fn learn(&mut self, append: &Append, appended: &Appended) {
        if let (Some(lane), Appended::Decided { .. }) = (append.lane, appended) {
            self.lanes.insert((lane.writer, append.room), lane.n);
        }
    }
}

/// Without what each engine draws for itself, the epochs.
fn comparable(answer: &impl Debug) -> String {
    let text = format!("{answer:?}");
    let mut parts = text.split("Epoch(");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        out.push_str(part.split_once(')').unwrap().1);
    }
    out
}

/// The model, another engine, and what was asked of both.
struct Pair {
    rigs: [Rig; 2],
    seed: u64,
    asked: Vec<String>,
}

impl Pair {
    /// Asks both and compares. Returns the model's answer.
    async fn ask<T: Debug>(&mut self, what: impl Debug, call: impl AsyncFn(&Rig) -> T) -> T {
        self.asked.push(format!("{what:?}"));
        let model = call(&self.rigs[0]).await;
        let other = call(&self.rigs[1]).await;
        let (count, seed) = (self.asked.len(), self.seed);
        let last = &self.asked[count.saturating_sub(3)..];
        let at = format!("seed {seed}, call {count}, the last: {last:#?}");
        assert_eq!(comparable(&other), comparable(&model), "{at}");
        model
    }
}

/// A cursor that fits each engine's own epoch.
async fn cursor_at(rig: &Rig, room: RoomId, offset: u64) -> RoomCursor {
    let slice = rig.engine.slice(room, offset.saturating_sub(1), 1, 1).await.unwrap();
    let epoch = slice.map_or(Epoch::NIL, |slice| slice.head.epoch);
    let mark = Mark(offset);
    let cursor = Cursor { epoch, offset, mark };
    RoomCursor { room, cursor }
}

/// What a rule would see; a membership's version is each engine's own.
async fn facts(rig: &Rig, query: FactsQuery) -> impl Debug + use<> {
    let mut facts = rig.engine.facts(query).await.unwrap();
    facts.versions.member = facts.versions.member.min(1);
    facts
}

async fn write(pair: &mut Pair, draw: &mut Draw) {
    let append = draw.append();
    let query = FactsQuery {
        person: append.author.id,
        namespace: NS.to_owned(),
        room: append.room,
        effect: append.effect.clone(),
    };
    pair.ask("facts", async |rig| facts(rig, query.clone()).await).await;
    let appended = if draw.below(20) == 0 {
        let stale = &append;
        pair.ask(&append, async |rig| rig.engine.append(stale.clone()).await).await
    } else {
        pair.ask(&append, async |rig| rig.put(append.clone()).await).await
    };
    draw.learn(&append, &appended);
}

async fn greet(pair: &mut Pair, draw: &mut Draw) {
    let greeting = draw.greeting();
    let at = [(draw.room(), draw.below(40)), (draw.room(), draw.below(4))];
    let greeted = async |rig: &Rig| {
        let mut greeting = greeting.clone();
        for (room, offset) in at {
            greeting.rooms.push(cursor_at(rig, room, offset).await);
        }
        let mut greeted = rig.engine.greet(greeting).await.unwrap();
        if let holdfast_common::storage::Greeted::Welcome(resume) = &mut greeted {
            resume.latest.sort_by_key(|value| (value.room, value.kind.clone()));
            // Only the order of who is a member and who is not is promised.
            resume.rooms.sort_by_key(|room| (!room.info.joined, room.info.room));
        }
        greeted
    };
    if let holdfast_common::storage::Greeted::Welcome(_) = pair.ask(&greeting, greeted).await {
        draw.generations.insert(greeting.writer, greeting.generation);
    }
}

async fn read(pair: &mut Pair, draw: &mut Draw) {
    let (room, at, few) = (draw.room(), draw.below(50), draw.below(9) as u32);
    let bytes = draw.below(2000) as usize;
    let slice = async |rig: &Rig| rig.engine.slice(room, at, few * 9, bytes).await;
    pair.ask(("slice", room, at, few, bytes), slice).await.unwrap();
    let before = (draw.below(3) > 0).then_some(at + 1);
    let since = (draw.below(2) > 0).then_some(at / 3);
    let page = async |rig: &Rig| rig.engine.page(room, before, few, bytes, since).await;
    pair.ask(("page", room, before, few, bytes, since), page).await.unwrap();
    let person = draw.person();
    let listed = async |rig: &Rig| {
        let mut rooms = rig.engine.directory(person).await.unwrap();
        rooms.sort_by_key(|info| (!info.joined, info.room));
        rooms
    };
    pair.ask(("directory", person), listed).await;
    let (whose, after) = ((draw.below(2) > 0).then_some(person), draw.person());
    let after = (draw.below(2) > 0).then(|| (after, NS.to_owned(), "read".to_owned()));
    let query = RegistersQuery { room, person: whose, after };
    let part = async |rig: &Rig| rig.engine.registers(query.clone(), few, 12).await;
    pair.ask(&query, part).await.unwrap();
    let ids: Vec<_> = (0..5).map(|_| draw.event()).collect();
    let person = draw.person();
    let find = async |rig: &Rig| rig.engine.find(person, room, ids.clone()).await;
    pair.ask(("find", person, room, &ids), find).await.unwrap();
}

async fn others(pair: &mut Pair, draw: &mut Draw) {
    let (room, person) = (draw.room(), draw.person());
    match draw.below(13) {
        0..=2 => {
            let join = async |rig: &Rig| rig.engine.join(person, room, 2, NOW).await;
            pair.ask(("join", person, room), join).await.unwrap();
        }
        3..=4 => {
            let leave = async |rig: &Rig| rig.engine.leave(person, room).await;
            pair.ask(("leave", person, room), leave).await.unwrap();
        }
        5..=7 => {
            let value = LatestSet {
                ns: NS.to_owned(),
                room,
                kind: "read".to_owned(),
                person,
                rank: draw.below(50),
                data: RawValue::from_string("{}".to_owned()).unwrap(),
            };
            let set = async |rig: &Rig| rig.engine.set_latest(value.clone()).await;
            pair.ask(&value, set).await.unwrap();
        }
        8..=9 => {
            let name = ["ward", "lobby", "WARD-2 "][draw.below(3) as usize];
            let named = async |rig: &Rig| rig.engine.room_named(NS, name).await;
            pair.ask(("named", name), named).await.unwrap();
        }
        10 => {
            let first = draw.below(12);
            let trim = async |rig: &Rig| rig.engine.trim(room, first).await;
            pair.ask(("trim", room, first), trim).await.unwrap();
        }
        11 => {
            let inbox = async |rig: &Rig| rig.engine.inbox(person, NS).await;
            pair.ask(("inbox", person), inbox).await.unwrap();
        }
        _ if draw.below(4) == 0 => {
            let delete = async |rig: &Rig| rig.engine.delete_room(room).await;
            pair.ask(("delete", room), delete).await.unwrap();
        }
        _ => {}
    }
}

#[tokio::test]
async fn sqlite_answers_as_the_model_does() {
    for seed in 1..=SEEDS {
        let mut draw = Draw { state: seed, generations: BTreeMap::new(), lanes: BTreeMap::new() };
        let mut pair = Pair { rigs: [Rig::memory(), Rig::sqlite()], seed, asked: Vec::new() };
        for _ in 0..CALLS {
            match draw.below(10) {
                0 => greet(&mut pair, &mut draw).await,
                1 => read(&mut pair, &mut draw).await,
                2 => others(&mut pair, &mut draw).await,
                _ => write(&mut pair, &mut draw).await,
            }
        }
        // Whether or not it was deleted on the way.
        let room = pair.rigs[0].engine.delete_room(RoomId::from_bytes([1; 16])).await;
        let head = room.unwrap().unwrap().head;
        assert!(head.offset > 10, "the calls of seed {seed} come to something");
    }
}
