//! Going to a place of a log, and having what is missing there sent.

use super::View;
use crate::{
    link::HoleKind,
    store::{HoleRow, Store, Trouble, Window},
};
use holdfast_common::{client::Command, cursor::Offset, id::RoomId};
use leptos::prelude::*;

/// Entries that are asked for behind a place, so that it is not the last one of its page.
const BEHIND: u64 = 40;

/// A place that an address named.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// The place.
    pub(super) offset: Offset,
    /// It was missing, and entries below this offset have been asked for. A page may end above the
    /// place, and the next one goes on from there; one that brings nothing says that it cannot be had.
    pub(super) asked: Option<Offset>,
}

/// What is at a wanted place.
enum Place {
    /// An item that can be shown.
    Held(Offset),
    /// A hole; entries below this offset are to be asked for.
    Hole(Offset),
    /// Nothing yet.
    Unknown,
    /// The log has no such place.
    Nowhere,
}

impl View {
    /// Asks for a page of a hole: its end, or its beginning for a reader who comes from there.
    /// By scrolling (`by_hand` is false) the same hole is not asked for twice in a row.
    pub fn fill(self, row: &HoleRow, from_above: bool, by_hand: bool) {
        let hole = (row.hole.from, row.hole.to);
        let again = self.open.filling.get_value() == Some(hole);
        if row.hole.kind != HoleKind::Skipped || (again && !by_hand) {
            return;
        }
        let page = self.limits.with_untracked(|limits| u64::from(limits.page));
        let end = row.hole.to + 1;
        let before = if from_above { end.min(row.hole.from + page) } else { end };
        if let Some(room) = self.open.room.get_untracked()
            && self.ask(room, before)
        {
            self.open.filling.set_value(Some(hole));
            self.show_rows(room);
        }
    }

    fn ask(self, room: RoomId, before: Offset) -> bool {
        let free = self.store.try_update_value(|store| store.ask(room));
        if free != Some(true) {
            return false;
        }
        let limit = self.limits.with_untracked(|limits| limits.page);
        let before = Some(before);
        self.with_link(|link| link.command(Command::History { room, before, limit }));
        true
    }

    /// Moves the window to the place that an address named, or asks for what is missing there.
    pub(super) fn go_to_wanted(self, room: RoomId) {
        let Some(wanted) = self.open.wanted.get_value() else {
            return;
        };
        let place = self.store.with_value(|store| place(store, room, wanted.offset));
        match place {
            Place::Held(offset) => {
                self.store.with_value(|store| {
                    if let Some(room) = store.rooms.get(room) {
                        let window = Window::around(&room.timeline, offset);
                        self.open.window.set_value(window);
                    }
                });
                self.open.wanted.set_value(None);
                self.open.found.set(Some(offset));
            }
            Place::Hole(before) if wanted.asked.is_some_and(|asked| asked <= before) => {
                let asking = |store: &Store| store.rooms.get(room).is_some_and(|room| room.asking);
                if !self.store.with_value(asking) {
                    self.open.wanted.set_value(None);
                }
            }
            Place::Hole(before) => {
                let asked = self.ask(room, before).then_some(before);
                self.open.wanted.set_value(Some(Wanted { asked, ..wanted }));
            }
            Place::Unknown => {}
            Place::Nowhere => {
                self.open.wanted.set_value(None);
                self.tell(Trouble::NoPlace(room, wanted.offset));
            }
        }
    }
}

fn place(store: &Store, id: RoomId, offset: Offset) -> Place {
    let room = store.rooms.get(id);
    let Some((room, cursor)) = room.and_then(|room| Some((room, room.cursor?))) else {
        return Place::Unknown;
    };
    if offset == 0 || store.ends_before(id, offset) {
        return Place::Nowhere;
    }
    if offset > cursor.offset {
        return Place::Unknown;
    }
    let timeline = &room.timeline;
    let hole = timeline.holes().around(offset);
    if let Some(hole) = hole.filter(|hole| hole.kind == HoleKind::Skipped) {
        return Place::Hole(hole.to.min(offset.saturating_add(BEHIND)) + 1);
    }
    // An edit has no row: the nearest one before it is shown, or else the first.
    let mut before = timeline.range(..=offset).rev();
    let item = before.find(|item| item.shown());
    let item = item.or_else(|| timeline.range(offset..).find(|item| item.shown()));
    item.map_or(Place::Unknown, |item| Place::Held(item.offset))
}
