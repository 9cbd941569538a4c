//! The `holdfast` server.

use std::process::ExitCode;

/// What a job or an event needs is often taken by one thread and freed by another, which this allocator
/// is made for (ADR 23).
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    holdfast_backend::program::run(|builder| builder)
}
