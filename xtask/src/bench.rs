//! The benchmarks that the workspace declares as `[[bench]]`.

use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, cargo};
use crate::{page, setup, size};

/// Runs one after the other; `arguments` go to each. Last comes what a first visit loads, unless
/// the arguments choose parts without it.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
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
