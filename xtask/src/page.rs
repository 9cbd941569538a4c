//! The pages: built by Trunk, then compressed for the server to hold.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::files;
use crate::sh::{self, Outcome};
use crate::workspace::root;
use crate::{setup, size};

/// Everything that the built page depends on.
const SOURCES: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "Trunk.toml",
    "board.Trunk.toml",
    "common",
    "frontend",
    "index.html",
    "package-lock.json",
    "xtask/js",
];

/// Leaves the released page in `dist/`, and returns that folder. Does nothing if it is there and
/// still fits the sources.
pub(crate) fn build() -> Outcome<PathBuf> {
    let _alone = files::lock("page")?;
    let tools = setup::page()?;
    let dist = root().join("dist");
    let stamp = root().join("target/page/built");
    let before = sources()?;
    if fs::read_to_string(&stamp).ok() == Some(told(before, built(&dist)?)) {
        println!("the page is up to date");
        return Ok(dist);
    }
    sh::step("building the page", || {
        let mut trunk = tools.command("trunk");
        // Trunk takes this variable for an option that must be `true` or `false`, and stops.
        sh::run(trunk.args(["build", "--release"]).env_remove("NO_COLOR"))
    })?;
    sh::step("compressing the page", || {
        let script = root().join("xtask/js/compress.mjs");
        sh::run(Command::new("node").arg(script).arg(&dist))
    })?;
    let contents = told(before, built(&dist)?);
    fs::write(&stamp, contents).map_err(|error| format!("{}: {error}", stamp.display()))?;
    size::print(&dist)?;
    Ok(dist)
}

fn told(sources: u64, built: u64) -> String {
    format!("{sources:x} {built:x}\n")
}

fn sources() -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    sh::output(Command::new("rustc").arg("--version"))?.hash(&mut hasher);
    for source in SOURCES {
        hash(&root().join(source), &mut hasher)?;
    }
    Ok(hasher.finish())
}

fn built(dist: &Path) -> Outcome<u64> {
    let mut hasher = DefaultHasher::new();
    if dist.is_dir() {
        hash(dist, &mut hasher)?;
    }
    Ok(hasher.finish())
}

/// Names and contents, not times: a fresh clone has new times, a branch switched to and back too.
fn hash(path: &Path, hasher: &mut DefaultHasher) -> Outcome<()> {
    let told = |error: io::Error| format!("{}: {error}", path.display());
    if path.is_dir() {
        for entry in files::entries(path)? {
            hash(&entry, hasher)?;
        }
    } else if path.exists() {
        path.hash(hasher);
        fs::read(path).map_err(told)?.hash(hasher);
    }
    Ok(())
}
