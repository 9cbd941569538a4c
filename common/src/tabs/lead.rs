//! A tab that leads: it answers the others, and tells them all that its client does.

use super::{Output, PATIENCE, Place, Role, SOON, TabId, Tabs, Word};
use crate::{
    client::{Key, Row, Show, Write},
    id::SessionId,
    time::Instant,
};

/// Commands whose consequences are not committed yet. What a command changes is in the first
/// batch handed over after it, or in none.
#[derive(Debug, Default)]
pub(super) struct Confirming {
    issued: u64,
    done: u64,
    /// Who asked, which wish, and the batch that would hold its changes.
    waiting: Vec<(TabId, u64, u64)>,
}

impl Confirming {
    pub(super) fn issued(&mut self, token: u64) {
        self.issued = token;
    }

    pub(super) fn expect(&mut self, tab: TabId, n: u64) {
        self.waiting.push((tab, n, self.issued + 1));
    }

    fn waits(&self, tab: TabId, n: u64) -> bool {
        self.waiting.iter().any(|(who, which, _)| (*who, *which) == (tab, n))
    }

    /// Those that can be confirmed, once the client has taken all it was fed.
    fn settled(&mut self) -> Vec<(TabId, u64)> {
        let idle = self.issued == self.done;
        let done = self.done;
        let ready = self.waiting.extract_if(.., |(.., batch)| idle || *batch <= done);
        ready.map(|(tab, n, _)| (tab, n)).collect()
    }
}

impl Tabs {
    /// The database was read and this tab leads from here.
    pub(super) fn lead(&mut self, keys: Vec<Key>, ready: bool, run: SessionId) {
        let place = Place { run, batch: 0, extra: 0 };
        self.role = Role::Leading(place);
        self.ready = ready;
        self.known.clear();
        self.order = super::order::Order::from(&keys);
        self.known.extend(keys);
        self.fetching.clear();
        self.not_read = None;
        // A client's first batch is its generation's. What was wished before is not in it.
        self.confirming = Confirming { issued: u64::from(ready), ..Confirming::default() };
        self.takes.clear();
        self.standing = super::Standing::default();
        self.held.clear();
        self.mentioned.clear();
        self.due = None;
        self.tell_leading(true);
        self.say(Word::Leads { place, shows: Vec::new() });
        self.out.push(Output::Lead { run });
        let hinted = std::mem::take(&mut self.hinted);
        self.look_at(hinted.into_iter().map(|(key, ())| key).collect());
        for (n, command) in self.unconfirmed.clone() {
            self.confirming.expect(self.tab, n);
            self.out.push(Output::Command(command));
        }
    }

    pub(super) fn answer(&mut self, now: Instant, place: Place, word: Word) {
        if self.failed && !matches!(word, Word::Hello | Word::Beat | Word::Leads { .. }) {
            // Not at each word: the others say theirs again as soon as this tab leads, and where the
            // database fails at once that would have no end.
            match self.tried.filter(|at| now < *at + PATIENCE) {
                None => {
                    self.tried = Some(now);
                    self.try_again();
                }
                Some(at) => {
                    self.wanted = true;
                    self.due = Some(at + PATIENCE);
                }
            }
            return self.heard_taking(word); // The others ask again once this tab leads.
        }
        match word {
            Word::Hello => {
                let shows = self.standing.shows(now);
                self.say(Word::Leads { place, shows });
                self.sweep();
            }
            Word::Added { keys } if keys.is_empty() => self.sweep_soon(now),
            Word::Added { keys } => self.look_at(keys),
            Word::Ask { n: 0, command, .. } => self.out.push(Output::Command(command)),
            Word::Ask { tab, n, command } => {
                if self.first_time(tab, n) {
                    self.confirming.expect(tab, n);
                    self.out.push(Output::Command(command));
                } else if !self.confirming.waits(tab, n) {
                    self.say(Word::Taken { tab, n });
                }
            }
            Word::Introduced if !self.ready => self.take(),
            Word::Woke => self.out.push(Output::Woke),
            Word::Beat => self.out.push(Output::Tick),
            // Without locks the later run leads. The earlier one gives way before it is fenced.
            Word::Leads { place: other, .. } if !self.locks => {
                if other.run > place.run {
                    self.fenced(now);
                } else {
                    let shows = self.standing.shows(now);
                    self.say(Word::Leads { place, shows });
                }
            }
            _ => {}
        }
    }

    /// Whether this wish of a tab was not taken before.
    fn first_time(&mut self, tab: TabId, n: u64) -> bool {
        if let Some((_, taken)) = self.takes.iter_mut().find(|(who, _)| *who == tab) {
            let first = n > *taken;
            *taken = n.max(*taken);
            return first;
        }
        if self.takes.len() == super::REMEMBERED {
            self.takes.remove(0);
        }
        self.takes.push((tab, n));
        true
    }

    pub(super) fn committed(&mut self, token: u64, writes: Vec<Write>) {
        let Role::Leading(place) = &mut self.role else {
            return;
        };
        place.batch = token;
        place.extra = 0;
        let place = *place;
        self.confirming.done = token;
        for write in &writes {
            match write {
                Write::PutRow(row) => {
                    self.known.add(row.key);
                }
                Write::DeleteRow(key) => {
                    self.known.remove(key);
                }
                Write::Left(room) | Write::Lost(room) => self.standing.left(*room),
                _ => {}
            }
        }
        if self.others {
            let writes = writes.clone();
            self.say(Word::Batch { place, writes });
        }
        self.out.push(Output::Apply(writes));
    }

    pub(super) fn fed(&mut self) {
        for (tab, n) in self.confirming.settled() {
            if tab == self.tab {
                self.unconfirmed.retain(|(kept, _)| *kept != n);
            } else {
                self.say(Word::Taken { tab, n });
            }
        }
    }

    pub(super) fn show(&mut self, now: Instant, show: Show) {
        let Role::Leading(Place { run, .. }) = self.role else {
            return;
        };
        self.standing.take(now, &show);
        if self.others {
            let show = show.clone();
            self.say(Word::Shown { run, show });
        }
        self.out.push(Output::Show(show));
    }

    /// Reads the rows of these keys, unless the client has them.
    pub(super) fn look_at(&mut self, keys: Vec<Key>) {
        if !self.leads() {
            return;
        }
        let mut keys = keys;
        keys.retain(|key| !self.known.has(key) && self.fetching.add(*key));
        if !keys.is_empty() {
            self.out.push(Output::Fetch(keys));
        }
    }

    pub(super) fn fetched(&mut self, asked: &[Key], rows: Vec<Row>) {
        for key in asked {
            self.fetching.remove(key);
        }
        self.new_rows(rows);
    }

    /// The outbox's keys, or these rows, could not be read. Such a row is held for one that is still
    /// being fetched, so that nothing overtakes it.
    pub(super) fn not_read(&mut self, now: Instant, asked: Vec<Key>) {
        if self.leads() {
            self.not_read.get_or_insert_default().extend(asked);
            self.sweep_soon(now);
        }
    }

    /// The outbox's keys were read.
    pub(super) fn swept(&mut self, keys: Vec<Key>) {
        self.order.swept(&keys);
        self.look_at(keys);
        self.new_rows(Vec::new());
    }

    pub(super) fn new_rows(&mut self, mut rows: Vec<Row>) {
        if !self.leads() {
            return;
        }
        rows.retain(|row| self.known.add(row.key));
        self.order.wait(rows.clone());
        let fetching = self.fetching.keys().next().copied();
        let ready = self.order.ready(fetching);
        self.pass_on(ready);
        // It is held, however long it waits for its turn.
        rows.retain(|row| self.order.waits(row.key));
        self.show_rows(rows);
        // Another tab may have added one and never been heard: it is suspended, or was ended.
        if self.order.wants_sweep() {
            self.read_keys();
        }
    }

    fn pass_on(&mut self, rows: Vec<Row>) {
        let Role::Leading(place) = &mut self.role else {
            return;
        };
        if rows.is_empty() {
            return;
        }
        place.extra += 1;
        let place = *place;
        if self.others {
            let rows = rows.clone();
            self.say(Word::Rows { place, rows });
        }
        self.show_rows(rows.clone());
        self.out.extend(rows.into_iter().map(Output::Row));
    }

    pub(super) fn show_rows(&mut self, rows: Vec<Row>) {
        if !rows.is_empty() {
            self.out.push(Output::Apply(rows.into_iter().map(Write::PutRow).collect()));
        }
    }

    pub(super) fn sweep(&mut self) {
        let failed = self.not_read.take();
        if self.others || failed.is_some() {
            self.read_keys();
        }
        let keys = failed.unwrap_or_default();
        if !keys.is_empty() {
            self.out.push(Output::Fetch(keys));
        }
    }

    fn sweep_soon(&mut self, now: Instant) {
        let soon = now + SOON;
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }

    pub(super) fn read_keys(&mut self) {
        self.order.sweeps();
        self.out.push(Output::Sweep);
    }

    /// Another tab leads. This one waits for its turn, and starts over from the database.
    pub(super) fn fenced(&mut self, now: Instant) {
        if self.role == Role::Following {
            return;
        }
        self.role = Role::Following;
        self.stands = None;
        self.out.push(Output::Resign);
        self.tell_leading(false);
        if self.locks {
            self.out.push(Output::WantLock { steal: false });
            self.expect_word(now);
        }
        self.say(Word::Hello);
        self.load();
    }
}
