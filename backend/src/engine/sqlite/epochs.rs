//! New epochs for logs that were set back.

use super::{jobs::clock::skip_fences, open::OpenError};
use crate::{clock, engine::fresh_epoch};
use rusqlite::{Connection, TransactionBehavior};

/// Gives every log a new epoch in one transaction, tombstones' too. Offsets and marks stay: what
/// stands in a log stands where it stood, and a client that asks finds its events there.
pub(super) fn renew(db: &mut Connection) -> Result<usize, OpenError> {
    let change = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let rooms: Vec<i64> = change
        .prepare("SELECT seq FROM rooms")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for room in &rooms {
        let epoch = fresh_epoch(clock::wall()).map_err(OpenError::Chance)?;
        change
            .prepare_cached("UPDATE rooms SET epoch = ?2 WHERE seq = ?1")?
            .execute((room, epoch.as_bytes()))?;
    }
    skip_fences(&change, clock::wall())?;
    change.commit()?;
    Ok(rooms.len())
}
