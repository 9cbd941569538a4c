//! Frames to text and back. The only place that knows the wire is JSON.

pub mod work;

use crate::{
    frame::{ClientFrame, Entries, Entry, SERVER_FRAMES, ServerFrame},
    id::{Epoch, RoomId},
    json,
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, IgnoredAny, MapAccess, Visitor},
};
use std::fmt;

/// Why a frame could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// Bytes that are not UTF-8.
    #[error("the frame's head is not UTF-8")]
    Utf8,
    /// Not JSON, or not a frame.
    #[error("the frame could not be read: {0}")]
    Json(#[from] serde_json::Error),
}

/// A client's frame with the payload that followed it; empty where none did.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The head.
    pub frame: ClientFrame,
    /// What followed the first line break, unread.
    pub payload: &'a [u8],
}

fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("frames have string keys only, so they serialize")
}

/// Writes a client's frame that carries no payload.
#[must_use]
pub fn write_client(frame: &ClientFrame) -> String {
    to_json(frame)
}

/// Writes a client's frame with the exact bytes of its payload.
#[must_use]
pub fn write_client_with(frame: &ClientFrame, payload: &str) -> String {
    let mut text = to_json(frame);
    text.reserve_exact(1 + payload.len());
    text.push('\n');
    text.push_str(payload);
    text
}

/// Reads a client's frame.
///
/// # Errors
/// The head is no frame. The payload is not looked at.
pub fn read_client(bytes: &[u8]) -> Result<Incoming<'_>, Unreadable> {
    let (head, payload) = split(bytes)?;
    Ok(Incoming { frame: json::read(head)?, payload })
}

/// A client's frame up to its first line break, and what follows that.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), Unreadable> {
    let end = bytes.iter().position(|&byte| byte == b'\n');
    let (head, payload) = match end {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (bytes, &bytes[bytes.len()..]),
    };
    let head = std::str::from_utf8(head).map_err(|_| Unreadable::Utf8)?;
    Ok((head, payload))
}

/// Writes a server's frame.
#[must_use]
pub fn write_server(frame: &ServerFrame) -> String {
    to_json(frame)
}

/// Reads a server's frame. `None` for one whose name this version does not know: a newer server may
/// say more than an older page can use.
///
/// # Errors
/// It is no frame.
pub fn read_server(text: &str) -> Result<Option<ServerFrame>, Unreadable> {
    let fault = match json::read(text) {
        Ok(frame) => return Ok(Some(frame)),
        Err(fault) => fault,
    };
    // Only on the way out of a failure, so that a known frame is read once.
    let Named { known } = json::read(text)?;
    if known { Err(fault.into()) } else { Ok(None) }
}

/// An object of one member, of which only the name was read: whether it is a frame's.
struct Named {
    known: bool,
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneMember;
        impl<'de> Visitor<'de> for OneMember {
            type Value = Named;

            fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
                text.write_str("an object of one member")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named, A::Error> {
                let name: Option<String> = map.next_key()?;
                let name = name.ok_or_else(|| de::Error::invalid_length(0, &self))?;
                map.next_value::<IgnoredAny>()?;
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(de::Error::invalid_length(2, &self));
                }
                Ok(Named { known: SERVER_FRAMES.contains(&name.as_str()) })
            }
        }
        deserializer.deserialize_map(OneMember)
    }
}

/// One entry as it stands inside an entries frame and in HTTP's answers. Encoded once; what is
/// made of it by [`entries_frame`] is shared by every connection of the room.
#[must_use]
pub fn write_entry(entry: &Entry) -> String {
    to_json(entry)
}

/// An entries frame made of entries that are encoded already.
#[must_use]
pub fn entries_frame<'a>(
    room: RoomId,
    epoch: Epoch,
    entries: impl IntoIterator<Item = &'a str>,
) -> String {
    let empty = Entries { room, epoch, entries: Vec::new() };
    let mut text = to_json(&ServerFrame::Entries(empty));
    let tail = text.split_off(text.len() - "]}}".len());
    for (i, entry) in entries.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        text.push_str(entry);
    }
    text.push_str(&tail);
    text
}
