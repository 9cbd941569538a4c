//! What a person does: say, change, take back, try again, make and join rooms.

use super::View;
use crate::store::{Body, EntryRow, State};
use holdfast_common::{
    chat::{Delete, Edit, Message, RoomCreated, Typing},
    client::{Command, RowState},
    event::Durable,
    id::{EventId, RoomId},
    json,
    sorted::Sorted,
    time::{Instant, Millis},
};
use leptos::prelude::*;

/// A typing signal is repeated no more often.
const TYPING: Millis = Millis(3_000);

/// An event whose text is in the composer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editing {
    /// The event.
    pub id: EventId,
    /// Its text when it was taken up.
    pub text: String,
    /// It was refused: the new text is a new event, and the refused one goes.
    pub refused: bool,
}

/// Deeds whose success only a later update tells.
#[derive(Debug, Default)]
pub(super) struct Unsure {
    /// Texts on their way into the outbox: if one cannot be held, its writer gets it back.
    said: Sorted<EventId, (RoomId, String)>,
    /// Changes to events that were not transmitted when they were made.
    revised: Sorted<EventId, Revision>,
    /// Messages that were not transmitted when they were taken back.
    discarded: Sorted<EventId, RoomId>,
    typed: Option<Instant>,
}

#[derive(Debug, Clone)]
struct Revision {
    room: RoomId,
    /// The message that the text is for.
    target: EventId,
    text: String,
    /// The row's payload once it is revised.
    data: String,
}

impl View {
    /// Says who sits here.
    pub fn introduce(self, name: String) {
        self.with_link(|link| link.introduce(name));
    }

    /// Says a text in a room, or changes the event that is being edited.
    pub fn say(self, room: RoomId, text: String) {
        if let Some(editing) = self.editing.get_untracked() {
            self.editing.set(None);
            return self.change(room, &editing, text);
        }
        self.hold_draft(room, text);
        self.unsure.update_value(|unsure| unsure.typed = None);
        self.go_to_newest();
    }

    /// Makes an event of the room's draft. What is kept as the draft stays so until the transaction
    /// that adds the event is through. The text is kept now, should its end have been typed just
    /// before; a page that ends in the same moment may take that along, since a browser drops what
    /// waits behind a transaction that it takes back. A room has one draft, so of several texts that
    /// are sent within one such transaction the last is kept.
    fn hold_draft(self, room: RoomId, text: String) {
        self.keep_draft(room, text.clone());
        let message = Message { text: text.clone() };
        if let Some(id) = self.with_link(|link| link.emit_draft(room, &message)) {
            self.said(id, room, text);
            self.draft_became_event(room);
        }
    }

    fn said(self, id: EventId, room: RoomId, text: String) {
        self.unsure.update_value(|unsure| {
            unsure.said.insert(id, (room, text));
        });
    }

    fn emit_message(self, room: RoomId, text: String) {
        let message = Message { text: text.clone() };
        self.emit_text(room, &message, text);
    }

    fn emit_text(self, room: RoomId, event: &impl Durable, text: String) {
        if let Some(id) = self.with_link(|link| link.emit(room, event)) {
            self.said(id, room, text);
        }
    }

    fn change(self, room: RoomId, editing: &Editing, text: String) {
        if editing.refused {
            self.emit_message(room, text);
            self.discard(editing.id);
            return;
        }
        if text == editing.text {
            return;
        }
        let target = editing.id;
        let message = Message { text: text.clone() };
        let edit = Edit { target, text: text.clone() };
        if self.is_queued(target) {
            self.revise(target, &message, Revision::new(room, target, text, &message));
        } else if let Some(pending) = self.queued_edit(room, target) {
            self.revise(pending, &edit, Revision::new(room, target, text, &edit));
        } else {
            self.emit_text(room, &edit, text);
        }
    }

    fn revise(self, id: EventId, event: &impl Durable, what: Revision) {
        self.with_link(|link| link.revise(id, event));
        self.unsure.update_value(|unsure| {
            unsure.revised.insert(id, what);
        });
    }

    /// Takes an event back: what was never transmitted is dropped, the rest is deleted.
    pub fn take_back(self, room: RoomId, entry: &EntryRow) {
        match entry.state {
            State::Queued => {
                self.discard(entry.id);
                if matches!(entry.body, Body::Text(_)) {
                    self.unsure.update_value(|unsure| {
                        unsure.discarded.insert(entry.id, room);
                    });
                }
            }
            State::Rejected(_) => self.discard(entry.id),
            State::Sent | State::Acked => {
                let target = entry.id;
                self.with_link(|link| link.emit(room, &Delete { target }));
            }
        }
    }

    /// Drops an event that was never transmitted, or was refused.
    pub fn discard(self, id: EventId) {
        self.with_link(|link| link.discard(id));
    }

    /// Sends a refused event again.
    pub fn resend(self, id: EventId) {
        self.with_link(|link| link.resend(id));
    }

    /// Takes an event's text into the composer.
    pub fn edit(self, entry: &EntryRow) {
        if let Body::Text(text) = &entry.body {
            self.drafts.edit.set(text.to_string());
            self.editing.set(Some(Editing {
                id: entry.id,
                text: text.to_string(),
                refused: matches!(entry.state, State::Rejected(_)),
            }));
        }
    }

    /// Takes up the newest of one's own messages on the page that can be edited.
    pub fn edit_last(self) {
        let rows = self.open.rows.get_untracked();
        let last = rows.iter().rev().find_map(|row| match row {
            super::RowHandle::Entry(_, entry) => {
                let entry = entry.get_untracked();
                let text = matches!(entry.body, Body::Text(_));
                (entry.own && text).then_some(entry)
            }
            _ => None,
        });
        if let Some(entry) = last {
            self.edit(&entry);
        }
    }

    /// Somebody is writing here.
    pub fn typing(self, room: RoomId) {
        let now = crate::browser::now().steady;
        let due = self.unsure.with_value(|unsure| {
            let last = unsure.typed;
            last.is_none_or(|last| now - last >= TYPING)
        });
        if due {
            self.unsure.update_value(|unsure| unsure.typed = Some(now));
            self.with_link(|link| link.signal(room, &Typing {}));
        }
    }

    /// Makes a room.
    #[must_use]
    pub fn create_room(self, name: String) -> Option<RoomId> {
        self.with_link(|link| link.create_room(&RoomCreated { name }))
    }

    /// Becomes a member of a room.
    pub fn join(self, room: RoomId) {
        self.with_link(|link| link.command(Command::Join { room }));
    }

    /// Ends a membership.
    pub fn leave(self, room: RoomId) {
        self.with_link(|link| link.command(Command::Leave { room }));
    }

    /// Connects now.
    pub fn retry_now(self) {
        self.with_link(|link| link.command(Command::RetryNow));
    }

    fn is_queued(self, id: EventId) -> bool {
        self.store.with_value(|store| {
            let row = store.outbox.find(id);
            row.is_some_and(|row| row.state == RowState::Queued)
        })
    }

    /// An edit of the message that was never transmitted.
    fn queued_edit(self, room: RoomId, target: EventId) -> Option<EventId> {
        self.store.with_value(|store| {
            let mut rows = store.outbox.of(room);
            let edit = rows.find(|row| {
                row.event.target == Some(target)
                    && row.state == RowState::Queued
                    && json::read::<Edit>(&row.event.data).is_ok()
            });
            edit.map(|row| row.event.id)
        })
    }

    /// An event could not be held: its text, if it has one, goes back to its writer.
    pub(super) fn give_back(self, id: EventId) {
        let said = self.unsure.try_update_value(|unsure| unsure.said.remove(id));
        let Some((room, text)) = said.flatten() else {
            return;
        };
        if self.open.room.get_untracked() == Some(room) {
            let draft = self.drafts.text.get_untracked();
            self.draft(join(&text, &draft));
        } else {
            self.keep_draft(room, join(&text, &self.kept_draft(room)));
        }
        self.store.update_value(|store| store.given_back(id));
    }

    /// Forgets deeds that are known to have succeeded. A change to an event that had left in the
    /// meantime becomes an edit behind it, a discard a deletion.
    pub(super) fn settle_deeds(self) {
        if self.unsure.with_value(Unsure::is_settled) {
            return;
        }
        self.settle_discards();
        let late = self.store.with_value(|store| {
            let mut late = Vec::new();
            self.unsure.update_value(|unsure| {
                unsure.said.retain(|id, _| store.outbox.find(*id).is_none());
                unsure.revised.retain(|id, revision| {
                    let Some(row) = store.outbox.find(*id) else {
                        late.push(revision.clone());
                        return false;
                    };
                    if row.event.data == revision.data {
                        return false;
                    }
                    let waits = row.state == RowState::Queued;
                    if !waits {
                        late.push(revision.clone());
                    }
                    waits
                });
            });
            late
        });
        for Revision { room, target, text, .. } in late {
            let edit = Edit { target, text: text.clone() };
            self.emit_text(room, &edit, text);
        }
    }
}

impl View {
    fn settle_discards(self) {
        let late = self.store.with_value(|store| {
            let mut late = Vec::new();
            self.unsure.update_value(|unsure| {
                unsure.discarded.retain(|id, room| {
                    let left = match store.outbox.find(*id).map(|row| &row.state) {
                        Some(RowState::Queued | RowState::Unsure) => return true,
                        Some(RowState::Sent { .. } | RowState::Acked { .. }) => true,
                        // What is on the shelf has its own button.
                        Some(RowState::Rejected { .. }) => false,
                        None => store.rooms.get(*room).is_some_and(|room| room.timeline.has(*id)),
                    };
                    if left {
                        late.push((*id, *room));
                    }
                    false
                });
            });
            late
        });
        for (target, room) in late {
            self.with_link(|link| link.emit(room, &Delete { target }));
        }
    }
}

impl Unsure {
    fn is_settled(&self) -> bool {
        self.said.is_empty() && self.revised.is_empty() && self.discarded.is_empty()
    }
}

impl Revision {
    fn new(room: RoomId, target: EventId, text: String, event: &impl serde::Serialize) -> Self {
        Self { room, target, text, data: serde_json::to_string(event).unwrap_or_default() }
    }
}

/// What could not be held, in front of what was written since.
fn join(text: &str, draft: &str) -> String {
    if draft.is_empty() { text.to_owned() } else { format!("{text}\n{draft}") }
}
