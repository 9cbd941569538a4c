//! The whole of it: profiles with their tabs, the wires, the server and its disk, in virtual time.
//! One thing happens at a time, and dice say which.

mod asked;

use crate::{
    engine::{End, LOBBY},
    ledger::{Book, Copy},
    profile::{Profile, Tx},
    server::{Server, Way},
    tab::{Event, Tab},
};
use holdfast_common::{
    backoff::Dice,
    client::{self, Command},
    id::{EventId, PersonId, RoomId, SessionId},
    limits::Limits,
    proof::Database,
    tabs::TabId,
    time::{Instant, Millis, Timestamp},
};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

/// Something that can happen next.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// A tab's driver does one thing, …
    Do(usize, TabId),
    /// … takes an event, …
    Take(usize, TabId),
    /// … hears another tab, …
    Hear(usize, TabId),
    /// … gets a frame.
    Receive(usize, TabId, End),
    /// A transaction of a profile's database ends.
    Transact(usize),
    /// The browser gives the lock to who waits for it.
    Grant(usize),
    Server(Way),
}

pub struct Sim {
    pub now: Instant,
    pub server: Server,
    pub profiles: Vec<Profile>,
    /// Copies of the server's disk, as an operator makes them.
    pub copies: VecDeque<Copy>,
    /// The server's process does not run.
    pub stopped: bool,
    /// What people do by the clock on their wall is behind or ahead by so much.
    pub wall: i64,
    pub dice: Dice,
    /// Everything that has happened, where somebody wants to read it.
    pub trace: Option<String>,
    /// Something goes on without end.
    pub restless: bool,
    ids: u64,
    books: Book,
}

impl Sim {
    /// A world of so many profiles with one tab each. `locks` says which browsers have locks.
    pub fn new(
        profiles: usize,
        locks: impl Fn(usize) -> bool,
        limits: Limits,
        bound: usize,
    ) -> Self {
        let mut sim = Self {
            now: Instant(1_000),
            server: Server::new(limits, bound),
            profiles: Vec::new(),
            copies: VecDeque::new(),
            stopped: false,
            wall: 0,
            dice: Dice::new(0),
            trace: None,
            restless: false,
            ids: 0,
            books: 0,
        };
        for p in 0..profiles {
            let (book, database) = sim.person();
            sim.profiles.push(Profile::new(book, database, locks(p)));
            sim.open(p);
        }
        sim
    }

    /// Somebody new, with an empty database.
    pub fn person(&mut self) -> (Book, Database) {
        let book = self.book();
        let n = u8::try_from(book).expect("a run has fewer people");
        (book, Database::new(n))
    }

    /// An outbox that there was not before.
    pub fn book(&mut self) -> Book {
        self.books += 1;
        self.books
    }

    pub fn number(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub fn id(&mut self) -> EventId {
        EventId::new(self.number(), &[0; 10])
    }

    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let _ = writeln!(trace, "{:>8} {}", self.now.0, what());
        }
    }

    /// One die, from 0 to `most`.
    pub fn roll(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).expect("small");
        usize::try_from(self.dice.up_to(most)).expect("small")
    }

    /// A new tab.
    pub fn open(&mut self, p: usize) {
        let id = self.number();
        let locks = self.profiles[p].locks;
        self.profiles[p].tabs.push(Tab::new(id, locks));
    }

    /// A tab ends, whatever it was doing. `told` says whether the server hears of it.
    pub fn kill(&mut self, p: usize, id: TabId, aborts: bool, told: bool) {
        let socket = self.profiles[p].tab(id).and_then(|tab| tab.socket.take());
        self.profiles[p].gone(id, aborts);
        match socket {
            Some(end) if told => self.server.hang_up(end),
            Some(end) => self.server.abandon(end),
            None => {}
        }
    }

    /// The browser of a profile ends. With the power goes what was not written strictly.
    pub fn quit(&mut self, p: usize, power: bool) {
        let tabs: Vec<TabId> = self.profiles[p].tabs.iter().map(|tab| tab.id).collect();
        for id in tabs {
            let told = !power && self.roll(1) == 0;
            self.kill(p, id, true, told);
        }
        let profile = &mut self.profiles[p];
        profile.under_way.clear();
        if power {
            profile.stored = profile.safe.clone();
        }
    }

    /// A view asks for something.
    pub fn wish(&mut self, p: usize, t: usize, command: Command) {
        let tabs = &mut self.profiles[p].tabs;
        let at = t % tabs.len().max(1);
        if let Some(tab) = tabs.get_mut(at) {
            tab.events.push_back(Event::Command(command));
        }
    }

    /// A view holds an event.
    pub fn hold(&mut self, p: usize, t: usize, event: client::Held) {
        let profile = &mut self.profiles[p];
        let mut awake: Vec<&mut Tab> = profile.tabs.iter_mut().filter(|tab| !tab.frozen).collect();
        let at = t % awake.len().max(1);
        if let Some(tab) = awake.get_mut(at) {
            tab.events.push_back(Event::Adding);
            profile.under_way.push_back((tab.id, Tx::Add(event)));
        }
    }

    /// When a person writes, by their own clock.
    pub fn at(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_add_signed(self.wall))
    }

    /// The connection breaks. Whoever is told hears of it.
    pub fn cut(&mut self, p: usize, id: TabId, client: bool, server: bool) {
        let Some(tab) = self.profiles[p].tab(id) else {
            return;
        };
        let Some(end) = tab.socket else {
            return;
        };
        if client {
            tab.events.push_back(Event::Socket(end, client::Input::Closed { code: 1006 }));
        }
        if server {
            self.server.hang_up(end);
        } else {
            self.server.abandon(end);
        }
    }

    /// The server's process ends at once. Of the tabs that are connected, those hear of it that the
    /// dice choose; the others find out.
    pub fn crash(&mut self, written: bool) {
        if self.server.dropped() > 0 {
            self.server.ledger.counts.add("fanout: a queue was full");
        }
        let ends: BTreeSet<End> = self.server.crash(written).into_iter().collect();
        for p in 0..self.profiles.len() {
            for t in 0..self.profiles[p].tabs.len() {
                let hears = self.roll(3) > 0;
                let tab = &mut self.profiles[p].tabs[t];
                if let Some(end) = tab.socket.filter(|end| hears && ends.contains(end)) {
                    tab.events.push_back(Event::Socket(end, client::Input::Closed { code: 1006 }));
                }
            }
        }
        let Self { server, .. } = self;
        server.ledger.acked_stands(&server.engine.disk);
    }

    /// Everything that can happen now.
    pub fn nexts(&mut self) -> Vec<Next> {
        let mut nexts = Vec::new();
        for (p, profile) in self.profiles.iter().enumerate() {
            for tab in &profile.tabs {
                if tab.busy() {
                    nexts.push(Next::Do(p, tab.id));
                }
                if tab.has_events() {
                    nexts.push(Next::Take(p, tab.id));
                }
                if tab.hears() {
                    nexts.push(Next::Hear(p, tab.id));
                }
                if let Some(end) = tab.socket.filter(|_| tab.receives())
                    && self.server.wires.get(&end).is_some_and(|wire| !wire.down.is_empty())
                {
                    nexts.push(Next::Receive(p, tab.id, end));
                }
            }
            if !profile.under_way.is_empty() {
                nexts.push(Next::Transact(p));
            }
            if profile.can_grant() {
                nexts.push(Next::Grant(p));
            }
        }
        if !self.stopped {
            nexts.extend(self.server.ways().into_iter().map(Next::Server));
        }
        nexts
    }

    /// One of the things that can happen does; `false` if there is none.
    pub fn step(&mut self) -> bool {
        let nexts = self.nexts();
        if nexts.is_empty() || self.server.ledger.broken.is_some() {
            return false;
        }
        let at = self.roll(nexts.len() - 1);
        self.happen(nexts[at]);
        true
    }

    fn happen(&mut self, next: Next) {
        let now = self.now;
        if !matches!(next, Next::Do(..)) {
            self.note(|| format!("{next:?}"));
        }
        match next {
            Next::Do(p, id) => {
                let ask = self.profiles[p].tab(id).and_then(|tab| tab.go(now));
                if let Some(ask) = ask {
                    self.note(|| format!("tab {id} of {p}: {ask:?}"));
                    self.answer(p, id, ask);
                }
            }
            Next::Take(p, id) => {
                let run = SessionId::new(self.number(), &[0; 10]);
                if let Some(tab) = self.profiles[p].tab(id) {
                    tab.take(run);
                }
            }
            Next::Hear(p, id) => {
                if let Some(tab) = self.profiles[p].tab(id) {
                    tab.hear();
                }
            }
            Next::Receive(p, id, end) => self.receive(p, id, end),
            Next::Transact(p) => self.profiles[p].transact(&mut self.server.ledger),
            Next::Grant(p) => self.profiles[p].grant(),
            Next::Server(way) => {
                let most = 1 + self.roll(3);
                self.server.go(now, way, most);
            }
        }
    }

    /// Lets everything that is under way arrive. Where that has no end, time goes on all the same.
    pub fn settle(&mut self) {
        for _ in 0..20_000 {
            if !self.step() {
                return;
            }
        }
        self.restless = true;
        self.server
            .ledger
            .breaks(crate::ledger::Invariant::I6, || "nothing comes to rest".to_owned());
    }

    /// Lets time pass, with everything that falls due in it.
    pub fn wait(&mut self, ms: u64) {
        let end = self.now + Millis(ms);
        self.server.resume();
        loop {
            self.settle();
            if self.restless || self.server.ledger.broken.is_some() {
                return;
            }
            let tabs = self.profiles.iter().flat_map(|profile| &profile.tabs);
            let server = self.server.deadline().filter(|_| !self.stopped);
            let due = tabs.filter_map(Tab::deadline).chain(server).min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            self.now = self.now.max(due) + Millis(1);
            self.tick();
        }
        self.now = self.now.max(end);
    }

    fn tick(&mut self) {
        let now = self.now;
        for tab in self.profiles.iter_mut().flat_map(|profile| &mut profile.tabs) {
            if tab.deadline().is_some_and(|due| due <= now) {
                tab.events.push_back(Event::Tick);
            }
        }
        if !self.stopped {
            self.server.tick(now);
        }
    }

    /// The people in the lobby, as the server has it.
    pub fn here(&self) -> BTreeSet<PersonId> {
        self.server.here(LOBBY).iter().map(|author| author.id).collect()
    }

    /// The rooms there are.
    pub fn rooms(&self) -> Vec<RoomId> {
        self.server.disk().logs.keys().copied().collect()
    }
}
