//! The threads that read.
//!
//! A read sees every write that was answered before it was asked for: each snapshot begins after the
//! tasks that read in it were taken.

use super::{
    open::OpenError,
    task::{self, Problem, Queue, Task, fault},
};
use crate::limits::WAITING_READS;
use holdfast_common::storage::Fault;
use rusqlite::Connection;
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread::{self, JoinHandle},
};

/// Threads that read what may take long, each with a connection of its own.
pub(super) const READERS: usize = 2;

/// Short reads that share a snapshot at most: a new one costs more than one of them.
pub(super) const SHORT_AT_ONCE: usize = 64;

/// Threads with a queue.
#[derive(Debug)]
pub(super) struct Readers {
    queue: Option<Queue>,
    threads: Vec<JoinHandle<()>>,
}

type Waiting = Arc<Mutex<Receiver<Box<dyn Task>>>>;

impl Readers {
    /// One thread for each connection; `at_once` is how many reads share a snapshot at most.
    pub(super) fn start(connections: Vec<Connection>, at_once: usize) -> Result<Self, OpenError> {
        let (queue, waiting) = sync_channel(WAITING_READS);
        let waiting: Waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for db in connections {
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new().name("holdfast-read".to_owned());
            threads.push(thread.spawn(move || serve(&db, &waiting, at_once))?);
        }
        Ok(Self { queue: Some(queue), threads })
    }

    /// Runs `work` in one snapshot.
    pub(super) fn ask<T, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, Fault>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let lost = Fault::Failed("the reading thread has ended".to_owned());
        task::ask(self.queue.as_ref(), |_| false, lost, work)
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn serve(db: &Connection, waiting: &Waiting, at_once: usize) {
    loop {
        let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Ok(first) = waiting.recv() else { return };
        let mut batch = vec![first];
        batch.extend(waiting.try_iter().take(at_once - 1));
        drop(waiting);
        for mut task in batch {
            let fault = begin(db).or_else(|| read(db, task.as_mut()));
            if let Some(fault) = &fault {
                tracing::warn!(%fault, "a read failed");
            }
            task.answer(fault);
        }
        // Where an error has ended it already there is nothing to be ended.
        if !db.is_autocommit()
            && let Err(error) = run(db, "ROLLBACK")
        {
            tracing::warn!(%error, "a snapshot was not given up");
        }
    }
}

/// Begins the snapshot, or the next one after an error that has ended it.
fn begin(db: &Connection) -> Option<Fault> {
    let begun = if db.is_autocommit() { run(db, "BEGIN") } else { Ok(()) };
    begun.err().map(|error| fault(&error))
}

/// A read that panics costs its asker alone.
fn read(db: &Connection, task: &mut dyn Task) -> Option<Fault> {
    match catch_unwind(AssertUnwindSafe(|| task.run(db))) {
        Ok(read) => read.err().map(Problem::fault),
        Err(_) => Some(Fault::Failed("the reading panicked".to_owned())),
    }
}

fn run(db: &Connection, sql: &str) -> rusqlite::Result<()> {
    db.prepare_cached(sql)?.execute([]).map(drop)
}
