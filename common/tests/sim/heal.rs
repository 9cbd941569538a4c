//! Everything works again: what must be true then, of every outbox, every reader and every view.

use crate::{
    engine::LOBBY,
    ledger::{Invariant, said},
    sim::Sim,
    tab::{Event, Tab},
};
use holdfast_common::{
    chat::Message,
    client::{Command, Held, RowState},
    frame::{Entry, HOLLOW},
    id::RoomId,
    proof::Database,
};

/// Long enough for every backoff, ping and sweep.
const LONG: u64 = 120_000;

impl Sim {
    /// Ends all faults, lets everyone come back, and looks.
    pub fn heal(&mut self) {
        self.note(|| "--- everything works again".to_owned());
        self.server.trouble = crate::engine::Trouble::default();
        self.stopped = false;
        // Half of the time nothing helps but that the faults are over.
        let gently = self.roll(1) == 0;
        if gently {
            self.end_what_is_torn();
        } else {
            self.crash(true);
        }
        for p in 0..self.profiles.len() {
            self.profiles[p].fails = None;
            self.profiles[p].unread = 0;
            self.thaw(p);
        }
        for p in 0..self.profiles.len() {
            let people = 1 + self.profiles[p].others.len();
            for person in 0..people {
                if person > 0 {
                    self.sign_in(p);
                }
                self.come_back(p, gently);
            }
        }
        let late = self.roll(self.profiles.len() - 1);
        let other = (late + 1) % self.profiles.len();
        self.last_words(late, other);
        self.all_is_well();
        self.too_much_for(late, other);
        self.all_is_well();
    }

    fn end_what_is_torn(&mut self) {
        for p in 0..self.profiles.len() {
            let tabs = self.profiles[p].tabs.iter();
            let torn = tabs.filter(|tab| {
                let wire = tab.socket.and_then(|end| self.server.wires.get(&end));
                wire.is_some_and(|wire| wire.torn)
            });
            let torn: Vec<_> = torn.map(|tab| tab.id).collect();
            torn.into_iter().for_each(|id| self.cut(p, id, true, true));
        }
    }

    fn come_back(&mut self, p: usize, gently: bool) {
        if self.profiles[p].tabs.is_empty() {
            self.open(p);
        }
        self.settle();
        if gently {
            self.wait(LONG);
        }
        // A page that does not try by itself waits for its person.
        let helped = !gently || self.profiles[p].tabs.iter().any(|tab| tab.blocked);
        for tab in self.profiles[p].tabs.iter_mut().filter(|_| helped) {
            tab.events.push_back(Event::Woke);
            tab.events.push_back(Event::Command(Command::RetryNow));
        }
        self.wait(LONG);
        self.drained(p);
    }

    /// The last words fall into somebody's greeting: nothing comes behind them that would show who
    /// has missed one, and nobody greets again.
    fn last_words(&mut self, late: usize, other: usize) {
        let leader = self.profiles[late].tabs.iter().find(|tab| tab.socket.is_some());
        if let Some(id) = leader.map(|tab| tab.id) {
            self.cut(late, id, true, true);
        }
        self.wish(late, 0, Command::RetryNow);
        for _ in 0..self.roll(40) {
            self.step();
        }
        self.server.trouble.unknown = self.dice.up_to(1);
        self.say_at_last(other);
        self.wait(LONG);
    }

    fn say_at_last(&mut self, p: usize) {
        let (id, text) = (self.id(), "at last".to_owned());
        let held = Held::new(id, LOBBY, self.at(), &Message { text });
        self.hold(p, 0, held);
    }

    /// More is said than waits for one whom the server does not get round to.
    fn too_much_for(&mut self, slow: usize, other: usize) {
        let ends: Vec<_> = self.profiles[slow].tabs.iter().filter_map(|tab| tab.socket).collect();
        for end in ends {
            if let Some(wire) = self.server.wires.get_mut(&end) {
                wire.stalled = true;
            }
        }
        for _ in 0..8 {
            self.say_at_last(other);
        }
        for _ in 0..800 {
            self.step();
        }
        self.wait(LONG);
    }

    fn drained(&mut self, p: usize) {
        let rows = self.profiles[p].database().rows.values();
        let left = rows.filter(|row| !matches!(row.state, RowState::Rejected { .. }));
        let left: Vec<String> =
            left.map(|row| format!("{} {:?}", row.event.id, row.state)).collect();
        if !left.is_empty() {
            self.server.ledger.breaks(Invariant::I6, || format!("outbox {p} still holds {left:?}"));
        }
    }

    fn all_is_well(&mut self) {
        for p in 0..self.profiles.len() {
            self.drained(p);
            for room in self.rooms() {
                self.read_to_the_end(p, room);
            }
            let wrong = self.views_differ(p);
            if let Some((invariant, what)) = wrong {
                self.server.ledger.breaks(invariant, || format!("profile {p}: {what}"));
            }
        }
        let Self { server, .. } = self;
        server.ledger.acked_stands(&server.engine.disk);
        self.all_held_came();
        let untold = self.server.ledger.untold().next().copied();
        if let Some(id) = untold {
            self.server.ledger.breaks(Invariant::I5, || format!("{id} was lost, and nobody told"));
        }
    }

    /// A reader stands at the head of a room's log, with each entry once and in order.
    fn read_to_the_end(&mut self, p: usize, room: RoomId) {
        let database = self.profiles[p].database();
        let disk = self.server.disk();
        let (log, person) = (&disk.logs[&room], database.principal.person);
        if log.info.gone || !disk.is_member(person, room) || log.info.head.offset == 0 {
            return;
        }
        let (head, cursor) = (log.info.head.cursor(), database.cursors.get(&room).copied());
        let held = database.entries.get(&room).map_or(&[][..], Vec::as_slice);
        let rising = held.windows(2).all(|two| two[0].offset < two[1].offset);
        // What the log has trimmed can no longer be compared, there or here.
        let left = held.iter().filter(|entry| entry.offset >= log.info.head.first);
        let same = left.into_iter().all(|entry| {
            let there = log.ids.get(&entry.id);
            let stands = log.entries.iter().find(|it| it.offset == entry.offset);
            // What was deleted since is still held, with its deletion.
            let says = |it: &Entry| it.kind == HOLLOW || said(it) == said(entry);
            there.is_some_and(|offset| *offset == entry.offset) && stands.is_some_and(says)
        });
        if cursor != Some(head) {
            self.server.ledger.breaks(Invariant::I4, || {
                format!("reader {p} stands at {cursor:?}, and the log of {room} ends at {head:?}")
            });
        }
        if !database.is_whole(room) {
            let what = format!("reader {p} has a hole in {room} that was not told");
            return self.server.ledger.breaks(Invariant::I4, || what);
        }
        if !(rising && same) {
            self.server.ledger.breaks(Invariant::I3, || format!("reader {p} has another {room}"));
        }
    }

    fn views_differ(&self, p: usize) -> Option<(Invariant, String)> {
        let profile = &self.profiles[p];
        let here = self.here();
        let led = profile.tabs.iter().filter(|tab| tab.machine.leads()).count();
        if led != 1 {
            return Some((Invariant::I6, format!("{led} tabs lead")));
        }
        for tab in &profile.tabs {
            if let Some(what) = differs(tab, profile.database()) {
                return Some((Invariant::I4, what));
            }
            if tab.here != here {
                let what = format!("tab {} shows {:?} of {here:?}", tab.id, tab.here);
                return Some((Invariant::I5, what));
            }
        }
        None
    }

    /// What was held stands, or was refused, or was lost by a restore and reported.
    fn all_held_came(&mut self) {
        let Self { server, profiles, .. } = self;
        let shelved = |id| {
            let others = profiles.iter().flat_map(|profile| &profile.others);
            let stored = profiles.iter().map(|profile| &profile.stored);
            let mut all = stored.chain(others.map(|(_, stored)| stored));
            all.any(|stored| {
                let mut rows = stored.database.rows.values();
                rows.any(|row| row.event.id == id && matches!(row.state, RowState::Rejected { .. }))
            })
        };
        let ledger = &server.ledger;
        let gone = ledger.intents.iter().find(|(id, intent)| {
            let log = server.engine.disk.logs.get(&intent.room);
            let stands = log.is_some_and(|log| log.info.gone || log.ids.contains_key(id));
            let refused = ledger.rejected.contains(id) || shelved(**id);
            let excused = intent.withdrawn || intent.excused || ledger.was_lost(**id);
            !(stands || refused || excused)
        });
        if let Some(id) = gone.map(|(id, _)| *id) {
            server.ledger.breaks(Invariant::I6, || format!("{id} was held and never arrived"));
        }
    }
}

fn differs(tab: &Tab, database: &Database) -> Option<String> {
    let Some(view) = &tab.view else {
        return Some(format!("tab {} shows nothing", tab.id));
    };
    if view.rows != database.rows {
        return Some(format!("tab {} shows another outbox", tab.id));
    }
    if view.cursors != database.cursors {
        return Some(format!("tab {} stands elsewhere than the database", tab.id));
    }
    let entries =
        |database: &Database| -> Vec<_> { database.entries.values().flatten().map(said).collect() };
    (entries(view) != entries(database)).then(|| format!("tab {} shows other entries", tab.id))
}
