//! The benchmarks that the workspace declares as `[[bench]]`.

mod jobs;

pub(crate) use jobs::tables;

use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, cargo};
use crate::{page, setup, size};

/// The benchmark that stands on the command line, or all that the workspace declares.
pub(crate) fn run(own: &[String], arguments: &[String]) -> Outcome<()> {
    match own.split_first() {
        Some((jobs, rest)) if jobs == "jobs" => jobs::run(rest),
        Some((other, _)) => Err(format!("unexpected argument {other:?}")),
        None => declared(arguments),
    }
}

/// Runs one after the other; `arguments` go to each. Last comes what a first visit loads, unless
/// the arguments choose parts without it.
fn declared(arguments: &[String]) -> Outcome<()> {
    setup::server()?;
    let benchmarks = Workspace::read()?.benchmarks();
    if benchmarks.is_empty() {
        println!("the workspace declares no benchmark yet");
    }
    for (package, name) in &benchmarks {
        let mut bench = cargo(&["bench", "--package", package, "--bench", name, "--"]);
        sh::step(&format!("benchmark {name}"), || sh::run(bench.args(arguments)))?;
    }
    if arguments.is_empty() || arguments.iter().any(|part| part == "page") {
        size::print(&page::build()?)?;
    }
    Ok(())
}
