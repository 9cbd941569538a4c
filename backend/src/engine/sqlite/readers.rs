//! The threads that read.

use super::{
    open::OpenError,
    task::{self, Problem, Queue, Task},
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

/// Threads that read, each with a connection of its own.
pub(super) const READERS: usize = 2;

#[derive(Debug)]
pub(super) struct Readers {
    queue: Option<Queue>,
    threads: Vec<JoinHandle<()>>,
}

type Waiting = Arc<Mutex<Receiver<Box<dyn Task>>>>;

impl Readers {
    pub(super) fn start(connections: Vec<Connection>) -> Result<Self, OpenError> {
        let (queue, waiting) = sync_channel(WAITING_READS);
        let waiting: Waiting = Arc::new(Mutex::new(waiting));
        let mut threads = Vec::new();
        for db in connections {
            let waiting = Arc::clone(&waiting);
            let thread = thread::Builder::new().name("holdfast-read".to_owned());
            threads.push(thread.spawn(move || serve(&db, &waiting))?);
        }
        Ok(Self { queue: Some(queue), threads })
    }

    /// Runs `work` in a snapshot of its own.
    pub(super) fn ask<T, W>(
        &self,
        work: W,
    ) -> impl Future<Output = Result<T, Fault>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Connection) -> Result<T, Problem> + Send + 'static,
    {
        let lost = Fault::Failed("the reading thread has ended".to_owned());
        task::ask(self.queue.as_ref(), false, lost, work)
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

fn serve(db: &Connection, waiting: &Waiting) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(mut task) = next else { return };
        // A read that panics costs its asker alone: its transaction is rolled back on the way.
        let read = catch_unwind(AssertUnwindSafe(|| snapshot(db, task.as_mut())));
        let fault = match read {
            Ok(Ok(())) => None,
            Ok(Err(problem)) => Some(problem.fault()),
            Err(_) => Some(Fault::Failed("the reading panicked".to_owned())),
        };
        if let Some(fault) = &fault {
            tracing::warn!(%fault, "a read failed");
        }
        task.answer(fault);
    }
}

fn snapshot(db: &Connection, task: &mut dyn Task) -> Result<(), Problem> {
    let transaction = db.unchecked_transaction()?;
    task.run(&transaction)?;
    Ok(transaction.finish()?)
}
