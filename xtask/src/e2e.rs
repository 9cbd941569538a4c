//! The page in a real browser, against the real server.

use std::io::IsTerminal;
use std::process::{Command, ExitCode};

use crate::sh::{self, Outcome};
use crate::tally::{self, Tally, summary};
use crate::{browser, npm, page, server, setup};

/// Runs the suite, perhaps many times over to catch what fails seldom.
pub(crate) fn run(own: &[String], passed_on: &[String]) -> Outcome<ExitCode> {
    let mut arguments = repeat(own)?;
    arguments.extend_from_slice(passed_on);
    let sum = suite(&arguments)?;
    println!("{sum}");
    Ok(if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Everything once.
pub(crate) fn once() -> Outcome<Tally> {
    suite(&[])
}

fn suite(arguments: &[String]) -> Outcome<Tally> {
    let mut playwright = playwright()?;
    tally::run(playwright.args(arguments), summary::playwright)
}

/// `playwright test`, with the page, the server and the browser that it needs in place.
pub(crate) fn playwright() -> Outcome<Command> {
    setup::programs()?;
    let browser = browser::get()?;
    page::build()?;
    let server = match std::env::var_os("HOLDFAST_BIN") {
        Some(chosen) => chosen.into(),
        None => sh::step("building the server for tests", server::build_for_tests)?,
    };
    let mut command = npm::e2e_program("@playwright/test/cli.js");
    command.arg("test").env("HOLDFAST_BIN", server);
    if std::io::stdout().is_terminal() {
        command.env("FORCE_COLOR", "1");
    }
    browser.choose_in(&mut command);
    Ok(command)
}

fn repeat(own: &[String]) -> Outcome<Vec<String>> {
    match own {
        [] => Ok(Vec::new()),
        [option, times] if option == "--repeat" && times.parse::<u32>().is_ok() => {
            Ok(vec![format!("--repeat-each={times}")])
        }
        _ => Err("usage: cargo xtask e2e [--repeat N] [-- ARGUMENTS]".into()),
    }
}
