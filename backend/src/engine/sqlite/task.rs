//! What is handed to the writer and the readers: a piece of work, and who waits for its answer.

use holdfast_common::storage::Fault;
use rusqlite::{Connection, ErrorCode, ffi};
use std::sync::mpsc::{SyncSender, TrySendError};
use tokio::sync::oneshot;

/// Why a piece of work did not come to its end.
#[derive(Debug)]
pub(super) enum Problem {
    /// SQLite said so.
    Sql(rusqlite::Error),
    /// Something else did.
    Other(Fault),
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Other(fault)
    }
}

impl Problem {
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Sql(error) => fault(&error),
            Self::Other(fault) => fault,
        }
    }
}

/// What SQLite's error is for the one who asked, where nothing of it has happened.
pub(super) fn fault(error: &rusqlite::Error) -> Fault {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
    // The index of the write-ahead log is a file that has to grow as well.
    if full || extended == ffi::SQLITE_IOERR_SHMSIZE {
        Fault::Full
    } else {
        Fault::Failed(error.to_string())
    }
}

/// Whether a write may be lost that the system had taken. Nothing can be promised after that.
pub(super) fn is_failed_fsync(error: &rusqlite::Error) -> bool {
    let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
    matches!(extended, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC)
}

/// A piece of work with its type worn off.
pub(super) trait Task: Send {
    /// Does it, and keeps the result until it may be told.
    fn run(&mut self, db: &Connection) -> Result<(), Problem>;
    /// Tells the result, or the fault that took it back.
    fn answer(self: Box<Self>, fault: Option<Fault>);
    /// Whether it has removed content.
    fn removes(&self) -> bool;
}

pub(super) type Queue = SyncSender<Box<dyn Task>>;

struct Ask<T, W> {
    work: W,
    result: Option<T>,
    removes: fn(&T) -> bool,
    asker: oneshot::Sender<Result<T, Fault>>,
}

impl<T, W> Task for Ask<T, W>
where
    T: Send,
    W: FnMut(&Connection) -> Result<T, Problem> + Send,
{
    fn run(&mut self, db: &Connection) -> Result<(), Problem> {
        self.result = Some((self.work)(db)?);
        Ok(())
    }

    fn answer(self: Box<Self>, fault: Option<Fault>) {
        let answer = match (fault, self.result) {
            (Some(fault), _) => Err(fault),
            (None, Some(result)) => Ok(result),
            (None, None) => Err(Fault::Failed("it was never run".to_owned())),
        };
        // Nobody may be waiting any more; what was done stays done.
        let _ = self.asker.send(answer);
    }

    fn removes(&self) -> bool {
        self.result.as_ref().is_some_and(self.removes)
    }
}

/// Queues the work at once and returns its answer to come. `removes` says of it whether content was
/// removed. `lost` is what it means when the
/// thread ends without one.
pub(super) fn ask<T, W>(
    queue: Option<&Queue>,
    removes: fn(&T) -> bool,
    lost: Fault,
    work: W,
) -> impl Future<Output = Result<T, Fault>> + Send + use<T, W>
where
    T: Send + 'static,
    W: FnMut(&Connection) -> Result<T, Problem> + Send + 'static,
{
    let (asker, answer) = oneshot::channel();
    let task = Box::new(Ask { work, result: None, removes, asker });
    let stopped = || Fault::Failed("the storage has stopped".to_owned());
    let queued = queue.ok_or_else(stopped).and_then(|queue| {
        queue.try_send(task).map_err(|error| match error {
            TrySendError::Full(_) => Fault::Overloaded,
            TrySendError::Disconnected(_) => stopped(),
        })
    });
    async move {
        queued?;
        answer.await.unwrap_or(Err(lost))
    }
}
