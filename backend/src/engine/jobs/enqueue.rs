//! Enqueuing jobs.

use super::{
    Work,
    rows::{Row, Rows, Seq},
    work::Worked,
};
use crate::limits::KEYS_KEPT;
use holdfast_common::{
    job::{Job, NewJob},
    storage::{
        Idempotency,
        jobs::{Enqueue, Enqueued, Move},
    },
};
use std::collections::BTreeMap;

/// In place of a queue's number, which are 1 and more: where keys are that belong to no queue.
const NO_QUEUE: Seq = 0;

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn enqueue(&mut self, enqueue: &Enqueue) -> Worked<Enqueued, R> {
        let queues = match self.queues_of(&enqueue.jobs)? {
            Ok(queues) => queues,
            Err(index) => return Ok(Enqueued::UnknownQueue { index }),
        };
        let promise = enqueue.promise.as_ref().zip(queues.first().copied());
        let promise = promise.map(|(it, queue)| (it, whose(it, &enqueue.jobs, queue)));
        if let Some((promise, queue)) = promise
            && let Some(keyed) = self.rows.keyed(queue, promise)?
        {
            let same = keyed.body_hash == promise.body_hash;
            return Ok(if same { Enqueued::Again(keyed.jobs) } else { Enqueued::Mismatch });
        }
        let ids: Vec<_> = enqueue.jobs.iter().map(|asked| asked.id).collect();
        let new = self.not_there(&enqueue.jobs, queues.clone())?;
        // Said without this key, or by somebody else.
        if promise.is_some() && new.len() < ids.len() && !self.are_these(&enqueue.jobs, &queues)? {
            return Ok(Enqueued::Mismatch);
        }
        if new.is_empty() && !ids.is_empty() {
            return Ok(Enqueued::Again(ids));
        }
        if !self.has_room(&new)? {
            return Ok(Enqueued::QueueFull);
        }
        self.add_all(&new)?;
        if let Some((promise, queue)) = promise {
            self.rows.add_key(queue, promise, &ids, self.moment.now + KEYS_KEPT)?;
        }
        let claimed =
            enqueue.then.iter().map(|claim| self.claim(claim)).collect::<Result<_, _>>()?;
        Ok(Enqueued::Made { ids, claimed })
    }

    /// The jobs' queues, or the first job that is for none.
    pub(super) fn queues_of(&mut self, jobs: &[NewJob]) -> Worked<Result<Vec<Seq>, usize>, R> {
        let mut queues = Vec::with_capacity(jobs.len());
        for (index, asked) in jobs.iter().enumerate() {
            match self.queue_named(&asked.ns, &asked.queue)? {
                Some(queue) => queues.push(queue),
                None => return Ok(Err(index)),
            }
        }
        Ok(Ok(queues))
    }

    /// Those whose ids are not known yet.
    pub(super) fn not_there<'a>(
        &self,
        jobs: &'a [NewJob],
        queues: Vec<Seq>,
    ) -> Worked<Vec<(&'a NewJob, Seq)>, R> {
        let mut new = Vec::new();
        for (asked, queue) in jobs.iter().zip(queues) {
            if !self.rows.is_there(asked.id)? {
                new.push((asked, queue));
            }
        }
        Ok(new)
    }

    /// Whether the jobs of these ids that are there are those that are asked for, as far as it is kept.
    fn are_these(&self, jobs: &[NewJob], queues: &[Seq]) -> Worked<bool, R> {
        for (asked, queue) in jobs.iter().zip(queues) {
            let Some(row) = self.rows.job(asked.id)? else { continue };
            let terms = (row.queue, &row.kind, row.priority, &row.job.group, row.asker);
            let same = terms == (*queue, &asked.kind, asked.priority, &asked.group, asked.asker);
            if !same || self.rows.content(row.content)? != asked.data {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn add_all(&mut self, new: &[(&NewJob, Seq)]) -> Worked<(), R> {
        for (asked, queue) in new {
            // Named twice in one call it is one job.
            if new.len() == 1 || !self.rows.is_there(asked.id)? {
                self.add(asked, *queue)?;
            }
        }
        Ok(())
    }

    pub(super) fn has_room(&mut self, new: &[(&NewJob, Seq)]) -> Worked<bool, R> {
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

    pub(super) fn add(&mut self, asked: &NewJob, queue: Seq) -> Worked<(), R> {
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
            fence: 0,
            made: now,
        };
        self.rows.add_job(&row)?;
        // It may expire as it comes.
        self.swept.all &= row.job.overdue(now).is_none();
        let to = Some(place);
        let moved = Move {
            job: asked.id,
            from: None,
            to,
            attempt: 0,
            consumer: None,
            failed: false,
            took: None,
        };
        self.moved(queue, moved)
    }
}

/// The queue that a key belongs to. One that is its job's id is the same in each queue: it names one job.
fn whose(promise: &Idempotency, jobs: &[NewJob], queue: Seq) -> Seq {
    match jobs {
        [job] if promise.key == job.id.to_string() => NO_QUEUE,
        _ => queue,
    }
}
