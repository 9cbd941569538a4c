//! Calls of a connection that go side by side and yet begin one after the other.

use std::convert::Infallible;
use tokio::sync::oneshot;

/// The order in which a connection's calls came.
#[derive(Default)]
pub(super) struct Sequence(Option<oneshot::Receiver<Infallible>>);

impl Sequence {
    /// The next one's step, behind all that were given before.
    pub(super) fn step(&mut self) -> Step {
        let (mine, next) = oneshot::channel();
        Step { before: self.0.replace(next), _mine: mine }
    }
}

/// One call's step in it: whoever is behind waits until it is dropped.
pub(super) struct Step {
    before: Option<oneshot::Receiver<Infallible>>,
    _mine: oneshot::Sender<Infallible>,
}

impl Step {
    /// Waits until nobody is before.
    pub(super) async fn first(&mut self) {
        if let Some(before) = &mut self.before {
            // It ends in the one way that a sender has to end which never sends.
            let _ = before.await;
            self.before = None;
        }
    }
}
