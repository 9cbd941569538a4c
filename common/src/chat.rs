//! The namespace `chat`: people talking in rooms.

use crate::{
    event::{Effect, Reach},
    id::EventId,
};
use serde::{Deserialize, Serialize};

/// The room that everyone is a member of.
pub const LOBBY: &str = "lobby";

/// A text said in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// 1 to [`text_chars`](crate::limits::Limits::text_chars) characters.
    pub text: String,
}

/// A new text for an earlier message. Only its author may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The message.
    pub target: EventId,
    /// As [`Message::text`].
    pub text: String,
}

/// Takes an earlier message back. Only its author may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delete {
    /// The message.
    pub target: EventId,
}

/// The first entry of every room's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomCreated {
    /// The wished name, 1 to [`name_chars`](crate::limits::Limits::name_chars) characters.
    pub name: String,
}

/// The room's name, which differs from the wished one where that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomNamed {
    /// Unique in the namespace.
    pub name: String,
}

/// Somebody is writing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typing {}

/// How far a person has read a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadMarker {
    /// The last offset read.
    pub offset: u64,
}

/// Why a text or a name is not taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum TextRefused {
    /// Nothing but white space.
    #[error("There is nothing in it.")]
    Empty,
    /// Longer than the limit.
    #[error("It is longer than {max} characters.")]
    TooLong {
        /// The limit.
        max: u32,
    },
    /// Control characters other than line breaks and tabs.
    #[error("It has control characters in it.")]
    ControlCharacters,
    /// Somebody else's message.
    #[error("Only the author may change a message.")]
    NotAuthor,
    /// Not a message, so it has no text to change.
    #[error("Only a message can be changed.")]
    NotMessage,
}

crate::namespace! {
    /// People talking in rooms.
    Chat = "chat";
    durable {
        /// A text said in a room.
        Message = "message", message -> (), TextRefused,
            counts: true, effect: |_| Effect::Adds;
        /// A new text for an earlier message.
        Edit = "edit", edit -> (), TextRefused,
            counts: false, effect: |edit| Effect::Replaces(edit.target);
        /// An earlier message taken back.
        Delete = "delete", delete -> (), TextRefused,
            counts: false, effect: |delete| Effect::Removes(delete.target);
        /// The room's beginning.
        RoomCreated = "room_created", room_created -> RoomNamed, TextRefused,
            counts: false, effect: |room| Effect::Creates(room.name.clone());
    }
    volatile {
        Typing = "typing";
    }
    latest {
        ReadMarker = "read", reach: Reach::Own, rank: |marker| marker.offset;
    }
}
