//! The thread that writes.
//!
//! 1. It waits for a task and takes along all that wait, up to [`BATCH`].
//! 2. It begins one transaction and runs each task in it. Where one fails, which is seldom, all of
//!    it is rolled back and run again, each task in a savepoint: the one that fails is rolled back
//!    alone. It looks whether the transaction is still open, since SQLite may have rolled all of it
//!    back by itself: then nothing of the batch has happened.
//! 3. It commits, which is one fsync, and then answers all.
//! 4. A commit that failed is answered as what is known of it: not done where that is certain,
//!    else unknown. A failed fsync ends the process.
//! 5. After the answers it writes the write-ahead log back where that has grown.

use super::{
    checkpoint::Log,
    jobs::{clock, held::Held},
    open::{OpenError, Options},
    task::{self, Problem, Queue, Task, fault, is_failed_fsync},
};
use crate::{
    engine::jobs::clock::{Look, Ticks},
    limits::WAITING_WRITES,
};
use holdfast_common::storage::Fault;
use rusqlite::Connection;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Writes that are committed together at most.
const BATCH: usize = 512;

/// How long after a removal the write-ahead log, which may still hold what was removed, is emptied.
pub(super) const SCRUB_AFTER: Duration = Duration::from_secs(1);

/// The writer as others hold it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<Queue>,
    last_fault: LastFault,
    commits: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// The fault of the last batch, if it had one.
type LastFault = Arc<Mutex<Option<Fault>>>;

impl Writer {
    pub(super) fn start(
        db: Connection,
        options: Options,
        ticks: Arc<Ticks>,
        held: Arc<Held>,
    ) -> Result<Self, OpenError> {
        let (queue, waiting) = sync_channel(WAITING_WRITES);
        let last_fault = LastFault::default();
        let commits = Arc::<AtomicU64>::default();
        let fatal = Arc::clone(&options.fatal);
        let desk = Desk {
            log: Log::watch(&db),
            db,
            options,
            ticks,
            held,
            waiting,
            last_fault: Arc::clone(&last_fault),
            commits: Arc::clone(&commits),
            // A server that was killed may have left something removed in the log.
            scrub_at: Some(Instant::now()),
            ended: false,
        };
        let thread = thread::Builder::new().name("holdfast-write".to_owned());
        let ended = Arc::clone(&last_fault);
        let thread = thread.spawn(move || {
            let worked = catch_unwind(AssertUnwindSafe(|| desk.work()));
            set(&ended, Some(Fault::Failed("the writing thread has ended".to_owned())));
            if worked.is_err() {
                fatal.end("the writing thread panicked");
            }
        })?;
        Ok(Self { queue: Some(queue), last_fault, commits, thread: Some(thread) })
    }

    pub(super) fn ask<T, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, Fault>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        self.submit(|_| false, work)
    }

    /// The same; `removes` tells of its answer whether content was removed.
    pub(super) fn submit<T, W>(
        &self,
        removes: fn(&T) -> bool,
        work: W,
    ) -> impl Future<Output = Result<T, Fault>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let lost = "the writing thread has ended".to_owned();
        task::ask(self.queue.as_ref(), removes, Fault::Unknown(lost), work)
    }

    pub(super) fn last_fault(&self) -> Option<Fault> {
        read(&self.last_fault)
    }

    /// Batches that were committed and had something in them to be synced.
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Relaxed)
    }
}

impl Drop for Writer {
    /// Lets what waits be written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The writer as its thread holds it.
struct Desk {
    db: Connection,
    options: Options,
    ticks: Arc<Ticks>,
    held: Arc<Held>,
    waiting: Receiver<Box<dyn Task>>,
    log: Log,
    last_fault: LastFault,
    commits: Arc<AtomicU64>,
    /// When the write-ahead log has to be emptied because of what was removed.
    scrub_at: Option<Instant>,
    /// Set after a failed fsync.
    ended: bool,
}

type Batch = Vec<Box<dyn Task>>;

impl Desk {
    fn work(mut self) {
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
        let first = match self.scrub_at {
            None => self.waiting.recv().ok()?,
            Some(at) => {
                match self.waiting.recv_timeout(at.saturating_duration_since(Instant::now())) {
                    Ok(task) => task,
                    Err(RecvTimeoutError::Timeout) => return Some(Vec::new()),
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
        };
        let mut batch = vec![first];
        batch.extend(self.waiting.try_iter().take(BATCH - 1));
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
        set(&self.last_fault, last);
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

    /// Runs all tasks up to one that fails; false if one did. There is no savepoint for each: SQLite
    /// would keep a copy of every page that a task touches.
    fn run_all(&mut self, batch: &mut Batch) -> Result<bool, Fault> {
        for task in batch {
            match task.run(&self.db) {
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

    /// Runs each task in a savepoint of its own.
    fn run_each(&mut self, batch: &mut Batch) -> Result<Vec<Option<Fault>>, Fault> {
        let run = batch.iter_mut().map(|task| self.in_savepoint(task.as_mut()));
        let faults: Result<_, _> = run.collect();
        if faults.is_err() {
            self.roll_back();
        }
        faults
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
        let tended = if scrub || read(&self.last_fault) == Some(Fault::Full) {
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

fn set(last_fault: &LastFault, fault: Option<Fault>) {
    *last_fault.lock().unwrap_or_else(PoisonError::into_inner) = fault;
}

fn read(last_fault: &LastFault) -> Option<Fault> {
    let last = last_fault.lock();
    last.unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests;
