//! What stands at each address.

#![allow(unreachable_pub, reason = "`#[component]` makes public items of private ones")]

mod nowhere;
mod room;
mod welcome;

pub use nowhere::Nowhere;
pub use room::RoomPage;
pub use welcome::Welcome;
