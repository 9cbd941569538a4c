//! The frames of `holdfast-work.v1`: jobs for services that have them pushed, and for people at a
//! queue's board.
//!
//! They go over a connection of their own, in the form of [`holdfast.v1`](super): one line of JSON, an
//! object with one key, the frame's name. From a client a job's payload, a result, a failure or what a
//! deed says follows the line break; from a server all stands in the object.
//! See [`codec::work`](crate::codec::work) for reading and writing.

mod beside;
mod client;
mod server;

pub use super::{Away, Ping, Request};
pub use beside::*;
pub use client::*;
pub use server::*;

/// Names the wire. A server that does not serve it says so in a coded close.
pub const SUBPROTOCOL: &str = "holdfast-work.v1";

/// A subscription to a queue's jobs or to its board, as the server names it; counts up in a connection.
pub type Sub = u64;
