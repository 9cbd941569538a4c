//! The outbox as its writer sees it.

use holdfast_common::{
    chat::{Chat, Event},
    client::{Key, Row, RowState},
    error::Code,
    event::Namespace,
    id::{EventId, RoomId},
    sorted::Sorted,
};
use std::sync::Arc;

/// Rows by their place in the outbox.
#[derive(Debug, Default)]
pub struct Outbox {
    rows: Sorted<Key, Arc<Row>>,
    keys: Sorted<EventId, Key>,
}

/// How far an event has come. Other people's are always acked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Never transmitted.
    Queued,
    /// Transmitted; no verdict yet.
    Sent,
    /// Durable at the server.
    Acked,
    /// Refused for good.
    Rejected(Refusal),
}

/// Why an event was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// The same for a person.
    pub detail: Arc<str>,
}

impl State {
    /// As in the page's `data-state`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Acked => "acked",
            Self::Rejected(_) => "rejected",
        }
    }
}

impl From<&RowState> for State {
    fn from(state: &RowState) -> Self {
        match state {
            RowState::Queued => Self::Queued,
            RowState::Sent { .. } | RowState::Unsure => Self::Sent,
            RowState::Acked { .. } => Self::Acked,
            RowState::Rejected { code, detail, .. } => {
                Self::Rejected(Refusal { code: *code, detail: detail.as_str().into() })
            }
        }
    }
}

/// What one's own, unconfirmed event does to an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// The event that does it.
    pub id: EventId,
    /// How far it has come.
    pub state: State,
    /// The new text; `None` for a deletion.
    pub text: Option<Arc<str>>,
}

impl Outbox {
    /// Returns the room that it is of.
    pub(super) fn put(&mut self, row: Row) -> RoomId {
        let room = row.event.room;
        self.keys.insert(row.event.id, row.key);
        self.rows.insert(row.key, Arc::new(row));
        room
    }

    pub(super) fn delete(&mut self, key: Key) -> Option<Arc<Row>> {
        let row = self.rows.remove(key)?;
        self.keys.remove(row.event.id);
        Some(row)
    }

    /// How many events have no verdict yet.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.rows.values().filter(|row| row.state.waits()).count()
    }

    /// How many events were refused and are on their writer's hands.
    #[must_use]
    pub fn rejected(&self, room: RoomId) -> usize {
        let rows = self.of(room);
        rows.filter(|row| matches!(row.state, RowState::Rejected { .. })).count()
    }

    /// An event's row.
    #[must_use]
    pub fn find(&self, id: EventId) -> Option<&Row> {
        self.rows.get(self.keys.get(id)?).map(|row| &**row)
    }

    /// A room's rows in the order in which they were written.
    pub fn of(&self, room: RoomId) -> impl DoubleEndedIterator<Item = &Row> {
        let rows = self.rows.values().map(|row| &**row);
        rows.filter(move |row| row.event.room == room)
    }

    /// All rows.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.values().map(|row| &**row)
    }

    /// What unconfirmed edits and deletions make of a room's events: for each target the newest.
    /// Refused ones make nothing of it.
    pub(super) fn pending(&self, room: RoomId) -> Sorted<EventId, Pending> {
        let rows = self.of(room).filter_map(change);
        let alive = rows.filter(|(_, pending)| !matches!(pending.state, State::Rejected(_)));
        alive.collect()
    }
}

/// Reads a row as a change to an earlier event.
pub(super) fn change(row: &Row) -> Option<(EventId, Pending)> {
    let (target, text) = match Chat::read(&row.event.kind, &row.event.data)?.ok()? {
        Event::Edit(edit) => (edit.target, Some(edit.text.into())),
        Event::Delete(delete) => (delete.target, None),
        Event::Message(_) | Event::RoomCreated(_) => return None,
    };
    let pending = Pending { id: row.event.id, state: State::from(&row.state), text };
    Some((target, pending))
}
