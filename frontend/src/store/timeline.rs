//! One room's log as far as it is held, folded: edits replace, deletions hollow.
//!
//! Applying anything twice changes nothing, and so does the order in which a history page and
//! later changes come: each item knows the place of the newest change in it.

use super::{
    holes::Holes,
    item::{Body, Change, Item, Read, read},
};
use crate::link::{Hole, HoleKind};
use holdfast_common::{
    cursor::Offset,
    frame::{Entry, Folded},
    id::{EventId, PersonId},
    sorted::Sorted,
};
use std::{ops::RangeBounds, sync::Arc};

/// The fold of one room's log.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    items: Sorted<Offset, Arc<Item>>,
    places: Sorted<EventId, Offset>,
    /// The newest change of each event that was changed, for targets that come later.
    changes: Sorted<EventId, Change>,
    /// What is not held.
    pub(super) holes: Holes,
}

impl Timeline {
    pub(super) fn load(items: Vec<Folded>, holes: Vec<Hole>) -> Self {
        let mut timeline = Self { holes: Holes::load(holes), ..Self::default() };
        // What is older was given up here, for room or for its age, and can be had as history.
        if let Some(first) = items.first().map(|item| item.entry.offset) {
            let from = timeline.holes.end_below(first) + 1;
            timeline.dig(from, first.saturating_sub(1), 0, HoleKind::Skipped);
        }
        for item in items {
            timeline.folded(item, false);
        }
        timeline.name_hollows();
        timeline
    }

    /// Takes an entry that came by replay or live.
    pub(super) fn entry(&mut self, entry: Entry) {
        match read(entry) {
            Read::Stands(item) => {
                self.insert(item);
            }
            Read::Changes(target, change) => self.change(target, change),
        }
    }

    /// Takes a page: what it covers is held then.
    pub(super) fn page(&mut self, items: Vec<Folded>, from: Offset, to: Offset) {
        let mut counted = 0;
        for item in items {
            counted += u64::from(self.folded(item, true));
        }
        self.holes.fill(from, to, counted);
    }

    /// Forgets the items below an offset, and holes that could have been filled there. Returns how
    /// many there were that a person would count.
    pub(super) fn forget_below(&mut self, offset: Offset) -> u64 {
        let counted = self.range(..offset).filter(|item| item.counts()).count() as u64;
        let skipped = self.holes.skipped_above(0);
        self.items.retain(|at, _| *at >= offset);
        self.places.retain(|_, at| *at >= offset);
        self.holes.forget_below(offset);
        counted + skipped - self.holes.skipped_above(0)
    }

    /// Takes an entry with the change that is folded into it; says whether it is new and counts.
    fn folded(&mut self, folded: Folded, page: bool) -> bool {
        let Folded { entry, change } = folded;
        match read(entry) {
            Read::Stands(mut item) => {
                if let Some(Read::Changes(_, change)) = change.map(read) {
                    item.take(&change);
                }
                // A page folds edits into their targets: a hollow entry in it was a message.
                if page && let Body::Hollow { message, .. } = &mut item.body {
                    *message = true;
                }
                self.insert(item)
            }
            Read::Changes(target, change) => {
                self.change(target, change);
                false
            }
        }
    }

    fn insert(&mut self, mut item: Item) -> bool {
        if let Some(change) = self.changes.get(item.id) {
            item.take(change);
        }
        let known = self.items.get(item.offset);
        if known.is_some_and(|known| known.changed >= item.changed && !hollows(known, &item)) {
            return false;
        }
        let new = known.is_none() && item.counts();
        self.places.insert(item.id, item.offset);
        self.items.insert(item.offset, Arc::new(item));
        new
    }

    /// Tells emptied messages from emptied edits in what was held: an edit was emptied by a
    /// deletion behind it that names another event.
    fn name_hollows(&mut self) {
        let deletions: Vec<(Offset, PersonId)> =
            self.changes.values().filter_map(deletion).collect();
        for item in self.items.values_mut() {
            let Body::Hollow { by, message: false } = &item.body else {
                continue;
            };
            let edit =
                deletions.iter().any(|(offset, person)| *offset > item.offset && *person == by.id);
            if !edit {
                let by = Arc::clone(by);
                Arc::make_mut(item).body = Body::Hollow { by, message: true };
            }
        }
    }

    fn change(&mut self, target: EventId, change: Change) {
        if let Some(item) = self.places.get(target).and_then(|at| self.items.get_mut(at)) {
            Arc::make_mut(item).take(&change);
        }
        let newest = match (self.changes.get(target), &change) {
            (Some(Change::Gone { .. }), _) => false,
            (Some(Change::Text { offset: known, .. }), Change::Text { offset, .. }) => {
                offset > known
            }
            _ => true,
        };
        if newest {
            self.changes.insert(target, change);
        }
    }

    /// The items of these offsets, in order.
    pub fn range(
        &self,
        offsets: impl RangeBounds<Offset>,
    ) -> impl DoubleEndedIterator<Item = &Arc<Item>> {
        self.items.range(offsets)
    }

    /// An event's item.
    #[must_use]
    pub fn find(&self, id: EventId) -> Option<&Arc<Item>> {
        self.items.get(self.places.get(id)?)
    }

    /// Whether the event is in the log.
    #[must_use]
    pub fn has(&self, id: EventId) -> bool {
        self.places.get(id).is_some()
    }

    /// The last item's offset.
    #[must_use]
    pub fn last(&self) -> Option<Offset> {
        self.items.last().map(|item| item.offset)
    }

    /// What is not held.
    #[must_use]
    pub fn holes(&self) -> &Holes {
        &self.holes
    }

    pub(super) fn dig(&mut self, from: Offset, to: Offset, count: u64, kind: HoleKind) {
        self.holes.dig(Hole { from, to, count, kind });
    }
}

fn deletion(change: &Change) -> Option<(Offset, PersonId)> {
    match change {
        Change::Gone { offset, by } => Some((*offset, by.id)),
        Change::Text { .. } => None,
    }
}

/// Whether `new` is the same entry with its content removed, or tells more of what that was.
fn hollows(known: &Item, new: &Item) -> bool {
    let hollow = |item: &Item| matches!(item.body, Body::Hollow { .. });
    hollow(new) && (!hollow(known) || (new.shown() && !known.shown()))
}
