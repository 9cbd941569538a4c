//! What the writing thread holds of queues, so that calls of one batch do not read and store the same
//! rows again and again.
//!
//! 1. That thread alone changes these rows, so what it holds is what stands there once the batch is
//!    [stored](Held::store).
//! 2. It is stored before anything is committed or released, and [forgotten](Held::forget) with whatever
//!    is taken back.
//! 3. Of fences it stores one that is ahead of those that are given, so that a batch seldom has to: what
//!    is left of them is skipped where it is forgotten, as by a restart.

use super::{row, sql};
use crate::engine::{
    jobs::rows::{Queue, Seq, Swept},
    sqlite::rows::int,
};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// How many fences are given for one that is stored.
const FENCES: u64 = 1_024;

/// Queues as the batch has left them, and how far fences may go.
#[derive(Debug, Default)]
pub(in crate::engine::sqlite) struct Held(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// With whether it is to be stored.
    queues: BTreeMap<Seq, (Queue, bool)>,
    /// The last one that was given, and the stored one that none may go beyond.
    fences: Option<(u64, u64)>,
    /// That one is to be stored.
    rose: bool,
    /// Of what was overdue at the time of the batch.
    swept: Swept,
}

impl Held {
    /// A batch begins, at another time than the last one.
    pub(in crate::engine::sqlite) fn begin(&self) {
        self.state().swept = Swept::default();
    }

    /// Stores what has changed.
    pub(in crate::engine::sqlite) fn store(&self, db: &Connection) -> Result<()> {
        let mut state = self.state();
        for (queue, changed) in state.queues.values_mut().filter(|(_, changed)| *changed) {
            count(db, queue)?;
            *changed = false;
        }
        if let Some((_, stored)) = state.fences.filter(|_| state.rose) {
            db.prepare_cached(sql::KEEP_FENCE)?.execute([stored.cast_signed()])?;
            state.rose = false;
        }
        Ok(())
    }

    /// What was done since the last time it was stored has not happened. The time that it took has gone by
    /// all the same.
    pub(in crate::engine::sqlite) fn forget(&self) {
        let mut state = self.state();
        let swept = Swept { all: false, jobs: state.swept.jobs };
        *state = State { swept, ..State::default() };
    }

    pub(super) fn swept(&self) -> Swept {
        self.state().swept
    }

    pub(super) fn keep_swept(&self, swept: Swept) {
        self.state().swept = swept;
    }

    pub(super) fn queue(&self, db: &Connection, seq: Seq) -> Result<Option<Queue>> {
        let mut state = self.state();
        if let Some((queue, _)) = state.queues.get(&seq) {
            return Ok(Some(queue.clone()));
        }
        let read = db.prepare_cached(sql::QUEUE)?.query_row([seq], row::queue).optional()?;
        Ok(state.read(read))
    }

    pub(super) fn named(&self, db: &Connection, ns: &str, name: &str) -> Result<Option<Queue>> {
        let mut state = self.state();
        let is_it = |queue: &Queue| queue.info.ns == ns && queue.info.name == name;
        if let Some((queue, _)) = state.queues.values().find(|(queue, _)| is_it(queue)) {
            return Ok(Some(queue.clone()));
        }
        let mut select = db.prepare_cached(sql::QUEUE_NAMED)?;
        Ok(state.read(select.query_row([ns, name], row::queue).optional()?))
    }

    /// A queue's row, of which the settings stand in the database already.
    pub(super) fn keep(&self, queue: &Queue) {
        self.state().queues.insert(queue.seq, (queue.clone(), true));
    }

    /// The next one.
    pub(super) fn fence(&self, db: &Connection) -> Result<u64> {
        let mut state = self.state();
        let (last, mut stored) = match state.fences {
            Some(fences) => fences,
            None => {
                let mut select = db.prepare_cached(sql::FENCE)?;
                let stored = select.query_row([], |row| row.get::<_, i64>(0))?.cast_unsigned();
                (stored, stored)
            }
        };
        if last == stored {
            (stored, state.rose) = (stored + FENCES, true);
        }
        state.fences = Some((last + 1, stored));
        Ok(last + 1)
    }

    /// A panic under the lock ends the writing thread.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn read(&mut self, read: Option<Queue>) -> Option<Queue> {
        if let Some(queue) = &read {
            self.queues.insert(queue.seq, (queue.clone(), false));
        }
        read
    }
}

/// Stores what a queue counts and what its rate goes by.
fn count(db: &Connection, queue: &Queue) -> Result<()> {
    let counts = &queue.info.counts;
    let row = params![
        queue.seq,
        int(queue.tat.0),
        int(counts.ready),
        int(counts.delayed),
        int(counts.behind),
        int(counts.leased),
        int(counts.done),
        int(counts.dead),
    ];
    db.prepare_cached(sql::COUNT_QUEUE)?.execute(row).map(drop)
}
