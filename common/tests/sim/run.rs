//! One run: a plan played from its beginning to its end, and the shortest part of it that still
//! fails.

use crate::{
    counts::Counts,
    ledger::{Invariant, Violation},
    plan::{Move, PROFILES, plan},
    shrink::shorter,
    sim::Sim,
};
use holdfast_common::{
    backoff::Dice,
    limits::Limits,
    planted::{self, Planted},
    time::Millis,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How a run is looked at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// A fault planted in the code.
    pub planted: Option<Planted>,
    /// Nothing is compared: the run goes to its end whatever happens.
    pub blind: bool,
    /// Everything that happens is written down.
    pub traced: bool,
}

pub struct Outcome {
    pub broken: Option<Violation>,
    pub counts: Counts,
    pub trace: String,
    /// It went to its end, without a panic.
    pub ended: bool,
}

/// What a server of this seed holds its clients to: small, so that every limit is met.
fn limits(dice: &mut Dice) -> (Limits, usize) {
    let limits = Limits {
        window: [2, 4, 64][dice.up_to(2) as usize],
        emits_per_second: [5, 200, 200][dice.up_to(2) as usize],
        replay_events: [3, 12, 10_000][dice.up_to(2) as usize],
        payload_bytes: 400,
        page: 5,
        replay_age: Millis(u64::MAX),
        ..Limits::default()
    };
    (limits, [4, 8, 64][dice.up_to(2) as usize])
}

/// Plays the whole plan of a seed.
pub fn run(seed: u64, manner: Manner) -> Outcome {
    play(seed, &plan(seed), manner)
}

/// Plays some moves in the world of a seed.
pub fn play(seed: u64, moves: &[Move], manner: Manner) -> Outcome {
    planted::plant(manner.planted);
    let (limits, bound) = limits(&mut Dice::new(!seed));
    let mut sim = Sim::new(PROFILES, |p| !(seed + p as u64).is_multiple_of(4), limits, bound);
    sim.server.ledger.watches = !manner.blind;
    sim.trace = manner.traced.then(String::new);
    sim.dice = Dice::new(seed);
    let played = catch_unwind(AssertUnwindSafe(|| {
        sim.wait(1_000);
        for next in moves {
            sim.play(*next);
            if sim.server.ledger.broken.is_some() {
                return;
            }
        }
        sim.heal();
    }));
    planted::plant(None);
    if played.is_err() {
        sim.server.ledger.breaks(Invariant::I11, || "something panicked".to_owned());
    }
    let ledger = sim.server.ledger;
    Outcome {
        broken: ledger.broken,
        counts: ledger.counts,
        trace: sim.trace.unwrap_or_default(),
        ended: played.is_ok(),
    }
}

/// The shortest list of moves found that breaks the same invariant, with as few steps as will do.
pub fn shrink(seed: u64, manner: Manner, invariant: Invariant) -> Vec<Move> {
    let fails = |moves: &[Move]| {
        play(seed, moves, manner).broken.is_some_and(|broken| broken.invariant == invariant)
    };
    let mut moves = shorter(plan(seed), fails);
    for at in 0..moves.len() {
        let mut fewer = moves.clone();
        while fewer[at].steps > 0 {
            fewer[at].steps /= 2;
            if !fails(&fewer) {
                break;
            }
            moves.clone_from(&fewer);
        }
    }
    moves
}

/// What a person needs who has to mend it: what broke, by which moves, and how to see it again.
pub fn report(seed: u64, manner: Manner, broken: &Violation) -> String {
    let moves = shrink(seed, manner, broken.invariant);
    let traced = play(seed, &moves, Manner { traced: true, ..manner });
    let what = traced.broken.as_ref().map_or(&broken.what, |broken| &broken.what);
    let kept = keep(seed, &traced.trace);
    let acts: Vec<String> =
        moves.iter().map(|it| format!("  {:?}, then {} steps", it.act, it.steps)).collect();
    let planted = manner.planted.map_or(String::new(), |it| format!(" --planted {it:?}"));
    format!(
        "seed {seed} breaks {:?}: {what}\n{} of its moves are enough:\n{}\n\
         what happens then stands in {}\nagain: cargo xtask sim --seed {seed}{planted}\n",
        broken.invariant,
        moves.len(),
        acts.join("\n"),
        kept,
    )
}

/// Puts a trace where it can be read, and says where.
fn keep(seed: u64, trace: &str) -> String {
    let folder = concat!(env!("CARGO_TARGET_TMPDIR"), "/sim");
    let path = format!("{folder}/seed-{seed}.trace");
    let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, trace));
    kept.map_or_else(|error| format!("no file: {error}"), |()| path)
}
