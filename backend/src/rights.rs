//! Who may do what with queues. The one place that decides it: sign-in and rights come in here.

use holdfast_common::error::Code;

/// The namespace of the server's own queues. What is enqueued there is done in the server's name, so
/// nobody else enqueues there, and nobody but the server takes jobs from there.
pub(crate) const SYSTEM: &str = "holdfast";

/// What somebody wants to do with a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Enqueue,
    /// Take jobs, and say what became of them.
    Consume,
    /// Decide about dead letters, pause, set.
    Govern,
    Read,
}

/// Whether it may be done with a queue of this namespace. While there is no sign-in all may be done
/// by everybody who may ask at all.
pub(crate) fn may(right: Right, ns: &str) -> Result<(), Code> {
    match right {
        Right::Enqueue | Right::Consume if ns == SYSTEM => Err(Code::Forbidden),
        Right::Enqueue | Right::Consume | Right::Govern | Right::Read => Ok(()),
    }
}
