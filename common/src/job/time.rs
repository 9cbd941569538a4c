//! Time as the store counts it.

use crate::time::Millis;
use std::ops::{Add, Sub};

/// A point on the store's clock, in milliseconds. It never goes back, outlives restarts, and gives
/// leases the time in which the process stood still: see [`StoreClock`](super::clock::StoreClock). It is a type
/// of its own because a driver's [`Instant`](crate::time::Instant) begins anew with the process, and
/// a [`Timestamp`](crate::time::Timestamp) may jump.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StoreTime(pub u64);

impl Add<Millis> for StoreTime {
    type Output = Self;
    fn add(self, length: Millis) -> Self {
        Self(self.0.saturating_add(length.0))
    }
}

impl Sub for StoreTime {
    type Output = Millis;
    /// The time from `earlier` to `self`; zero if `earlier` is in fact later.
    fn sub(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}
