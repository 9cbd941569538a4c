//! A reference of what may become of jobs, told by the words of their table alone: no line of the
//! machine or of an engine is in it.
//!
//! It keeps what was asked and done, and works out of that, each time anew, where every job is.

use super::bench::*;
use holdfast_common::{
    id::JobId,
    job::{NewJob, Place, Token},
    storage::jobs::{Counts, End, Ended, Governed, How, LeasedJob},
};
use std::collections::BTreeMap;

/// Everything there is to know of the inbox.
#[derive(Default)]
pub(super) struct Reference {
    pub(super) now: u64,
    /// In the order of their enqueues.
    pub(super) jobs: Vec<Known>,
}

pub(super) struct Known {
    pub(super) asked: NewJob,
    /// From then on it may begin.
    due: u64,
    expires: Option<u64>,
    attempt: u32,
    most: u32,
    lease: Option<(Token, u64)>,
    /// The word that ended its last lease, with its jobs.
    word: Option<(Token, How, Vec<NewJob>)>,
    ended: Option<Place>,
    /// It has been the first of its group since then; the others are behind it.
    heads: bool,
    /// How often it has ended.
    pub(super) ends: u32,
    pub(super) untold: bool,
}

/// A job as its asker means it.
fn meant(job: &NewJob) -> NewJob {
    NewJob { id: JobId::NIL, asker: None, ..job.clone() }
}

impl Known {
    fn end(&mut self, place: Place) {
        self.ends += u32::from(self.ended.is_none());
        self.untold = self.asked.asker.is_some() && (self.untold || self.ended.is_none());
        (self.ended, self.lease, self.heads) = (Some(place), None, false);
    }

    pub(super) fn place(&self, now: u64) -> Place {
        match (self.ended, self.lease) {
            (Some(place), _) => place,
            (None, Some(_)) => Place::Leased,
            (None, None) if !self.heads => Place::Behind,
            (None, None) if now < self.due => Place::Delayed,
            (None, None) => Place::Ready,
        }
    }

    pub(super) const fn attempt(&self) -> u32 {
        self.attempt
    }
}

impl Reference {
    pub(super) fn of(&mut self, id: JobId) -> Option<&mut Known> {
        self.jobs.iter_mut().find(|job| job.asked.id == id)
    }

    pub(super) fn enqueue(&mut self, asked: &NewJob) {
        self.jobs.push(Known {
            asked: asked.clone(),
            due: self.now + asked.delay.0,
            expires: asked.expires.map(|length| self.now + length.0),
            attempt: 0,
            most: asked.most.unwrap_or(settings().attempts),
            lease: None,
            word: None,
            ended: None,
            heads: false,
            ends: 0,
            untold: false,
        });
        self.go_on();
    }

    /// Time has passed: leases run out, what was not begun expires.
    pub(super) fn pass(&mut self, length: u64) {
        self.now += length;
        for job in &mut self.jobs {
            if job.lease.is_some_and(|(_, until)| until <= self.now) {
                (job.lease, job.word) = (None, None);
                if job.attempt == job.most {
                    job.end(Place::Dead);
                }
            }
            let waits = job.ended.is_none() && job.lease.is_none();
            if waits && job.expires.is_some_and(|at| at <= self.now) {
                job.end(Place::Dead);
            }
        }
        self.go_on();
    }

    /// Of each group whose first job has ended the next one is the first; without a group each is.
    fn go_on(&mut self) {
        for n in 0..self.jobs.len() {
            let (job, group) = (&self.jobs[n], self.jobs[n].asked.group.clone());
            let mut others = self.jobs.iter();
            let held = group.is_some() && others.any(|it| it.heads && it.asked.group == group);
            if job.ended.is_none() && !held {
                self.jobs[n].heads = true;
            }
        }
    }

    /// These are the next ones, in this order.
    pub(super) fn claim(&mut self, most: usize, got: &[LeasedJob]) {
        let mut ready: Vec<_> =
            self.jobs.iter_mut().filter(|job| job.place(self.now) == Place::Ready).collect();
        ready.sort_by_key(|job| -job.asked.priority);
        ready.truncate(most);
        let ids: Vec<_> = ready.iter().map(|job| job.asked.id).collect();
        assert_eq!(got.iter().map(|job| job.id).collect::<Vec<_>>(), ids);
        for (job, leased) in ready.into_iter().zip(got) {
            job.attempt += 1;
            job.lease = Some((leased.token, self.now + 10_000));
        }
    }

    pub(super) fn end(&mut self, end: &End, said: &Ended) {
        let now = self.now;
        let job = self.of(end.job).unwrap();
        let word = Some((end.token, end.how.clone(), end.jobs.iter().map(meant).collect()));
        if job.word == word {
            let place = job.place(now);
            assert_eq!(again_at(said), Some(place), "{said:?}");
            return;
        }
        if job.lease.is_none_or(|(token, _)| token != end.token) {
            assert!(matches!(said, Ended::Late(_)), "{said:?}");
            return;
        }
        (job.lease, job.word) = (None, word);
        match &end.how {
            How::Complete { .. } => job.end(Place::Done),
            How::Fail { retry: Some(_), .. } if job.attempt < job.most => job.due = now,
            How::Fail { .. } => job.end(Place::Dead),
            How::Snooze { delay } | How::HandBack { delay } => {
                job.attempt -= 1;
                job.due = now + delay.0;
            }
        }
        let place = job.place(now);
        let is_so = matches!(said, Ended::Done { place: at, .. } if *at == place);
        assert!(is_so, "it is {place:?}: {said:?}");
        // A job that waits and is past its time does so no longer than until somebody looks.
        self.pass(0);
        for asked in &end.jobs {
            self.enqueue(asked);
        }
    }

    /// The jobs of the word that ended this lease.
    pub(super) fn said(&mut self, id: JobId, token: Token) -> Option<Vec<NewJob>> {
        let word = self.of(id)?.word.as_ref().filter(|(of, ..)| *of == token);
        word.map(|(.., jobs)| jobs.clone())
    }

    pub(super) fn extend(&mut self, id: JobId, token: Token, length: u64, is_so: bool) {
        let now = self.now;
        let job = self.of(id).unwrap();
        let held = job.lease.is_some_and(|(of, _)| of == token);
        assert_eq!(is_so, held);
        if held {
            job.lease = Some((token, now + length));
        }
    }

    pub(super) fn cancel(&mut self, id: JobId, said: &Governed) {
        let job = self.of(id).unwrap();
        if job.ended.is_none() {
            // The token of a lease that was cancelled has no word.
            if job.lease.is_some() {
                job.word = None;
            }
            job.end(Place::Cancelled);
        } else {
            return assert!(matches!(said, Governed::WrongState(_)), "{said:?}");
        }
        self.done(said);
    }

    pub(super) fn discard(&mut self, id: JobId, said: &Governed) {
        let job = self.of(id).unwrap();
        if job.ended != Some(Place::Dead) {
            return assert!(matches!(said, Governed::WrongState(_)), "{said:?}");
        }
        job.end(Place::Cancelled);
        self.done(said);
    }

    pub(super) fn requeue(&mut self, id: JobId, said: &Governed) {
        let now = self.now;
        let job = self.of(id).unwrap();
        if job.ended != Some(Place::Dead) {
            return assert!(matches!(said, Governed::WrongState(_)), "{said:?}");
        }
        (job.ended, job.attempt, job.expires, job.due) = (None, 0, None, now);
        job.untold = false;
        self.done(said);
    }

    fn done(&mut self, said: &Governed) {
        assert_eq!(*said, Governed::Done { jobs: 1, rest: None });
        self.go_on();
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for job in &self.jobs {
            if let Some(count) = counts.of(job.place(self.now)) {
                *count += 1;
            }
        }
        counts
    }

    /// Which jobs are in each place.
    pub(super) fn places(&self) -> BTreeMap<Place, Vec<JobId>> {
        let mut places = BTreeMap::<_, Vec<_>>::new();
        for job in &self.jobs {
            places.entry(job.place(self.now)).or_default().push(job.asked.id);
        }
        places
    }
}
