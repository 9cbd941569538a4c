//! Pictures of the page, for the README and for whoever judges a change by eye.

use std::process::ExitCode;

use crate::e2e;
use crate::sh::{self, Outcome};
use crate::workspace::root;

/// Leaves them in `target/shots/`.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let mut playwright = e2e::playwright()?;
    playwright.args(["--config", "playwright.shots.config.ts"]).args(arguments);
    sh::run(&mut playwright)?;
    println!("the pictures are in {}", root().join("target/shots").display());
    Ok(ExitCode::SUCCESS)
}
