//! Frames of `holdfast-work.v1` to text and back.

use super::{Unreadable, split, to_json};
use crate::{
    frame::work::{Brings, Patience, SERVER_FRAMES, WorkClient, WorkServer},
    json,
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use std::collections::BTreeMap;

/// A client's frame with what followed it; empty where nothing did.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The head.
    pub frame: WorkClient,
    /// What stands beside a completion.
    pub brings: Brings,
    /// What stands beside a failure.
    pub patience: Patience,
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
    let (frame, mut brings, mut patience) =
        (json::read(head)?, Brings::default(), Patience::default());
    match frame {
        WorkClient::Complete(_) => brings = read_beside(head)?,
        WorkClient::Fail(_) => patience = read_beside(head)?,
        _ => {}
    }
    Ok(Incoming { frame, brings, patience, payload })
}

/// Writes a client's frame with the members of [`Brings`] or of [`Patience`] in it.
#[must_use]
pub fn write_client_beside(frame: &WorkClient, members: &impl Serialize) -> String {
    beside(to_json(frame), members)
}

/// Writes a server's frame.
#[must_use]
pub fn write_server(frame: &WorkServer) -> String {
    to_json(frame)
}

/// Writes a server's frame with the members of [`Brought`](crate::frame::work::Brought) or of
/// [`AtFault`](crate::frame::work::AtFault) in it.
#[must_use]
pub fn write_server_beside(frame: &WorkServer, members: &impl Serialize) -> String {
    beside(to_json(frame), members)
}

/// Reads what stands in a frame, of a client or of a server, beside the members of its own type.
///
/// # Errors
/// It is no frame, or something else stands in place of these members.
pub fn read_beside<T: DeserializeOwned + Default>(text: &str) -> Result<T, Unreadable> {
    let frame: BTreeMap<String, T> = json::read(text)?;
    Ok(frame.into_values().next().unwrap_or_default())
}

/// Adds members to the object in a frame; it has some.
fn beside(mut frame: String, members: &impl Serialize) -> String {
    const EMPTY: &str = "{}";
    const ENDS: &str = "}}";
    let members = to_json(members);
    if members != EMPTY && frame.ends_with(ENDS) {
        frame.truncate(frame.len() - ENDS.len());
        frame.push(',');
        frame.push_str(&members[1..]);
        frame.push('}');
    }
    frame
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
