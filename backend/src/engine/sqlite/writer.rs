//! The thread that writes.
//!
//! 1. It waits for a task and takes along all that wait, up to [`BATCH`](desk::BATCH).
//! 2. It begins one transaction and runs each task in it; what its [`TURN`](desk::TURN) does not suffice for goes on in the
//!    next. Where one fails, which is seldom, all of
//!    it is rolled back and run again, each task in a savepoint: the one that fails is rolled back
//!    alone. It looks whether the transaction is still open, since SQLite may have rolled all of it
//!    back by itself: then nothing of the batch has happened.
//! 3. It commits, which is one fsync, and then answers all.
//! 4. A commit that failed is answered as what is known of it: not done where that is certain,
//!    else unknown. A failed fsync ends the process.
//! 5. After the answers it writes the write-ahead log back where that has grown.

mod desk;
mod last_fault;

use super::{
    checkpoint::Log,
    jobs::held::Held,
    open::{OpenError, Options},
    task::{self, Problem, Queue},
};
use crate::{engine::jobs::clock::Ticks, limits::WAITING_WRITES};
use desk::Desk;
use holdfast_common::storage::Fault;
use last_fault::LastFault;
use rusqlite::Connection;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::sync_channel,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long after a removal the write-ahead log, which may still hold what was removed, is emptied.
/// Not sooner, since jobs are removed all the time where they are not kept long: a log that has been cut has to
/// be lengthened again, and a commit that lengthens it takes a third longer than one that overwrites.
pub(super) const SCRUB_AFTER: Duration = Duration::from_secs(10);

/// The writer as others hold it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<Queue>,
    last_fault: LastFault,
    commits: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

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
            left: Vec::new(),
            last_fault: last_fault.clone(),
            commits: Arc::clone(&commits),
            // A server that was killed may have left something removed in the log.
            scrub_at: Some(Instant::now()),
            ended: false,
        };
        let thread = thread::Builder::new().name("holdfast-write".to_owned());
        let ended = last_fault.clone();
        let thread = thread.spawn(move || {
            let worked = catch_unwind(AssertUnwindSafe(|| desk.work()));
            ended.set(Some(Fault::Failed("the writing thread has ended".to_owned())));
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
        self.last_fault.read()
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

#[cfg(test)]
mod tests;
