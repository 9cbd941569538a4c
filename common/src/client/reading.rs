//! The rooms' cursors: what is applied, what is known already, what cannot be had.

use super::{Client, Output, Show, Write};
use crate::{
    cursor::{Accept, Cursor, Offset},
    error::Code,
    frame::{Entries, Gap, Joined, Left, Live, Page, Reset, RoomCursor, Rooms},
    id::{Epoch, RoomId},
    planted::{Planted, planted},
    sorted::Sorted,
    time::Instant,
};

#[derive(Debug, Default)]
struct Room {
    cursor: Option<Cursor>,
    /// Everything missed has come in this connection.
    live: bool,
    /// Something was held of it before this connection: what comes until it is live was missed.
    known: bool,
    /// The server has listed it in this connection: it has such a room.
    listed: bool,
}

#[derive(Debug, Default)]
pub(super) struct Reading {
    rooms: Sorted<RoomId, Room>,
    /// Rooms that the server has told of in this connection and that the person is not in: nothing
    /// of their logs comes here.
    outside: Sorted<RoomId, ()>,
}

impl Reading {
    pub(super) fn load(cursors: Vec<(RoomId, Cursor)>) -> Self {
        let rooms = cursors.into_iter();
        let rooms = rooms.map(|(room, cursor)| {
            (room, Room { cursor: Some(cursor), known: true, ..Room::default() })
        });
        Self { rooms: rooms.collect(), ..Self::default() }
    }

    pub(super) fn cursors(&self) -> Vec<RoomCursor> {
        let known = self.rooms.iter().filter_map(|(room, state)| {
            state.cursor.map(|cursor| RoomCursor { room: *room, cursor })
        });
        known.collect()
    }

    pub(super) fn disconnected(&mut self) {
        self.outside.clear();
        for room in self.rooms.values_mut() {
            room.live = false;
            room.listed = false;
            room.known = room.cursor.is_some();
        }
    }

    /// Whether an event at this place is not waited for: the cursor has passed it, or nothing of its
    /// room comes here.
    pub(super) fn behind(&self, room: RoomId, epoch: Epoch, offset: u64) -> bool {
        if self.outside.has(room) {
            return true;
        }
        let cursor = self.rooms.get(room).and_then(|room| room.cursor);
        cursor.is_some_and(|cursor| cursor.epoch == epoch && cursor.offset >= offset)
    }
}

impl Client {
    /// Where the client stands. Of a room of which it has nothing yet but an ack, that is the start of
    /// the log that the ack was about: so the server says it, should it have lost the room.
    pub(super) fn cursors(&self) -> Vec<RoomCursor> {
        let mut cursors = self.reading.cursors();
        for (room, epoch) in self.lanes.acked_rooms() {
            if !cursors.iter().any(|known| known.room == room) {
                cursors.push(RoomCursor { room, cursor: Cursor::start(epoch) });
            }
        }
        cursors
    }

    pub(super) fn entries(&mut self, now: Instant, frame: Entries) {
        let room = self.reading.rooms.entry(frame.room);
        let mut cursor = room.cursor.unwrap_or(Cursor::start(frame.epoch));
        let missed = room.known && !room.live;
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
        if planted(Planted::EntryLosesPayload) {
            next.iter_mut().for_each(|entry| entry.data = None);
        }
        let write = Write::Entries { room: frame.room, entries: next, cursor, missed };
        self.waiting.push(write);
        self.waiting.extend(own);
        self.doubt(frame.room, frame.epoch, cursor.offset, false);
    }

    pub(super) fn page(&mut self, mut page: Page) {
        if let Some(req) = page.req {
            if self.asks.answered(req) {
                self.out.push(Output::Show(Show::Page(page)));
            }
            return;
        }
        let room = self.reading.rooms.entry(page.room);
        let ahead = room.cursor.is_none_or(|cursor| {
            cursor.epoch != page.as_of.epoch || cursor.offset < page.as_of.offset
        });
        if !ahead {
            return;
        }
        room.cursor = Some(page.as_of);
        if planted(Planted::PageLosesItem) {
            page.items.pop();
        }
        self.waiting.push(Write::Page {
            room: page.room,
            items: page.items,
            from: page.from,
            first: page.first,
            skipped: page.skipped,
            cursor: page.as_of,
        });
        self.doubt(page.room, page.as_of.epoch, page.as_of.offset, false);
    }

    pub(super) fn gap(&mut self, gap: Gap) {
        let room = self.reading.rooms.entry(gap.room);
        let known = room.cursor.is_some_and(|cursor| {
            cursor.epoch == gap.cursor.epoch && cursor.offset >= gap.cursor.offset
        });
        if !known {
            room.cursor = Some(gap.cursor);
            self.waiting.push(Write::Gap(gap));
            self.doubt(gap.room, gap.cursor.epoch, gap.cursor.offset, false);
        }
    }

    pub(super) fn reset(&mut self, reset: Reset) {
        let room = self.reading.rooms.entry(reset.room);
        let was = room.cursor.take();
        let (id, reason, head) = (reset.room, reset.reason, reset.head);
        self.waiting.push(Write::Reset { room: id, reason, was, head });
        self.doubt(id, head.epoch, u64::MAX, true);
    }

    pub(super) fn live(&mut self, live: Live) {
        let room = self.reading.rooms.entry(live.room);
        room.live = true;
        let epoch = room.cursor.map(|cursor| cursor.epoch);
        self.out.push(Output::Show(Show::Live(live.room)));
        // Everything up to here has come. An own acked event that has not is not in the log.
        if let Some(epoch) = epoch {
            self.doubt(live.room, epoch, live.offset, true);
        }
    }

    pub(super) fn rooms(&mut self, rooms: Rooms) {
        for info in &rooms.rooms {
            self.listed(info.room);
            if info.joined {
                self.reading.outside.remove(info.room);
            } else {
                self.outside(info.room, info.gone);
            }
        }
        self.waiting.extend(rooms.rooms.into_iter().map(Write::Room));
    }

    pub(super) fn joined(&mut self, joined: Joined) {
        self.asks.answered(joined.req);
        self.listed(joined.room.room);
        self.reading.outside.remove(joined.room.room);
        self.waiting.push(Write::Room(joined.room));
    }

    fn listed(&mut self, room: RoomId) {
        if let Some(room) = self.reading.rooms.get_mut(room) {
            room.listed = true;
        }
    }

    pub(super) fn left(&mut self, left: Left) {
        if let Some(req) = left.req {
            self.asks.answered(req);
        }
        // What was held is forgotten with the membership: a later one begins anew.
        let held = self.reading.rooms.remove(left.room);
        // Of each room of the hello the greeting says what it is by now, a deleted one included.
        let lost = left.req.is_none() && held.is_some_and(|room| room.known && !room.listed);
        self.outside(left.room, false);
        self.waiting.push(if lost { Write::Lost(left.room) } else { Write::Left(left.room) });
        self.out.push(Output::Show(Show::Left(left.room)));
    }

    /// The log of this room does not come here. It has the own events that were acked in this
    /// connection; whether it has those of earlier ones is asked, since the server may have been set
    /// back. What went with a deleted room is no loss to be told.
    fn outside(&mut self, room: RoomId, deleted: bool) {
        self.reading.outside.add(room);
        let gone = self.lanes.let_go(room, deleted);
        self.waiting.extend(gone.into_iter().map(Write::DeleteRow));
        self.doubt(room, Epoch::NIL, Offset::MAX, true);
    }

    /// Asks the log about own acked events whose entries have not come and no longer will.
    fn doubt(&mut self, room: RoomId, epoch: Epoch, offset: Offset, all_came: bool) {
        let rows = self.lanes.doubt(room, epoch, offset, all_came);
        self.waiting.extend(rows.into_iter().map(Write::PutRow));
    }
}
