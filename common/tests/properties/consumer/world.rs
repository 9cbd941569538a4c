//! The driver, and what is known of the client's credit and its leases.

use super::deeds::{Ask, Deed, Fate, JOBS, QUEUES};
use holdfast_common::{
    codec::work as codec,
    consumer::{
        BoardRead, CHANGES, Consumer, HeldRead, Input, JobsRead, Output, PLACES, PUSHED, PlaceRead,
        QueueName, Refusal,
    },
    error::Code,
    frame::work::*,
    id::{ConnectionId, JobId},
    job::{JobState, Place, QueueSettings, Reason, Token, figures::Rates},
    limits::{Limits, OPEN_REQUESTS},
    storage::jobs::{
        Claimed, Counts, Ended, Enqueued, Extended, Given, JobRead, LeasedJob, Move, Moves,
        QueueInfo, QueueMoves, QueueRead,
    },
    time::{Instant, Millis, Timestamp},
};
use std::collections::{BTreeMap, BTreeSet};

pub fn job(n: u16) -> JobId {
    JobId::from_bytes(u128::from(n).to_be_bytes())
}

fn info(queue: &str) -> QueueInfo {
    QueueInfo {
        ns: "work".to_owned(),
        name: queue.to_owned(),
        settings: QueueSettings::default(),
        paused: false,
        counts: Counts::default(),
    }
}

fn shown(id: JobId) -> JobRead {
    JobRead {
        id,
        seq: 7,
        ns: "work".to_owned(),
        queue: "inbox".to_owned(),
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        place: Place::Ready,
        priority: 0,
        group: None,
        attempt: 0,
        fence: 0,
        most: 5,
        outcome: None,
        attempts: Vec::new(),
        holder: None,
        progress: None,
        due: None,
        asker: None,
        age: Millis(0),
    }
}

fn enqueue(req: Request, queue: String, id: JobId, priority: i64) -> EnqueueJob {
    EnqueueJob {
        req,
        id,
        ns: "work".to_owned(),
        queue,
        kind: "task".to_owned(),
        delay_ms: None,
        priority: Some(priority),
        group: None,
        max_attempts: None,
        backoff_ms: None,
        expires_ms: None,
    }
}

/// What the machine has asked the driver for.
#[derive(Debug)]
pub enum Open {
    Consume(Sub),
    Enqueue(Request),
    Take(Request),
    End(Request, bool),
    Extend(Request),
    Govern(Request),
    /// With the newest change that is in it.
    Board(Sub, u64),
    Jobs(Sub, u64, Vec<JobId>),
    Page(Request),
    /// Which jobs are read because they are held.
    Held(Vec<JobId>),
}

pub struct World {
    machine: Consumer,
    now: Instant,
    pub version: u64,
    fence: u64,
    req: Request,
    /// Requests that were said and not answered.
    pub said: BTreeSet<Request>,
    pub open: Vec<Open>,
    /// What each subscription may still be pushed by the client's word.
    credit: BTreeMap<Sub, u64>,
    /// What was asked for it and is not there yet.
    asked: BTreeMap<Sub, u64>,
    /// By their requests: what is asked with `consume`, and what an end names as its next.
    consume: BTreeMap<Request, u64>,
    next: BTreeMap<Request, Sub>,
    boards: BTreeSet<Sub>,
    /// Leases that the driver has made, and nobody was told of or handed back.
    made: BTreeSet<u64>,
    /// Those that the client was told of, and what tells of them is not on its way yet.
    unsent: BTreeSet<u64>,
    closed: bool,
}

impl World {
    pub fn new() -> Self {
        let limits = Limits::default();
        let mut world = Self {
            machine: Consumer::new(Instant(0), ConnectionId::NIL, limits, "test"),
            now: Instant(0),
            version: 0,
            fence: 0,
            req: 0,
            said: BTreeSet::new(),
            open: Vec::new(),
            credit: BTreeMap::new(),
            asked: BTreeMap::new(),
            consume: BTreeMap::new(),
            next: BTreeMap::new(),
            boards: BTreeSet::new(),
            made: BTreeSet::new(),
            unsent: BTreeSet::new(),
            closed: false,
        };
        world.feed(Input::Frame(br#"{"hello":{"name":"x"}}"#));
        world.feed(Input::Greeted { now: Timestamp(0), result: Ok(()) });
        world
    }

    fn feed(&mut self, input: Input<'_>) {
        let now = self.now;
        for output in self.machine.handle(now, input) {
            self.output(output);
        }
        if self.machine.is_closed() {
            self.closed = true;
            self.said.clear();
        }
        assert!(self.open.len() <= OPEN_REQUESTS + 2 * 64, "what is asked for has a bound");
        let due = self.machine.deadline();
        assert!(self.closed == due.is_none(), "it has a deadline until it is closed");
    }

    fn output(&mut self, output: Output) {
        if self.closed {
            assert!(matches!(output, Output::HandBack(_)), "nothing follows a close: {output:?}");
        }
        match output {
            Output::Send(text) => {
                let frame = codec::read_server(&text).unwrap().unwrap();
                self.sent(frame);
            }
            Output::Credit { sub, jobs } => {
                let asked = self.asked.entry(sub).or_default();
                *asked += u64::from(jobs);
                assert!(jobs > 0 && *asked <= u64::from(PUSHED));
                assert!(*asked <= self.credit[&sub], "nothing is asked for without credit");
            }
            Output::Gone(sub) => {
                self.asked.remove(&sub);
                self.credit.remove(&sub);
            }
            Output::HandBack(jobs) => {
                for (_, token) in jobs {
                    let untold = self.made.remove(&token.fence) || self.unsent.remove(&token.fence);
                    assert!(untold, "what was told of is not handed back");
                }
            }
            Output::Consume { sub, .. } => self.open.push(Open::Consume(sub)),
            Output::Enqueue { req, .. } => self.open.push(Open::Enqueue(req)),
            Output::Take { req, .. } => self.open.push(Open::Take(req)),
            Output::End { req, then, .. } => self.open.push(Open::End(req, then.is_some())),
            Output::Extend { req, .. } => self.open.push(Open::Extend(req)),
            Output::Govern { req, .. } => self.open.push(Open::Govern(req)),
            Output::Board { sub, .. } => self.open.push(Open::Board(sub, self.version)),
            Output::Jobs { sub, ids } => {
                assert!(!ids.is_empty() && ids.len() <= CHANGES);
                self.open.push(Open::Jobs(sub, self.version, ids));
            }
            Output::Held(ids) => {
                assert!(!ids.is_empty() && ids.len() <= CHANGES);
                let reads = self.open.iter().filter(|it| matches!(it, Open::Held(..))).count();
                assert_eq!(reads, 0, "one such read is under way at a time");
                self.open.push(Open::Held(ids));
            }
            Output::Page { req, .. } => {
                let reads = self.open.iter().filter(|it| matches!(it, Open::Page(_))).count();
                assert_eq!(reads, 0, "one page is read at a time");
                self.open.push(Open::Page(req));
            }
            Output::Close(_) => self.closed = true,
            Output::Ping | Output::Greet(_) | Output::Follow(_) | Output::Unfollow(_) => {}
        }
    }

    fn sent(&mut self, frame: WorkServer) {
        let answered = match frame {
            WorkServer::Consuming(it) => {
                let credit = self.consume.remove(&it.req).unwrap();
                self.credit.insert(it.sub, credit);
                Some(it.req)
            }
            WorkServer::Leased(Leased { sub, req, job }) => {
                assert!(self.made.remove(&job.fence), "it is told once");
                self.unsent.insert(job.fence);
                assert!(sub.is_some() != req.is_some());
                if let Some(sub) = sub {
                    let credit = self.credit.get_mut(&sub).unwrap();
                    *credit = credit.checked_sub(1).unwrap();
                }
                req
            }
            WorkServer::Enqueued(it) => Some(it.req),
            WorkServer::Did(it) => {
                if let Some(sub) = self.next.remove(&it.req)
                    && let Some(credit) = self.credit.get_mut(&sub)
                {
                    *credit += 1;
                }
                Some(it.req)
            }
            WorkServer::Refused(it) => Some(it.req),
            WorkServer::Board(it) => {
                assert!(it.req.is_some() || self.boards.contains(&it.sub));
                self.boards.insert(it.sub);
                it.req
            }
            WorkServer::Moved(it) => {
                assert!(self.boards.contains(&it.sub), "first there is a board");
                assert!(it.jobs.len() + it.gone.len() <= CHANGES);
                None
            }
            WorkServer::Page(it) => Some(it.req),
            _ => None,
        };
        if let Some(req) = answered {
            assert!(self.said.remove(&req), "{req} was open, and is answered once");
        }
    }

    fn leases(&mut self, count: u8) -> Vec<LeasedJob> {
        let one = |_| {
            self.fence += 1;
            let token = Token { fence: self.fence, key: 7 };
            LeasedJob {
                id: job((self.fence % u64::from(JOBS)) as u16),
                token,
                attempt: 1,
                kind: "task".to_owned(),
                data: "{}".to_owned(),
                group: None,
                lease: Given { length: Millis(9), until: Timestamp(9) },
            }
        };
        let jobs: Vec<_> = (0..count).map(one).collect();
        self.made.extend(jobs.iter().map(|job| job.token.fence));
        jobs
    }

    fn ask(&mut self, ask: Ask) {
        if self.machine.full() || self.closed {
            return;
        }
        self.req += 1;
        let (req, ns) = (self.req, "work".to_owned());
        let queue = |n: u8| QUEUES[usize::from(n % 2)].to_owned();
        // The token of a lease that was made, or that never was.
        let lease = |n: u8| {
            let fence = self.fence.saturating_sub(n.into());
            let job = job((fence % u64::from(JOBS)) as u16);
            (job, Token { fence, key: 7 }.to_string())
        };
        let mut payload = "";
        let mut next = None;
        let frame = match ask {
            Ask::Consume(n, credit) => {
                self.consume.insert(req, credit.into());
                let (queue, lease_ms) = (queue(n), None);
                WorkClient::Consume(Consume { req, ns, queue, credit, lease_ms })
            }
            Ask::Unconsume(n) => WorkClient::Unconsume(Unsubscribe { req, sub: n.into() }),
            Ask::Enqueue(n, priority) => {
                payload = "{}";
                WorkClient::Enqueue(enqueue(req, queue(n), job(n.into()), priority))
            }
            Ask::Take(n) => WorkClient::Take(Take { req, job: job(n.into()), lease_ms: None }),
            Ask::Complete(n, sub, text) => {
                payload = text;
                next = sub.map(Sub::from);
                let (job, token) = lease(n);
                WorkClient::Complete(Complete { req, job, token, next })
            }
            Ask::Snooze(n, sub) => {
                next = sub.map(Sub::from);
                let ((job, token), delay_ms) = (lease(n), None);
                WorkClient::Snooze(Snooze { req, job, token, delay_ms, next })
            }
            Ask::Extend(n) => {
                let ((job, token), note) = (lease(n), None);
                let (lease_ms, progress) = (None, Some(n * 50));
                WorkClient::Extend(ExtendLease { req, job, token, lease_ms, progress, note })
            }
            Ask::Watch(n) => WorkClient::Watch(Watch { req, ns, queue: queue(n) }),
            Ask::Unwatch(n) => WorkClient::Unwatch(Unsubscribe { req, sub: n.into() }),
            Ask::More(n) => {
                let (sub, place) = (n.into(), Place::Dead);
                WorkClient::More(More { req, sub, place, after: None, like: Like::default() })
            }
            Ask::Pause => {
                let (queue, deed) = (queue(0), holdfast_common::frame::work::Deed::Pause);
                WorkClient::Govern(Govern { req, ns, queue, deed })
            }
        };
        if let Some(sub) = next {
            self.next.insert(req, sub);
        }
        self.said.insert(req);
        let text = codec::write_client_with(&frame, payload);
        self.feed(Input::Frame(text.as_bytes()));
    }

    fn answer(&mut self, at: usize, fate: Fate) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open.swap_remove(at % self.open.len());
        self.version += 1;
        let version = self.version;
        let jobs = if let Fate::More(count) = fate { count } else { 0 };
        let refused = matches!(fate, Fate::Refused);
        let refusal = || Refusal::from(Code::StorageFault);
        match open {
            Open::Consume(sub) => {
                let result = if refused { Err(refusal()) } else { Ok(()) };
                self.feed(Input::Consuming { sub, result });
            }
            Open::Enqueue(req) => {
                let result = match fate {
                    Fate::Refused => Err(refusal()),
                    Fate::Late => Ok(Enqueued::QueueFull),
                    _ => Ok(Enqueued::Again(Vec::new())),
                };
                self.feed(Input::Enqueued { req, result });
            }
            Open::Take(req) => {
                let result = match fate {
                    Fate::Refused => Err(refusal()),
                    Fate::Late => Ok(Claimed::NotReady(JobState::Done)),
                    _ => Ok(Claimed::Jobs { jobs: self.leases(jobs), next: None }),
                };
                let queues = vec![QueueMoves { queue: info("mail"), jobs: Vec::new() }];
                let moves = Moves { version, queues };
                self.feed(Input::Taken { req, moves: &moves, result });
            }
            Open::End(req, then) => self.end(req, then, fate),
            Open::Extend(req) => {
                let given = Given { length: Millis(1), until: Timestamp(1) };
                let result = match fate {
                    Fate::Refused => Err(refusal()),
                    Fate::Late => Ok(Extended::Late(Reason::Other)),
                    _ => Ok(Extended::Until(given)),
                };
                self.feed(Input::Extended { req, result });
            }
            Open::Govern(req) => {
                let result = if refused { Err(refusal()) } else { Ok(1) };
                self.feed(Input::Governed { req, result });
            }
            Open::Board(sub, version) => self.board(sub, version, fate),
            Open::Jobs(sub, version, mut ids) => {
                ids.truncate(if jobs > 2 { 0 } else { ids.len() });
                let jobs = ids.into_iter().map(shown).collect();
                let result = if refused { Err(refusal()) } else { Ok(JobsRead { version, jobs }) };
                self.feed(Input::Jobs { sub, result });
            }
            Open::Held(ids) => {
                let read = |id| HeldRead { id, place: Place::Ready, fence: 0 };
                let jobs = ids.into_iter().map(read).collect();
                self.feed(Input::Held(if refused { Err(refusal()) } else { Ok(jobs) }));
            }
            Open::Page(req) => {
                let read = PlaceRead { place: Place::Dead, jobs: Vec::new(), after: None };
                let result = if refused { Err(refusal()) } else { Ok(read) };
                self.feed(Input::Page { req, result });
            }
        }
    }

    fn end(&mut self, req: Request, then: bool, fate: Fate) {
        let result = match fate {
            Fate::Refused => Err(Code::StorageFault.into()),
            Fate::Late => Ok(Ended::Late(Reason::Old)),
            Fate::Done => Ok(Ended::Again { place: Place::Done, stands: Vec::new() }),
            Fate::More(count) => {
                let jobs = self.leases(if then { count } else { 0 });
                let then = Some(Claimed::Jobs { jobs, next: None });
                Ok(Ended::Done { place: Place::Done, wait: None, appended: Vec::new(), then })
            }
        };
        self.feed(Input::Ended { req, version: self.version, result });
    }

    fn board(&mut self, sub: Sub, version: u64, fate: Fate) {
        let places = PLACES.map(|place| PlaceRead { place, jobs: Vec::new(), after: None });
        let queue = QueueRead { info: info("inbox"), oldest: None };
        let read = BoardRead { version, queue, places: places.to_vec() };
        let result = match fate {
            Fate::Refused => Err(Refusal::from(Code::StorageFault)),
            Fate::Late => Ok(None),
            _ => Ok(Some(read)),
        };
        self.feed(Input::Board { sub, result });
    }

    pub fn step(&mut self, deed: Deed) {
        match deed {
            Deed::Ask(ask) => self.ask(ask),
            Deed::Credit(sub, n) => {
                let sub = sub.into();
                if let Some(credit) = self.credit.get_mut(&sub) {
                    *credit += u64::from(n);
                }
                let text = codec::write_client(&WorkClient::Credit(Credit { sub, n }));
                self.feed(Input::Frame(text.as_bytes()));
            }
            Deed::Answer(at, fate) => self.answer(at, fate),
            Deed::Push(sub, count) => {
                self.version += 1;
                let (sub, jobs, version) = (sub.into(), self.leases(count), self.version);
                let asked = self.asked.entry(sub).or_default();
                *asked = asked.saturating_sub(count.into());
                self.feed(Input::Leased { sub, version, jobs });
            }
            Deed::Change(first, count, from, to) => {
                self.version += 1;
                let moved = |n| Move {
                    job: job(u16::from(first) + n),
                    from: Some(from),
                    to: Some(to),
                    attempt: 1,
                    consumer: None,
                    took: None,
                };
                let jobs: Vec<Move> = (0..count).map(moved).collect();
                let queues =
                    QUEUES.map(|queue| QueueMoves { queue: info(queue), jobs: jobs.clone() });
                let moves = Moves { version: self.version, queues: queues.to_vec() };
                self.feed(Input::Moves(&moves));
            }
            Deed::Missed => self.feed(Input::Missed),
            Deed::Figures => {
                let queue = QueueName { ns: "work".to_owned(), name: "inbox".to_owned() };
                self.feed(Input::Figures { queue: &queue, rates: Rates::default() });
            }
            Deed::Flushed => {
                self.unsent.clear();
                self.feed(Input::Flushed);
            }
            Deed::Later(length) => {
                self.now = self.now + Millis(length);
                self.feed(Input::Tick);
            }
            Deed::Drain => self.feed(Input::Drain(Millis(1))),
            Deed::Gone => {
                self.feed(Input::Gone);
                assert!(self.unsent.is_empty(), "what was not sent is handed back");
            }
            Deed::Bytes(bytes) => self.feed(Input::Frame(&bytes)),
        }
        assert!(self.made.is_empty(), "each lease is told or handed back: {:?}", self.made);
    }
}
