//! Many runs of chance: whatever happens on the way, the promise holds.

use crate::{
    cores::on_every_core,
    counts::Counts,
    expected::EXPECTED,
    faults::PLANTABLE,
    run::{Manner, report, run},
};
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of a run in CI.
const SEEDS: u64 = 1_000;

/// A fault to be planted for once, by its name.
fn manner() -> Manner {
    let name = std::env::var("HOLDFAST_SIM_PLANTED").unwrap_or_default();
    let planted = PLANTABLE.iter().copied().find(|it| format!("{it:?}") == name);
    assert!(planted.is_some() || name.is_empty(), "there is no fault {name:?}");
    Manner { planted, ..Manner::default() }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs seeds on every core; returns what has happened in all of them, or the lowest that fails.
fn many(seeds: std::ops::Range<u64>, manner: Manner) -> Result<Counts, String> {
    let failed = AtomicU64::new(u64::MAX);
    let one = |seed| {
        if seed > failed.load(Ordering::Relaxed) {
            return Counts::default(); // Of no interest any more.
        }
        let outcome = run(seed, manner);
        if outcome.broken.is_some() {
            failed.fetch_min(seed, Ordering::Relaxed);
        }
        outcome.counts
    };
    let all = on_every_core(seeds, one);
    let seed = failed.into_inner();
    if let Some(broken) = (seed < u64::MAX).then(|| run(seed, manner).broken).flatten() {
        return Err(report(seed, manner, &broken));
    }
    let mut counts = Counts::default();
    all.iter().for_each(|some| counts.merge(some));
    Ok(counts)
}

#[test]
fn whatever_happens_on_the_way_the_promise_holds() {
    let seeds = match setting("HOLDFAST_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..setting("HOLDFAST_SIM_SEEDS").unwrap_or(SEEDS),
    };
    let all = seeds.end - seeds.start >= SEEDS;
    let counts = many(seeds, manner()).unwrap_or_else(|report| panic!("{report}"));
    for line in counts.lines() {
        println!("{line}");
    }
    let missing = counts.missing(EXPECTED);
    assert!(!all || missing.is_empty(), "never happened: {missing:?}");
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let manner = Manner { traced: true, ..Manner::default() };
    for seed in [7, 8] {
        let (first, second) = (run(seed, manner), run(seed, manner));
        assert!(first.trace.len() > 10_000, "something happens in it");
        assert!(first.trace == second.trace && first.counts == second.counts, "seed {seed}");
    }
}
