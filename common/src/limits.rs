//! Every limit of the protocol, in one place. Those of [`Limits`] the server's operator may set, and
//! the welcome states them. The constants are the same everywhere: both sides go by them before
//! there is a welcome, or they bound what one step costs and nobody would gain by another value.
//!
//! How long a side waits, and how much of something it does in one go, stands where it does so. What
//! a server bounds beside the protocol is its own.

use crate::time::{Instant, Millis};
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The highest value of [`Limits::rooms`], and so how many rooms a person can ever have become a
/// member of: a hello may name so many, whatever the limit is by now.
pub const MOST_ROOMS: u32 = 65_536;

/// Inboxes that one hello may name beside its rooms: there is one of each namespace. Fixed, since a
/// hello is sent before the limits are known.
pub const MOST_INBOXES: usize = 64;

/// Lanes that one hello may name: a writer keeps the counter of every lane it has ever used. Fixed,
/// since a hello is sent before the limits are known.
pub const MOST_LANES: usize = 4_096;

/// Verdicts above their floors that all lanes of one hello may have together. A client has a window of
/// emits under way, and a floor that follows them: it is far from this, which bounds what a greeting
/// costs. Fixed, since both sides go by it before there is a welcome.
pub const MOST_VERDICTS: usize = 16_384;

/// Bytes of a person's secret: too many to be guessed, and not so many that a hello grows by them.
/// Fixed, since a client makes it before it knows any limit.
pub const SECRET_BYTES: RangeInclusive<usize> = 16..=128;

/// Requests that a connection may have open; one more closes it. Fixed, since how often one may ask
/// is what an operator sets: [`Limits::emits_per_second`].
pub const OPEN_REQUESTS: usize = 64;

/// Requests that our own client has open at once; others wait. Half of what a server takes, so that
/// it never comes near to being closed for one.
pub const OPEN_ASKS: usize = OPEN_REQUESTS / 2;

/// Bytes of frames that may wait in our own client until the browser's database has taken what came
/// before them: two replays. One whose disk is slower than its line ends the connection over more,
/// and asks again from what it has.
pub const MOST_UNWRITTEN: usize = 32 * 1024 * 1024;

/// Entries, or registers, in one short read. Fixed, as the bytes of one are: it is how much a
/// session holds of a log at once, whatever its reader has missed.
pub const SLICE_ENTRIES: u32 = 256;

/// Bytes of entries, or of registers, in one short read; one goes whatever its size.
pub const SLICE_BYTES: usize = 256 * 1024;

/// Bytes of entries and their changes in one page of history; one item goes whatever its size.
/// Fixed for the same reason.
pub const PAGE_BYTES: usize = 256 * 1024;

/// People in a room with more of whom nobody is told who is there: the telling would cost the square
/// of their number. It is told once, when the room gets one more, and who is there once it has one
/// less. Fixed, since that cost is the same on every server.
pub const PRESENCE_MOST: usize = 100;

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

    /// Until when a server waits for a client that it last heard then, and has pinged then if it has.
    /// A ping that went late gives the client no less time for its answer.
    pub(crate) fn answer_due(&self, heard: Instant, pinged: Option<Instant>) -> Instant {
        let answer = self.silence.0.saturating_sub(self.ping_every.0);
        pinged.map_or_else(|| heard + self.ping_every, |at| at + Millis(answer))
    }
}
