//! The server: built with the page inside, and started.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, cargo};
use crate::{page, setup};

/// Builds everything, then becomes the server.
pub(crate) fn serve(options: &[String]) -> Outcome<ExitCode> {
    let server = build_release()?;
    become_program(Command::new(server).args(options))
}

/// Leaves `target/release/holdfast`, and returns its path.
pub(crate) fn build_release() -> Outcome<PathBuf> {
    sh::step("[1/3] the build tools", setup::page)?;
    sh::step("[2/3] the page", page::build)?;
    sh::step("[3/3] the server", || {
        sh::run(&mut cargo(&["build", "--release", "--package", "holdfast-backend"]))
    })?;
    let server = Workspace::read()?.server("release");
    println!("{}", server.display());
    Ok(server)
}

/// The server as the e2e suite starts it: built quickly, with failpoints.
pub(crate) fn build_for_tests() -> Outcome<PathBuf> {
    setup::server()?;
    let workspace = Workspace::read()?;
    // The clerk of the examples is one of those whom the queues' tests have at work.
    let mut build = cargo(&["build", "--package", "holdfast-backend", "--package", "clerk"]);
    sh::run(build.args(workspace.failpoints()))?;
    Ok(workspace.server("debug"))
}

/// Takes this process's place, so that a signal sent to `cargo xtask serve` reaches the server.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Outcome<ExitCode> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(format!("{} could not be started: {error}", sh::told(command)))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Outcome<ExitCode> {
    sh::run(command).map(|()| ExitCode::SUCCESS)
}
