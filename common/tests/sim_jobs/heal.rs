//! Everything works again, and honest workers do what there is: what must be true then.

use crate::{
    deed::{Govern, Source},
    disk::QUEUES,
    ledger::Invariant,
    peer::{PEERS, WORKERS},
    server::Up,
    sim::Sim,
    store::Trouble,
};
use holdfast_common::{job::Place, time::Millis};

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
        for queue in 0..QUEUES {
            self.server.govern(Govern::Pause(queue, false));
        }
        self.honest = true;
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
