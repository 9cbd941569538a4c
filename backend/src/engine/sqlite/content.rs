//! Payloads, and how they are removed for good.
//!
//! SQLite's `secure_delete` overwrites a deleted row, but not the copies that it leaves in a page's
//! unused space when it moves rows between pages. So payloads stand in a table of their own that
//! grows at its end alone, where rows are never moved, and a removed one is overwritten by as many
//! bytes in its place. Its row goes when its entry is trimmed or its job removed, and what that moves
//! of the rows beside it stays until its space is used again, or until a `VACUUM`.

use rusqlite::{Connection, Result};

/// Stores a payload and returns its row.
pub(super) fn store(db: &Connection, data: &str) -> Result<i64> {
    db.prepare_cached("INSERT INTO contents (data) VALUES (?1)")?.insert([data])
}

/// Overwrites a payload in its place, and returns of how many bytes: a row of the same size is not moved.
pub(super) fn blank(db: &Connection, row: i64) -> Result<usize> {
    let bytes: u32 = db
        .prepare_cached("SELECT octet_length(data) FROM contents WHERE seq = ?1")?
        .query_row([row], |row| row.get(0))?;
    db.prepare_cached("UPDATE contents SET data = ?2 WHERE seq = ?1")?
        .execute((row, " ".repeat(bytes as usize)))?;
    Ok(bytes as usize)
}

/// Overwrites and deletes the payloads of the entries from one place to another.
pub(super) fn delete(db: &Connection, from: i64, to: i64) -> Result<()> {
    let mut select =
        db.prepare_cached("SELECT content FROM entries WHERE place BETWEEN ?1 AND ?2")?;
    let rows: Vec<i64> = select.query_map((from, to), |row| row.get(0))?.collect::<Result<_>>()?;
    remove(db, &rows)
}

/// Overwrites payloads and deletes them. All are overwritten first: to delete one may move others.
pub(super) fn remove(db: &Connection, rows: &[i64]) -> Result<()> {
    for row in rows {
        blank(db, *row)?;
    }
    drop_blank(db, rows)
}

/// Deletes payloads that were overwritten.
pub(super) fn drop_blank(db: &Connection, rows: &[i64]) -> Result<()> {
    let mut delete = db.prepare_cached("DELETE FROM contents WHERE seq = ?1")?;
    for row in rows {
        delete.execute([row])?;
    }
    Ok(())
}
