//! What the server says, and what comes of it.

use super::{Again, Ask, Held, LEASE, Machine, Output, Shelf, Terms, Word, wire};
use crate::board::words;
use holdfast_common::{
    error::Code,
    frame::work::{Did, Enqueued, JobShown, Leased, Lost, Page, Refused, WorkServer},
    id::JobId,
    job::{self, JobState, JobType, Place, QueueSettings, Reason},
    time::{Instant, Millis},
    work::Task,
};

impl Machine {
    pub(super) fn frame(&mut self, now: Instant, text: &str) {
        if !self.link.hears() {
            return;
        }
        self.link.heard(now);
        let frame = match wire::read(text) {
            Some(Some(frame)) => frame,
            Some(None) => return,
            None => return self.give_up(now, Code::BadFrame),
        };
        match frame {
            WorkServer::Welcome(welcome) => self.welcome(now, &welcome),
            WorkServer::Away(away) => self.link.away(away.after),
            WorkServer::Leased(leased) => self.leased(now, leased),
            WorkServer::Enqueued(enqueued) => self.enqueued(now, enqueued),
            WorkServer::Did(did) => self.did(now, did),
            WorkServer::Refused(refused) => self.refused(now, &refused),
            WorkServer::Lost(lost) => self.lost(lost),
            WorkServer::Page(page) => self.page(now, page),
            WorkServer::Board(ref board) => {
                if let Some(req) = board.req {
                    self.open.remove(req);
                    self.sub = Some(board.sub);
                }
                if self.sub == Some(board.sub) {
                    self.store.apply(now, &frame);
                    self.settle();
                }
            }
            WorkServer::Moved(ref moved) if self.sub == Some(moved.sub) => {
                self.moved(now, &frame);
                self.settle();
            }
            WorkServer::Figures(ref figures) if self.sub == Some(figures.sub) => {
                self.store.apply(now, &frame);
            }
            _ => {}
        }
    }

    /// What was read before this page took a job comes late, and would move its card back.
    fn moved(&mut self, now: Instant, frame: &WorkServer) {
        let WorkServer::Moved(moved) = frame else { return };
        let old = |shown: &JobShown| {
            let held = self.held.get(shown.id);
            held.is_some_and(|held| shown.attempt < held.attempt)
        };
        if moved.jobs.iter().any(old) {
            let mut newer = moved.clone();
            newer.jobs.retain(|shown| !old(shown));
            self.store.apply(now, &WorkServer::Moved(newer));
        } else {
            self.store.apply(now, frame);
        }
        if self.store.is_full() {
            self.watch_anew();
        }
    }

    /// Sentences about jobs that are not shown any more have been read.
    fn settle(&mut self) {
        let store = &self.store;
        let words = &self.words;
        self.said.retain(|(job, _)| store.job(*job).is_some() || words.has(job));
    }

    fn leased(&mut self, now: Instant, leased: Leased) {
        let job = leased.job;
        let asked = leased.req.and_then(|req| self.open.remove(req));
        if asked != Some(Ask::Take(job.id)) {
            return;
        }
        self.taking.retain(|taking| *taking != job.id);
        let extend = Some(now + Millis(LEASE.0 / 3));
        let held =
            Held { token: job.token.clone(), fence: job.fence, attempt: job.attempt, extend };
        if let Ok(text) = serde_json::to_string(&held) {
            self.out.push(Output::Keep(Shelf::Tab, job.id, text));
        }
        self.held.insert(job.id, held);
        let me = self.me.clone();
        self.store.change(now, job.id, |shown| {
            shown.place = Place::Leased;
            shown.attempt = job.attempt;
            shown.person = me.as_ref().map(|me| me.person);
            shown.consumer = me.map(|me| me.name);
            shown.due_in_ms = Some(job.lease_ms);
        });
        self.whisper(job.id, "It is yours now.");
        self.out.push(Output::Taken(job.id));
    }

    fn enqueued(&mut self, now: Instant, enqueued: Enqueued) {
        self.open.remove(enqueued.req);
        let job = enqueued.id;
        let Some(Word::Add { ns, queue, task, terms, .. }) = self.words.get(job).cloned() else {
            return;
        };
        // Until the board tells of it, which may be a moment later.
        if (ns, queue) == (self.ns.clone(), self.queue.clone())
            && self.store.job(job).is_none()
            && !enqueued.again
        {
            let shown = self.shown(job, &task, terms);
            self.store.put(now, shown);
        }
        self.whisper(job, "It is added.");
        self.forget(job);
    }

    fn did(&mut self, now: Instant, did: Did) {
        match self.open.remove(did.req) {
            Some(Ask::Word(job)) => {
                self.let_go(job);
                self.forget(job);
                let place = match did.state {
                    Some(JobState::Done) => Place::Done,
                    Some(JobState::Dead) => Place::Dead,
                    Some(JobState::Cancelled) => Place::Cancelled,
                    _ => Place::Ready,
                };
                self.store.change(now, job, |shown| {
                    shown.place = place;
                    shown.consumer = None;
                    shown.person = None;
                });
                let done = place == Place::Done;
                self.whisper(job, if done { "It is done." } else { "It is given back." });
            }
            Some(Ask::Extend(job)) => self.store.change(now, job, |shown| {
                shown.due_in_ms = Some(did.lease_ms.unwrap_or(LEASE));
            }),
            Some(Ask::Govern(jobs)) => self.governed(&jobs, did.count),
            _ => {}
        }
    }

    fn governed(&mut self, jobs: &[JobId], count: Option<u64>) {
        if jobs.is_empty() {
            let said = match count {
                Some(1) => "One job was moved.".to_owned(),
                Some(count) => format!("{count} jobs were moved."),
                None => return,
            };
            self.out.push(Output::Say(said));
        }
    }

    fn refused(&mut self, now: Instant, refused: &Refused) {
        let Some(ask) = self.open.remove(refused.req) else {
            return;
        };
        let later = job::code::may_pass(&refused.code);
        match ask {
            Ask::Watch if later => self.later(now, Again::Watch),
            Ask::Watch => self.store.missing = true,
            Ask::Word(job) if later => self.later(now, Again::Word(job)),
            Ask::Word(job) => self.word_refused(job, refused),
            Ask::Take(job) if later => self.later(now, Again::Take(job)),
            Ask::Take(job) => {
                self.taking.retain(|taking| *taking != job);
                let person = self.store.job(job).and_then(|job| job.shown.person);
                if refused.state == Some(JobState::Leased) && person == self.person() {
                    return self.tell(job, words::ANSWER_LOST);
                }
                self.tell(job, &words::not_taken(refused));
            }
            Ask::Extend(_) if later => {} // The next one is due soon.
            Ask::Extend(job) => {
                self.let_go(job);
                self.tell(job, words::lost(refused.reason.unwrap_or(Reason::Other)));
            }
            Ask::Govern(jobs) => match jobs.as_slice() {
                [job] => self.tell(*job, &refused.detail),
                _ => self.notice = Some(refused.detail.clone()),
            },
            Ask::Unwatch | Ask::More | Ask::Filter(_) => {}
        }
    }

    fn word_refused(&mut self, job: JobId, why: &Refused) {
        if let Some(Word::Add { refused, .. }) = self.words.get_mut(job) {
            *refused = Some(why.detail.clone());
            let detail = why.detail.clone();
            return self.tell(job, &detail);
        }
        self.let_go(job);
        self.forget(job);
        match why.reason {
            Some(reason) => self.tell(job, words::lost(reason)),
            None => self.tell(job, &why.detail),
        }
    }

    fn lost(&mut self, lost: Lost) {
        let ours = self.held.get(lost.job).is_some_and(|held| held.fence == lost.fence);
        // A word that is on its way has its own answer.
        if !ours || self.words.has(lost.job) {
            return;
        }
        self.let_go(lost.job);
        match lost.reason {
            // By this token, in another tab: it moves as it should.
            Reason::Ended => {}
            reason => self.tell(lost.job, words::lost(reason)),
        }
    }

    fn let_go(&mut self, job: JobId) {
        if self.held.remove(job).is_some() {
            self.out.push(Output::Drop(Shelf::Tab, job));
        }
    }

    fn page(&mut self, now: Instant, page: Page) {
        match self.open.remove(page.req) {
            Some(Ask::Filter(like)) if like == self.store.like => {
                self.store.found(now, &page.place);
            }
            Some(Ask::More) if page.place.place == Place::Dead => {
                self.store.found(now, &page.place);
            }
            Some(Ask::More) => self.store.apply(now, &WorkServer::Page(page)),
            _ => {}
        }
    }

    /// A task that is to be stored, or has just been.
    pub(super) fn shown(&self, id: JobId, task: &Task, terms: Terms) -> JobShown {
        let delayed = terms.delay_ms.is_some();
        let settings = self.store.queue.as_ref().map(|queue| &queue.settings);
        let attempts = terms.max_attempts.or(settings.map(|settings| settings.attempts));
        JobShown {
            id,
            seq: None,
            kind: Task::NAME.to_owned(),
            place: if delayed { Place::Delayed } else { Place::Ready },
            priority: terms.priority,
            group: terms.group,
            attempt: 0,
            max_attempts: attempts.unwrap_or(QueueSettings::default().attempts),
            data: serde_json::value::to_raw_value(task).ok(),
            consumer: None,
            person: None,
            progress: None,
            note: None,
            error: None,
            due_in_ms: terms.delay_ms,
            age_ms: Millis(0),
        }
    }
}
