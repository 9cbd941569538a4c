//! Commits that fail when they are told to.

use holdfast_backend::engine::sqlite::Commits;
use rusqlite::{Connection, Error, Result, ffi};
use std::sync::{
    Arc,
    atomic::{AtomicI32, AtomicU8, Ordering::SeqCst},
};

/// What becomes of a commit that fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Fails {
    /// Nothing was written.
    Before = 1,
    /// Everything was, though nobody can say so.
    After = 2,
    /// Nothing was written, and SQLite has rolled back by itself, as on a full disk.
    Undone = 3,
}

/// Commits the next of which may be made to fail.
#[derive(Clone, Default)]
pub(crate) struct Once(Arc<AtomicU8>);

impl Once {
    /// The next one fails so.
    pub(crate) fn fail(&self, how: Fails) {
        self.0.store(how as u8, SeqCst);
    }

    /// Whether none is to fail any more.
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(SeqCst) == 0
    }
}

impl Commits for Once {
    fn commit(&mut self, db: &Connection) -> Result<()> {
        let next = self.0.swap(0, SeqCst);
        let undone = next == Fails::Undone as u8;
        if undone {
            db.execute_batch("ROLLBACK")?;
        } else if next != Fails::Before as u8 {
            db.execute_batch("COMMIT")?;
        }
        let code = if undone { ffi::SQLITE_FULL } else { ffi::SQLITE_BUSY };
        let failed = Error::SqliteFailure(ffi::Error::new(code), None);
        if next == 0 { Ok(()) } else { Err(failed) }
    }
}

/// A disk that takes nothing for as long as it is told so.
#[derive(Clone, Default)]
pub(crate) struct Disk {
    /// What it says then: SQLite's code.
    says: Arc<AtomicI32>,
    /// What the connection had changed when the transaction began.
    before: u64,
}

impl Disk {
    pub(crate) fn takes_nothing(&self, code: i32) {
        self.says.store(code, SeqCst);
    }

    pub(crate) fn mends(&self) {
        self.says.store(0, SeqCst);
    }
}

impl Commits for Disk {
    fn begin(&mut self, db: &Connection) -> Result<()> {
        self.before = db.total_changes();
        db.execute_batch("BEGIN IMMEDIATE")
    }

    /// What has written nothing needs no room.
    fn commit(&mut self, db: &Connection) -> Result<()> {
        let code = self.says.load(SeqCst);
        if code != 0 && db.total_changes() > self.before {
            return Err(Error::SqliteFailure(ffi::Error::new(code), None));
        }
        db.execute_batch("COMMIT")
    }
}
