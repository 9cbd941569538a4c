//! The sources as they must look, for the machine and for a reader.

use std::process::ExitCode;

use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, cargo};
use crate::{npm, setup, test};

/// All of them, and a sum.
pub(crate) fn run() -> Outcome<ExitCode> {
    test::run(&["lint".to_owned()])
}

pub(crate) fn format() -> Outcome<()> {
    sh::run(&mut cargo(&["fmt", "--all", "--check"]))
}

pub(crate) fn clippy() -> Outcome<()> {
    let workspace = Workspace::read()?;
    let mut clippy = cargo(&["clippy", "--workspace", "--all-targets"]);
    sh::run(clippy.args(workspace.failpoints()).args(["--", "--deny", "warnings"]))
}

/// The page's crates once more, as the browser gets them.
pub(crate) fn clippy_wasm() -> Outcome<()> {
    setup::wasm_target()?;
    let packages = ["--package", "holdfast-common", "--package", "holdfast-frontend"];
    let mut clippy = cargo(&["clippy", "--target", setup::WASM]);
    sh::run(clippy.args(packages).args(["--", "--deny", "warnings"]))
}

/// The e2e suite is TypeScript, which Playwright runs without checking.
pub(crate) fn types() -> Outcome<()> {
    setup::node()?;
    npm::e2e()?;
    sh::run(npm::e2e_program("typescript/bin/tsc").arg("--noEmit"))
}
