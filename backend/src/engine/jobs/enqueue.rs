//! Enqueuing jobs.

use super::{
    Work,
    rows::{Row, Rows, Seq},
    work::Worked,
};
use crate::limits::KEYS_KEPT;
use holdfast_common::{
    id::{JobId, PersonId},
    job::{Digest, Job, NewJob},
    storage::{
        Fault, Idempotency,
        jobs::{Enqueue, Enqueued, Move, Promise},
    },
};
use std::collections::BTreeMap;

/// In place of a queue's number, which are 1 and more: where keys are that belong to no queue.
const NO_QUEUE: Seq = 0;

/// Whether queues have room for jobs that are to come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Space {
    Free,
    /// Not now.
    Full,
    /// They are more than a queue may have.
    Never,
}

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn enqueue(&mut self, enqueue: &Enqueue) -> Worked<Enqueued, R> {
        let queues = match self.queues_of(&enqueue.jobs)? {
            Ok(queues) => queues,
            Err(index) => return Ok(Enqueued::UnknownQueue { index }),
        };
        if let Some(known) = self.said_before(enqueue, &queues)? {
            return Ok(known);
        }
        let ids: Vec<_> = enqueue.jobs.iter().map(|asked| asked.id).collect();
        let new = self.not_there(&enqueue.jobs, queues.clone())?;
        if new.is_empty() && !ids.is_empty() {
            return Ok(Enqueued::Again(ids));
        }
        match self.space(&new)? {
            Space::Free => {}
            Space::Full => return Ok(Enqueued::QueueFull),
            Space::Never => return Ok(Enqueued::TooLarge),
        }
        match (&enqueue.promise, &queues[..], &new[..]) {
            (Some(Promise::Id(said)), _, [(job, queue)]) => self.add(job, *queue, Some(*said))?,
            (Some(Promise::Key(key)), [queue, ..], _) => {
                self.add_all(&new)?;
                self.rows.add_key(*queue, key, &ids, self.moment.now + KEYS_KEPT)?;
            }
            _ => self.add_all(&new)?,
        }
        let claimed =
            enqueue.then.iter().map(|claim| self.claim(claim)).collect::<Result<_, _>>()?;
        Ok(Enqueued::Made { ids, claimed })
    }

    /// The answer to what was said before with this promise.
    fn said_before(&self, enqueue: &Enqueue, queues: &[Seq]) -> Worked<Option<Enqueued>, R> {
        let known = match (&enqueue.promise, &enqueue.jobs[..], queues) {
            (Some(Promise::Key(key)), _, [queue, ..]) => {
                let known = self.rows.keyed(*queue, key)?;
                known.map(|known| (known.body_hash == key.body_hash, known.jobs))
            }
            (Some(Promise::Id(said)), [job], _) => {
                let known = self.known_by_id(job, *said)?;
                known.map(|same| (same, vec![job.id]))
            }
            (Some(Promise::Id(_)), ..) => {
                return Err(Fault::Failed("an id is that of one job".to_owned()).into());
            }
            _ => None,
        };
        Ok(known.map(|(same, jobs)| if same { Enqueued::Again(jobs) } else { Enqueued::Mismatch }))
    }

    /// Whether a job of this id is, or was, the one that is asked for; `None`: there is none. As long as it
    /// is there its row says it: a key of its own would be two rows more, and their pages are what an
    /// enqueue costs.
    fn known_by_id(&self, asked: &NewJob, said: Digest) -> Worked<Option<bool>, R> {
        if let Some(removed) = self.rows.keyed(NO_QUEUE, &id_as_key(asked.id, asked.asker, said))? {
            return Ok(Some(removed.body_hash == said));
        }
        let there = self.rows.job(asked.id)?;
        Ok(there.map(|row| row.said == Some(said) && row.asker == asked.asker))
    }

    /// The id of a job that is removed goes on as a key, where it was enqueued by that.
    pub(super) fn remember(&mut self, row: &Row) -> Worked<(), R> {
        let Some(said) = row.said else { return Ok(()) };
        let key = id_as_key(row.job.id, row.asker, said);
        self.rows.add_key(NO_QUEUE, &key, &[row.job.id], self.moment.now + KEYS_KEPT)
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

    pub(super) fn add_all(&mut self, new: &[(&NewJob, Seq)]) -> Worked<(), R> {
        for (asked, queue) in new {
            // Named twice in one call it is one job.
            if new.len() == 1 || !self.rows.is_there(asked.id)? {
                self.add(asked, *queue, None)?;
            }
        }
        Ok(())
    }

    pub(super) fn space(&mut self, new: &[(&NewJob, Seq)]) -> Worked<Space, R> {
        let mut more = BTreeMap::<Seq, u64>::new();
        for (_, queue) in new {
            *more.entry(*queue).or_default() += 1;
        }
        let mut space = Space::Free;
        for (queue, more) in more {
            let info = &self.queue(queue)?.info;
            if more > info.settings.most {
                return Ok(Space::Never);
            }
            if info.counts.unfinished() + more > info.settings.most {
                space = Space::Full;
            }
        }
        Ok(space)
    }

    /// Adds one; `said`: what was said with its id, where that is its key.
    pub(super) fn add(
        &mut self,
        asked: &NewJob,
        queue: Seq,
        said: Option<Digest>,
    ) -> Worked<(), R> {
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
            said,
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

/// An id is the same in each queue: it names one job.
fn id_as_key(id: JobId, asker: Option<PersonId>, said: Digest) -> Idempotency {
    let caller = asker.unwrap_or(PersonId::SERVICE);
    Idempotency { key: id.to_string(), caller, body_hash: said }
}
