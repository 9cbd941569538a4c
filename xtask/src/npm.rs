//! What comes from npm, installed exactly as the lock files say.

use std::path::Path;
use std::process::Command;
use std::{fs, io};

use crate::files;
use crate::sh::{self, Outcome};
use crate::workspace::root;

/// Tailwind, daisyUI and wasm-opt.
pub(crate) fn page() -> Outcome<()> {
    install(root())
}

/// Playwright and the compiler for its suite.
pub(crate) fn e2e() -> Outcome<()> {
    install(&root().join("e2e"))
}

/// A program of the e2e suite's, run in its folder.
pub(crate) fn e2e_program(script: &str) -> Command {
    let folder = root().join("e2e");
    let mut command = Command::new("node");
    command.arg(folder.join("node_modules").join(script)).current_dir(folder);
    command
}

fn install(folder: &Path) -> Outcome<()> {
    let _alone = files::lock("npm")?;
    let lock = read(&folder.join("package-lock.json"))?;
    // The copy lies inside, so that it goes when somebody removes the folder.
    let installed = folder.join("node_modules/.installed-lock.json");
    if read(&installed).is_ok_and(|copy| copy == lock) {
        return Ok(());
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    sh::step(&format!("npm ci in {name}"), || {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        let options = ["ci", "--no-audit", "--no-fund", "--loglevel", "error"];
        sh::run(Command::new(npm).args(options).current_dir(folder))
    })?;
    fs::write(&installed, lock).map_err(|error| told(&installed, &error))
}

fn read(file: &Path) -> Outcome<Vec<u8>> {
    fs::read(file).map_err(|error| told(file, &error))
}

fn told(file: &Path, error: &io::Error) -> String {
    format!("{}: {error}", file.display())
}
