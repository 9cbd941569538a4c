//! From nothing but rustup, a C toolchain and Node: what is missing is fetched, or named in one line.

use std::path::Path;
use std::process::Command;

use crate::files;
use crate::sh::{self, Outcome};
use crate::tools::Tools;
use crate::{browser, debian, npm};

/// What the page is compiled for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";
const OLDEST_NODE: u32 = 20;

/// What building the page takes.
pub(crate) fn page() -> Outcome<Tools> {
    node()?;
    c_compiler()?;
    wasm_target()?;
    npm::page()?;
    Tools::get()
}

/// What building the server takes.
pub(crate) fn server() -> Outcome<()> {
    c_compiler()
}

/// What checking the sources takes, beyond building them.
pub(crate) fn lint() -> Outcome<()> {
    for (subcommand, component) in [("clippy", "clippy"), ("fmt", "rustfmt")] {
        let mut probe = Command::new("cargo");
        if sh::output(probe.args([subcommand, "--version"])).is_err() {
            rustup(&["component", "add", component])?;
        }
    }
    node()?;
    npm::e2e()
}

/// All of it, the browser too.
pub(crate) fn everything() -> Outcome<()> {
    page()?;
    lint()?;
    programs()?;
    browser::get().map(|_| ())
}

/// What the documents have one type: their commands are run by tests, and so is a consumer in Python.
pub(crate) fn programs() -> Outcome<()> {
    let chosen = std::env::var_os("PYTHON").is_some();
    let is_there = |name: &&str| files::which(name).is_some() || *name == "python3" && chosen;
    let missing: Vec<_> = ["curl", "python3"].into_iter().filter(|name| !is_there(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    sh::step(&format!("apt-get install {names}"), || debian::install(&missing))
        .map_err(|why| format!("{names} is missing, which the tests take: {why}"))
}

/// Node of a version that the page's tools run on, with its npm.
pub(crate) fn node() -> Outcome<()> {
    let said = sh::output(Command::new("node").arg("--version"))
        .map_err(|_| format!("Node.js is missing: install version {OLDEST_NODE} or later"))?;
    let major = said.trim_start_matches('v').split('.').next().and_then(|text| text.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST_NODE) {
        return Err(format!("Node.js {said} is too old: version {OLDEST_NODE} or later is needed"));
    }
    let npm = if cfg!(windows) { files::which("npm.cmd") } else { files::which("npm") };
    npm.map(|_| ()).ok_or("npm is missing: it comes with Node.js, or as a package `npm`".into())
}

/// SQLite is compiled from C, and every Rust program is linked by the C compiler.
fn c_compiler() -> Outcome<()> {
    let chosen = std::env::var_os("CC").is_some();
    let found = ["cc", "gcc", "clang"].iter().any(|name| files::which(name).is_some());
    if cfg!(windows) || chosen || found {
        return Ok(());
    }
    Err("a C compiler is missing: install one that answers to `cc` (Debian: build-essential)"
        .into())
}

/// The standard library for the page.
pub(crate) fn wasm_target() -> Outcome<()> {
    let mut probe = Command::new("rustc");
    let libraries = sh::output(probe.args(["--print", "target-libdir", "--target", WASM]))?;
    if Path::new(&libraries).is_dir() {
        return Ok(());
    }
    rustup(&["target", "add", WASM])
}

fn rustup(arguments: &[&str]) -> Outcome<()> {
    if files::which("rustup").is_none() {
        return Err(format!(
            "rustup is missing, and with it a way to `rustup {}`: see https://rustup.rs",
            arguments.join(" ")
        ));
    }
    sh::run(Command::new("rustup").args(arguments))
}
