//! Holdfast's typed events, wire protocol and state machines, without IO.
//!
//! There is no async, no clock, no randomness, no socket and no storage in this crate. Time,
//! chance and what the disk said come in as inputs, so the same code runs in the browser, on the
//! server and in a simulator.

pub mod backoff;
pub mod chat;
pub mod client;
pub mod codec;
pub mod consumer;
pub mod cursor;
pub mod dispatch;
pub mod error;
pub mod event;
pub mod fanout;
pub mod few;
pub mod frame;
pub mod id;
pub mod job;
pub mod json;
pub mod limits;
pub mod planted;
#[cfg(feature = "proof")]
pub mod proof;
pub mod session;
pub mod sorted;
pub mod storage;
pub mod system;
pub mod tabs;
pub mod text;
pub mod time;
pub mod work;
