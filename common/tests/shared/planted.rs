//! The checkers are checked: each fault of a list, planted in the code, has to be seen, and as a
//! breach of the line of the promise that it breaks.

use crate::{
    cores::on_every_core,
    faults::{FAULTS, PLANTABLE},
    ledger::Invariant,
    run::{Manner, run},
};
use holdfast_common::planted::Planted;

/// Seeds within which a fault has to be seen: those of CI.
const SEEDS: u64 = 1_000;
/// Seeds over which every fault runs unseen, beside the one at which it is seen.
const BLIND: u64 = 10;

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
    let missed: Vec<String> = on_every_core(FAULTS.iter(), |(fault, breaks)| prove(*fault, breaks))
        .into_iter()
        .flatten()
        .collect();
    assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_fault_that_can_be_planted_is_in_the_list() {
    for fault in PLANTABLE {
        assert!(FAULTS.iter().any(|(listed, _)| listed == fault), "{fault:?}");
    }
}
