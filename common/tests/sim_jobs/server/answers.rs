//! What the store answers, and what the desk makes of it.

use super::{Call, Down, SECOND, Server, Wire, digest};
use crate::{
    deed::{Answer, End, Ended, Enqueued, Got, Leased, Task},
    disk::Queue,
    store::Done,
};
use holdfast_common::{
    dispatch::{Consumer, Count, Input},
    job::Ending,
    planted::{Planted, planted},
    time::{Instant, Millis},
};

impl Server {
    pub(super) fn answer(&mut self, done: Done<Call>, now: Instant) {
        let Done { call, answer, counts } = done;
        match (call, answer) {
            (Call::Claim(consumer), Answer::Claimed(got)) => {
                self.claimed(consumer, got, &counts, now);
            }
            (Call::Claim(consumer), _) => {
                self.ledger.counts.add("claim: failed");
                self.dispatched(now, Input::Failed(consumer));
            }
            (Call::Enqueue { wire, req, queue, with }, answer) => {
                self.enqueued(wire, req, queue, with, answer, &counts, now);
            }
            (Call::Take { wire }, Answer::Claimed((jobs, _))) => {
                self.ledger.counts.add(if jobs.is_empty() { "take: none" } else { "take: taken" });
                self.ledger.told(&jobs, 1);
                self.say(wire, Down::Leased { jobs, poll: false });
            }
            (Call::End { wire, req, end }, Answer::Ended(ended, next)) => {
                self.ended(wire, req, *end, ended, next);
            }
            (Call::End { wire, req, .. }, _) => self.say(wire, Down::Retry { req }),
            (Call::Extend { wire, job, token }, Answer::Extended(Err(_))) => {
                self.say(wire, Down::Lost { job, token });
            }
            (Call::Tell(job, fence), Answer::Nothing) if !planted(Planted::ToldBefore) => {
                self.store.put(Call::Told(job, fence), Task::Told(job, fence));
            }
            (Call::Told(job, fence), Answer::Nothing) if planted(Planted::ToldBefore) => {
                self.store.put(Call::Nobody, Task::Tell(job, fence));
            }
            (Call::Tell(job, fence) | Call::Told(job, fence), Answer::Fault) => {
                self.untold.push((job, fence));
            }
            (Call::Tell(job, fence) | Call::Told(job, fence), _) => {
                self.telling.remove(&(job, fence));
            }
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
        for (queue, count) in counts {
            if self.deaf > 0 && count.jobs > 0 {
                self.deaf -= 1;
                self.ledger.counts.add("dispatch: a hint is lost");
                continue;
            }
            self.dispatched(now, Input::Counted { queue, count });
        }
    }

    fn claimed(
        &mut self,
        consumer: Consumer,
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
                    self.ledger.told(&jobs, asked);
                    self.say(wire, Down::Leased { jobs, poll });
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
    fn hand_back(&mut self, leased: &Leased) {
        self.ledger.counts.add("claim: handed back");
        self.drawn += 1;
        let end = End {
            job: leased.job,
            token: leased.token,
            digest: digest(self.drawn | 1 << 60),
            how: Ending::Snooze(Millis(0)),
            events: Vec::new(),
            bad: false,
            jobs: Vec::new(),
            then: None,
        };
        self.store.put(Call::Nobody, Task::End(Box::new(end)));
    }

    #[expect(clippy::too_many_arguments)]
    fn enqueued(
        &mut self,
        wire: Wire,
        req: u64,
        queue: Queue,
        with: Vec<Consumer>,
        answer: Answer,
        counts: &[(Queue, Count)],
        now: Instant,
    ) {
        let Answer::Enqueued(enqueued, got) = answer else {
            with.into_iter().for_each(|it| self.dispatched(now, Input::Failed(it)));
            return self.say(wire, Down::Retry { req });
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
            self.claimed(consumer, got, counts, now);
        }
        match enqueued {
            Enqueued::Made(jobs) => {
                self.ledger.counts.add("enqueue: made");
                self.ledger.answered(&jobs);
                self.say(wire, Down::Enqueued { req });
            }
            Enqueued::Again(_) => {
                self.ledger.counts.add("enqueue: again");
                self.say(wire, Down::Enqueued { req });
            }
            Enqueued::Mismatch => {
                self.ledger.counts.add("enqueue: mismatch");
                self.say(wire, Down::Enqueued { req });
            }
            Enqueued::Full => {
                self.ledger.counts.add("enqueue: full");
                self.say(wire, Down::Retry { req });
            }
        }
    }

    fn ended(&mut self, wire: Wire, req: u64, end: End, ended: Ended, next: Vec<Leased>) {
        match ended {
            Ended::Moved => {
                // It is decided anew.
                let end = Box::new(end);
                return self.store.put(Call::End { wire, req, end: end.clone() }, Task::End(end));
            }
            Ended::Done | Ended::Again => self.ledger.done(end.job, end.token, end.digest),
            _ => {}
        }
        if !next.is_empty() {
            self.ledger.counts.add("end: with the next job");
        }
        self.ledger.told(&next, 1);
        self.say(wire, Down::Did { req, ended });
        self.say(wire, Down::Leased { jobs: next, poll: false });
    }
}
