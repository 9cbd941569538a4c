//! Words as text, for the channel between tabs.
//!
//! What is said lives for a moment and is heard by tabs of the same page, so the form is whatever
//! is small to read: an enum is an array of its variant's number and its fields, and each field is
//! read as the type that frames and rows have already. Derived readers of these enums would be a
//! tenth of the page.

use super::{Place, Word};
use crate::{
    client::{Command, Held, LaneRow, LatestRow, Link, Row, Show, Write},
    cursor::{Cursor, Head, ResetReason},
    error::Code,
    frame::{Entry, Folded, Gap, LatestSet, Page, Presence, RoomInfo, Signalled},
    id::{EventId, RoomId, SessionId, WriterId},
    json,
    limits::Limits,
    time::Timestamp,
};
use serde_json::value::RawValue;

impl Word {
    /// As text.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = String::new();
        self.put(&mut text);
        text
    }

    /// From text; `None` if it is not one of this page's words.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::take(text)
    }
}

trait Part: Sized {
    fn put(&self, text: &mut String);
    fn take(text: &str) -> Option<Self>;
}

fn parts(text: &str) -> Option<Vec<&RawValue>> {
    json::read(text).ok()
}

impl<T: Part> Part for Vec<T> {
    fn put(&self, text: &mut String) {
        text.push('[');
        for (i, part) in self.iter().enumerate() {
            if i > 0 {
                text.push(',');
            }
            part.put(text);
        }
        text.push(']');
    }

    fn take(text: &str) -> Option<Self> {
        parts(text)?.into_iter().map(|part| T::take(part.get())).collect()
    }
}

macro_rules! leaves {
    ($($leaf:ty),* $(,)?) => {$(
        impl Part for $leaf {
            fn put(&self, text: &mut String) {
                // All of them can be written: their keys are strings.
                text.push_str(&serde_json::to_string(self).unwrap_or_default());
            }

            fn take(text: &str) -> Option<Self> {
                json::read(text).ok()
            }
        }
    )*};
}

leaves!(bool, u32, u64, String, Option<u64>, Option<Cursor>);
leaves!(EventId, RoomId, SessionId, WriterId, Timestamp, Code, Limits, Link, ResetReason);
leaves!(Cursor, Head, Entry, Folded, Gap, Page, LatestSet, Presence, RoomInfo, Signalled);
leaves!(Held, Row, LaneRow, LatestRow);

macro_rules! parcels {
    ($enum:ident { $($n:literal = $variant:ident { $($field:tt: $name:ident),* })* }) => {
        impl Part for $enum {
            fn put(&self, text: &mut String) {
                text.push('[');
                match self {
                    $($enum::$variant { $($field: $name),* } => {
                        text.push_str(stringify!($n));
                        $(text.push(','); $name.put(text);)*
                    })*
                }
                text.push(']');
            }

            fn take(text: &str) -> Option<Self> {
                let mut parts = parts(text)?.into_iter().map(RawValue::get);
                match parts.next()? {
                    $(stringify!($n) => Some($enum::$variant {
                        $($field: Part::take(parts.next()?)?),*
                    }),)*
                    _ => None,
                }
            }
        }
    };
}

parcels!(Word {
    0 = Hello {}
    1 = Leads { place: place, shows: shows }
    2 = Batch { place: place, writes: writes }
    3 = Rows { place: place, rows: rows }
    4 = Shown { run: run, show: show }
    5 = Added { keys: keys }
    6 = Ask { tab: tab, n: n, command: command }
    7 = Taken { tab: tab, n: n }
    8 = Introduced {}
    9 = Woke {}
    10 = Beat {}
});

parcels!(Command {
    0 = RetryNow {}
    1 = Revise { id: id, data: data }
    2 = Discard { id: id }
    3 = Resend { id: id, ids: ids }
    4 = SetLatest { 0: row }
    5 = Signal { ns: ns, room: room, kind: kind, data: data }
    6 = Join { room: room }
    7 = Leave { room: room }
    8 = History { room: room, before: before, limit: limit }
    9 = Rename { name: name }
});

parcels!(Show {
    0 = Link { 0: link }
    1 = Welcome { limits: limits, now: now }
    2 = Live { 0: room }
    3 = Page { 0: page }
    4 = Signal { 0: signal }
    5 = Presence { 0: presence }
    6 = Reply { id: id, reply: reply }
    7 = Refused { room: room, code: code, detail: detail }
    8 = Lost { 0: room }
    9 = Left { 0: room }
});

parcels!(Write {
    0 = Generation { 0: generation }
    1 = Writer { writer: writer, generation: generation }
    2 = Name { 0: name }
    3 = AddRow { 0: event }
    4 = PutRow { 0: row }
    5 = DeleteRow { 0: key }
    6 = Lane { 0: lane }
    7 = Entries { room: room, entries: entries, cursor: cursor, missed: missed }
    8 = Page {
        room: room, items: items, from: from, first: first, skipped: skipped, cursor: cursor
    }
    9 = Gap { 0: gap }
    10 = Reset { room: room, reason: reason, was: was, head: head }
    11 = Room { 0: room }
    12 = Left { 0: room }
    13 = PutLatest { 0: row }
    14 = DeleteLatest { room: room, kind: kind, rank: rank }
    15 = Register { 0: set }
    16 = Lost { 0: room }
});

impl Part for Place {
    fn put(&self, text: &mut String) {
        text.push('[');
        self.run.put(text);
        text.push(',');
        self.batch.put(text);
        text.push(',');
        self.extra.put(text);
        text.push(']');
    }

    fn take(text: &str) -> Option<Self> {
        let mut parts = parts(text)?.into_iter().map(RawValue::get);
        Some(Self {
            run: Part::take(parts.next()?)?,
            batch: Part::take(parts.next()?)?,
            extra: Part::take(parts.next()?)?,
        })
    }
}
