//! Faults of queues, and what each breaks.

use crate::{
    ledger::Invariant::{self, *},
    run::{Manner, run},
};
use holdfast_common::planted::Planted;

/// Every one that can be planted.
pub const PLANTABLE: &[Planted] = Planted::JOBS;

/// What each breaks. Which of several shows first depends on the seed.
pub const FAULTS: &[(Planted, &[Invariant])] = &[
    (Planted::TokenIgnored, &[J3]),
    (Planted::LateAccepted, &[J3]),
    (Planted::FenceReused, &[J3]),
    (Planted::LeaseBeforeCommit, &[J2]),
    (Planted::EventsBesideEnd, &[J4]),
    (Planted::EndTwice, &[J4]),
    (Planted::GroupRuns, &[J5]),
    (Planted::GroupNotFreed, &[J6]),
    (Planted::LapseForgotten, &[J6]),
    (Planted::AttemptNotCounted, &[J7]),
    (Planted::GapCounts, &[J8]),
    (Planted::GapTwice, &[J6]),
    (Planted::ToldBefore, &[J9]),
    (Planted::KeyForgotten, &[J10]),
    (Planted::LimitIgnored, &[J11]),
    (Planted::DispatchSleeps, &[J6]),
    (Planted::AskedKept, &[J6]),
    (Planted::CreditTwice, &[J11]),
    (Planted::LossUntold, &[J3]),
    (Planted::ToldHandedBack, &[J8]),
    (Planted::UntoldKept, &[J6]),
    (Planted::StateUncompared, &[J10]),
    (Planted::NextAfterJob, &[J10]),
    (Planted::MissedForgotten, &[J10]),
    (Planted::MadeBeforeCommit, &[J1]),
    (Planted::JobForgotten, &[J1]),
    (Planted::LapseDrops, &[J1]),
    (Planted::LeaseHalved, &[J8]),
];

/// In which words it is seen that a job is lost.
const LOST: [(Planted, &str); 3] = [
    (Planted::MadeBeforeCommit, "was answered and is not durable"),
    (Planted::JobForgotten, "is gone"),
    (Planted::LapseDrops, "is Cancelled and not Some(Waits)"),
];

#[test]
fn each_way_to_lose_a_job_is_seen_for_what_it_is() {
    for (fault, words) in LOST {
        let manner = Manner { planted: Some(fault), ..Manner::default() };
        let seen = (0..100).find_map(|seed| run(seed, manner).broken).unwrap();
        assert!(seen.what.ends_with(words), "{fault:?} is seen as {seen:?}");
    }
}

#[test]
fn for_each_line_of_the_promise_there_is_a_fault_that_breaks_it_alone() {
    for line in [J1, J2, J3, J4, J5, J6, J7, J8, J9, J10, J11] {
        assert!(FAULTS.iter().any(|(_, breaks)| *breaks == [line]), "{line:?}");
    }
}
