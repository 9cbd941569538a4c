//! Queues on a model store and model wires: each job done by one, looked for in many runs of chance.

mod acts;
#[path = "../shared/cores.rs"]
mod cores;
// What it expects is of rooms.
#[allow(dead_code)]
#[path = "../sim/counts.rs"]
mod counts;
mod deed;
mod disk;
mod expected;
mod heal;
mod ledger;
mod peer;
mod plan;
mod planted;
mod run;
mod seeds;
mod server;
#[path = "../shared/shrink.rs"]
mod shrink;
mod sim;
mod store;
mod tx;
