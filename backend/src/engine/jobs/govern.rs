//! What people do to queues and jobs.

use super::{
    Work,
    audit::Note,
    list::{Fine, at, start},
    rows::{Queue, REMOVE_BYTES, Row, Rows, Seq},
    work::Worked,
};
use holdfast_common::{
    id::JobId,
    job::{
        Act, JobState, Place, Refused,
        limits::{GOVERN_JOBS, LOOK_JOBS, ORDERED_JOBS},
    },
    storage::{
        Fault,
        jobs::{Chosen, Deed, Did, Govern, Governed, Left, Ordered, Purge, QueueName, Rest, Sieve},
    },
};
use std::collections::{BTreeMap, VecDeque};

/// What is done to one job.
#[derive(Debug, Clone, Copy)]
enum Do<'a> {
    Cancel,
    /// And its content is gone.
    Drop,
    Requeue(Option<&'a str>),
    Discard,
}

/// A call's part of what is to be done to many.
struct Part {
    jobs: u64,
    /// To which it is to be done yet, if there may be more.
    left: Option<Left>,
}

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn govern(&mut self, govern: &Govern) -> Worked<Governed, R> {
        self.sweep_up()?;
        match &govern.deed {
            Deed::Cancel(jobs) => self.do_chosen(govern, jobs, Do::Cancel),
            Deed::Discard(jobs) => self.do_chosen(govern, jobs, Do::Discard),
            Deed::Requeue { jobs, data } => {
                self.do_chosen(govern, jobs, Do::Requeue(data.as_deref()))
            }
            Deed::Purge(name, Purge::Dead) => {
                let all = Sieve::default();
                self.do_many(govern, name, |work, queue| {
                    work.do_dead(govern, queue, &all, Do::Discard)
                })
            }
            Deed::Purge(name, Purge::Waiting) => {
                self.do_many(govern, name, |work, queue| work.do_waiting(govern, queue))
            }
            Deed::Pause(name) => self.do_queue(govern, name, |queue| queue.info.paused = true),
            Deed::Resume(name) => self.do_queue(govern, name, |queue| queue.info.paused = false),
            Deed::Set(name, patch) => {
                let set = self.do_queue(govern, name, |queue| {
                    queue.own = true;
                    patch.apply(&mut queue.info.settings);
                });
                Ok(match (set?, self.queue_named(&name.ns, &name.name)?) {
                    (Governed::Done { .. }, Some(queue)) => {
                        Governed::Set(self.queue(queue)?.info.settings.clone())
                    }
                    (other, _) => other,
                })
            }
        }
    }

    fn do_chosen(&mut self, govern: &Govern, jobs: &Chosen, what: Do) -> Worked<Governed, R> {
        match jobs {
            Chosen::One(id) => self.do_one(govern, *id, what),
            Chosen::Of(name, ids) => {
                self.do_many(govern, name, |work, queue| work.do_these(govern, queue, ids, what))
            }
            Chosen::Dead(name, sieve) => self.do_many(govern, name, |work, queue| match what {
                Do::Requeue(_) => work.requeue_dead(govern, queue, sieve, what),
                _ => work.do_dead(govern, queue, sieve, what),
            }),
        }
    }

    fn do_one(&mut self, govern: &Govern, id: JobId, what: Do) -> Worked<Governed, R> {
        let Some(row) = self.rows.job(id)? else {
            return Ok(Governed::UnknownJob);
        };
        let queue = row.queue;
        if let Err(state) = self.carry_out(row, what)? {
            return Ok(Governed::WrongState(state));
        }
        self.noted(govern, queue, 1)?;
        Ok(Governed::Done { jobs: 1, rest: None })
    }

    fn do_queue(
        &mut self,
        govern: &Govern,
        name: &QueueName,
        change: impl FnOnce(&mut Queue),
    ) -> Worked<Governed, R> {
        let Some(queue) = self.queue_named(&name.ns, &name.name)? else {
            return Ok(Governed::UnknownQueue);
        };
        change(self.change(queue)?);
        self.noted(govern, queue, 0)?;
        Ok(Governed::Done { jobs: 0, rest: None })
    }

    fn do_many(
        &mut self,
        govern: &Govern,
        name: &QueueName,
        part: impl FnOnce(&mut Self, Seq) -> Worked<Part, R>,
    ) -> Worked<Governed, R> {
        let Some(queue) = self.queue_named(&name.ns, &name.name)? else {
            return Ok(Governed::UnknownQueue);
        };
        let Part { jobs, left } = part(self, queue)?;
        let audit = self.noted(govern, queue, jobs)?;
        Ok(Governed::Done { jobs, rest: left.map(|left| Rest { audit, left }) })
    }

    fn do_these(
        &mut self,
        govern: &Govern,
        queue: Seq,
        ids: &[JobId],
        what: Do,
    ) -> Worked<Part, R> {
        let mut left = match left(govern) {
            Some(Left::These(left)) => left.clone(),
            _ => self.in_turn(queue, ids, what)?,
        };
        let (mut jobs, mut looked) = (0, 0);
        while looked < GOVERN_JOBS && !self.has_dropped_much() {
            let Some(id) = left.pop_front() else { break };
            looked += 1;
            jobs += self.do_this(queue, id, what)?;
        }
        Ok(Part { jobs, left: (!left.is_empty()).then_some(Left::These(left)) })
    }

    /// Those of the queue, in the order of their enqueues, in which a group is to go on. To be dropped
    /// those behind others come first, so that none of them goes on only to be dropped then.
    fn in_turn(&self, queue: Seq, ids: &[JobId], what: Do) -> Worked<VecDeque<JobId>, R> {
        let mut these = BTreeMap::new();
        for id in ids {
            let row = self.rows.job(*id)?.filter(|row| row.queue == queue);
            these.extend(row.map(|row| (row.seq, *id)));
        }
        let these = these.into_values();
        Ok(if let Do::Requeue(_) = what { these.collect() } else { these.rev().collect() })
    }

    /// Tells to how many jobs: none or one.
    fn do_this(&mut self, queue: Seq, id: JobId, what: Do) -> Worked<u64, R> {
        // One that was there may have been removed meanwhile.
        match self.rows.job(id)?.filter(|row| row.queue == queue) {
            Some(row) => Ok(self.carry_out(row, what)?.is_ok().into()),
            None => Ok(0),
        }
    }

    /// It has to end here: what it has overwritten is as much as may be at once.
    fn has_dropped_much(&self) -> bool {
        self.dropped >= REMOVE_BYTES
    }

    /// In the order of their enqueues, in which those of a group begin: none of them may before all of it
    /// are found.
    fn requeue_dead(
        &mut self,
        govern: &Govern,
        queue: Seq,
        sieve: &Sieve,
        what: Do,
    ) -> Worked<Part, R> {
        let mut ordered = match left(govern) {
            Some(Left::Ordered(ordered)) => ordered.clone(),
            // What dies from now on is not come upon.
            _ => Ordered::new((self.moment.now.0.cast_signed(), i64::MAX)),
        };
        if let Some(mut after) = ordered.look() {
            let rows = self.rows.listed(queue, Place::Dead, after, LOOK_JOBS)?;
            let is_last = rows.len() < LOOK_JOBS;
            let (mut found, sieve) = (Vec::new(), Fine::of(sieve));
            for row in rows {
                after = at(&row);
                if self.goes_through(&sieve, &row)? {
                    found.push((row.seq, row.job.id));
                }
            }
            ordered.find(found, (!is_last).then_some(after), ORDERED_JOBS);
        }
        let now = if ordered.look().is_none() { ordered.take(GOVERN_JOBS) } else { Vec::new() };
        let mut jobs = 0;
        for id in now {
            jobs += self.do_this(queue, id, what)?;
        }
        Ok(Part { jobs, left: (!ordered.is_over()).then_some(Left::Ordered(ordered)) })
    }

    /// From the one that died last to the first: those that die meanwhile are not come upon.
    fn do_dead(&mut self, govern: &Govern, queue: Seq, sieve: &Sieve, what: Do) -> Worked<Part, R> {
        let mut after = match left(govern) {
            Some(Left::Died(after)) => *after,
            _ => start(Place::Dead),
        };
        let rows = self.rows.listed(queue, Place::Dead, after, GOVERN_JOBS)?;
        let mut is_last = rows.len() < GOVERN_JOBS;
        let (mut jobs, sieve) = (0, Fine::of(sieve));
        for row in rows {
            if self.has_dropped_much() {
                is_last = false;
                break;
            }
            after = at(&row);
            if self.goes_through(&sieve, &row)? {
                jobs += u64::from(self.carry_out(row, what)?.is_ok());
            }
        }
        Ok(Part { jobs, left: (!is_last).then_some(Left::Died(after)) })
    }

    /// Those behind others first, so that none of them goes on only to be cancelled then.
    fn do_waiting(&mut self, govern: &Govern, queue: Seq) -> Worked<Part, R> {
        let counts = self.queue(queue)?.info.counts;
        let waiting = counts.ready + counts.delayed + counts.behind;
        let left = match left(govern) {
            Some(Left::Waiting(left)) => waiting.min(*left),
            _ => waiting,
        };
        let mut most = GOVERN_JOBS.min(usize::try_from(left).unwrap_or(usize::MAX));
        let (mut jobs, mut looked) = (0, 0);
        for place in [Place::Behind, Place::Delayed, Place::Ready] {
            for row in self.rows.listed(queue, place, start(place), most)? {
                if self.has_dropped_much() {
                    break;
                }
                (most, looked) = (most - 1, looked + 1);
                // As another of its group may have left it.
                if let Some(row) = self.rows.job(row.job.id)? {
                    jobs += u64::from(self.carry_out(row, Do::Drop)?.is_ok());
                }
            }
        }
        let left = left - looked;
        Ok(Part { jobs, left: (left > 0 && looked > 0).then_some(Left::Waiting(left)) })
    }

    /// Does it to one, or tells in which state that is.
    fn carry_out(&mut self, mut row: Row, what: Do) -> Worked<Result<(), JobState>, R> {
        self.settle(&mut row)?;
        let act = match what {
            Do::Cancel | Do::Drop => Act::Cancel,
            Do::Discard => Act::Discard,
            Do::Requeue(_) => {
                let group = row.job.group.as_ref();
                let behind = group.map(|group| self.rows.has_head(row.queue, group)).transpose()?;
                Act::Requeue { behind: behind.unwrap_or(false) }
            }
        };
        if let Err(Refused::WrongState(state)) = row.job.clone().act(self.moment.now, act.clone()) {
            return Ok(Err(state));
        }
        let mut over = Vec::new();
        match what {
            Do::Cancel | Do::Requeue(None) => {}
            Do::Requeue(Some(data)) => over.push(self.replace(&mut row, data)?),
            Do::Drop | Do::Discard => {
                over.push(self.replace(&mut row, "null")?);
                over.extend(row.outcome.take());
            }
        }
        if let Act::Requeue { .. } = act {
            // What ends it next is another end than this one.
            row.fence = self.rows.fence()?;
        }
        if let Err(refused) = self.act(&mut row, act, None)? {
            return Err(Fault::Failed(refused.to_string()).into());
        }
        for content in over {
            self.dropped += self.rows.drop_content(content)?;
        }
        Ok(Ok(()))
    }

    /// Gives the job this payload and returns where the one before is.
    fn replace(&mut self, row: &mut Row, data: &str) -> Worked<Seq, R> {
        Ok(std::mem::replace(&mut row.content, self.rows.store(data)?))
    }

    /// Notes it, or counts its part in the note of the calls before this one.
    fn noted(&mut self, govern: &Govern, queue: Seq, jobs: u64) -> Worked<i64, R> {
        if let Some(rest) = &govern.rest {
            if jobs > 0 {
                self.rows.count_audit(rest.audit, jobs)?;
            }
            return Ok(rest.audit);
        }
        let note = words(&govern.deed)?;
        let job = note.job.filter(|_| jobs == 1);
        self.note(queue, &govern.by, Note { job, jobs, ..note })
    }
}

/// To which jobs it is to be done yet, where calls before this one have done it to others.
fn left(govern: &Govern) -> Option<&Left> {
    govern.rest.as_ref().map(|rest| &rest.left)
}

/// A deed as it is noted, before it is known to how many jobs it is done.
fn words(deed: &Deed) -> Result<Note, Fault> {
    Ok(match deed {
        Deed::Cancel(jobs) => chosen(Did::Cancel, jobs),
        Deed::Requeue { jobs, data } => {
            let note = chosen(Did::Requeue, jobs);
            let mended = data.as_ref().map(|_| "mended".to_owned());
            Note { detail: mended.or(note.detail), ..note }
        }
        Deed::Discard(jobs) => chosen(Did::Discard, jobs),
        Deed::Pause(_) => Note::plain(Did::Pause, None),
        Deed::Resume(_) => Note::plain(Did::Resume, None),
        Deed::Purge(_, Purge::Waiting) => Note::plain(Did::Purge, Some("waiting".to_owned())),
        Deed::Purge(_, Purge::Dead) => Note::plain(Did::Purge, Some("dead".to_owned())),
        Deed::Set(_, settings) => {
            let settings = serde_json::to_string(settings);
            let settings = settings.map_err(|error| Fault::Failed(error.to_string()))?;
            Note::plain(Did::Set, Some(settings))
        }
    })
}

/// With the job, or by what they were chosen.
fn chosen(did: Did, jobs: &Chosen) -> Note {
    let (job, detail) = match jobs {
        Chosen::One(id) => (Some(*id), None),
        Chosen::Of(_, ids) => match ids[..] {
            [one] => (Some(one), None),
            _ => (None, Some(ids.iter().map(JobId::to_string).collect::<Vec<_>>().join(", "))),
        },
        Chosen::Dead(_, Sieve { kind, error }) => {
            let kind = kind.as_ref().map(|kind| format!("type: {kind}"));
            let error = error.as_ref().map(|error| format!("error: {error}"));
            (None, Some(kind.into_iter().chain(error).collect::<Vec<_>>().join("; ")))
        }
    };
    Note { did, job, jobs: 0, detail: detail.filter(|detail| !detail.is_empty()) }
}
