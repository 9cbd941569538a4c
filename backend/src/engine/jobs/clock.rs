//! The store's clock as an engine drives it.

use holdfast_common::{
    job::{
        StoreTime,
        clock::{Kept, Observed, StoreClock},
    },
    time::{Instant, Millis, Timestamp},
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long the clock may go on without being stored, while something is.
const STORED_EVERY: Millis = Millis(1_000);

/// Where an engine looks what time it is. A seam for tests.
pub trait Clocks: Send + Sync + 'static {
    /// The steady clock of the process. It goes on while the machine sleeps, where the system has
    /// such a clock.
    fn steady(&self) -> Instant;
    /// The wall clock.
    fn wall(&self) -> Timestamp;
}

/// The time at which a call is carried out.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Moment {
    pub(in crate::engine) now: StoreTime,
    /// What leases have not been given yet of that. A batch gives it before anything else, so this is
    /// for who only reads.
    pub(in crate::engine) gap: Option<Millis>,
    /// For people.
    pub(in crate::engine) wall: Timestamp,
    /// Rises with each call.
    pub(in crate::engine) version: u64,
}

/// The clock. It is looked at as a batch begins, and all calls of the batch go by that.
pub(in crate::engine) struct Ticks {
    clocks: Arc<dyn Clocks>,
    state: Mutex<State>,
}

struct State {
    clock: StoreClock,
    batch: Observed,
    wall: Timestamp,
    version: u64,
    /// What the clock said when it was last stored by this process.
    stored: Option<StoreTime>,
    /// Nobody could say whether the batch was committed.
    doubt: bool,
}

/// What a batch writes for the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::engine) struct Look {
    /// What all leases are given, before anything else.
    pub(in crate::engine) gap: Option<Millis>,
    /// What is kept of the clock, if anything is written.
    pub(in crate::engine) kept: Option<Kept>,
}

impl Ticks {
    /// The clock of a store that has kept this of it, if it is not new.
    pub(in crate::engine) fn new(clocks: Arc<dyn Clocks>, kept: Option<Kept>) -> Self {
        let (steady, wall) = (clocks.steady(), clocks.wall());
        let clock = match kept {
            Some(kept) => StoreClock::open(kept, wall, steady),
            None => StoreClock::new(steady),
        };
        let batch = clock.clone().observe(steady);
        let state = State { clock, batch, wall, version: 0, stored: None, doubt: false };
        Self { clocks, state: Mutex::new(state) }
    }

    /// A batch begins.
    pub(in crate::engine) fn look(&self) -> Look {
        let mut state = self.state();
        state.batch = state.clock.observe(self.clocks.steady());
        state.wall = self.clocks.wall();
        let now = state.batch.now;
        let stored = state.stored.is_some_and(|stored| now - stored < STORED_EVERY);
        // That the disk takes something again is known by this row.
        let due = state.batch.gap.is_some() || state.clock.fails() || !stored;
        Look { gap: state.batch.gap, kept: due.then(|| state.kept()) }
    }

    /// A batch that wrote this is committed.
    pub(in crate::engine) fn written(&self, look: Look) {
        let mut state = self.state();
        if let Some(gap) = look.gap {
            state.clock.given(gap);
            state.batch.gap = None;
        }
        if let Some(kept) = look.kept {
            state.stored = Some(kept.at);
            state.clock.wrote();
        }
    }

    /// A batch is not committed: until one is that writes, nobody can extend a lease.
    pub(in crate::engine) fn failed(&self) {
        self.state().clock.failed(self.clocks.steady());
    }

    /// The commit of the batch has failed, perhaps after it was done.
    pub(in crate::engine) fn doubt(&self) {
        self.state().doubt = true;
    }

    /// Whether what is kept has to be [read](Self::read) before the next look.
    pub(in crate::engine) fn doubts(&self) -> bool {
        self.state().doubt
    }

    /// This is what is kept.
    pub(in crate::engine) fn read(&self, kept: Option<Kept>) {
        let mut state = self.state();
        let batch = state.batch;
        if let Some(kept) = kept {
            state.clock.read(kept, batch);
        }
        state.doubt = false;
    }

    /// What the store is closed with: of the last look, unless its gap was not given.
    pub(in crate::engine) fn last(&self) -> Look {
        let state = self.state();
        let kept = state.batch.gap.is_none().then(|| state.kept());
        Look { gap: None, kept }
    }

    /// The time of a call of the batch.
    pub(in crate::engine) fn moment(&self) -> Moment {
        let mut state = self.state();
        state.version += 1;
        Moment { now: state.batch.now, gap: None, wall: state.wall, version: state.version }
    }

    /// What time it is, for who only reads. It is no look: readers may be at work while the
    /// disk stands still. They ask before their snapshot begins: a gap that is given meanwhile makes a
    /// lease look longer for a moment, and never over while it stands.
    pub(in crate::engine) fn peek(&self) -> Moment {
        let state = self.state();
        let Observed { now, gap } = state.clock.clone().observe(self.clocks.steady());
        Moment { now, gap, wall: self.clocks.wall(), version: state.version }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn kept(&self) -> Kept {
        Kept { at: self.batch.now, wall: self.wall }
    }
}

impl std::fmt::Debug for Ticks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticks").finish_non_exhaustive()
    }
}
