//! Entries as a reader sees them: what stands for itself, and what changes something earlier.

use holdfast_common::{
    chat::{Chat, Event, Message},
    cursor::Offset,
    event::{EventType, Namespace},
    frame::{Author, Entry, HOLLOW},
    id::EventId,
    time::Timestamp,
};
use std::sync::Arc;

/// An entry of a room's log with everything that later ones made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its place in the log.
    pub offset: Offset,
    /// The event.
    pub id: EventId,
    /// Who wrote it.
    pub author: Arc<Author>,
    /// When the server took it.
    pub at: Timestamp,
    /// What it says now.
    pub body: Body,
    /// Whether its text was replaced.
    pub edited: bool,
    /// The place of the newest change in it; its own where there is none. Only what stands above
    /// it is a change that is not in it yet.
    pub changed: Offset,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// A text.
    Text(Arc<str>),
    /// The room's beginning, with the wished name.
    Created(Arc<str>),
    /// The content was removed.
    Hollow {
        /// By whom.
        by: Arc<Author>,
        /// Whether it is known that a message stood here. An emptied edit is hollow as well and
        /// has no row of its own; only the deletion behind it tells them apart.
        message: bool,
    },
    /// One's own edit that has no row to be shown in, or was refused.
    Edit(Arc<str>),
    /// The same of a deletion.
    Deletion,
    /// An event of a type, or a form, that this page does not know.
    Unknown {
        /// The type.
        kind: Arc<str>,
        /// The payload as it came.
        data: Arc<str>,
    },
}

impl Item {
    /// Whether a person would count it among what is new.
    #[must_use]
    pub fn counts(&self) -> bool {
        matches!(self.body, Body::Text(_))
    }

    /// Whether it has a row of its own.
    #[must_use]
    pub fn shown(&self) -> bool {
        !matches!(self.body, Body::Hollow { message: false, .. })
    }

    /// Takes a change in, if it is newer than what is there. A removed content stays removed.
    pub(super) fn take(&mut self, change: &Change) {
        match change {
            Change::Gone { offset, by } => {
                self.body = Body::Hollow { by: Arc::clone(by), message: true };
                self.edited = false;
                self.changed = self.changed.max(*offset);
            }
            Change::Text { offset, text } => {
                if *offset > self.changed && matches!(self.body, Body::Text(_)) {
                    self.body = Body::Text(Arc::clone(text));
                    self.edited = true;
                    self.changed = *offset;
                }
            }
        }
    }
}

/// What a later entry does to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// A new text.
    Text { offset: Offset, text: Arc<str> },
    /// The content is removed.
    Gone { offset: Offset, by: Arc<Author> },
}

/// An entry that was read.
#[derive(Debug)]
pub(super) enum Read {
    /// It stands for itself.
    Stands(Item),
    /// It changes this event.
    Changes(EventId, Change),
}

/// Reads an entry of the log. Every type that the page does not know stands for itself.
pub(super) fn read(entry: Entry) -> Read {
    let author = Arc::new(entry.from);
    let data = entry.data.as_ref().map_or("", |data| data.get());
    let body = if entry.kind == HOLLOW {
        Body::Hollow { by: Arc::clone(&author), message: false }
    } else {
        match Chat::read(&entry.kind, data) {
            Some(Ok(Event::Message(message))) => Body::Text(message.text.into()),
            Some(Ok(Event::RoomCreated(room))) => Body::Created(room.name.into()),
            Some(Ok(Event::Edit(edit))) => {
                let (offset, text) = (entry.offset, edit.text.into());
                return Read::Changes(edit.target, Change::Text { offset, text });
            }
            Some(Ok(Event::Delete(delete))) => {
                let (offset, by) = (entry.offset, author);
                return Read::Changes(delete.target, Change::Gone { offset, by });
            }
            // Whatever it is, it may say in a text what it is.
            Some(Err(_)) | None => match Chat::read(Message::NAME, data) {
                Some(Ok(Event::Message(message))) => Body::Text(message.text.into()),
                _ => Body::Unknown { kind: entry.kind.into(), data: data.into() },
            },
        }
    };
    Read::Stands(Item {
        offset: entry.offset,
        id: entry.id,
        author,
        at: entry.at,
        body,
        edited: false,
        changed: entry.offset,
    })
}
