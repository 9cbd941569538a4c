//! The frames of `holdfast.v1`: what goes over a connection, each way.
//!
//! On the wire a frame is one line of JSON, an object with one key, the frame's name. Where a frame
//! carries an event's payload from a client, the payload follows the line break, and nothing but
//! the event's own type reads it: a payload that is no JSON at all costs its event alone.
//! See [`codec`](crate::codec) for reading and writing.

mod client;
mod entry;
mod server;
pub mod work;

pub use client::*;
pub use entry::*;
pub use server::*;

/// Names the wire. A server that does not serve it says so in a coded close.
pub const SUBPROTOCOL: &str = "holdfast.v1";

/// Joins what the client asks with what the server answers; counts up in a connection.
pub type Request = u64;
