//! Clients and a server on a model disk and model wires: what nobody may lose, told as stories and
//! looked for in many runs of chance.

mod acts;
#[path = "../shared/cores.rs"]
mod cores;
mod counts;
mod disk;
mod engine;
mod heal;
mod ledger;
mod node;
mod plan;
mod planted;
mod profile;
mod registers;
mod requests;
mod run;
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
