//! The checkers are checked: each fault of a list, planted in the code, has to be seen, and as a
//! breach of the line of the promise that it breaks.

use crate::{
    cores::on_every_core,
    ledger::Invariant::{self, *},
    run::{Manner, run},
};
use holdfast_common::planted::Planted;

/// Seeds within which a fault has to be seen: those of CI.
const SEEDS: u64 = 1_000;
/// Seeds over which every fault runs unseen, beside the one at which it is seen.
const BLIND: u64 = 10;

/// What each fault breaks. Which of several shows first depends on the seed.
const FAULTS: [(Planted, &[Invariant]); 25] = [
    (Planted::RowGoneAtSend, &[I6]),
    (Planted::SentBeforeNumbered, &[I6]),
    (Planted::FloorBeforeVerdict, &[I6]),
    (Planted::ChangedAfterSent, &[I6]),
    (Planted::AnyEntryIsNext, &[I4]),
    (Planted::ResumeOffByOne, &[I4]),
    (Planted::LiveBeforeReplay, &[I4]),
    (Planted::TrimUntold, &[I4, I5]),
    (Planted::CursorUnchecked, &[I3, I4, I5, I6]),
    (Planted::HeadIgnored, &[I4, I6]),
    (Planted::NoNote, &[I4, I5]),
    (Planted::LeadsWithoutLock, &[I6]),
    (Planted::FenceIgnored, &[I3, I4, I6]),
    (Planted::CursorBeforeEntries, &[I3, I4]),
    (Planted::AckBeforeCommit, &[I1]),
    (Planted::WatermarkForgotten, &[I2, I5]),
    (Planted::StandsTwice, &[I2]),
    (Planted::RejectionKeepsNumber, &[I2, I5, I6]),
    (Planted::GenerationReused, &[I6]),
    (Planted::CommitLost, &[I1, I2]),
    (Planted::OldGenerationWrites, &[I6]),
    (Planted::KeysIgnored, &[I3]),
    (Planted::EntryLosesPayload, &[I3]),
    (Planted::PageLosesItem, &[I4]),
    (Planted::TakesUnfenced, &[I4, I6]),
];

fn manner(fault: Planted) -> Manner {
    Manner { planted: Some(fault), ..Manner::default() }
}

/// The first seed at which a fault is seen, and what it breaks there.
fn seen(fault: Planted) -> Option<(u64, Invariant, String)> {
    let mut seeds = 0..SEEDS;
    seeds.find_map(|seed| {
        run(seed, manner(fault)).broken.map(|broken| (seed, broken.invariant, broken.what))
    })
}

/// Runs one fault over its seeds; returns what was amiss.
fn prove(fault: Planted, breaks: &[Invariant]) -> Option<String> {
    let seen = seen(fault);
    println!("{fault:?}: {seen:?}");
    let seeds = (0..BLIND).chain(seen.as_ref().map(|(seed, ..)| *seed));
    for seed in seeds {
        let outcome = run(seed, Manner { blind: true, ..manner(fault) });
        if outcome.broken.is_some() || !outcome.ended {
            return Some(format!("{fault:?} does not run to its end at seed {seed}"));
        }
        if run(seed, Manner::default()).broken.is_some() {
            return Some(format!("the clean code does not pass seed {seed}"));
        }
    }
    let named = seen.as_ref().is_some_and(|(_, invariant, _)| breaks.contains(invariant));
    (!named).then(|| format!("{fault:?} is seen as {seen:?}"))
}

#[test]
fn every_planted_fault_is_seen_and_named_and_runs_to_its_end_where_nobody_looks() {
    let missed: Vec<String> =
        on_every_core(FAULTS.into_iter(), |(fault, breaks)| prove(fault, breaks))
            .into_iter()
            .flatten()
            .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_fault_that_can_be_planted_is_in_the_list() {
    for fault in Planted::ALL {
        assert!(FAULTS.iter().any(|(listed, _)| listed == fault), "{fault:?}");
    }
}
