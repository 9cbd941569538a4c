//! The real server under real faults (`chaos/`).

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::sh::{self, Outcome};
use crate::tally::{self, Tally, summary};
use crate::workspace::{Workspace, cargo};
use crate::{server, setup};

/// What `cargo xtask test` has time for.
const SHORT: [&str; 5] = ["--restarts", "5", "--events", "200", "--failpoints"];

/// The server that is shipped, for as long as is asked. Faults are planted in the one of the tests.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    if arguments.iter().any(|argument| argument.starts_with("--planted")) {
        let mut chaos = for_tests()?;
        // What is said of it again counts.
        return ended(chaos.args(SHORT).args(arguments));
    }
    setup::server()?;
    for package in ["holdfast-backend", "holdfast-chaos"] {
        sh::run(&mut cargo(&["build", "--release", "--package", package]))?;
    }
    let workspace = Workspace::read()?;
    let mut chaos = command(&workspace, "release", &workspace.server("release"));
    ended(chaos.args(arguments))
}

fn ended(chaos: &mut Command) -> Outcome<ExitCode> {
    let status = chaos.status();
    let status = status.map_err(|error| format!("chaos could not be started: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A short run on the server that the other tests use: it is built already, and it is built with
/// the compiler's checks of arithmetic, which then are faults that are seen.
pub(crate) fn short() -> Outcome<Tally> {
    tally::run(for_tests()?.args(SHORT), summary::chaos)
}

fn for_tests() -> Outcome<Command> {
    let server = server::build_for_tests()?;
    sh::run(&mut cargo(&["build", "--package", "holdfast-chaos"]))?;
    Ok(command(&Workspace::read()?, "debug", &server))
}

fn command(workspace: &Workspace, profile: &str, server: &Path) -> Command {
    let name = format!("holdfast-chaos{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(workspace.target().join(profile).join(name));
    command.arg("--server").arg(server);
    command.arg("--folder").arg(workspace.target().join("chaos"));
    command
}
