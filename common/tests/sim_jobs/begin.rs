//! How a run begins.

use crate::sim::Sim;

/// What plays a seed again, and where its trace is kept.
pub const AGAIN: &str = "cargo xtask sim --jobs";
pub const FOLDER: &str = "sim_jobs";

pub fn begin(_: u64) -> Sim {
    Sim::new()
}

impl Sim {
    /// What comes before the first move.
    pub const fn opens(&self) {}
}
