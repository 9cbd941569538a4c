//! A browser profile: the database, the lock and the channel that its tabs share.
//!
//! The database takes transactions in the order in which they began. A strict one is on the disk
//! when it is told; what came after the last strict one is lost with the power.

use crate::{
    ledger::{Book, Ledger},
    tab::{Event, Tab},
};
use holdfast_common::{
    client::{Batch, Held, Key, NotWritten, Row, RowState, Write},
    frame::Entry,
    id::{RoomId, SessionId, WriterId},
    planted::{Planted, planted},
    proof::Database,
    tabs::TabId,
};
use std::collections::VecDeque;

/// The database as one moment has it, with the run and the number of the last batch in it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub database: Database,
    pub last: Option<(SessionId, u64)>,
}

/// A transaction that has begun.
#[derive(Debug)]
pub enum Tx {
    /// By a tab that takes the lead: it raises the generation, and has a writer id for the case that
    /// something is damaged.
    Load {
        takes: Option<WriterId>,
    },
    Commit {
        run: SessionId,
        batch: Batch,
    },
    Add(Held),
    Fetch(Vec<Key>),
    Sweep,
    /// The second half of a batch whose cursor was written first: a planted fault.
    Entries(RoomId, Vec<Entry>),
}

impl Tx {
    fn writes(&self) -> bool {
        matches!(self, Self::Commit { .. } | Self::Add(_))
    }
}

pub struct Profile {
    pub book: Book,
    pub stored: Stored,
    /// As it would be read after a loss of power.
    pub safe: Stored,
    /// The books of those who are not signed in now.
    pub others: VecDeque<(Book, Stored)>,
    pub tabs: Vec<Tab>,
    /// Whether the browser has locks.
    pub locks: bool,
    /// Who has the lock, by which request, and who waits for it.
    pub lock: Option<(TabId, u64)>,
    pub waiting: VecDeque<(TabId, u64)>,
    pub under_way: VecDeque<(TabId, Tx)>,
    /// The tab whose client was made last.
    pub leader: Option<TabId>,
    /// Transactions that write fail like this.
    pub fails: Option<NotWritten>,
    /// So many readings more of rows fail.
    pub unread: usize,
    /// A part of the database is damaged.
    pub damaged: bool,
    /// A copy of the database, of whose book it is and when it was made.
    pub copy: Option<(Book, Stored, u64)>,
}

impl Profile {
    pub fn new(book: Book, database: Database, locks: bool) -> Self {
        let stored = Stored { database, last: None };
        Self {
            book,
            safe: stored.clone(),
            stored,
            others: VecDeque::new(),
            tabs: Vec::new(),
            locks,
            lock: None,
            waiting: VecDeque::new(),
            under_way: VecDeque::new(),
            leader: None,
            fails: None,
            unread: 0,
            damaged: false,
            copy: None,
        }
    }

    pub fn tab(&mut self, id: TabId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == id)
    }

    pub fn database(&self) -> &Database {
        &self.stored.database
    }

    fn post(&mut self, id: TabId, event: Event) {
        if let Some(tab) = self.tab(id) {
            tab.events.push_back(event);
        }
    }

    /// What a tab says is heard by all others.
    pub fn say(&mut self, from: TabId, text: &str) {
        for tab in self.tabs.iter_mut().filter(|tab| tab.id != from) {
            tab.heard.push_back(text.to_owned());
        }
    }

    pub fn want_lock(&mut self, id: TabId, number: u64, steal: bool) {
        self.give_back(id);
        if let (true, Some((robbed, theirs))) = (steal, self.lock) {
            self.post(robbed, Event::Stolen(theirs));
            self.lock = None;
        }
        if steal {
            self.waiting.push_front((id, number));
        } else {
            self.waiting.push_back((id, number));
        }
    }

    /// The lock goes back, and a wish for it is taken back.
    pub fn give_back(&mut self, id: TabId) {
        self.waiting.retain(|(who, _)| *who != id);
        self.lock = self.lock.filter(|(who, _)| *who != id);
    }

    pub fn can_grant(&self) -> bool {
        self.lock.is_none() && !self.waiting.is_empty()
    }

    pub fn grant(&mut self) {
        if let Some((id, number)) = self.waiting.pop_front() {
            self.lock = Some((id, number));
            self.post(id, Event::Granted(number));
        }
    }

    /// A tab is gone. `aborts` says whether the transactions that it had begun go with it.
    pub fn gone(&mut self, id: TabId, aborts: bool) {
        self.tabs.retain(|tab| tab.id != id);
        self.give_back(id);
        if aborts {
            self.under_way.retain(|(who, _)| *who != id);
        }
    }

    /// Whether a reading fails.
    fn unreadable(&mut self, tx: &Tx) -> bool {
        let fails = self.unread > 0 && matches!(tx, Tx::Fetch(_) | Tx::Sweep);
        self.unread -= usize::from(fails);
        fails
    }

    /// The oldest transaction ends.
    pub fn transact(&mut self, ledger: &mut Ledger) {
        let Some((id, tx)) = self.under_way.pop_front() else {
            return;
        };
        if let Some(why) = self.fails.filter(|_| tx.writes()) {
            ledger.counts.add("storage: a transaction fails");
            return match tx {
                Tx::Commit { run, batch } => {
                    self.post(id, Event::Committed { run, token: batch.token, result: Err(why) });
                }
                _ => self.post(id, Event::NotAdded),
            };
        }
        if self.unreadable(&tx) {
            ledger.counts.add("storage: rows cannot be read");
            return match tx {
                Tx::Fetch(asked) => self.post(id, Event::NotFetched(asked)),
                _ => self.post(id, Event::NotSwept),
            };
        }
        match tx {
            Tx::Load { takes: Some(_) } if self.fails == Some(NotWritten::Failed) => {
                ledger.counts.add("storage: not loaded");
                self.post(id, Event::NotLoaded);
            }
            Tx::Load { takes } => {
                if let Some(writer) = takes.filter(|_| self.fails.is_none()) {
                    self.stored.database.generation += u64::from(!planted(Planted::TakesUnfenced));
                    if std::mem::take(&mut self.damaged) {
                        self.stored.database.mend(writer);
                        self.safe = self.stored.clone();
                        ledger.counts.add("storage: mended");
                    }
                }
                let stored = Box::new(self.stored.clone());
                self.post(id, Event::Content(stored));
            }
            Tx::Commit { run, batch } => self.commit(id, run, batch, ledger),
            Tx::Add(event) => {
                let row = self.stored.database.add(event);
                ledger.held(self.book, &row.event, &self.stored.database);
                self.safe = self.stored.clone();
                self.post(id, Event::Added(row));
            }
            Tx::Fetch(asked) => {
                let rows = asked.iter().filter_map(|key| self.stored.database.rows.get(key));
                let rows = rows.cloned().collect();
                self.post(id, Event::Fetched { asked, rows });
            }
            Tx::Entries(room, entries) => {
                self.stored.database.entries.entry(room).or_default().extend(entries);
            }
            Tx::Sweep => {
                let keys = self.stored.database.rows.keys().copied().collect();
                self.post(id, Event::Swept(keys));
            }
        }
    }

    fn split(&mut self, id: TabId, batch: &mut Batch) {
        for write in &mut batch.writes {
            if let Write::Entries { room, entries, .. } = write {
                let later = Tx::Entries(*room, std::mem::take(entries));
                self.under_way.push_front((id, later));
            }
        }
    }

    fn commit(&mut self, id: TabId, run: SessionId, mut batch: Batch, ledger: &mut Ledger) {
        let (token, strict, writes) = (batch.token, batch.strict, batch.writes.clone());
        if batch.generation == self.stored.database.generation {
            ledger.commits(self.book, &self.stored.database, &batch);
        }
        if planted(Planted::CursorBeforeEntries) {
            self.split(id, &mut batch);
        }
        let result = match self.stored.database.commit(batch) {
            Err(why) => {
                ledger.counts.add("storage: a tab is fenced");
                Err(why)
            }
            Ok(added) => {
                self.stored.last = Some((run, token));
                if strict {
                    self.safe = self.stored.clone();
                }
                let mut keys = added.iter();
                let as_row = |event| {
                    let key = keys.next().expect("each event became a row").key;
                    Write::PutRow(Row { key, event, state: RowState::Queued })
                };
                let writes = with_rows(writes, as_row);
                Ok((writes, added))
            }
        };
        self.post(id, Event::Committed { run, token, result });
    }
}

fn with_rows(writes: Vec<Write>, mut as_row: impl FnMut(Held) -> Write) -> Vec<Write> {
    let told = writes.into_iter().map(|write| match write {
        Write::AddRow(event) => as_row(event),
        write => write,
    });
    told.collect()
}
