//! A greeting: binding, lanes, and the resume.

use super::{State, room::Room};
use crate::limits::OTHER_ROOMS;
use holdfast_common::{
    cursor::Cursor,
    error::Code,
    frame::{LaneWatermark, LatestSet},
    id::{PersonId, RoomId},
    limits::{MOST_VERDICTS, SLICE_BYTES},
    storage::{Greeted, Greeting, Resume, RoomState},
};
use std::{cmp::Reverse, collections::BTreeMap};

#[derive(Debug, Clone)]
pub(super) struct Writer {
    person: PersonId,
    pub(super) generation: u64,
}

impl State {
    pub(super) fn greet(&mut self, greeting: &Greeting) -> Greeted {
        if let Some(code) = self.refusal(greeting) {
            return Greeted::Refused(code);
        }
        self.bind(greeting);
        let lanes = self.raise_lanes(greeting);
        let verdicts = lanes.iter().flat_map(|LaneWatermark { room, .. }| {
            let lane = self.lanes.get(&(greeting.writer, *room));
            let verdicts = lane.into_iter().flat_map(|lane| &lane.verdicts);
            verdicts.map(|(n, verdict)| (*room, *n, verdict.clone()))
        });
        let (latest, latest_rest) = self.own_registers(greeting.person);
        Greeted::Welcome(Resume {
            rooms: self.resume_rooms(greeting),
            verdicts: verdicts.take(MOST_VERDICTS + 1).collect(),
            lanes,
            latest,
            latest_rest,
        })
    }

    /// Those of the rooms the person is in, as many as fit, and the first room of the others.
    fn own_registers(&self, person: PersonId) -> (Vec<LatestSet>, Option<RoomId>) {
        let own = self.registers.values().filter(|value| {
            let room = self.rooms.get(&value.room);
            value.person == person && room.is_some_and(|room| room.members.contains_key(&person))
        });
        let (mut fit, mut bytes) = (Vec::new(), 0);
        for value in own {
            bytes += value.data.get().len();
            if bytes > SLICE_BYTES {
                return (fit, Some(value.room));
            }
            fit.push(value.clone());
        }
        (fit, None)
    }

    /// What the person is called, if they were ever here; and whether they are bound to no other secret.
    pub(super) fn compare(
        &self,
        person: PersonId,
        secret_hash: &[u8; 32],
    ) -> Result<Option<String>, Code> {
        match self.people.get(&person) {
            Some((known, name)) if known == secret_hash => Ok(Some(name.clone())),
            Some(_) => Err(Code::WrongSecret),
            None => Ok(None),
        }
    }

    fn refusal(&self, greeting: &Greeting) -> Option<Code> {
        if let Err(code) = self.compare(greeting.person, &greeting.secret_hash) {
            return Some(code);
        }
        let writer = self.writers.get(&greeting.writer)?;
        if writer.person != greeting.person {
            return Some(Code::WrongWriter);
        }
        (greeting.generation <= writer.generation).then_some(Code::Fenced)
    }

    fn bind(&mut self, greeting: &Greeting) {
        let (person, hash) = (greeting.person, greeting.secret_hash);
        self.people.insert(person, (hash, greeting.name.clone()));
        for room in &greeting.welcome_rooms {
            self.join(person, *room, u32::MAX);
        }
        let writer = Writer { person: greeting.person, generation: greeting.generation };
        self.writers.insert(greeting.writer, writer);
    }

    /// Moves the lanes up to their floors. A lane named twice counts once, with the higher floor.
    fn raise_lanes(&mut self, greeting: &Greeting) -> Vec<LaneWatermark> {
        let mut floors = BTreeMap::new();
        for lane in &greeting.lanes {
            let floor = floors.entry(lane.room).or_insert(0);
            *floor = lane.floor.max(*floor);
        }
        let raise = |(room, floor): (RoomId, u64)| {
            let lane = self.lanes.entry((greeting.writer, room)).or_default();
            let lost = lane.settle(floor);
            LaneWatermark { room, watermark: lane.watermark, lost }
        };
        floors.into_iter().map(raise).collect()
    }

    fn resume_rooms(&self, greeting: &Greeting) -> Vec<RoomState> {
        let cursors: BTreeMap<RoomId, Cursor> =
            greeting.rooms.iter().map(|at| (at.room, at.cursor)).collect();
        let state = |room: &Room| {
            let (mark_at, missed_since) = match cursors.get(&room.id) {
                Some(cursor) => room.at(cursor),
                None => (None, None),
            };
            RoomState { info: room.info(greeting.person), mark_at, missed_since }
        };
        self.listed(greeting.person, &cursors).into_iter().map(state).collect()
    }

    /// The person's rooms, those they have a cursor for, and the newest of the others.
    pub(super) fn listed(
        &self,
        person: PersonId,
        cursors: &BTreeMap<RoomId, Cursor>,
    ) -> Vec<&Room> {
        let rooms = self.rooms.values();
        let mut rooms: Vec<&Room> = rooms.filter(|room| room.is_there_for(person)).collect();
        rooms.sort_by_key(|room| (!room.members.contains_key(&person), Reverse(room.number)));
        let mut others = 0;
        rooms.retain(|room| {
            if room.members.contains_key(&person) || cursors.contains_key(&room.id) {
                return true;
            }
            others += u32::from(!room.gone);
            !room.gone && others <= OTHER_ROOMS
        });
        rooms
    }
}
