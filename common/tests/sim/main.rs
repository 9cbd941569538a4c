//! Clients and a server on a model disk and model wires: what nobody may lose, told as stories.

mod disk;
mod node;
mod registers;
mod requests;
mod seeds;
mod slow;
mod stories;
mod unsure;
mod world;
