//! What became durable, deed after deed.

use super::{Invariant, Known, Ledger, Stands, known::Hold};
use crate::{
    deed::{Deed, End, Ended, Source},
    disk::{Asked, By, Disk, end_event},
    store::Batch,
};
use holdfast_common::{
    id::{EventId, JobId},
    job::{Ending, Place, Reason, Token, limits::ATTEMPTS_KEPT},
};

impl Ledger {
    pub(super) fn deed(&mut self, batch: &Batch, deed: &Deed, brought: &mut Vec<(EventId, Token)>) {
        let now = batch.now;
        match deed {
            Deed::Gave(gap) => {
                self.counts.add("clock: a gap is given");
                for known in self.state.jobs.values_mut() {
                    if let Stands::Held(hold) = &mut known.stands {
                        hold.until = hold.until + *gap;
                    }
                }
            }
            Deed::Made { asked, source, most } => {
                let first = self.first_of(batch, deed);
                self.once(*source, now, first);
                self.made_once(asked.new.id, *source);
                self.made(batch, asked, *most);
            }
            Deed::Begun { job, token, length, .. } => self.begun(batch, *job, *token, *length),
            Deed::Extended { job, token, length } => {
                self.holds(batch, *job, *token);
                if let Some(Stands::Held(hold)) = self.stands(*job) {
                    (hold.until, hold.length, hold.from) = (now + *length, length.0, batch.counted);
                }
                self.counts.add("lease: extended");
            }
            Deed::Progressed { job, token } => {
                self.holds(batch, *job, *token);
                self.counts.add("lease: progress");
            }
            Deed::Ended { end, to } => self.ended(batch, end, *to),
            Deed::Said { job, token, digest, said } => {
                self.counts.add(&format!("end: {}", word(*said)));
                self.said(batch, *job, *token, *digest, *said);
            }
            Deed::Lapsed { job, to } => self.lapsed(batch, *job, *to),
            Deed::Expired(job) => {
                self.error(*job, 0);
                self.goes(batch, *job, Stands::Dead);
                self.counts.add("job: expired");
            }
            Deed::Cancelled(job) => self.cancelled(batch, *job),
            Deed::Discarded(job) => self.goes(batch, *job, Stands::Cancelled),
            Deed::Requeued(job, fence) => self.requeued(batch, *job, *fence),
            Deed::Appended(event, By::End(_, token)) => brought.push((*event, *token)),
            Deed::Appended(..) => {}
            Deed::Heard(event) => {
                self.counts.add("asker: heard");
                if !self.state.heard.insert(*event) || !self.state.ends.contains(event) {
                    self.breaks(Invariant::J9, || format!("{event} is heard, which is no end"));
                }
            }
            Deed::Removed(job) => self.removed(batch, *job),
            Deed::Set(queue, settings) => {
                let governed = &mut self.state.queues[*queue];
                governed.settings = settings.clone();
                governed.began.clear();
            }
            Deed::Paused(queue, paused) => self.state.queues[*queue].paused = *paused,
            Deed::Fired { n, at, then, looked } => self.fired(*n, *at, *then, *looked),
            Deed::Timed(n, schedule) => self.timed(*n, schedule.as_ref()),
            Deed::Resumed(n) => self.resumed(*n),
            Deed::Spoilt(job) => {
                self.breaks(Invariant::J3, || format!("what was refused has changed {job}"));
            }
        }
    }

    fn made(&mut self, batch: &Batch, asked: &Asked, most: u32) {
        self.state.order += 1;
        let known = Known {
            queue: asked.queue,
            group: asked.new.group.clone(),
            order: self.state.order,
            requeued: false,
            most,
            stands: Stands::Waits,
            begun: 0,
            asked: asked.new.asker.is_some(),
            fence: 0,
            ended_at: batch.now,
            ended: Vec::new(),
            last: None,
            errors: Vec::new(),
        };
        self.state.jobs.insert(asked.new.id, known);
    }

    /// What an end enqueues is enqueued once, however often the end is said.
    fn made_once(&mut self, job: JobId, source: Source) {
        let known = self.state.jobs.contains_key(&job) || self.state.removed.contains(&job);
        if known && matches!(source, Source::End(_)) {
            self.breaks(Invariant::J4, || format!("{job} is enqueued once more by {source:?}"));
        }
    }

    fn cancelled(&mut self, batch: &Batch, job: JobId) {
        if let Some(hold) = self.hold(job) {
            self.error(job, hold.token.fence);
            self.overtaken(job);
        }
        self.goes(batch, job, Stands::Cancelled);
    }

    fn requeued(&mut self, batch: &Batch, job: JobId, fence: u64) {
        self.goes(batch, job, Stands::Waits);
        self.counts.add("job: requeued");
        if let Some(known) = self.state.jobs.get_mut(&job) {
            self.state.undone.insert(end_event(job, known.fence));
            (known.begun, known.requeued, known.fence) = (0, true, fence);
        }
    }

    /// Whether a made job is the first of its source in its batch.
    fn first_of(&self, batch: &Batch, deed: &Deed) -> bool {
        let Deed::Made { source, asked, .. } = deed else { return false };
        let mut made = batch.deeds.iter().filter_map(|it| match it {
            Deed::Made { source: of, asked, .. } if of == source => Some(asked.new.id),
            _ => None,
        });
        made.next() == Some(asked.new.id)
    }

    fn stands(&mut self, job: JobId) -> Option<&mut Stands> {
        self.state.jobs.get_mut(&job).map(|known| &mut known.stands)
    }

    pub(super) fn hold(&self, job: JobId) -> Option<Hold> {
        self.state.jobs.get(&job).and_then(|known| known.stands.hold()).cloned()
    }

    fn error(&mut self, job: JobId, fence: u64) {
        if let Some(known) = self.state.jobs.get_mut(&job) {
            known.errors.push(fence);
        }
    }

    fn overtaken(&mut self, job: JobId) {
        if let Some(known) = self.state.jobs.get_mut(&job) {
            known.last = None;
        }
    }

    pub(super) fn goes(&mut self, batch: &Batch, job: JobId, to: Stands) {
        let Some(known) = self.state.jobs.get_mut(&job) else {
            return self.breaks(Invariant::J1, || format!("{job} was never made"));
        };
        let (from, ends) = (known.stands.word(), to.ended() && !known.stands.ended());
        let word = to.word();
        known.stands = to;
        if known.stands.ended() {
            known.ended_at = batch.now;
        }
        self.counts.add_step("job: ", from, word);
        if ends {
            self.end_of(job);
        }
    }

    /// A consumer's word is taken: it holds the job, and in time.
    fn holds(&mut self, batch: &Batch, job: JobId, token: Token) {
        let Some(hold) = self.hold(job).filter(|hold| hold.token == token) else {
            return self
                .breaks(Invariant::J3, || format!("{token} does not hold {job} and is taken"));
        };
        if batch.now >= hold.until {
            self.breaks(Invariant::J3, || format!("{token} is late for {job} and is taken"));
        }
    }

    fn ended(&mut self, batch: &Batch, end: &End, to: Place) {
        let (job, token) = (end.job, end.token);
        self.holds(batch, job, token);
        self.state.brought.extend(&end.events);
        let Some(known) = self.state.jobs.get_mut(&job) else { return };
        known.ended.push((token, end.digest));
        known.last = Some((token, end.digest));
        if end.how != Ending::Complete {
            known.errors.push(token.fence);
        }
        let out = known.begun >= known.most;
        let (name, stands, right) = match end.how {
            Ending::Complete => ("complete", Stands::Done, to == Place::Done),
            Ending::Snooze(_) | Ending::HandBack(_) => {
                known.begun = known.begun.saturating_sub(1);
                ("snooze", Stands::Waits, !to.ended())
            }
            Ending::Fail { retry, .. } => {
                let dead = retry.is_none() || out;
                let stands = if dead { Stands::Dead } else { Stands::Waits };
                ("fail", stands, (to == Place::Dead) == dead)
            }
        };
        if !right {
            self.breaks(Invariant::J7, || format!("{job} goes to {to:?} by {:?}", end.how));
        }
        self.counts.add_named("end: ", name);
        if !end.events.is_empty() {
            self.counts.add("end: with events");
        }
        if !end.jobs.is_empty() {
            self.counts.add("end: with jobs");
        }
        self.goes(batch, job, stands);
    }

    fn said(
        &mut self,
        batch: &Batch,
        job: JobId,
        token: Token,
        digest: Option<[u8; 32]>,
        said: Ended,
    ) {
        let Some(known) = self.state.jobs.get(&job) else { return };
        let hold = known.stands.hold();
        let ours = hold.filter(|hold| hold.token == token);
        let lasts = digest.is_some_and(|digest| known.last == Some((token, digest)));
        let ended = digest.is_some_and(|digest| known.ended.contains(&(token, digest)));
        match said {
            Ended::Late(_) if lasts => {
                self.breaks(Invariant::J4, || {
                    format!("{token} has ended {job} and hears {said:?}")
                });
            }
            Ended::Again if !ended => {
                self.breaks(Invariant::J3, || {
                    format!("{token} has not ended {job} and hears {said:?}")
                });
            }
            Ended::Late(reason) => {
                let early = ours.is_some_and(|hold| {
                    batch.now < hold.until || batch.counted - hold.from < hold.length
                });
                if early {
                    self.breaks(Invariant::J8, || {
                        format!("{token} of {job} is refused: {reason:?}")
                    });
                }
            }
            _ => {}
        }
    }

    fn lapsed(&mut self, batch: &Batch, job: JobId, to: Place) {
        let Some(hold) = self.hold(job) else {
            return self.breaks(Invariant::J1, || format!("{job} lapses and is not held"));
        };
        let counted = batch.counted - hold.from;
        if counted < hold.length {
            let length = hold.length;
            self.breaks(Invariant::J8, || format!("{job} lapses behind {counted} of {length}"));
        }
        self.error(job, hold.token.fence);
        self.overtaken(job);
        let out = self.state.jobs.get(&job).is_some_and(|known| known.begun >= known.most);
        if out != (to == Place::Dead) {
            self.breaks(Invariant::J7, || format!("{job} lapses and is {to:?}"));
        }
        self.goes(batch, job, if to == Place::Dead { Stands::Dead } else { Stands::Waits });
        self.counts.add("lease: lapsed");
    }

    fn removed(&mut self, batch: &Batch, job: JobId) {
        let Some(known) = self.state.jobs.remove(&job) else { return };
        self.state.removed.insert(job);
        self.counts.add("job: removed");
        let keep = self.state.queues[known.queue].settings.keep;
        let kept = matches!(known.stands, Stands::Done | Stands::Cancelled);
        if !kept || batch.now < known.ended_at + keep {
            self.breaks(Invariant::J1, || format!("{job} is removed: {:?}", known.stands));
        }
    }

    /// What an end brings is there with it.
    pub(super) fn brought_all(&mut self, batch: &Batch, disk: &Disk) {
        let ends = batch.deeds.iter().filter_map(|deed| match deed {
            Deed::Ended { end, .. } => Some(end),
            _ => None,
        });
        let gone = |id: &JobId| !self.state.jobs.contains_key(id);
        let mut missing = ends.filter(|end| {
            end.events.iter().any(|event| !disk.log.contains_key(event))
                || end.jobs.iter().any(|asked| gone(&asked.new.id))
        });
        if let Some(job) = missing.next().map(|end| end.job) {
            self.breaks(Invariant::J4, || format!("{job} has ended without all that it brings"));
        }
    }

    /// A dead letter says what went wrong with each of its attempts.
    pub(super) fn says_why(&mut self, disk: &Disk) {
        let dead = self.state.jobs.iter().filter(|(_, it)| matches!(it.stands, Stands::Dead));
        let wrong = dead.into_iter().find(|(id, known)| {
            let kept = disk.attempts.get(*id).into_iter().flat_map(|it| it.iter());
            let kept: Vec<u64> = kept.map(|attempt| attempt.fence).collect();
            let from = known.errors.len().saturating_sub(ATTEMPTS_KEPT);
            kept != known.errors[from..]
        });
        if let Some(id) = wrong.map(|(id, _)| *id) {
            self.breaks(Invariant::J7, || format!("{id} does not say what went wrong"));
        }
    }
}

/// What was said to an end, as the counts have it.
fn word(said: Ended) -> &'static str {
    match said {
        Ended::Done => "done",
        Ended::Again => "again",
        Ended::Late(Reason::Expired) => "late, expired",
        Ended::Late(Reason::Ended) => "late, ended",
        Ended::Late(Reason::Cancelled) => "late, cancelled",
        Ended::Late(Reason::Old) => "late, old",
        Ended::Late(Reason::Other) => "late, other",
        Ended::Moved => "moved",
        Ended::Rejected => "rejected",
        Ended::TooOften => "too often",
        Ended::Unknown => "unknown",
    }
}
