//! Those who enqueue jobs and those who do them, over connections that break. A worker holds what it
//! was told that it holds, says how it ended until it is answered, and may die or fall asleep.

use crate::{
    deed::{End, Ended, Leased},
    disk::Queue,
    server::{Down, Up, Wire},
};
use holdfast_common::{
    id::JobId,
    job::Token,
    time::{Instant, Millis},
};
use std::collections::{BTreeMap, VecDeque};

/// Workers of a run: the even ones poll, the odd ones are pushed to. Behind them stand those who enqueue.
pub const WORKERS: usize = 4;
pub const PEERS: usize = 6;

/// How long a request waits for its answer before it is sent again.
const PATIENCE: Millis = Millis(5_000);

/// A job that a worker has been given.
#[derive(Debug, Clone)]
pub struct Held {
    pub leased: Leased,
    /// How it has ended it, as far as it knows.
    pub end: Option<u64>,
}

#[derive(Default)]
pub struct Peer {
    pub wire: Option<Wire>,
    /// What it has sent that has not arrived.
    pub up: VecDeque<Up>,
    pub held: BTreeMap<(JobId, u64), Held>,
    /// Leases that it has ended, or lost.
    pub past: Vec<(JobId, Token)>,
    /// Requests that nobody has answered, and when they are to be sent again.
    pub asks: BTreeMap<u64, (Up, Instant)>,
    /// A long poll is out, or a subscription stands.
    pub waits: bool,
    /// It sleeps until then.
    pub stalled: Option<Instant>,
    /// Which queue it does the jobs of.
    pub queue: Queue,
}

impl Peer {
    /// Sends what is to be answered.
    pub fn ask(&mut self, req: u64, up: Up, now: Instant) {
        self.asks.insert(req, (up.clone(), now + PATIENCE));
        self.up.push_back(up);
    }

    /// The connection is gone, and all that was under way on it.
    pub fn cut(&mut self) -> Option<Wire> {
        self.up.clear();
        self.waits = false;
        self.wire.take()
    }

    /// The process dies, and with it all that it held. Enqueues are a page's, and kept.
    pub fn die(&mut self) -> Option<Wire> {
        for held in std::mem::take(&mut self.held).into_values() {
            self.past.push((held.leased.job, held.leased.token));
        }
        self.asks.retain(|_, (up, _)| matches!(up, Up::Enqueue { .. }));
        self.stalled = None;
        self.cut()
    }

    /// A connection is made, and what was not answered is said again.
    pub fn connect(&mut self, wire: Wire, now: Instant) {
        self.wire = Some(wire);
        self.again(now, true);
    }

    /// Says again what nobody has answered in time, or all of it.
    pub fn again(&mut self, now: Instant, all: bool) -> bool {
        let mut any = false;
        for (up, at) in self.asks.values_mut().filter(|(_, at)| all || *at <= now) {
            *at = now + PATIENCE;
            self.up.push_back(up.clone());
            any = true;
        }
        any
    }

    /// When it says something again by itself.
    pub fn wake(&self) -> Option<Instant> {
        let asks = self.asks.values().map(|(_, at)| *at).min().filter(|_| self.wire.is_some());
        if self.stalled.is_some() { self.stalled } else { asks }
    }

    /// A frame arrives. Returns the jobs that come with it.
    pub fn hear(&mut self, down: Down, now: Instant) -> Vec<Leased> {
        match down {
            Down::Leased { jobs, poll } => {
                if poll {
                    self.waits = false;
                }
                for leased in &jobs {
                    let held = Held { leased: leased.clone(), end: None };
                    self.held.insert((leased.job, leased.token.fence), held);
                }
                return jobs;
            }
            Down::Did { req, ended } => {
                let Some((Up::End { end, .. }, _)) = self.asks.remove(&req) else {
                    return Vec::new();
                };
                if matches!(ended, Ended::Rejected | Ended::TooOften) {
                    // It holds the job still, and ends it in another way.
                    if let Some(held) = self.held.get_mut(&(end.job, end.token.fence)) {
                        held.end = None;
                    }
                } else {
                    self.over(&end);
                }
            }
            Down::Lost { job, token } => {
                if self.held.get(&(job, token.fence)).is_some_and(|held| held.end.is_none()) {
                    self.held.remove(&(job, token.fence));
                    self.past.push((job, token));
                }
            }
            Down::Enqueued { req } => drop(self.asks.remove(&req)),
            Down::Retry { req } => {
                if let Some((_, at)) = self.asks.get_mut(&req) {
                    *at = now + Millis(1_000);
                }
            }
        }
        Vec::new()
    }

    fn over(&mut self, end: &End) {
        if self.held.remove(&(end.job, end.token.fence)).is_some() {
            self.past.push((end.job, end.token));
        }
    }
}
