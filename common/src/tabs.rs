//! Which of a browser profile's tabs leads, and how the others follow it.
//!
//! One tab leads: it alone has a [`Client`](crate::client::Client), numbers and sends. It holds a
//! lock that the browser gives to one tab at a time; where there are no locks, the tab that came
//! last leads, and the generation in the database fences the one before. The other tabs follow.
//! They show what the leader says, add rows to the outbox themselves and hint at them, and ask the
//! leader for everything else.
//!
//! # How a follower stays exact
//! The leader says every batch that it has committed, with its number, and the same number is in
//! the database, written by the batch's own transaction. So a tab that has read the database knows
//! which batches it has seen; it takes the next one, drops older ones, and at a hole or a new
//! leader it reads the database again. Rows that tabs add themselves are in no batch: the leader
//! says them as *extras* counted from the last batch.
//!
//! # How a row reaches the leader
//! A hint names a key, and the leader reads that row from the database, so a hint that comes late,
//! twice or never does no harm: now and then the leader sweeps the outbox for keys it does not know,
//! soon after a tab has said that it is about to add some, and at once where a row's key shows that
//! there may be one in front of it. A read that fails says nothing: what waits for it waits on, and it
//! comes again.
//!
//! # How a command reaches the leader
//! It is kept, and said again, until the leader says that what followed from it is committed. The
//! leader takes each (tab, number) once; a new leader may take one again, and every command means
//! the same when it is taken twice.

mod follow;
mod lead;
mod order;
mod parcel;
mod standing;
mod words;

pub use words::{Input, Output, Place, TabId, Word};

use crate::{
    client::{Command, Key, Link, Row, Show},
    id::SessionId,
    planted::{Planted, planted},
    sorted::Sorted,
    time::{Instant, Millis},
};
use standing::Standing;
use std::collections::VecDeque;

/// How often a follower lets itself be heard. A leader in the background has slow timers; a word
/// from another tab wakes it in time for its pings.
const BEAT: Millis = Millis(5_000);
/// How often a leader looks for rows that nobody hinted at, while other tabs are there.
const SWEEP: Millis = Millis(10_000);
/// … and how soon after another tab has begun to add some: it may be gone before it hints at them.
const SOON: Millis = Millis(2_000);
/// How long an unconfirmed command waits before it is said again.
const PATIENCE: Millis = Millis(2_000);
/// How long a follower that wants something waits for a leader's word before it leads itself. The
/// leader may be a tab that the browser has suspended together with its lock.
const SILENCE: Millis = Millis(5_000);
/// Words kept while the database is read; with more of them it is read again.
const HELD_WORDS: usize = 256;
/// Commands kept until they are confirmed; with more of them the oldest goes.
const HELD_COMMANDS: usize = 1_024;
/// Keys and tabs remembered to tell a repeat; with more of them the oldest goes.
const REMEMBERED: usize = 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Following,
    /// Leads as soon as the database is read.
    Taking,
    Leading(Place),
}

/// The machine.
#[derive(Debug)]
pub struct Tabs {
    tab: TabId,
    locks: bool,
    role: Role,
    /// The database is being read.
    loading: bool,
    /// … and must be read once more, since something has happened meanwhile.
    again: bool,
    /// The database could not be read, or not be written by the client.
    failed: bool,
    /// When it was tried again for another tab.
    tried: Option<Instant>,
    /// Another tab has wanted something since.
    wanted: bool,
    /// The view was told that this tab leads.
    told: bool,
    /// Where a follower stands; the extra is unknown after a read.
    stands: Option<(SessionId, u64, Option<u64>)>,
    held: VecDeque<Word>,
    /// Keys the leader has spoken of.
    mentioned: Sorted<Key, ()>,
    /// Keys the leader's client has.
    known: Sorted<Key, ()>,
    fetching: Sorted<Key, ()>,
    /// A read of the outbox has failed, and is to come again; with the rows that it was about.
    not_read: Option<Vec<Key>>,
    order: order::Order,
    /// Keys to look at once the database is read.
    hinted: Sorted<Key, ()>,
    asked: u64,
    unconfirmed: VecDeque<(u64, Command)>,
    confirming: lead::Confirming,
    takes: Vec<(TabId, u64)>,
    standing: Standing,
    /// Other tabs were heard.
    others: bool,
    /// The leader's client exists.
    ready: bool,
    /// When to beat, or to sweep.
    due: Option<Instant>,
    /// When to ask again.
    patience: Option<Instant>,
    /// Since when a leader's word is waited for.
    silence: Option<Instant>,
    out: Vec<Output>,
}

impl Tabs {
    /// A tab's machine. `locks` says whether the browser has locks.
    #[must_use]
    pub fn new(tab: TabId, locks: bool) -> Self {
        Self {
            tab,
            locks,
            role: if locks && !planted(Planted::LeadsWithoutLock) {
                Role::Following
            } else {
                Role::Taking
            },
            loading: false,
            again: false,
            failed: false,
            tried: None,
            wanted: false,
            told: false,
            stands: None,
            held: VecDeque::new(),
            mentioned: Sorted::default(),
            known: Sorted::default(),
            fetching: Sorted::default(),
            not_read: None,
            order: order::Order::default(),
            hinted: Sorted::default(),
            asked: 0,
            unconfirmed: VecDeque::new(),
            confirming: lead::Confirming::default(),
            takes: Vec::new(),
            standing: Standing::default(),
            others: false,
            ready: false,
            due: None,
            patience: None,
            silence: None,
            out: Vec::new(),
        }
    }

    /// Takes one input and says what is to be done.
    pub fn handle(&mut self, now: Instant, input: Input) -> Vec<Output> {
        match input {
            Input::Start => self.start(now),
            Input::Granted => self.take(),
            Input::Loaded { last, keys, ready, run } => self.loaded(now, last, keys, ready, run),
            Input::NotLoaded => self.not_loaded(),
            Input::Heard(word) => self.heard(now, word),
            Input::Woke => self.woke(now),
            Input::Command(command) => self.command(now, command),
            Input::Adding if self.role == Role::Following => {
                self.say(Word::Added { keys: Vec::new() });
            }
            Input::Adding => {}
            Input::Added(rows) => self.added(now, rows),
            Input::Fetched { asked, rows } => self.fetched(&asked, rows),
            Input::NotFetched(asked) => self.not_read(now, asked),
            Input::Swept(keys) => self.swept(keys),
            Input::NotSwept => {
                self.order.not_swept();
                self.not_read(now, Vec::new());
            }
            Input::Issued(token) => self.confirming.issued(token),
            Input::Committed { token, writes } => self.committed(token, writes),
            Input::Fed => self.fed(),
            Input::Show(show) => self.show(now, show),
            Input::Fenced => self.fenced(now),
            Input::Failed => self.failed = true,
            Input::Introduced if self.leads() => self.take(),
            Input::Introduced => {
                self.say(Word::Introduced);
                self.load();
            }
            Input::Tick => self.tick(now),
        }
        self.set_due(now);
        std::mem::take(&mut self.out)
    }

    /// When [`Input::Tick`] is due, if at all.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        [self.due, self.patience].into_iter().flatten().min()
    }

    /// Whether this tab leads.
    #[must_use]
    pub fn leads(&self) -> bool {
        matches!(self.role, Role::Leading(_))
    }

    /// Whether this tab leads as soon as the database is read.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.role == Role::Taking
    }

    fn start(&mut self, now: Instant) {
        if self.locks {
            self.out.push(Output::WantLock { steal: false });
            self.expect_word(now);
        }
        self.say(Word::Hello);
        self.load();
    }

    /// Leads as soon as the database is read: all of it from now on, so a read that is under way
    /// does not count.
    fn take(&mut self) {
        self.role = Role::Taking;
        (self.patience, self.silence) = (None, None);
        self.load();
    }

    fn load(&mut self) {
        self.failed = false;
        if self.loading {
            self.again = true;
        } else {
            self.loading = true;
            self.out.push(Output::Load);
        }
    }

    fn loaded(
        &mut self,
        now: Instant,
        last: Option<(SessionId, u64)>,
        keys: Vec<Key>,
        ready: bool,
        run: SessionId,
    ) {
        self.loading = false;
        if std::mem::take(&mut self.again) {
            return self.load();
        }
        self.out.push(Output::Present);
        if self.role == Role::Following {
            self.tell_leading(false);
            self.catch_up(now, last);
        } else {
            self.lead(keys, ready, run);
        }
    }

    fn not_loaded(&mut self) {
        self.loading = false;
        if std::mem::take(&mut self.again) {
            return self.load();
        }
        self.failed = true;
        self.out.push(Output::Show(Show::Link(Link::Blocked {
            why: None,
            storage: true,
            full: false,
        })));
    }

    fn heard(&mut self, now: Instant, word: Word) {
        self.others = true;
        match self.role {
            Role::Following => self.follow(now, word),
            Role::Taking => self.heard_taking(word),
            Role::Leading(place) => self.answer(now, place, word),
        }
    }

    /// Until it leads, a tab only notes what it will have to look at.
    fn heard_taking(&mut self, word: Word) {
        match word {
            Word::Added { keys } => self.hinted.extend(keys),
            Word::Introduced => self.load(),
            _ => {}
        }
    }

    /// The database failed before; somebody wants something, so it is tried again.
    fn try_again(&mut self) {
        if self.failed && self.leads() {
            self.take();
        } else if self.failed {
            self.load();
        }
    }

    fn woke(&mut self, now: Instant) {
        self.try_again();
        match self.role {
            Role::Leading(_) => {
                self.out.push(Output::Woke);
                self.read_keys();
            }
            Role::Following => {
                self.say(Word::Woke);
                self.say(Word::Hello);
                self.expect_word(now);
            }
            Role::Taking => {}
        }
    }

    fn command(&mut self, now: Instant, command: Command) {
        self.try_again();
        // Volatile: now or never.
        if matches!(command, Command::Signal { .. }) {
            return match self.role {
                Role::Leading(_) => self.out.push(Output::Command(command)),
                _ => self.ask(0, command),
            };
        }
        self.asked += 1;
        if self.unconfirmed.len() == HELD_COMMANDS {
            self.unconfirmed.pop_front();
        }
        self.unconfirmed.push_back((self.asked, command.clone()));
        if self.leads() {
            self.confirming.expect(self.tab, self.asked);
            self.out.push(Output::Command(command));
        } else {
            // In their order: a leader takes a later wish as a sign that it has had the earlier ones.
            self.ask_all();
            self.expect_word(now);
        }
    }

    fn added(&mut self, now: Instant, rows: Vec<Row>) {
        self.try_again();
        match self.role {
            Role::Leading(_) => self.new_rows(rows),
            Role::Taking => {
                self.hinted.extend(rows.iter().map(|row| row.key));
                // The tab may wait long for its turn to read; the row is shown at once.
                self.show_rows(rows);
            }
            Role::Following => self.added_following(now, rows),
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.patience.is_some_and(|until| now >= until) {
            self.patience = None;
            self.out_of_patience(now);
        }
        if self.due.is_some_and(|due| now >= due) {
            self.due = None;
            match self.role {
                Role::Leading(_) if std::mem::take(&mut self.wanted) => self.try_again(),
                Role::Leading(_) => self.sweep(),
                Role::Following => self.beat(now),
                Role::Taking => {}
            }
        }
    }

    fn set_due(&mut self, now: Instant) {
        match self.role {
            Role::Taking => self.due = None,
            Role::Leading(_) if !self.others && self.not_read.is_none() => self.due = None,
            Role::Leading(_) => self.due = self.due.or(Some(now + SWEEP)),
            Role::Following => self.due = self.due.or(Some(now + BEAT)),
        }
    }

    fn say(&mut self, word: Word) {
        self.out.push(Output::Say(word));
    }

    fn tell_leading(&mut self, leads: bool) {
        if self.told != leads {
            self.told = leads;
            self.out.push(Output::Leading(leads));
        }
    }
}

#[cfg(test)]
mod tests;
