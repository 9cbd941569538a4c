//! Every limit of the protocol, in one place. The server's operator may set each; the welcome
//! states the ones a client goes by.

use crate::time::Millis;
use serde::{Deserialize, Serialize};

/// The highest value of [`Limits::rooms`], and so how many rooms a person can ever have become a
/// member of: a hello may name so many, whatever the limit is by now.
pub const MOST_ROOMS: u32 = 65_536;

/// The limits a server holds its clients to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Bytes of one event's payload. A larger one is rejected by its number. See
    /// [`Limits::frame_bytes`] for what closes the connection.
    pub payload_bytes: u32,
    /// Durable events that a connection may have under way, and so the client's window.
    pub window: u32,
    /// Emits, registers and requests a second, sustained, for one connection; twice as many in a
    /// burst.
    pub emits_per_second: u32,
    /// Volatile events a second for one connection; what is above is dropped.
    pub signals_per_second: u32,
    /// Rooms that a person may join or create, inboxes not counted. Memberships from a time of a higher
    /// limit stay, and are followed.
    pub rooms: u32,
    /// Unsettled events in one lane.
    pub unsettled: u32,
    /// Characters of a message.
    pub text_chars: u32,
    /// Characters of a room's or a person's name.
    pub name_chars: u32,
    /// Events without a verdict in one client's outbox; more are not taken from the person.
    pub outbox: u32,
    /// Missed events of a room that are replayed one by one; past it, a history page is sent.
    pub replay_events: u32,
    /// The same in bytes of payload.
    pub replay_bytes: u64,
    /// The same in age: a reader who was away longer gets a history page.
    pub replay_age: Millis,
    /// Entries of one history page at most.
    pub page: u32,
    /// How often a client pings while it hears nothing.
    pub ping_every: Millis,
    /// How long a side waits in silence before it takes the other for dead.
    pub silence: Millis,
    /// How long a client has for its hello.
    pub hello: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            payload_bytes: 64 * 1024,
            window: 64,
            emits_per_second: 200,
            signals_per_second: 20,
            rooms: 256,
            unsettled: 1024,
            text_chars: 8000,
            name_chars: 80,
            outbox: 10_000,
            replay_events: 10_000,
            replay_bytes: 16 * 1024 * 1024,
            replay_age: Millis(30 * 24 * 3600 * 1000),
            page: 100,
            ping_every: Millis(10_000),
            silence: Millis(25_000),
            hello: Millis(10_000),
        }
    }
}

impl Limits {
    /// The largest frame in bytes: room for a payload of twice the limit, so that one which is too
    /// large is rejected by its number, and for a hello, which is sent before the limits are known.
    #[must_use]
    pub const fn frame_bytes(&self) -> usize {
        self.payload_bytes as usize * 2 + 64 * 1024
    }
}
