//! What the database keeps of the store's clock.

use super::sql;
use crate::engine::{
    jobs::clock::{Look, Ticks},
    sqlite::rows::{int, number},
};
use holdfast_common::{
    job::{StoreTime, clock::Kept},
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, Result};

/// What was kept, unless the store is new.
pub(in crate::engine::sqlite) fn kept(db: &Connection) -> Result<Option<Kept>> {
    let kept = db.query_row(sql::CLOCK, [], |row| {
        Ok(Kept { at: StoreTime(number(row, 0)?), wall: Timestamp(number(row, 1)?) })
    })?;
    Ok(Some(kept).filter(|kept| kept.wall > Timestamp(0)))
}

/// Looks at the clock for the next batch, once it is known what became of the one before.
pub(in crate::engine::sqlite) fn look(db: &Connection, ticks: &Ticks) -> Result<Look> {
    if ticks.doubts() {
        ticks.read(kept(db)?);
    }
    Ok(ticks.look())
}

/// Gives all leases the time in which nobody could have extended them.
pub(in crate::engine::sqlite) fn give(db: &Connection, gap: Millis) -> Result<()> {
    db.prepare_cached(sql::GIVE)?.execute([int(gap.0)]).map(drop)
}

pub(in crate::engine::sqlite) fn keep(db: &Connection, kept: Kept) -> Result<()> {
    let row = (int(kept.at.0), int(kept.wall.0));
    db.prepare_cached(sql::KEEP_CLOCK)?.execute(row).map(drop)
}

/// The folder was set back: fences go on above all that were given out since, so that whoever
/// compares them elsewhere takes the newer one for the newer one. A folder that is set back to the
/// same backup again gives out none that it has given out after the first time: they go on from the
/// wall clock's seconds, of which each has room for two million of them.
pub(in crate::engine::sqlite) fn skip_fences(db: &Connection, wall: Timestamp) -> Result<()> {
    let least = (wall.0 / 1_000) << 21;
    db.prepare_cached(sql::SKIP_FENCES)?.execute([int(least)]).map(drop)
}
