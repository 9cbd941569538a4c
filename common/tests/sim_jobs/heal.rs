//! Everything works again, and honest workers do what there is: what must be true then.

use crate::{
    deed::{Change, Govern, Source},
    disk::QUEUES,
    ledger::Invariant,
    peer::{PEERS, WORKERS},
    server::Up,
    sim::Sim,
    store::Trouble,
    timed::SCHEDULES,
};
use holdfast_common::{id::JobId, job::Place, time::Millis};

/// Long enough for every lease, delay and backoff of a run.
const LONG: u64 = 240_000;

impl Sim {
    pub fn heal(&mut self) {
        self.note(|| "--- everything works again".to_owned());
        self.server.trouble = Trouble::default();
        self.server.deaf = 0;
        (self.still, self.disk_still) = (self.now, self.now);
        if self.stopped {
            self.start(None);
        }
        self.draining = None;
        for queue in 0..QUEUES {
            self.server.govern(Govern::Pause(queue, false));
        }
        self.calm();
        self.honest = true;
        let silent: Vec<_> = self.server.silent.keys().copied().collect();
        silent.into_iter().for_each(|wire| self.server.hang_up(wire, self.now));
        for at in 0..PEERS {
            self.peers[at].stalled = None;
            self.cut(at, true);
            self.connect(at);
        }
        // Leases that a connection has lost are spoken for by nobody else.
        for at in 0..WORKERS {
            self.peers[at].queue = at % QUEUES;
            let held: Vec<_> = self.peers[at].held.keys().copied().collect();
            held.into_iter().for_each(|held| self.complete(at, held));
            self.asks_for_more(at);
        }
        self.comes_to_rest();
        self.last_jobs();
        self.comes_to_rest();
        self.server.ledger.at_last();
        let waits = self
            .peers
            .iter()
            .position(|peer| peer.asks.values().any(|(up, _)| matches!(up, Up::Enqueue { .. })));
        if let Some(at) = waits.filter(|_| self.fits_everything()) {
            self.server.ledger.breaks(Invariant::J6, || format!("peer {at} is not answered"));
        }
    }

    /// Nothing is wrong, and nobody does anything: who holds a job that is no longer theirs is told so over
    /// the connection that told them of it, and schedules come.
    fn calm(&mut self) {
        for at in 0..PEERS {
            self.peers[at].stalled = None;
            self.connect(at);
        }
        self.wait(2_500);
        let doubted = self.not_held();
        self.wait(2_500);
        let still = self.not_held().into_iter().find(|it| doubted.contains(it));
        if let Some((at, job)) = still {
            self.server.ledger.breaks(Invariant::J3, || {
                format!("worker {at} works on at {job}, and was not told that it is lost")
            });
        }
        if self.fits_everything() {
            self.server.ledger.has_come(self.wall());
        }
        for n in 0..SCHEDULES {
            self.server.govern(Govern::Timed(n, Change::Pause));
        }
    }

    /// Jobs that somebody works at without having them.
    fn not_held(&self) -> Vec<(usize, JobId)> {
        let mut not_held = Vec::new();
        for (at, peer) in self.peers.iter().enumerate().filter(|(_, peer)| peer.wire.is_some()) {
            let Some(client) = &peer.client else { continue };
            let unsaid = peer
                .held
                .iter()
                .filter(|(it, held)| held.end.is_none() && client.heard.contains(it));
            for ((job, _), held) in unsaid {
                let known = self.server.ledger.state.jobs.get(job);
                let hold = known.and_then(|known| known.stands.hold());
                if hold.is_none_or(|hold| hold.token != held.leased.token) {
                    not_held.push((at, *job));
                }
            }
        }
        not_held
    }

    fn comes_to_rest(&mut self) {
        let until = self.now.0 + LONG;
        while self.now.0 < until && self.server.ledger.broken.is_none() {
            self.wait(5_000);
            let disk = &self.server.store.disk;
            let mut jobs = disk.jobs.values();
            let asks = self.peers.iter().any(|peer| !peer.asks.is_empty());
            if jobs.all(|row| row.job.place.ended() && row.told) && !asks {
                return;
            }
        }
    }

    /// A queue that holds few jobs may have refused some for good, as it was told to.
    fn fits_everything(&self) -> bool {
        self.server.store.disk.queues.iter().all(|row| row.settings.most > 1_000)
    }

    /// Where workers wait and nothing else happens, a job is done soon after it is due, also where
    /// nobody heard that it is.
    fn last_jobs(&mut self) {
        let mut last = Vec::new();
        for queue in 0..QUEUES {
            // The second time it is refused what it is offered with.
            let mut twice = self.asked(queue, 0);
            twice.new.delay = Millis(0);
            for _ in 0..2 {
                let (req, jobs, source) = (self.number(), vec![twice.clone()], Source::Ids);
                self.asks(WORKERS, req, Up::Enqueue { req, jobs, source });
                self.wait(2_000);
            }
            let mut asked = self.asked(queue, 0);
            asked.new.delay = Millis(500);
            (asked.new.group, asked.new.expires) = (None, None);
            last.push(asked.new.id);
            let (req, jobs, source) = (self.number(), vec![asked], Source::Ids);
            self.asks(WORKERS, req, Up::Enqueue { req, jobs, source });
            self.wait(100);
            self.server.deaf = 1;
            self.wait(4_000);
        }
        let left =
            last.into_iter().find(|id| self.server.store.disk.place(*id) != Some(Place::Done));
        if let Some(id) = left.filter(|_| self.fits_everything()) {
            self.server.ledger.breaks(Invariant::J6, || format!("{id} waits while workers do"));
        }
    }
}
