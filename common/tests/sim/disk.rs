//! A model of the engine: the same answers from plain maps, with nothing to go wrong by itself.

mod reading;

use holdfast_common::{
    cursor::{Head, Mark},
    event::{Effect, Facts, RoomFacts, TargetFacts, Verified, Versions},
    frame::{Author, Entry, HOLLOW, LaneWatermark, LatestSet, RoomInfo},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    planted::{Planted, planted},
    storage::*,
    time::Timestamp,
};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone)]
pub struct Log {
    pub info: RoomInfo,
    pub creator: PersonId,
    pub entries: Vec<Entry>,
    pub effects: BTreeMap<EventId, Effect>,
    pub first_mark: Mark,
    pub ids: BTreeMap<EventId, u64>,
    /// What a person would count.
    counts: BTreeSet<EventId>,
}

#[derive(Debug, Clone, Default)]
struct Lane {
    watermark: u64,
    verdicts: BTreeMap<u64, Verdict>,
}

#[derive(Debug, Clone, Default)]
pub struct Disk {
    pub logs: BTreeMap<RoomId, Log>,
    people: BTreeMap<PersonId, [u8; 32]>,
    writers: BTreeMap<WriterId, (PersonId, u64)>,
    members: BTreeSet<(PersonId, RoomId)>,
    lanes: BTreeMap<(WriterId, RoomId), Lane>,
    epochs: u64,
    registers: BTreeMap<(RoomId, RegisterKey), LatestSet>,
}

impl Disk {
    /// Every room that is there, as the person sees it.
    pub fn rooms(&self, person: PersonId) -> Vec<RoomInfo> {
        let rooms = self.logs.keys().filter_map(|room| self.info(person, *room));
        rooms.filter(|info| !info.gone).collect()
    }

    /// The greatest rank stands; returns whether it is this one now, and which it is.
    pub fn set_latest(&mut self, value: &LatestSet) -> (bool, u64) {
        let key = (value.room, (value.person, value.ns.clone(), value.kind.clone()));
        match self.registers.get(&key) {
            Some(stored) if stored.rank >= value.rank => (false, stored.rank),
            _ => {
                self.registers.insert(key, value.clone());
                (true, value.rank)
            }
        }
    }

    pub fn registers(&self, query: &RegistersQuery, most: usize) -> Registers {
        let of = self.registers.iter().filter(|((room, key), _)| {
            *room == query.room
                && query.person.is_none_or(|person| person == key.0)
                && query.after.as_ref().is_none_or(|after| key > after)
        });
        let part: Vec<_> = of.take(most).collect();
        let rest = part.last().filter(|_| part.len() == most).map(|((_, key), _)| key.clone());
        Registers { values: part.into_iter().map(|(_, value)| value.clone()).collect(), rest }
    }

    pub fn log(&self, room: RoomId) -> &[Entry] {
        self.logs.get(&room).map_or(&[], |log| &log.entries)
    }

    /// Takes entries away from the end of a log.
    pub fn truncate(&mut self, room: RoomId, keep: usize) {
        let log = self.logs.get_mut(&room).expect("the room is there");
        log.entries.truncate(keep);
        log.ids.retain(|_, offset| *offset <= keep as u64);
        log.info.head.offset = keep as u64;
        log.info.head.mark = log.entries.last().map_or(Mark::START, |entry| entry.mark);
    }

    /// Forgets what was decided.
    pub fn forget_lanes(&mut self) {
        self.lanes.clear();
    }

    pub fn trim(&mut self, room: RoomId, first: u64) {
        let log = self.logs.get_mut(&room).expect("the room is there");
        while log.entries.first().is_some_and(|entry| entry.offset < first) {
            log.first_mark = log.entries.remove(0).mark;
        }
        log.info.head.first = first;
    }

    /// Deletes a room: what is left of it is that it is gone. Its log is trimmed to nothing.
    pub fn delete(&mut self, room: RoomId) -> RoomInfo {
        self.members.retain(|(_, of)| *of != room);
        self.registers.retain(|(of, _), _| *of != room);
        let log = self.logs.get_mut(&room).expect("the room is there");
        log.info.gone = true;
        log.entries.clear();
        (log.first_mark, log.info.head.first) = (log.info.head.mark, log.info.head.offset + 1);
        log.info.clone()
    }

    /// A log that is there for readers.
    fn log_of(&self, room: RoomId) -> Option<&Log> {
        self.logs.get(&room).filter(|log| !log.info.gone)
    }

    /// As after putting an older copy of the data folder in place of this one, told to the server
    /// or not: told, every log goes on in a new epoch.
    pub fn set_back(&mut self, copy: Self, told: bool) {
        let epochs = self.epochs;
        *self = Self { epochs, ..copy };
        if told {
            let rooms: Vec<RoomId> = self.logs.keys().copied().collect();
            for room in rooms {
                let epoch = self.epoch();
                self.logs.get_mut(&room).expect("it is there").info.head.epoch = epoch;
            }
        }
    }

    fn epoch(&mut self) -> Epoch {
        self.epochs += 1;
        Epoch::new(self.epochs, &[0; 10])
    }

    fn info(&self, person: PersonId, room: RoomId) -> Option<RoomInfo> {
        let mut info = self.logs.get(&room)?.info.clone();
        info.joined = self.members.contains(&(person, room));
        Some(info)
    }

    pub fn greet(&mut self, greeting: &Greeting) -> Greeted {
        let person = greeting.person;
        if *self.people.entry(person).or_insert(greeting.secret_hash) != greeting.secret_hash {
            return Greeted::Refused(holdfast_common::error::Code::WrongSecret);
        }
        self.members.extend(greeting.welcome_rooms.iter().map(|room| (person, *room)));
        let (owner, generation) = self.writers.entry(greeting.writer).or_insert((person, 0));
        if *owner != person {
            return Greeted::Refused(holdfast_common::error::Code::WrongWriter);
        }
        let reused = greeting.generation == *generation && planted(Planted::GenerationReused);
        if greeting.generation <= *generation && !reused {
            return Greeted::Refused(holdfast_common::error::Code::Fenced);
        }
        *generation = greeting.generation;
        let mut resume = Resume::default();
        for known in &greeting.lanes {
            let lane = self.lanes.entry((greeting.writer, known.room)).or_default();
            let lost = known.floor > lane.watermark;
            lane.watermark = lane.watermark.max(known.floor);
            lane.verdicts.retain(|n, _| *n > known.floor);
            resume.lanes.push(LaneWatermark { room: known.room, watermark: lane.watermark, lost });
            let verdicts = lane.verdicts.iter();
            resume.verdicts.extend(verdicts.map(|(n, verdict)| (known.room, *n, verdict.clone())));
        }
        for room in self.logs.keys() {
            let Some(info) = self.info(person, *room) else {
                continue;
            };
            let cursor = greeting.rooms.iter().find(|known| known.room == *room);
            if info.gone && cursor.is_none() {
                continue;
            }
            let mark_at = cursor.and_then(|known| self.mark_at(*room, known.cursor.offset));
            resume.rooms.push(RoomState { info, mark_at, missed_since: None });
        }
        Greeted::Welcome(resume)
    }

    pub fn is_member(&self, person: PersonId, room: RoomId) -> bool {
        self.members.contains(&(person, room))
    }

    fn mark_at(&self, room: RoomId, offset: u64) -> Option<Mark> {
        let log = &self.logs[&room];
        if offset + 1 == log.info.head.first {
            return Some(log.first_mark);
        }
        log.entries.iter().find(|entry| entry.offset == offset).map(|entry| entry.mark)
    }

    pub fn facts(&self, person: PersonId, room: RoomId, effect: &Effect) -> Facts {
        let log = self.logs.get(&room);
        let target = effect.target().and_then(|id| {
            let entry = log?.entries.iter().find(|entry| entry.id == id)?;
            let (kind, hollow) = (entry.kind.clone(), entry.kind == HOLLOW);
            Some(TargetFacts { id, kind, author: entry.from.id, hollow })
        });
        Facts {
            person,
            room: log.map(|log| RoomFacts {
                id: room,
                namespace: log.info.ns.clone(),
                name: log.info.name.clone(),
                creator: log.creator,
                owner: None,
                gone: log.info.gone,
            }),
            member: self.members.contains(&(person, room)),
            target,
            free_name: match effect {
                Effect::Creates(name) => Some(name.clone()),
                _ => None,
            },
            versions: Versions::default(),
        }
    }

    pub fn append(&mut self, append: Append) -> Appended {
        let lane = append.lane.expect("clients have lanes");
        let overtaken = self.writers.get(&lane.writer).is_none_or(|it| it.1 != lane.generation);
        if overtaken && !planted(Planted::OldGenerationWrites) {
            return Appended::Fenced;
        }
        let state = self.lanes.entry((lane.writer, append.room)).or_default();
        state.watermark = state.watermark.max(lane.floor);
        state.verdicts.retain(|n, _| *n > lane.floor);
        if lane.n <= state.watermark {
            return state.verdicts.get(&lane.n).cloned().map_or(Appended::Settled, Appended::Again);
        }
        if lane.n > state.watermark + 1 {
            return Appended::Expected(state.watermark + 1);
        }
        let (verdict, entry) = self.decide(&append);
        if matches!(verdict, Verdict::Reject { .. }) && planted(Planted::RejectionKeepsNumber) {
            return Appended::decided(verdict, None);
        }
        let state = self.lanes.entry((lane.writer, append.room)).or_default();
        state.watermark = lane.n;
        state.verdicts.insert(lane.n, verdict.clone());
        Appended::decided(verdict, entry.map(Box::new))
    }

    fn decide(&mut self, append: &Append) -> (Verdict, Option<NewEntry>) {
        let id = append.id;
        // What stands is acked, whatever the rule says by now.
        let log = self.logs.get(&append.room).filter(|_| !planted(Planted::StandsTwice));
        if let Some((log, offset)) = log.and_then(|log| Some((log, log.ids.get(&id)?))) {
            let (epoch, reply) = (log.info.head.epoch, "null".to_owned());
            return (Verdict::Ack { id, epoch, offset: *offset, reply }, None);
        }
        let reply = match &append.verified {
            Verified::Allowed { reply, .. } => reply.clone(),
            Verified::Rejected { code, why, detail } => {
                let (code, why, detail) = (*code, why.clone(), detail.clone());
                return (Verdict::Reject { id, code, detail, why }, None);
            }
        };
        if let Effect::Creates(name) = &append.effect {
            self.create(append.room, name, append.author.id);
        }
        let created = matches!(append.effect, Effect::Creates(_));
        let log = self.logs.get_mut(&append.room).expect("the rule saw the room");
        let epoch = log.info.head.epoch;
        let entry = push(log, append);
        let offset = entry.offset;
        let created = created.then(|| self.info(append.author.id, append.room)).flatten();
        let new = NewEntry { room: append.room, epoch, entry, created, owner: None };
        (Verdict::Ack { id, epoch, offset, reply }, Some(new))
    }

    /// Appends without a lane, as an HTTP caller does.
    pub fn service(&mut self, room: RoomId, id: EventId, data: String) -> Option<NewEntry> {
        let append = Append {
            lane: None,
            idempotency: None,
            namespace: "chat".to_owned(),
            room,
            id,
            kind: "message".to_owned(),
            author: Author { id: PersonId::NIL, name: "service".to_owned() },
            at: Timestamp(0),
            data,
            effect: Effect::Adds,
            counts: true,
            room_name: None,
            owner: None,
            most_rooms: u32::MAX,
            verified: Verified::allowed("null".to_owned()),
            versions: Versions::default(),
        };
        self.log_of(room)?;
        self.decide(&append).1
    }

    pub fn create(&mut self, room: RoomId, name: &str, creator: PersonId) {
        let head = Head { epoch: self.epoch(), offset: 0, mark: Mark::START, first: 1 };
        let (ns, name) = ("chat".to_owned(), name.to_owned());
        let info = RoomInfo { room, ns, name, head, joined: false, gone: false, inbox: false };
        self.members.insert((creator, room));
        self.logs.insert(
            room,
            Log {
                info,
                creator,
                entries: Vec::new(),
                effects: BTreeMap::new(),
                first_mark: Mark::START,
                ids: BTreeMap::new(),
                counts: BTreeSet::new(),
            },
        );
    }

    pub fn member(&mut self, person: PersonId, room: RoomId, join: bool) -> Membership {
        if self.log_of(room).is_none() {
            return Membership::NoRoom;
        }
        if join {
            self.members.insert((person, room));
        } else {
            self.members.remove(&(person, room));
        }
        self.info(person, room).map_or(Membership::NoRoom, Membership::Done)
    }
}

fn push(log: &mut Log, append: &Append) -> Entry {
    let offset = log.info.head.offset + 1;
    let mark = log.info.head.mark.next(offset, append.id);
    let data = serde_json::value::RawValue::from_string(append.data.clone());
    let entry = Entry {
        offset,
        mark,
        id: append.id,
        kind: append.kind.clone(),
        from: append.author.clone(),
        at: append.at,
        data: Some(data.expect("an allowed payload is JSON")),
    };
    log.info.head.offset = offset;
    log.info.head.mark = mark;
    log.ids.insert(append.id, offset);
    log.effects.insert(append.id, append.effect.clone());
    if append.counts {
        log.counts.insert(append.id);
    }
    if let Effect::Removes(target) = append.effect {
        hollow(log, target, &append.author);
    }
    log.entries.push(entry.clone());
    entry
}

fn hollow(log: &mut Log, target: EventId, by: &Author) {
    let effects = &log.effects;
    for entry in &mut log.entries {
        let replaces = effects.get(&entry.id) == Some(&Effect::Replaces(target));
        if entry.id == target || replaces {
            entry.kind = HOLLOW.to_owned();
            entry.data = None;
            entry.from = by.clone();
        }
    }
}
