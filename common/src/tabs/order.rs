//! Rows in the order in which they were added, whichever tab added them: what a person wrote in one
//! tab goes out before what they wrote behind it in another, even if the first tab's hint comes late
//! or never, since the tab was ended before it.
//!
//! The database numbers rows as it takes them, so a key that does not follow shows that there may be
//! a row in front of it that the leader does not know. Such a row waits until the outbox's keys were
//! read, and what is among them that is new.

use crate::{
    client::{Key, Row},
    planted::{Planted, planted},
    sorted::Sorted,
};

#[derive(Debug, Default)]
pub(super) struct Order {
    /// Every row up to this key is known, or is being fetched.
    looked: Key,
    waiting: Sorted<Key, Row>,
    /// The reads of the outbox's keys that are under way, each with the last key that waits for it.
    sweeps: Vec<Key>,
}

impl Order {
    /// All rows that there were are known; these are their keys.
    pub(super) fn from(keys: &[Key]) -> Self {
        Self { looked: keys.iter().copied().max().unwrap_or(0), ..Self::default() }
    }

    pub(super) fn wait(&mut self, rows: Vec<Row>) {
        for row in rows {
            self.waiting.insert(row.key, row);
        }
    }

    /// A read of the outbox's keys begins.
    pub(super) fn sweeps(&mut self) {
        let last = self.waiting.keys().next_back().copied();
        self.sweeps.push(last.unwrap_or(0));
    }

    /// It has brought these.
    pub(super) fn swept(&mut self, keys: &[Key]) {
        let waited = if self.sweeps.is_empty() { 0 } else { self.sweeps.remove(0) };
        let last = keys.iter().copied().max().unwrap_or(0);
        self.looked = self.looked.max(last).max(waited);
    }

    /// One has failed, and it is not known which: nothing waits for the others, which so say no more than
    /// they have seen.
    pub(super) fn not_swept(&mut self) {
        self.sweeps.pop();
        self.sweeps.fill(0);
    }

    /// The rows that have nothing unknown in front of them. `fetching` is the first key that is being
    /// fetched.
    pub(super) fn ready(&mut self, fetching: Option<Key>) -> Vec<Row> {
        let mut ready = Vec::new();
        while let Some((key, row)) = self.waiting.pop_first() {
            let free = fetching.is_none_or(|first| key < first);
            if free && (key <= self.looked + 1 || planted(Planted::KeysIgnored)) {
                self.looked = self.looked.max(key);
                ready.push(row);
            } else {
                self.waiting.insert(key, row);
                break;
            }
        }
        ready
    }

    /// Whether this row waits for what may be in front of it.
    pub(super) fn waits(&self, key: Key) -> bool {
        self.waiting.has(key)
    }

    /// Whether rows wait for a read of the outbox's keys that has not begun.
    pub(super) fn wants_sweep(&self) -> bool {
        let last = self.waiting.keys().next_back();
        last.is_some_and(|last| {
            *last > self.looked && self.sweeps.iter().all(|waited| waited < last)
        })
    }
}
