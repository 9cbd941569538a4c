//! The `holdfast` server.

use holdfast_backend::{config::Config, serve};
use std::{
    io::{self, IsTerminal},
    process::ExitCode,
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let config = match Config::read(std::env::args_os()) {
        Ok(config) => config,
        // Help goes to stdout with code 0, wrong options to stderr with code 2.
        Err(error) => error.exit(),
    };
    let filter = EnvFilter::try_from_env("HOLDFAST_LOG").unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fault(&error),
    };
    match runtime.block_on(serve::serve(config)) {
        Ok(()) => {
            // Requests that did not end in time are not waited for.
            runtime.shutdown_background();
            ExitCode::SUCCESS
        }
        Err(error) => fault(&error),
    }
}

/// A fault at start is one line.
fn fault(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("holdfast: {error}");
    ExitCode::FAILURE
}
