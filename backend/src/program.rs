//! The program: its words, its options, and what becomes of the process.

use crate::{
    app::Builder,
    cli::{Asked, AskedRoom, NotDone, Told},
    config::{Config, Task},
    engine::sqlite::SqliteEngine,
    limits::OTHER_FILES,
    serve,
};
use std::{
    io::{self, IsTerminal, Write as _},
    path::Path,
    process::ExitCode,
    time::Duration,
};

/// How long the end may take once everything has been told.
const END: Duration = Duration::from_secs(2);

/// Does what its command line says, as `holdfast` does, with what an application adds to the server:
/// namespaces, queues, workers. What `main` returns.
pub fn run(add: impl FnOnce(Builder) -> Builder) -> ExitCode {
    match Task::read(std::env::args_os()) {
        Ok(Task::Serve(config)) => serve(*config, add),
        Ok(Task::Restored(folder)) => restored(&folder),
        Ok(Task::Queue(asked)) => queue(*asked),
        Ok(Task::Export(asked)) => export(*asked),
        // Help goes to stdout with code 0, wrong options to stderr with code 2.
        Err(error) => error.exit(),
    }
}

fn serve(mut config: Config, add: impl FnOnce(Builder) -> Builder) -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(&config.log)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    // One connection more than there are files for would cost the others the database.
    let most = more_files().saturating_sub(OTHER_FILES).max(1);
    if config.connections as u64 > most {
        tracing::warn!(most, "the limit of open files allows fewer connections");
        config.connections = usize::try_from(most).unwrap_or(usize::MAX);
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fault(&error),
    };
    match runtime.block_on(serve::serve(config, add)) {
        Ok(()) => {
            // What did not end in time is not waited for; the storage is closed.
            runtime.shutdown_timeout(END);
            ExitCode::SUCCESS
        }
        Err(error) => fault(&error),
    }
}

/// Gives each log of the folder a new epoch, so that whoever has read it before starts over.
fn restored(folder: &Path) -> ExitCode {
    match SqliteEngine::restored(folder) {
        Ok(logs) => {
            println!("{logs} logs have a new epoch");
            ExitCode::SUCCESS
        }
        Err(error) => fault(&error),
    }
}

/// Asks a server that runs.
fn queue(asked: Asked) -> ExitCode {
    let Told { text, notes, refused } = match alone(asked.carry_out()) {
        Ok(told) => told,
        Err(text) => return told(Err(text)),
    };
    // Who reads may have gone: that is no reason for a fault.
    let _ = io::stdout().write_all(text.as_bytes());
    for line in notes.iter().chain(&refused) {
        eprintln!("holdfast: {line}");
    }
    if refused.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Asks a server that runs for a room's log. What does not arrive whole is a fault.
fn export(asked: AskedRoom) -> ExitCode {
    told(alone(asked.carry_out(&mut io::stdout().lock())))
}

fn alone<T>(asks: impl Future<Output = Result<T, NotDone>>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(asks).map_err(|error| error.to_string())
}

fn told(done: Result<(), String>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("holdfast: {text}");
            ExitCode::FAILURE
        }
    }
}

/// A fault at start is one line.
fn fault(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("holdfast: {error}");
    ExitCode::FAILURE
}

/// Each connection is a file, and the usual soft limit is 1,024 of them: takes what is allowed, and
/// returns how many that is.
#[cfg(unix)]
fn more_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
        return limit.current.unwrap_or(u64::MAX);
    }
    limit.maximum.unwrap_or(u64::MAX)
}

#[cfg(not(unix))]
fn more_files() -> u64 {
    u64::MAX
}
