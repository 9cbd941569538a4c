//! The server from outside: real sockets, both engines, no sleeps.

#![allow(unreachable_pub, missing_docs, reason = "a test has no outside")]
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod bad_input;
mod cli;
mod copies;
#[cfg(unix)]
mod documented;
mod drain;
mod exports;
mod faulty;
mod handle;
mod http;
mod inbox;
mod page;
mod program;
mod queues;
mod registers;
mod rig;
mod rooms;
mod schedules;
mod slow;
mod socket;
mod talker;
mod tally;
mod trouble;
mod webhooks;
mod work_socket;
mod workers;
