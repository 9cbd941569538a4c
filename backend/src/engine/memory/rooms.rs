//! Rooms by name, memberships, registers, and the facts that rules go by.

use super::{State, room::Room};
use crate::engine::{
    fresh_epoch,
    names::{free_name, name_key},
};
use holdfast_common::{
    cursor::{Head, Mark},
    error::Code,
    event::{Effect, Facts, RoomFacts, Versions},
    frame::{LatestSet, RoomInfo},
    id::{EventId, PersonId, RoomId},
    storage::{
        Append, FactsQuery, Fault, Inbox, Membership, RegisterKey, Registered, Registers,
        RegistersQuery,
    },
};
use std::{collections::BTreeMap, convert::Infallible};

impl State {
    pub(super) fn facts(&self, query: &FactsQuery) -> Facts {
        let room = self.rooms.get(&query.room);
        let target = query.effect.target();
        let free_name = match &query.effect {
            Effect::Creates(wished) => {
                let taken = |key: &str| self.room_named(&query.namespace, key).is_some();
                let Ok(name) = free_name(wished, |key| Ok::<_, Infallible>(taken(key)));
                Some(name)
            }
            _ => None,
        };
        Facts {
            person: query.person,
            room: room.map(|room| RoomFacts {
                id: room.id,
                namespace: room.namespace.clone(),
                name: room.name.clone(),
                creator: room.creator,
                owner: room.owner,
                gone: room.gone,
            }),
            member: room.is_some_and(|room| room.members.contains_key(&query.person)),
            target: room.and_then(|room| room.target(target?)),
            free_name,
            versions: self.versions(query.room, query.person, target),
        }
    }

    pub(super) fn versions(
        &self,
        room: RoomId,
        person: PersonId,
        target: Option<EventId>,
    ) -> Versions {
        let Some(room) = self.rooms.get(&room) else {
            return Versions::default();
        };
        let target = target.and_then(|id| room.item(id));
        Versions {
            room: room.version,
            member: room.members.get(&person).copied().unwrap_or(0),
            target: target.map_or(0, |item| 1 + item.changed),
        }
    }

    pub(super) fn room_named(&self, namespace: &str, name: &str) -> Option<&Room> {
        let key = name_key(name);
        let mut rooms = self.live(namespace);
        rooms.find(|room| room.owner.is_none() && name_key(&room.name) == key)
    }

    /// The rooms that have or had this name, inboxes apart.
    pub(super) fn ever_named(&self, namespace: &str, name: &str) -> Vec<RoomId> {
        let key = name_key(name);
        let is_it = |room: &&Room| {
            room.namespace == namespace && room.owner.is_none() && name_key(&room.name) == key
        };
        self.rooms.values().filter(is_it).map(|room| room.id).collect()
    }

    pub(super) fn inbox(&self, person: PersonId, namespace: &str) -> Inbox {
        match self.inbox_room(person, namespace) {
            Some(room) => Inbox::Room(room.info(person)),
            None if self.people.contains_key(&person) => Inbox::None,
            None => Inbox::NoPerson,
        }
    }

    pub(super) fn inbox_room(&self, person: PersonId, namespace: &str) -> Option<&Room> {
        self.live(namespace).find(|room| room.owner == Some(person))
    }

    fn live(&self, namespace: &str) -> impl Iterator<Item = &Room> {
        self.rooms.values().filter(move |room| !room.gone && room.namespace == namespace)
    }

    /// Makes an empty room for the event that creates it.
    pub(super) fn create(&mut self, append: &Append, name: &str) -> Result<(), Fault> {
        let epoch = fresh_epoch(append.at)?;
        let author = append.author.id;
        let number = self.count();
        let members = match append.owner.unwrap_or(author) {
            PersonId::NIL => BTreeMap::new(),
            first => BTreeMap::from([(first, self.count())]),
        };
        let head = Head { epoch, offset: 0, mark: Mark::START, first: 1 };
        let room = Room {
            id: append.room,
            number,
            namespace: append.namespace.clone(),
            name: name.to_owned(),
            creator: author,
            owner: append.owner,
            version: 1,
            gone: false,
            head,
            trimmed_mark: Mark::START,
            log: BTreeMap::new(),
            ids: BTreeMap::new(),
            members,
            keys: BTreeMap::new(),
        };
        self.rooms.insert(append.room, room);
        Ok(())
    }

    /// How many rooms a person is a member of, inboxes left out.
    pub(super) fn joined(&self, person: PersonId) -> usize {
        let joined = self.rooms.values().filter(|room| room.members.contains_key(&person));
        joined.filter(|room| room.owner.is_none()).count()
    }

    pub(super) fn join(&mut self, person: PersonId, room: RoomId, most: u32) -> Membership {
        let full = self.joined(person) >= most as usize;
        let version = self.count();
        let Some(room) = self.room_for(person, room) else {
            return Membership::NoRoom;
        };
        if full && !room.members.contains_key(&person) {
            return Membership::TooMany;
        }
        room.members.entry(person).or_insert(version);
        Membership::Done(room.info(person))
    }

    pub(super) fn leave(&mut self, person: PersonId, room: RoomId) -> Membership {
        let Some(room) = self.room_for(person, room) else {
            return Membership::NoRoom;
        };
        if room.owner.is_some() {
            return Membership::ForGood;
        }
        room.members.remove(&person);
        Membership::Done(room.info(person))
    }

    fn room_for(&mut self, person: PersonId, room: RoomId) -> Option<&mut Room> {
        self.rooms.get_mut(&room).filter(|room| !room.gone && room.is_there_for(person))
    }

    pub(super) fn delete_room(&mut self, id: RoomId) -> Option<RoomInfo> {
        let room = self.rooms.get_mut(&id)?;
        if !room.gone {
            room.gone = true;
            room.version += 1;
            room.members.clear();
            room.trim(room.head.offset + 1);
            self.registers.retain(|(_, room, _, _), _| *room != id);
            self.jobs.drop_webhooks(id);
        }
        Some(room.info(PersonId::NIL))
    }

    pub(super) fn set_latest(&mut self, value: LatestSet) -> Registered {
        let refusal = match self.rooms.get(&value.room) {
            None => Some(Code::UnknownRoom),
            Some(room) if room.gone => Some(Code::RoomGone),
            Some(room) => (room.namespace != value.ns).then_some(Code::WrongNamespace),
        };
        if let Some(code) = refusal {
            return Registered::Refused(code);
        }
        let register = (value.person, value.room, value.ns.clone(), value.kind.clone());
        match self.registers.get(&register) {
            Some(stored) if stored.rank >= value.rank => Registered::Stands(stored.rank),
            _ => {
                self.registers.insert(register, value);
                Registered::Stored
            }
        }
    }

    pub(super) fn registers(
        &self,
        query: &RegistersQuery,
        max_entries: u32,
        max_bytes: usize,
    ) -> Registers {
        let key = |value: &LatestSet| -> RegisterKey {
            (value.person, value.ns.clone(), value.kind.clone())
        };
        let mut part = Registers::default();
        let mut bytes = 0;
        for value in self.registers.values().filter(|value| value.room == query.room) {
            let wanted = query.person.is_none_or(|person| person == value.person);
            if !wanted || query.after.as_ref().is_some_and(|after| key(value) <= *after) {
                continue;
            }
            bytes += value.data.get().len();
            let full = part.values.len() >= max_entries.max(1) as usize || bytes > max_bytes;
            if full && let Some(last) = part.values.last() {
                part.rest = Some(key(last));
                break;
            }
            part.values.push(value.clone());
        }
        part
    }

    pub(super) fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }
}
