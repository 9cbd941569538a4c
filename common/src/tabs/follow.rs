//! A tab that follows: it takes what the leader says in order, and reads again where it cannot.

use super::{Output, PATIENCE, Place, REMEMBERED, Role, SILENCE, Tabs, Word};
use crate::{
    client::{Command, Row, Write},
    id::SessionId,
    time::Instant,
};

impl Tabs {
    pub(super) fn follow(&mut self, now: Instant, word: Word) {
        if matches!(
            word,
            Word::Leads { .. } | Word::Batch { .. } | Word::Rows { .. } | Word::Shown { .. }
        ) {
            self.be_patient(now);
        }
        match word {
            Word::Leads { place, shows } => {
                self.out.extend(shows.into_iter().map(Output::Show));
                self.ask_all();
                if self.loading {
                    self.led_while_loading(place);
                } else {
                    self.compare(place);
                }
            }
            Word::Batch { .. } | Word::Rows { .. } if self.loading => self.hold(word),
            Word::Batch { place, writes } => self.batch(place, writes),
            Word::Rows { place, rows } => self.rows(place, rows),
            Word::Shown { show, .. } => self.out.push(Output::Show(show)),
            Word::Taken { tab, n } if tab == self.tab => {
                self.unconfirmed.retain(|(kept, _)| *kept != n);
                self.be_patient(now);
            }
            Word::Introduced => self.load(),
            _ => {}
        }
    }

    /// The database was read: goes on from there with what was said meanwhile.
    pub(super) fn catch_up(&mut self, now: Instant, last: Option<(SessionId, u64)>) {
        self.stands = last.map(|(run, batch)| (run, batch, None));
        for word in std::mem::take(&mut self.held) {
            if self.loading {
                break; // A hole: what follows it will be read.
            }
            match word {
                // A leader that has committed nothing yet is not in the database. One that led before
                // the leader of what was read is over: its batches are in it.
                Word::Leads { place, .. } if place.batch == 0 => {
                    if self.stands.is_none_or(|(run, ..)| run < place.run) {
                        self.stands = Some((place.run, 0, None));
                    }
                }
                Word::Leads { place, .. } => {
                    let read = self.stands;
                    if read.is_none_or(|(run, batch, _)| run != place.run || batch < place.batch) {
                        self.load();
                    }
                }
                word => self.follow(now, word),
            }
        }
    }

    /// What is being read may be older than the leader. A leader that has just begun knows rows
    /// that are in no batch and in no extra, so all of it must be read after its first word.
    fn led_while_loading(&mut self, place: Place) {
        let heard = self
            .held
            .iter()
            .any(|word| matches!(word, Word::Leads { place: held, .. } if held.run == place.run));
        if place.batch == 0 && place.extra == 0 && !heard {
            self.again = true;
        }
        let shows = Vec::new();
        self.hold(Word::Leads { place, shows });
    }

    fn hold(&mut self, word: Word) {
        if self.held.len() == super::HELD_WORDS {
            self.held.clear();
            self.again = true;
        }
        self.held.push_back(word);
    }

    /// A leader says where it stands: nothing it has said before may have been missed.
    fn compare(&mut self, place: Place) {
        let same = self.stands.is_some_and(|(run, batch, extra)| {
            run == place.run
                && batch == place.batch
                && extra.is_none_or(|extra| extra == place.extra)
        });
        if !same {
            self.load();
            let shows = Vec::new();
            self.hold(Word::Leads { place, shows });
        }
    }

    fn batch(&mut self, place: Place, writes: Vec<Write>) {
        match self.stands {
            Some((run, batch, _)) if run == place.run && place.batch <= batch => {}
            Some((run, batch, _)) if run == place.run && place.batch == batch + 1 => {
                self.stands = Some((run, place.batch, Some(0)));
                self.apply(writes);
            }
            _ => self.load(),
        }
    }

    fn rows(&mut self, place: Place, rows: Vec<Row>) {
        let Some((run, batch, extra)) = self.stands else {
            return self.load();
        };
        if run != place.run || place.batch > batch {
            return self.load();
        }
        // Said before a batch that is applied already, so its rows were read with it.
        if place.batch < batch || extra.is_some_and(|extra| place.extra <= extra) {
            return;
        }
        if extra.is_some_and(|extra| place.extra != extra + 1) {
            return self.load();
        }
        self.stands = Some((run, batch, Some(place.extra)));
        self.apply(rows.into_iter().map(Write::PutRow).collect());
    }

    fn apply(&mut self, writes: Vec<Write>) {
        self.mentioned.extend(writes.iter().filter_map(|write| match write {
            Write::PutRow(row) => Some(row.key),
            Write::DeleteRow(key) => Some(*key),
            _ => None,
        }));
        while self.mentioned.len() > REMEMBERED {
            self.mentioned.pop_first();
        }
        self.out.push(Output::Apply(writes));
    }

    /// This tab's own rows are shown at once, unless the leader was faster.
    pub(super) fn added_following(&mut self, now: Instant, rows: Vec<Row>) {
        self.say(Word::Added { keys: rows.iter().map(|row| row.key).collect() });
        self.expect_word(now);
        if self.loading {
            self.again = true;
            return;
        }
        let new = rows.into_iter().filter(|row| !self.mentioned.has(row.key));
        self.show_rows(new.collect());
    }

    pub(super) fn ask(&mut self, n: u64, command: Command) {
        let tab = self.tab;
        self.say(Word::Ask { tab, n, command });
    }

    pub(super) fn ask_all(&mut self) {
        for (n, command) in self.unconfirmed.clone() {
            self.ask(n, command);
        }
    }

    /// Lets itself be heard. Without locks nothing comes to this tab when the one that leads is gone,
    /// so that one is asked for an answer.
    pub(super) fn beat(&mut self, now: Instant) {
        if self.locks {
            return self.say(Word::Beat);
        }
        self.say(Word::Hello);
        self.expect_word(now);
    }

    /// A leader is there; if it owes an answer, it has all the time again.
    fn be_patient(&mut self, now: Instant) {
        self.silence = None;
        self.patience = (!self.unconfirmed.is_empty()).then_some(now + PATIENCE);
    }

    /// Something was said that a leader answers, at the latest when it is asked again.
    pub(super) fn expect_word(&mut self, now: Instant) {
        self.silence = self.silence.or(Some(now));
        self.patience = self.patience.or(Some(now + PATIENCE));
    }

    pub(super) fn out_of_patience(&mut self, now: Instant) {
        if self.role != Role::Following {
            return;
        }
        if self.silence.is_none_or(|since| now < since + SILENCE) {
            self.say(Word::Hello);
            self.expect_word(now);
            return self.ask_all();
        }
        self.silence = None;
        if self.locks {
            self.out.push(Output::WantLock { steal: true });
        } else {
            self.take();
        }
    }
}
