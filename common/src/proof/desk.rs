//! The desk behind a connection of `holdfast-work.v1`, as a model that answers in any order, late or not
//! at all, and whatever is told to: of what is stored it knows nothing.

use super::Watched;
use crate::{
    consumer::{
        BoardRead, BroughtIds, CHANGES, HeldRead, Input, JobsRead, Output, PLACES, PlaceRead,
        Refusal,
    },
    error::Code,
    frame::work::{Request, Sub},
    id::JobId,
    job::{JobState, Place, QueueSettings, Reason, Token, figures::Rates},
    limits::{Limits, OPEN_REQUESTS},
    storage::jobs::{
        Claimed, Counts, Ended, Enqueued, Extended, Given, JobRead, LeasedJob, Move, Moves,
        QueueInfo, QueueMoves, QueueName, QueueRead,
    },
    time::{Instant, Millis, Timestamp},
};
use std::{collections::VecDeque, mem::discriminant, ops::Range};

/// Jobs that are leased here; each lease of one has a fence of its own.
pub const JOBS: u64 = 6;

/// Queues that something moves in.
pub const QUEUES: [&str; 2] = ["inbox", "mail"];

/// What becomes of something that was asked for.
#[derive(Debug, Clone, Copy)]
pub enum Fate {
    /// It is so, or was so before.
    Done,
    /// With jobs where there may be some, as many as that.
    More(u8),
    /// It comes too late, or is not there.
    Late,
    /// The storage fails.
    Refused,
}

/// How many bytes may be said of one input, beside what was sent itself: a board of small jobs, and a
/// change of as many as may wait, for each queue that somebody watches.
const MOST: usize = 64 * 600 * CHANGES;

/// The machine with this desk behind it. Each step panics where something does not hold.
#[derive(Debug)]
pub struct Desk {
    /// The machine.
    pub watched: Watched,
    /// What time it is.
    pub now: Instant,
    /// The newest change.
    pub version: u64,
    fence: u64,
    /// What was asked for and is not answered, with the newest change at that time.
    pub open: VecDeque<(u64, Output)>,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            watched: Watched::new(Instant(0), Limits::default()),
            now: Instant(0),
            version: 0,
            fence: 0,
            open: VecDeque::new(),
        }
    }
}

impl Desk {
    /// A frame of the client comes. Returns the code by which the connection is closed, if it is.
    pub fn hear(&mut self, bytes: &[u8]) -> Option<Code> {
        let outputs = self.watched.hear(self.now, bytes);
        self.put(outputs, bytes.len())
    }

    /// Something else happens. Returns the same.
    pub fn feed(&mut self, input: Input<'_>) -> Option<Code> {
        let outputs = self.watched.feed(self.now, input);
        self.put(outputs, 0)
    }

    fn put(&mut self, outputs: Vec<Output>, length: usize) -> Option<Code> {
        assert_eq!(self.watched.wrong, None);
        let (mut bytes, mut closes) = (0, None);
        for output in outputs {
            match output {
                Output::Send(text) => bytes += text.len(),
                Output::Close(code) => closes = Some(code),
                Output::Credit { .. }
                | Output::Gone(_)
                | Output::HandBack(_)
                | Output::Ping
                | Output::Follow(_)
                | Output::Unfollow(_) => {}
                asks => {
                    let twice = self.open.iter().any(|(_, it)| alone(it) && same(it, &asks));
                    assert!(!twice, "one such read is under way at a time");
                    self.open.push_back((self.version, asks));
                }
            }
        }
        assert!(bytes <= MOST + 64 * length, "{bytes} bytes for {length}");
        // Beside requests each of the subscriptions, and of the boards, may have asked for something.
        assert!(self.open.len() <= OPEN_REQUESTS + 2 * 64 + 1, "{} are open", self.open.len());
        closes
    }

    /// A lease that was made so many before the newest one, or that never was.
    #[must_use]
    pub fn lease(&self, before: u8) -> (JobId, Token) {
        let fence = self.fence.saturating_sub(before.into());
        (job((fence % JOBS) as u16), Token { fence, key: 7 })
    }

    fn leases(&mut self, count: u8) -> Vec<LeasedJob> {
        let one = |_| {
            self.fence += 1;
            LeasedJob {
                id: job((self.fence % JOBS) as u16),
                token: Token { fence: self.fence, key: 7 },
                attempt: 1,
                kind: "task".to_owned(),
                data: "{}".to_owned(),
                group: None,
                lease: Given { length: Millis(9), until: Timestamp(9) },
            }
        };
        (0..count).map(one).collect()
    }

    /// A claim of a subscription, which may have ended, gets so many jobs.
    pub fn push(&mut self, sub: Sub, count: u8) {
        self.version += 1;
        let (version, jobs) = (self.version, self.leases(count));
        self.feed(Input::Leased { sub, version, jobs });
    }

    /// These jobs move, in all queues.
    pub fn moves(&mut self, jobs: Range<u16>, from: Place, to: Place) {
        self.version += 1;
        let moved = |n| Move {
            job: job(n),
            from: Some(from),
            to: Some(to),
            attempt: 1,
            consumer: None,
            failed: false,
            took: None,
        };
        let jobs: Vec<Move> = jobs.map(moved).collect();
        let queues = QUEUES.map(|queue| QueueMoves { queue: info(queue), jobs: jobs.clone() });
        self.feed(Input::Moves(&Moves { version: self.version, queues: queues.to_vec() }));
    }

    /// Figures of a queue come.
    pub fn figures(&mut self) {
        let queue = QueueName { ns: "work".to_owned(), name: "inbox".to_owned() };
        let rates = Rates::default();
        self.feed(Input::Figures { queue: &queue, rates, oldest: None });
    }

    /// Some of what moves was dropped.
    pub fn missed(&mut self) {
        self.feed(Input::Missed(self.version));
    }

    /// The server shuts down.
    pub fn drains(&mut self) {
        self.feed(Input::Drain(Millis(1)));
    }

    /// All that was put out is on its way.
    pub fn flushed(&mut self) {
        self.feed(Input::Flushed);
    }

    /// So much later.
    pub fn later(&mut self, length: Millis) {
        self.now = self.now + length;
        self.feed(Input::Tick);
    }

    /// The socket ends.
    pub fn goes(&mut self) {
        self.feed(Input::Gone);
    }

    /// All that is left is answered, the socket takes all of it, and then it ends.
    pub fn ends(&mut self, fate: Fate) {
        let mut steps = 0;
        loop {
            if self.open.is_empty() {
                // What waits for that is asked for now.
                self.flushed();
            }
            if self.open.is_empty() {
                break;
            }
            self.answer(0, fate);
            steps += 1;
            assert!(steps < 10_000, "it asks for more and more");
        }
        assert!(self.watched.unanswered().is_empty(), "not answered: {:?}", self.watched);
        self.goes();
    }

    /// One of the things that are open is answered.
    pub fn answer(&mut self, at: usize, fate: Fate) {
        let at = at % self.open.len().max(1);
        let Some((known, open)) = self.open.remove(at) else { return };
        self.version += 1;
        let version = self.version;
        let jobs = if let Fate::More(count) = fate { count } else { 0 };
        let (refused, late) = (matches!(fate, Fate::Refused), matches!(fate, Fate::Late));
        let refusal = || Refusal::from(Code::StorageFault);
        match open {
            Output::Greet(_) => {
                let result = if refused { Err(Code::WrongSecret) } else { Ok(None) };
                self.feed(Input::Greeted { now: Timestamp(0), result });
            }
            Output::Consume { sub, .. } => {
                let result = if refused { Err(refusal()) } else { Ok(()) };
                self.feed(Input::Consuming { sub, result });
            }
            Output::Enqueue { req, job } => {
                let result = match fate {
                    Fate::Refused => Err(refusal()),
                    Fate::Late => Ok(Enqueued::QueueFull),
                    Fate::More(_) => Ok(Enqueued::Again(vec![job.id])),
                    Fate::Done => Ok(Enqueued::Made { ids: vec![job.id], claimed: Vec::new() }),
                };
                self.feed(Input::Enqueued { req, result });
            }
            Output::Take { req, .. } => {
                let result = match fate {
                    Fate::Refused => Err(refusal()),
                    Fate::Late => Ok(Claimed::NotReady(JobState::Done)),
                    _ => Ok(Claimed::Jobs { jobs: self.leases(jobs), next: None }),
                };
                let queues = vec![QueueMoves { queue: info("mail"), jobs: Vec::new() }];
                self.feed(Input::Taken { req, moves: &Moves { version, queues }, result });
            }
            Output::End { req, then, .. } => self.end(req, then.is_some(), fate),
            Output::Extend { req, .. } => {
                let given = Given { length: Millis(1), until: Timestamp(1) };
                let given = if late {
                    Ok(Extended::Late(Reason::Other))
                } else {
                    Ok(Extended::Until(given))
                };
                let result = if refused { Err(refusal()) } else { given };
                self.feed(Input::Extended { req, result });
            }
            Output::Govern { req, .. } => {
                let result = if refused { Err(refusal()) } else { Ok(1) };
                self.feed(Input::Governed { req, result });
            }
            reads => self.read(known, reads, fate),
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
        self.feed(Input::Ended { req, version: self.version, ids: BroughtIds::default(), result });
    }

    /// Reads are of what was known when they were asked for.
    fn read(&mut self, version: u64, reads: Output, fate: Fate) {
        let (refused, late) = (matches!(fate, Fate::Refused), matches!(fate, Fate::Late));
        let refusal = || Refusal::from(Code::StorageFault);
        let place = |place| PlaceRead { place, jobs: Vec::new(), after: None };
        match reads {
            Output::Board { sub, .. } => {
                let queue = QueueRead { info: info("inbox"), oldest: None };
                let places = PLACES.map(place).to_vec();
                let read = (!late).then_some(BoardRead { version, queue, places });
                let result = if refused { Err(refusal()) } else { Ok(read) };
                self.feed(Input::Board { sub, result });
            }
            Output::Jobs { sub, ids } => {
                let jobs = ids.into_iter().filter(|_| !late).map(shown).collect();
                let result = if refused { Err(refusal()) } else { Ok(JobsRead { version, jobs }) };
                self.feed(Input::Jobs { sub, result });
            }
            Output::Held(ids) => {
                // Those that are left, none of which it has any more.
                let read = |id| HeldRead { id, place: Place::Ready, fence: 0 };
                let jobs = ids.into_iter().filter(|_| !late).map(read).collect();
                self.feed(Input::Held(if refused { Err(refusal()) } else { Ok(jobs) }));
            }
            Output::Page { req, place: of, .. } => {
                let result = if refused { Err(refusal()) } else { Ok(place(of)) };
                self.feed(Input::Page { req, result });
            }
            other => panic!("nobody answers {other:?}"),
        }
    }
}

/// Whether one of its kind is read at a time.
const fn alone(output: &Output) -> bool {
    matches!(output, Output::Held(_) | Output::Page { .. })
}

fn same(one: &Output, other: &Output) -> bool {
    discriminant(one) == discriminant(other)
}

/// A job's id.
#[must_use]
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
