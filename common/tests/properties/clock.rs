//! A lease by the store's clock, through steps, gaps, failed commits, a disk that takes nothing, kills and
//! wall clocks that jump.

use crate::cases;
use holdfast_common::{
    job::{
        StoreTime,
        clock::{Kept, Observed, STEADY, StoreClock},
    },
    time::{Instant, Millis, Timestamp},
};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Deed {
    /// So much later a batch is committed, or fails, and the clock is kept with it, or not.
    Batch(u64, bool, bool),
    /// The wall clock jumps.
    Jump(i64),
    /// The process is killed, and the store opened again so much later.
    Kill(u64),
}

fn deed() -> impl Strategy<Value = Deed> {
    let step = prop_oneof![6 => 0..1_000_u64, 2 => 0..5_000_u64, 1 => 0..100_000_000_u64];
    prop_oneof![
        9 => (step.clone(), prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(step, commits, keeps)| Deed::Batch(step, commits, keeps)),
        1 => (-100_000_000..100_000_000_i64).prop_map(Deed::Jump),
        1 => step.prop_map(Deed::Kill),
    ]
}

/// The store, its clock, and a lease in it.
struct World {
    steady: Instant,
    wall: Timestamp,
    clock: StoreClock,
    kept: Kept,
    /// When the lease runs out.
    due: StoreTime,
    /// The newest time of a commit.
    now: StoreTime,
    /// What has gone by of the lease, gaps left out.
    counted: u64,
    /// What kills have made the clock forget.
    forgotten: u64,
    /// The last batch that wrote has failed.
    failing: bool,
}

impl World {
    fn later(&mut self, step: u64) {
        self.steady = self.steady + Millis(step);
        self.wall.0 += step;
    }

    fn batch(&mut self, commits: bool, keeps: bool) {
        let Observed { now, gap } = self.clock.observe(self.steady);
        if !commits {
            self.clock.failed(self.steady);
            self.failing = true;
            return;
        }
        self.now = now;
        if let Some(gap) = gap {
            self.due = self.due + gap;
            self.clock.given(gap);
        }
        if keeps || gap.is_some() {
            self.kept = Kept { at: now, wall: self.wall };
            self.clock.wrote();
            self.failing = false;
        }
    }

    fn kill(&mut self, step: u64) {
        self.forgotten += (self.now - self.kept.at).0;
        self.later(step);
        // A steady clock begins anew with the process.
        self.steady = Instant(step % 7);
        self.clock = StoreClock::open(self.kept, self.wall, self.steady);
        self.failing = false;
        self.batch(true, false);
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn no_lease_ends_before_its_length_has_been_counted_and_none_comes_back_by_a_gap(
        length in 100..30_000_u64,
        deeds in prop::collection::vec(deed(), 1..60),
    ) {
        let wall = Timestamp(1_760_000_000_000);
        let mut world = World {
            steady: Instant(0),
            wall,
            clock: StoreClock::new(Instant(0)),
            kept: Kept { at: StoreTime(0), wall },
            due: StoreTime(length),
            now: StoreTime(0),
            counted: 0,
            forgotten: 0,
            failing: false,
        };
        for deed in deeds {
            let (before, was_over) = (world.now, world.now >= world.due);
            let killed = matches!(deed, Deed::Kill(_));
            match deed {
                Deed::Batch(step, commits, keeps) => {
                    world.later(step);
                    world.counted += if world.failing { 0 } else { step.min(STEADY.0) };
                    world.batch(commits, keeps);
                    prop_assert!(world.now >= before, "the store's time went back");
                }
                Deed::Jump(jump) => world.wall.0 = world.wall.0.saturating_add_signed(jump),
                Deed::Kill(step) => world.kill(step),
            }
            let over = world.now >= world.due;
            prop_assert!(over || !was_over || killed, "a lease that had run out came back");
            prop_assert!(!over || world.counted >= length, "{} of {}", world.counted, length);
            let left = (world.due - world.now).0;
            prop_assert!(left <= length + world.forgotten, "{} of {}", left, length);
        }
    }
}
