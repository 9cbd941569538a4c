//! What proves the machines, and is in no program: models that the simulator and the chaos run drive
//! the real machines with.

mod connection;
mod database;
mod desk;

pub use connection::{Watched, Wrong};
pub use database::Database;
pub use desk::{Desk, Fate, JOBS, QUEUES, job};
