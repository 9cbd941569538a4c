//! How each update changes the state.

use super::{Connection, Now, Outbox, OutboxRow, Room, Store, Touched, Trouble};
use crate::link::Loaded;
use holdfast_common::{
    chat::{Chat, Event, Register, RoomCreated, Signal, Typing},
    client::{Key, Show, Write},
    event::{EventType, Namespace},
    frame::Signalled,
    id::{PersonId, RoomId},
    time::Instant,
};

impl Store {
    pub(super) fn load(&mut self, loaded: Loaded, touched: &mut Touched) {
        self.loaded = true;
        self.me = loaded.principal;
        // What there is by name stays known, also where the database has lost it.
        self.rooms.retain(|_, room| room.only_told());
        self.outbox = Outbox::default();
        self.drafts = loaded.drafts;
        for held in loaded.held {
            self.rooms.entry(held.room).load(held);
        }
        for info in loaded.rooms {
            let room = self.rooms.entry(info.room);
            room.info = Some(info);
        }
        for register in loaded.registers {
            self.register(register.room, &register.kind, register.person, register.data.get());
        }
        for row in loaded.rows {
            self.put(row, touched);
        }
        let me = self.me();
        for room in self.rooms.values_mut() {
            room.divide_loaded(me);
        }
        touched.0 = self.rooms.iter().map(|(id, _)| *id).collect();
    }

    pub(super) fn write(&mut self, write: Write, touched: &mut Touched) {
        let me = self.me();
        match write {
            Write::Generation(_)
            | Write::Writer { .. }
            | Write::AddRow(_)
            | Write::Lane(_)
            | Write::DeleteLatest { .. } => {}
            Write::Name(name) => {
                if let Some(me) = &mut self.me {
                    me.name = name;
                }
            }
            Write::PutRow(row) => self.put(row, touched),
            Write::DeleteRow(key) => self.delete(key, touched),
            Write::Entries { room, entries, cursor, missed } => {
                let presence = self.presence.entry(room);
                for entry in &entries {
                    presence.wrote(entry.from.id);
                }
                self.room(room, touched).entries(entries, cursor, missed, me);
            }
            Write::Page { room, items, from, first, skipped, cursor } => {
                let room = self.room(room, touched);
                room.page(items, from, first, skipped, cursor, me);
            }
            Write::Gap(gap) => self.room(gap.room, touched).gap(&gap),
            Write::Reset { room, reason, was, .. } => self.room(room, touched).reset(reason, was),
            Write::Room(info) => {
                let room = self.room(info.room, touched);
                room.told = true;
                let other = room.other_name(&info.name);
                room.info = Some(info);
                if let Some(trouble) = other {
                    self.notices.add(trouble);
                }
            }
            Write::Left(id) => self.room(id, touched).leave(),
            Write::Lost(id) => {
                self.room(id, touched).lose();
                self.notices.add(Trouble::Lost(id));
            }
            Write::PutLatest(row) => {
                if let Some(me) = me {
                    self.register(row.room, &row.kind, me, &row.data);
                    touched.add(row.room);
                }
            }
            Write::Register(value) => {
                self.register(value.room, &value.kind, value.person, value.data.get());
                touched.add(value.room);
            }
        }
    }

    pub(super) fn show(&mut self, now: Now, show: Show, touched: &mut Touched) {
        match show {
            Show::Link(link) => {
                self.connection = Connection::new(now.steady, link);
                if self.connection != Connection::Online {
                    self.joining = false;
                    self.live.clear();
                    self.presence.clear();
                    self.rooms.values_mut().for_each(Room::away);
                }
            }
            Show::Welcome { limits, now: theirs } => {
                self.limits = limits;
                self.rooms.values_mut().for_each(|room| room.told = false);
                let (theirs, ours) = (theirs.0.cast_signed(), now.wall.0.cast_signed());
                self.skew = theirs.saturating_sub(ours);
            }
            Show::Page(page) => self.room(page.room, touched).history(page),
            Show::Signal(signal) => self.signal(now.steady, signal),
            Show::Presence(presence) => {
                let known = self.presence.entry(presence.room);
                known.change(presence, self.by_name);
            }
            Show::Refused { room, code, detail } => {
                self.room(room, touched).asking = false;
                self.notices.add(Trouble::Refused { room, code, detail });
            }
            Show::Lost(room) => self.notices.add(Trouble::Lost(room)),
            Show::Left(room) => {
                self.presence.remove(room);
            }
            // The tab that leads has been online for a while, and what it was told is read here.
            Show::Live(room) if self.joining => self.live.push(room),
            // What follows is seen anyway: entries say themselves whether they were missed, and a
            // reply is for who waits for it.
            Show::Live(_) | Show::Reply { .. } => {}
        }
    }

    fn signal(&mut self, now: Instant, signal: Signalled) {
        let others = Some(signal.from.id) != self.me();
        let Some(room) = signal.room.filter(|_| others && signal.ns == Chat::NAME) else {
            return;
        };
        match Chat::read_signal(&signal.kind, signal.data.get()) {
            Some(Ok(Signal::Typing(Typing {}))) => {
                self.presence.entry(room).typing(now, signal.from);
            }
            Some(Err(_)) | None => {} // Of a newer page: now or never.
        }
    }

    fn register(&mut self, room: RoomId, kind: &str, person: PersonId, data: &str) {
        match Chat::read_register(kind, data) {
            Some(Ok(Register::ReadMarker(marker))) => {
                if Some(person) == self.me() {
                    self.rooms.entry(room).mark_read(marker.offset);
                }
            }
            Some(Err(_)) | None => {} // Of a newer page: it stays in the database.
        }
    }

    fn put(&mut self, row: OutboxRow, touched: &mut Touched) {
        if let Some(Ok(Event::RoomCreated(room))) = Chat::read(&row.event.kind, &row.event.data) {
            self.room(row.event.room, touched).wished = Some(room.name);
        }
        touched.add(self.outbox.put(row));
    }

    fn delete(&mut self, key: Key, touched: &mut Touched) {
        let Some(row) = self.outbox.delete(key) else {
            return;
        };
        let room = self.room(row.event.room, touched);
        // A room that was discarded before the server heard of it is none.
        if row.event.kind == RoomCreated::NAME && !room.timeline.has(row.event.id) {
            room.wished = None;
        }
    }

    fn room(&mut self, id: RoomId, touched: &mut Touched) -> &mut Room {
        touched.add(id);
        self.rooms.entry(id)
    }
}
