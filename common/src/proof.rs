//! What proves the machines, and is in no program: models that the simulator and the chaos run drive
//! the real machines with.

mod database;

pub use database::Database;
