//! What time brings: the store is tended to when something is due, and at least every second.

use super::desk::Desk;
use futures_util::FutureExt;
use holdfast_common::{
    storage::Fault,
    time::{Instant, Millis},
};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
};

/// The longest that nobody looks. The store's clock takes a longer pause for one in which nothing
/// could be done.
pub(super) const LONGEST: Millis = Millis(1_000);

/// The shortest pause, so that what is due at many moments is done in few commits.
const SHORTEST: Millis = Millis(10);

pub(super) async fn tend(weak: Weak<Desk>) {
    while let Some(desk) = weak.upgrade() {
        // What is said to be due meanwhile counts.
        desk.doze(LONGEST);
        let tended = AssertUnwindSafe(desk.engine.tend()).catch_unwind().await;
        let lost = |_| Err(Fault::Unknown("tending panicked".to_owned()));
        let pause = match desk.heard(tended.unwrap_or_else(lost)) {
            Ok((tended, moves)) => {
                desk.moved(&moves);
                if tended.more { Millis(0) } else { tended.next.unwrap_or(LONGEST).min(LONGEST) }
            }
            Err(fault) => {
                tracing::warn!(%fault, "queues could not be tended to");
                LONGEST
            }
        };
        desk.rest(pause);
        let earliest = desk.now() + SHORTEST;
        let sooner = Arc::clone(&desk.sooner);
        drop(desk);
        // Whoever has something that is due earlier says so, and the desk is held by nobody meanwhile.
        while let Some(until) = weak.upgrade().map(|desk| desk.until(earliest)) {
            tokio::select! {
                () = tokio::time::sleep_until(until) => break,
                () = sooner.notified() => {}
            }
        }
    }
}

impl Desk {
    /// Nothing is known to be due before this pause is over.
    pub(super) fn doze(&self, pause: Millis) {
        self.state().due = self.now() + pause;
    }

    /// As after [`doze`](Self::doze), but for what those who wait have to be told, and what was found to
    /// be due.
    pub(super) fn rest(self: &Arc<Self>, pause: Millis) {
        let now = self.now();
        let mut state = self.state();
        let errands = state.line.time(now);
        let wake = state.line.wake();
        let due = wake.map_or(now + pause, |wake| wake.min(now + pause));
        state.due = state.due.min(due);
        drop(state);
        self.run(errands);
    }

    /// When something is due, not before this.
    pub(super) fn until(&self, earliest: Instant) -> tokio::time::Instant {
        let due = self.state().due;
        self.at(due.max(earliest))
    }
}
