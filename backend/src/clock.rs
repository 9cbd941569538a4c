//! Time and chance: the only place of the server that asks for either.

use crate::{
    engine::Clocks,
    failpoint::{Planted, planted},
};
use holdfast_common::{
    id::{ConnectionId, EventId, JobId, RoomId, ScheduleId, WebhookId},
    storage::Fault,
    time::{Instant, Timestamp},
};
use std::time::{SystemTime, UNIX_EPOCH};

/// The steady clock of this process, counted from its start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: tokio::time::Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { start: tokio::time::Instant::now() }
    }

    pub(crate) fn now(self) -> Instant {
        let passed = self.start.elapsed().as_millis();
        Instant(u64::try_from(passed).unwrap_or(u64::MAX))
    }

    /// The runtime's name for a point on this clock.
    pub(crate) fn at(self, instant: Instant) -> tokio::time::Instant {
        self.start + std::time::Duration::from_millis(instant.0)
    }
}

/// The system's clocks as an engine asks for them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SystemClocks;

impl Clocks for SystemClocks {
    fn steady(&self) -> Instant {
        if planted(Planted::StoreGoesByWall) { Instant(wall().0) } else { steady() }
    }

    fn wall(&self) -> Timestamp {
        wall()
    }
}

/// Where the machine sleeps this one goes on: a job is not late by a night.
#[cfg(target_os = "linux")]
fn steady() -> Instant {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanos) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    Instant(seconds.saturating_mul(1_000).saturating_add(nanos / 1_000_000))
}

#[cfg(not(target_os = "linux"))]
fn steady() -> Instant {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    let passed = START.elapsed().as_millis();
    Instant(u64::try_from(passed).unwrap_or(u64::MAX))
}

/// The wall clock. A clock before 1970 counts as 1970.
pub(crate) fn wall() -> Timestamp {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    let millis = passed.map_or(0, |passed| passed.as_millis());
    Timestamp(u64::try_from(millis).unwrap_or(u64::MAX))
}

pub(crate) fn fresh_event() -> Result<EventId, Fault> {
    Ok(EventId::new(wall().0, &chance()?))
}

pub(crate) fn fresh_room() -> Result<RoomId, Fault> {
    Ok(RoomId::new(wall().0, &chance()?))
}

pub(crate) fn fresh_job() -> Result<JobId, Fault> {
    Ok(JobId::new(wall().0, &chance()?))
}

pub(crate) fn fresh_webhook() -> Result<WebhookId, Fault> {
    Ok(WebhookId::new(wall().0, &chance()?))
}

pub(crate) fn fresh_schedule() -> Result<ScheduleId, Fault> {
    Ok(ScheduleId::new(wall().0, &chance()?))
}

pub(crate) fn fresh_connection() -> Result<ConnectionId, Fault> {
    Ok(ConnectionId::new(wall().0, &chance()?))
}

fn chance() -> Result<[u8; 10], Fault> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes)
        .map_err(|error| Fault::Failed(format!("no randomness: {error}")))?;
    Ok(bytes)
}
