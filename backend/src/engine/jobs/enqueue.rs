//! Enqueuing jobs.

use super::{
    Work,
    rows::{Row, Rows, Seq},
    work::Worked,
};
use crate::limits::KEYS_KEPT;
use holdfast_common::{
    job::{Job, NewJob},
    storage::jobs::{Enqueue, Enqueued, Move},
};
use std::collections::BTreeMap;

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn enqueue(&mut self, enqueue: &Enqueue) -> Worked<Enqueued, R> {
        let mut queues = Vec::with_capacity(enqueue.jobs.len());
        for (index, asked) in enqueue.jobs.iter().enumerate() {
            match self.queue_named(&asked.ns, &asked.queue)? {
                Some(queue) => queues.push(queue),
                None => return Ok(Enqueued::UnknownQueue { index }),
            }
        }
        let promise = enqueue.promise.as_ref().zip(queues.first().copied());
        if let Some((promise, queue)) = promise
            && let Some(keyed) = self.rows.keyed(queue, promise)?
        {
            let same = keyed.body_hash == promise.body_hash;
            return Ok(if same { Enqueued::Again(keyed.jobs) } else { Enqueued::Mismatch });
        }
        let ids: Vec<_> = enqueue.jobs.iter().map(|asked| asked.id).collect();
        let mut new = Vec::new();
        for (asked, queue) in enqueue.jobs.iter().zip(queues) {
            if self.rows.job(asked.id)?.is_none() {
                new.push((asked, queue));
            }
        }
        if new.is_empty() && !ids.is_empty() {
            return Ok(Enqueued::Again(ids));
        }
        if !self.has_room(&new)? {
            return Ok(Enqueued::QueueFull);
        }
        for (asked, queue) in new {
            // Named twice in one call it is one job.
            if self.rows.job(asked.id)?.is_none() {
                self.add(asked, queue)?;
            }
        }
        if let Some((promise, queue)) = promise {
            self.rows.add_key(queue, promise, &ids, self.moment.now + KEYS_KEPT)?;
        }
        let claimed =
            enqueue.then.iter().map(|claim| self.claim(claim)).collect::<Result<_, _>>()?;
        Ok(Enqueued::Made { ids, claimed })
    }

    fn has_room(&mut self, new: &[(&NewJob, Seq)]) -> Worked<bool, R> {
        let mut more = BTreeMap::<Seq, u64>::new();
        for (_, queue) in new {
            *more.entry(*queue).or_default() += 1;
        }
        for (queue, more) in more {
            let info = &self.queue(queue)?.info;
            if info.counts.unfinished() + more > info.settings.most {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn add(&mut self, asked: &NewJob, queue: Seq) -> Worked<(), R> {
        let behind = match &asked.group {
            Some(group) => self.rows.has_head(queue, group)?,
            None => false,
        };
        let now = self.moment.now;
        let job = Job::new(now, asked, &self.queue(queue)?.info.settings, behind);
        let place = job.place;
        let row = Row {
            seq: 0,
            queue,
            job,
            kind: asked.kind.clone(),
            priority: asked.priority,
            content: self.rows.store(&asked.data)?,
            outcome: None,
            progress: None,
            asker: asked.asker,
            told: true,
            made: now,
        };
        self.rows.add_job(&row)?;
        let to = Some(place);
        let moved = Move { job: asked.id, from: None, to, attempt: 0, consumer: None, took: None };
        self.moved(queue, moved)
    }
}
