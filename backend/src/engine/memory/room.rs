//! A room and its log.

use crate::engine::{Filling, Trimmed};
use holdfast_common::{
    codec,
    cursor::{Cursor, Head, Mark, Offset},
    event::{Effect, TargetFacts},
    frame::{Author, Entry, Folded, HOLLOW, RoomInfo},
    id::{EventId, PersonId, RoomId},
    storage::{Append, Folds, Idempotency, Slice, Verdict},
    time::Timestamp,
};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) id: RoomId,
    /// Rooms made later have a greater one.
    pub(super) number: u64,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) creator: PersonId,
    /// Whose inbox it is.
    pub(super) owner: Option<PersonId>,
    pub(super) version: u64,
    pub(super) gone: bool,
    pub(super) head: Head,
    /// The mark before the log's first entry.
    pub(super) trimmed_mark: Mark,
    pub(super) log: BTreeMap<Offset, Item>,
    /// Every event that ever stood in the log, with its first reply.
    pub(super) ids: BTreeMap<EventId, (Offset, String)>,
    /// Each with the version of its membership.
    pub(super) members: BTreeMap<PersonId, u64>,
    pub(super) keys: BTreeMap<(PersonId, String), Key>,
}

/// An entry with what the engine has to know of it.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) entry: Entry,
    pub(super) role: Role,
    pub(super) counts: bool,
    /// The offset of the last entry that replaced or removed this one, 0 if none did.
    pub(super) changed: Offset,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Stands,
    /// The newest content of the entry at this offset, if that is there.
    Replaces(Option<Offset>),
    Removes,
}

/// An idempotency key's event.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) body_hash: [u8; 32],
    pub(super) id: EventId,
    offset: Offset,
}

impl Item {
    pub(super) fn hollow(&self) -> bool {
        self.entry.data.is_none()
    }

    fn empty(&mut self, by: &Author, at: Offset) {
        self.entry.kind = HOLLOW.to_owned();
        self.entry.from = by.clone();
        self.entry.data = None;
        self.changed = at;
    }
}

impl Room {
    pub(super) fn info(&self, person: PersonId) -> RoomInfo {
        RoomInfo {
            room: self.id,
            ns: self.namespace.clone(),
            name: self.name.clone(),
            head: self.head,
            joined: self.members.contains_key(&person),
            gone: self.gone,
            inbox: self.owner.is_some(),
        }
    }

    /// An inbox is there for its owner and the server alone.
    pub(super) fn is_there_for(&self, person: PersonId) -> bool {
        self.owner.is_none_or(|owner| owner == person || person == PersonId::NIL)
    }

    pub(super) fn item(&self, id: EventId) -> Option<&Item> {
        let (offset, _) = self.ids.get(&id)?;
        self.log.get(offset)
    }

    pub(super) fn target(&self, id: EventId) -> Option<TargetFacts> {
        let item = self.item(id)?;
        Some(TargetFacts {
            id,
            kind: item.entry.kind.clone(),
            author: item.entry.from.id,
            hollow: item.hollow(),
        })
    }

    /// The ack of an event that stands, or stood, in the log.
    pub(super) fn ack(&self, id: EventId) -> Option<Verdict> {
        let (offset, reply) = self.ids.get(&id)?;
        Some(Verdict::Ack { id, epoch: self.head.epoch, offset: *offset, reply: reply.clone() })
    }

    /// Puts the event behind the last entry and applies its effect.
    pub(super) fn push(&mut self, append: &Append, data: Box<RawValue>, reply: &str) -> Entry {
        let offset = self.head.offset + 1;
        let mark = self.head.mark.next(offset, append.id);
        let role = match append.effect {
            Effect::Adds | Effect::Creates(_) => Role::Stands,
            Effect::Replaces(target) => Role::Replaces(self.replace(target, offset)),
            Effect::Removes(target) => {
                self.remove(target, &append.author, offset);
                Role::Removes
            }
        };
        let entry = Entry {
            offset,
            mark,
            id: append.id,
            kind: append.kind.clone(),
            from: append.author.clone(),
            at: append.at,
            data: Some(data),
        };
        let item = Item { entry: entry.clone(), role, counts: append.counts, changed: 0 };
        self.log.insert(offset, item);
        self.ids.insert(append.id, (offset, reply.to_owned()));
        self.head.offset = offset;
        self.head.mark = mark;
        if let Some(Idempotency { key, caller, body_hash }) = &append.idempotency {
            let value = Key { body_hash: *body_hash, id: append.id, offset };
            self.keys.insert((*caller, key.clone()), value);
        }
        entry
    }

    /// Moves the target's version, and returns the entry whose content is replaced: the target, or
    /// what the target itself replaces.
    fn replace(&mut self, target: EventId, at: Offset) -> Option<Offset> {
        let item = self.item(target)?;
        let place = item.entry.offset;
        let root = match item.role {
            Role::Replaces(Some(root)) => root,
            _ => place,
        };
        for offset in [place, root] {
            if let Some(item) = self.log.get_mut(&offset) {
                item.changed = at;
            }
        }
        Some(root)
    }

    /// Empties the target and all that replaced it.
    fn remove(&mut self, target: EventId, by: &Author, at: Offset) {
        let Some(target) = self.item(target).map(|item| item.entry.offset) else {
            return;
        };
        for (offset, item) in &mut self.log {
            let concerned = *offset == target || item.role == Role::Replaces(Some(target));
            if concerned && !item.hollow() {
                item.empty(by, at);
            }
        }
    }

    pub(super) fn slice(&self, after: Offset, max_entries: u32, max_bytes: usize) -> Slice {
        let mut bytes = 0;
        let entries = self
            .log
            .iter()
            .filter(|(offset, _)| **offset > after)
            .take(max_entries as usize)
            .map(|(offset, item)| (*offset, codec::write_entry(&item.entry)))
            .take_while(|(_, text)| {
                let first = bytes == 0;
                bytes += text.len();
                first || bytes <= max_bytes
            });
        Slice {
            head: self.head,
            entries: entries.collect(),
            trimmed_mark: (after.saturating_add(1) < self.head.first).then_some(self.trimmed_mark),
        }
    }

    pub(super) fn page(
        &self,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Folds {
        let first = self.head.first;
        let to = before
            .map_or(self.head.offset, |before| before.saturating_sub(1).min(self.head.offset));
        let (mut page, mut from) = (Filling::new(limit, max_bytes), first);
        let stands = |item: &&Item| item.entry.offset <= to && item.role == Role::Stands;
        for item in self.log.values().rev().filter(stands) {
            let change = self.change(item.entry.offset);
            if !page.put(Folded { entry: item.entry.clone(), change }) {
                from = page.items.last().map_or(first, |last| last.entry.offset);
                break;
            }
        }
        let skipped = since.map_or(0, |since| {
            let between = |offset: Offset| offset > since && offset < from;
            let counted =
                |item: &&Item| item.counts && !item.hollow() && between(item.entry.offset);
            self.log.values().filter(counted).count() as u64
        });
        Folds { head: self.head, from, to, skipped, items: page.items() }
    }

    /// The newest content of the entry at `offset`, where it has a newer one.
    fn change(&self, offset: Offset) -> Option<Entry> {
        let mut newest = self.log.values().rev();
        let change =
            newest.find(|item| item.role == Role::Replaces(Some(offset)) && !item.hollow());
        change.map(|item| item.entry.clone())
    }

    pub(super) fn find(&self, ids: &[EventId]) -> Vec<(EventId, Offset)> {
        let found = |id: &EventId| self.ids.get(id).map(|(offset, _)| (*id, *offset));
        ids.iter().filter_map(found).collect()
    }

    pub(super) fn trim(&mut self, first: Offset) -> Trimmed {
        let first = first.min(self.head.offset + 1);
        if first > self.head.first {
            if let Some(last) = self.log.get(&(first - 1)) {
                self.trimmed_mark = last.entry.mark;
            }
            self.log = self.log.split_off(&first);
            self.keys.retain(|_, key| key.offset >= first);
            self.head.first = first;
        }
        Trimmed { first: self.head.first }
    }

    /// What the log says about a cursor: its mark there, and when the next entry was taken.
    pub(super) fn at(&self, cursor: &Cursor) -> (Option<Mark>, Option<Timestamp>) {
        if cursor.epoch != self.head.epoch {
            return (None, None);
        }
        let next = cursor.offset.saturating_add(1).max(self.head.first);
        let missed = self.log.get(&next).map(|item| item.entry.at);
        let mark = if cursor.offset == 0 {
            Some(Mark::START)
        } else if cursor.offset == self.head.first - 1 {
            Some(self.trimmed_mark)
        } else {
            self.log.get(&cursor.offset).map(|item| item.entry.mark)
        };
        (mark, missed)
    }
}
