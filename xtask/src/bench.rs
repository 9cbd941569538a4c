//! The benchmarks that the workspace declares as `[[bench]]`.

use crate::setup;
use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, cargo};

/// Runs one after the other; `arguments` go to each.
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
    Ok(())
}
