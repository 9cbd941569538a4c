//! Many runs of chance: whatever happens on the way, the promise holds.

use crate::{
    counts::{Counts, EXPECTED},
    run::{Manner, report, run},
};
use holdfast_common::planted::Planted;
use std::sync::atomic::{AtomicU64, Ordering};

/// Seeds of a run in CI.
const SEEDS: u64 = 1_000;

/// A fault to be planted for once, by its name.
fn manner() -> Manner {
    let name = std::env::var("HOLDFAST_SIM_PLANTED").unwrap_or_default();
    let planted = Planted::ALL.iter().copied().find(|it| format!("{it:?}") == name);
    assert!(planted.is_some() || name.is_empty(), "there is no fault {name:?}");
    Manner { planted, ..Manner::default() }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Runs seeds on every core; returns what has happened in all of them, or the lowest that fails.
fn many(seeds: std::ops::Range<u64>, manner: Manner) -> Result<Counts, String> {
    let next = AtomicU64::new(seeds.start);
    let worker = || {
        let (mut counts, mut failed) = (Counts::default(), None);
        while failed.is_none() {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                break;
            }
            let outcome = run(seed, manner);
            counts.merge(&outcome.counts);
            failed = outcome.broken.map(|broken| (seed, broken));
        }
        (counts, failed)
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let done: Vec<_> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().map(|it| it.join().expect("runs catch their panics")).collect()
    });
    let failed = done.iter().filter_map(|(_, failed)| failed.as_ref()).min_by_key(|it| it.0);
    if let Some((seed, broken)) = failed {
        return Err(report(*seed, manner, broken));
    }
    let mut counts = Counts::default();
    done.iter().for_each(|(some, _)| counts.merge(some));
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
