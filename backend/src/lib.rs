//! Holdfast's server as a library.

pub mod engine;
