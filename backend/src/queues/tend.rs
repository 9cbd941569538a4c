//! What time brings: the store is tended to when something is due, and at least every second.

use super::desk::Desk;
use holdfast_common::time::{Instant, Millis};
use std::sync::{Arc, Weak};

/// The longest that nobody looks. The store's clock takes a longer pause for one in which nothing
/// could be done.
const LONGEST: Millis = Millis(1_000);

/// The shortest pause, so that what is due at many moments is done in few commits.
const SHORTEST: Millis = Millis(10);

pub(super) async fn tend(weak: Weak<Desk>) {
    while let Some(desk) = weak.upgrade() {
        let pause = match desk.engine.tend().await {
            Ok((tended, moves)) => {
                desk.told(&moves);
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
    /// Nothing is due before this pause is over, but for what those who wait have to be told.
    fn rest(self: &Arc<Self>, pause: Millis) {
        let now = self.now();
        let mut state = self.state();
        let errands = state.line.time(now);
        let wake = state.line.wake();
        state.due = wake.map_or(now + pause, |wake| wake.min(now + pause));
        drop(state);
        self.run(errands);
    }

    /// When something is due, not before this.
    fn until(&self, earliest: Instant) -> tokio::time::Instant {
        let due = self.state().due;
        self.at(due.max(earliest))
    }
}
