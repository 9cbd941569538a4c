//! One transaction of the store: the real [`Job`] decides, and this carries out what follows.

mod timed;
mod words;

use crate::{
    deed::{Answer, Claim, Deed, Ended, Enqueued, Got, Govern, Leased, Source, Task},
    disk::{Asked, By, Disk, Key, Queue, Row, end_event},
};
use holdfast_common::{
    backoff::Dice,
    id::JobId,
    job::{
        Act, Attempt, EXPIRED, Holder, Job, LAPSED, Over, Place, Reason, Refused, Step, StoreTime,
        Token, limits,
    },
    planted::{Planted, planted},
    storage::jobs::Move,
    time::{Millis, Timestamp},
};
use std::rc::Rc;

const DAY: u64 = 24 * 3_600 * 1_000;
/// How long a key is kept at least.
pub const KEYS_KEPT: Millis = Millis(7 * DAY);

/// A batch that is being carried out.
pub struct Tx<'a> {
    pub disk: &'a mut Disk,
    pub now: StoreTime,
    pub deeds: Vec<Deed>,
    /// So many ends with events more find that a room has moved.
    pub moved: &'a mut u64,
    /// Leases up to this fence are not looked at: of a fault to be planted.
    pub forgotten: u64,
    /// Something has changed that claims go by.
    pub changed: bool,
    pub moves: Vec<(Queue, Move)>,
}

impl Tx<'_> {
    pub fn run(&mut self, task: &Task) -> Answer {
        match task {
            Task::Enqueue { jobs, source, then } => {
                let made = self.enqueue(jobs, *source);
                let fits = matches!(made, Enqueued::Made(_));
                let then = then.iter().filter(|_| fits);
                let got = then.map(|(consumer, claim)| (*consumer, self.claim(claim))).collect();
                Answer::Enqueued(made, got)
            }
            Task::Claim(claim) => Answer::Claimed(self.claim(claim)),
            Task::End(end) => {
                let ended = self.end(end);
                let next = match (&end.then, ended) {
                    (Some(claim), Ended::Done) => self.claim(claim).0,
                    _ => Vec::new(),
                };
                Answer::Ended(ended, next)
            }
            Task::Extend { job, token, length, progress } => {
                Answer::Extended(self.extend(*job, *token, *length, *progress))
            }
            Task::Tend => Answer::Tended { more: self.tend() },
            Task::Govern(govern) => {
                self.govern(govern);
                Answer::Nothing
            }
            Task::Tell(job, fence) => {
                let event = end_event(*job, *fence);
                if self.disk.inbox.insert(event, (*job, *fence)).is_none() {
                    self.deeds.push(Deed::Heard(event));
                }
                Answer::Nothing
            }
            Task::Told(job, fence) => {
                // It may have been requeued and have ended again meanwhile: that end is not told.
                if let Some(row) = self.disk.jobs.get_mut(job)
                    && row.fence == *fence
                    && row.job.place.ended()
                {
                    Rc::make_mut(row).told = true;
                }
                Answer::Nothing
            }
            Task::Fire { n, fire, looked } => self.fire(*n, fire, *looked),
            Task::Next(n, then) => {
                self.goes_on(*n, then.clone());
                Answer::Nothing
            }
        }
    }

    fn moves_to(&mut self, queue: Queue, job: JobId, from: Option<Place>, to: Option<Place>) {
        self.moves.push((
            queue,
            Move { job, from, to, attempt: 0, consumer: None, failed: false, took: None },
        ));
    }

    /// Gives the leases a gap, before anything else.
    pub fn give(&mut self, gap: Millis) {
        for row in self.disk.jobs.values_mut().filter(|row| row.job.place == Place::Leased) {
            Rc::make_mut(row).job.give(gap);
        }
        self.deeds.push(Deed::Gave(gap));
    }

    fn act(&mut self, id: JobId, act: Act) -> Result<Step, Refused> {
        let row = self.disk.jobs.get_mut(&id).ok_or(Refused::Late(Reason::Other))?;
        let before = row.job.clone();
        let row = Rc::make_mut(row);
        let step = row.job.act(self.now, act);
        let Ok(step) = step else {
            if row.job != before {
                self.deeds.push(Deed::Spoilt(id));
            }
            return step;
        };
        self.changed = true;
        let counters = &mut self.disk.queues[row.queue].counters;
        counters[step.from as usize] -= 1;
        counters[step.to as usize] += 1;
        if step.to.ended() && step.from != Place::Dead {
            row.told = row.asker.is_none();
        }
        let (queue, group) = (row.queue, row.job.group.clone());
        self.moves_to(queue, id, Some(step.from), Some(step.to));
        let Some(row) = self.disk.jobs.get(&id) else { return Ok(step) };
        let lapsed = matches!(row.job.last.map(|it| it.over), Some(Over::Lapsed));
        if let Some(lease) = step.lease.as_ref().filter(|_| step.to != Place::Done) {
            let attempt = Attempt {
                attempt: before.attempt,
                fence: lease.token.fence,
                at: Timestamp(self.now.0),
                took: self.now - lease.since,
                lapsed,
                consumer: lease.holder.consumer.clone(),
                error: if lapsed { LAPSED.to_owned() } else { "it did not work".to_owned() },
            };
            self.attempt(id, attempt);
        }
        if step.frees
            && let Some(next) = group.and_then(|group| self.disk.first_behind(queue, &group))
        {
            let _ = self.act(next, Act::Free);
        }
        Ok(step)
    }

    fn attempt(&mut self, id: JobId, attempt: Attempt) {
        let kept = Rc::make_mut(self.disk.attempts.entry(id).or_default());
        kept.push(attempt);
        let most = kept.len().saturating_sub(limits::ATTEMPTS_KEPT);
        kept.drain(..most);
    }

    /// Carries out what time alone has brought to a job.
    fn settle(&mut self, id: JobId) {
        while let Some(act) = self.disk.jobs.get(&id).and_then(|row| row.job.overdue(self.now)) {
            let Ok(step) = self.act(id, act.clone()) else { return };
            match act {
                Act::Lapse => self.deeds.push(Deed::Lapsed { job: id, to: step.to }),
                Act::Expire => {
                    let error = EXPIRED.to_owned();
                    let (at, took) = (Timestamp(self.now.0), Millis(0));
                    let (consumer, lapsed) = (String::new(), false);
                    let attempt = self.disk.jobs[&id].job.attempt;
                    let expired = Attempt { attempt, fence: 0, at, took, lapsed, consumer, error };
                    self.attempt(id, expired);
                    self.deeds.push(Deed::Expired(id));
                }
                _ => {}
            }
        }
    }

    fn enqueue(&mut self, jobs: &[Asked], source: Source) -> Enqueued {
        let ids: Vec<JobId> = jobs.iter().map(|asked| asked.new.id).collect();
        match source {
            Source::Key(queue, key, body) => {
                if let Some(was) = self.disk.keys.get(&(queue, key)) {
                    let same = was.body == body;
                    return if same {
                        Enqueued::Again(was.jobs.clone())
                    } else {
                        Enqueued::Mismatch
                    };
                }
            }
            Source::Event(event) if self.disk.log.contains_key(&event) => {
                return Enqueued::Again(ids);
            }
            _ => {}
        }
        if ids.iter().any(|id| self.disk.jobs.contains_key(id)) {
            return Enqueued::Again(ids);
        }
        for asked in jobs {
            let row = &self.disk.queues[asked.queue];
            let waiting: u64 = row.counters[..4].iter().sum();
            if waiting + jobs.len() as u64 > row.settings.most {
                return Enqueued::Full;
            }
        }
        jobs.iter().for_each(|asked| self.make(asked, source));
        match source {
            Source::Key(queue, key, body) => {
                let until = self.now + KEYS_KEPT;
                self.disk.keys.insert((queue, key), Key { body, jobs: ids.clone(), until });
            }
            Source::Event(event) => {
                self.disk.log.insert(event, By::Person);
                self.deeds.push(Deed::Appended(event, By::Person));
            }
            Source::Ids | Source::End(_) | Source::Occurrence(..) => {}
        }
        Enqueued::Made(ids)
    }

    pub(super) fn make(&mut self, asked: &Asked, source: Source) {
        let queue = asked.queue;
        let behind = self.disk.busy(queue, asked.new.group.as_deref());
        let job = Job::new(self.now, &asked.new, &self.disk.queues[queue].settings, behind);
        self.disk.queues[queue].counters[job.place as usize] += 1;
        self.disk.seq += 1;
        self.changed = true;
        self.deeds.push(Deed::Made { asked: asked.clone(), source, most: job.most });
        self.moves_to(queue, job.id, None, Some(job.place));
        let row = Row {
            seq: self.disk.seq,
            queue,
            urgency: -i16::from(asked.new.priority),
            asker: asked.new.asker,
            fence: 0,
            told: true,
            result: None,
            progress: 0,
            job,
        };
        self.disk.jobs.insert(asked.new.id, Rc::new(row));
    }

    fn claim(&mut self, claim: &Claim) -> Got {
        let mut dice = Dice::new(claim.chance);
        let mut got = Vec::new();
        let mut next = None;
        let planted = planted(Planted::LimitIgnored);
        while got.len() < claim.jobs as usize {
            if let Some(id) = claim.job {
                self.settle(id);
            }
            let row = &self.disk.queues[claim.queue];
            if row.paused || (!planted && self.disk.claimable(claim.queue) == 0) {
                break;
            }
            let first = match claim.job {
                None => self.disk.first_ready(claim.queue),
                Some(id) => Some(id).filter(|id| self.disk.place(*id) == Some(Place::Ready)),
            };
            let Some(id) = first else { break };
            if self.disk.jobs[&id].job.overdue(self.now).is_some() {
                self.settle(id);
                continue;
            }
            if let Some(rate) = row.settings.rate.filter(|_| !planted) {
                let allowed = rate.allow(row.tat, self.now, 1);
                if allowed.jobs == 0 {
                    next = Some(allowed.wait);
                    break;
                }
                self.disk.queues[claim.queue].tat = allowed.tat;
            }
            got.extend(self.lease(id, claim, dice.up_to(u64::MAX)));
        }
        (got, next)
    }

    fn lease(&mut self, id: JobId, claim: &Claim, key: u64) -> Option<Leased> {
        self.disk.fence += 1;
        let token = Token { fence: self.disk.fence, key };
        let holder = Holder { consumer: format!("worker {}", claim.worker), person: None };
        let act = Act::Claim { token, holder, length: claim.length };
        self.act(id, act).ok()?;
        Rc::make_mut(self.disk.jobs.get_mut(&id)?).fence = token.fence;
        self.deeds.push(Deed::Begun { job: id, token, length: limits::lease(claim.length) });
        Some(Leased { job: id, queue: claim.queue, token, length: claim.length })
    }

    /// What time alone brings, and what is no longer kept. Returns whether there is more.
    fn tend(&mut self) -> bool {
        /// Rows of one tending, fewer than in earnest so that it goes on in a next one.
        const MOST: usize = 6;
        let forgotten = |row: &Row| {
            row.job.lease.as_ref().is_some_and(|lease| lease.token.fence <= self.forgotten)
        };
        let rows = self.disk.jobs.values();
        let due = rows.filter(|row| row.job.overdue(self.now).is_some() && !forgotten(row));
        let mut due: Vec<(StoreTime, u64, JobId)> =
            due.map(|row| (row.job.due, row.seq, row.job.id)).collect();
        due.sort_unstable();
        for (_, _, id) in due.iter().take(MOST) {
            self.settle(*id);
        }
        // What its asker has not been told yet is kept, however long ago it was.
        let old = |row: &&Rc<Row>| {
            let keep = self.disk.queues[row.queue].settings.keep;
            matches!(row.job.place, Place::Done | Place::Cancelled)
                && row.told
                && self.now >= row.job.due + keep
        };
        let old: Vec<JobId> =
            self.disk.jobs.values().filter(old).take(MOST).map(|row| row.job.id).collect();
        for id in &old {
            self.remove(*id);
        }
        let (now, jobs) = (self.now, &self.disk.jobs);
        self.disk
            .keys
            .retain(|_, key| now < key.until || key.jobs.iter().any(|id| jobs.contains_key(id)));
        due.len() > MOST || old.len() == MOST
    }

    fn remove(&mut self, id: JobId) {
        if let Some(row) = self.disk.jobs.remove(&id) {
            self.disk.queues[row.queue].counters[row.job.place as usize] -= 1;
            self.disk.attempts.remove(&id);
            self.deeds.push(Deed::Removed(id));
            self.moves_to(row.queue, id, Some(row.job.place), None);
        }
    }

    fn govern(&mut self, govern: &Govern) {
        match govern {
            Govern::Cancel(id) => {
                self.settle(*id);
                if self.act(*id, Act::Cancel).is_ok() {
                    self.deeds.push(Deed::Cancelled(*id));
                }
            }
            Govern::Requeue(id) => {
                let row = self.disk.jobs.get(id);
                let group = row.map(|row| (row.queue, row.job.group.clone()));
                let behind =
                    group.is_some_and(|(queue, group)| self.disk.busy(queue, group.as_deref()));
                if self.act(*id, Act::Requeue { behind }).is_ok()
                    && let Some(row) = self.disk.jobs.get_mut(id)
                {
                    // Else the next end could have the name of the one before.
                    self.disk.fence += 1;
                    Rc::make_mut(row).fence = self.disk.fence;
                    Rc::make_mut(row).told = true;
                    self.deeds.push(Deed::Requeued(*id, self.disk.fence));
                }
            }
            Govern::Discard(id) => {
                if self.act(*id, Act::Discard).is_ok() {
                    self.deeds.push(Deed::Discarded(*id));
                }
            }
            Govern::Pause(queue, paused) => self.pause(*queue, *paused),
            Govern::Timed(n, change) => self.schedule(*n, change),
            Govern::Set(queue, settings) => {
                self.changed = true;
                self.disk.queues[*queue].settings = settings.clone();
                self.deeds.push(Deed::Set(*queue, settings.clone()));
            }
        }
    }

    fn pause(&mut self, queue: Queue, paused: bool) {
        self.changed = true;
        self.disk.queues[queue].paused = paused;
        self.deeds.push(Deed::Paused(queue, paused));
    }
}
