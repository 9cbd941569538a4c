//! One append, in the order of its checks.

use super::State;
use crate::engine::{
    lane::{Turn, raised, turn},
    too_many,
};
use holdfast_common::{
    event::{Effect, Verified},
    frame::Entry,
    id::PersonId,
    storage::{Append, Appended, Fault, LaneWrite, NewEntry, Verdict},
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What is decided of a lane.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    pub(super) watermark: u64,
    /// Those above the floor.
    pub(super) verdicts: BTreeMap<u64, Verdict>,
}

impl Lane {
    /// All up to `floor` is settled at the client: forgets those verdicts, and returns whether the
    /// server had lost history.
    pub(super) fn settle(&mut self, floor: u64) -> bool {
        let lost = self.watermark < floor;
        self.watermark = raised(self.watermark, floor);
        self.verdicts.retain(|n, _| *n > floor);
        lost
    }
}

impl State {
    /// A fault takes back what was settled before it was met.
    pub(super) fn append(&mut self, append: &Append) -> Result<Appended, Fault> {
        let key = append.lane.map(|write| (write.writer, append.room));
        let lane = key.and_then(|key| self.lanes.get(&key).cloned());
        let appended = self.try_append(append);
        if let (Err(_), Some(key)) = (&appended, key) {
            match lane {
                Some(lane) => self.lanes.insert(key, lane),
                None => self.lanes.remove(&key),
            };
        }
        appended
    }

    fn try_append(&mut self, append: &Append) -> Result<Appended, Fault> {
        if let Some(lane) = &append.lane
            && let Some(appended) = self.not_next(append, lane)
        {
            return Ok(appended);
        }
        if let Some(appended) = self.repeated(append) {
            return Ok(appended);
        }
        let versions = self.versions(append.room, append.author.id, append.effect.target());
        if versions != append.versions {
            return Ok(Appended::Moved);
        }
        let room = self.rooms.get(&append.room);
        let allowed = matches!(append.verified, Verified::Allowed { .. });
        let room = room.filter(|room| allowed || room.is_there_for(append.author.id));
        if let Some(verdict) = room.and_then(|room| room.ack(append.id)) {
            self.conclude(append, &verdict);
            return Ok(Appended::decided(verdict, None));
        }
        match &append.verified {
            Verified::Allowed { .. } if self.has_too_many(append) => {
                let verdict = too_many(append.id);
                self.conclude(append, &verdict);
                Ok(Appended::decided(verdict, None))
            }
            Verified::Allowed { reply, .. } => self.allow(append, reply),
            Verified::Rejected { code, why, detail } => {
                let verdict = Verdict::Reject {
                    id: append.id,
                    code: *code,
                    detail: detail.clone(),
                    why: why.clone(),
                };
                self.conclude(append, &verdict);
                Ok(Appended::decided(verdict, None))
            }
        }
    }

    /// Whether a room is to be created by one who is in as many as one may be.
    fn has_too_many(&self, append: &Append) -> bool {
        let person = append.author.id;
        let joins = matches!(append.effect, Effect::Creates(_)) && append.owner.is_none();
        joins && person != PersonId::NIL && self.joined(person) >= append.most_rooms as usize
    }

    /// Checks generation and number; `None` if the number is the one to decide.
    fn not_next(&mut self, append: &Append, write: &LaneWrite) -> Option<Appended> {
        let writer = self.writers.get(&write.writer);
        if writer.map(|writer| writer.generation) != Some(write.generation) {
            return Some(Appended::Fenced);
        }
        let lane = self.lanes.entry((write.writer, append.room)).or_default();
        lane.settle(write.floor);
        match turn(lane.watermark, write.floor, write.n) {
            Turn::Next => None,
            Turn::Settled => Some(Appended::Settled),
            // Where an earlier message named a higher floor, or history was lost, there is none.
            Turn::Before => Some(match lane.verdicts.get(&write.n) {
                Some(verdict) => Appended::Again(verdict.clone()),
                None => Appended::Settled,
            }),
            Turn::Expected(n) => Some(Appended::Expected(n)),
        }
    }

    /// The first answer, where the idempotency key was used before.
    fn repeated(&mut self, append: &Append) -> Option<Appended> {
        let promise = append.idempotency.as_ref()?;
        let room = self.rooms.get(&append.room)?;
        let key = room.keys.get(&(promise.caller, promise.key.clone()))?;
        if key.body_hash != promise.body_hash {
            return Some(Appended::Mismatch);
        }
        let verdict = room.ack(key.id)?;
        self.conclude(append, &verdict);
        Some(Appended::Again(verdict))
    }

    fn allow(&mut self, append: &Append, reply: &str) -> Result<Appended, Fault> {
        let data = RawValue::from_string(append.data.clone())
            .map_err(|error| Fault::Failed(format!("the payload is no JSON: {error}")))?;
        let creates = match &append.effect {
            Effect::Creates(_) if self.rooms.contains_key(&append.room) => {
                return Err(Fault::Failed("the room exists already".to_owned()));
            }
            Effect::Creates(wished) => {
                let name = append.room_name.as_ref().unwrap_or(wished).trim();
                let taken = match append.owner {
                    Some(owner) => self.inbox_room(owner, &append.namespace),
                    None => self.room_named(&append.namespace, name),
                };
                if taken.is_some() {
                    return Ok(Appended::Moved);
                }
                self.create(append, name)?;
                true
            }
            _ => false,
        };
        let Some(room) = self.rooms.get_mut(&append.room) else {
            return Err(Fault::Failed("the room does not exist".to_owned()));
        };
        let entry: Entry = room.push(append, data, reply);
        let verdict = Verdict::Ack {
            id: append.id,
            epoch: room.head.epoch,
            offset: entry.offset,
            reply: reply.to_owned(),
        };
        let new = NewEntry {
            room: room.id,
            epoch: room.head.epoch,
            entry,
            created: creates.then(|| room.info(append.owner.unwrap_or(append.author.id))),
            owner: append.owner.filter(|_| creates),
        };
        self.conclude(append, &verdict);
        Ok(Appended::decided(verdict, Some(Box::new(new))))
    }

    /// Stores the verdict and moves the watermark to its number.
    fn conclude(&mut self, append: &Append, verdict: &Verdict) {
        if let Some(write) = &append.lane {
            let lane = self.lanes.entry((write.writer, append.room)).or_default();
            lane.watermark = write.n;
            lane.verdicts.insert(write.n, verdict.clone());
        }
    }
}
