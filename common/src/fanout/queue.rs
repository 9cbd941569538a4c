//! What waits for one connection: items within a bound, and notes of what found no room.

use super::{Fanout, Item, Note};
use crate::{
    id::RoomId,
    planted::{Planted, planted},
};
use std::collections::{BTreeSet, VecDeque};

/// What a queue holds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound<B> {
    items: usize,
    bytes: usize,
    weigh: fn(&B) -> usize,
}

impl<B> Bound<B> {
    pub(super) fn of(items: usize) -> Self {
        Self { items, bytes: usize::MAX, weigh: |_| 0 }
    }
}

impl<B> Fanout<B> {
    /// Bounds the bytes that wait for one connection too, by what `weigh` says of a frame: so many of
    /// the largest events are far more than as many of the usual ones. One goes whatever its size.
    #[must_use]
    pub fn weighing(mut self, bytes: usize, weigh: fn(&B) -> usize) -> Self {
        self.bound = Bound { bytes, weigh, ..self.bound };
        self
    }
}

#[derive(Debug)]
pub(super) struct Queue<B> {
    items: VecDeque<Item<B>>,
    /// Of all frames in it.
    bytes: usize,
    notes: BTreeSet<Note>,
}

/// What became of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put {
    /// It waits.
    Waits,
    /// It was dropped, and a note stands for it.
    Noted,
    /// It was dropped.
    Dropped,
}

impl<B> Default for Queue<B> {
    fn default() -> Self {
        Self { items: VecDeque::new(), bytes: 0, notes: BTreeSet::new() }
    }
}

impl<B> Queue<B> {
    /// `note` is what stands for the item where it is dropped. While it stands, the next ones are
    /// dropped too: what is told anew has them in it.
    pub(super) fn put(&mut self, bound: &Bound<B>, item: Item<B>, note: Option<Note>) -> Put {
        let (most, most_bytes) = match &item {
            Item::Live { .. } | Item::Head { .. } => (bound.items, bound.bytes),
            Item::Pass(_) => (bound.items / 2, bound.bytes / 2),
            // Rights and takeovers must arrive: they find room always, and the newest is enough. Of
            // answers there are no more than requests may be open.
            _ => (usize::MAX, usize::MAX),
        };
        let weight = match &item {
            Item::Live { bytes, .. } | Item::Pass(bytes) => (bound.weigh)(bytes),
            _ => 0,
        };
        let fits = self.bytes == 0 || self.bytes.saturating_add(weight) <= most_bytes;
        if self.replace(&item) {
            // The one before told of the room as well.
            self.notes.insert(Note::Directory);
        }
        let noted = note.is_some_and(|note| self.notes.contains(&note));
        if !noted && fits && self.items.len() < most {
            self.bytes = self.bytes.saturating_add(weight);
            self.items.push_back(item);
            return Put::Waits;
        }
        let Some(note) = note.filter(|_| !planted(Planted::NoNote)) else {
            return Put::Dropped;
        };
        self.notes.insert(note);
        Put::Noted
    }

    /// Has something told anew of which nothing waits here.
    pub(super) fn note(&mut self, note: Note) {
        self.notes.insert(note);
    }

    /// Takes out what `item` stands for as well. Returns whether a room was told of by it that
    /// `item` does not tell of.
    fn replace(&mut self, item: &Item<B>) -> bool {
        let room = item.membership();
        if room.is_none() && !matches!(item, Item::TakenOver) {
            return false;
        }
        let mut told = false;
        self.items.retain(|old| {
            let same = match old {
                Item::TakenOver => room.is_none(),
                old => room.is_some() && old.membership() == room,
            };
            told |= same && matches!(old, Item::Member(_));
            !same
        });
        told && matches!(item, Item::NotMember(_))
    }

    /// What waits; [`Item::Note`] comes last.
    pub(super) fn take(&mut self) -> Vec<Item<B>> {
        let notes = std::mem::take(&mut self.notes);
        self.bytes = 0;
        let items = std::mem::take(&mut self.items);
        items.into_iter().chain(notes.into_iter().map(Item::Note)).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.notes.is_empty()
    }

    /// Forgets the notes about a room.
    pub(super) fn forget(&mut self, room: RoomId) {
        self.notes.retain(|note| note.room() != Some(room));
    }
}
