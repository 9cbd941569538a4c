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

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    /// Whether nobody is before.
    fn is_first(step: &mut Step) -> bool {
        step.first().now_or_never().is_some()
    }

    #[test]
    fn a_step_is_the_first_once_all_before_it_are_gone_whichever_go_first() {
        let mut sequence = Sequence::default();
        let [mut one, mut two, mut three] = [(); 3].map(|()| sequence.step());
        assert!(is_first(&mut one) && !is_first(&mut two) && !is_first(&mut three));
        drop(one);
        assert!(!is_first(&mut three) && is_first(&mut two) && is_first(&mut two));
        drop(two);
        assert!(is_first(&mut three));
        drop(three);
        assert!(is_first(&mut sequence.step()));
    }
}
