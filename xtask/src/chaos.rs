//! The real server under real faults (`chaos/`).

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::sh::{self, Outcome};
use crate::tally::{self, Tally, summary};
use crate::workspace::{Workspace, cargo};
use crate::{server, setup};

/// What `cargo xtask test` has time for.
const SHORT: [&str; 5] = ["--restarts", "5", "--events", "200", "--failpoints"];

/// The server that is shipped, for as long as is asked.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    setup::server()?;
    for package in ["holdfast-backend", "holdfast-chaos"] {
        sh::run(&mut cargo(&["build", "--release", "--package", package]))?;
    }
    let workspace = Workspace::read()?;
    let mut chaos = command(&workspace, "release", &workspace.server("release"));
    let status = chaos.args(arguments).status();
    let status = status.map_err(|error| format!("chaos could not be started: {error}"))?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A short run on the server that the other tests use: it is built already, and it is built with
/// the compiler's checks of arithmetic, which then are faults that are seen.
pub(crate) fn short() -> Outcome<Tally> {
    let server = server::build_for_tests()?;
    sh::run(&mut cargo(&["build", "--package", "holdfast-chaos"]))?;
    let workspace = Workspace::read()?;
    tally::run(command(&workspace, "debug", &server).args(SHORT), summary::chaos)
}

fn command(workspace: &Workspace, profile: &str, server: &Path) -> Command {
    let name = format!("holdfast-chaos{}", std::env::consts::EXE_SUFFIX);
    let mut command = Command::new(workspace.target().join(profile).join(name));
    command.arg("--server").arg(server);
    command.arg("--folder").arg(workspace.target().join("chaos"));
    command
}
