//! The keys of enqueues.

use super::{rows::limit, sql};
use crate::engine::{
    jobs::rows::{Keyed, Seq},
    sqlite::{rows::int, task::Problem},
};
use holdfast_common::{id::JobId, job::StoreTime};
use rusqlite::{Connection, Result, Row};

/// What a key was used for, from a row.
pub(super) fn keyed(row: &Row<'_>) -> Result<Keyed> {
    Ok(Keyed { body_hash: row.get(0)?, jobs: read(&row.get::<_, Vec<u8>>(1)?) })
}

pub(super) fn write(jobs: &[JobId]) -> Vec<u8> {
    jobs.iter().flat_map(JobId::as_bytes).copied().collect()
}

fn read(bytes: &[u8]) -> Vec<JobId> {
    let (ids, _) = bytes.as_chunks::<16>();
    ids.iter().map(|id| JobId::from_bytes(*id)).collect()
}

/// See [`Rows::tend_keys`](crate::engine::jobs::rows::Rows::tend_keys).
pub(super) fn tend(
    db: &Connection,
    now: StoreTime,
    later: StoreTime,
    most: usize,
) -> std::result::Result<usize, Problem> {
    let mut select = db.prepare_cached(sql::OVER_KEYS)?;
    let key = |row: &Row<'_>| {
        let key: (Seq, [u8; 16], String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok((key, read(&row.get::<_, Vec<u8>>(3)?)))
    };
    let over: Vec<_> = select.query_map((int(now.0), limit(most)), key)?.collect::<Result<_>>()?;
    for ((queue, caller, key), jobs) in &over {
        let mut left = false;
        for job in jobs {
            let mut is_left = db.prepare_cached(sql::IS_THERE)?;
            left = is_left.query_row([job.as_bytes()], |row| row.get(0))?;
            if left {
                break;
            }
        }
        if left {
            let row = (queue, caller, key, int(later.0));
            db.prepare_cached(sql::KEEP_KEY)?.execute(row)?;
        } else {
            db.prepare_cached(sql::DROP_KEY)?.execute((queue, caller, key))?;
        }
    }
    Ok(over.len())
}
