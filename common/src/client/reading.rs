//! The rooms' cursors: what is applied, what is known already, what cannot be had.

use super::{Client, Output, Show, Write};
use crate::{
    cursor::{Accept, Cursor},
    error::Code,
    frame::{Entries, Gap, Joined, Left, Live, Page, Reset, RoomCursor, Rooms},
    id::{Epoch, RoomId},
    time::Instant,
};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Room {
    cursor: Option<Cursor>,
    /// Everything missed has come in this connection.
    live: bool,
}

#[derive(Debug, Default)]
pub(super) struct Reading {
    rooms: BTreeMap<RoomId, Room>,
}

impl Reading {
    pub(super) fn load(cursors: Vec<(RoomId, Cursor)>) -> Self {
        let rooms = cursors.into_iter();
        let rooms = rooms.map(|(room, cursor)| (room, Room { cursor: Some(cursor), live: false }));
        Self { rooms: rooms.collect() }
    }

    pub(super) fn cursors(&self) -> Vec<RoomCursor> {
        let known = self.rooms.iter().filter_map(|(room, state)| {
            state.cursor.map(|cursor| RoomCursor { room: *room, cursor })
        });
        known.collect()
    }

    pub(super) fn disconnected(&mut self) {
        for room in self.rooms.values_mut() {
            room.live = false;
        }
    }

    /// Whether the cursor has passed this place.
    pub(super) fn behind(&self, room: RoomId, epoch: Epoch, offset: u64) -> bool {
        let cursor = self.rooms.get(&room).and_then(|room| room.cursor);
        cursor.is_some_and(|cursor| cursor.epoch == epoch && cursor.offset >= offset)
    }
}

impl Client {
    pub(super) fn entries(&mut self, now: Instant, frame: Entries) {
        let room = self.reading.rooms.entry(frame.room).or_default();
        let mut cursor = room.cursor.unwrap_or(Cursor::start(frame.epoch));
        let missed = !room.live;
        let mut next = Vec::with_capacity(frame.entries.len());
        for entry in frame.entries {
            match cursor.accept(frame.epoch, entry.offset, entry.id, entry.mark) {
                Accept::Known => {}
                Accept::Next(moved) => {
                    cursor = moved;
                    next.push(entry);
                }
                Accept::Missing | Accept::Forked => return self.give_up(now, Code::BadFrame),
            }
        }
        if next.is_empty() {
            return;
        }
        room.cursor = Some(cursor);
        let own = next.iter().filter_map(|entry| self.lanes.arrived(entry.id));
        let own: Vec<Write> = own.map(Write::DeleteRow).collect();
        let write = Write::Entries { room: frame.room, entries: next, cursor, missed };
        self.waiting.push(write);
        self.waiting.extend(own);
    }

    pub(super) fn page(&mut self, page: Page) {
        if let Some(req) = page.req {
            if self.asks.answered(req) {
                self.out.push(Output::Show(Show::Page(page)));
            }
            return;
        }
        let room = self.reading.rooms.entry(page.room).or_default();
        let ahead = room.cursor.is_none_or(|cursor| {
            cursor.epoch != page.as_of.epoch || cursor.offset < page.as_of.offset
        });
        if !ahead {
            return;
        }
        room.cursor = Some(page.as_of);
        self.waiting.push(Write::Page {
            room: page.room,
            items: page.items,
            from: page.from,
            skipped: page.skipped,
            cursor: page.as_of,
        });
        self.delete_passed(page.room, page.as_of);
    }

    pub(super) fn gap(&mut self, gap: Gap) {
        let room = self.reading.rooms.entry(gap.room).or_default();
        let known = room.cursor.is_some_and(|cursor| {
            cursor.epoch == gap.cursor.epoch && cursor.offset >= gap.cursor.offset
        });
        if !known {
            room.cursor = Some(gap.cursor);
            self.waiting.push(Write::Gap(gap));
            self.delete_passed(gap.room, gap.cursor);
        }
    }

    pub(super) fn reset(&mut self, reset: Reset) {
        let room = self.reading.rooms.entry(reset.room).or_default();
        let was = room.cursor.take();
        let (id, reason, head) = (reset.room, reset.reason, reset.head);
        self.waiting.push(Write::Reset { room: id, reason, was, head });
        let doubtful = self.lanes.doubt(id, head.epoch);
        self.waiting.extend(doubtful.into_iter().map(Write::PutRow));
        self.ask_unsure();
    }

    pub(super) fn live(&mut self, live: Live) {
        self.reading.rooms.entry(live.room).or_default().live = true;
        self.out.push(Output::Show(Show::Live(live.room)));
    }

    pub(super) fn rooms(&mut self, rooms: Rooms) {
        self.waiting.extend(rooms.rooms.into_iter().map(Write::Room));
    }

    pub(super) fn joined(&mut self, joined: Joined) {
        self.asks.answered(joined.req);
        self.waiting.push(Write::Room(joined.room));
    }

    pub(super) fn left(&mut self, left: Left) {
        if let Some(req) = left.req {
            self.asks.answered(req);
        }
        self.waiting.push(Write::Left(left.room));
        self.out.push(Output::Show(Show::Left(left.room)));
    }

    fn delete_passed(&mut self, room: RoomId, cursor: Cursor) {
        let keys = self.lanes.passed(room, cursor.epoch, cursor.offset);
        self.waiting.extend(keys.into_iter().map(Write::DeleteRow));
    }
}
