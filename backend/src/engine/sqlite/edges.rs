//! Where the writer meets the world: the end of the process, and a transaction's ends.

use rusqlite::Connection;

/// Ends the process when nothing can be promised any more.
pub trait Fatal: Send + Sync {
    /// Ends it. Where it returns, as in tests, the writer refuses all that comes.
    fn end(&self, why: &str);
}

/// Says why and ends the process with code 1. What was acked is on the disk; the rest comes again.
#[derive(Debug, Clone, Copy)]
pub struct ExitProcess;

impl Fatal for ExitProcess {
    fn end(&self, why: &str) {
        tracing::error!("{why}: ending the process, what was acked is on the disk");
        std::process::exit(1);
    }
}

/// How the writer's transactions begin and end. A seam for tests, which put faults here.
pub trait Commits: Send {
    /// Begins one.
    ///
    /// # Errors
    /// SQLite's.
    fn begin(&mut self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)
    }

    /// Commits it.
    ///
    /// # Errors
    /// SQLite's.
    fn commit(&mut self, db: &Connection) -> rusqlite::Result<()> {
        db.prepare_cached("COMMIT")?.execute([]).map(drop)
    }
}

/// Just that.
#[derive(Debug, Clone, Copy)]
pub struct PlainCommits;

impl Commits for PlainCommits {}
