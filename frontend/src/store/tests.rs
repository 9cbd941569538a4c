//! The folds, told as facts. No browser is needed.

mod folding;
mod inbox;
mod naming;
mod outbox;
mod reading;
mod showing;

use super::*;
use crate::link::Loaded;
use holdfast_common::{
    chat::{Delete, Edit, Message},
    client::{Held, Key, RowState, Show, Write},
    cursor::{Cursor, Mark, Offset},
    event::Durable,
    frame::{Author, Entry, Folded, HOLLOW, Page, RoomInfo, Signalled},
    id::{Epoch, EventId},
};

const EPOCH: Epoch = Epoch::NIL;
const MINUTE: u64 = 60_000;
const DAY: u64 = 24 * 60 * MINUTE;

pub(super) fn event(n: u64) -> EventId {
    EventId::from_bytes(u128::from(n).to_be_bytes())
}

fn room() -> RoomId {
    RoomId::from_bytes([9; 16])
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn author(n: u8) -> Author {
    let name = ["", "Ada", "Grace", "Hedy"][usize::from(n)].to_owned();
    Author { id: person(n), name }
}

fn cursor(offset: Offset) -> Cursor {
    Cursor { epoch: EPOCH, offset, mark: Mark(offset) }
}

/// The entry at `offset`, by default with the event of the same number.
fn entry<E: Durable>(offset: Offset, from: u8, event_: &E) -> Entry {
    let data = serde_json::value::to_raw_value(event_).unwrap();
    Entry {
        offset,
        mark: Mark(offset),
        id: event(offset),
        kind: E::NAME.to_owned(),
        from: author(from),
        at: Timestamp(offset * MINUTE),
        data: Some(data),
    }
}

fn says(offset: Offset, from: u8, text: &str) -> Entry {
    entry(offset, from, &Message { text: text.into() })
}

fn edits(offset: Offset, from: u8, target: Offset, text: &str) -> Entry {
    let (target, text) = (event(target), text.to_owned());
    entry(offset, from, &Edit { target, text })
}

fn deletes(offset: Offset, from: u8, target: Offset) -> Entry {
    let target = event(target);
    entry(offset, from, &Delete { target })
}

fn hollow(offset: Offset, by: u8) -> Entry {
    Entry { kind: HOLLOW.to_owned(), data: None, ..says(offset, by, "") }
}

fn folded(entry: Entry, change: Option<Entry>) -> Folded {
    Folded { entry, change }
}

fn page(items: Vec<Folded>, from: Offset, to: Offset, as_of: Offset) -> Page {
    Page { req: Some(1), room: room(), as_of: cursor(as_of), from, to, first: 1, skipped: 0, items }
}

fn lobby(head: Offset) -> RoomInfo {
    let name = "lobby".to_owned();
    let head =
        holdfast_common::cursor::Head { epoch: EPOCH, offset: head, mark: Mark(head), first: 1 };
    let (ns, inbox) = ("chat".to_owned(), false);
    RoomInfo { room: room(), ns, name, head, joined: true, gone: false, inbox }
}

fn row<E: Durable>(key: Key, id: u64, event_: &E, state: RowState) -> OutboxRow {
    let event = Held::new(event(id), room(), Timestamp(key * MINUTE), event_);
    OutboxRow { key, event, state }
}

fn message(key: Key, id: u64, text: &str, state: RowState) -> OutboxRow {
    row(key, id, &Message { text: text.into() }, state)
}

/// A store as after the first visit: Ada sits there, the lobby is known, nothing is held.
struct Stage {
    store: Store,
    now: Now,
}

impl Stage {
    fn new() -> Self {
        Self::with(Loaded::default())
    }

    fn with(loaded: Loaded) -> Self {
        let mut stage = Self { store: Store::new(str::cmp), now: Now::default() };
        let principal = Principal { person: person(1), secret: "s".repeat(16), name: "Ada".into() };
        stage.apply(Update::Loaded(Loaded {
            principal: Some(principal),
            rooms: vec![lobby(0)],
            ..loaded
        }));
        stage
    }

    fn apply(&mut self, update: Update) -> Touched {
        self.store.apply(self.now, update)
    }

    fn write(&mut self, write: Write) {
        self.apply(Update::Applied(vec![write]));
    }

    fn show(&mut self, show: Show) {
        self.apply(Update::Show(show));
    }

    fn entries(&mut self, entries: Vec<Entry>, missed: bool) {
        let cursor = cursor(entries.last().unwrap().offset);
        self.write(Write::Entries { room: room(), entries, cursor, missed });
    }

    fn live(&mut self, entries: Vec<Entry>) {
        self.entries(entries, false);
    }

    fn offline(&mut self) {
        self.show(Show::Link(holdfast_common::client::Link::Connecting));
    }

    fn room(&self) -> &Room {
        self.store.rooms.get(room()).unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        self.store.rows(room(), &Window::newest(), &|at| (at.0 / DAY).cast_signed())
    }

    /// The rows in short: texts, and `--` for the divider, `==` for a day, `..` for a hole.
    fn lines(&self) -> Vec<String> {
        self.rows().iter().map(line).collect()
    }

    /// The same without days.
    fn texts(&self) -> Vec<String> {
        let mut lines = self.lines();
        lines.retain(|line| line != "==");
        lines
    }
}

fn line(row: &Row) -> String {
    match row {
        Row::Day(..) => "==".into(),
        Row::Missed => "--".into(),
        Row::Hole(row) => format!("..{}-{}", row.hole.from, row.hole.to),
        Row::Entry(entry) => match &entry.body {
            Body::Text(text) => text.to_string(),
            Body::Created(name) => format!("created {name}"),
            Body::Hollow { by, .. } => format!("deleted by {}", by.name),
            Body::Unknown { kind, .. } => format!("unknown {kind}"),
            Body::Edit(text) => format!("edit {text}"),
            Body::Deletion => "deletion".into(),
        },
    }
}

fn entry_row(rows: &[Row], id: EventId) -> &EntryRow {
    let found = rows.iter().find_map(|row| match row {
        Row::Entry(entry) if entry.id == id => Some(entry),
        _ => None,
    });
    found.unwrap()
}
