//! Hostile input: the real server process, raw sockets, and two people and a service beside them who
//! must not notice. Each class is a test; each shows that
//!
//! * the server is alive and nothing panicked or was logged as an error,
//! * its memory stays within what its limits allow,
//! * what the others wait for takes about as long as before,
//! * the sender alone pays, in the way that docs/protocol.md or the RFC says.
//!
//! `cargo test -p holdfast-backend --test hostile -- --nocapture` prints what was measured.

#![allow(unreachable_pub, missing_docs, reason = "a test has no outside")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod frames;
mod framing;
mod handshake;
mod hello;
mod honest;
mod http;
mod program;
mod queues;
mod raw;
mod siege;
mod tcp;
mod unread;
