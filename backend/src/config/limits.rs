//! An option for each of [`Limits`].

use clap::Args;
use holdfast_common::{
    limits::{Limits, MOST_ROOMS},
    time::Millis,
};

macro_rules! limit_options {
    ($($(#[$doc:meta])* $field:ident: $kind:ty = $range:expr, $name:literal, $to:expr, $from:expr;)*) => {
        #[derive(Debug, Args)]
        pub(super) struct LimitOptions {
            $($(#[$doc])*
            #[arg(
                long = $name,
                value_name = "N",
                default_value_t = ($from)(Limits::default().$field),
                value_parser = clap::value_parser!($kind).range($range)
            )]
            $field: $kind,)*
        }

        impl From<LimitOptions> for Limits {
            fn from(options: LimitOptions) -> Self {
                Self { $($field: ($to)(options.$field),)* }
            }
        }
    };
}

/// The number itself.
fn same<T>(n: T) -> T {
    n
}

fn millis(length: Millis) -> u64 {
    length.0
}

limit_options! {
    /// Bytes of one event's payload
    payload_bytes: u32 = 64..=16 * 1024 * 1024, "payload-bytes", same, same;
    /// Durable events that a connection may have under way
    window: u32 = 1..=65_536, "window", same, same;
    /// Emits, registers and requests a second, sustained, for one connection
    emits_per_second: u32 = 1.., "emits-per-second", same, same;
    /// Volatile events a second for one connection
    signals_per_second: u32 = 1.., "signals-per-second", same, same;
    /// Rooms that a person may join or create; who is in more stays in them
    rooms: u32 = 1..=i64::from(MOST_ROOMS), "rooms", same, same;
    /// Unsettled events in one lane
    unsettled: u32 = 1..=65_536, "unsettled", same, same;
    /// Characters of a message
    text_chars: u32 = 1.., "text-chars", same, same;
    /// Characters of a room's or a person's name
    name_chars: u32 = 8..=1000, "name-chars", same, same;
    /// Events without a verdict in one client's outbox
    outbox: u32 = 1.., "outbox", same, same;
    /// Missed events of a room that are replayed one by one
    replay_events: u32 = 0.., "replay-events", same, same;
    /// The same in bytes
    replay_bytes: u64 = 0.., "replay-bytes", same, same;
    /// The same in age (milliseconds)
    replay_age: u64 = 0.., "replay-age-ms", Millis, millis;
    /// Entries of one history page at most
    page: u32 = 1..=1000, "page", same, same;
    /// How often a silent side is pinged (milliseconds)
    ping_every: u64 = 100.., "ping-every-ms", Millis, millis;
    /// Silence after which the other side counts as dead (milliseconds)
    silence: u64 = 200.., "silence-ms", Millis, millis;
    /// How long a client has for its hello (milliseconds)
    hello: u64 = 100.., "hello-ms", Millis, millis;
}
