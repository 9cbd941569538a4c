//! What is asked of the server.

use super::{Again, LEASE, Machine, Output, Shelf, Wish};
use crate::board::store::Column;
use holdfast_common::{
    frame::work::{
        Complete, Deed, EnqueueJob, ExtendLease, Govern, Like, More, Snooze, Take, Unsubscribe,
        Watch, Which, WorkClient,
    },
    id::JobId,
    job::Place,
    sorted::Sorted,
    time::{Instant, Millis},
    work::Task,
};
use serde::{Deserialize, Serialize};

/// A request that is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    Watch,
    Unwatch,
    Word(JobId),
    Take(JobId),
    Extend(JobId),
    /// About these jobs, or about the queue.
    Govern(Vec<JobId>),
    /// More of a column.
    More,
    /// Dead letters that are like this.
    Filter(Like),
}

/// What must reach the server, however long it takes. By its job's id it is kept, and done once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// A new task.
    Add {
        /// The queue's namespace.
        ns: String,
        /// The queue.
        queue: String,
        /// The task.
        task: Task,
        /// What else was said of it.
        #[serde(default)]
        terms: Terms,
        /// Why it is not accepted.
        #[serde(skip)]
        refused: Option<String>,
    },
    /// A job is done.
    Done {
        /// What shows that it was taken here.
        token: String,
    },
    /// A job is given back.
    Back {
        /// What shows that it was taken here.
        token: String,
    },
}

/// How a task is to be done, where its queue's settings are not to hold for it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Higher ones begin first.
    pub priority: i8,
    /// How long it waits, from when the server has it.
    pub delay_ms: Option<Millis>,
    /// Of the tasks of a group one is in flight, in their order.
    pub group: Option<String>,
    /// How often it is tried.
    pub max_attempts: Option<u32>,
    /// How long it waits after its first failure.
    pub backoff_ms: Option<Millis>,
    /// For how long an attempt may begin; past that it is a dead letter.
    pub expires_ms: Option<Millis>,
}

/// A job that was taken here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What shows it.
    pub token: String,
    /// The part of the token that a loss of it names.
    pub fence: u64,
    /// Which attempt it is.
    pub attempt: u32,
    /// When its lease is made longer.
    #[serde(skip)]
    pub(super) extend: Option<Instant>,
}

/// What was kept of an earlier page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// What was not answered.
    pub words: Sorted<JobId, Word>,
    /// What was taken and is not done.
    pub held: Sorted<JobId, Held>,
}

impl Machine {
    pub(super) fn wish(&mut self, wish: Wish) {
        match wish {
            Wish::Add(tasks, terms) => {
                for (job, task) in tasks {
                    let (ns, queue, terms) = (self.ns.clone(), self.queue.clone(), terms.clone());
                    self.word(job, Word::Add { ns, queue, task, terms, refused: None });
                }
            }
            Wish::Take(job) => self.take(job),
            Wish::Done(job) => self.end(job, |token| Word::Done { token }),
            Wish::Back(job) => self.end(job, |token| Word::Back { token }),
            Wish::Requeue(which, data) => self.govern(Deed::Requeue(which), data.as_deref()),
            Wish::Discard(which) => self.govern(Deed::Discard(which), None),
            Wish::Pause(true) => self.govern(Deed::Pause, None),
            Wish::Pause(false) => self.govern(Deed::Resume, None),
            Wish::More(column) => self.more(column),
            Wish::Filter(like) => self.filter(like),
            Wish::Dismiss(job) => {
                self.unsay(job);
                let refused = |word: &Word| matches!(word, Word::Add { refused: Some(_), .. });
                if self.words.get(job).is_some_and(refused) {
                    self.forget(job);
                }
            }
            Wish::DismissNotice => self.notice = None,
        }
    }

    /// Keeps a word, and says it if somebody listens.
    fn word(&mut self, job: JobId, word: Word) {
        if let Ok(text) = serde_json::to_string(&word) {
            self.out.push(Output::Keep(Shelf::Browser, job, text));
        }
        self.words.insert(job, word);
        if self.link.online() {
            self.say_word(job);
        }
    }

    /// A job of this page's is no longer held, but for the word that ends it.
    fn end(&mut self, job: JobId, word: impl FnOnce(String) -> Word) {
        let Some(token) = self.held.get(job).map(|held| held.token.clone()) else {
            return;
        };
        if self.words.has(job) {
            return;
        }
        self.unsay(job);
        self.word(job, word(token));
    }

    pub(super) fn forget(&mut self, job: JobId) {
        self.words.remove(job);
        self.again.retain(|(_, again)| *again != Again::Word(job));
        self.out.push(Output::Drop(Shelf::Browser, job));
    }

    pub(super) fn say_word(&mut self, job: JobId) {
        let Some(word) = self.words.get(job).cloned() else {
            return;
        };
        match word {
            Word::Add { refused: Some(_), .. } => {}
            Word::Add { ns, queue, task, terms, .. } => {
                let Ok(payload) = serde_json::to_string(&task) else { return };
                let req = self.ask(Ask::Word(job));
                let frame = EnqueueJob {
                    req,
                    id: job,
                    ns,
                    queue,
                    kind: TASK.to_owned(),
                    delay_ms: terms.delay_ms,
                    priority: Some(terms.priority.into()),
                    group: terms.group,
                    max_attempts: terms.max_attempts,
                    backoff_ms: terms.backoff_ms,
                    expires_ms: terms.expires_ms,
                };
                self.send_with(&WorkClient::Enqueue(frame), &payload);
            }
            Word::Done { token } => {
                let req = self.ask(Ask::Word(job));
                self.send(&WorkClient::Complete(Complete { req, job, token, next: None }));
            }
            Word::Back { token } => {
                let req = self.ask(Ask::Word(job));
                self.send(&WorkClient::Snooze(Snooze {
                    req,
                    job,
                    token,
                    delay_ms: None,
                    next: None,
                }));
            }
        }
    }

    fn take(&mut self, job: JobId) {
        if self.taking.contains(&job) || self.held.has(job) {
            return;
        }
        self.unsay(job);
        if !self.link.online() {
            return self.tell(job, "It can be taken only while you are online.");
        }
        self.taking.push(job);
        self.ask_take(job);
    }

    pub(super) fn ask_take(&mut self, job: JobId) {
        if self.taking.contains(&job) {
            let req = self.ask(Ask::Take(job));
            self.send(&WorkClient::Take(Take { req, job, lease_ms: Some(LEASE) }));
        }
    }

    /// Makes the leases longer that are due for it.
    pub(super) fn extend(&mut self, now: Instant) {
        let due = |held: &Held| held.extend.is_some_and(|at| at <= now);
        let due: Vec<_> =
            self.held.iter().filter(|(_, held)| due(held)).map(|(job, _)| *job).collect();
        for job in due {
            let Some(held) = self.held.get_mut(job) else { continue };
            held.extend = Some(now + Millis(LEASE.0 / 3));
            let token = held.token.clone();
            let asked = |ask: &Ask| *ask == Ask::Extend(job);
            if self.words.has(job) || self.open.values().any(asked) {
                continue;
            }
            let req = self.ask(Ask::Extend(job));
            let lease_ms = Some(LEASE);
            let frame = ExtendLease { req, job, token, lease_ms, progress: None, note: None };
            self.send(&WorkClient::Extend(frame));
        }
    }

    pub(super) fn watch(&mut self) {
        let req = self.ask(Ask::Watch);
        let (ns, queue) = (self.ns.clone(), self.queue.clone());
        self.send(&WorkClient::Watch(Watch { req, ns, queue }));
    }

    /// Asks for the board anew, in place of what has become too much.
    pub(super) fn watch_anew(&mut self) {
        if let Some(sub) = self.sub.take() {
            let req = self.ask(Ask::Unwatch);
            self.send(&WorkClient::Unwatch(Unsubscribe { req, sub }));
            self.watch();
        }
    }

    fn govern(&mut self, deed: Deed, payload: Option<&str>) {
        let jobs = match &deed {
            Deed::Requeue(Which::Jobs(jobs)) | Deed::Discard(Which::Jobs(jobs)) => jobs.clone(),
            _ => Vec::new(),
        };
        for job in &jobs {
            self.unsay(*job);
        }
        if !self.link.online() {
            self.notice = Some("This can be decided only while you are online.".to_owned());
            return;
        }
        if self.governing(&jobs) {
            return;
        }
        let req = self.ask(Ask::Govern(jobs));
        let (ns, queue) = (self.ns.clone(), self.queue.clone());
        let frame = WorkClient::Govern(Govern { req, ns, queue, deed });
        match payload {
            Some(payload) => self.send_with(&frame, payload),
            None => self.send(&frame),
        }
    }

    /// Whether something about these very jobs, or about the queue, is being decided.
    #[must_use]
    pub fn governing(&self, jobs: &[JobId]) -> bool {
        self.open.values().any(|ask| matches!(ask, Ask::Govern(of) if of == jobs))
    }

    fn more(&mut self, column: Column) {
        let Some((place, after)) = self.store.more(column) else {
            return;
        };
        let like = if place == Place::Dead { self.store.like.clone() } else { Like::default() };
        if let Some(sub) = self.sub {
            let req = self.ask(Ask::More);
            self.send(&WorkClient::More(More { req, sub, place, after: Some(after), like }));
        }
    }

    fn filter(&mut self, like: Like) {
        self.store.filter(like.clone());
        if let Some(sub) = self.sub {
            let req = self.ask(Ask::Filter(like.clone()));
            let frame = More { req, sub, place: Place::Dead, after: None, like };
            self.send(&WorkClient::More(frame));
        }
    }
}

/// The type of the tasks that are added here.
const TASK: &str = <Task as holdfast_common::job::JobType>::NAME;
