//! Schedules in SQLite.

use super::{
    SqliteEngine, content,
    rows::{id, int, number},
    task::Problem,
};
use crate::engine::{Answer, Schedules};
use async_trait::async_trait;
use holdfast_common::{
    id::{JobId, PersonId, ScheduleId},
    job::NewJob,
    storage::{
        Fault,
        jobs::By,
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, ScheduleState,
            Scheduled,
        },
    },
    time::{Millis, Timestamp},
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

#[async_trait]
impl Schedules for SqliteEngine {
    fn wall(&self) -> Timestamp {
        self.ticks.peek().wall
    }

    /// What is replaced leaves its payload.
    async fn set_schedule(&self, schedule: NewSchedule, by: By) -> Result<Scheduled, Fault> {
        let set = self.work_that(
            |(scheduled, _)| matches!(scheduled, Scheduled::Replaced(_)),
            move |work| work.set_schedule(&schedule, &by),
        );
        set.await.map(|(scheduled, _)| scheduled)
    }

    async fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Fault> {
        let (ns, name) = (ns.to_owned(), name.to_owned());
        self.read(move |work| work.schedule(&ns, &name)).await
    }

    async fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Fault> {
        let ns = ns.to_owned();
        self.read(move |work| work.schedules(&ns)).await
    }

    async fn change_schedule(
        &self,
        ns: &str,
        name: &str,
        change: ScheduleChange,
        by: By,
    ) -> Result<Option<Schedule>, Fault> {
        let (ns, name) = (ns.to_owned(), name.to_owned());
        let removes: fn(&_) -> bool =
            if change == ScheduleChange::Remove { |_| true } else { |_| false };
        let changed =
            self.work_that(removes, move |work| work.change_schedule(&ns, &name, &change, &by));
        changed.await.map(|(schedule, _)| schedule)
    }

    async fn due(&self) -> Result<Due, Fault> {
        self.read(|work| work.due()).await
    }

    async fn fire(&self, fire: Fire) -> Answer<Fired> {
        self.work_that(|_| false, move |work| work.fire(&fire)).await
    }
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.namespace, s.name, s.cron, q.name, s.kind, s.next, s.reason, s.last,
                s.made, s.who
             FROM schedules s JOIN queues q ON q.seq = s.queue ",
            $rest
        )
    };
}

const DUE: &str =
    select!("WHERE s.next IS NOT NULL AND s.next <= ?1 ORDER BY s.next, s.namespace, s.name");
const OF: &str = select!("WHERE s.namespace = ?1 ORDER BY s.name");
const NEXT: &str = "SELECT min(next) FROM schedules WHERE next IS NOT NULL AND next > ?1";
const FIND: &str =
    "SELECT s.id, s.namespace, s.name, s.cron, q.name, s.kind, s.next, s.reason, s.last,
        s.made, s.who, c.data, s.delay, s.priority, s.grp, s.most, s.backoff, s.expires, s.asker
    FROM schedules s JOIN queues q ON q.seq = s.queue JOIN contents c ON c.seq = s.content
    WHERE s.namespace = ?1 AND s.name = ?2";

pub(super) fn find(db: &Connection, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Problem> {
    Ok(db.prepare_cached(FIND)?.query_row([ns, name], read).optional()?)
}

pub(super) fn of(db: &Connection, ns: &str) -> Result<Vec<Schedule>, Problem> {
    let mut select = db.prepare_cached(OF)?;
    let schedules = select.query_map([ns], schedule)?;
    Ok(schedules.collect::<Result<_>>()?)
}

pub(super) fn due(db: &Connection, by: Timestamp) -> Result<Vec<Schedule>, Problem> {
    let mut select = db.prepare_cached(DUE)?;
    let schedules = select.query_map([int(by.0)], schedule)?;
    Ok(schedules.collect::<Result<_>>()?)
}

pub(super) fn next(db: &Connection, after: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let next = db.prepare_cached(NEXT)?.query_row([int(after.0)], |row| time(row, 0))?;
    Ok(next)
}

pub(super) fn count(db: &Connection) -> Result<u32, Problem> {
    let sql = "SELECT count(*) FROM schedules";
    Ok(db.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

pub(super) fn add(db: &Connection, read: &ScheduleRead, queue: i64) -> Result<(), Problem> {
    let ScheduleRead { schedule, job } = read;
    let (next, reason) = state(schedule);
    let sql = "INSERT INTO schedules
            (id, namespace, name, queue, cron, next, reason, last, made, who, kind, content, delay,
             priority, grp, most, backoff, expires, asker)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
    db.prepare_cached(sql)?.execute(params![
        schedule.id.as_bytes(),
        schedule.ns,
        schedule.name,
        queue,
        schedule.cron,
        next,
        reason,
        schedule.last.map(|at| int(at.0)),
        int(schedule.made.0),
        schedule.by.as_bytes(),
        job.kind,
        content::store(db, &job.data)?,
        int(job.delay.0),
        job.priority,
        job.group,
        job.most,
        job.backoff.map(|length| int(length.0)),
        job.expires.map(|length| int(length.0)),
        job.asker.as_ref().map(PersonId::as_bytes),
    ])?;
    Ok(())
}

pub(super) fn keep(db: &Connection, schedule: &Schedule) -> Result<(), Problem> {
    let (next, reason) = state(schedule);
    let last = schedule.last.map(|at| int(at.0));
    let sql = "UPDATE schedules SET next = ?2, reason = ?3, last = ?4 WHERE id = ?1";
    db.prepare_cached(sql)?.execute((schedule.id.as_bytes(), next, reason, last))?;
    Ok(())
}

pub(super) fn remove(db: &Connection, id: ScheduleId) -> Result<(), Problem> {
    let sql = "DELETE FROM schedules WHERE id = ?1 RETURNING content";
    let content = db.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0));
    if let Some(content) = content.optional()? {
        content::remove(db, &[content])?;
    }
    Ok(())
}

fn state(schedule: &Schedule) -> (Option<i64>, Option<&str>) {
    match &schedule.state {
        ScheduleState::Active { next } => (Some(int(next.0)), None),
        ScheduleState::Paused { reason } => (None, reason.as_deref()),
    }
}

fn schedule(row: &Row<'_>) -> Result<Schedule> {
    let state = match time(row, 6)? {
        Some(next) => ScheduleState::Active { next },
        None => ScheduleState::Paused { reason: row.get(7)? },
    };
    Ok(Schedule {
        id: id(row, 0)?,
        ns: row.get(1)?,
        name: row.get(2)?,
        cron: row.get(3)?,
        queue: row.get(4)?,
        kind: row.get(5)?,
        state,
        last: time(row, 8)?,
        made: Timestamp(number(row, 9)?),
        by: id(row, 10)?,
    })
}

fn read(row: &Row<'_>) -> Result<ScheduleRead> {
    let schedule = schedule(row)?;
    let job = NewJob {
        id: JobId::NIL,
        ns: schedule.ns.clone(),
        queue: schedule.queue.clone(),
        kind: schedule.kind.clone(),
        data: row.get(11)?,
        delay: Millis(number(row, 12)?),
        priority: row.get(13)?,
        group: row.get(14)?,
        most: row.get(15)?,
        backoff: time(row, 16)?.map(|length| Millis(length.0)),
        expires: time(row, 17)?.map(|length| Millis(length.0)),
        asker: row.get::<_, Option<[u8; 16]>>(18)?.map(PersonId::from_bytes),
    };
    Ok(ScheduleRead { schedule, job })
}

fn time(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(|at| Timestamp(at.cast_unsigned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::sqlite::open;

    #[test]
    fn what_is_looked_at_each_second_is_found_by_its_index() {
        let db = open::in_memory();
        for sql in [DUE, NEXT] {
            let mut explain = db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let steps = explain.query_map([0], |row| row.get::<_, String>(3)).unwrap();
            let steps = steps.collect::<Result<Vec<_>>>().unwrap();
            assert!(steps.iter().any(|step| step.contains("INDEX schedules_next")), "{steps:?}");
            assert!(!steps.iter().any(|step| step.starts_with("SCAN")), "{steps:?}");
        }
    }
}
