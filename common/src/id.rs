//! 128-bit ids. Each kind has its own type, so that a room's id cannot stand where an event's is meant.
//!
//! An id is made outside this crate, from the caller's clock and randomness; see [`EventId::new`].

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::{Builder, Uuid};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected 32 hexadecimal digits, with or without hyphens")]
pub struct BadId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// All zeros. Stands for "nobody" where an id must be given.
            pub const NIL: Self = Self(Uuid::nil());

            /// A time-ordered id (UUID version 7, RFC 9562 section 5.7) from Unix milliseconds and
            /// ten random bytes. Both are the caller's: this crate has neither clock nor chance.
            #[must_use]
            pub fn new(unix_ms: u64, random: &[u8; 10]) -> Self {
                Self(Builder::from_unix_timestamp_millis(unix_ms, random).into_uuid())
            }

            /// The id as sixteen bytes, most significant first, as stored.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// An id from its stored sixteen bytes.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0.hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(text: &str) -> Result<Self, BadId> {
                Uuid::try_parse(text).map(Self).map_err(|_| BadId)
            }
        }
    };
}

id! {
    /// One event, from the moment it is put into the outbox and for ever.
    EventId
}
id! {
    /// One room. Never used again, whatever the room's name.
    RoomId
}
id! {
    /// One person, or one service.
    PersonId
}

impl PersonId {
    /// Whoever calls without saying who they are, as services do. No person's.
    pub const SERVICE: Self = Self(Uuid::from_bytes(*b"holdfast service"));
}

id! {
    /// One outbox database. A secret: it is bound to its principal at first use and no reader sees it.
    WriterId
}
id! {
    /// One client's run, across its connections: a newer connection of a session takes over.
    SessionId
}
id! {
    /// One incarnation of a room's log.
    Epoch
}
id! {
    /// One connection, as the server names it.
    ConnectionId
}
id! {
    /// One job, from its enqueue and for ever: the same over all its attempts.
    JobId
}
id! {
    /// One subscription of an address to a room's events.
    WebhookId
}
id! {
    /// One making of a schedule. Another one is in its place where the schedule is made anew.
    ScheduleId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_made_later_sort_later_as_text_and_as_bytes() {
        let early = EventId::new(1_000, &[255; 10]);
        let late = EventId::new(1_001, &[0; 10]);
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert!(early.as_bytes() < late.as_bytes());
    }

    #[test]
    fn an_id_is_read_back_from_its_text_and_its_bytes() {
        let id = RoomId::new(1_760_000_000_000, &[7; 10]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(RoomId::from_bytes(*id.as_bytes()), id);
        assert_eq!("lobby".parse::<RoomId>(), Err(BadId));
    }
}
