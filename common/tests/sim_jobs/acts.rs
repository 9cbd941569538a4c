//! The acts of a plan, carried out.

mod works;

use crate::{
    client::name,
    deed::{Govern, Source, person},
    disk::{Asked, QUEUES, Queue},
    peer::{WORKERS, has_socket},
    plan::Act,
    server::Up,
    sim::Sim,
};
use holdfast_common::{
    backoff::Dice,
    id::{EventId, JobId},
    job::{NewJob, QueueSettings, Rate},
    time::{Instant, Millis},
};

impl Sim {
    /// Returns whether it happened: there may be nothing for it to happen to.
    pub fn act(&mut self, act: Act) -> bool {
        match act {
            Act::Enqueue { .. } | Act::Again { .. } | Act::EmitsWork { .. } => self.enqueues(act),
            Act::Poll { .. } | Act::Consume { .. } | Act::Credit { .. } | Act::Take { .. } => {
                self.waits(act)
            }
            Act::Complete { .. }
            | Act::CompleteBadly { .. }
            | Act::Fail { .. }
            | Act::Snooze { .. }
            | Act::Extend { .. }
            | Act::Progress { .. }
            | Act::Stale { .. } => self.works(act),
            Act::KillWorker { .. }
            | Act::Stall { .. }
            | Act::Wake { .. }
            | Act::Leave { .. }
            | Act::Cut { .. }
            | Act::Lose { .. }
            | Act::Double { .. }
            | Act::Swap { .. } => self.disturbs(act),
            Act::Pause { .. }
            | Act::Resume { .. }
            | Act::Cancel { .. }
            | Act::Requeue { .. }
            | Act::Discard { .. }
            | Act::Regret { .. }
            | Act::Set { .. }
            | Act::Schedule { .. }
            | Act::Poison { .. } => self.governs(act),
            _ => self.at_the_server(act),
        }
    }

    pub fn asked(&mut self, queue: Queue, form: u64) -> Asked {
        let n = self.number();
        job_of(form, JobId::new(n, &[1; 10]), queue)
    }

    fn enqueues(&mut self, act: Act) -> bool {
        let (p, up) = match act {
            Act::Enqueue { p, queue, form, times, key: false } if has_socket(WORKERS + p) => {
                // A frame has one job.
                for _ in 0..times {
                    let jobs = vec![self.asked(queue, form)];
                    let req = self.number();
                    let up = Up::Enqueue { req, jobs, source: Source::Ids };
                    self.asked.push(up.clone());
                    self.asks(WORKERS + p, req, up);
                }
                return true;
            }
            Act::Enqueue { p, queue, form, times, key } => {
                let jobs = (0..times).map(|_| self.asked(queue, form)).collect();
                let (req, n) = (self.number(), self.number());
                let source = if key { Source::Key(queue, n, n) } else { Source::Ids };
                (p, Up::Enqueue { req, jobs, source })
            }
            Act::EmitsWork { p, queue, form } => {
                let jobs = vec![self.asked(queue, form), self.asked((queue + 1) % QUEUES, form)];
                let (req, n) = (self.number(), self.number());
                let source = Source::Event(EventId::new(n, &[3; 10]));
                (p, Up::Enqueue { req, jobs, source })
            }
            Act::Again { p, which, other } => {
                let of = self.asked.len();
                let was = self.asked.get(of.wrapping_sub(1 + which % of.max(1))).cloned();
                let Some(Up::Enqueue { mut jobs, source, .. }) = was else { return false };
                if other && let Source::Key(queue, key, body) = source {
                    let source = Source::Key(queue, key, body + 1_000_000);
                    let req = self.number();
                    let up = Up::Enqueue { req, jobs, source };
                    return self.asks(WORKERS, req, up);
                }
                if matches!(source, Source::Key(..)) {
                    // The server makes the ids, anew each time.
                    jobs.iter_mut().for_each(|it| it.new.id = JobId::new(self.number(), &[2; 10]));
                }
                (p, Up::Enqueue { req: self.number(), jobs, source })
            }
            _ => unreachable!("only enqueues come here"),
        };
        let Up::Enqueue { req, jobs, source } = &up else { return false };
        let (req, framed) = (*req, jobs.len() == 1 && *source == Source::Ids);
        let p = if framed { p } else { 0 };
        self.asked.push(up.clone());
        self.asks(WORKERS + p, req, up)
    }

    pub fn asks(&mut self, at: usize, req: u64, up: Up) -> bool {
        self.connect(at);
        self.peers[at].ask(req, up, self.now);
        true
    }

    fn waits(&mut self, act: Act) -> bool {
        let (w, up) = match act {
            Act::Poll { w, jobs, wait, lease } => {
                let w = w & !1;
                let (queue, length) = (self.peers[w].queue, Millis(lease));
                (w, Up::Poll { queue, jobs, length, wait: Millis(wait) })
            }
            Act::Consume { w, credit, lease } => {
                let w = w | 1;
                (w, Up::Consume { queue: self.peers[w].queue, credit, length: Millis(lease) })
            }
            Act::Credit { w, jobs } if self.peers[w | 1].waits => (w | 1, Up::Credit { jobs }),
            Act::Take { w, which, lease } => {
                let Some(job) = self.some_job(which) else { return false };
                let queue = self.server.store.disk.jobs[&job].queue;
                (w, Up::Take { queue, job, length: Millis(lease) })
            }
            _ => return false,
        };
        self.connect(w);
        let peer = &mut self.peers[w];
        if peer.stalled.is_some() || peer.wire.is_none() {
            return false;
        }
        if matches!(up, Up::Poll { .. } | Up::Consume { .. })
            && std::mem::replace(&mut peer.waits, true)
        {
            return false;
        }
        peer.say(&up);
        true
    }

    /// One of the jobs of the store: every other time one that has not ended.
    fn some_job(&self, which: usize) -> Option<JobId> {
        let jobs = self.server.store.disk.jobs.values();
        let open = jobs.filter(|row| which.is_multiple_of(2) || !row.job.place.ended());
        let jobs: Vec<JobId> = open.map(|row| row.job.id).collect();
        jobs.get(which % jobs.len().max(1)).copied()
    }

    fn disturbs(&mut self, act: Act) -> bool {
        match act {
            Act::KillWorker { w } => self.kill(w),
            Act::Stall { w, ms } => self.peers[w].stalled = Some(self.now + Millis(ms)),
            Act::Wake { w } => return self.peers[w].stalled.take().is_some(),
            Act::Leave { w } => {
                // The poll is given up while a claim for it may be under way.
                return self.peers[w].waits && self.cut(w, true);
            }
            Act::Cut { w, told } => return self.cut(w, told),
            // A line of frames loses nothing and nobody's place, unless it breaks.
            Act::Lose { w, .. } if has_socket(w) => return self.cut(w, true),
            Act::Double { w, .. } | Act::Swap { w, .. } if has_socket(w) => return false,
            Act::Lose { w, up: true } => return self.peers[w].up.pop_front().is_some(),
            Act::Double { w, up: true } => {
                let up = self.peers[w].up.front().cloned();
                return up.map(|it| self.peers[w].up.push_back(it)).is_some();
            }
            Act::Swap { w, up: true } => {
                let two = self.peers[w].up.len() > 1;
                return two.then(|| self.peers[w].up.swap(0, 1)).is_some();
            }
            Act::Lose { w, .. } | Act::Double { w, .. } | Act::Swap { w, .. } => {
                let wire = self.peers[w].wire.and_then(|wire| self.server.wires.get_mut(&wire));
                let Some((_, down)) = wire else { return false };
                return match act {
                    Act::Lose { .. } => {
                        let lost = down.pop_front().is_some();
                        // A line that has lost something breaks.
                        lost && self.cut(w, true)
                    }
                    Act::Double { .. } => {
                        down.front().cloned().map(|it| down.push_back(it)).is_some()
                    }
                    _ => {
                        let two = down.len() > 1;
                        two.then(|| down.swap(0, 1)).is_some()
                    }
                };
            }
            _ => unreachable!("only what befalls peers comes here"),
        }
        true
    }

    fn governs(&mut self, act: Act) -> bool {
        use holdfast_common::job::Place;
        let dead = |which: usize| {
            let jobs = self.server.store.disk.jobs.values();
            let dead: Vec<JobId> =
                jobs.filter(|row| row.job.place == Place::Dead).map(|row| row.job.id).collect();
            dead.get(which % dead.len().max(1)).copied()
        };
        let govern = match act {
            Act::Poison { which } => {
                let Some(job) = self.some_job(which) else { return false };
                return self.poisoned.insert(job);
            }
            Act::Pause { queue } => Some(Govern::Pause(queue, true)),
            Act::Resume { queue } => Some(Govern::Pause(queue, false)),
            Act::Cancel { which } => self.some_job(which).map(Govern::Cancel),
            Act::Requeue { which } => dead(which).map(Govern::Requeue),
            Act::Discard { which } => dead(which).map(Govern::Discard),
            Act::Regret { which } => {
                // Best one whose asker is just being told.
                let jobs = self.server.store.disk.jobs.values();
                let mut untold = jobs.filter(|row| row.job.place == Place::Dead && !row.told);
                let job = untold.next().map(|row| row.job.id).or_else(|| dead(which));
                let Some(job) = job.filter(|_| !self.stopped) else { return false };
                self.server.govern(Govern::Requeue(job));
                Some(Govern::Cancel(job))
            }
            Act::Set { queue, form } => Some(Govern::Set(queue, settings(form))),
            Act::Schedule { n, form } => self.schedule(n, form),
            _ => unreachable!("only what people decide comes here"),
        };
        let Some(govern) = govern.filter(|_| !self.stopped) else { return false };
        self.server.govern(govern);
        true
    }

    fn at_the_server(&mut self, act: Act) -> bool {
        match act {
            Act::KillServer { .. } | Act::Stop if self.stopped => return false,
            Act::KillServer { written } => {
                self.crash(written);
                self.start(None);
            }
            Act::Stop => self.crash(true),
            Act::Drain if self.stopped || self.draining.is_some() => return false,
            Act::Drain => {
                self.draining = Some(self.now + Millis(3_000));
                self.server.drain(self.now);
            }
            Act::Go if self.stopped => self.start(None),
            Act::Go => return false,
            Act::Steady { ms } => self.disk_still = later(self.disk_still, self.now + Millis(ms)),
            Act::Suspend { ms } => self.still = later(self.still, self.now + Millis(ms)),
            Act::Wall { ms } => self.wall += ms,
            Act::Full => self.server.trouble.full = true,
            Act::Mend => return std::mem::take(&mut self.server.trouble.full),
            Act::Unknown { times } => self.server.trouble.unknown = times,
            Act::Moved { times } => self.server.trouble.moved = times,
            Act::LoseHint { times } => self.server.deaf = times,
            Act::Copy => {
                let copy = (self.server.store.disk.clone(), self.server.ledger.state.clone());
                self.copies.push_back(copy);
            }
            Act::Restore => {
                let Some((mut disk, state)) = self.copies.pop_front() else { return false };
                self.crash(false);
                disk.fence += 1 << 32;
                self.server.ledger.restored(state);
                self.start(Some(disk));
            }
            Act::Wait { ms } => self.wait(ms),
            _ => unreachable!("only what befalls the server comes here"),
        }
        true
    }
}

/// A job as its form says.
pub fn job_of(form: u64, id: JobId, queue: Queue) -> Asked {
    let mut dice = Dice::new(form);
    let millis = |ms: u64| Some(Millis(ms));
    let new = NewJob {
        id,
        ns: "work".to_owned(),
        queue: name(queue),
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        delay: Millis([0, 0, 0, 500, 3_000, 20_000][dice.up_to(5) as usize]),
        priority: [0, 0, 0, 5, -5][dice.up_to(4) as usize],
        group: [None, Some("a"), Some("b")][dice.up_to(2) as usize].map(str::to_owned),
        most: [None, Some(1), Some(2), Some(3)][dice.up_to(3) as usize],
        backoff: [None, millis(0), millis(200), millis(2_000)][dice.up_to(3) as usize],
        expires: [None, None, None, None, millis(1_000), millis(15_000)][dice.up_to(5) as usize],
        asker: [None, Some(person(1))][dice.up_to(1) as usize],
    };
    Asked { queue, new }
}

fn later(one: Instant, other: Instant) -> Instant {
    one.max(other)
}

/// What an operator sets.
fn settings(form: u64) -> QueueSettings {
    let mut dice = Dice::new(form);
    let slow = Rate { jobs: 3, per: Millis(1_000), burst: 2 };
    let fast = Rate { jobs: 20, per: Millis(1_000), burst: 5 };
    QueueSettings {
        lease: Millis(2_000),
        attempts: 1 + dice.up_to(3) as u32,
        backoff: Millis(dice.up_to(1_000)),
        in_flight: [None, Some(1), Some(2), Some(3)][dice.up_to(3) as usize],
        rate: [None, Some(slow), Some(fast)][dice.up_to(2) as usize],
        keep: Millis([20_000, 24 * 3_600 * 1_000][dice.up_to(1) as usize]),
        most: if dice.up_to(7) == 0 { 4 } else { 2_000_000 },
    }
}
