//! The attempts of jobs.

use super::{rows::limit, sql};
use crate::engine::{
    jobs::rows::Seq,
    sqlite::rows::{int, number},
};
use holdfast_common::{
    job::{Attempt, limits::ATTEMPTS_KEPT},
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

/// See [`Rows::add_attempt`](crate::engine::jobs::rows::Rows::add_attempt).
pub(super) fn add(db: &Connection, job: Seq, attempt: &Attempt) -> Result<()> {
    let row = params![
        job,
        attempt.attempt,
        int(attempt.fence),
        int(attempt.at.0),
        int(attempt.took.0),
        attempt.lapsed,
        attempt.consumer,
        attempt.error,
    ];
    let n: i64 = db.prepare_cached(sql::ADD_ATTEMPT)?.query_row(row, |row| row.get(0))?;
    let old = n - limit(ATTEMPTS_KEPT);
    if old > 0 {
        db.prepare_cached(sql::OLD_ATTEMPTS)?.execute((job, old))?;
    }
    Ok(())
}

pub(super) fn all(db: &Connection, job: Seq) -> Result<Vec<Attempt>> {
    db.prepare_cached(sql::ATTEMPTS)?.query_map([job], read)?.collect()
}

pub(super) fn last(db: &Connection, job: Seq) -> Result<Option<Attempt>> {
    db.prepare_cached(sql::LAST_ATTEMPT)?.query_row([job], read).optional()
}

fn read(row: &Row<'_>) -> Result<Attempt> {
    Ok(Attempt {
        attempt: row.get(0)?,
        fence: number(row, 1)?,
        at: Timestamp(number(row, 2)?),
        took: Millis(number(row, 3)?),
        lapsed: row.get(4)?,
        consumer: row.get(5)?,
        error: row.get(6)?,
    })
}
