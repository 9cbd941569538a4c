//! Ways to die on purpose, for the tests that kill the server at the worst moment. Built with the
//! feature `failpoints` alone; without it each of these is nothing.
//!
//! `HOLDFAST_FAILPOINT` names one:
//! - `after_commit_before_ack:kill[:N]`: the process ends at once when the N-th append, or what
//!   somebody said about a job, is durable (the first where N is absent), before anybody hears of it;
//! - `drop_ack:N`: the N-th ack is swallowed.
//!
//! `HOLDFAST_PLANTED` names a fault of [`Planted`], which is then in all of the process: for the proof that
//! those who look at a server from outside would see it.
//!
//! Each failpoint says `failpoint fired: …` on stderr, so that a test can know and need not guess by time.

pub(crate) use holdfast_common::planted::Planted;

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::SeqCst},
    };

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(super) enum Point {
        AfterCommit,
        DropAck,
    }

    static ARMED: LazyLock<Option<(Point, u64)>> = LazyLock::new(|| {
        let named = std::env::var("HOLDFAST_FAILPOINT").ok()?;
        let armed = parse(&named);
        assert!(armed.is_some(), "no such failpoint: {named}");
        armed
    });
    static PASSED: AtomicU64 = AtomicU64::new(0);

    pub(super) fn parse(named: &str) -> Option<(Point, u64)> {
        let mut parts = named.split(':');
        let point = match parts.next()? {
            "after_commit_before_ack" if parts.next()? == "kill" => Point::AfterCommit,
            "drop_ack" => Point::DropAck,
            _ => return None,
        };
        let turn = parts.next().map_or(Some(1), |turn| turn.parse().ok())?;
        Some((point, turn))
    }

    /// Whether `point` fires now.
    pub(super) fn fires(point: Point) -> bool {
        match *ARMED {
            Some((armed, turn)) if armed == point => PASSED.fetch_add(1, SeqCst) + 1 == turn,
            _ => false,
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_failpoint_is_read_from_its_name() {
            let commit = |turn| Some((Point::AfterCommit, turn));
            assert_eq!(parse("after_commit_before_ack:kill"), commit(1));
            assert_eq!(parse("after_commit_before_ack:kill:7"), commit(7));
            assert_eq!(parse("drop_ack:2"), Some((Point::DropAck, 2)));
            for name in ["", "after_commit_before_ack", "drop_ack:x", "other:kill"] {
                assert_eq!(parse(name), None, "{name}");
            }
        }
    }
}

/// Between an append's commit and everything that tells of it.
#[cfg(feature = "failpoints")]
pub(crate) fn after_commit() {
    if armed::fires(armed::Point::AfterCommit) {
        eprintln!("failpoint fired: after_commit_before_ack:kill");
        std::process::abort();
    }
}

/// Whether this frame is an ack to be swallowed.
#[cfg(feature = "failpoints")]
pub(crate) fn swallows(frame: &str) -> bool {
    let swallowed = frame.starts_with("{\"ack\"") && armed::fires(armed::Point::DropAck);
    if swallowed {
        eprintln!("failpoint fired: drop_ack");
    }
    swallowed
}

#[cfg(feature = "failpoints")]
pub(crate) use holdfast_common::planted::planted;

/// Plants what the environment names.
#[cfg(feature = "failpoints")]
pub(crate) fn plant() {
    if let Ok(name) = std::env::var("HOLDFAST_PLANTED") {
        assert!(holdfast_common::planted::plant_everywhere(&name), "no such fault: {name}");
    }
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn plant() {}

#[cfg(not(feature = "failpoints"))]
pub(crate) const fn planted(_: Planted) -> bool {
    false
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn after_commit() {}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn swallows(_: &str) -> bool {
    false
}
