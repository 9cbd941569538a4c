//! How a run begins.

use crate::{plan::PROFILES, sim::Sim};
use holdfast_common::{backoff::Dice, limits::Limits, time::Millis};

/// What plays a seed again, and where its trace is kept.
pub const AGAIN: &str = "cargo xtask sim";
pub const FOLDER: &str = "sim";

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

pub fn begin(seed: u64) -> Sim {
    let (limits, bound) = limits(&mut Dice::new(!seed));
    Sim::new(PROFILES, |p| !(seed + p as u64).is_multiple_of(4), limits, bound)
}

impl Sim {
    /// What comes before the first move.
    pub fn opens(&mut self) {
        self.wait(1_000);
    }
}
