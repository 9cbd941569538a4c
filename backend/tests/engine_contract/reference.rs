//! A reference of what an engine has to answer, told by the words of its trait alone.
//!
//! It keeps what has happened and nothing that follows from it: of a log all events as they came, for
//! ever, each with where the log began by then. What a reader sees is worked out anew each time.
//! No line of an engine is in it.

mod room;

use holdfast_backend::limits::OTHER_ROOMS;
use holdfast_common::{
    cursor::Offset,
    error::Code,
    event::{Effect, Verified},
    frame::{Folded, LaneWatermark, LatestSet, RoomInfo},
    id::{Epoch, EventId, PersonId, RoomId, WriterId},
    storage::{
        Append, Appended, Fault, Folds, Greeted, Greeting, Inbox, Membership, NewEntry, Places,
        Registered, Registers, RegistersQuery, Resume, RoomState, Slice, Verdict,
    },
};
use room::{Event, Room};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that has happened.
#[derive(Default)]
pub(crate) struct Reference {
    people: BTreeMap<PersonId, [u8; 32]>,
    writers: BTreeMap<WriterId, (PersonId, u64)>,
    lanes: BTreeMap<(WriterId, RoomId), Lane>,
    /// In the order in which they were made.
    rooms: Vec<Room>,
    registers: Vec<LatestSet>,
}

#[derive(Default, Clone)]
struct Lane {
    watermark: u64,
    floor: u64,
    verdicts: BTreeMap<u64, Verdict>,
}

impl Reference {
    fn room(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }

    /// One that is not gone, as far as this person is to know.
    fn live(&mut self, id: RoomId, person: PersonId) -> Option<&mut Room> {
        let mut rooms = self.rooms.iter_mut();
        rooms.find(|room| room.id == id && !room.gone && room.is_there_for(person))
    }

    /// Every event of a room.
    pub(crate) fn ids(&self, id: RoomId) -> Vec<EventId> {
        let events = self.room(id).into_iter().flat_map(|room| &room.events);
        events.map(|event| event.append.id).collect()
    }

    pub(crate) fn is_gone(&self, id: RoomId) -> bool {
        self.room(id).is_some_and(|room| room.gone)
    }

    /// The last one of a writer.
    pub(crate) fn generation(&self, writer: WriterId) -> u64 {
        self.writers.get(&writer).map_or(0, |(_, generation)| *generation)
    }

    pub(crate) fn watermark(&self, writer: WriterId, room: RoomId) -> u64 {
        self.lanes.get(&(writer, room)).map_or(0, |lane| lane.watermark)
    }

    fn joined(&self, person: PersonId) -> usize {
        let rooms = self.rooms.iter().filter(|room| room.owner.is_none());
        rooms.filter(|room| room.members.contains(&person)).count()
    }

    pub(crate) fn named(&self, ns: &str, name: &str) -> Option<RoomInfo> {
        let key = |name: &str| name.trim().to_ascii_lowercase();
        let mut rooms = self.rooms.iter().filter(|room| !room.gone && room.owner.is_none());
        let room = rooms.find(|room| room.ns == ns && key(&room.name) == key(name));
        room.map(|room| room.info(PersonId::NIL))
    }

    pub(crate) fn inbox(&self, person: PersonId, ns: &str) -> Inbox {
        let mut rooms = self.rooms.iter().filter(|room| !room.gone && room.ns == ns);
        match rooms.find(|room| room.owner == Some(person)) {
            Some(room) => Inbox::Room(room.info(person)),
            None if self.people.contains_key(&person) => Inbox::None,
            None => Inbox::NoPerson,
        }
    }

    /// `fresh`: the versions are those of this moment. Else they are such as say "nothing is there".
    pub(crate) fn append(&mut self, append: &Append, fresh: bool) -> Appended {
        let Some(write) = append.lane else { return self.decide(append, fresh) };
        let generation = self.writers.get(&write.writer).map(|(_, generation)| *generation);
        if generation != Some(write.generation) {
            return Appended::Fenced;
        }
        let key = (write.writer, append.room);
        let before = self.lanes.get(&key).cloned();
        let lane = self.lanes.entry(key).or_default();
        lane.settle(write.floor);
        if write.n <= write.floor {
            return Appended::Settled;
        }
        if write.n <= lane.watermark {
            let kept = lane.verdicts.get(&write.n).filter(|_| write.n > lane.floor);
            return kept.cloned().map_or(Appended::Settled, Appended::Again);
        }
        if write.n != lane.watermark + 1 {
            return Appended::Expected(lane.watermark + 1);
        }
        let appended = self.decide(append, fresh);
        match &appended {
            Appended::Decided { verdict, .. } | Appended::Again(verdict) => {
                let lane = self.lanes.entry(key).or_default();
                lane.watermark = write.n;
                lane.verdicts.insert(write.n, verdict.clone());
            }
            // A fault has changed nothing.
            Appended::Fault(_) => drop(self.lanes.insert(key, before.unwrap_or_default())),
            _ => {}
        }
        appended
    }

    /// Behind the lane: the key, the versions, the id, the rule.
    fn decide(&mut self, append: &Append, fresh: bool) -> Appended {
        let (id, room) = (append.id, self.room(append.room));
        if let (Some(room), Some(promise)) = (room, &append.idempotency) {
            let kept = room.offsets().rev().map(|at| &room.event(at).append);
            let mut kept = kept.filter_map(|it| Some((it.id, it.idempotency.as_ref()?)));
            let same = kept.find(|(_, it)| it.key == promise.key && it.caller == promise.caller);
            match same {
                Some((_, it)) if it.body_hash != promise.body_hash => return Appended::Mismatch,
                Some((id, _)) => return Appended::Again(room.ack(id).unwrap()),
                None => {}
            }
        }
        if !fresh && room.is_some() {
            return Appended::Moved;
        }
        let rejects = matches!(append.verified, Verified::Rejected { .. });
        let told = room.filter(|room| !rejects || room.is_there_for(append.author.id));
        let reject =
            |code, detail, why| Appended::decided(Verdict::Reject { id, code, detail, why }, None);
        if let Some(verdict) = told.and_then(|room| room.ack(id)) {
            return Appended::decided(verdict, None);
        }
        match &append.verified {
            Verified::Rejected { code, why, detail } => reject(*code, detail.clone(), why.clone()),
            Verified::Allowed { .. } if self.is_one_too_many(append) => {
                reject(Code::TooMany, Code::TooMany.text().to_owned(), None)
            }
            Verified::Allowed { reply, .. } => self.allow(append, reply.clone()),
        }
    }

    fn is_one_too_many(&self, append: &Append) -> bool {
        let (person, most) = (append.author.id, append.most_rooms as usize);
        let joins = matches!(append.effect, Effect::Creates(_)) && append.owner.is_none();
        joins && person != PersonId::NIL && self.joined(person) >= most
    }

    fn allow(&mut self, append: &Append, reply: String) -> Appended {
        let creates = match &append.effect {
            Effect::Creates(wished) => Some(append.room_name.as_ref().unwrap_or(wished).trim()),
            _ => None,
        };
        if creates.is_some() == self.room(append.room).is_some() {
            return Appended::Fault(Fault::Failed(String::new()));
        }
        let first = append.owner.unwrap_or(append.author.id);
        if let Some(name) = creates {
            let taken = match append.owner {
                Some(owner) => matches!(self.inbox(owner, &append.namespace), Inbox::Room(_)),
                None => self.named(&append.namespace, name).is_some(),
            };
            if taken {
                return Appended::Moved;
            }
            self.rooms.push(Room {
                id: append.room,
                ns: append.namespace.clone(),
                name: name.to_owned(),
                owner: append.owner,
                gone: false,
                first: 1,
                members: BTreeSet::from([first])
                    .into_iter()
                    .filter(|it| *it != PersonId::NIL)
                    .collect(),
                events: Vec::new(),
            });
        }
        let room = self.rooms.iter_mut().find(|room| room.id == append.room).unwrap();
        room.events.push(Event { append: append.clone(), reply, first: room.first });
        let entry = NewEntry {
            room: room.id,
            epoch: Epoch::NIL,
            entry: room.entry(room.events.len() as Offset),
            created: creates.map(|_| room.info(first)),
            owner: append.owner.filter(|_| creates.is_some()),
        };
        let verdict = room.ack(append.id).unwrap();
        Appended::decided(verdict, Some(Box::new(entry)))
    }

    /// `stands`: in which rooms the reader stands, and where.
    pub(crate) fn greet(&mut self, greeting: &Greeting, stands: &[(RoomId, Offset)]) -> Greeted {
        let Greeting { person, writer, generation, .. } = *greeting;
        if self.people.get(&person).is_some_and(|hash| *hash != greeting.secret_hash) {
            return Greeted::Refused(Code::WrongSecret);
        }
        match self.writers.get(&writer) {
            Some((whose, _)) if *whose != person => return Greeted::Refused(Code::WrongWriter),
            Some((_, last)) if generation <= *last => return Greeted::Refused(Code::Fenced),
            _ => {}
        }
        self.people.insert(person, greeting.secret_hash);
        self.writers.insert(writer, (person, generation));
        for room in &greeting.welcome_rooms {
            self.join(person, *room, u32::MAX);
        }
        let named: BTreeSet<RoomId> = greeting.lanes.iter().map(|lane| lane.room).collect();
        let mut resume = Resume::default();
        for room in named {
            let floors = greeting.lanes.iter().filter(|lane| lane.room == room);
            let floor = floors.map(|lane| lane.floor).max().unwrap();
            let lane = self.lanes.entry((writer, room)).or_default();
            let lost = floor > lane.watermark;
            lane.settle(floor);
            resume.lanes.push(LaneWatermark { room, watermark: lane.watermark, lost });
            let kept = lane.verdicts.iter().filter(|(n, _)| **n > lane.floor);
            resume.verdicts.extend(kept.map(|(n, verdict)| (room, *n, verdict.clone())));
        }
        let stands: BTreeMap<RoomId, Offset> = stands.iter().copied().collect();
        let listed = self.listed(person, |room| stands.contains_key(&room));
        resume.rooms = listed
            .into_iter()
            .map(|room| {
                // A reader of a deleted room has no epoch to show here.
                let at = stands.get(&room.id).filter(|_| !room.gone);
                let (mark_at, missed_since) = at.map_or((None, None), |at| room.at(*at));
                RoomState { info: room.info(person), mark_at, missed_since }
            })
            .collect();
        let own = |value: &&LatestSet| {
            let room = self.room(value.room);
            value.person == person && room.is_some_and(|room| room.members.contains(&person))
        };
        resume.latest = self.registers.iter().filter(own).cloned().collect();
        Greeted::Welcome(resume)
    }

    fn listed(&self, person: PersonId, known: impl Fn(RoomId) -> bool) -> Vec<&Room> {
        let rooms = self.rooms.iter().rev().filter(|room| room.is_there_for(person));
        let certain = |room: &&Room| room.members.contains(&person) || known(room.id);
        let (certain, others): (Vec<&Room>, Vec<&Room>) = rooms.partition(certain);
        let others = others.into_iter().filter(|room| !room.gone);
        certain.into_iter().chain(others.take(OTHER_ROOMS as usize)).collect()
    }

    pub(crate) fn directory(&self, person: PersonId) -> Vec<RoomInfo> {
        self.listed(person, |_| false).into_iter().map(|room| room.info(person)).collect()
    }

    pub(crate) fn slice(
        &mut self,
        room: RoomId,
        after: Offset,
        max_entries: u32,
        max_bytes: usize,
    ) -> Option<Slice> {
        Some(self.live(room, PersonId::NIL)?.slice(after, max_entries, max_bytes))
    }

    pub(crate) fn page(
        &mut self,
        room: RoomId,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Option<Folds> {
        Some(self.live(room, PersonId::NIL)?.page(before, limit, max_bytes, since))
    }

    /// What walking all pages has to show.
    pub(crate) fn items(&mut self, room: RoomId) -> Option<Vec<Folded>> {
        Some(self.live(room, PersonId::NIL)?.items(Offset::MAX))
    }

    pub(crate) fn find(&self, person: PersonId, room: RoomId, ids: &[EventId]) -> Places {
        let room = self.room(room).filter(|room| room.is_there_for(person))?;
        let found = ids.iter().filter_map(|id| Some((*id, room.place(*id)?)));
        Some((Epoch::NIL, found.collect()))
    }

    pub(crate) fn join(&mut self, person: PersonId, room: RoomId, most: u32) -> Membership {
        let full = self.joined(person) >= most as usize;
        let Some(room) = self.live(room, person) else { return Membership::NoRoom };
        if full && !room.members.contains(&person) {
            return Membership::TooMany;
        }
        room.members.insert(person);
        Membership::Done(room.info(person))
    }

    pub(crate) fn leave(&mut self, person: PersonId, room: RoomId) -> Membership {
        let Some(room) = self.live(room, person) else { return Membership::NoRoom };
        if room.owner.is_some() {
            return Membership::ForGood;
        }
        room.members.remove(&person);
        Membership::Done(room.info(person))
    }

    pub(crate) fn set_latest(&mut self, value: &LatestSet) -> Registered {
        match self.room(value.room) {
            None => return Registered::Refused(Code::UnknownRoom),
            Some(room) if room.gone => return Registered::Refused(Code::RoomGone),
            Some(room) if room.ns != value.ns => {
                return Registered::Refused(Code::WrongNamespace);
            }
            Some(_) => {}
        }
        let key = |it: &LatestSet| (it.room, it.person, it.ns.clone(), it.kind.clone());
        let known = self.registers.iter().find(|it| key(it) == key(value)).map(|it| it.rank);
        if let Some(rank) = known.filter(|rank| *rank >= value.rank) {
            return Registered::Stands(rank);
        }
        self.registers.retain(|it| key(it) != key(value));
        self.registers.push(value.clone());
        self.registers.sort_by_key(key);
        Registered::Stored
    }

    pub(crate) fn registers(&self, query: &RegistersQuery, most: u32, bytes: usize) -> Registers {
        let key = |it: &LatestSet| (it.person, it.ns.clone(), it.kind.clone());
        let wanted = self.registers.iter().filter(|it| {
            it.room == query.room
                && query.person.is_none_or(|person| person == it.person)
                && query.after.as_ref().is_none_or(|after| key(it) > *after)
        });
        let wanted: Vec<&LatestSet> = wanted.collect();
        let sum = |upto: usize| wanted[..upto].iter().map(|it| it.data.get().len()).sum::<usize>();
        let fits = |count: &usize| *count <= 1 || (*count <= most as usize && sum(*count) <= bytes);
        let count = (0..=wanted.len()).rev().find(fits).unwrap_or(0);
        let values: Vec<LatestSet> = wanted[..count].iter().map(|it| (*it).clone()).collect();
        let rest = values.last().filter(|_| count < wanted.len()).map(key);
        Registers { values, rest }
    }

    /// Where the log begins then.
    pub(crate) fn trim(&mut self, room: RoomId, first: Offset) -> Option<Offset> {
        let room = self.rooms.iter_mut().find(|it| it.id == room)?;
        room.trim(first);
        Some(room.first)
    }

    pub(crate) fn delete(&mut self, id: RoomId) -> Option<RoomInfo> {
        let room = self.rooms.iter_mut().find(|it| it.id == id)?;
        room.gone = true;
        room.members.clear();
        room.trim(Offset::MAX);
        let info = room.info(PersonId::NIL);
        self.registers.retain(|it| it.room != id);
        Some(info)
    }
}

impl Lane {
    fn settle(&mut self, floor: u64) {
        self.floor = self.floor.max(floor);
        self.watermark = self.watermark.max(self.floor);
    }
}
