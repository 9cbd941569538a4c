//! What must hold of a connection of `holdfast-work.v1`, whatever its driver and its client do.

use crate::{
    codec::work as codec,
    consumer::{CHANGES, Consumer, Input, Output, PUSHED},
    error::Code,
    frame::work::{Leased, Request, Sub, WorkClient, WorkServer},
    id::ConnectionId,
    job::Token,
    limits::Limits,
    storage::jobs::{Claimed, Ended, LeasedJob},
    time::Instant,
};
use std::collections::{BTreeMap, BTreeSet};

/// What does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Jobs are asked for, or pushed, without credit.
    Credit,
    /// The client is told of a lease that nobody has made, or was told of before.
    Told,
    /// A lease is handed back that the client was told of, or that nobody has made.
    HandedBack,
    /// Of a lease nobody was told, and it was not handed back.
    Kept,
    /// A request is answered that is not open.
    Answered,
    /// Something is put out behind the end, or more than there may be.
    Form,
}

/// What is known of a request that was not answered.
#[derive(Debug)]
enum Asked {
    /// With its credit.
    Consume(u64),
    /// It ends a lease, and gives one credit more.
    Next(Sub),
    Other,
}

/// The real machine, and beside it what its client has asked for, may be pushed and was told.
#[derive(Debug)]
pub struct Watched {
    /// The machine.
    pub machine: Consumer,
    frame_bytes: usize,
    open: BTreeMap<Request, Asked>,
    /// What each subscription may still be pushed by its client's word.
    credit: BTreeMap<Sub, u64>,
    /// What was asked for it and is not there yet.
    asked: BTreeMap<Sub, u64>,
    boards: BTreeSet<Sub>,
    /// Leases that are there for this connection, which the client was not told of and which were not
    /// handed back.
    made: BTreeSet<u64>,
    /// Those that the client was told of by what is not on its way yet.
    unsent: BTreeSet<u64>,
    closed: Option<Code>,
    gone: bool,
    /// The first thing that does not hold.
    pub wrong: Option<(Wrong, String)>,
}

impl Watched {
    /// A machine for a connection that has just opened.
    #[must_use]
    pub fn new(now: Instant, limits: Limits) -> Self {
        let frame_bytes = limits.frame_bytes();
        Self {
            machine: Consumer::new(now, ConnectionId::NIL, limits, "test"),
            frame_bytes,
            open: BTreeMap::new(),
            credit: BTreeMap::new(),
            asked: BTreeMap::new(),
            boards: BTreeSet::new(),
            made: BTreeSet::new(),
            unsent: BTreeSet::new(),
            closed: None,
            gone: false,
            wrong: None,
        }
    }

    /// Requests that were said and not answered.
    #[must_use]
    pub fn unanswered(&self) -> Vec<Request> {
        self.open.keys().copied().collect()
    }

    /// Whether it was closed, or has ended.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        self.closed.is_some() || self.gone
    }

    /// So many jobs were asked for a subscription and are not there yet; `None` where there is none.
    #[must_use]
    pub fn asked(&self, sub: Sub) -> Option<u64> {
        self.asked.get(&sub).copied()
    }

    /// A frame of the client comes.
    pub fn hear(&mut self, now: Instant, bytes: &[u8]) -> Vec<Output> {
        let greeted = self.machine.holder().is_some() && bytes.len() <= self.frame_bytes;
        if greeted && let Ok(incoming) = codec::read_client(bytes) {
            self.said(&incoming.frame);
        }
        self.feed(now, Input::Frame(bytes))
    }

    /// Something happens.
    pub fn feed(&mut self, now: Instant, input: Input<'_>) -> Vec<Output> {
        self.takes(&input);
        let gone = matches!(input, Input::Gone);
        let outputs = self.machine.handle(now, input);
        for output in &outputs {
            self.gives(output);
        }
        if gone || self.closed.is_some() {
            self.gone |= gone;
            self.open.clear();
        }
        if !self.made.is_empty() || (gone && !self.unsent.is_empty()) {
            let (made, unsent) = (self.made.clone(), self.unsent.clone());
            self.breaks(Wrong::Kept, || format!("{made:?}, and not sent {unsent:?}"));
        }
        if self.is_over() != self.machine.deadline().is_none() {
            self.breaks(Wrong::Form, || "it has a deadline until it is over".to_owned());
        }
        outputs
    }

    fn said(&mut self, frame: &WorkClient) {
        let next = |next: Option<Sub>| next.map_or(Asked::Other, Asked::Next);
        let (req, asked) = match frame {
            WorkClient::Hello(_) | WorkClient::Ping(_) => return,
            WorkClient::Credit(it) => {
                if let Some(credit) = self.credit.get_mut(&it.sub) {
                    *credit += u64::from(it.n);
                }
                return;
            }
            WorkClient::Consume(it) => (it.req, Asked::Consume(it.credit.into())),
            WorkClient::Complete(it) => (it.req, next(it.next)),
            WorkClient::Fail(it) => (it.req, next(it.next)),
            WorkClient::Snooze(it) => (it.req, next(it.next)),
            WorkClient::Unconsume(it) | WorkClient::Unwatch(it) => (it.req, Asked::Other),
            WorkClient::Enqueue(it) => (it.req, Asked::Other),
            WorkClient::Take(it) => (it.req, Asked::Other),
            WorkClient::Extend(it) => (it.req, Asked::Other),
            WorkClient::Watch(it) => (it.req, Asked::Other),
            WorkClient::More(it) => (it.req, Asked::Other),
            WorkClient::Govern(it) => (it.req, Asked::Other),
        };
        self.open.insert(req, asked);
    }

    fn takes(&mut self, input: &Input<'_>) {
        let claimed = |claimed: &Claimed| match claimed {
            Claimed::Jobs { jobs, .. } => jobs.clone(),
            _ => Vec::new(),
        };
        let jobs: Vec<LeasedJob> = match input {
            Input::Leased { sub, jobs, .. } => {
                if let Some(asked) = self.asked.get_mut(sub) {
                    *asked = asked.saturating_sub(jobs.len() as u64);
                }
                jobs.clone()
            }
            Input::Taken { result: Ok(got), .. } => claimed(got),
            Input::Ended { result: Ok(Ended::Done { then: Some(got), .. }), .. } => claimed(got),
            Input::Flushed => {
                self.unsent.clear();
                return;
            }
            _ => return,
        };
        self.made.extend(jobs.iter().map(|job| job.token.fence));
    }

    fn gives(&mut self, output: &Output) {
        if self.is_over() && !matches!(output, Output::HandBack(_)) {
            self.breaks(Wrong::Form, || format!("it is over, and then {output:?}"));
        }
        match output {
            Output::Send(text) => match codec::read_server(text) {
                Ok(Some(frame)) => self.sent(frame),
                _ => self.breaks(Wrong::Form, || format!("no frame: {text}")),
            },
            Output::Close(code) => {
                if code.close_number().is_none() {
                    self.breaks(Wrong::Form, || format!("{code:?} closes no connection"));
                }
                self.closed = Some(*code);
            }
            Output::Credit { sub, jobs } => {
                let asked = self.asked.entry(*sub).or_default();
                *asked += u64::from(*jobs);
                let (asked, credit) = (*asked, self.credit.get(sub).copied().unwrap_or_default());
                if *jobs == 0 || asked > u64::from(PUSHED) || asked > credit {
                    self.breaks(Wrong::Credit, || format!("{asked} are asked for with {credit}"));
                }
            }
            Output::Gone(sub) => {
                self.asked.remove(sub);
                self.credit.remove(sub);
            }
            Output::HandBack(jobs) => jobs.iter().for_each(|(_, token)| self.handed_back(*token)),
            Output::Jobs { ids, .. } | Output::Held(ids)
                if ids.is_empty() || ids.len() > CHANGES =>
            {
                self.breaks(Wrong::Form, || format!("{} jobs are read at once", ids.len()));
            }
            _ => {}
        }
    }

    fn handed_back(&mut self, token: Token) {
        if !self.made.remove(&token.fence) && !self.unsent.remove(&token.fence) {
            self.breaks(Wrong::HandedBack, || format!("{token} was told of, or is none"));
        }
    }

    fn sent(&mut self, frame: WorkServer) {
        let answered = match frame {
            WorkServer::Consuming(it) => {
                if let Some(Asked::Consume(credit)) = self.open.get(&it.req) {
                    self.credit.insert(it.sub, *credit);
                }
                Some(it.req)
            }
            WorkServer::Leased(leased) => self.leased(&leased),
            WorkServer::Did(it) => {
                if let Some(Asked::Next(sub)) = self.open.get(&it.req)
                    && let Some(credit) = self.credit.get_mut(sub)
                {
                    *credit += 1;
                }
                Some(it.req)
            }
            WorkServer::Enqueued(it) => Some(it.req),
            WorkServer::Refused(it) => Some(it.req),
            WorkServer::Page(it) => Some(it.req),
            WorkServer::Board(it) => {
                if it.req.is_none() && !self.boards.contains(&it.sub) {
                    self.breaks(Wrong::Form, || "a board that nobody asked for".to_owned());
                }
                self.boards.insert(it.sub);
                it.req
            }
            WorkServer::Moved(it) => {
                if !self.boards.contains(&it.sub) || it.jobs.len() + it.gone.len() > CHANGES {
                    self.breaks(Wrong::Form, || "moves without a board, or too many".to_owned());
                }
                None
            }
            _ => None,
        };
        if let Some(req) = answered
            && self.open.remove(&req).is_none()
        {
            self.breaks(Wrong::Answered, || format!("{req} is not open"));
        }
    }

    fn leased(&mut self, Leased { sub, req, job }: &Leased) -> Option<Request> {
        if !self.made.remove(&job.fence) || sub.is_some() == req.is_some() {
            self.breaks(Wrong::Told, || format!("{} of {}", job.token, job.id));
        }
        self.unsent.insert(job.fence);
        if let Some(sub) = sub {
            let credit = self.credit.get_mut(sub).filter(|credit| **credit > 0);
            match credit {
                Some(credit) => *credit -= 1,
                None => self.breaks(Wrong::Credit, || format!("{} is pushed to {sub}", job.id)),
            }
        }
        *req
    }

    fn breaks(&mut self, wrong: Wrong, what: impl FnOnce() -> String) {
        if self.wrong.is_none() {
            self.wrong = Some((wrong, what()));
        }
    }
}
