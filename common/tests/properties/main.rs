//! What holds for any sequence of what can happen, told by small models and tried with sequences drawn
//! at random; a failing one is made short before it is shown, and kept in `proptest-regressions`.
//!
//! `PROPTEST_CASES=10000 cargo test -p holdfast-common --test properties` tries more of them.

#![allow(clippy::unwrap_used, reason = "a property that meets an error has failed")]

mod clock;
mod codec;
mod consumer;
mod cursor;
mod dispatch;
mod frames;
mod job;
mod lanes;
mod outbox;
mod presence;

use holdfast_common::id::{Epoch, EventId, PersonId, RoomId};
use proptest::prelude::*;

/// So many cases where nothing else is said.
fn cases(cases: u32) -> ProptestConfig {
    let said = std::env::var_os("PROPTEST_CASES").is_some();
    let config = ProptestConfig::default();
    ProptestConfig { cases: if said { config.cases } else { cases }, ..config }
}

fn event(n: u64) -> EventId {
    EventId::from_bytes(u128::from(n).to_be_bytes())
}

fn room(n: u8) -> RoomId {
    RoomId::from_bytes([n; 16])
}

fn person(n: u8) -> PersonId {
    PersonId::from_bytes([n; 16])
}

fn epoch(n: u8) -> Epoch {
    Epoch::from_bytes([n; 16])
}
