//! The sources as they must look, for the machine and for a reader.

use std::process::{Command, ExitCode};

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
    sh::run(clippy.args(workspace.failpoints()).args(strictness()?))
}

/// The page's crates once more, as the browser gets them.
pub(crate) fn clippy_wasm() -> Outcome<()> {
    setup::wasm_target()?;
    let packages = ["--package", "holdfast-common", "--package", "holdfast-frontend"];
    let mut clippy = cargo(&["clippy", "--target", setup::WASM]);
    sh::run(clippy.args(packages).args(strictness()?))
}

/// A warning is an error of the compiler that these sources were written with. A later one has lints
/// that nobody has looked at yet: it shows them and goes on.
fn strictness() -> Outcome<&'static [&'static str]> {
    let version = sh::output(Command::new("rustc").arg("--version"))?;
    let ours = version.split(' ').nth(1).is_some_and(|it| {
        it.strip_prefix(env!("CARGO_PKG_RUST_VERSION")).is_some_and(|rest| rest.starts_with('.'))
    });
    Ok(if ours { &["--", "--deny", "warnings"] } else { &[] })
}

/// The fuzz targets have a lock file of their own, which a change of dependencies easily leaves behind.
pub(crate) fn fuzz_lock() -> Outcome<()> {
    let manifest = ["--manifest-path", "fuzz/Cargo.toml"];
    let mut metadata = cargo(&["metadata", "--locked", "--format-version", "1"]);
    sh::output(metadata.args(manifest)).map(drop)
}

/// The e2e suite is TypeScript, which Playwright runs without checking.
pub(crate) fn types() -> Outcome<()> {
    setup::node()?;
    npm::e2e()?;
    sh::run(npm::e2e_program("typescript/bin/tsc").arg("--noEmit"))
}
