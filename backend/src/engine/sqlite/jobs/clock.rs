//! What the database keeps of the store's clock.

use super::sql;
use crate::engine::{
    jobs::clock::First,
    sqlite::rows::{int, number},
};
use holdfast_common::{
    job::{StoreTime, clock::Kept},
    time::Timestamp,
};
use rusqlite::{Connection, Result};

/// What was kept, unless the store is new.
pub(in crate::engine::sqlite) fn kept(db: &Connection) -> Result<Option<Kept>> {
    let kept = db.query_row(sql::CLOCK, [], |row| {
        Ok(Kept { at: StoreTime(number(row, 0)?), wall: Timestamp(number(row, 1)?) })
    })?;
    Ok(Some(kept).filter(|kept| kept.wall > Timestamp(0)))
}

/// What a batch writes before anything else.
pub(in crate::engine::sqlite) fn write(db: &Connection, first: First) -> Result<()> {
    if let Some(gap) = first.gap {
        db.prepare_cached(sql::GIVE)?.execute([int(gap.0)])?;
    }
    if let Some(kept) = first.kept {
        db.prepare_cached(sql::KEEP_CLOCK)?.execute((int(kept.at.0), int(kept.wall.0)))?;
    }
    Ok(())
}

/// The folder was set back: fences go on above all that were given out since, so that whoever
/// compares them elsewhere takes the newer one for the newer one.
pub(in crate::engine::sqlite) fn skip_fences(db: &Connection) -> Result<()> {
    db.prepare_cached(sql::SKIP_FENCES)?.execute([]).map(drop)
}
