//! One connection, as the machine has it.

use super::{Key, Run, queue::Queue};
use crate::{
    frame::Author,
    id::{PersonId, RoomId},
};
use std::collections::BTreeSet;

#[derive(Debug)]
pub(super) struct Connection<B> {
    pub(super) turn: u64,
    /// Whose it says it is.
    pub(super) whose: Option<PersonId>,
    /// Whose it is, once greeted.
    pub(super) person: Option<Author>,
    pub(super) run: Option<Run>,
    pub(super) rooms: BTreeSet<RoomId>,
    /// The list of rooms is being read for it.
    pub(super) lists: bool,
    pub(super) queue: Queue<B>,
    /// Woken, and has not come for its items since.
    pub(super) woken: bool,
}

impl<B> Connection<B> {
    /// Whom to wake, unless it was woken already.
    pub(super) fn wake(&mut self, place: usize) -> Option<Key> {
        let woken = std::mem::replace(&mut self.woken, true);
        (!woken).then_some(Key { place, turn: self.turn })
    }
}
