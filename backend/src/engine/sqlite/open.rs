//! Opening a data folder: who may, in which form it is, and how SQLite is set.

use super::{
    edges::{Commits, ExitProcess, Fatal, PlainCommits},
    readers::READERS,
    writer::SCRUB_AFTER,
};
use crate::{clock::SystemClocks, engine::Clocks};
use holdfast_common::storage::Fault;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use rusqlite_migration::{M, Migrations};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The database's file in its folder.
const DATABASE: &str = "holdfast.db";
/// The file whose lock says that a server has the folder. Its content is of no matter.
const LOCK: &str = "holdfast.lock";

/// Each a step from one form of the folder to the next. A released one is never changed.
const MIGRATIONS: &[M<'_>] = &[
    M::up(include_str!("../../../migrations/0001_logs.sql")),
    M::up(include_str!("../../../migrations/0002_inboxes.sql")),
    M::up(include_str!("../../../migrations/0003_fewer_pages.sql")),
    M::up(include_str!("../../../migrations/0004_jobs.sql")),
    M::up(include_str!("../../../migrations/0005_queues.sql")),
    M::up(include_str!("../../../migrations/0006_webhooks.sql")),
    M::up(include_str!("../../../migrations/0007_schedules.sql")),
    M::up(include_str!("../../../migrations/0008_ids.sql")),
];

/// Earlier ones can lose a commit when the write-ahead log starts over.
const OLDEST_SQLITE: i32 = 3_051_003;

/// How long SQLite waits for a lock. Nobody holds one for long: there is one writer, and no other
/// server.
pub(super) const BUSY: Duration = Duration::from_secs(1);

/// Statements that are kept prepared, above the number there are.
const PREPARED: usize = 256;

/// Why a folder cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The library linked in is too old to be trusted.
    #[error("SQLite {0} is too old: 3.51.3 or later is needed")]
    OldSqlite(&'static str),
    /// Another server has the folder.
    #[error("another server is using the data folder {0}")]
    InUse(PathBuf),
    /// A later release has written the folder.
    #[error("the data folder {folder} has form {found}, this release knows up to {known}")]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Its form.
        found: i64,
        /// The last one this build knows.
        known: i64,
    },
    /// The file system cannot hold a write-ahead log.
    #[error("the data folder {0} is on a file system without a write-ahead log for SQLite")]
    NoWal(PathBuf),
    /// There is nothing in the folder to be opened.
    #[error("there is no database in the data folder {0}")]
    None(PathBuf),
    /// The system gave no random bytes.
    #[error("no epoch could be made: {0}")]
    Chance(Fault),
    /// A file or thread could not be made.
    #[error("the data folder cannot be used: {0}")]
    Io(#[from] io::Error),
    /// SQLite cannot read or set up the database.
    #[error("the database cannot be opened: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// An older folder could not be migrated.
    #[error("the database cannot be migrated: {0}")]
    Migration(#[from] rusqlite_migration::Error),
}

/// What may be put in place of the writer's own ways.
pub struct Options {
    /// What ends the process after a failed fsync.
    pub fatal: Arc<dyn Fatal>,
    /// How transactions begin and commit; tests put faults here.
    pub commits: Box<dyn Commits>,
    /// How long after a removal the write-ahead log is emptied.
    pub scrub_after: Duration,
    /// What the store's clock goes by.
    pub clocks: Arc<dyn Clocks>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            fatal: Arc::new(ExitProcess),
            commits: Box::new(PlainCommits),
            scrub_after: SCRUB_AFTER,
            clocks: Arc::new(SystemClocks),
        }
    }
}

/// A folder that is this server's now.
pub(super) struct Opened {
    pub(super) lock: File,
    pub(super) writer: Connection,
    pub(super) readers: Vec<Connection>,
    /// For short reads.
    pub(super) short: Connection,
}

pub(super) fn folder(folder: &Path) -> Result<Opened, OpenError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(OpenError::OldSqlite(rusqlite::version()));
    }
    make(folder)?;
    let lock = lock(folder)?;
    let file = folder.join(DATABASE);
    let mut writer = Connection::open(&file)?;
    check_form(folder, &writer)?;
    set_up_writer(folder, &writer)?;
    Migrations::from_slice(MIGRATIONS).to_latest(&mut writer)?;
    let readers = (0..READERS).map(|_| reader(&file)).collect::<Result<_, _>>()?;
    let short = reader(&file)?;
    Ok(Opened { lock, writer, readers, short })
}

/// The same where there has to be a database already.
pub(super) fn existing(path: &Path) -> Result<Opened, OpenError> {
    if !path.join(DATABASE).is_file() {
        return Err(OpenError::None(path.to_owned()));
    }
    folder(path)
}

/// Makes the folder, and its name in the one above it durable.
fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    match folder.canonicalize()?.parent() {
        Some(above) => File::open(above)?.sync_all(),
        None => Ok(()),
    }
}

/// The system lets go of the lock when the process ends, however it ends. It is not taken on the
/// database's own file: closing that would take SQLite's locks away.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = options.open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

/// Refuses a newer folder before anything in it is changed.
fn check_form(folder: &Path, db: &Connection) -> Result<(), OpenError> {
    let found: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(OpenError::Newer { folder: folder.to_owned(), found, known });
    }
    Ok(())
}

fn set_up_writer(folder: &Path, db: &Connection) -> Result<(), OpenError> {
    set_up(db)?;
    let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(OpenError::NoWal(folder.to_owned()));
    }
    // FULL: a commit is on the disk before it is answered. NORMAL loses the last ones.
    db.pragma_update(None, "synchronous", "full")?;
    db.pragma_update(None, "foreign_keys", true)?;
    // What is removed is overwritten.
    db.pragma_update(None, "secure_delete", true)?;
    // The writer does it itself, after it has answered, and hears of faults.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "cache_size", -32_768)?;
    Ok(())
}

fn reader(file: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file, flags)?;
    set_up(&db)?;
    db.pragma_update(None, "query_only", true)?;
    db.pragma_update(None, "cache_size", -8_192)?;
    Ok(db)
}

fn set_up(db: &Connection) -> Result<(), OpenError> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(PREPARED);
    // A plan hangs on no value that is bound. Else every new `LIMIT` has its statement planned again, which
    // takes longer than most take to run.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // No files elsewhere that could be full as well.
    db.pragma_update(None, "temp_store", "memory")?;
    Ok(())
}

/// A database of the newest form, without a folder.
#[cfg(test)]
pub(super) fn in_memory() -> Connection {
    let mut db = Connection::open_in_memory().expect("there is memory");
    set_up(&db).expect("there is nothing to be waited for");
    Migrations::from_slice(MIGRATIONS).to_latest(&mut db).expect("they are right");
    db
}
