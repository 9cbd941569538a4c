//! Texts that were begun and not sent, one for each room. They outlive the page; changes that were
//! begun outlive the visit to the room.

use super::{Editing, View, last_draft};
use crate::browser;
use crate::store::{Body, Room, Store};
use holdfast_common::{
    id::{EventId, RoomId},
    sorted::Sorted,
    time::{Instant, Millis},
};
use leptos::prelude::*;
use std::time::Duration;

/// A text is kept once its writer pauses for so long.
const PAUSE: Duration = Duration::from_millis(400);

/// So long after the last character its text is surely in the database. What a tab holds that nobody
/// has typed in since then may be older than another tab's.
const FRESH: Millis = Millis(5_000);

/// The drafts.
#[derive(Debug, Clone, Copy)]
pub struct Drafts {
    /// The open room's, as it stands in the composer.
    pub text: RwSignal<String>,
    /// The new text of the event that is being edited, as it stands there.
    pub edit: RwSignal<String>,
    /// Changes that were begun in rooms which are not on the page.
    edits: StoredValue<Sorted<RoomId, (Editing, String)>>,
    kept: StoredValue<Sorted<RoomId, String>>,
    saving: StoredValue<bool>,
    /// When somebody has typed in the open room's text, unless it was sent.
    typed: StoredValue<Option<Instant>>,
}

impl Drafts {
    pub(super) fn new() -> Self {
        Self {
            text: RwSignal::new(String::new()),
            edit: RwSignal::new(String::new()),
            edits: StoredValue::new(Sorted::default()),
            kept: StoredValue::new(Sorted::default()),
            saving: StoredValue::new(false),
            typed: StoredValue::new(None),
        }
    }
}

impl View {
    /// The open room's text is another one now.
    pub fn draft(self, text: String) {
        self.drafts.text.set(text);
        self.drafts.typed.set_value(Some(browser::now().steady));
        if !self.drafts.saving.get_value() {
            self.drafts.saving.set_value(true);
            let save = move || {
                self.drafts.saving.set_value(false);
                self.close_draft();
            };
            set_timeout(save, PAUSE);
        }
    }

    /// Keeps the open room's text now.
    pub fn close_draft(self) {
        if let Some(room) = self.open.room.get_untracked() {
            let text = self.drafts.text.get_untracked();
            self.keep_draft(room, text);
        }
    }

    /// Keeps the open room's text as the page ends.
    pub fn leave_draft(self) {
        self.close_draft();
        let typed = self.drafts.typed.get_value();
        let fresh = typed.is_some_and(|at| browser::now().steady < at + FRESH);
        if let Some(room) = self.open.room.get_untracked().filter(|_| fresh) {
            self.drafts.text.with_untracked(|text| last_draft::leave(room, text));
        }
    }

    pub(super) fn keep_draft(self, room: RoomId, text: String) {
        let kept = self.drafts.kept;
        let known = kept.with_value(|kept| kept.get(room).cloned().unwrap_or_default());
        if known != text {
            kept.update_value(|kept| {
                kept.insert(room, text.clone());
            });
            last_draft::forget(room);
            self.with_link(|link| link.save_draft(room, text));
        }
    }

    /// The room's draft is on its way into the outbox, and the database forgets it with that.
    pub(super) fn draft_became_event(self, room: RoomId) {
        self.drafts.kept.update_value(|kept| {
            kept.remove(room);
        });
        self.drafts.text.set(String::new());
        self.drafts.typed.set_value(None);
        last_draft::forget(room);
    }

    pub(super) fn kept_draft(self, room: RoomId) -> String {
        let kept = self.drafts.kept;
        kept.with_value(|kept| kept.get(room).cloned().unwrap_or_default())
    }

    pub(super) fn open_draft(self, room: Option<RoomId>) {
        let text = room.map(|room| self.kept_draft(room));
        self.drafts.text.set(text.unwrap_or_default());
        self.drafts.typed.set_value(None);
    }

    /// What is being written in a room that is gone: nobody comes back to it there.
    pub(super) fn homeless_draft(self) -> Option<String> {
        let room = self.open.room.get_untracked()?;
        let room_gone = |store: &Store| store.rooms.get(room).is_some_and(Room::gone);
        let gone = self.store.with_value(room_gone);
        gone.then(|| self.drafts.text.get_untracked()).filter(|text| !text.is_empty())
    }

    /// Its writer goes on with it in the room that is open now, unless something stands there.
    pub(super) fn house_draft(self, homeless: Option<String>) {
        if let Some(text) = homeless
            && self.open.room.with_untracked(Option::is_some)
            && self.drafts.text.with_untracked(String::is_empty)
        {
            self.draft(text);
        }
    }

    pub(super) fn load_drafts(self) {
        let drafts = self.store.with_value(|store| store.drafts.iter().cloned().collect());
        self.drafts.kept.set_value(drafts);
        if let Some((room, text)) = last_draft::take() {
            self.keep_draft(room, text);
        }
        // What is being written now is newer than what was kept.
        if self.drafts.text.with_untracked(String::is_empty) {
            self.open_draft(self.open.room.get_untracked());
        }
    }
}

impl View {
    /// The open room is about to go: a change that was begun there is kept.
    pub(super) fn put_edit_aside(self) {
        let editing = self.editing.get_untracked();
        if let (Some(editing), Some(room)) = (editing, self.open.room.get_untracked()) {
            let text = self.drafts.edit.get_untracked();
            self.drafts.edits.update_value(|edits| {
                edits.insert(room, (editing, text));
            });
        }
    }

    /// Goes on with a change that was begun, unless its event is gone by now.
    pub(super) fn take_edit_up(self, room: Option<RoomId>) {
        let edits = self.drafts.edits;
        let begun = room.and_then(|room| {
            let kept = edits.try_update_value(|edits| edits.remove(room)).flatten();
            let there = |id| self.store.with_value(|store| can_be_edited(store, room, id));
            kept.filter(|(editing, _)| there(editing.id))
        });
        let (editing, text) = begun.unzip();
        self.drafts.edit.set(text.unwrap_or_default());
        self.editing.set(editing);
    }
}

fn can_be_edited(store: &Store, room: RoomId, id: EventId) -> bool {
    let item = store.rooms.get(room).and_then(|room| room.timeline.find(id));
    // What is not in the log is in the outbox, if it is anywhere.
    item.map_or(store.outbox.find(id).is_some(), |item| matches!(item.body, Body::Text(_)))
}
