//! The server as a model: requests come over wires, the desk drives the real [`Dispatch`], the store
//! is tended, and those who asked are told.

mod answers;
mod driven;
mod firing;
mod socket;
mod words;

use crate::{
    deed::{Claim, Govern, Source, Task, Worker},
    disk::{Asked, Disk, Queue},
    ledger::Ledger,
    store::{Batch, Store, Trouble},
};
use holdfast_common::{
    backoff::Dice,
    dispatch::{Dispatch, Input, Output, SeatId},
    id::JobId,
    job::Digest,
    planted::{Planted, planted},
    time::{Instant, Millis, Timestamp},
};
pub use socket::Frame;
use socket::Line;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
pub use words::{Call, Down, Up, Way, Wire};

/// One that waits.
#[derive(Debug, Clone)]
struct Waits {
    wire: Wire,
    worker: Worker,
    queue: Queue,
    jobs: u32,
    length: Millis,
    /// When a poll is over; a subscription never is.
    until: Option<Instant>,
}

pub struct Server {
    pub store: Store<Call>,
    pub dispatch: Dispatch<Queue>,
    waits: BTreeMap<SeatId, Waits>,
    consumers: u64,
    /// What each wire carries, down. Those that are not here are gone.
    pub wires: BTreeMap<Wire, (Worker, VecDeque<Down>)>,
    /// Wires whose other end is gone, and when that is noticed.
    pub silent: BTreeMap<Wire, Instant>,
    /// Connections of `holdfast-work.v1`, …
    pub lines: BTreeMap<Wire, Line>,
    /// … those that are over and hear what was under way, …
    leaving: BTreeMap<Wire, Line>,
    /// … and what each carries down.
    pub sockets: BTreeMap<Wire, VecDeque<Frame>>,
    /// The newest change that was told to anybody.
    newest: u64,
    looks: [firing::Look; 2],
    tend_at: Instant,
    tending: bool,
    telling: BTreeSet<(JobId, u64)>,
    /// Those whose telling failed: until the store is tended next.
    untold: Vec<(JobId, u64)>,
    drawn: u64,
    /// So many hints more are lost.
    pub deaf: u64,
    pub trouble: Trouble,
    pub ledger: Ledger,
}

/// How many may wait.
const WAITING: usize = 2;
const SECOND: Millis = Millis(1_000);

impl Server {
    pub fn new(now: Instant, wall: Timestamp) -> Self {
        Self::on(Store::new(wall, now), Ledger::new(now), now)
    }

    fn on(store: Store<Call>, ledger: Ledger, now: Instant) -> Self {
        Self {
            store,
            dispatch: Dispatch::new(WAITING),
            waits: BTreeMap::new(),
            consumers: 0,
            wires: BTreeMap::new(),
            silent: BTreeMap::new(),
            lines: BTreeMap::new(),
            leaving: BTreeMap::new(),
            sockets: BTreeMap::new(),
            newest: 0,
            looks: [firing::Look { at: now, under_way: 0 }; 2],
            tend_at: now,
            tending: false,
            telling: BTreeSet::new(),
            untold: Vec::new(),
            drawn: 0,
            deaf: 0,
            trouble: Trouble::default(),
            ledger,
        }
    }

    /// The process ends; all its wires do.
    pub fn crash(&mut self, written: bool) {
        if let Some(batch) = self.store.crash(written) {
            self.durable(&batch);
        }
        self.wires.clear();
        self.lines.clear();
        self.leaving.clear();
        self.sockets.clear();
        self.waits.clear();
    }

    /// It starts again on this disk.
    pub fn start(&mut self, disk: Disk, now: Instant, wall: Timestamp) {
        let drawn = self.drawn;
        let mut store = Store::open(disk, wall, now);
        if planted(Planted::MissedForgotten) {
            firing::count_anew(&mut store.disk, wall);
        }
        let mut ledger = std::mem::replace(&mut self.ledger, Ledger::new(now));
        ledger.starts(now);
        let trouble = std::mem::take(&mut self.trouble);
        *self = Self { drawn, trouble, ..Self::on(store, ledger, now) };
        self.ledger.same(&self.store.disk);
    }

    fn chance(&mut self) -> u64 {
        self.drawn += 1;
        Dice::new(self.drawn).up_to(u64::MAX)
    }

    /// What it can do now.
    pub fn ways(&self, now: Instant) -> Vec<Way> {
        let over = self.waits.iter().filter(|(_, it)| it.until.is_some_and(|until| until <= now));
        let mut ways: Vec<Way> = over.map(|(consumer, _)| Way::PollOver(*consumer)).collect();
        let silent = self.silent.iter().filter(|(_, at)| **at <= now);
        ways.extend(silent.map(|(wire, _)| Way::HangUp(*wire)));
        let untold = self.store.disk.untold().any(|it| !self.telling.contains(&it));
        let all = [
            (self.store.can_begin(), Way::Begin),
            (self.store.commits(), Way::Sync),
            (self.store.answers() > 0, Way::Answer),
            (self.tend_at <= now && !self.tending, Way::Tend),
            (self.dispatch.wake().is_some_and(|at| at <= now), Way::Time),
            (untold, Way::Tell),
        ];
        ways.extend(all.into_iter().filter(|(can, _)| *can).map(|(_, way)| way));
        self.turns(now, &mut ways);
        self.may_look(now, &mut ways);
        ways
    }

    /// When it has something to do by the clock.
    pub fn wake(&self) -> Option<Instant> {
        let polls = self.waits.values().filter_map(|it| it.until);
        let tend = (!self.tending).then_some(self.tend_at);
        let silent = self.silent.values().copied();
        let own = polls.chain(silent).chain(self.dispatch.wake()).chain(tend).min();
        [own, self.lines_wake(), self.looks_wake()].into_iter().flatten().min()
    }

    pub fn go(&mut self, way: Way, now: Instant, wall: Timestamp, dice: &mut Dice) {
        match way {
            Way::Begin => {
                let most = 1 + dice.up_to(5) as usize;
                let counted = self.ledger.looks(now);
                if self.trouble.full {
                    self.ledger.fails(now);
                }
                self.store.begin(most, now, wall, counted, &mut self.trouble);
            }
            Way::Sync => {
                let unknown = self.trouble.unknown > 0;
                if let Some(batch) = self.store.sync(now, &mut self.trouble) {
                    self.durable(&batch);
                    if !unknown && !batch.deeds.is_empty() {
                        self.ledger.writes();
                    }
                }
                if unknown {
                    self.ledger.fails(now);
                }
            }
            Way::Answer => {
                let which = dice.up_to(self.store.answers() as u64 - 1) as usize;
                if let Some(done) = self.store.answer(which) {
                    self.answer(done, now);
                }
            }
            Way::Tend => {
                self.tending = true;
                self.store.put(Call::Tend, Task::Tend);
            }
            Way::Time => {
                self.ledger.counts.add("dispatch: a held queue goes on");
                self.dispatched(now, Input::Time);
            }
            Way::PollOver(consumer) => {
                self.ledger.counts.add("poll: over");
                self.dispatched(now, Input::Gone(consumer));
                if let Some(waits) = self.waits.remove(&consumer) {
                    self.say(waits.wire, Down::Leased { jobs: Vec::new(), poll: true });
                }
            }
            Way::HangUp(wire) => {
                self.ledger.counts.add("wire: found silent");
                self.hang_up(wire, now);
            }
            Way::Tell => self.tell(),
            Way::Line(wire, turn) => self.turn(wire, turn, now, dice.up_to(1 << 20)),
            Way::Look(which) => self.look(which, now, wall),
        }
    }

    fn tell(&mut self) {
        let untold: Vec<_> = self.store.disk.untold().collect();
        for (job, fence) in untold {
            if self.telling.insert((job, fence)) {
                let (call, task) = if planted(Planted::ToldBefore) {
                    (Call::Told(job, fence), Task::Told(job, fence))
                } else {
                    (Call::Tell(job, fence), Task::Tell(job, fence))
                };
                self.store.put(call, task);
            }
        }
    }

    fn durable(&mut self, batch: &Batch) {
        self.ledger.durable(batch, &self.store.disk);
    }

    fn say(&mut self, wire: Wire, down: Down) {
        if let Some((_, frames)) = self.wires.get_mut(&wire) {
            frames.push_back(down);
        }
    }

    /// A connection is found to be gone.
    pub fn hang_up(&mut self, wire: Wire, now: Instant) {
        self.leaves(wire, false, now);
        self.wires.remove(&wire);
        self.silent.remove(&wire);
        let gone: Vec<SeatId> =
            self.waits.iter().filter(|(_, it)| it.wire == wire).map(|(id, _)| *id).collect();
        for consumer in gone {
            self.waits.remove(&consumer);
            self.dispatched(now, Input::Gone(consumer));
        }
    }

    /// A frame of a peer arrives.
    pub fn hear(&mut self, wire: Wire, worker: Worker, up: Up, now: Instant) {
        match up {
            Up::Poll { queue, jobs, length, wait } => {
                let until = Some(now + wait);
                self.wait(Waits { wire, worker, queue, jobs, length, until }, now);
            }
            Up::Consume { .. } | Up::Credit { .. } => unreachable!("they are said in frames"),
            Up::Take { queue, job, length } => {
                let (job, chance) = (Some(job), self.chance());
                let claim = Claim { queue, job, worker, jobs: 1, length, chance };
                self.store.put(Call::Take { wire, req: 0 }, Task::Claim(claim));
            }
            Up::End { req, end } => {
                let call = Call::End { wire, req, end: end.clone() };
                self.store.put(call, Task::End(end));
            }
            Up::Extend { job, token, length, progress } => {
                let call = Call::Extend { wire, req: 0, job, token };
                self.store.put(call, Task::Extend { job, token, length, progress });
            }
            Up::Enqueue { req, jobs, source } => self.enqueue(wire, req, jobs, source, now),
            Up::Frame(text) => self.frame(wire, &text, now),
            Up::Pong => self.feed(wire, now, holdfast_common::consumer::Input::Heard),
        }
    }

    fn wait(&mut self, waits: Waits, now: Instant) {
        self.consumers += 1;
        let consumer = SeatId(self.consumers);
        let Waits { queue, jobs, until, .. } = waits;
        self.waits.insert(consumer, waits);
        self.dispatched(now, Input::Wait { consumer, queue, jobs, once: until.is_some() });
    }

    /// Those who wait are claimed for in the enqueue's own transaction.
    fn enqueue(&mut self, wire: Wire, req: u64, jobs: Vec<Asked>, source: Source, now: Instant) {
        let queue = jobs[0].queue;
        let here = jobs.iter().filter(|it| it.queue == queue && it.new.delay == Millis(0));
        let offer = Input::Offer { queue, jobs: here.count() as u32 };
        let mut then = Vec::new();
        for output in self.dispatch.handle(now, offer) {
            if let Output::Claim { consumer, jobs, .. } = output {
                then.push((consumer, self.claim(consumer, queue, jobs)));
            }
        }
        let with = then.iter().map(|(consumer, _)| *consumer).collect();
        self.store
            .put(Call::Enqueue { wire, req, queue, with }, Task::Enqueue { jobs, source, then });
    }

    fn claim(&mut self, consumer: SeatId, queue: Queue, jobs: u32) -> Claim {
        let waits = self.waits.get(&consumer);
        let (worker, length) = waits.map_or((0, Millis(1_000)), |it| (it.worker, it.length));
        Claim { queue, job: None, worker, jobs, length, chance: self.chance() }
    }

    pub fn govern(&mut self, govern: Govern) {
        self.store.put(Call::Nobody, Task::Govern(govern));
    }

    fn dispatched(&mut self, now: Instant, input: Input<Queue>) {
        for output in self.dispatch.handle(now, input) {
            match output {
                Output::Claim { consumer, queue, jobs } => {
                    let claim = self.claim(consumer, queue, jobs);
                    self.store.put(Call::Claim(consumer), Task::Claim(claim));
                }
                Output::Full(consumer) => {
                    self.ledger.counts.add("dispatch: full");
                    if let Some(waits) = self.waits.remove(&consumer) {
                        self.say(waits.wire, Down::Leased { jobs: Vec::new(), poll: true });
                    }
                }
            }
        }
    }
}

/// A digest that no other word has.
pub fn digest(n: u64) -> Digest {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&n.to_le_bytes());
    digest
}
