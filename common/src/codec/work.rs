//! Frames of `holdfast-work.v1` to text and back.

use super::{Unreadable, split, to_json};
use crate::{
    frame::work::{SERVER_FRAMES, WorkClient, WorkServer},
    json,
};
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// A client's frame with what followed it; empty where nothing did.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The head.
    pub frame: WorkClient,
    /// What followed the first line break, unread.
    pub payload: &'a [u8],
}

/// Writes a client's frame behind which nothing follows.
#[must_use]
pub fn write_client(frame: &WorkClient) -> String {
    to_json(frame)
}

/// Writes a client's frame with the exact bytes of what follows it.
#[must_use]
pub fn write_client_with(frame: &WorkClient, payload: &str) -> String {
    let mut text = to_json(frame);
    text.reserve_exact(1 + payload.len());
    text.push('\n');
    text.push_str(payload);
    text
}

/// Reads a client's frame.
///
/// # Errors
/// The head is no frame. What follows it is not looked at.
pub fn read_client(bytes: &[u8]) -> Result<Incoming<'_>, Unreadable> {
    let (head, payload) = split(bytes)?;
    Ok(Incoming { frame: json::read(head)?, payload })
}

/// Writes a server's frame.
#[must_use]
pub fn write_server(frame: &WorkServer) -> String {
    to_json(frame)
}

/// Reads a server's frame. `None` for one whose name this version does not know.
///
/// # Errors
/// It is no frame.
pub fn read_server(text: &str) -> Result<Option<WorkServer>, Unreadable> {
    let fault = match json::read(text) {
        Ok(frame) => return Ok(Some(frame)),
        Err(fault) => fault,
    };
    // Only on the way out of a failure, so that a known frame is read once.
    let members: BTreeMap<String, IgnoredAny> = json::read(text)?;
    match members.keys().next() {
        Some(name) if members.len() == 1 && !SERVER_FRAMES.contains(&name.as_str()) => Ok(None),
        _ => Err(fault.into()),
    }
}
