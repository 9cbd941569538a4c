//! The steps of `cargo xtask test`, in the order in which they tell the most the soonest.

use crate::sh::{self, Outcome};
use crate::tally::{self, Tally, summary};
use crate::workspace::{Workspace, cargo};
use crate::{bench, browser, chaos, e2e, lint, page, server, setup, size};

/// One line of the table below.
pub(super) struct Step {
    /// By which it can be chosen on the command line.
    pub(super) group: &'static str,
    pub(super) what: &'static str,
    pub(super) work: Work,
}

/// A chore counts as one, tests are counted one by one.
pub(super) enum Work {
    Chore(fn() -> Outcome<()>),
    Tests(fn() -> Outcome<Tally>),
}

/// Everything that must pass.
pub(super) const STEPS: [Step; 12] = [
    Step::chore("lint", "the format", lint::format),
    Step::chore("lint", "clippy", lint::clippy),
    Step::chore("lint", "clippy for the browser", lint::clippy_wasm),
    Step::chore("lint", "the lock file of the fuzz targets", lint::fuzz_lock),
    Step::chore("lint", "the e2e suite's types", lint::types),
    Step::chore("lint", "what the benchmark of queues makes of its figures", bench::tables),
    Step::tests("unit", "the Rust tests", rust_tests),
    Step::chore("page", "the page", build_page),
    Step::chore("page", "the page's size", size::run),
    Step::tests("chaos", "the server under faults", chaos::short),
    Step::chore("e2e", "the server for the browser", build_server),
    Step::tests("e2e", "the browser tests", e2e::once),
];

impl Step {
    const fn chore(group: &'static str, what: &'static str, work: fn() -> Outcome<()>) -> Self {
        Self { group, what, work: Work::Chore(work) }
    }

    const fn tests(group: &'static str, what: &'static str, work: fn() -> Outcome<Tally>) -> Self {
        Self { group, what, work: Work::Tests(work) }
    }
}

/// What the steps of `groups` need on this machine.
pub(super) fn set_up(groups: &[&str]) -> Outcome<()> {
    setup::server()?;
    if groups.contains(&"lint") {
        setup::lint()?;
    }
    if groups.contains(&"page") || groups.contains(&"e2e") {
        setup::page()?;
    }
    if groups.contains(&"unit") || groups.contains(&"e2e") {
        setup::programs()?;
    }
    if groups.contains(&"e2e") {
        browser::get()?;
    }
    Ok(())
}

fn rust_tests() -> Outcome<Tally> {
    let workspace = Workspace::read()?;
    let test = |arguments: &[&str], read| {
        let mut command = cargo(arguments);
        tally::run(
            command.args(["--workspace", "--no-fail-fast"]).args(workspace.failpoints()),
            read,
        )
    };
    if sh::output(&mut cargo(&["nextest", "--version"])).is_err() {
        return test(&["test"], summary::cargo);
    }
    // Nextest leaves out the examples in the documentation.
    let mut sum = test(&["nextest", "run", "--no-tests", "pass"], summary::nextest)?;
    sum += test(&["test", "--doc"], summary::cargo)?;
    Ok(sum)
}

fn build_page() -> Outcome<()> {
    page::build().map(|_| ())
}

fn build_server() -> Outcome<()> {
    server::build_for_tests().map(|_| ())
}
