//! The tables, without an index: what is looked for is looked for in all of it.

use crate::engine::{
    jobs::{
        list::{At, at},
        rows::{Keyed, Overdue, Queue, Row, Rows, Seq, fit},
    },
    memory::State,
};
use holdfast_common::{
    cursor::Offset,
    id::{EventId, JobId, PersonId, RoomId, ScheduleId, WebhookId},
    job::{
        Attempt, Place, StoreTime,
        limits::{ATTEMPTS_KEPT, AUDITS},
        rate::Tat,
    },
    storage::{
        Append, Appended, Fault, Idempotency,
        hooks::{HookState, Webhook},
        jobs::{Audit, Counts, QueueInfo, QueueSpec},
        schedules::{Schedule, ScheduleRead},
    },
    time::{Millis, Timestamp},
};
use std::{collections::BTreeMap, sync::Arc};

/// Everything there is of queues and jobs.
#[derive(Debug, Clone, Default)]
pub(in crate::engine::memory) struct Tables {
    queues: BTreeMap<Seq, Queue>,
    jobs: BTreeMap<Seq, Row>,
    contents: BTreeMap<Seq, Arc<str>>,
    attempts: BTreeMap<Seq, Vec<Attempt>>,
    keys: BTreeMap<(Seq, PersonId, String), (Keyed, StoreTime)>,
    audits: Vec<(Seq, Audit)>,
    /// In the order in which they were made.
    webhooks: Vec<Webhook>,
    schedules: BTreeMap<(String, String), ScheduleRead>,
    /// Numbers rows of all tables.
    last: Seq,
    fence: u64,
}

impl Tables {
    pub(super) fn give(&mut self, gap: Millis) {
        for row in self.jobs.values_mut() {
            row.job.give(gap);
        }
    }

    /// The room is there no more.
    pub(in crate::engine::memory) fn drop_webhooks(&mut self, room: RoomId) {
        self.webhooks.retain(|webhook| webhook.room != room);
    }

    fn number(&mut self) -> Seq {
        self.last += 1;
        self.last
    }

    fn at(&self, queue: Seq, place: Place) -> impl Iterator<Item = &Row> {
        self.jobs.values().filter(move |row| row.queue == queue && row.job.place == place)
    }

    /// Jobs with the time that is meant, by that and by their order.
    fn timed(&self, what: Overdue) -> Vec<(StoreTime, &Row)> {
        let time = |row: &Row| match (what, row.job.place) {
            (Overdue::Expires, Place::Ready | Place::Delayed | Place::Behind) => row.job.expires,
            (Overdue::Lapses, Place::Leased) | (Overdue::Due, Place::Delayed) => Some(row.job.due),
            _ => None,
        };
        let mut timed: Vec<_> =
            self.jobs.values().filter_map(|row| Some((time(row)?, row))).collect();
        timed.sort_by_key(|(time, row)| (*time, row.seq));
        timed
    }
}

fn lost(what: &str) -> Fault {
    Fault::Failed(format!("a {what} was lost"))
}

impl Rows for &mut State {
    type Error = Fault;
    type Saved = State;

    fn save(&mut self) -> Result<State, Fault> {
        Ok(self.clone())
    }

    fn take_back(&mut self, saved: State) -> Result<(), Fault> {
        **self = saved;
        Ok(())
    }

    fn release(&mut self, _saved: State) -> Result<(), Fault> {
        Ok(())
    }

    fn append(&mut self, append: &Append) -> Result<(Appended, bool), Fault> {
        let mut its = self.jobs.webhooks.iter().filter(|webhook| webhook.room == append.room);
        let hooked = its.any(|webhook| webhook.state == HookState::Active);
        Ok((State::append(self, append)?, hooked))
    }

    fn stands(&self, room: RoomId, event: EventId) -> Result<Option<Offset>, Fault> {
        let stands = self.rooms.get(&room).and_then(|room| room.ids.get(&event));
        Ok(stands.map(|(offset, _)| *offset))
    }

    fn queue(&self, seq: Seq) -> Result<Queue, Fault> {
        self.jobs.queues.get(&seq).cloned().ok_or_else(|| lost("queue"))
    }

    fn queue_named(&self, ns: &str, name: &str) -> Result<Option<Queue>, Fault> {
        let is_it = |queue: &&Queue| queue.info.ns == ns && queue.info.name == name;
        Ok(self.jobs.queues.values().find(is_it).cloned())
    }

    fn all_queues(&self) -> Result<Vec<Queue>, Fault> {
        let mut queues: Vec<_> = self.jobs.queues.values().cloned().collect();
        queues.sort_by(|a, b| (&a.info.ns, &a.info.name).cmp(&(&b.info.ns, &b.info.name)));
        Ok(queues)
    }

    fn add_queue(&mut self, spec: &QueueSpec) -> Result<Queue, Fault> {
        let info = QueueInfo {
            ns: spec.ns.clone(),
            name: spec.name.clone(),
            settings: spec.settings.clone(),
            paused: false,
            counts: Counts::default(),
        };
        let queue = Queue { seq: self.jobs.number(), info, own: false, tat: Tat::default() };
        self.jobs.queues.insert(queue.seq, queue.clone());
        Ok(queue)
    }

    fn keep_queue(&mut self, queue: &Queue) -> Result<(), Fault> {
        self.jobs.queues.insert(queue.seq, queue.clone());
        Ok(())
    }

    fn count_queue(&mut self, queue: &Queue) -> Result<(), Fault> {
        self.keep_queue(queue)
    }

    fn job(&self, id: JobId) -> Result<Option<Row>, Fault> {
        Ok(self.jobs.jobs.values().find(|row| row.job.id == id).cloned())
    }

    fn add_job(&mut self, row: &Row) -> Result<Seq, Fault> {
        let seq = self.jobs.number();
        self.jobs.jobs.insert(seq, Row { seq, ..row.clone() });
        Ok(seq)
    }

    fn keep_job(&mut self, row: &Row) -> Result<(), Fault> {
        self.jobs.jobs.insert(row.seq, row.clone());
        Ok(())
    }

    fn drop_jobs(&mut self, rows: &[Row], most: usize) -> Result<(usize, usize), Fault> {
        let (mut bytes, mut jobs) = (0, 0);
        while let Some(row) = rows.get(jobs).filter(|_| bytes < most) {
            self.jobs.jobs.remove(&row.seq);
            self.jobs.attempts.remove(&row.seq);
            for content in [Some(row.content), row.outcome].into_iter().flatten() {
                bytes += self.drop_content(content)?;
            }
            jobs += 1;
        }
        Ok((jobs, bytes))
    }

    fn is_there(&self, id: JobId) -> Result<bool, Fault> {
        Ok(self.job(id)?.is_some())
    }

    fn ready(&self, queue: Seq, most: u32) -> Result<Vec<(Row, String)>, Fault> {
        let mut ready: Vec<_> = self.jobs.at(queue, Place::Ready).collect();
        ready.sort_by_key(|row| (-i16::from(row.priority), row.seq));
        let ready = ready.into_iter().take(most as usize);
        fit(ready.map(|row| Ok((row.clone(), self.content(row.content)?))))
    }

    fn oldest(&self, queue: Seq) -> Result<Option<StoreTime>, Fault> {
        Ok(self.jobs.at(queue, Place::Ready).map(|row| row.made).min())
    }

    fn has_head(&self, queue: Seq, group: &str) -> Result<bool, Fault> {
        let jobs =
            self.jobs.jobs.values().filter(|row| row.queue == queue && row.job.place.heads());
        Ok(jobs.into_iter().any(|row| row.job.group.as_deref() == Some(group)))
    }

    fn behind(&self, queue: Seq, group: &str) -> Result<Option<Row>, Fault> {
        let mut behind = self.jobs.at(queue, Place::Behind);
        Ok(behind.find(|row| row.job.group.as_deref() == Some(group)).cloned())
    }

    fn overdue(&self, what: Overdue, now: StoreTime, most: usize) -> Result<Vec<JobId>, Fault> {
        let overdue = self.jobs.timed(what).into_iter().filter(|(time, _)| *time <= now);
        Ok(overdue.take(most).map(|(_, row)| row.job.id).collect())
    }

    fn next(&self, what: Overdue) -> Result<Option<StoreTime>, Fault> {
        Ok(self.jobs.timed(what).first().map(|(time, _)| *time))
    }

    fn listed(&self, queue: Seq, place: Place, after: At, most: usize) -> Result<Vec<Row>, Fault> {
        let mut rows: Vec<_> = self.jobs.at(queue, place).collect();
        rows.sort_by_key(|row| at(row));
        if place.ended() {
            rows.reverse();
            rows.retain(|row| at(row) < after);
        } else {
            rows.retain(|row| at(row) > after);
        }
        Ok(rows.into_iter().take(most).cloned().collect())
    }

    fn untold(&self, after: Seq, most: usize) -> Result<Vec<Row>, Fault> {
        let untold = self.jobs.jobs.values().filter(|row| !row.told && row.seq > after);
        Ok(untold.take(most).cloned().collect())
    }

    fn ended(&self, queue: Seq, by: StoreTime, most: usize) -> Result<Vec<Row>, Fault> {
        let ended = self.jobs.at(queue, Place::Done).chain(self.jobs.at(queue, Place::Cancelled));
        Ok(ended.filter(|row| row.job.due <= by && row.told).take(most).cloned().collect())
    }

    fn store(&mut self, data: &str) -> Result<Seq, Fault> {
        let seq = self.jobs.number();
        self.jobs.contents.insert(seq, data.into());
        Ok(seq)
    }

    fn content(&self, seq: Seq) -> Result<String, Fault> {
        self.jobs.contents.get(&seq).map(|data| data.to_string()).ok_or_else(|| lost("payload"))
    }

    fn drop_content(&mut self, seq: Seq) -> Result<usize, Fault> {
        Ok(self.jobs.contents.remove(&seq).map_or(0, |data| data.len()))
    }

    fn add_attempt(&mut self, job: Seq, attempt: &Attempt) -> Result<(), Fault> {
        let attempts = self.jobs.attempts.entry(job).or_default();
        attempts.push(attempt.clone());
        let old = attempts.len().saturating_sub(ATTEMPTS_KEPT);
        attempts.drain(..old);
        Ok(())
    }

    fn attempts(&self, job: Seq) -> Result<Vec<Attempt>, Fault> {
        Ok(self.jobs.attempts.get(&job).cloned().unwrap_or_default())
    }

    fn last_attempt(&self, job: Seq) -> Result<Option<Attempt>, Fault> {
        Ok(self.jobs.attempts.get(&job).and_then(|attempts| attempts.last()).cloned())
    }

    fn keyed(&self, queue: Seq, promise: &Idempotency) -> Result<Option<Keyed>, Fault> {
        let key = (queue, promise.caller, promise.key.clone());
        Ok(self.jobs.keys.get(&key).map(|(keyed, _)| keyed.clone()))
    }

    fn add_key(
        &mut self,
        queue: Seq,
        promise: &Idempotency,
        jobs: &[JobId],
        until: StoreTime,
    ) -> Result<(), Fault> {
        let keyed = Keyed { body_hash: promise.body_hash, jobs: jobs.to_vec() };
        self.jobs.keys.insert((queue, promise.caller, promise.key.clone()), (keyed, until));
        Ok(())
    }

    fn tend_keys(&mut self, now: StoreTime, later: StoreTime, most: usize) -> Result<usize, Fault> {
        let jobs = &self.jobs.jobs;
        let is_left = |id: &JobId| jobs.values().any(|row| row.job.id == *id);
        let over: Vec<_> =
            self.jobs.keys.iter().filter(|(_, (_, until))| *until <= now).take(most).collect();
        let over: Vec<_> = over
            .into_iter()
            .map(|(key, (keyed, _))| (key.clone(), keyed.jobs.iter().any(is_left)))
            .collect();
        for (key, left) in &over {
            match self.jobs.keys.get_mut(key).filter(|_| *left) {
                Some((_, until)) => *until = later,
                None => drop(self.jobs.keys.remove(key)),
            }
        }
        Ok(over.len())
    }

    fn add_audit(&mut self, queue: Seq, audit: &Audit) -> Result<i64, Fault> {
        let seq = self.jobs.number();
        self.jobs.audits.push((queue, Audit { seq, ..audit.clone() }));
        let old = self.jobs.audits.len().saturating_sub(AUDITS as usize);
        self.jobs.audits.drain(..old);
        Ok(seq)
    }

    fn count_audit(&mut self, seq: i64, more: u64) -> Result<(), Fault> {
        let mut audits = self.jobs.audits.iter_mut();
        if let Some((_, audit)) = audits.find(|(_, audit)| audit.seq == seq) {
            audit.jobs += more;
        }
        Ok(())
    }

    fn audits(&self, queue: Seq, before: i64, most: u32) -> Result<Vec<Audit>, Fault> {
        let audits = self.jobs.audits.iter().rev();
        let its = audits.filter(|(of, audit)| *of == queue && audit.seq < before);
        Ok(its.take(most as usize).map(|(_, audit)| audit.clone()).collect())
    }

    fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Fault> {
        let there = self.rooms.get(&room).filter(|room| !room.gone && room.owner.is_none());
        let its = |_: &_| {
            let its = self.jobs.webhooks.iter().filter(|webhook| webhook.room == room);
            its.cloned().collect()
        };
        Ok(there.map(its))
    }

    fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault> {
        Ok(self.jobs.webhooks.iter().find(|webhook| webhook.id == id).cloned())
    }

    fn add_webhook(&mut self, webhook: &Webhook) -> Result<(), Fault> {
        self.jobs.webhooks.push(webhook.clone());
        Ok(())
    }

    fn keep_webhook(&mut self, webhook: &Webhook) -> Result<(), Fault> {
        let mut webhooks = self.jobs.webhooks.iter_mut();
        if let Some(kept) = webhooks.find(|kept| kept.id == webhook.id) {
            kept.clone_from(webhook);
        }
        Ok(())
    }

    fn drop_webhook(&mut self, webhook: &Webhook) -> Result<(), Fault> {
        self.jobs.webhooks.retain(|kept| kept.id != webhook.id);
        Ok(())
    }

    fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Fault> {
        Ok(self.jobs.schedules.get(&(ns.to_owned(), name.to_owned())).cloned())
    }

    fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Fault> {
        let schedules = self.jobs.schedules.values().map(|read| &read.schedule);
        Ok(schedules.filter(|schedule| schedule.ns == ns).cloned().collect())
    }

    fn count_schedules(&self) -> Result<u32, Fault> {
        Ok(u32::try_from(self.jobs.schedules.len()).unwrap_or(u32::MAX))
    }

    fn add_schedule(&mut self, read: &ScheduleRead, _queue: Seq) -> Result<(), Fault> {
        let key = (read.schedule.ns.clone(), read.schedule.name.clone());
        self.jobs.schedules.insert(key, read.clone());
        Ok(())
    }

    fn keep_schedule(&mut self, schedule: &Schedule) -> Result<(), Fault> {
        let key = (schedule.ns.clone(), schedule.name.clone());
        let read = self.jobs.schedules.entry(key);
        read.and_modify(|read| read.schedule.clone_from(schedule));
        Ok(())
    }

    fn drop_schedule(&mut self, id: ScheduleId) -> Result<(), Fault> {
        self.jobs.schedules.retain(|_, read| read.schedule.id != id);
        Ok(())
    }

    fn due_schedules(&self, by: Timestamp) -> Result<Vec<Schedule>, Fault> {
        let schedules = self.jobs.schedules.values().map(|read| &read.schedule);
        let due = schedules.filter(|schedule| schedule.next().is_some_and(|next| next <= by));
        let mut due: Vec<_> = due.cloned().collect();
        due.sort_by_key(Schedule::next);
        Ok(due)
    }

    fn next_schedule(&self, after: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let times = self.jobs.schedules.values().filter_map(|read| read.schedule.next());
        Ok(times.filter(|next| *next > after).min())
    }

    fn fence(&mut self) -> Result<u64, Fault> {
        self.jobs.fence += 1;
        Ok(self.jobs.fence)
    }
}
