//! A room's rows in the order of the page: entries, one's own unconfirmed events behind them, and
//! between them days, holes and the divider.

use super::{
    Body, Pending, Room, State, Store, Window,
    item::Item,
    outbox::{Outbox, change},
};
use crate::link::{Hole, HoleKind};
use holdfast_common::{
    chat::{Chat, Event},
    client::Row as OutboxRow,
    cursor::Offset,
    event::Namespace,
    frame::Author,
    id::{EventId, RoomId},
    sorted::Sorted,
    time::Timestamp,
};
use std::sync::Arc;

/// Messages of one person stand together for this long after the first of them, in milliseconds.
const TOGETHER: u64 = 5 * 60 * 1000;

/// No more rows stand together: whoever reads in their middle shall not look far for who speaks.
const GROUP: usize = 20;

/// The first of so many offsets begins a group in any case. So it is known from the few rows above
/// a window what stands together in it, and rows seldom change as the window moves.
const FRESH: Offset = 100;

/// One row of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A day begins. The event behind it tells two separators of one day apart.
    Day(Timestamp, EventId),
    /// What follows was missed.
    Missed,
    /// A part of the log that is not held.
    Hole(HoleRow),
    /// An event.
    Entry(EntryRow),
}

/// What a row is known by while it changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// A day's separator.
    Day(EventId),
    /// The divider.
    Missed,
    /// A hole, by its last offset: it is filled from there.
    Hole(Offset),
    /// An event, before and after its entry arrives.
    Entry(EventId),
}

/// A part of the log that is not held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoleRow {
    /// What is missing.
    pub hole: Hole,
    /// It has been asked for.
    pub asking: bool,
}

/// An event on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// The event.
    pub id: EventId,
    /// Its place in the log, once it is known.
    pub offset: Option<Offset>,
    /// Who wrote it.
    pub author: Arc<Author>,
    /// Whether that is who sits here.
    pub own: bool,
    /// When.
    pub at: Timestamp,
    /// What it says, the person's own unconfirmed edit included.
    pub body: Body,
    /// Whether its text was replaced.
    pub edited: bool,
    /// How far the event has come.
    pub state: State,
    /// The person's own unconfirmed change to it.
    pub pending: Option<Pending>,
    /// It follows one of the same person: the author is not said again.
    pub together: bool,
}

impl Row {
    /// What it is known by.
    #[must_use]
    pub fn key(&self) -> RowKey {
        match self {
            Self::Day(_, id) => RowKey::Day(*id),
            Self::Missed => RowKey::Missed,
            Self::Hole(row) => RowKey::Hole(row.hole.to),
            Self::Entry(row) => RowKey::Entry(row.id),
        }
    }
}

/// The day that a time is in, where the reader is.
pub(super) type DayOf<'a> = &'a dyn Fn(Timestamp) -> i64;

impl Store {
    /// The rows of the part of a room that `window` names.
    #[must_use]
    pub fn rows(&self, id: RoomId, window: &Window, day_of: DayOf<'_>) -> Vec<Row> {
        let Some(room) = self.rooms.get(id) else {
            return Vec::new();
        };
        let me = self.me.as_ref().map(|me| Author { id: me.person, name: me.name.clone() });
        let mut layout = Layout {
            rows: Vec::new(),
            divider: room.missed,
            day: None,
            day_of,
            group: Group::default(),
            pending: self.outbox.pending(id),
            me: me.map(Arc::new),
            store: self,
        };
        layout.log(room, window);
        if window.hi.is_none() {
            layout.outbox(id, room, &self.outbox);
        }
        layout.rows
    }
}

struct Layout<'a> {
    rows: Vec<Row>,
    /// Where the divider still has to be put.
    divider: Option<Offset>,
    day: Option<i64>,
    day_of: DayOf<'a>,
    group: Group,
    pending: Sorted<EventId, Pending>,
    me: Option<Arc<Author>>,
    store: &'a Store,
}

impl Layout<'_> {
    fn log(&mut self, room: &Room, window: &Window) {
        let timeline = &room.timeline;
        let first = window.first(timeline);
        let before = timeline.range(..first).next_back();
        let before = before.map(|item| item.offset);
        let mut holes = timeline
            .holes()
            .iter()
            .filter(|hole| before.is_none_or(|before| hole.from > before))
            .peekable();
        // A divider above the window stays there.
        self.divider = self.divider.filter(|place| before.is_none_or(|before| *place > before));
        let above = timeline.range(first - first % FRESH..first);
        for item in above.filter(|item| item.shown()) {
            self.group.takes(&item.author, &item.body, item.at, Some(item.offset));
        }
        for item in window.items(timeline).filter(|item| item.shown()) {
            while let Some(hole) = holes.next_if(|hole| hole.from < item.offset) {
                self.hole(hole, room.asking);
            }
            self.item(item);
        }
        let after = window.hi.and_then(|hi| timeline.range(hi + 1..).next());
        while let Some(hole) =
            holes.next_if(|hole| after.is_none_or(|after| hole.from < after.offset))
        {
            self.hole(hole, room.asking);
        }
    }

    fn hole(&mut self, hole: &Hole, asking: bool) {
        if hole.kind == HoleKind::Skipped {
            self.divide(hole.from, false);
        }
        let asking = asking && hole.kind == HoleKind::Skipped;
        self.rows.push(Row::Hole(HoleRow { hole: *hole, asking }));
    }

    fn item(&mut self, item: &Item) {
        let own = self.me.as_ref().is_some_and(|me| me.id == item.author.id);
        let pending = self.pending.remove(item.id);
        let text = pending.as_ref().and_then(|pending| pending.text.clone());
        let body = match (&item.body, text) {
            (Body::Text(_), Some(text)) => Body::Text(text),
            (body, _) => body.clone(),
        };
        self.day(item.at, item.id);
        self.divide(item.offset, own);
        self.entry(EntryRow {
            id: item.id,
            offset: Some(item.offset),
            author: Arc::clone(&item.author),
            own,
            at: item.at,
            body,
            edited: item.edited,
            state: State::Acked,
            pending,
            together: false,
        });
    }

    fn divide(&mut self, offset: Offset, own: bool) {
        if !own && self.divider.is_some_and(|place| place <= offset) {
            self.divider = None;
            self.rows.push(Row::Missed);
        }
    }

    fn outbox(&mut self, id: RoomId, room: &Room, outbox: &Outbox) {
        for row in outbox.of(id) {
            if room.timeline.has(row.event.id) {
                continue;
            }
            let entry = match change(row) {
                None => self.own(row),
                Some((target, pending)) => {
                    let refused = matches!(pending.state, State::Rejected(_));
                    let shown = room.timeline.has(target) || outbox.find(target).is_some();
                    let settled = matches!(pending.state, State::Acked);
                    if !refused && (shown || settled) {
                        continue;
                    }
                    let body = pending.text.map_or(Body::Deletion, Body::Edit);
                    self.own(row).map(|entry| EntryRow { body, ..entry })
                }
            };
            if let Some(entry) = entry {
                self.day(entry.at, entry.id);
                self.entry(entry);
            }
        }
    }

    fn own(&mut self, row: &OutboxRow) -> Option<EntryRow> {
        let me = self.me.clone()?;
        let pending = self.pending.remove(row.event.id);
        let text = pending.as_ref().and_then(|pending| pending.text.clone());
        let body = match Chat::read(&row.event.kind, &row.event.data) {
            Some(Ok(Event::Message(message))) => {
                Body::Text(text.unwrap_or_else(|| message.text.into()))
            }
            Some(Ok(Event::RoomCreated(room))) => Body::Created(room.name.into()),
            _ => Body::Unknown {
                kind: row.event.kind.as_str().into(),
                data: row.event.data.as_str().into(),
            },
        };
        Some(EntryRow {
            id: row.event.id,
            offset: None,
            author: me,
            own: true,
            at: self.store.servers(row.event.at),
            body,
            edited: false,
            state: State::from(&row.state),
            pending,
            together: false,
        })
    }

    fn day(&mut self, at: Timestamp, id: EventId) {
        let day = (self.day_of)(at);
        if self.day != Some(day) {
            self.day = Some(day);
            self.rows.push(Row::Day(at, id));
        }
    }

    fn entry(&mut self, mut entry: EntryRow) {
        let behind_another = matches!(self.rows.last(), Some(Row::Entry(_)));
        // What stands at the window's top is not parted from its group by the day above it.
        if !behind_another && self.rows.iter().any(|row| matches!(row, Row::Entry(_))) {
            self.group = Group::default();
        }
        let joins = self.group.takes(&entry.author, &entry.body, entry.at, entry.offset);
        entry.together = joins && behind_another;
        self.rows.push(Row::Entry(entry));
    }
}

/// Rows that stand together.
#[derive(Default)]
struct Group {
    /// Who speaks.
    author: Option<Arc<Author>>,
    /// When the first of them was said.
    since: Timestamp,
    rows: usize,
}

impl Group {
    /// Takes the next row in: `false` if it begins a group of its own.
    fn takes(
        &mut self,
        author: &Arc<Author>,
        body: &Body,
        at: Timestamp,
        offset: Option<Offset>,
    ) -> bool {
        let spoken = matches!(body, Body::Text(_) | Body::Hollow { .. });
        let joins = spoken
            && self.rows < GROUP
            && at.0.abs_diff(self.since.0) < TOGETHER
            && offset.is_none_or(|offset| offset % FRESH != 0)
            && self.author.as_ref() == Some(author);
        if !joins {
            *self = Self { author: spoken.then(|| Arc::clone(author)), since: at, rows: 0 };
        }
        self.rows += 1;
        joins
    }
}
