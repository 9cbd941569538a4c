//! A board's connection and what is asked over it, as a machine without IO.
//!
//! What a person does becomes an *ask*, and an ask is shown until it is answered. What must not be lost
//! when the connection or the page ends is a [`Word`]: a new task, a job that is done or handed back. It
//! is kept in the browser before it is sent, sent again over each new connection, and forgotten with its
//! answer; the server takes it once. A job that was taken is [`Held`]: its token is kept with the tab, and
//! its lease is made longer at a third of it.

mod answers;
mod asks;
mod cards;
mod link;
#[cfg(test)]
mod tests;
mod wire;

pub use asks::{Held, Terms, Word, Words};
pub use link::Link;

use super::store::{Column, Store};
use asks::Ask;
use holdfast_common::{
    backoff::Dice,
    client::Principal,
    codec,
    frame::work::{Like, Request, Sub, Which, WorkClient},
    id::JobId,
    sorted::Sorted,
    time::{Instant, Millis},
    work::Task,
};
use link::LinkMachine;

/// For how long a person takes a job; while the page lives it is made longer.
pub const LEASE: Millis = Millis(60_000);

/// How long is waited before something is asked for again that the server could not do now.
const AGAIN: Millis = Millis(1_000);

/// Sentences that are kept to be shown.
const SAID: usize = 64;

/// What the machine is fed with.
#[derive(Debug)]
pub enum Input {
    /// Somebody sits here: connect.
    Start(Principal),
    /// The socket is open.
    Opened,
    /// A text has come.
    Frame(String),
    /// The socket is closed, with a code.
    Closed(u16),
    /// The deadline is over.
    Tick,
    /// The page may have slept, or the network has changed.
    Woke,
    /// A person does not want to wait for the next attempt.
    Retry,
    /// A person asks for something.
    Wish(Wish),
}

/// What a person asks for.
#[derive(Debug, Clone)]
pub enum Wish {
    /// New tasks, in this order, and how each of them is to be done.
    Add(Vec<(JobId, Task)>, Terms),
    /// A job is to be theirs.
    Take(JobId),
    /// A job of theirs is done.
    Done(JobId),
    /// A job of theirs is another's to do.
    Back(JobId),
    /// These dead letters are to begin anew; one of them perhaps with another payload.
    Requeue(Which, Option<String>),
    /// These dead letters are to be dropped.
    Discard(Which),
    /// Nothing is to begin, or jobs are to begin again.
    Pause(bool),
    /// More of a column is to be seen.
    More(Column),
    /// Of the dead letters these alone are to be seen.
    Filter(Like),
    /// What was said is read, and a task that was not accepted is given up.
    Dismiss(JobId),
    /// What was said of no job is read.
    DismissNotice,
}

/// Where something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// With this tab, across its reloads.
    Tab,
    /// In this browser.
    Browser,
}

/// What the driver is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a socket.
    Connect,
    /// Send a text.
    Send(String),
    /// Close the socket.
    Close(u16),
    /// Keep a text under the name of a job.
    Keep(Shelf, JobId, String),
    /// Keep it no longer.
    Drop(Shelf, JobId),
    /// Read this out: it is about what this person did.
    Say(String),
    /// This person has this job now, and looks for it.
    Taken(JobId),
}

/// A board.
#[derive(Debug)]
pub struct Machine {
    /// What is known of the queue.
    pub store: Store,
    /// What is to be said of no job in particular.
    pub notice: Option<String>,
    ns: String,
    queue: String,
    me: Option<Principal>,
    link: LinkMachine,
    sub: Option<Sub>,
    /// The number of the last request. It counts up in the page.
    last: Request,
    open: Sorted<Request, Ask>,
    words: Sorted<JobId, Word>,
    held: Sorted<JobId, Held>,
    taking: Vec<JobId>,
    /// What is asked again, and when.
    again: Vec<(Instant, Again)>,
    said: Vec<(JobId, String)>,
    dice: Dice,
    out: Vec<Output>,
}

/// What is asked again after a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Watch,
    Word(JobId),
    Take(JobId),
}

impl Machine {
    /// A board of a queue, with what was kept of an earlier page. `seed` is chance.
    #[must_use]
    pub fn new(ns: String, queue: String, kept: Words, seed: u64) -> Self {
        Self {
            store: Store::default(),
            notice: None,
            ns,
            queue,
            me: None,
            link: LinkMachine::default(),
            sub: None,
            last: 0,
            open: Sorted::default(),
            words: kept.words,
            held: kept.held,
            taking: Vec::new(),
            again: Vec::new(),
            said: Vec::new(),
            dice: Dice::new(seed),
            out: Vec::new(),
        }
    }

    /// Takes an input, and returns what is to be done, in this order.
    pub fn handle(&mut self, now: Instant, input: Input) -> Vec<Output> {
        match input {
            Input::Start(principal) => {
                self.me = Some(principal);
                self.connect(now);
            }
            Input::Opened => self.opened(now),
            Input::Frame(text) => self.frame(now, &text),
            Input::Closed(code) => self.closed(now, code),
            Input::Tick => self.tick(now),
            Input::Woke => self.woke(now),
            Input::Retry => self.retry(now),
            Input::Wish(wish) => self.wish(wish),
        }
        std::mem::take(&mut self.out)
    }

    /// When the next tick is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let online = self.link.online();
        let again = self.again.iter().map(|(at, _)| *at).filter(|_| online);
        let extend = self.held.values().filter_map(|held| held.extend).filter(|_| online);
        again.chain(extend).chain(self.link.deadline()).min()
    }

    fn tick(&mut self, now: Instant) {
        self.tick_link(now);
        if !self.link.online() {
            return;
        }
        let due = |it: &(Instant, Again)| it.0 <= now;
        let due_now: Vec<_> = self.again.iter().copied().filter(due).collect();
        self.again.retain(|it| !due(it));
        for (_, again) in due_now {
            match again {
                Again::Watch => self.watch(),
                Again::Word(job) => self.say_word(job),
                Again::Take(job) => self.ask_take(job),
            }
        }
        self.extend(now);
    }

    fn send(&mut self, frame: &WorkClient) {
        self.out.push(Output::Send(codec::work::write_client(frame)));
    }

    fn send_with(&mut self, frame: &WorkClient, payload: &str) {
        self.out.push(Output::Send(codec::work::write_client_with(frame, payload)));
    }

    fn ask(&mut self, ask: Ask) -> Request {
        self.last += 1;
        self.open.insert(self.last, ask);
        self.last
    }

    /// Says something about a job, on its card and to who listens.
    fn tell(&mut self, job: JobId, words: &str) {
        let title = self.card(job).map(|card| card.title);
        match title {
            Some(title) => {
                self.out.push(Output::Say(format!("{title}: {words}")));
                self.unsay(job);
                if self.said.len() >= SAID {
                    self.said.remove(0);
                }
                self.said.push((job, words.to_owned()));
            }
            None => self.notice = Some(words.to_owned()),
        }
    }

    /// What was said of a job is read, or is not so any more.
    fn unsay(&mut self, job: JobId) {
        self.said.retain(|(of, _)| *of != job);
    }

    /// Says something that is to be heard, and seen by what has moved.
    fn whisper(&mut self, job: JobId, words: &str) {
        if let Some(card) = self.card(job) {
            self.out.push(Output::Say(format!("{}: {words}", card.title)));
        }
    }
}
