//! The whole of it: those who enqueue, those who work, the wires, the server and its store, in
//! virtual time. One thing happens at a time, and dice say which.

use crate::{
    client::{Client, Heard},
    deed::{Ended, Leased, Worker},
    disk::{Disk, QUEUES},
    ledger::{Invariant, State},
    peer::{PEERS, Peer, WORKERS, has_socket},
    plan::Move,
    server::{Down, Frame, Server, Up, Way},
};
use holdfast_common::{
    backoff::Dice,
    id::JobId,
    time::{Instant, Millis, Timestamp},
};
use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;

/// How long the server takes to find that nobody is at the other end.
const SILENCE: Millis = Millis(10_000);

/// Something that can happen next.
#[derive(Debug, Clone, Copy)]
pub enum Next {
    /// A frame arrives at the server, …
    Up(usize),
    /// … or at a peer.
    Down(usize),
    /// A peer says something again.
    Again(usize),
    /// It wakes.
    Wakes(usize),
    Server(Way),
    /// A server that drains stops.
    Stops,
}

pub struct Sim {
    pub now: Instant,
    /// The wall clock less the time of the run.
    pub wall: i64,
    pub server: Server,
    pub peers: Vec<Peer>,
    pub stopped: bool,
    /// It drains, and stops by then at the latest.
    pub draining: Option<Instant>,
    /// The server's process, or its disk, stands still until then.
    pub still: Instant,
    pub disk_still: Instant,
    pub copies: VecDeque<(Disk, State)>,
    pub poisoned: BTreeSet<JobId>,
    /// What was asked to be enqueued, to be asked again.
    pub asked: Vec<Up>,
    /// Workers do what they get, and ask for more.
    pub honest: bool,
    pub dice: Dice,
    pub trace: Option<String>,
    numbers: u64,
}

impl Sim {
    pub fn new() -> Self {
        let now = Instant(1_000);
        let wall = 1_700_000_000_000;
        let peer = |n| {
            let client = has_socket(n).then(Client::default);
            Peer { queue: n % QUEUES, client, ..Peer::default() }
        };
        let peers = (0..PEERS).map(peer).collect();
        Self {
            now,
            wall,
            server: Server::new(now, Timestamp(1_700_000_001_000)),
            peers,
            stopped: false,
            draining: None,
            still: now,
            disk_still: now,
            copies: VecDeque::new(),
            poisoned: BTreeSet::new(),
            asked: Vec::new(),
            honest: false,
            dice: Dice::new(0),
            trace: None,
            numbers: 0,
        }
    }

    pub fn note(&mut self, what: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let _ = writeln!(trace, "{:>8} {}", self.now.0, what());
        }
    }

    pub fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub fn wall(&self) -> Timestamp {
        Timestamp(self.now.0.saturating_add_signed(self.wall))
    }

    /// Does one act and lets some steps follow.
    pub fn play(&mut self, next: Move) {
        self.dice = Dice::new(next.salt);
        self.note(|| format!("--- {:?}", next.act));
        let name = format!("{:?}", next.act);
        let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
        if self.act(next.act) {
            self.server.ledger.counts.add_named("act: ", &name);
        }
        for _ in 0..next.steps {
            if self.dice.up_to(5) == 0 {
                self.now = self.now + Millis(self.dice.up_to(40));
            }
            if !self.step() {
                break;
            }
        }
    }

    fn next(&self) -> Vec<Next> {
        let mut next = Vec::new();
        let runs = !self.stopped && self.still <= self.now;
        for (at, peer) in self.peers.iter().enumerate() {
            if peer.stalled.is_some_and(|until| until <= self.now) {
                next.push(Next::Wakes(at));
            }
            let Some(wire) = peer.wire else { continue };
            if !peer.up.is_empty() && runs && self.server.listens(wire) {
                next.push(Next::Up(at));
            }
            let awake = peer.stalled.is_none();
            let wires = self.server.wires.get(&wire).is_some_and(|(_, down)| !down.is_empty());
            if awake && (wires || self.server.sockets.get(&wire).is_some_and(|it| !it.is_empty())) {
                next.push(Next::Down(at));
            }
            if awake && peer.asks.values().any(|(_, at)| *at <= self.now) {
                next.push(Next::Again(at));
            }
        }
        if runs {
            let ways = self.server.ways(self.now).into_iter();
            let stuck = self.disk_still > self.now;
            let can = ways.filter(|way| !(stuck && matches!(way, Way::Sync)));
            next.extend(can.map(Next::Server));
        }
        let over = |by| by <= self.now || (runs && self.server.lines.is_empty());
        if self.draining.is_some_and(over) {
            next.push(Next::Stops);
        }
        next
    }

    /// One thing happens, if there is one that can.
    pub fn step(&mut self) -> bool {
        let next = self.next();
        if next.is_empty() {
            return false;
        }
        let which = self.dice.up_to(next.len() as u64 - 1) as usize;
        let next = next[which];
        self.note(|| format!("{next:?}"));
        match next {
            Next::Up(at) => {
                if let (Some(wire), Some(up)) = (self.peers[at].wire, self.peers[at].up.pop_front())
                {
                    self.note_frame("hears", &up);
                    self.server.hear(wire, at, up, self.now);
                }
            }
            Next::Down(at) => self.hears(at),
            Next::Again(at) => drop(self.peers[at].again(self.now, false)),
            Next::Wakes(at) => self.peers[at].stalled = None,
            Next::Stops => self.crash(true),
            Next::Server(way) => {
                let wall = self.wall();
                self.server.go(way, self.now, wall, &mut self.dice);
            }
        }
        true
    }

    fn note_frame(&mut self, what: &str, frame: &impl std::fmt::Debug) {
        self.note(|| format!("    {what} {frame:?}"));
    }

    fn hears(&mut self, at: Worker) {
        let Some(wire) = self.peers[at].wire else { return };
        let down = match self.server.wires.get_mut(&wire) {
            Some((_, down)) => down.pop_front(),
            None => {
                let frame = self.server.sockets.get_mut(&wire).and_then(VecDeque::pop_front);
                frame.and_then(|frame| self.reads(at, frame))
            }
        };
        let Some(down) = down else { return };
        self.note_frame("says", &down);
        let jobs = self.peers[at].hear(down, self.now);
        if jobs.iter().any(|leased| self.poisoned.contains(&leased.job)) {
            self.server.ledger.counts.add("worker: dies of a job");
            return self.kill(at);
        }
        if self.honest {
            self.do_it(at, &jobs);
        }
    }

    /// A frame of a connection of `holdfast-work.v1`; returns what it comes to.
    fn reads(&mut self, at: Worker, frame: Frame) -> Option<Down> {
        self.note_frame("hears", &frame);
        let peer = &mut self.peers[at];
        let text = match frame {
            Frame::Text(text) => text,
            Frame::Ping => {
                peer.up.push_back(Up::Pong);
                return None;
            }
            Frame::Close => {
                peer.cut();
                if self.honest {
                    self.asks_for_more(at);
                }
                return None;
            }
        };
        let heard = peer.client.as_mut().map(|client| client.hear(&text))?;
        let ledger = &mut self.server.ledger;
        let down = match heard {
            Heard::Nothing => return None,
            Heard::Unsubscribed => {
                peer.waits = false;
                return None;
            }
            Heard::Unasked(leased) => {
                ledger.breaks(Invariant::J11, || format!("{} without credit", leased.job));
                return None;
            }
            Heard::Misnamed(req) => {
                ledger.breaks(Invariant::J4, || format!("{req} is told to have brought others"));
                return None;
            }
            Heard::Down(down) => down,
        };
        match &down {
            Down::Leased { jobs, .. } => ledger.told(jobs, 1),
            Down::Did { req, ended: Ended::Done | Ended::Again } => {
                if let Some((Up::End { end, .. }, _)) = peer.asks.get(req) {
                    ledger.done(end);
                }
            }
            Down::Lost { .. } => ledger.counts.add("line: a lease is lost"),
            _ => {}
        }
        Some(down)
    }

    fn do_it(&mut self, at: Worker, jobs: &[Leased]) {
        for leased in jobs {
            self.complete(at, (leased.job, leased.token.fence));
        }
        if !jobs.is_empty() && has_socket(at) {
            self.peers[at].say(&Up::Credit { jobs: jobs.len() as u32 });
        }
        self.asks_for_more(at);
    }

    /// A worker of the end of the run waits for jobs whenever it does not.
    pub fn asks_for_more(&mut self, at: Worker) {
        if self.peers[at].waits || at >= WORKERS {
            return;
        }
        self.connect(at);
        let (queue, length) = (self.peers[at].queue, Millis(2_000));
        let up = if has_socket(at) {
            Up::Consume { queue, credit: 2, length }
        } else {
            Up::Poll { queue, jobs: 2, length, wait: Millis(20_000) }
        };
        self.peers[at].waits = true;
        self.peers[at].say(&up);
    }

    /// A connection for a peer that has none.
    pub fn connect(&mut self, at: Worker) {
        if self.peers[at].wire.is_some() || self.stopped || self.draining.is_some() {
            return;
        }
        let wire = self.number();
        if has_socket(at) {
            self.server.accept(wire, at, self.now);
        } else {
            self.server.wires.insert(wire, (at, VecDeque::new()));
        }
        self.peers[at].connect(at, wire, self.now);
    }

    pub fn kill(&mut self, at: Worker) {
        if let Some(wire) = self.peers[at].die() {
            self.server.hang_up(wire, self.now);
        }
        if self.honest {
            self.asks_for_more(at);
            // It takes a while to start.
            self.peers[at].stalled = Some(self.now + Millis(100));
        }
    }

    pub fn cut(&mut self, at: Worker, told: bool) -> bool {
        let Some(wire) = self.peers[at].cut() else { return false };
        if told {
            self.server.hang_up(wire, self.now);
        } else if !has_socket(at) {
            self.server.silent.insert(wire, self.now + SILENCE);
        }
        true
    }

    pub fn crash(&mut self, written: bool) {
        if !self.stopped {
            self.server.crash(written);
            self.stopped = true;
        }
        self.draining = None;
        for peer in &mut self.peers {
            peer.cut();
        }
    }

    pub fn start(&mut self, disk: Option<Disk>) {
        self.stopped = false;
        (self.still, self.disk_still) = (self.now, self.now);
        let disk = disk.unwrap_or_else(|| self.server.store.disk.clone());
        let wall = self.wall();
        self.server.start(disk, self.now, wall);
        for at in 0..PEERS {
            self.connect(at);
        }
    }

    /// Time goes by, and all that can happen in it happens.
    pub fn wait(&mut self, ms: u64) {
        let until = self.now + Millis(ms);
        let mut steps = 0;
        loop {
            while self.step() {
                steps += 1;
                assert!(steps < 200_000, "something goes on without end");
                if steps % 7 == 0 {
                    self.now = self.now + Millis(1);
                }
            }
            if self.now >= until || self.server.ledger.broken.is_some() {
                return;
            }
            let runs = !self.stopped && self.still <= self.now;
            let peers = self.peers.iter().filter_map(Peer::wake);
            let server = self.server.wake().filter(|_| runs);
            let still = [self.still, self.disk_still];
            let wakes =
                peers.chain(server).chain(still).chain(self.draining).filter(|at| *at > self.now);
            self.now = wakes.chain([until]).min().expect("there is one").min(until);
        }
    }
}
