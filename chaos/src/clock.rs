//! The clocks: one for the machines, one that the disk's journal goes by as well.

use holdfast_common::time::{Instant, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Nanoseconds of the system's steady clock, which is the same in every process: what the preloaded
/// disk notes can be compared with it.
pub(crate) fn nanos() -> u64 {
    let at = clock_gettime(ClockId::Monotonic);
    at.tv_sec.unsigned_abs() * 1_000_000_000 + at.tv_nsec.unsigned_abs()
}

/// The steady clock, as the machines want it.
pub(crate) fn steady() -> Instant {
    Instant(nanos() / 1_000_000)
}

/// The wall clock.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

pub(crate) const fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}
