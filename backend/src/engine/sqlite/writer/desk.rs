//! What the [writing thread](super) does.

use super::last_fault::LastFault;
use crate::engine::{
    jobs::clock::{Look, Ticks},
    sqlite::{
        checkpoint::Log,
        jobs::{clock, held::Held},
        open::Options,
        task::{Problem, Task, fault, is_failed_fsync},
    },
};
use holdfast_common::storage::Fault;
use rusqlite::Connection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

/// Writes that are committed together at most.
pub(super) const BATCH: usize = 512;

/// How long the tasks of a transaction may run, but for the last of them: one may be a thousand jobs, and
/// all wait for what is committed with theirs.
pub(super) const TURN: Duration = Duration::from_millis(50);

/// The writer as its thread holds it.
pub(super) struct Desk {
    pub(super) db: Connection,
    pub(super) options: Options,
    pub(super) ticks: Arc<Ticks>,
    pub(super) held: Arc<Held>,
    pub(super) waiting: Receiver<Box<dyn Task>>,
    /// What the last transaction had no time for.
    pub(super) left: Batch,
    pub(super) log: Log,
    pub(super) last_fault: LastFault,
    pub(super) commits: Arc<AtomicU64>,
    /// When the write-ahead log has to be emptied because of what was removed.
    pub(super) scrub_at: Option<Instant>,
    /// Set after a failed fsync.
    pub(super) ended: bool,
}

pub(super) type Batch = Vec<Box<dyn Task>>;

impl Desk {
    pub(super) fn work(mut self) {
        while let Some(batch) = self.next() {
            let removes = self.write(batch);
            if removes && self.scrub_at.is_none() {
                self.scrub_at = Some(Instant::now() + self.options.scrub_after);
            }
            self.tend_log();
        }
        if !self.ended
            && let Err(error) = self.close()
        {
            tracing::warn!(%error, "the write-ahead log was not emptied at the end");
        }
    }

    /// Stores what time it is, which may be a second ahead of what was stored last, and empties the
    /// log.
    fn close(&mut self) -> rusqlite::Result<bool> {
        if let Some(kept) = self.ticks.last().kept {
            clock::keep(&self.db, kept)?;
        }
        self.log.empty(&self.db)
    }

    /// What waits; empty when only the log has to be tended; `None` at the end.
    fn next(&mut self) -> Option<Batch> {
        let mut batch = std::mem::take(&mut self.left);
        match self.scrub_at {
            _ if !batch.is_empty() => {}
            None => batch.push(self.waiting.recv().ok()?),
            Some(at) => {
                match self.waiting.recv_timeout(at.saturating_duration_since(Instant::now())) {
                    Ok(task) => batch.push(task),
                    Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
        }
        batch.extend(self.waiting.try_iter().take(BATCH.saturating_sub(batch.len())));
        Some(batch)
    }

    /// Writes all of it, answers, and tells whether content was removed.
    fn write(&mut self, mut batch: Batch) -> bool {
        if batch.is_empty() {
            return false;
        }
        let written = if self.ended {
            Err(Fault::Failed("the storage ended after a failed fsync".to_owned()))
        } else {
            self.transact(&mut batch).inspect_err(|_| self.ticks.failed())
        };
        let faults = written.unwrap_or_else(|fault| vec![Some(fault); batch.len()]);
        let last = faults.iter().flatten().last().cloned();
        if let Some(fault) = &last {
            tracing::warn!(%fault, "a write failed");
        }
        self.last_fault.set(last);
        let removes = batch.iter().any(|task| task.removes());
        for (task, fault) in batch.into_iter().zip(faults) {
            task.answer(fault);
        }
        removes
    }

    /// One transaction. The inner faults are of single tasks, the outer one is of all of them.
    fn transact(&mut self, batch: &mut Batch) -> Result<Vec<Option<Fault>>, Fault> {
        let look = clock::look(&self.db, &self.ticks);
        let mut look = look.map_err(|error| self.failed(&error))?;
        let mut before = self.db.total_changes();
        self.begin(look)?;
        let faults = if self.run_all(batch)? {
            vec![None; batch.len()]
        } else {
            self.roll_back();
            before = self.db.total_changes();
            self.begin(look)?;
            self.run_each(batch)?
        };
        self.held.store(&self.db).map_err(|error| self.taken_back(&error))?;
        // Of a batch that has written nothing there is nothing to be synced, and no need for room.
        let wrote = self.db.total_changes() > before;
        look.kept = look.kept.filter(|_| wrote);
        if let Some(kept) = look.kept {
            clock::keep(&self.db, kept).map_err(|error| self.taken_back(&error))?;
        }
        match self.options.commits.commit(&self.db) {
            Ok(()) => {
                self.ticks.written(look);
                self.commits.fetch_add(u64::from(wrote), Relaxed);
                Ok(faults)
            }
            Err(error) => Err(self.not_committed(&error)),
        }
    }

    /// Begins one. If there was a gap the leases are given it before anything goes by them.
    fn begin(&mut self, look: Look) -> Result<(), Fault> {
        self.held.begin();
        let begun = self.options.commits.begin(&self.db);
        begun.map_err(|error| self.failed(&error))?;
        match look.gap {
            Some(gap) => clock::give(&self.db, gap).map_err(|error| self.taken_back(&error)),
            None => Ok(()),
        }
    }

    /// An error that takes all of the batch with it.
    fn taken_back(&mut self, error: &rusqlite::Error) -> Fault {
        self.roll_back();
        self.failed(error)
    }

    /// Runs all tasks up to one that fails; false if one did. Those that there is no time for are left. There is no
    /// savepoint for each: SQLite would keep a copy of every page that a task touches.
    fn run_all(&mut self, batch: &mut Batch) -> Result<bool, Fault> {
        let begun = Instant::now();
        for index in 0..batch.len() {
            if index > 0 && begun.elapsed() > TURN {
                self.left = batch.split_off(index);
                break;
            }
            match batch[index].run(&self.db) {
                Ok(()) => {}
                Err(Problem::Sql(error)) if is_failed_fsync(&error) => {
                    self.roll_back();
                    return Err(self.failed(&error));
                }
                Err(problem) => {
                    let fault = problem.fault();
                    tracing::debug!(%fault, "a batch is run again, each task by itself");
                    return Ok(false);
                }
            }
        }
        Ok(!self.db.is_autocommit())
    }

    /// Runs each task in a savepoint of its own. Those that there is no time for are left, in front of those that
    /// the first run has left.
    fn run_each(&mut self, batch: &mut Batch) -> Result<Vec<Option<Fault>>, Fault> {
        let (begun, mut faults) = (Instant::now(), Vec::with_capacity(batch.len()));
        while faults.len() < batch.len() {
            if !faults.is_empty() && begun.elapsed() > TURN {
                let left = batch.split_off(faults.len());
                self.left.splice(..0, left);
                break;
            }
            match self.in_savepoint(batch[faults.len()].as_mut()) {
                Ok(fault) => faults.push(fault),
                Err(fault) => {
                    self.roll_back();
                    return Err(fault);
                }
            }
        }
        Ok(faults)
    }

    /// Runs one task. The inner fault is its own; the outer one took the transaction with it.
    fn in_savepoint(&mut self, task: &mut dyn Task) -> Result<Option<Fault>, Fault> {
        self.run("SAVEPOINT task")?;
        let run = task.run(&self.db);
        let run = run.and_then(|()| Ok(self.held.store(&self.db)?));
        let own = run.err().map(|problem| match problem {
            Problem::Sql(error) => self.failed(&error),
            Problem::Other(fault) => fault,
        });
        if let Some(fault) = &own {
            if self.ended || self.db.is_autocommit() {
                return Err(fault.clone());
            }
            self.run("ROLLBACK TO task")?;
            self.held.forget();
        }
        self.run("RELEASE task")?;
        Ok(own)
    }

    fn run(&mut self, sql: &str) -> Result<(), Fault> {
        let run = self.db.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        run.map(drop).map_err(|error| self.failed(&error))
    }

    /// What an error before the commit is for those who asked. A transaction too large for the page
    /// cache is written to the log, and a log that begins anew is synced, before it is committed.
    fn failed(&mut self, error: &rusqlite::Error) -> Fault {
        if is_failed_fsync(error) {
            self.end(error);
        }
        fault(error)
    }

    /// What is known after a commit that failed.
    fn not_committed(&mut self, error: &rusqlite::Error) -> Fault {
        if is_failed_fsync(error) {
            self.end(error);
            return Fault::Unknown(error.to_string());
        }
        // What is kept of the clock tells the next batch, and what is kept of queues.
        self.ticks.doubt();
        self.held.forget();
        let fault = fault(error);
        let rolled_back = !self.db.is_autocommit() && self.roll_back();
        // A full disk did not take all frames of the commit, and the last of them is what makes it
        // one: nothing has happened, even where SQLite has rolled back by itself.
        if rolled_back || fault == Fault::Full { fault } else { Fault::Unknown(error.to_string()) }
    }

    /// Whether a transaction was open and is no more.
    fn roll_back(&self) -> bool {
        self.held.forget();
        !self.db.is_autocommit() && self.db.execute_batch("ROLLBACK").is_ok()
    }

    fn end(&mut self, error: &rusqlite::Error) {
        self.ended = true;
        self.options.fatal.end(&format!("an fsync failed ({error})"));
    }

    /// Writes the write-ahead log back where it has grown, and empties it where it holds what was
    /// removed, or where the disk is full: it may be what fills it.
    fn tend_log(&mut self) {
        if self.ended {
            return;
        }
        let now = Instant::now();
        let scrub = self.scrub_at.is_some_and(|at| at <= now);
        let tended = if scrub || self.last_fault.read() == Some(Fault::Full) {
            self.log.empty(&self.db)
        } else {
            self.log.keep_small(&self.db).map(|()| false)
        };
        match tended {
            Ok(emptied) => {
                if emptied {
                    self.scrub_at = None;
                }
            }
            Err(error) if is_failed_fsync(&error) => self.end(&error),
            // The log stays, whole; the next batch tries again.
            Err(error) => tracing::warn!(%error, "the write-ahead log was not written back"),
        }
        // Readers were in the way, or the disk is full. The attempt itself may have taken long.
        if self.scrub_at.is_some_and(|at| at <= now) {
            self.scrub_at = Some(Instant::now() + self.options.scrub_after);
        }
    }
}
