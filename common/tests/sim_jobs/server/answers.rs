//! What the store answers, and what the desk makes of it.

use super::{Call, Down, SECOND, Server, Wire, digest, driven::leased_job, socket::Told};
use crate::{
    brings,
    deed::{Answer, End, Ended, Enqueued, Got, Leased, Task},
    disk::Queue,
    store::Done,
};
use holdfast_common::{
    consumer::BroughtIds,
    dispatch::{Count, Input, SeatId},
    error::Code,
    job::{Ending, JobState, Place},
    planted::{Planted, planted},
    storage::jobs as real,
    time::{Instant, Millis, Timestamp},
};
use std::rc::Rc;

impl Server {
    pub(super) fn answer(&mut self, done: Done<Call>, now: Instant) {
        let Done { call, answer, counts, moves } = done;
        let (version, known) = (moves.version, !matches!(answer, Answer::Unknown));
        // The jobs of a claim go to who waits before what has moved is told, as the desk has it.
        let claims = matches!(call, Call::Claim(_) | Call::Enqueue { .. });
        let after = claims.then(|| Rc::clone(&moves));
        if !claims {
            self.told(known.then_some(&moves));
        }
        match (call, answer) {
            (Call::Claim(consumer), Answer::Claimed(got)) => {
                self.claimed(consumer, version, got, &counts, now);
            }
            (Call::Claim(consumer), _) => {
                self.ledger.counts.add("claim: failed");
                self.dispatched(now, Input::Failed(consumer));
            }
            (Call::Enqueue { wire, req, queue, with }, answer) => {
                let enqueue = (wire, req, queue);
                self.enqueued(enqueue, with, (answer, version), &counts, now);
            }
            (Call::Take { wire, req }, answer) => self.taken(wire, req, answer, moves, now),
            (Call::End { wire, req, end }, Answer::Ended(ended, next)) => {
                self.ended((wire, req), *end, ended, (next, version), now);
            }
            (Call::End { wire, req, .. }, _) if self.is_line(wire) => {
                self.answered(wire, failed(req, version), now);
            }
            (Call::End { wire, req, .. }, _) => self.say(wire, Down::Retry { req }),
            (Call::Extend { wire, req, .. }, Answer::Extended(Ok(()))) => {
                let given = real::Given { length: Millis(0), until: Timestamp(0) };
                self.extended(wire, req, Ok(real::Extended::Until(given)), now);
            }
            (Call::Extend { wire, req, job, token }, Answer::Extended(Err(why))) => {
                self.say(wire, Down::Lost { job, fence: token.fence });
                let late = why.map_or(real::Extended::UnknownJob, real::Extended::Late);
                self.extended(wire, req, Ok(late), now);
            }
            (Call::Extend { wire, req, .. }, _) => {
                return self.extended(wire, req, Err(Code::StorageFault), now);
            }
            (Call::Fire(which), answer) => {
                self.looks[which].under_way -= 1;
                if let Answer::Fired(Some((n, then))) = answer {
                    self.store.put(Call::Nobody, Task::Next(n, then));
                }
            }
            (call @ (Call::Tell(..) | Call::Told(..)), answer) => self.told_of(call, answer),
            (Call::Tend, answer) => {
                let more = matches!(answer, Answer::Tended { more: true });
                if more {
                    self.ledger.counts.add("tend: goes on");
                }
                self.tending = false;
                for end in self.untold.drain(..) {
                    self.telling.remove(&end);
                }
                self.tend_at = now + if more { Millis(10) } else { SECOND };
            }
            _ => {}
        }
        if let Some(moves) = after {
            self.told(known.then_some(&moves));
        }
        for (queue, count) in counts {
            if self.deaf > 0 && count.jobs > 0 {
                self.deaf -= 1;
                self.ledger.counts.add("dispatch: a hint is lost");
                continue;
            }
            self.dispatched(now, Input::Counted { queue, count });
        }
    }

    /// What becomes of telling who asked.
    fn told_of(&mut self, call: Call, answer: Answer) {
        match (call, answer) {
            (Call::Tell(job, fence), Answer::Nothing) if !planted(Planted::ToldBefore) => {
                self.store.put(Call::Told(job, fence), Task::Told(job, fence));
            }
            (Call::Told(job, fence), Answer::Nothing) if planted(Planted::ToldBefore) => {
                self.store.put(Call::Nobody, Task::Tell(job, fence));
            }
            (Call::Tell(job, fence) | Call::Told(job, fence), Answer::Fault | Answer::Unknown) => {
                self.untold.push((job, fence));
            }
            (Call::Tell(job, fence) | Call::Told(job, fence), _) => {
                self.telling.remove(&(job, fence));
            }
            _ => {}
        }
    }

    fn claimed(
        &mut self,
        consumer: SeatId,
        version: u64,
        (jobs, next): Got,
        counts: &[(Queue, Count)],
        now: Instant,
    ) {
        let got = jobs.len() as u32;
        if next.is_some() {
            self.ledger.counts.add("claim: the rate is used up");
        }
        let queue = self.waits.get(&consumer).map(|it| it.queue);
        let queue = queue.or(jobs.first().map(|it| it.queue));
        match self.waits.get_mut(&consumer) {
            Some(waits) => {
                let (wire, poll, asked) = (waits.wire, waits.until.is_some(), waits.jobs);
                waits.jobs = waits.jobs.saturating_sub(got);
                if poll && got > 0 {
                    self.waits.remove(&consumer);
                }
                if got > 0 {
                    self.ledger.counts.add(if poll { "poll: leased" } else { "pushed" });
                    if poll {
                        self.ledger.told(&jobs, asked);
                        self.say(wire, Down::Leased { jobs, poll });
                    } else if !self.hands(consumer, version, &jobs) {
                        jobs.iter().for_each(|leased| self.hand_back(leased));
                    }
                }
            }
            None => jobs.into_iter().for_each(|leased| self.hand_back(&leased)),
        }
        match queue.and_then(|queue| counts.iter().find(|(of, _)| *of == queue)) {
            Some((_, count)) => {
                let count = *count;
                self.dispatched(now, Input::Claimed { consumer, jobs: got, count, next });
            }
            // Who has gone and got nothing: there is nothing to say but that it is over.
            None => self.dispatched(now, Input::Untried(consumer)),
        }
    }

    /// What was claimed for one that has gone.
    pub(super) fn hand_back(&mut self, leased: &Leased) {
        self.ledger.counts.add("claim: handed back");
        self.drawn += 1;
        let end = End {
            job: leased.job,
            token: leased.token,
            digest: digest(self.drawn | 1 << 60),
            how: Ending::HandBack(Millis(0)),
            events: Vec::new(),
            bad: false,
            jobs: Vec::new(),
            then: None,
        };
        self.store.put(Call::Nobody, Task::End(Box::new(end)));
    }

    fn enqueued(
        &mut self,
        (wire, req, queue): (Wire, u64, Queue),
        with: Vec<SeatId>,
        (answer, version): (Answer, u64),
        counts: &[(Queue, Count)],
        now: Instant,
    ) {
        let Answer::Enqueued(enqueued, got) = answer else {
            with.into_iter().for_each(|it| self.dispatched(now, Input::Failed(it)));
            return self.says_enqueued(wire, req, Err(Code::StorageFault), now);
        };
        if got.is_empty() && !with.is_empty() {
            self.ledger.counts.add("enqueue: a claim is untried");
            with.into_iter().for_each(|it| self.dispatched(now, Input::Untried(it)));
        }
        for (consumer, got) in got {
            if !got.0.is_empty() {
                self.ledger.counts.add("enqueue: handed over");
            }
            debug_assert!(counts.iter().any(|(of, _)| *of == queue));
            self.claimed(consumer, version, got, counts, now);
        }
        let (what, said) = match enqueued {
            Enqueued::Made(ids) => {
                self.ledger.answered(&ids);
                ("made", real::Enqueued::Made { ids, claimed: Vec::new() })
            }
            Enqueued::Again(ids) => ("again", real::Enqueued::Again(ids)),
            Enqueued::Mismatch => ("mismatch", real::Enqueued::Mismatch),
            Enqueued::Full => ("full", real::Enqueued::QueueFull),
        };
        self.ledger.counts.add_named("enqueue: ", what);
        self.says_enqueued(wire, req, Ok(said), now);
    }

    fn says_enqueued(
        &mut self,
        wire: Wire,
        req: u64,
        said: Result<real::Enqueued, Code>,
        now: Instant,
    ) {
        if self.is_line(wire) {
            return self.answered(wire, Told::Enqueued(req, said), now);
        }
        let again = matches!(said, Err(_) | Ok(real::Enqueued::QueueFull));
        self.say(wire, if again { Down::Retry { req } } else { Down::Enqueued { req } });
    }

    fn taken(
        &mut self,
        wire: Wire,
        req: u64,
        answer: Answer,
        moves: Rc<real::Moves>,
        now: Instant,
    ) {
        let Answer::Claimed((jobs, _)) = answer else {
            if self.is_line(wire) {
                self.answered(wire, Told::Taken(req, moves, Err(Code::StorageFault)), now);
            }
            return;
        };
        self.ledger.counts.add(if jobs.is_empty() { "take: none" } else { "take: taken" });
        if !self.is_line(wire) {
            self.ledger.told(&jobs, 1);
            return self.say(wire, Down::Leased { jobs, poll: false });
        }
        let claimed = match &jobs[..] {
            [] => real::Claimed::NotReady(JobState::Ready),
            [job, ..] => real::Claimed::Jobs { jobs: vec![leased_job(job)], next: None },
        };
        self.answered(wire, Told::Taken(req, moves, Ok(claimed)), now);
    }

    fn extended(&mut self, wire: Wire, req: u64, said: Result<real::Extended, Code>, now: Instant) {
        if self.is_line(wire) {
            self.answered(wire, Told::Extended(req, said), now);
        }
    }

    fn ended(
        &mut self,
        (wire, req): (Wire, u64),
        end: End,
        ended: Ended,
        (next, version): (Vec<Leased>, u64),
        now: Instant,
    ) {
        if ended == Ended::Moved {
            // It is decided anew.
            let end = Box::new(end);
            return self.store.put(Call::End { wire, req, end: end.clone() }, Task::End(end));
        }
        if !next.is_empty() {
            self.ledger.counts.add("end: with the next job");
        }
        if self.is_line(wire) {
            let place = self.store.disk.place(end.job).unwrap_or(Place::Done);
            let said = real_end(&end, ended, place, &next);
            self.counts_brought(&end, ended);
            let told = Told::Ended(req, version, brings::ids(&end), Ok(said));
            return self.answered(wire, told, now);
        }
        if matches!(ended, Ended::Done | Ended::Again) {
            self.ledger.done(&end);
        }
        self.ledger.told(&next, 1);
        self.say(wire, Down::Did { req, ended });
        self.say(wire, Down::Leased { jobs: next, poll: false });
    }

    /// What is said of an end over a connection of `holdfast-work.v1` that brings something.
    fn counts_brought(&mut self, end: &End, ended: Ended) {
        if end.events.is_empty() {
            return;
        }
        let what = match ended {
            Ended::Done => "line: an end has brought something",
            Ended::Again => "line: an end had brought something",
            Ended::Late(_) => "line: a late end brings nothing",
            Ended::Rejected => "line: what an end brings is refused",
            Ended::Moved | Ended::TooOften | Ended::Unknown => return,
        };
        self.ledger.counts.add(what);
    }
}

/// Of an end nobody knows what became.
fn failed(req: u64, version: u64) -> Told {
    Told::Ended(req, version, BroughtIds::default(), Err(Code::StorageFault))
}

/// What became of an end, as a connection's machine is told it.
fn real_end(end: &End, ended: Ended, place: Place, next: &[Leased]) -> real::Ended {
    match ended {
        Ended::Done => {
            let then = end.then.is_some().then(|| {
                let jobs = next.iter().map(leased_job).collect();
                real::Claimed::Jobs { jobs, next: None }
            });
            real::Ended::Done { place, wait: None, appended: brings::appended(end), then }
        }
        Ended::Again => {
            let stands = (1..).zip(&end.events).map(|(offset, _)| Some(offset)).collect();
            real::Ended::Again { place, stands }
        }
        Ended::Late(reason) => real::Ended::Late(reason),
        Ended::TooOften => real::Ended::TooOften,
        Ended::Unknown => real::Ended::UnknownJob,
        Ended::Rejected => {
            let (index, verdict) = brings::rejected(end);
            real::Ended::Rejected { index, verdict }
        }
        Ended::Moved => unreachable!("it is decided anew"),
    }
}
