//! Queues on a model store and model wires: each job done by one, looked for in many runs of chance.

mod acts;
mod begin;
mod brings;
mod client;
#[path = "../shared/cores.rs"]
mod cores;
#[path = "../shared/counts.rs"]
mod counts;
mod deed;
mod disk;
mod expected;
mod faults;
mod heal;
mod ledger;
mod peer;
mod plan;
#[path = "../shared/planted.rs"]
mod planted;
#[path = "../shared/run.rs"]
mod run;
#[path = "../shared/seeds.rs"]
mod seeds;
mod server;
#[path = "../shared/shrink.rs"]
mod shrink;
mod sim;
mod store;
mod timed;
mod tx;
