//! What a connection's machine puts out, carried out: written, or asked of the store.

use super::{
    Call, SECOND, Server, Waits, Wire,
    socket::{Frame, Line, ROOM, Told},
};
use crate::{
    brings,
    client::{digest_of, queue_named},
    deed::{Claim, End, Leased, Source, Task},
    disk::{Asked, Queue},
};
use holdfast_common::{
    consumer::{HeldRead, Input, Output},
    dispatch::{self, SeatId},
    frame::work::Sub,
    id::JobId,
    job::{Ending, Token},
    storage::jobs::{Claim as RealClaim, Claimed, Given, How, LeasedJob, Moves, Wanted},
    time::{Instant, Millis, Timestamp},
};
use std::rc::Rc;

impl Server {
    pub(super) fn carry_out(&mut self, wire: Wire, output: Output, now: Instant) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        let asks = |line: &mut Line| line.under_way += 1;
        match output {
            Output::Send(text) => line.writing.push_back(Frame::Text(text)),
            Output::Ping => line.writing.push_back(Frame::Ping),
            Output::Close(code) => {
                self.ledger.counts.add_named("line: closed as ", code.name());
                line.writing.push_back(Frame::Close);
                let down = self.sockets.entry(wire).or_default();
                let written = down.len() + line.writing.len() <= 2 * ROOM;
                if written {
                    down.append(&mut line.writing);
                }
                self.leaves(wire, written, now);
            }
            Output::Greet(_) => {
                let wall = Timestamp(now.0);
                self.feed(wire, now, Input::Greeted { now: wall, result: Ok(None) });
            }
            Output::Follow(queue) => drop(line.follows.insert(queue.name.clone())),
            Output::Unfollow(queue) => drop(line.follows.remove(&queue.name)),
            Output::Consume { sub, queue, lease, .. } => {
                let length = lease.unwrap_or(SECOND);
                self.sits(wire, sub, queue_named(&queue.name), length, now);
                self.feed(wire, now, Input::Consuming { sub, result: Ok(()) });
            }
            Output::Credit { sub, jobs } => {
                if let Some(consumer) = line.seats.get(&sub).copied() {
                    if let Some(waits) = self.waits.get_mut(&consumer) {
                        waits.jobs += jobs;
                    }
                    self.dispatched(now, dispatch::Input::Credit { consumer, jobs });
                }
            }
            Output::Gone(sub) => {
                if let Some(consumer) = line.seats.remove(&sub) {
                    self.waits.remove(&consumer);
                    self.dispatched(now, dispatch::Input::Gone(consumer));
                }
            }
            Output::HandBack(jobs) => {
                jobs.into_iter().for_each(|(job, token)| self.gives_back(job, token));
            }
            Output::Held(ids) => {
                asks(line);
                let disk = &self.store.disk;
                let rows = ids.into_iter().filter_map(|id| Some((id, disk.jobs.get(&id)?)));
                let read =
                    rows.map(|(id, row)| HeldRead { id, place: row.job.place, fence: row.fence });
                let read = read.collect();
                self.ledger.counts.add("line: what is held is read");
                self.answered(wire, Told::Held(read), now);
            }
            asked => {
                asks(line);
                self.ask(wire, asked, now);
            }
        }
    }

    /// Whoever is at the other end of a connection that is over reads what there is, and then that it is.
    pub(super) fn reads_to_its_end(&mut self, wire: Wire) {
        if let Some(down) = self.sockets.get_mut(&wire)
            && !matches!(down.back(), Some(Frame::Close))
        {
            down.push_back(Frame::Close);
        }
    }

    /// A subscription waits, for nothing yet.
    fn sits(&mut self, wire: Wire, sub: Sub, queue: Queue, length: Millis, now: Instant) {
        let Some(line) = self.lines.get_mut(&wire) else { return };
        let worker = line.worker;
        self.consumers += 1;
        let consumer = SeatId(self.consumers);
        line.seats.insert(sub, consumer);
        self.waits.insert(consumer, Waits { wire, worker, queue, jobs: 0, length, until: None });
        let wait = dispatch::Input::Wait { consumer, queue, jobs: 0, once: false };
        self.dispatched(now, wait);
    }

    fn ask(&mut self, wire: Wire, asked: Output, now: Instant) {
        match asked {
            Output::Enqueue { req, job } => {
                let queue = queue_named(&job.queue);
                let jobs = vec![Asked { queue, new: job }];
                self.enqueue(wire, req, jobs, Source::Ids, now);
            }
            Output::Take { req, claim } => match self.taking(wire, &claim) {
                Some(claim) => self.store.put(Call::Take { wire, req }, Task::Claim(claim)),
                None => {
                    let moves = Rc::new(Moves::default());
                    self.answered(wire, Told::Taken(req, moves, Ok(Claimed::UnknownJob)), now);
                }
            },
            Output::End { req, job, token, how, brings, then, .. } => {
                let then = then.and_then(|claim| self.taking(wire, &claim));
                let end = Box::new(brings::with(self.word(job, token, &how, then), brings));
                let call = Call::End { wire, req, end: end.clone() };
                self.store.put(call, Task::End(end));
            }
            Output::Extend { req, extend } => {
                let [(job, token)] = extend.jobs[..] else { unreachable!("one job") };
                let of = self.store.disk.jobs.get(&job).map_or(0, |row| row.queue);
                let length = extend.lease.unwrap_or(self.store.disk.queues[of].settings.lease);
                let progress = extend.progress.map_or(0, |progress| progress.percent);
                let call = Call::Extend { wire, req, job, token };
                let length = Some(length);
                self.store.put(call, Task::Extend { job, token, length, progress });
            }
            other => unreachable!("no worker asks for {other:?}"),
        }
    }

    /// A claim as the store takes it; none where there is no such job.
    fn taking(&mut self, wire: Wire, claim: &RealClaim) -> Option<Claim> {
        let (queue, job) = match &claim.wanted {
            Wanted::Of { queue, .. } => (queue_named(queue), None),
            Wanted::Job(id) => (self.store.disk.jobs.get(id)?.queue, Some(*id)),
        };
        let worker = self.lines.get(&wire)?.worker;
        let length = claim.lease.unwrap_or(SECOND);
        Some(Claim { queue, job, worker, jobs: 1, length, chance: self.chance() })
    }

    fn word(&mut self, job: JobId, token: Token, how: &How, then: Option<Claim>) -> End {
        let (how, said) = match how {
            How::Complete { result } => (Ending::Complete, result.clone().unwrap_or_default()),
            How::Fail { reason, retry, .. } => {
                (Ending::Fail { retry: *retry, chance: self.chance() }, reason.clone())
            }
            How::Snooze { delay } => (Ending::Snooze(*delay), String::new()),
            How::HandBack { delay } => (Ending::HandBack(*delay), String::new()),
        };
        let digest = digest_of(how, &said);
        End { job, token, digest, how, events: Vec::new(), bad: false, jobs: Vec::new(), then }
    }

    pub(super) fn gives_back(&mut self, job: JobId, token: Token) {
        self.hand_back(&Leased { job, queue: 0, token, length: SECOND });
    }
}

pub fn leased_job(leased: &Leased) -> LeasedJob {
    LeasedJob {
        id: leased.job,
        token: leased.token,
        attempt: 1,
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        group: None,
        lease: Given { length: leased.length, until: Timestamp(0) },
    }
}
