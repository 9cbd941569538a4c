//! Jobs of a queue, page by page.

use super::{
    Work,
    rows::{Row, Rows},
    work::Worked,
};
use holdfast_common::{
    job::{Place, limits::LIST_JOBS},
    storage::jobs::{JobRead, ListAfter, ListQuery, Listed, Sieve},
};

/// A job's place in the order of those that are in the same place. Jobs that have ended are in the
/// falling order of it.
pub(in crate::engine) type At = (i64, i64);

/// Rows that are read at once.
const PART: usize = 100;

pub(in crate::engine) fn at(row: &Row) -> At {
    let first = match row.job.place {
        Place::Ready => -i64::from(row.priority),
        _ => row.job.due.0.cast_signed(),
    };
    (first, row.seq)
}

/// What is before the first one.
pub(in crate::engine) const fn start(place: Place) -> At {
    if place.ended() { (i64::MAX, i64::MAX) } else { (i64::MIN, i64::MIN) }
}

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn list(&self, query: &ListQuery) -> Worked<Option<Listed>, R> {
        let Some(queue) = self.rows.queue_named(&query.queue.ns, &query.queue.name)? else {
            return Ok(None);
        };
        let (mut page, mut looked, mut bytes) = (Listed::default(), 0, 0);
        let sieve = Fine::of(&query.sieve);
        let most = (query.limit as usize).clamp(1, LIST_JOBS);
        let is_it = |place: &Place| query.after.is_some_and(|after| after.place == *place);
        let gone_by = query.places.iter().position(is_it).unwrap_or(0);
        for place in &query.places[gone_by..] {
            let after = query.after.filter(|after| after.place == *place);
            let mut after = after.map_or(start(*place), |after| after.at);
            loop {
                let rows = self.rows.listed(queue.seq, *place, after, PART)?;
                let is_last = rows.len() < PART;
                for row in rows {
                    let rest = ListAfter { place: *place, at: after };
                    after = at(&row);
                    looked += 1;
                    if self.goes_through(&sieve, &row)? {
                        let mut job = self.show(row, queue.info.clone())?;
                        if query.last_attempt {
                            job.keep_last_attempt();
                        }
                        bytes += weight(&job);
                        if bytes > query.max_bytes && !page.jobs.is_empty() {
                            return Ok(Some(Listed { rest: Some(rest), ..page }));
                        }
                        page.jobs.push(job);
                    }
                    if page.jobs.len() == most || looked == LIST_JOBS {
                        page.rest = Some(ListAfter { at: after, ..rest });
                        return Ok(Some(page));
                    }
                }
                if is_last {
                    break;
                }
            }
        }
        Ok(Some(page))
    }

    pub(super) fn goes_through(&self, sieve: &Fine, row: &Row) -> Worked<bool, R> {
        if sieve.kind.is_some_and(|kind| *kind != row.kind) {
            return Ok(false);
        }
        let Some(text) = &sieve.error else { return Ok(true) };
        let last = self.rows.last_attempt(row.seq)?;
        let error = last.map_or_else(String::new, |attempt| attempt.error);
        Ok(error.to_lowercase().contains(text))
    }
}

/// A sieve that many go through.
pub(super) struct Fine<'a> {
    kind: Option<&'a String>,
    /// In small letters.
    error: Option<String>,
}

impl<'a> Fine<'a> {
    pub(super) fn of(sieve: &'a Sieve) -> Self {
        let Sieve { kind, error } = sieve;
        Self { kind: kind.as_ref(), error: error.as_ref().map(|text| text.to_lowercase()) }
    }
}

/// What a job adds to an answer.
pub(super) fn weight(job: &JobRead) -> usize {
    // With its numbers and names of members.
    let errors = job.attempts.iter().map(|it| it.error.len() + it.consumer.len() + 80);
    job.data.len() + job.outcome.as_ref().map_or(0, String::len) + errors.sum::<usize>()
}
