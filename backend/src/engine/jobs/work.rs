//! One call's work: it acts on jobs, and keeps count of them in their queues.

use super::{
    clock::Moment,
    rows::{Queue, Row, Rows, Seq, Swept},
};
use holdfast_common::{
    job::{Act, Attempt, EXPIRED, Ending, Job, LAPSED, Place, Refused, Step, StoreTime},
    storage::{
        Fault,
        jobs::{Move, Moves, QueueInfo, QueueMoves, QueueSpec},
    },
    time::{Millis, Timestamp},
};
use std::collections::BTreeMap;

/// The work of a call. What it has done to queues is stored by [`finish`](Work::finish).
pub(in crate::engine) struct Work<R: Rows> {
    pub(super) rows: R,
    pub(super) moment: Moment,
    queues: BTreeMap<Seq, Touched>,
    /// Of what is overdue: no time passes within a batch.
    pub(super) swept: Swept,
    /// Bytes of payloads and outcomes that it has overwritten, other than by an end.
    pub(super) dropped: usize,
}

#[derive(Clone)]
struct Touched {
    queue: Queue,
    moves: Vec<Move>,
    changed: Changed,
}

/// What of a queue's row is to be stored.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Changed {
    Nothing,
    Counts,
    All,
}

/// What a call on an engine's rows answers.
pub(super) type Worked<T, R> = Result<T, <R as Rows>::Error>;

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn new(rows: R, moment: Moment) -> Self {
        let swept = rows.swept();
        Self { rows, moment, queues: BTreeMap::new(), swept, dropped: 0 }
    }

    pub(in crate::engine) fn ensure_queue(&mut self, spec: &QueueSpec) -> Worked<QueueInfo, R> {
        let Some(mut queue) = self.rows.queue_named(&spec.ns, &spec.name)? else {
            return Ok(self.rows.add_queue(spec)?.info);
        };
        if !queue.own && queue.info.settings != spec.settings {
            queue.info.settings = spec.settings.clone();
            self.rows.keep_queue(&queue)?;
        }
        Ok(queue.info)
    }

    /// Does something that may come to nothing: then none of it has happened.
    pub(super) fn part<T, N>(
        &mut self,
        does: impl FnOnce(&mut Self) -> Worked<Result<T, N>, R>,
    ) -> Worked<Result<T, N>, R> {
        let saved = self.rows.save()?;
        let (queues, all) = (self.queues.clone(), self.swept.all);
        let done = does(self);
        match &done {
            Ok(Ok(_)) => self.rows.release(saved)?,
            Ok(Err(_)) => {
                self.rows.take_back(saved)?;
                (self.queues, self.swept.all) = (queues, all);
            }
            // All of the call is taken back by who has asked for it, but for what they do not see.
            Err(_) => drop(self.rows.take_back(saved)),
        }
        done
    }

    /// Stores the queues and tells what has moved.
    pub(in crate::engine) fn finish(mut self) -> Worked<Moves, R> {
        let mut queues = Vec::new();
        for touched in std::mem::take(&mut self.queues).into_values() {
            match touched.changed {
                Changed::Nothing => {}
                Changed::Counts => self.rows.count_queue(&touched.queue)?,
                Changed::All => self.rows.keep_queue(&touched.queue)?,
            }
            queues.push(QueueMoves { queue: touched.queue.info, jobs: touched.moves });
        }
        self.rows.keep_swept(self.swept);
        Ok(Moves { version: self.moment.version, queues })
    }

    /// A queue, as this call has left it.
    pub(super) fn queue(&mut self, seq: Seq) -> Worked<&mut Queue, R> {
        Ok(&mut self.touched(seq)?.queue)
    }

    pub(super) fn queue_named(&mut self, ns: &str, name: &str) -> Worked<Option<Seq>, R> {
        let is_it = |queue: &QueueInfo| queue.ns == ns && queue.name == name;
        if let Some(known) = self.queues.values().find(|known| is_it(&known.queue.info)) {
            return Ok(Some(known.queue.seq));
        }
        let found = self.rows.queue_named(ns, name)?;
        Ok(found.map(|queue| self.touch(queue)))
    }

    /// Has the queue told, moved or not.
    pub(super) fn touch(&mut self, queue: Queue) -> Seq {
        let seq = queue.seq;
        let touched = Touched { queue, moves: Vec::new(), changed: Changed::Nothing };
        self.queues.entry(seq).or_insert(touched);
        seq
    }

    /// Has all of the queue's row stored.
    pub(super) fn change(&mut self, seq: Seq) -> Worked<&mut Queue, R> {
        let touched = self.touched(seq)?;
        touched.changed = Changed::All;
        Ok(&mut touched.queue)
    }

    /// Has stored what the queue counts, and what its rate goes by.
    pub(super) fn count(&mut self, seq: Seq) -> Worked<&mut Queue, R> {
        let touched = self.touched(seq)?;
        touched.changed = touched.changed.max(Changed::Counts);
        Ok(&mut touched.queue)
    }

    fn touched(&mut self, seq: Seq) -> Worked<&mut Touched, R> {
        if !self.queues.contains_key(&seq) {
            let queue = self.rows.queue(seq)?;
            self.touch(queue);
        }
        let lost = || Fault::Failed("a queue was lost".to_owned()).into();
        self.queues.get_mut(&seq).ok_or_else(lost)
    }

    /// Acts on a job, and on its group where that goes on by it. `error` says what ended the attempt,
    /// where it is one to be kept.
    pub(super) fn act(
        &mut self,
        row: &mut Row,
        act: Act,
        error: Option<String>,
    ) -> Worked<Result<Step, Refused>, R> {
        let due = row.job.due;
        let failed = matches!(act, Act::Lapse | Act::End { how: Ending::Fail { .. }, .. });
        let ended = ended(&row.job, &act, self.moment.now);
        let step = match row.job.act(self.moment.now, act) {
            Ok(step) => step,
            Err(refused) => return Ok(Err(refused)),
        };
        let now = self.moment.now;
        if step.from != step.to {
            row.progress = None;
            // That of a dead letter which is tried again need not be heard of.
            if step.to.ended() != step.from.ended() {
                row.told = row.asker.is_none() || step.from.ended();
            }
        }
        if let Some(lease) = &row.job.lease {
            row.fence = lease.token.fence;
        }
        let lease = step.lease.as_ref().or(row.job.lease.as_ref());
        let ran = step.lease.as_ref().map(|lease| now.min(due) - lease.since);
        let begins = step.to == Place::Leased && step.from != Place::Leased;
        let moved = Move {
            job: row.job.id,
            from: Some(step.from),
            to: Some(step.to),
            attempt: row.job.attempt,
            consumer: lease.map(|lease| lease.holder.consumer.clone()),
            failed,
            took: if begins { Some(now - due) } else { ran },
        };
        if let Some(error) = error {
            let before = match &step.lease {
                Some(_) => None,
                None => self.rows.last_attempt(row.seq)?,
            };
            let attempt = self.attempt(&row.job, &step, ended, error, before.as_ref());
            self.rows.add_attempt(row.seq, &attempt)?;
        }
        self.rows.keep_job(row)?;
        self.swept.all &= row.job.overdue(now).is_none();
        self.moved(row.queue, moved)?;
        if step.frees {
            self.free(row)?;
        }
        Ok(Ok(step))
    }

    /// What is kept of a step of a job, where this [ended](ended) an attempt or the job. A job that expired
    /// while it was held is over no earlier than the attempt `before`. A lease that was snoozed or
    /// handed back leaves no error that this could come before.
    pub(super) fn attempt(
        &self,
        job: &Job,
        step: &Step,
        ended: StoreTime,
        error: String,
        before: Option<&Attempt>,
    ) -> Attempt {
        let lease = step.lease.as_ref();
        let ago = self.moment.now - ended;
        let at = Timestamp(self.moment.wall.0.saturating_sub(ago.0));
        Attempt {
            attempt: job.attempt,
            fence: lease.map_or(0, |lease| lease.token.fence),
            at: before.filter(|_| lease.is_none()).map_or(at, |before| before.at.max(at)),
            took: lease.map_or(Millis(0), |lease| ended - lease.since),
            lapsed: error == LAPSED,
            consumer: lease.map_or("", |lease| &lease.holder.consumer).to_owned(),
            error,
        }
    }

    /// Carries out what time has brought for a job.
    pub(super) fn settle(&mut self, row: &mut Row) -> Worked<(), R> {
        while let Some(act) = row.job.overdue(self.moment.now) {
            let error = error_of_time(&act);
            if self.act(row, act, error)?.is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The job of a group that held up the others is over: the next one goes on.
    fn free(&mut self, over: &Row) -> Worked<(), R> {
        let Some(group) = &over.job.group else { return Ok(()) };
        if let Some(mut next) = self.rows.behind(over.queue, group)? {
            // It is behind: the machine lets it go on, and it frees nothing by that.
            let _ = self.act(&mut next, Act::Free, None)?;
        }
        Ok(())
    }

    /// Counts a move and has it told.
    pub(super) fn moved(&mut self, queue: Seq, moved: Move) -> Worked<(), R> {
        let touched = self.touched(queue)?;
        let counts = &mut touched.queue.info.counts;
        if moved.from != moved.to {
            touched.changed = touched.changed.max(Changed::Counts);
            if let Some(count) = moved.from.and_then(|from| counts.of(from)) {
                *count = count.saturating_sub(1);
            }
            if let Some(count) = moved.to.and_then(|to| counts.of(to)) {
                *count += 1;
            }
        }
        touched.moves.push(moved);
        Ok(())
    }
}

/// When an act takes place: what time brings was then, whenever somebody looks.
pub(super) fn ended(job: &Job, act: &Act, now: StoreTime) -> StoreTime {
    let ended = match act {
        Act::Expire => job.expires.unwrap_or(now),
        _ if job.lease.is_some() => job.due,
        _ => now,
    };
    ended.min(now)
}

/// What is said of an attempt, or a job, that time has ended.
pub(super) fn error_of_time(act: &Act) -> Option<String> {
    let error = match act {
        Act::Lapse => LAPSED,
        Act::Expire => EXPIRED,
        _ => return None,
    };
    Some(error.to_owned())
}
