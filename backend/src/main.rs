//! The `holdfast` server.
fn main() {}
