//! Who may do what with queues and webhooks. The one place that decides it: sign-in and rights come in here.

use holdfast_common::{error::Code, system::SYSTEM};

/// What somebody wants to do with a queue, with schedules, or with a room's webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Enqueue,
    /// Take jobs, and say what became of them.
    Consume,
    /// Decide about dead letters, pause, set.
    Govern,
    Read,
    /// Make, change and remove a room's webhooks, and see them.
    Hook,
    /// Make, change and remove schedules.
    Schedule,
}

/// Whether it may be done in this namespace. What is enqueued in the server's own is done in the
/// server's name, so nobody else enqueues there, and nobody but the server takes jobs from there. While there is no sign-in all may be done
/// by everybody who may ask at all.
pub(crate) fn may(right: Right, ns: &str) -> Result<(), Code> {
    #[cfg(test)]
    if denied::is(right) {
        return Err(Code::Forbidden);
    }
    match right {
        Right::Enqueue | Right::Consume | Right::Schedule if ns == SYSTEM => Err(Code::Forbidden),
        Right::Enqueue
        | Right::Consume
        | Right::Govern
        | Right::Read
        | Right::Hook
        | Right::Schedule => Ok(()),
    }
}

/// What a test takes from those who ask in it.
#[cfg(test)]
pub(crate) mod denied {
    use super::Right;

    tokio::task_local! {
        static NOW: Vec<Right>;
    }

    pub(crate) async fn during<T>(rights: &[Right], asks: impl Future<Output = T>) -> T {
        NOW.scope(rights.to_vec(), asks).await
    }

    pub(super) fn is(right: Right) -> bool {
        NOW.try_with(|rights| rights.contains(&right)).unwrap_or(false)
    }
}
