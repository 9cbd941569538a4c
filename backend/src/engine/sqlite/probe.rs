//! A write for its own sake.

use super::task::Problem;
use rusqlite::Connection;

/// What a writer that had a fault writes to try whether it can: about as much as a large event.
const BYTES: u32 = 64 * 1024;

/// Writes something, for who asks whether a write could be taken now. Never the same bytes: SQLite
/// would not write them again.
pub(super) fn write(db: &Connection) -> Result<(), Problem> {
    let sql = "INSERT OR REPLACE INTO probe (seq, filler) VALUES (1, randomblob(?1))";
    db.prepare_cached(sql)?.execute([BYTES])?;
    Ok(())
}
