//! A turn to say a long hello. They are few, so whoever has one has to make use of it.

use super::wire::Ended;
use crate::limits::{LONG_HELLO_PAUSE, LONG_HELLO_RATE};
use axum::extract::ws::Message;
use holdfast_common::error::Code;
use std::time::Duration;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Instant, timeout_at},
};

/// Lasts until it is dropped.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
    until: Instant,
}

impl Turn {
    pub(super) fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, until: Instant::now() + LONG_HELLO_PAUSE }
    }

    /// A frame of so many bytes is here. It earns the time that it may have taken, so that frames of
    /// nothing earn none.
    pub(super) fn heard(&mut self, bytes: usize) {
        let earned = Duration::from_secs_f64(bytes as f64 / LONG_HELLO_RATE as f64);
        self.until = (self.until + earned).min(Instant::now() + LONG_HELLO_PAUSE);
    }

    /// When the hello's next frame has to be here.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// The next message of who has to go on with a hello. What is here counts as in time, however long
    /// it has waited to be taken.
    pub(super) async fn in_time(
        until: Option<Instant>,
        next: impl Future<Output = Result<Message, Ended>>,
    ) -> Result<Message, Ended> {
        match until {
            None => next.await,
            Some(until) => {
                timeout_at(until, next).await.unwrap_or(Err(Ended::By(Code::HelloTimeout)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::pending;
    use std::sync::Arc;
    use tokio::{sync::Semaphore, time::advance};

    /// How long it would still wait.
    async fn left(turn: &Turn) -> Duration {
        let begun = Instant::now();
        let ended = Turn::in_time(Some(turn.until()), pending()).await;
        assert_eq!(ended.err(), Some(Ended::By(Code::HelloTimeout)));
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_lasts_as_long_as_its_hello_comes_at_its_rate() {
        let turns = Arc::new(Semaphore::new(1));
        let mut turn = Turn::new(turns.acquire_owned().await.unwrap());
        let second = Duration::from_secs(1);
        for _ in 0..100 {
            advance(second).await;
            turn.heard(LONG_HELLO_RATE);
        }
        assert_eq!(turn.until(), Instant::now() + LONG_HELLO_PAUSE);
        advance(second).await;
        turn.heard(100 * LONG_HELLO_RATE);
        assert_eq!(turn.until(), Instant::now() + LONG_HELLO_PAUSE, "nothing is saved up");
        for _ in 0..LONG_HELLO_PAUSE.as_secs() - 1 {
            advance(second).await;
            turn.heard(1);
        }
        let earned = Duration::from_millis(10);
        assert!(left(&turn).await <= second + earned, "frames of nothing earn nothing");
    }
}
