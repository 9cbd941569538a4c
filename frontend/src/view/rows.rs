//! The rows of the room on the page, each with a signal of its own.

use super::{View, put};
use crate::{
    browser,
    store::{EntryRow, HoleRow, Row, RowKey},
};
use holdfast_common::{
    id::{EventId, RoomId},
    sorted::Sorted,
    time::Timestamp,
};
use leptos::prelude::*;

/// A row with the signal of what it says.
#[derive(Debug, Clone)]
pub enum RowHandle {
    /// A day begins.
    Day(Timestamp, EventId),
    /// What follows was missed.
    Missed,
    /// A part of the log that is not held.
    Hole(RowKey, ArcRwSignal<HoleRow>),
    /// An event.
    Entry(RowKey, ArcRwSignal<EntryRow>),
}

impl RowHandle {
    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> RowKey {
        match self {
            Self::Day(_, id) => RowKey::Day(*id),
            Self::Missed => RowKey::Missed,
            Self::Hole(key, _) | Self::Entry(key, _) => *key,
        }
    }

    fn new(row: Row) -> Self {
        let key = row.key();
        match row {
            Row::Day(at, id) => Self::Day(at, id),
            Row::Missed => Self::Missed,
            Row::Hole(hole) => Self::Hole(key, ArcRwSignal::new(hole)),
            Row::Entry(entry) => Self::Entry(key, ArcRwSignal::new(entry)),
        }
    }

    /// Says what the row says now; `false` if it is another kind of row.
    fn take(&self, row: &Row) -> bool {
        match (self, row) {
            (Self::Hole(_, signal), Row::Hole(hole)) => set(signal, hole),
            (Self::Entry(_, signal), Row::Entry(entry)) => set(signal, entry),
            _ => false,
        }
    }
}

fn set<T: PartialEq + Clone + Send + Sync + 'static>(signal: &ArcRwSignal<T>, value: &T) -> bool {
    if signal.with_untracked(|known| known != value) {
        signal.set(value.clone());
    }
    true
}

impl View {
    /// A window whose reader looks back does not grow beyond its size.
    fn pin(self, room: RoomId) {
        self.store.with_value(|store| {
            if let Some(room) = store.rooms.get(room) {
                self.open.window.update_value(|window| {
                    if window.lo.is_some() {
                        window.pin(&room.timeline);
                    }
                });
            }
        });
    }

    /// Shows the rows as they are now. Rows that stay keep their signals, and so their elements.
    pub(super) fn show_rows(self, room: RoomId) {
        self.go_to_wanted(room);
        self.pin(room);
        let window = self.open.window.get_value();
        let rows = self.store.with_value(|store| {
            let state = store.rooms.get(room);
            put(self.open.unread, state.map_or(0, |room| room.unread));
            put(self.open.missed, state.and_then(|room| room.missed));
            put(self.open.asking, state.is_some_and(|room| room.asking));
            store.rows(room, &window, &browser::day_of)
        });
        put(self.open.behind, window.hi.is_some());
        let known = self.open.rows.with_untracked(|handles| {
            let pairs = handles.iter().map(|handle| (handle.key(), handle.clone()));
            pairs.collect::<Sorted<RowKey, RowHandle>>()
        });
        let kept = |row: &Row| known.get(row.key()).filter(|handle| handle.take(row)).cloned();
        let handles: Vec<RowHandle> =
            rows.into_iter().map(|row| kept(&row).unwrap_or_else(|| RowHandle::new(row))).collect();
        let same = self.open.rows.with_untracked(|known| {
            known.len() == handles.len()
                && known.iter().zip(&handles).all(|(a, b)| a.key() == b.key())
        });
        if !same {
            self.open.rows.set(handles);
        }
        self.open.changes.update(|changes| *changes += 1);
    }
}
