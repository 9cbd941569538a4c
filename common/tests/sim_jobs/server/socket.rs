//! Connections of `holdfast-work.v1` as the server's driver has them: the real [`Consumer`] between a
//! socket that takes little and a desk that answers in any order.
//!
//! [`Consumer`]: holdfast_common::consumer::Consumer

use super::{SECOND, Server, Way, Wire, driven::leased_job};
use crate::{
    deed::{Leased, Worker},
    ledger::Invariant,
};
use holdfast_common::{
    consumer::{BroughtIds, HeldRead, Input, Output},
    dispatch::{self, SeatId},
    error::Code,
    frame::work::{Request, Sub},
    job::Place,
    limits::Limits,
    proof::{Watched, Wrong},
    storage::jobs::{Claimed, Ended, Enqueued, Extended, LeasedJob, Move, Moves, QueueMoves},
    time::{Instant, Millis},
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

/// Frames on their way to a client that has not read them; more wait in the server.
pub(super) const ROOM: usize = 3;
/// Changes that wait for a connection.
const MOVES: usize = 3;

/// A frame on its way to a client.
#[derive(Debug, Clone)]
pub enum Frame {
    Text(String),
    Ping,
    Close,
}

/// An answer of the desk that its machine has not been told.
#[derive(Debug)]
pub enum Told {
    Enqueued(Request, Result<Enqueued, Code>),
    Taken(Request, Rc<Moves>, Result<Claimed, Code>),
    Ended(Request, u64, BroughtIds, Result<Ended, Code>),
    Extended(Request, Result<Extended, Code>),
    Held(Vec<HeldRead>),
}

/// A connection.
pub struct Line {
    pub watched: Watched,
    pub(super) worker: Worker,
    pub(super) seats: BTreeMap<Sub, SeatId>,
    pub(super) follows: BTreeSet<String>,
    pub(super) moves: VecDeque<Rc<Moves>>,
    pub(super) missed: bool,
    /// Jobs for its subscriptions, in their order.
    pub(super) handed: VecDeque<(SeatId, u64, LeasedJob)>,
    pub(super) told: Vec<Told>,
    /// What was asked of the desk, and is not among these yet.
    pub(super) under_way: u32,
    pub(super) outputs: VecDeque<Output>,
    /// What the socket has not taken.
    pub(super) writing: VecDeque<Frame>,
    /// Something was put out, or at least was fed, since all was on its way.
    pub(super) dirty: bool,
    /// It waits for the socket since then, and does nothing else.
    pub(super) stuck: Option<Instant>,
}

impl Line {
    fn new(worker: Worker, now: Instant) -> Self {
        let silence = Millis(10_000);
        let limits =
            Limits { silence, ping_every: Millis(4_000), hello: silence, ..Limits::default() };
        Self {
            watched: Watched::new(now, limits),
            worker,
            seats: BTreeMap::new(),
            follows: BTreeSet::new(),
            moves: VecDeque::new(),
            missed: false,
            handed: VecDeque::new(),
            told: Vec::new(),
            under_way: 0,
            outputs: VecDeque::new(),
            writing: VecDeque::new(),
            dirty: false,
            stuck: None,
        }
    }

    fn ready(&self) -> bool {
        !self.handed.is_empty() || !self.told.is_empty()
    }
}

/// Something that a connection can do.
#[derive(Debug, Clone, Copy)]
pub enum Turn {
    /// It takes in what is ready, …
    Ready,
    /// … or what has moved.
    Moves,
    Write,
    Tick,
    /// It has waited for its socket for too long.
    TooSlow,
}

impl Server {
    /// A connection of a worker is there.
    pub fn accept(&mut self, wire: Wire, worker: Worker, now: Instant) {
        self.lines.insert(wire, Line::new(worker, now));
        self.sockets.insert(wire, VecDeque::new());
    }

    /// Whether this is, or was, one of them.
    pub(super) fn is_line(&self, wire: Wire) -> bool {
        self.lines.contains_key(&wire) || self.leaving.contains_key(&wire)
    }

    /// Whether the driver would take a frame from this socket. What nobody listens to is lost.
    pub fn listens(&self, wire: Wire) -> bool {
        self.lines.get(&wire).is_none_or(|line| !line.dirty && !line.watched.machine.full())
    }

    /// What a connection can do now.
    pub(super) fn turns(&self, now: Instant, ways: &mut Vec<Way>) {
        for (wire, line) in &self.lines {
            let room = self.sockets.get(wire).is_some_and(|down| down.len() < ROOM);
            let patience = |at: Instant| now >= at + SILENCE;
            let due = line.watched.machine.deadline().is_some_and(|at| at <= now);
            let all = [
                (line.stuck.is_none() && line.ready(), Turn::Ready),
                (!line.dirty && (line.missed || !line.moves.is_empty()), Turn::Moves),
                (
                    line.dirty && (room || (line.writing.is_empty() || line.stuck.is_none())),
                    Turn::Write,
                ),
                (!line.dirty && due, Turn::Tick),
                (line.stuck.is_some_and(patience), Turn::TooSlow),
            ];
            let can = all.into_iter().filter(|(can, _)| *can);
            ways.extend(can.map(|(_, turn)| Way::Line(*wire, turn)));
        }
    }

    pub(super) fn lines_wake(&self) -> Option<Instant> {
        let of = |line: &Line| {
            let due = line.watched.machine.deadline().filter(|_| !line.dirty);
            line.stuck.map(|at| at + SILENCE).into_iter().chain(due).min()
        };
        self.lines.values().filter_map(of).min()
    }

    pub(super) fn turn(&mut self, wire: Wire, turn: Turn, now: Instant, which: u64) {
        match turn {
            Turn::Ready => self.takes_ready(wire, now, which),
            Turn::Moves => {
                // A lease is heard of before its loss.
                while self.lines.get(&wire).is_some_and(Line::ready) {
                    self.takes_ready(wire, now, which);
                }
                let Some(line) = self.lines.get_mut(&wire) else { return };
                let (moves, missed) = (line.moves.pop_front(), std::mem::take(&mut line.missed));
                if let Some(moves) = moves {
                    self.feed(wire, now, Input::Moves(&moves));
                }
                if missed {
                    self.ledger.counts.add("line: something was missed");
                    self.feed(wire, now, Input::Missed(self.newest));
                }
            }
            Turn::Write => self.writes(wire, now),
            Turn::Tick => self.feed(wire, now, Input::Tick),
            Turn::TooSlow => {
                self.ledger.counts.add("line: too slow");
                self.leaves(wire, false, now);
            }
        }
    }

    fn takes_ready(&mut self, wire: Wire, now: Instant, which: u64) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        if let Some((consumer, version, job)) = line.handed.pop_front() {
            let sub = line.seats.iter().find(|(_, it)| **it == consumer).map(|(sub, _)| *sub);
            match sub {
                Some(sub) => {
                    self.feed(wire, now, Input::Leased { sub, version, jobs: vec![job] });
                }
                None => self.gives_back(job.id, job.token),
            }
            return;
        }
        if !line.told.is_empty() {
            let told = line.told.swap_remove(which as usize % line.told.len());
            self.tells(wire, told, now);
        }
    }

    fn tells(&mut self, wire: Wire, told: Told, now: Instant) {
        match told {
            Told::Enqueued(req, result) => {
                let result = result.map_err(Into::into);
                self.feed(wire, now, Input::Enqueued { req, result });
            }
            Told::Taken(req, moves, result) => {
                let result = result.map_err(Into::into);
                self.feed(wire, now, Input::Taken { req, moves: &moves, result });
            }
            Told::Ended(req, version, ids, result) => {
                let result = result.map_err(Into::into);
                self.feed(wire, now, Input::Ended { req, version, ids, result });
            }
            Told::Extended(req, result) => {
                let result = result.map_err(Into::into);
                self.feed(wire, now, Input::Extended { req, result });
            }
            Told::Held(jobs) => self.feed(wire, now, Input::Held(Ok(jobs))),
        }
    }

    /// Writes as much as there is room for; with the last of it all is on its way.
    fn writes(&mut self, wire: Wire, now: Instant) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        let Some(down) = self.sockets.get_mut(&wire) else { return };
        while down.len() < ROOM
            && let Some(frame) = line.writing.pop_front()
        {
            down.push_back(frame);
        }
        if !line.writing.is_empty() {
            if line.stuck.is_none() {
                self.ledger.counts.add("line: waits for its socket");
            }
            line.stuck = line.stuck.or(Some(now));
            return;
        }
        let waited = line.stuck.take().is_some_and(|at| now - at >= SECOND);
        line.dirty = false;
        if waited {
            self.feed(wire, now, Input::Heard);
        }
        self.feeds_flushed(wire, now);
    }

    /// Behind that nothing is to be written, unless more comes of it.
    fn feeds_flushed(&mut self, wire: Wire, now: Instant) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        let outputs = line.watched.feed(now, Input::Flushed);
        let quiet = outputs.is_empty();
        line.outputs.extend(outputs);
        if !quiet {
            line.dirty = true;
            self.carries_out(wire, now);
        }
    }

    /// A frame of a client comes.
    pub(super) fn frame(&mut self, wire: Wire, text: &str, now: Instant) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        let outputs = line.watched.hear(now, text.as_bytes());
        line.outputs.extend(outputs);
        line.dirty = true;
        self.carries_out(wire, now);
    }

    pub(super) fn feed(&mut self, wire: Wire, now: Instant, input: Input<'_>) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        let outputs = line.watched.feed(now, input);
        line.outputs.extend(outputs);
        line.dirty = true;
        self.carries_out(wire, now);
    }

    fn carries_out(&mut self, wire: Wire, now: Instant) {
        self.check(wire);
        while let Some(line) = self.lines.get_mut(&wire)
            && let Some(output) = line.outputs.pop_front()
        {
            self.carry_out(wire, output, now);
        }
        self.check(wire);
    }

    /// What does not hold of the machine itself.
    fn check(&mut self, wire: Wire) {
        if let Some(wrong) = self.lines.get(&wire).and_then(|line| line.watched.wrong.clone()) {
            self.wrong(wire, wrong);
        }
    }

    fn wrong(&mut self, wire: Wire, (wrong, what): (Wrong, String)) {
        let invariant = match wrong {
            Wrong::Credit => Invariant::J11,
            Wrong::Told => Invariant::J2,
            Wrong::HandedBack => Invariant::J8,
            Wrong::Answered => Invariant::J4,
            Wrong::Kept => Invariant::J6,
            Wrong::Form => Invariant::I11,
        };
        self.ledger.breaks(invariant, || format!("{wrong:?} over connection {wire}: {what}"));
    }

    /// The desk has answered. What nobody waits for any more is handed back.
    pub(super) fn answered(&mut self, wire: Wire, told: Told, now: Instant) {
        if let Some(line) = self.lines.get_mut(&wire) {
            line.under_way -= 1;
            line.told.push(told);
        } else if let Some(mut line) = self.leaving.remove(&wire) {
            line.under_way -= 1;
            self.lines.insert(wire, line);
            self.tells(wire, told, now);
            if let Some(line) = self.lines.remove(&wire)
                && line.under_way > 0
            {
                self.leaving.insert(wire, line);
            }
        }
    }

    /// Jobs for a subscription; returns whether its connection is there.
    pub(super) fn hands(&mut self, consumer: SeatId, version: u64, jobs: &[Leased]) -> bool {
        let Some(wire) = self.waits.get(&consumer).map(|waits| waits.wire) else { return false };
        let Some(line) = self.lines.get_mut(&wire) else { return false };
        line.handed.extend(jobs.iter().map(|it| (consumer, version, leased_job(it))));
        true
    }

    /// What moves is told to those who follow; `None`: nobody knows what it was.
    pub(super) fn told(&mut self, moves: Option<&Moves>) {
        let only = |of: &QueueMoves| {
            let lost = |it: &&Move| it.from == Some(Place::Leased) && it.to != Some(Place::Done);
            of.jobs.iter().filter(lost).cloned().collect::<Vec<_>>()
        };
        let Some(moves) = moves else {
            for line in self.lines.values_mut() {
                line.missed = true;
            }
            return;
        };
        self.newest = self.newest.max(moves.version);
        for moved in &moves.queues {
            let jobs = only(moved);
            if jobs.is_empty() {
                continue;
            }
            let queues = vec![QueueMoves { queue: moved.queue.clone(), jobs }];
            let part = Rc::new(Moves { version: moves.version, queues });
            let of = |line: &&mut Line| line.follows.contains(&moved.queue.name);
            for line in self.lines.values_mut().filter(of) {
                if line.moves.len() < MOVES {
                    line.moves.push_back(Rc::clone(&part));
                } else {
                    line.missed = true;
                }
            }
        }
    }

    /// A connection is over; `written`: all that was put out is on its way.
    pub(super) fn leaves(&mut self, wire: Wire, written: bool, now: Instant) {
        let Some(mut line) = self.lines.remove(&wire) else { return };
        self.reads_to_its_end(wire);
        for consumer in std::mem::take(&mut line.seats).into_values() {
            self.waits.remove(&consumer);
            self.dispatched(now, dispatch::Input::Gone(consumer));
        }
        for (_, _, job) in std::mem::take(&mut line.handed) {
            self.gives_back(job.id, job.token);
        }
        (line.dirty, line.stuck) = (false, None);
        let told = std::mem::take(&mut line.told);
        self.lines.insert(wire, line);
        if written {
            self.feed(wire, now, Input::Flushed);
        }
        self.feed(wire, now, Input::Gone);
        // Claims under way, and ends that take a next job, are heard to their end.
        told.into_iter().for_each(|told| self.tells(wire, told, now));
        if let Some(line) = self.lines.remove(&wire)
            && line.under_way > 0
        {
            self.leaving.insert(wire, line);
        }
    }

    /// All connections are told that the server will close.
    pub fn drain(&mut self, now: Instant) {
        let wires: Vec<Wire> = self.lines.keys().copied().collect();
        for wire in wires {
            self.feed(wire, now, Input::Drain(SECOND));
        }
    }
}

/// How long a write may take, and a client be silent.
const SILENCE: Millis = Millis(10_000);
