//! Every chore of the project: `cargo xtask serve | test | …`.
fn main() {}
