//! Those who enqueue jobs and those who do them, over connections that break. A worker holds what it
//! was told that it holds, says how it ended until it is answered, and may die or fall asleep. Every
//! other one speaks `holdfast-work.v1`, the rest make requests.

use crate::{
    client::Client,
    deed::{End, Ended, Leased, person},
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
    /// Its side of a connection of `holdfast-work.v1`.
    pub client: Option<Client>,
}

/// Whether a peer speaks `holdfast-work.v1`.
pub const fn has_socket(at: usize) -> bool {
    !at.is_multiple_of(2)
}

impl Peer {
    /// Sends what is to be answered.
    pub fn ask(&mut self, req: u64, up: Up, now: Instant) {
        self.asks.insert(req, (up.clone(), self.patience(now)));
        self.say(&up);
    }

    /// When it says something again that nobody has answered. A connection of `holdfast-work.v1` answers,
    /// or breaks.
    fn patience(&self, now: Instant) -> Instant {
        if self.client.is_some() { Instant(u64::MAX) } else { now + PATIENCE }
    }

    /// Says something, in a frame where it speaks in frames.
    pub fn say(&mut self, up: &Up) {
        match &mut self.client {
            None => self.up.push_back(up.clone()),
            Some(client) if self.wire.is_some() => {
                self.up.extend(client.frame(up).map(Up::Frame));
            }
            Some(_) => {}
        }
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
    pub fn connect(&mut self, at: usize, wire: Wire, now: Instant) {
        self.wire = Some(wire);
        if has_socket(at) {
            self.client = Some(Client::default());
            let who = (at >= WORKERS).then(|| person(1));
            self.up.push_back(Up::Frame(Client::hello(at, who)));
        }
        self.again(now, true);
    }

    /// Says again what nobody has answered in time, or all of it.
    pub fn again(&mut self, now: Instant, all: bool) -> bool {
        let patience = self.patience(now);
        let asks = self.asks.values_mut().filter(|(_, at)| all || *at <= now);
        let again = asks.map(|(up, at)| {
            *at = patience;
            up.clone()
        });
        let again: Vec<Up> = again.collect();
        again.iter().for_each(|up| self.say(up));
        !again.is_empty()
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
                    if self.client.is_some() {
                        self.replaces(leased);
                    }
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
            Down::Lost { job, fence } => {
                let unsaid = self.held.get(&(job, fence)).filter(|held| held.end.is_none());
                if let Some(token) = unsaid.map(|held| held.leased.token) {
                    self.held.remove(&(job, fence));
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

    /// A newer lease of a job stands in place of the one that is spoken for no more.
    fn replaces(&mut self, leased: &Leased) {
        let older: Vec<_> = self.held.range((leased.job, 0)..=(leased.job, u64::MAX)).collect();
        let older = older.into_iter().filter(|(_, held)| held.end.is_none());
        let older: Vec<_> = older.map(|(at, held)| (*at, held.leased.token)).collect();
        for (at, token) in older {
            self.held.remove(&at);
            self.past.push((at.0, token));
        }
    }

    fn over(&mut self, end: &End) {
        if self.held.remove(&(end.job, end.token.fence)).is_some() {
            self.past.push((end.job, end.token));
        }
    }
}
