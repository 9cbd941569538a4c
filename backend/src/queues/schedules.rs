//! Schedules that come: a task looks at the wall clock, and fires those whose time it is.
//!
//! Nothing is kept here between two looks, so that a fault, a jump of the clock or a restart has the next
//! look do what this one did not. The store sees to it that an occurrence is fired once.

use super::{
    cron::{self, BadSchedule},
    desk::Desk,
};
use crate::app::Shared;
use futures_util::{FutureExt, StreamExt, stream};
use holdfast_common::{
    error::Code,
    job,
    storage::{
        Fault,
        jobs::By,
        schedules::{Due, Fire, Fired, Schedule},
    },
    time::{Millis, Timestamp},
};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::Duration,
};

/// The longest that nobody looks: the wall clock may be set meanwhile.
const LONGEST: Millis = Millis(1_000);

/// The shortest pause.
const SHORTEST: Millis = Millis(10);

/// Schedules that are fired at once, so that those of one minute share their commits.
const AT_ONCE: usize = 64;

/// Starts looking. It ends when the server drains, or its parts are dropped.
pub(crate) fn start(shared: &Arc<Shared>) {
    tokio::spawn(watch(Arc::downgrade(shared)));
}

async fn watch(weak: Weak<Shared>) {
    while let Some(shared) = weak.upgrade().filter(|shared| !shared.is_draining()) {
        let looked = AssertUnwindSafe(look(&shared)).catch_unwind().await;
        let lost = |_| Err(Fault::Failed("looking at schedules panicked".to_owned()));
        let pause = looked.unwrap_or_else(lost).unwrap_or_else(|fault| {
            tracing::warn!(%fault, "schedules could not be looked at");
            LONGEST
        });
        drop(shared);
        tokio::time::sleep(Duration::from_millis(pause.0)).await;
    }
}

/// Fires what is due; returns after how long to look again.
async fn look(shared: &Shared) -> Result<Millis, Fault> {
    let Due { now, schedules, next } = shared.engine.due().await?;
    let due = schedules.into_iter().filter(|schedule| may_fire(shared, schedule).is_ok());
    let fired = stream::iter(due).for_each_concurrent(AT_ONCE, |schedule| async move {
        let name = format!("{}/{}", schedule.ns, schedule.name);
        match fire(shared, schedule, now).await {
            Ok(Fired::Job(_) | Fired::Moved) => {}
            Ok(Fired::QueueFull) => tracing::debug!(name, "a schedule's queue has no room"),
            Err(fault) => tracing::warn!(%fault, name, "a schedule could not be fired"),
        }
    });
    fired.await;
    let wall = shared.engine.wall();
    let pause = next.map_or(LONGEST, |next| Millis(next.0.saturating_sub(wall.0)));
    Ok(pause.clamp(SHORTEST, LONGEST))
}

async fn fire(shared: &Shared, schedule: Schedule, now: Timestamp) -> Result<Fired, Fault> {
    // What was missed is made up for once, however often it was.
    let then = next_of(&schedule.cron, now).await?;
    let then = then.map_err(|never| never.to_string());
    let by = By { person: shared.author.id, name: shared.author.name.clone() };
    shared.queues.desk.fire(Fire { schedule, then, by }).await
}

/// Whether a schedule's jobs are still of a kind that this build knows. One that is not waits for a build
/// that does: then it is made up for.
pub(crate) fn may_fire(shared: &Shared, schedule: &Schedule) -> Result<(), &'static str> {
    let queue = shared.queues.queue(&schedule.ns, &schedule.queue).map_err(job::Code::name)?;
    queue.kind(&schedule.kind).map(drop).map_err(Code::name)
}

/// When an expression comes next. It is read apart, since that takes a while for what comes seldom. That
/// it was not read, as when the runtime ends, says nothing about the expression.
pub(crate) async fn next_of(
    cron: &str,
    after: Timestamp,
) -> Result<Result<Timestamp, BadSchedule>, Fault> {
    let cron = cron.to_owned();
    let next = tokio::task::spawn_blocking(move || cron::next(&cron, after)).await;
    next.map_err(|lost| Fault::Failed(format!("a schedule was not read: {lost}")))
}

impl Desk {
    /// Enqueues the job of an occurrence; who waits for it is told.
    async fn fire(self: &Arc<Self>, fire: Fire) -> Result<Fired, Fault> {
        let _turn = self.turn().await;
        let engine = Arc::clone(&self.engine);
        let (fired, moves) = self.ask(Box::pin(async move { engine.fire(fire).await })).await?;
        self.moved(&moves);
        Ok(fired)
    }
}
