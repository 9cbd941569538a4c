//! Rows of queues and jobs, as they are read and stored.

use super::sql;
use crate::engine::{
    jobs::rows::{Queue, Row as JobRow},
    sqlite::rows::{id, int, number},
};
use holdfast_common::{
    id::{JobId, PersonId},
    job::{Holder, Job, Lease, Over, Place, Spent, StoreTime, Token, rate::Tat},
    storage::jobs::{Audit, By, Counts, Did, Progress, QueueInfo},
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, Error, Result, Row, params, types::Type};

/// A queue from a row.
pub(super) fn queue(row: &Row<'_>) -> Result<Queue> {
    let settings: String = row.get(3)?;
    let settings = serde_json::from_str(&settings).map_err(|error| wrong(3, error))?;
    let counts = Counts {
        ready: number(row, 7)?,
        delayed: number(row, 8)?,
        behind: number(row, 9)?,
        leased: number(row, 10)?,
        done: number(row, 11)?,
        dead: number(row, 12)?,
    };
    let (ns, name, paused) = (row.get(1)?, row.get(2)?, row.get(5)?);
    let info = QueueInfo { ns, name, settings, paused, counts };
    Ok(Queue { seq: row.get(0)?, info, own: row.get(4)?, tat: Tat(number(row, 6)?) })
}

/// Which column behind those of a job is its payload, where that is selected with it.
pub(super) const DATA: usize = 27;

/// A job from a row.
pub(super) fn job(row: &Row<'_>) -> Result<JobRow> {
    let place: u8 = row.get(6)?;
    let place = Place::of(place).ok_or_else(|| wrong(6, format!("{place} is no place")))?;
    let urgency: i8 = row.get(7)?;
    let progress: Option<u8> = row.get(20)?;
    let note = row.get(21)?;
    let job = Job {
        id: id(row, 1)?,
        place,
        due: StoreTime(number(row, 8)?),
        expires: optional(row, 9)?.map(StoreTime),
        group: row.get(10)?,
        attempt: row.get(11)?,
        most: row.get(12)?,
        snoozes: row.get(13)?,
        backoff: Millis(number(row, 14)?),
        lease: lease(row)?,
        last: spent(row, 22)?,
    };
    Ok(JobRow {
        seq: row.get(0)?,
        queue: row.get(2)?,
        job,
        kind: row.get(3)?,
        priority: -urgency,
        content: row.get(4)?,
        outcome: row.get(5)?,
        progress: progress.map(|percent| Progress { percent, note }),
        asker: person(row, 23)?,
        told: row.get(24)?,
        fence: number(row, 15)?,
        made: StoreTime(number(row, 25)?),
        said: row.get(26)?,
    })
}

/// What somebody did, from a row.
pub(super) fn audit(row: &Row<'_>) -> Result<Audit> {
    let job: Option<[u8; 16]> = row.get(5)?;
    Ok(Audit {
        seq: row.get(0)?,
        at: Timestamp(number(row, 1)?),
        by: By { person: id(row, 2)?, name: row.get(3)? },
        did: Did::from(row.get::<_, String>(4)?),
        job: job.map(JobId::from_bytes),
        jobs: number(row, 6)?,
        detail: row.get(7)?,
    })
}

fn lease(row: &Row<'_>) -> Result<Option<Lease>> {
    let Some(key) = optional(row, 16)? else {
        return Ok(None);
    };
    let holder = Holder { consumer: row.get(17)?, person: person(row, 18)? };
    let token = Token { fence: number(row, 15)?, key };
    Ok(Some(Lease { token, holder, since: StoreTime(number(row, 19)?) }))
}

fn person(row: &Row<'_>, column: usize) -> Result<Option<PersonId>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(PersonId::from_bytes))
}

fn optional(row: &Row<'_>, column: usize) -> Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(i64::cast_unsigned))
}

/// Stores a job that is new, and returns its number.
pub(super) fn add(db: &Connection, new: &JobRow) -> Result<i64> {
    let job = &new.job;
    db.prepare_cached(sql::ADD_JOB)?.insert(params![
        job.id.as_bytes(),
        new.queue,
        new.kind,
        new.content,
        new.outcome,
        job.place.number(),
        -new.priority,
        int(job.due.0),
        maybe(job.expires.map(|at| at.0)),
        job.group,
        job.attempt,
        job.most,
        job.snoozes,
        int(job.backoff.0),
        new.asker.as_ref().map(PersonId::as_bytes),
        new.told,
        int(new.made.0),
        new.said,
    ])
}

/// Stores what may change of a job.
pub(super) fn keep(db: &Connection, kept: &JobRow) -> Result<()> {
    let job = &kept.job;
    let lease = job.lease.as_ref();
    let progress = kept.progress.as_ref();
    db.prepare_cached(sql::KEEP_JOB)?.execute(params![
        kept.seq,
        kept.outcome,
        job.place.number(),
        int(job.due.0),
        maybe(job.expires.map(|at| at.0)),
        job.attempt,
        job.snoozes,
        int(kept.fence),
        maybe(lease.map(|lease| lease.token.key)),
        lease.map(|lease| &lease.holder.consumer),
        lease.and_then(|lease| lease.holder.person.as_ref()).map(PersonId::as_bytes),
        maybe(lease.map(|lease| lease.since.0)),
        progress.map(|progress| progress.percent),
        progress.and_then(|progress| progress.note.as_ref()),
        job.last.as_ref().map(write_spent),
        kept.told,
        kept.content,
    ])?;
    Ok(())
}

/// The lease that ended last: its fence, its key, what ended it, and of its consumer's word the digest.
fn write_spent(spent: &Spent) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(49);
    bytes.extend(spent.token.fence.to_be_bytes());
    bytes.extend(spent.token.key.to_be_bytes());
    match spent.over {
        Over::Ended(digest) => {
            bytes.push(0);
            bytes.extend(digest);
        }
        Over::Lapsed => bytes.push(1),
        Over::Cancelled => bytes.push(2),
    }
    bytes
}

fn spent(row: &Row<'_>, column: usize) -> Result<Option<Spent>> {
    let Some(bytes) = row.get::<_, Option<Vec<u8>>>(column)? else {
        return Ok(None);
    };
    read_spent(&bytes).map(Some).ok_or_else(|| wrong(column, "no lease that has ended"))
}

fn read_spent(bytes: &[u8]) -> Option<Spent> {
    let (fence, rest) = bytes.split_first_chunk()?;
    let (key, rest) = rest.split_first_chunk()?;
    let token = Token { fence: u64::from_be_bytes(*fence), key: u64::from_be_bytes(*key) };
    let over = match rest {
        [0, digest @ ..] => Over::Ended(digest.try_into().ok()?),
        [1] => Over::Lapsed,
        [2] => Over::Cancelled,
        _ => return None,
    };
    Some(Spent { token, over })
}

fn wrong(column: usize, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::FromSqlConversionFailure(column, Type::Blob, why.into())
}

/// A number that need not be there, as it is stored.
pub(super) fn maybe(number: Option<u64>) -> Option<i64> {
    number.map(int)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_that_has_ended_is_read_as_it_was_written() {
        let token = Token { fence: u64::MAX, key: 7 };
        for over in [Over::Ended([9; 32]), Over::Lapsed, Over::Cancelled] {
            let spent = Spent { token, over };
            assert_eq!(read_spent(&write_spent(&spent)), Some(spent));
        }
        for bytes in [&[][..], &[0; 16], &[3; 17], &[0; 48], &[0; 50]] {
            assert_eq!(read_spent(bytes), None);
        }
    }
}
