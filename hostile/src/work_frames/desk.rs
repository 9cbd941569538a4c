//! A driver whose desk answers late, in any order, and in every way; and what must hold between it and
//! the client.

use holdfast_common::{
    codec::work as codec,
    consumer::{
        BoardRead, CHANGES, Consumer, HeldRead, Input, JobsRead, Output, PLACES, PUSHED, PlaceRead,
        QueueName, Refusal,
    },
    error::Code,
    frame::work::{Request, Sub, WorkClient, WorkServer},
    id::{ConnectionId, JobId},
    job::{JobState, Place, QueueSettings, Reason, Token, figures::Rates, limits::CREDIT},
    limits::{Limits, OPEN_REQUESTS},
    storage::jobs::{
        Claimed, Counts, Ended, Enqueued, Extended, Given, JobRead, LeasedJob, Move, Moves,
        QueueInfo, QueueMoves, QueueRead,
    },
    time::{Instant, Millis, Timestamp},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How many bytes may be said of one input, beside what was sent itself: a board of small jobs, and a
/// change of as many as may wait, for each queue that somebody watches.
const MOST: usize = 64 * 600 * CHANGES;

/// A machine, its desk, and what the client may expect.
pub(super) struct Talk {
    machine: Consumer,
    now: Instant,
    version: u64,
    fence: u64,
    /// What the desk was asked for.
    open: VecDeque<Output>,
    /// What the client has asked for, and was not answered yet.
    said: BTreeSet<Request>,
    /// What each subscription has asked the desk for, and has not got.
    asked: BTreeMap<Sub, u32>,
    /// Leases of which the client was not told, and which were not handed back.
    made: BTreeSet<u64>,
    /// Those that it was told of, by what is not on its way yet.
    unsent: BTreeSet<u64>,
    closed: bool,
    /// The socket has ended, whoever ended it.
    gone: bool,
}

impl Talk {
    pub(super) fn new() -> Self {
        let limits = Limits::default();
        Self {
            machine: Consumer::new(Instant(0), ConnectionId::NIL, limits, "test"),
            now: Instant(0),
            version: 0,
            fence: 0,
            open: VecDeque::new(),
            said: BTreeSet::new(),
            asked: BTreeMap::new(),
            made: BTreeSet::new(),
            unsent: BTreeSet::new(),
            closed: false,
            gone: false,
        }
    }

    pub(super) fn is_greeted(&self) -> bool {
        self.machine.holder().is_some()
    }

    /// A frame has come. It waits in the socket while none is taken.
    pub(super) fn hear(&mut self, frame: &[u8]) {
        while self.machine.full() && !self.open.is_empty() {
            self.answer(0, 0);
        }
        self.now = self.now + Millis(3);
        let was_closed = self.closed || self.gone;
        if self.is_greeted() && frame.len() <= Limits::default().frame_bytes() {
            self.said.extend(codec::read_client(frame).ok().and_then(|it| number(&it.frame)));
        }
        let closes = self.feed(Input::Frame(frame), frame.len());
        if was_closed {
            assert_eq!(closes, None);
        } else if frame.len() > Limits::default().frame_bytes() {
            assert_eq!(closes, Some(Code::FrameTooLarge));
        } else if codec::read_client(frame).is_err() {
            assert_eq!(closes, Some(Code::BadFrame));
        }
        if let Some(Output::Greet(_)) = self.open.back() {
            self.answer(self.open.len() - 1, 0);
        }
    }

    /// Something else happens.
    pub(super) fn does(&mut self, deed: u8, number: u8) {
        let (sub, first) = (Sub::from(number % 8), u16::from(number));
        self.version += 1;
        match deed % 16 {
            0..=5 => self.answer(usize::from(number), deed % 6),
            6 | 7 => self.push(sub, number / 8),
            8 => drop(self.feed(Input::Missed, 0)),
            9 => {
                let count = if number.is_multiple_of(8) { 300 } else { 3 };
                self.moves((first..first + count).map(job), number);
            }
            10 => {
                let queue = QueueName { ns: "work".to_owned(), name: "inbox".to_owned() };
                self.feed(Input::Figures { queue: &queue, rates: Rates::default() }, 0);
            }
            11..=13 => self.flushed(),
            14 if number == u8::MAX => drop(self.feed(Input::Drain(Millis(1)), 0)),
            14 if number == u8::MAX - 1 => self.goes(),
            _ => {
                self.now = self.now + Millis(u64::from(number) * 20);
                self.feed(Input::Tick, 0);
            }
        }
    }

    fn flushed(&mut self) {
        self.unsent.clear();
        self.feed(Input::Flushed, 0);
    }

    fn goes(&mut self) {
        self.said.clear();
        self.feed(Input::Gone, 0);
        self.gone = true;
    }

    /// The desk answers all that is left, the socket takes all of it, and then it ends.
    pub(super) fn ends(&mut self) {
        let mut steps = 0;
        loop {
            if self.open.is_empty() {
                // What waits for that is asked for now.
                self.flushed();
            }
            if self.open.is_empty() {
                break;
            }
            self.answer(0, 0);
            steps += 1;
            assert!(steps < 10_000, "it asks for more and more");
        }
        assert!(self.said.is_empty(), "not answered: {:?}", self.said);
        self.goes();
        assert!(self.made.is_empty(), "neither told of nor handed back: {:?}", self.made);
    }

    /// Returns the code by which it is closed, if it is.
    fn feed(&mut self, input: Input<'_>, length: usize) -> Option<Code> {
        let (mut bytes, mut closes) = (0, None);
        for output in self.machine.handle(self.now, input) {
            let over = self.closed || self.gone;
            assert!(!over || matches!(output, Output::HandBack(_)), "over, and then {output:?}");
            match output {
                Output::Send(text) => {
                    bytes += text.len();
                    let frame = codec::read_server(&text).expect("a client reads what is said");
                    self.told(frame.unwrap_or_else(|| panic!("of this version: {text}")));
                }
                Output::Close(code) => {
                    assert!(code.close_number().is_some(), "{code:?} closes no connection");
                    (self.closed, closes) = (true, Some(code));
                    self.said.clear();
                }
                Output::Credit { sub, jobs } => {
                    let asked = self.asked.entry(sub).or_default();
                    *asked += jobs;
                    assert!(jobs > 0 && *asked <= PUSHED, "{asked} are asked for at once");
                }
                Output::Gone(sub) => drop(self.asked.remove(&sub)),
                Output::HandBack(jobs) => {
                    for (_, token) in jobs {
                        let fence = &token.fence;
                        let untold = self.made.remove(fence) || self.unsent.remove(fence);
                        assert!(untold, "{token:?} was told of, or is none");
                    }
                }
                Output::Ping | Output::Follow(_) | Output::Unfollow(_) => {}
                asks => self.open.push_back(asks),
            }
        }
        assert!(bytes <= MOST + 64 * length, "{bytes} bytes for {length}");
        // Beside requests each of the subscriptions, and of the boards, may have asked for something.
        assert!(self.open.len() <= OPEN_REQUESTS + 2 * 64 + 1, "{} are open", self.open.len());
        closes
    }

    fn told(&mut self, frame: WorkServer) {
        let answers = match frame {
            WorkServer::Consuming(it) => Some(it.req),
            WorkServer::Leased(it) => {
                assert!(self.made.remove(&it.job.fence), "{} is told of twice", it.job.fence);
                assert!(it.sub.is_some() != it.req.is_some());
                self.unsent.insert(it.job.fence);
                it.req
            }
            WorkServer::Enqueued(it) => Some(it.req),
            WorkServer::Did(it) => Some(it.req),
            WorkServer::Refused(it) => Some(it.req),
            WorkServer::Page(it) => Some(it.req),
            WorkServer::Board(it) => it.req,
            WorkServer::Moved(it) => {
                assert!(it.jobs.len() + it.gone.len() <= CHANGES);
                None
            }
            _ => None,
        };
        if let Some(req) = answers {
            assert!(self.said.remove(&req), "{req} was not asked, or was answered before");
        }
    }

    fn push(&mut self, sub: Sub, count: u8) {
        let most = self.asked.get(&sub).copied().unwrap_or_default().min(u32::from(count));
        if let Some(asked) = self.asked.get_mut(&sub) {
            *asked -= most;
        }
        // A claim may still get some for one that has ended.
        let count = if most == 0 { u32::from(count % 2) } else { most };
        let known = self.asked.contains_key(&sub);
        if known && most == 0 {
            return;
        }
        let (jobs, version) = (self.leases(count), self.version);
        self.feed(Input::Leased { sub, version, jobs }, 0);
    }

    fn leases(&mut self, count: u32) -> Vec<LeasedJob> {
        let one = |_| {
            self.fence += 1;
            self.made.insert(self.fence);
            LeasedJob {
                id: job(u16::try_from(self.fence % 8).expect("it is below 8")),
                token: Token { fence: self.fence, key: 7 },
                attempt: 1,
                kind: "task".to_owned(),
                data: "{}".to_owned(),
                group: None,
                lease: Given { length: Millis(9), until: Timestamp(9) },
            }
        };
        (0..count.min(CREDIT)).map(one).collect()
    }

    fn moves(&mut self, jobs: impl Iterator<Item = JobId>, number: u8) {
        let place = |n: u8| Place::ALL[usize::from(n) % Place::ALL.len()];
        let moved = |job| Move {
            job,
            from: Some(place(number / 8)),
            to: Some(place(number)),
            attempt: 1,
            consumer: None,
            took: None,
        };
        let queues = vec![QueueMoves { queue: info(), jobs: jobs.map(moved).collect() }];
        self.feed(Input::Moves(&Moves { version: self.version, queues }), 0);
    }

    /// One of the things that are open is answered: well, with jobs, too late, or not at all.
    fn answer(&mut self, at: usize, how: u8) {
        if self.open.is_empty() {
            return;
        }
        let at = at % self.open.len();
        let Some(open) = self.open.remove(at) else { return };
        self.version += 1;
        let version = self.version;
        let fails = how == 1;
        let refusal = || Refusal::from(Code::StorageFault);
        let or = |fails: bool| if fails { Err(refusal()) } else { Ok(()) };
        match open {
            Output::Greet(_) => {
                let result = if fails { Err(Code::WrongSecret) } else { Ok(()) };
                self.feed(Input::Greeted { now: Timestamp(1), result }, 0);
            }
            Output::Consume { sub, .. } => {
                self.feed(Input::Consuming { sub, result: or(fails) }, 0);
            }
            Output::Enqueue { req, job } => {
                let result = match how {
                    1 => Err(refusal()),
                    2 => Ok(Enqueued::QueueFull),
                    3 => Ok(Enqueued::Again(vec![job.id])),
                    _ => Ok(Enqueued::Made { ids: vec![job.id], claimed: Vec::new() }),
                };
                self.feed(Input::Enqueued { req, result }, 0);
            }
            Output::Take { req, .. } => {
                let result = match how {
                    1 => Err(refusal()),
                    2 => Ok(Claimed::NotReady(JobState::Done)),
                    3 => Ok(Claimed::Jobs { jobs: Vec::new(), next: None }),
                    _ => Ok(Claimed::Jobs { jobs: self.leases(1), next: None }),
                };
                let queues = vec![QueueMoves { queue: info(), jobs: Vec::new() }];
                self.feed(Input::Taken { req, moves: &Moves { version, queues }, result }, 0);
            }
            Output::End { req, then, .. } => {
                let result = match how {
                    1 => Err(refusal()),
                    2 => Ok(Ended::Late(Reason::Old)),
                    3 => Ok(Ended::Again { place: Place::Done, stands: Vec::new() }),
                    _ => {
                        let jobs = self.leases(then.is_some().into());
                        let then = then.map(|_| Claimed::Jobs { jobs, next: None });
                        let (place, wait, appended) = (Place::Done, None, Vec::new());
                        Ok(Ended::Done { place, wait, appended, then })
                    }
                };
                self.feed(Input::Ended { req, version, result }, 0);
            }
            Output::Extend { req, .. } => {
                let result = match how {
                    1 => Err(refusal()),
                    2 => Ok(Extended::Late(Reason::Other)),
                    _ => Ok(Extended::Until(Given { length: Millis(1), until: Timestamp(1) })),
                };
                self.feed(Input::Extended { req, result }, 0);
            }
            Output::Govern { req, .. } => {
                self.feed(Input::Governed { req, result: or(fails).map(|()| 1) }, 0);
            }
            reads => self.read(reads, how),
        }
    }

    fn read(&mut self, reads: Output, how: u8) {
        let version = self.version;
        let refusal = || Refusal::from(Code::StorageFault);
        let place = |place| PlaceRead { place, jobs: Vec::new(), after: None };
        match reads {
            Output::Board { sub, .. } => {
                let queue = QueueRead { info: info(), oldest: None };
                let places = PLACES.map(place).to_vec();
                let result = match how {
                    1 => Err(refusal()),
                    2 => Ok(None),
                    _ => Ok(Some(BoardRead { version, queue, places })),
                };
                self.feed(Input::Board { sub, result }, 0);
            }
            Output::Jobs { sub, ids } => {
                assert!(!ids.is_empty() && ids.len() <= CHANGES);
                let jobs = ids.into_iter().filter(|_| how != 2).map(shown).collect();
                let result = if how == 1 { Err(refusal()) } else { Ok(JobsRead { version, jobs }) };
                self.feed(Input::Jobs { sub, result }, 0);
            }
            Output::Held(ids) => {
                assert!(!ids.is_empty() && ids.len() <= CHANGES);
                // Those that are left, none of which it has any more.
                let read = |id| HeldRead { id, place: Place::Ready, fence: 0 };
                let jobs = ids.into_iter().filter(|_| how != 2).map(read).collect();
                self.feed(Input::Held(if how == 1 { Err(refusal()) } else { Ok(jobs) }), 0);
            }
            Output::Page { req, place: of, .. } => {
                let result = if how == 1 { Err(refusal()) } else { Ok(place(of)) };
                self.feed(Input::Page { req, result }, 0);
            }
            other => panic!("nobody answers {other:?}"),
        }
    }
}

/// The number of a request, where it is one.
const fn number(frame: &WorkClient) -> Option<Request> {
    Some(match frame {
        WorkClient::Hello(_) | WorkClient::Credit(_) | WorkClient::Ping(_) => return None,
        WorkClient::Consume(it) => it.req,
        WorkClient::Unconsume(it) | WorkClient::Unwatch(it) => it.req,
        WorkClient::Enqueue(it) => it.req,
        WorkClient::Take(it) => it.req,
        WorkClient::Complete(it) => it.req,
        WorkClient::Fail(it) => it.req,
        WorkClient::Extend(it) => it.req,
        WorkClient::Snooze(it) => it.req,
        WorkClient::Watch(it) => it.req,
        WorkClient::More(it) => it.req,
        WorkClient::Govern(it) => it.req,
    })
}

fn job(n: u16) -> JobId {
    JobId::from_bytes(u128::from(n).to_be_bytes())
}

fn info() -> QueueInfo {
    QueueInfo {
        ns: "work".to_owned(),
        name: "inbox".to_owned(),
        settings: QueueSettings::default(),
        paused: false,
        counts: Counts::default(),
    }
}

fn shown(id: JobId) -> JobRead {
    JobRead {
        seq: 1,
        id,
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
