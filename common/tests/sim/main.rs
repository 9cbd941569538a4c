//! Clients and a server on a model disk and model wires: what nobody may lose, told as stories and
//! looked for in many runs of chance.

mod acts;
mod begin;
#[path = "../shared/cores.rs"]
mod cores;
#[path = "../shared/counts.rs"]
mod counts;
mod disk;
mod engine;
mod expected;
mod faults;
mod heal;
mod ledger;
mod node;
mod plan;
#[path = "../shared/planted.rs"]
mod planted;
mod profile;
mod registers;
mod requests;
#[path = "../shared/run.rs"]
mod run;
#[path = "../shared/seeds.rs"]
mod seeds;
mod server;
#[path = "../shared/shrink.rs"]
mod shrink;
mod sim;
mod slow;
mod stories;
mod tab;
mod unsure;
mod world;
