//! One run: a plan played from its beginning to its end, and the shortest part of it that still
//! fails.

use crate::{
    begin::{AGAIN, FOLDER, begin},
    counts::Counts,
    ledger::{Invariant, Violation},
    plan::{Move, plan},
    shrink::shorter,
};
use holdfast_common::{
    backoff::Dice,
    planted::{self, Planted},
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

/// Plays the whole plan of a seed.
pub fn run(seed: u64, manner: Manner) -> Outcome {
    play(seed, &plan(seed), manner)
}

/// Plays some moves in the world of a seed.
pub fn play(seed: u64, moves: &[Move], manner: Manner) -> Outcome {
    planted::plant(manner.planted);
    let mut sim = begin(seed);
    sim.server.ledger.watches = !manner.blind;
    sim.trace = manner.traced.then(String::new);
    sim.dice = Dice::new(seed);
    let played = catch_unwind(AssertUnwindSafe(|| {
        sim.opens();
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
         what happens then stands in {}\nagain: {AGAIN} --seed {seed}{planted}\n",
        broken.invariant,
        moves.len(),
        acts.join("\n"),
        kept,
    )
}

/// Puts a trace where it can be read, and says where.
fn keep(seed: u64, trace: &str) -> String {
    let folder = format!("{}/{FOLDER}", env!("CARGO_TARGET_TMPDIR"));
    let path = format!("{folder}/seed-{seed}.trace");
    let kept = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, trace));
    kept.map_or_else(|error| format!("no file: {error}"), |()| path)
}
