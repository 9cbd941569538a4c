//! What outsiders can send, fed to each parser that they reach: frames both ways, HTTP, what a
//! browser has stored, addresses and texts.
//!
//! Each target is a function of bytes that panics where something does not hold that has to. The
//! tests of this crate call them with inputs of their own; `cargo xtask fuzz` has libFuzzer look for
//! more of them, and what it finds is kept in `fuzz/regressions`.

mod addresses;
mod client_frames;
mod http;
mod page;
mod server_frames;
mod stored;
mod work_frames;

pub use addresses::run as addresses;
pub use client_frames::run as client_frames;
pub use http::run as http;
pub use server_frames::run as server_frames;
pub use stored::run as stored;
pub use work_frames::run as work_frames;

/// A target: what is the case for any input, or it panics.
pub type Target = fn(&[u8]);

/// All of them, by the names that they have in `fuzz/targets.txt`.
pub const TARGETS: [(&str, Target); 6] = [
    ("client_frames", client_frames),
    ("server_frames", server_frames),
    ("http", http),
    ("stored", stored),
    ("addresses", addresses),
    ("work_frames", work_frames),
];

/// Parts the frames of one input. No frame has such a byte in its head, and a payload with one is as
/// good as any other that is no JSON.
const PART: u8 = 0;
