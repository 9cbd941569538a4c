//! The room on the page, and which part of its log is rendered.

use super::{RowHandle, View, place::Wanted, put};
use crate::store::{Step, Timeline, Window};
use holdfast_common::{cursor::Offset, frame::Author, id::RoomId};
use leptos::prelude::*;

/// The room on the page.
#[derive(Debug, Clone, Copy)]
pub struct Open {
    /// Which one it is.
    pub room: RwSignal<Option<RoomId>>,
    /// Whether one can write in it.
    pub writable: RwSignal<bool>,
    /// The rows on the page.
    pub rows: RwSignal<Vec<RowHandle>>,
    /// Counts up with every change of `rows`, or of what one of them says.
    pub changes: RwSignal<u64>,
    /// Whether the newest events are not among the rows.
    pub behind: RwSignal<bool>,
    /// How many unread events there are in it.
    pub unread: RwSignal<u64>,
    /// A page of history is on its way.
    pub asking: RwSignal<bool>,
    /// Who is in it.
    pub here: RwSignal<Vec<Author>>,
    /// Too many are in it to be listed.
    pub crowded: RwSignal<bool>,
    /// Who is writing there.
    pub writing: RwSignal<Vec<String>>,
    /// The newest event is on the screen and somebody looks at it: nothing is unread.
    pub seen: RwSignal<bool>,
    /// The first place that was missed while the reader was away.
    pub missed: RwSignal<Option<Offset>>,
    /// The place that an address named and that is on the page: the row to go to.
    pub found: RwSignal<Option<Offset>>,
    /// Counts up with every wish to be at the newest event, wherever the reader is.
    pub ends: RwSignal<u64>,
    pub(super) window: StoredValue<Window>,
    /// The place that an address named and that is to be gone to, and whether it was asked for.
    pub(super) wanted: StoredValue<Option<Wanted>>,
    /// The hole that was asked for last.
    pub(super) filling: StoredValue<Option<(Offset, Offset)>>,
    /// The newest event is being looked at.
    pub(super) reading: StoredValue<bool>,
}

impl Open {
    pub(super) fn new() -> Self {
        Self {
            room: RwSignal::new(None),
            writable: RwSignal::new(false),
            rows: RwSignal::new(Vec::new()),
            changes: RwSignal::new(0),
            behind: RwSignal::new(false),
            unread: RwSignal::new(0),
            asking: RwSignal::new(false),
            here: RwSignal::new(Vec::new()),
            crowded: RwSignal::new(false),
            writing: RwSignal::new(Vec::new()),
            seen: RwSignal::new(false),
            missed: RwSignal::new(None),
            found: RwSignal::new(None),
            ends: RwSignal::new(0),
            window: StoredValue::new(Window::newest()),
            wanted: StoredValue::new(None),
            filling: StoredValue::new(None),
            reading: StoredValue::new(false),
        }
    }
}

impl View {
    /// Puts a room on the page, at its newest events or at a place.
    pub fn open(self, room: Option<RoomId>, at: Option<Offset>) {
        if self.open.room.get_untracked() != room {
            let homeless = self.homeless_draft();
            self.close_draft();
            self.put_edit_aside();
            self.open.window.set_value(Window::newest());
            self.open.rows.set(Vec::new());
            self.open.room.set(room);
            self.open_draft(room);
            self.house_draft(homeless);
            self.take_edit_up(room);
        }
        self.open.found.set(None);
        let wanted = at.map(|offset| Wanted { offset, asked: None });
        self.open.wanted.set_value(wanted);
        if let Some(room) = room {
            self.show_presence(room);
            self.show_rows(room);
        }
    }

    /// Goes to a place in the open room.
    pub fn go_to(self, offset: Offset) {
        self.open(self.open.room.get_untracked(), Some(offset));
    }

    /// Brings the reader to the newest event from wherever they are.
    pub fn go_to_newest(self) {
        self.open.wanted.set_value(None);
        self.to_newest();
        self.open.ends.update(|ends| *ends += 1);
    }

    /// Has the newest events on the page.
    pub fn to_newest(self) {
        self.open.window.set_value(Window::newest());
        self.show_open();
    }

    /// Takes older events onto the page; `false` where there are none at hand.
    pub fn up(self) -> bool {
        self.step(Window::up)
    }

    /// Takes newer events onto the page.
    pub fn down(self) -> bool {
        self.step(Window::down)
    }

    /// Whether the reader is at the newest events: then older ones leave as newer ones come;
    /// otherwise what is on the page stays.
    pub fn stick(self, at_newest: bool) {
        let window = self.open.window;
        if at_newest {
            window.update_value(|window| {
                if window.hi.is_none() {
                    *window = Window::newest();
                }
            });
        } else if let Some(room) = self.open.room.get_untracked() {
            self.store.with_value(|store| {
                if let Some(room) = store.rooms.get(room) {
                    window.update_value(|window| window.pin(&room.timeline));
                }
            });
        }
    }

    fn step(self, step: impl FnOnce(&mut Window, &Timeline) -> Step) -> bool {
        let Some(room) = self.open.room.get_untracked() else {
            return false;
        };
        let moved = self.store.with_value(|store| {
            let room = store.rooms.get(room)?;
            let mut window = self.open.window.get_value();
            let moved = step(&mut window, &room.timeline) == Step::Moved;
            self.open.window.set_value(window);
            Some(moved)
        });
        let moved = moved.unwrap_or(false);
        if moved {
            self.show_rows(room);
        }
        moved
    }

    fn show_open(self) {
        if let Some(room) = self.open.room.get_untracked() {
            self.show_rows(room);
        }
    }

    pub(super) fn show_presence(self, room: RoomId) {
        let (here, crowded, writing) = self.store.with_value(|store| {
            let presence = store.presence(room);
            presence.map_or_else(Default::default, |presence| {
                (presence.here().to_vec(), presence.crowded(), presence.writing())
            })
        });
        put(self.open.here, here);
        put(self.open.crowded, crowded);
        put(self.open.writing, writing);
    }
}
