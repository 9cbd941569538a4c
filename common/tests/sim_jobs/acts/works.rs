//! What workers say, carried out.

use crate::{
    client::digest_of,
    deed::{Claim, End},
    disk::Queue,
    peer::WORKERS,
    plan::Act,
    server::{Up, digest},
    sim::Sim,
};
use holdfast_common::{
    id::{EventId, JobId},
    job::{Ending, Token},
    time::Millis,
};

impl Sim {
    fn words(&mut self, job: JobId, token: Token, how: Ending) -> End {
        let digest = digest(self.number());
        End {
            job,
            token,
            digest,
            how,
            events: Vec::new(),
            bad: false,
            jobs: Vec::new(),
            then: None,
        }
    }

    /// The worker of the end of the run completes a job.
    pub fn complete(&mut self, w: usize, held: (JobId, u64)) {
        let Some(token) = self.peers[w].held.get(&held).map(|it| it.leased.token) else { return };
        let end = self.words(held.0, token, Ending::Complete);
        self.says(w, held, end);
    }

    fn says(&mut self, w: usize, held: (JobId, u64), end: End) {
        let req = self.number();
        self.connect(w);
        if let Some(held) = self.peers[w].held.get_mut(&held) {
            held.end = Some(req);
        }
        self.peers[w].ask(req, Up::End { req, end: Box::new(end) }, self.now);
    }

    pub(super) fn works(&mut self, act: Act) -> bool {
        let (Act::Complete { w, which, .. }
        | Act::CompleteBadly { w, which }
        | Act::Fail { w, which, .. }
        | Act::Snooze { w, which, .. }
        | Act::Extend { w, which, .. }
        | Act::Progress { w, which }
        | Act::Stale { w, which, .. }) = act
        else {
            unreachable!("only what workers say comes here")
        };
        let late = matches!(act, Act::Stale { .. });
        let able = |w: &usize| {
            let peer = &self.peers[*w];
            let has = if late { !peer.past.is_empty() } else { !peer.held.is_empty() };
            has && peer.stalled.is_none()
        };
        let Some(w) = (w..w + WORKERS).map(|w| w % WORKERS).find(able) else { return false };
        if let Act::Stale { forged, .. } = act {
            return self.speaks_late(w, which, forged);
        }
        let held = self.peers[w].held.keys().nth(which % self.peers[w].held.len().max(1)).copied();
        let Some(at) = held else { return false };
        let leased = self.peers[w].held[&at].leased.clone();
        let (job, token) = (leased.job, leased.token);
        let mut end = match act {
            Act::Extend { ms, .. } => {
                let length = Some(Millis(ms));
                self.peers[w].say(&Up::Extend { job, token, length, progress: 1 });
                return self.peers[w].wire.is_some();
            }
            Act::Progress { .. } => {
                self.peers[w].say(&Up::Extend { job, token, length: None, progress: 50 });
                return self.peers[w].wire.is_some();
            }
            Act::Fail { retry, .. } => {
                let (retry, chance) = (retry.then_some(Millis(0)), self.number());
                self.words(job, token, Ending::Fail { retry, chance })
            }
            Act::Snooze { ms, .. } => {
                let mut end = self.words(job, token, Ending::Snooze(Millis(ms)));
                end.digest = digest_of(end.how, "");
                end
            }
            _ => self.words(job, token, Ending::Complete),
        };
        self.brings(act, w, leased.queue, &mut end);
        self.says(w, at, end);
        true
    }

    /// What a completion brings.
    fn brings(&mut self, act: Act, w: usize, queue: Queue, end: &mut End) {
        match act {
            Act::Complete { events, jobs, next, .. } => {
                end.events = (0..events).map(|_| EventId::new(self.number(), &[4; 10])).collect();
                let form = self.number();
                end.jobs = (0..jobs).map(|_| self.asked(queue, form)).collect();
                end.then = next.then(|| Claim {
                    queue,
                    job: None,
                    worker: w,
                    jobs: 1,
                    length: Millis(1_000),
                    chance: self.number() << 32,
                });
            }
            Act::CompleteBadly { .. } => {
                end.events = vec![EventId::new(self.number(), &[4; 10])];
                end.bad = true;
            }
            _ => {}
        }
    }

    fn speaks_late(&mut self, w: usize, which: usize, forged: bool) -> bool {
        let past = &self.peers[w].past;
        let Some((job, token)) = past.iter().rev().nth(which % past.len().max(1)).copied() else {
            return false;
        };
        let job = if forged { self.some_job(which).unwrap_or(job) } else { job };
        let mut end = self.words(job, token, Ending::Complete);
        end.events = vec![EventId::new(self.number(), &[5; 10])];
        self.says(w, (job, 0), end);
        true
    }
}
