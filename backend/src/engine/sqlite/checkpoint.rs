//! The write-ahead log, written back into the database's file.

use super::open::BUSY;
use rusqlite::{Connection, Result};
use std::time::Duration;

/// Pages that wait to be written back, at which they are: 16 MiB. Most appends touch pages that
/// earlier ones have touched, so the longer they wait, the fewer are written twice.
const WRITE_BACK_PAGES: i64 = 4_096;

/// Pages of the whole log at which it begins anew, even if that means to wait for the readers of
/// the moment: 64 MiB. Its file stays as long as it is: to overwrite it costs less than to lengthen it.
const LARGE_PAGES: i64 = 4 * WRITE_BACK_PAGES;

/// How long it waits for them: every write waits with it, and the next one tries again.
const READERS_WAIT: Duration = Duration::from_millis(50);

/// Writes the log back if it has grown.
pub(super) fn keep_small(db: &Connection) -> Result<()> {
    let now = run(db, "PRAGMA wal_checkpoint(NOOP)")?;
    if now.pages >= LARGE_PAGES {
        db.busy_timeout(READERS_WAIT)?;
        let begun_anew = run(db, "PRAGMA wal_checkpoint(RESTART)");
        db.busy_timeout(BUSY)?;
        begun_anew?;
    } else if now.pages - now.written_back >= WRITE_BACK_PAGES {
        run(db, "PRAGMA wal_checkpoint(PASSIVE)")?;
    }
    Ok(())
}

/// Writes all of the log back and cuts its file to nothing. False if a reader was in the way.
pub(super) fn empty(db: &Connection) -> Result<bool> {
    Ok(!run(db, "PRAGMA wal_checkpoint(TRUNCATE)")?.busy)
}

struct Log {
    busy: bool,
    pages: i64,
    written_back: i64,
}

fn run(db: &Connection, sql: &str) -> Result<Log> {
    db.prepare_cached(sql)?.query_row([], |row| {
        Ok(Log { busy: row.get(0)?, pages: row.get(1)?, written_back: row.get(2)? })
    })
}
