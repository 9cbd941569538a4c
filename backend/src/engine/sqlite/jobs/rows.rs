//! The tables.

use super::{attempts, held::Held, keys, row, sql};
use crate::engine::{
    jobs::{
        list::{At, at},
        rows::{Keyed, Overdue, Queue, Row, Rows, Seq, Swept, fit},
    },
    sqlite::{
        append, content, hooks,
        rows::{id, int, number},
        schedules,
        task::Problem,
    },
};
use holdfast_common::{
    cursor::Offset,
    id::{EventId, JobId, RoomId, ScheduleId, WebhookId},
    job::{Attempt, Place, StoreTime, limits::AUDITS},
    storage::{
        Append, Appended, Fault, Idempotency,
        hooks::Webhook,
        jobs::{Audit, QueueInfo, QueueSpec},
        schedules::{Schedule, ScheduleRead},
    },
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Params, params};
use std::cmp::Reverse;

/// The database, in a transaction.
pub(in crate::engine::sqlite) struct Tables<'a> {
    db: &'a Connection,
    /// What the writing thread holds of it; readers see what is committed.
    held: Option<&'a Held>,
}

type Result<T> = std::result::Result<T, Problem>;

impl<'a> Tables<'a> {
    pub(super) const fn read(db: &'a Connection) -> Self {
        Self { db, held: None }
    }

    pub(super) const fn write(db: &'a Connection, held: &'a Held) -> Self {
        Self { db, held: Some(held) }
    }

    fn run(&self, sql: &str, params: impl Params) -> Result<()> {
        self.db.prepare_cached(sql)?.execute(params)?;
        Ok(())
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.db.prepare_cached(sql)?.query_row(params, read).optional()?)
    }

    fn many<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut select = self.db.prepare_cached(sql)?;
        let rows = select.query_map(params, read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// As SQLite takes it.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn lost(what: &str) -> Problem {
    Fault::Failed(format!("a {what} was lost")).into()
}

fn settings(info: &QueueSpec) -> Result<String> {
    let text = serde_json::to_string(&info.settings);
    text.map_err(|error| Fault::Failed(error.to_string()).into())
}

impl Rows for Tables<'_> {
    type Error = Problem;
    type Saved = ();

    fn save(&mut self) -> Result<()> {
        self.run(sql::SAVE, [])
    }

    fn take_back(&mut self, (): ()) -> Result<()> {
        self.run(sql::TAKE_BACK, [])?;
        self.run(sql::RELEASE, [])
    }

    fn release(&mut self, (): ()) -> Result<()> {
        self.run(sql::RELEASE, [])
    }

    fn append(&mut self, append: &Append) -> Result<(Appended, bool)> {
        append::append(self.db, append)
    }

    fn stands(&self, room: RoomId, event: EventId) -> Result<Option<Offset>> {
        self.one(sql::STANDS, (room.as_bytes(), event.as_bytes()), |row| number(row, 0))
    }

    fn queue(&self, seq: Seq) -> Result<Queue> {
        let found = match self.held {
            Some(held) => held.queue(self.db, seq)?,
            None => self.one(sql::QUEUE, [seq], row::queue)?,
        };
        found.ok_or_else(|| lost("queue"))
    }

    fn queue_named(&self, ns: &str, name: &str) -> Result<Option<Queue>> {
        match self.held {
            Some(held) => Ok(held.named(self.db, ns, name)?),
            None => self.one(sql::QUEUE_NAMED, [ns, name], row::queue),
        }
    }

    fn all_queues(&self) -> Result<Vec<Queue>> {
        if let Some(held) = self.held {
            held.store(self.db)?;
        }
        self.many(sql::QUEUES, [], row::queue)
    }

    fn add_queue(&mut self, spec: &QueueSpec) -> Result<Queue> {
        self.run(sql::ADD_QUEUE, (&spec.ns, &spec.name, settings(spec)?))?;
        self.queue(self.db.last_insert_rowid())
    }

    fn keep_queue(&mut self, queue: &Queue) -> Result<()> {
        let QueueInfo { ns, name, settings: set, paused, .. } = queue.info.clone();
        let set = settings(&QueueSpec { ns, name, settings: set })?;
        self.run(sql::KEEP_QUEUE, params![queue.seq, set, queue.own, paused])?;
        self.count_queue(queue)
    }

    fn count_queue(&mut self, queue: &Queue) -> Result<()> {
        let held = self.held.ok_or_else(|| Fault::Failed("a reader counts".to_owned()))?;
        held.keep(queue);
        Ok(())
    }

    fn job(&self, id: JobId) -> Result<Option<Row>> {
        self.one(sql::JOB, [id.as_bytes()], row::job)
    }

    fn add_job(&mut self, new: &Row) -> Result<Seq> {
        Ok(row::add(self.db, new)?)
    }

    fn keep_job(&mut self, kept: &Row) -> Result<()> {
        Ok(row::keep(self.db, kept)?)
    }

    fn drop_jobs(&mut self, rows: &[Row], most: usize) -> Result<(usize, usize)> {
        let (mut contents, mut bytes, mut jobs) = (Vec::new(), 0, 0);
        while let Some(row) = rows.get(jobs).filter(|_| bytes < most) {
            for content in [Some(row.content), row.outcome].into_iter().flatten() {
                bytes += content::blank(self.db, content)?;
                contents.push(content);
            }
            jobs += 1;
        }
        content::drop_blank(self.db, &contents)?;
        for row in &rows[..jobs] {
            self.run(sql::DROP_JOB, [row.seq])?;
            self.run(sql::DROP_ATTEMPTS, [row.seq])?;
        }
        Ok((jobs, bytes))
    }

    fn is_there(&self, id: JobId) -> Result<bool> {
        let found = self.one(sql::IS_THERE, [id.as_bytes()], |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    fn ready(&self, queue: Seq, most: u32) -> Result<Vec<(Row, String)>> {
        let mut select = self.db.prepare_cached(sql::READY)?;
        let job = |row: &rusqlite::Row<'_>| Ok((row::job(row)?, row.get(row::DATA)?));
        Ok(fit(select.query_map((queue, most), job)?)?)
    }

    fn oldest(&self, queue: Seq) -> Result<Option<StoreTime>> {
        let mut oldest = None;
        let mut before = i64::MIN;
        while let Some(urgency) =
            self.one(sql::URGENCY, (queue, before), |row| row.get::<_, i64>(0))?
        {
            let made = self.one(sql::OLDEST, (queue, urgency), |row| row.get::<_, i64>(0))?;
            oldest = made.into_iter().chain(oldest).min();
            before = urgency;
        }
        Ok(oldest.map(|made| StoreTime(made.cast_unsigned())))
    }

    fn has_head(&self, queue: Seq, group: &str) -> Result<bool> {
        let found = self.one(sql::HAS_HEAD, (queue, group), |row| row.get(0))?;
        Ok(found.unwrap_or(false))
    }

    fn behind(&self, queue: Seq, group: &str) -> Result<Option<Row>> {
        self.one(sql::BEHIND, (queue, group), row::job)
    }

    fn overdue(&self, what: Overdue, now: StoreTime, most: usize) -> Result<Vec<JobId>> {
        let sql = match what {
            Overdue::Expires => sql::EXPIRES,
            Overdue::Lapses => sql::LAPSES,
            Overdue::Due => sql::DUE,
        };
        self.many(sql, (int(now.0), limit(most)), |row| id(row, 0))
    }

    fn next(&self, what: Overdue) -> Result<Option<StoreTime>> {
        let sql = match what {
            Overdue::Expires => sql::NEXT_EXPIRES,
            Overdue::Lapses => sql::NEXT_LAPSES,
            Overdue::Due => sql::NEXT_DUE,
        };
        let next: Option<i64> = self.one(sql, [], |row| row.get(0))?.flatten();
        Ok(next.map(|at| StoreTime(at.cast_unsigned())))
    }

    fn listed(&self, queue: Seq, place: Place, after: At, most: usize) -> Result<Vec<Row>> {
        let (first, second) = after;
        let page = (queue, first, second, limit(most));
        let of = (queue, first, second, limit(most), place.number());
        match place {
            Place::Ready => self.many(sql::LIST_READY, page, row::job),
            Place::Delayed | Place::Behind => self.many(sql::LIST_WAITING, of, row::job),
            Place::Leased => self.many(sql::LIST_LEASED, page, row::job),
            Place::Dead => self.many(sql::LIST_DEAD, page, row::job),
            Place::Done | Place::Cancelled => {
                let mut rows = Vec::new();
                for told in [false, true] {
                    let of = (queue, first, second, limit(most), place.number(), told);
                    rows.extend(self.many(sql::LIST_ENDED, of, row::job)?);
                }
                rows.sort_by_key(|row| Reverse(at(row)));
                rows.truncate(most);
                Ok(rows)
            }
        }
    }

    fn untold(&self, after: Seq, most: usize) -> Result<Vec<Row>> {
        self.many(sql::UNTOLD, (after, limit(most)), row::job)
    }

    fn ended(&self, queue: Seq, by: StoreTime, most: usize) -> Result<Vec<Row>> {
        self.many(sql::ENDED, (queue, int(by.0), limit(most)), row::job)
    }

    fn store(&mut self, data: &str) -> Result<Seq> {
        Ok(content::store(self.db, data)?)
    }

    fn content(&self, seq: Seq) -> Result<String> {
        self.one(sql::CONTENT, [seq], |row| row.get(0))?.ok_or_else(|| lost("payload"))
    }

    fn drop_content(&mut self, seq: Seq) -> Result<usize> {
        let bytes = content::blank(self.db, seq)?;
        content::drop_blank(self.db, &[seq])?;
        Ok(bytes)
    }

    fn add_attempt(&mut self, job: Seq, attempt: &Attempt) -> Result<()> {
        Ok(attempts::add(self.db, job, attempt)?)
    }

    fn attempts(&self, job: Seq) -> Result<Vec<Attempt>> {
        Ok(attempts::all(self.db, job)?)
    }

    fn last_attempt(&self, job: Seq) -> Result<Option<Attempt>> {
        Ok(attempts::last(self.db, job)?)
    }

    fn keyed(&self, queue: Seq, promise: &Idempotency) -> Result<Option<Keyed>> {
        let key = (queue, promise.caller.as_bytes(), &promise.key);
        self.one(sql::KEYED, key, keys::keyed)
    }

    fn add_key(
        &mut self,
        queue: Seq,
        promise: &Idempotency,
        jobs: &[JobId],
        until: StoreTime,
    ) -> Result<()> {
        let (caller, jobs) = (promise.caller.as_bytes(), keys::write(jobs));
        let row = params![queue, caller, promise.key, promise.body_hash, jobs, int(until.0)];
        self.run(sql::ADD_KEY, row)
    }

    fn tend_keys(&mut self, now: StoreTime, later: StoreTime, most: usize) -> Result<usize> {
        keys::tend(self.db, now, later, most)
    }

    fn add_audit(&mut self, queue: Seq, audit: &Audit) -> Result<i64> {
        let Audit { seq: _, at, by, did, job, jobs, detail } = audit;
        let job = job.as_ref().map(JobId::as_bytes);
        let who = by.person.as_bytes();
        let row = params![int(at.0), who, by.name, did.name(), queue, job, int(*jobs), detail];
        let seq = self.db.prepare_cached(sql::ADD_AUDIT)?.insert(row)?;
        self.run(sql::OLD_AUDITS, [seq - i64::from(AUDITS)])?;
        Ok(seq)
    }

    fn count_audit(&mut self, seq: i64, more: u64) -> Result<()> {
        self.run(sql::COUNT_AUDIT, (seq, int(more)))
    }

    fn audits(&self, queue: Seq, before: i64, most: u32) -> Result<Vec<Audit>> {
        self.many(sql::AUDITS, (queue, before, most), row::audit)
    }

    fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>> {
        hooks::of_room(self.db, room)
    }

    fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>> {
        hooks::find(self.db, id)
    }

    fn add_webhook(&mut self, webhook: &Webhook) -> Result<()> {
        hooks::add(self.db, webhook)
    }

    fn keep_webhook(&mut self, webhook: &Webhook) -> Result<()> {
        hooks::keep(self.db, webhook)
    }

    fn drop_webhook(&mut self, webhook: &Webhook) -> Result<()> {
        hooks::remove(self.db, webhook)
    }

    fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>> {
        schedules::find(self.db, ns, name)
    }

    fn schedules(&self, ns: &str) -> Result<Vec<Schedule>> {
        schedules::of(self.db, ns)
    }

    fn count_schedules(&self) -> Result<u32> {
        schedules::count(self.db)
    }

    fn add_schedule(&mut self, read: &ScheduleRead, queue: Seq) -> Result<()> {
        schedules::add(self.db, read, queue)
    }

    fn keep_schedule(&mut self, schedule: &Schedule) -> Result<()> {
        schedules::keep(self.db, schedule)
    }

    fn drop_schedule(&mut self, id: ScheduleId) -> Result<()> {
        schedules::remove(self.db, id)
    }

    fn due_schedules(&self, by: Timestamp) -> Result<Vec<Schedule>> {
        schedules::due(self.db, by)
    }

    fn next_schedule(&self, after: Timestamp) -> Result<Option<Timestamp>> {
        schedules::next(self.db, after)
    }

    fn fence(&mut self) -> Result<u64> {
        let held = self.held.ok_or_else(|| Fault::Failed("a reader leases".to_owned()))?;
        Ok(held.fence(self.db)?)
    }

    fn swept(&self) -> Swept {
        self.held.map(Held::swept).unwrap_or_default()
    }

    fn keep_swept(&mut self, swept: Swept) {
        if let Some(held) = self.held {
            held.keep_swept(swept);
        }
    }
}
