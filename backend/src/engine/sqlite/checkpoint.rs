//! The write-ahead log, written back into the database's file.

use super::open::BUSY;
use rusqlite::{Connection, Result};
use std::{cell::Cell, time::Duration};

/// Pages that wait to be written back, at which they are: 16 MiB. Most appends touch pages that
/// earlier ones have touched, so the longer they wait, the fewer are written twice.
const WRITE_BACK_PAGES: i64 = 4_096;

/// Pages of the whole log at which it begins anew, even if that means to wait for the readers of
/// the moment: 64 MiB. Its file stays as long as it is: to overwrite it costs less than to lengthen it.
const LARGE_PAGES: i64 = 4 * WRITE_BACK_PAGES;

/// How long it waits for them: every write waits with it, and the next one tries again.
const READERS_WAIT: Duration = Duration::from_millis(50);

thread_local! {
    /// Pages of the log as of the last commit, which this thread made. A hook is a plain function: what it
    /// hears has to lie where that can reach it.
    static PAGES: Cell<i64> = const { Cell::new(0) };
}

/// The log, as the thread that writes knows it. To ask SQLite after each batch would have it plan the
/// question each time.
pub(super) struct Log {
    /// As of the last look.
    pages: i64,
    /// So many of them stand in the database's file. Too many for a while where the log has begun anew with
    /// a commit that is larger than all of it was: it is written back that much later.
    written_back: i64,
}

impl Log {
    /// Hears of each commit of this connection, on the thread that makes it.
    pub(super) fn watch(db: &Connection) -> Self {
        db.wal_hook(Some(|_, pages| {
            PAGES.set(pages.into());
            Ok(())
        }));
        Self { pages: 0, written_back: 0 }
    }

    /// Writes the log back if it has grown.
    pub(super) fn keep_small(&mut self, db: &Connection) -> Result<()> {
        let pages = PAGES.get();
        if pages < self.pages {
            self.written_back = 0;
        }
        self.pages = pages;
        if pages >= LARGE_PAGES {
            db.busy_timeout(READERS_WAIT)?;
            let written = run(db, "PRAGMA wal_checkpoint(RESTART)");
            db.busy_timeout(BUSY)?;
            if !written?.busy {
                PAGES.set(0);
            }
        } else if pages - self.written_back >= WRITE_BACK_PAGES {
            self.written_back = run(db, "PRAGMA wal_checkpoint(PASSIVE)")?.pages;
        }
        Ok(())
    }

    /// Writes all of the log back and cuts its file to nothing. False if a reader was in the way.
    pub(super) fn empty(&mut self, db: &Connection) -> Result<bool> {
        let emptied = !run(db, "PRAGMA wal_checkpoint(TRUNCATE)")?.busy;
        if emptied {
            PAGES.set(0);
            (self.pages, self.written_back) = (0, 0);
        }
        Ok(emptied)
    }
}

/// What SQLite says of a checkpoint.
struct Written {
    /// A reader was in the way.
    busy: bool,
    /// So many pages of the log stand in the database's file.
    pages: i64,
}

fn run(db: &Connection, sql: &str) -> Result<Written> {
    db.prepare_cached(sql)?
        .query_row([], |row| Ok(Written { busy: row.get(0)?, pages: row.get(2)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    const PAGE: usize = 4_096;
    const PAGES_EACH: i64 = 256;

    fn open(folder: &Path) -> Connection {
        let db = Connection::open(folder.join("db")).unwrap();
        db.pragma_update(None, "journal_mode", "wal").unwrap();
        db.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        db
    }

    /// Overwrites the same pages, one commit and one look each time.
    fn write(db: &Connection, log: &mut Log, times: i64) {
        let bytes = i64::try_from(PAGE).unwrap() * PAGES_EACH;
        for _ in 0..times {
            db.execute("INSERT OR REPLACE INTO one VALUES (1, randomblob(?1))", [bytes]).unwrap();
            log.keep_small(db).unwrap();
        }
    }

    fn pages_of_file(folder: &Path) -> i64 {
        let bytes = fs::metadata(folder.join("db-wal")).unwrap().len();
        i64::try_from(bytes).unwrap() / i64::try_from(PAGE).unwrap()
    }

    #[test]
    fn a_log_that_nobody_reads_is_written_back_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(folder.path());
        let mut log = Log::watch(&db);
        db.execute_batch("CREATE TABLE one (seq INTEGER PRIMARY KEY, data BLOB)").unwrap();
        write(&db, &mut log, 5 * WRITE_BACK_PAGES / PAGES_EACH);
        let pages = pages_of_file(folder.path());
        assert!(pages < WRITE_BACK_PAGES + 2 * PAGES_EACH, "{pages}");
        assert!(log.empty(&db).unwrap());
        assert_eq!(pages_of_file(folder.path()), 0);
    }

    #[test]
    fn a_log_that_somebody_reads_begins_anew_once_they_have_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (db, reader) = (open(folder.path()), open(folder.path()));
        let mut log = Log::watch(&db);
        db.execute_batch("CREATE TABLE one (seq INTEGER PRIMARY KEY, data BLOB)").unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM one").unwrap();
        write(&db, &mut log, 5 * WRITE_BACK_PAGES / PAGES_EACH);
        let grown = pages_of_file(folder.path());
        assert!(grown >= 5 * WRITE_BACK_PAGES, "{grown}");
        assert!(!log.empty(&db).unwrap());
        reader.execute_batch("COMMIT").unwrap();
        write(&db, &mut log, 2 * LARGE_PAGES / PAGES_EACH);
        // It stays as long as it was, and becomes no longer.
        assert!(pages_of_file(folder.path()) <= grown + 2 * PAGES_EACH);
        assert!(log.pages < LARGE_PAGES, "{}", log.pages);
    }
}
