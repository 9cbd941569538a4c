//! A model of a browser: its tabs, what they share, and the channel between them.

use super::*;
use crate::backoff::Dice;
use std::collections::BTreeMap;

/// What the tabs share.
#[derive(Default)]
pub(super) struct Disk {
    pub(super) rows: BTreeMap<Key, Row>,
    next: Key,
    pub(super) last: Option<(SessionId, u64)>,
}

/// The rows that were read.
pub(super) type Read = BTreeMap<Key, Row>;

/// A tab, its view, and the model of its client: rows it was fed, and batches under way.
pub(super) struct Tab {
    pub(super) tabs: Tabs,
    pub(super) view: BTreeMap<Key, Row>,
    pub(super) read: Option<Read>,
    inbox: VecDeque<Word>,
    /// What the database was asked for and has not answered yet.
    asks: VecDeque<Output>,
    /// What it has answered and the tab has not heard yet.
    pub(super) results: VecDeque<(Input, Option<Read>)>,
    client: Option<(SessionId, u64)>,
    /// The client's batch is under way.
    busy: bool,
    pub(super) fed: Vec<Key>,
    pub(super) commands: Vec<Command>,
    wants_lock: bool,
    pub(super) alive: bool,
    /// The browser has suspended it.
    pub(super) asleep: bool,
}

/// Some tabs of one browser, with a channel between them that keeps each sender's order.
pub(super) struct World {
    pub(super) disk: Disk,
    pub(super) tabs: Vec<Tab>,
    lock: Option<usize>,
    locks: bool,
    pub(super) now: Instant,
    runs: u64,
    dice: Dice,
}

impl World {
    pub(super) fn new(seed: u64, locks: bool) -> Self {
        Self {
            disk: Disk::default(),
            tabs: Vec::new(),
            lock: None,
            locks,
            now: Instant(0),
            runs: 0,
            dice: Dice::new(seed),
        }
    }

    pub(super) fn open(&mut self) -> usize {
        let i = self.tabs.len();
        self.tabs.push(Tab {
            tabs: Tabs::new(i as u64 + 1, self.locks),
            view: BTreeMap::new(),
            read: None,
            inbox: VecDeque::new(),
            asks: VecDeque::new(),
            results: VecDeque::new(),
            client: None,
            busy: false,
            fed: Vec::new(),
            commands: Vec::new(),
            wants_lock: false,
            alive: true,
            asleep: false,
        });
        self.feed(i, Input::Start);
        i
    }

    pub(super) fn feed(&mut self, i: usize, input: Input) {
        let outputs = self.tabs[i].tabs.handle(self.now, input);
        for output in outputs {
            self.carry_out(i, output);
        }
    }

    fn carry_out(&mut self, i: usize, output: Output) {
        match output {
            Output::Say(word) => {
                for (j, tab) in self.tabs.iter_mut().enumerate() {
                    if j != i && tab.alive {
                        tab.inbox.push_back(word.clone());
                    }
                }
            }
            Output::WantLock { steal: false } => self.tabs[i].wants_lock = true,
            Output::WantLock { steal: true } => {
                self.tabs[i].wants_lock = false;
                if let Some(robbed) = self.lock.replace(i) {
                    self.tabs[robbed].results.push_back((Input::Fenced, None));
                }
                self.tabs[i].results.push_back((Input::Granted, None));
            }
            Output::Load | Output::Fetch(_) | Output::Sweep => self.tabs[i].asks.push_back(output),
            Output::Present => {
                self.tabs[i].view = self.tabs[i].read.clone().expect("something was read");
            }
            Output::Lead { run } => {
                let tab = &mut self.tabs[i];
                tab.client = Some((run, 0));
                tab.busy = false;
                tab.fed = tab.read.clone().unwrap().into_keys().collect();
            }
            Output::Resign => {
                self.tabs[i].client = None;
                if self.lock == Some(i) {
                    self.lock = None;
                }
            }
            Output::Apply(writes) => {
                for write in writes {
                    match write {
                        Write::PutRow(row) => drop(self.tabs[i].view.insert(row.key, row)),
                        Write::DeleteRow(key) => drop(self.tabs[i].view.remove(&key)),
                        _ => {}
                    }
                }
            }
            Output::Row(row) => {
                let last = self.tabs[i].fed.iter().max();
                assert!(last.is_none_or(|last| *last < row.key), "twice, or overtaken: {row:?}");
                self.tabs[i].fed.push(row.key);
            }
            Output::Command(command) => {
                self.tabs[i].commands.push(command);
                self.commit(i, Vec::new());
                self.feed(i, Input::Fed);
            }
            Output::Leading(_) | Output::Show(_) | Output::Woke | Output::Tick => {}
        }
    }

    /// The database carries out the oldest wish of a tab, which hears of it later.
    fn answer(&mut self, i: usize) {
        let result = match self.tabs[i].asks.pop_front() {
            Some(Output::Load) => {
                self.runs += 1;
                let loaded = Input::Loaded {
                    last: self.disk.last,
                    keys: self.disk.rows.keys().copied().collect(),
                    ready: true,
                    run: run(self.runs),
                };
                (loaded, Some(self.disk.rows.clone()))
            }
            Some(Output::Fetch(asked)) => {
                let rows = asked.iter().filter_map(|key| self.disk.rows.get(key));
                let rows = rows.cloned().collect();
                (Input::Fetched { asked, rows }, None)
            }
            Some(Output::Sweep) => {
                let keys = self.disk.rows.keys().copied().collect();
                (Input::Swept(keys), None)
            }
            _ => return,
        };
        self.tabs[i].results.push_back(result);
    }

    /// The database fails to read for the oldest wish of a tab.
    fn fail(&mut self, i: usize) {
        let failed = match self.tabs[i].asks.front() {
            Some(Output::Fetch(asked)) => Input::NotFetched(asked.clone()),
            Some(Output::Sweep) => Input::NotSwept,
            _ => return,
        };
        self.tabs[i].asks.pop_front();
        self.tabs[i].results.push_back((failed, None));
    }

    /// The tab hears what the database has answered.
    fn result(&mut self, i: usize) {
        let Some((input, read)) = self.tabs[i].results.pop_front() else {
            return;
        };
        if read.is_some() {
            self.tabs[i].read = read;
        }
        let committed = matches!(input, Input::Committed { .. });
        self.feed(i, input);
        if committed {
            self.tabs[i].busy = false;
            self.feed(i, Input::Fed);
        }
    }

    fn hear(&mut self, i: usize) {
        if let Some(word) = self.tabs[i].inbox.pop_front() {
            self.feed(i, Input::Heard(word));
        }
    }

    /// A tab adds a row. `told` is whether it lives to hear of the commit.
    pub(super) fn add(&mut self, i: usize, told: bool) {
        self.disk.next += 1;
        let row = row(self.disk.next);
        self.disk.rows.insert(row.key, row.clone());
        if told {
            let added = (Input::Added(vec![row]), None);
            self.tabs[i].results.push_back(added);
        }
    }

    /// The leader's client commits a batch.
    fn commit(&mut self, i: usize, writes: Vec<Write>) {
        let Some((run, batch)) = self.tabs[i].client else {
            return;
        };
        if self.locks && self.lock != Some(i) {
            return; // Another tab has raised the generation; this one will hear of it.
        }
        if std::mem::replace(&mut self.tabs[i].busy, true) {
            return;
        }
        let token = batch + 1;
        self.tabs[i].client = Some((run, token));
        self.disk.last = Some((run, token));
        for write in &writes {
            match write {
                Write::PutRow(row) => drop(self.disk.rows.insert(row.key, row.clone())),
                Write::DeleteRow(key) => drop(self.disk.rows.remove(key)),
                _ => {}
            }
        }
        self.feed(i, Input::Issued(token));
        let committed = (Input::Committed { token, writes }, None);
        self.tabs[i].results.push_back(committed);
    }

    /// The client makes something of a row it was fed: it is sent, or done with.
    pub(super) fn progress(&mut self, i: usize) {
        let fed: Vec<Key> = self.tabs[i].fed.clone();
        let held: Vec<Key> =
            fed.into_iter().filter(|key| self.disk.rows.contains_key(key)).collect();
        if held.is_empty() {
            return;
        }
        let key = held[usize::try_from(self.dice.up_to(held.len() as u64 - 1)).unwrap()];
        let sent = matches!(self.disk.rows[&key].state, RowState::Sent { .. });
        let write = if sent {
            Write::DeleteRow(key)
        } else {
            let state = RowState::Sent { n: key };
            Write::PutRow(Row { state, ..row(key) })
        };
        self.commit(i, vec![write]);
    }

    pub(super) fn close(&mut self, i: usize) {
        let tab = &mut self.tabs[i];
        tab.alive = false;
        tab.client = None;
        tab.wants_lock = false;
        tab.inbox.clear();
        tab.asks.clear();
        tab.results.clear();
        if self.lock == Some(i) {
            self.lock = None;
        }
    }

    fn grant(&mut self) {
        let waiting = self.tabs.iter().position(|tab| tab.wants_lock && tab.alive);
        if let (None, Some(i)) = (self.lock, waiting) {
            self.lock = Some(i);
            self.tabs[i].wants_lock = false;
            self.feed(i, Input::Granted);
        }
    }

    pub(super) fn alive(&self) -> Vec<usize> {
        let mut alive: Vec<usize> = (0..self.tabs.len()).collect();
        alive.retain(|i| self.tabs[*i].alive && !self.tabs[*i].asleep);
        alive
    }

    pub(super) fn wake_all(&mut self) {
        for tab in &mut self.tabs {
            tab.asleep = false;
        }
    }

    pub(super) fn leaders(&self) -> Vec<usize> {
        let mut alive = self.alive();
        alive.retain(|i| self.tabs[*i].client.is_some());
        alive
    }

    /// Everything said is heard and everything asked is answered, for so long.
    pub(super) fn settle(&mut self, millis: u64) {
        for _ in 0..millis / 500 {
            for _ in 0..50 {
                self.grant();
                for i in self.alive() {
                    self.hear(i);
                    self.answer(i);
                    self.result(i);
                }
            }
            self.now = self.now + Millis(500);
            for i in self.alive() {
                if self.tabs[i].tabs.deadline().is_some_and(|at| at <= self.now) {
                    self.feed(i, Input::Tick);
                }
            }
        }
    }

    pub(super) fn step(&mut self) {
        let alive = self.alive();
        let i = alive[usize::try_from(self.dice.up_to(alive.len() as u64 - 1)).unwrap()];
        match self.dice.up_to(32) {
            0 if self.tabs.len() < 12 => drop(self.open()),
            1 if alive.len() > 1 => self.close(i),
            2 if alive.len() > 1 => {
                self.add(i, false);
                self.close(i);
            }
            3..=5 => self.add(i, true),
            6 => self.feed(i, Input::Command(Command::RetryNow)),
            7 => self.feed(i, Input::Woke),
            8..=11 => self.answer(i),
            12..=14 => {
                if let Some(leader) = self.leaders().first() {
                    self.progress(*leader);
                }
            }
            15 => self.grant(),
            16..=19 => self.result(i),
            20 if alive.len() > 1 => self.tabs[i].asleep = true,
            21 => self.wake_all(),
            22..=23 => {
                self.now = self.now + Millis(700);
                self.feed(i, Input::Tick);
            }
            24..=25 => self.fail(i),
            _ => self.hear(i),
        }
    }
}
