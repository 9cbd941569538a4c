//! The simulator over many seeds, or one seed again.

use std::process::ExitCode;

use crate::sh::{self, Outcome};
use crate::workspace::cargo;

/// The tests that read the settings below.
const RUN: &str = "seeds::whatever_happens_on_the_way_the_promise_holds";

/// What may stand on the command line, and the setting that it becomes.
const OPTIONS: [(&str, &str); 3] = [
    ("--seeds", "HOLDFAST_SIM_SEEDS"),
    ("--seed", "HOLDFAST_SIM_SEED"),
    ("--planted", "HOLDFAST_SIM_PLANTED"),
];

/// Queues, in place of rooms.
const JOBS: &str = "--jobs";

pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let jobs = arguments.iter().any(|word| word == JOBS);
    let target = if jobs { "sim_jobs" } else { "sim" };
    let mut command = cargo(&["test", "-p", "holdfast-common", "--test", target, "--"]);
    command.args(["--exact", RUN, "--nocapture"]);
    let mut words = arguments.iter().filter(|word| *word != JOBS);
    while let Some(word) = words.next() {
        let option = OPTIONS.iter().find(|(option, _)| option == word);
        let (_, setting) = option.ok_or_else(|| format!("unexpected argument {word:?}"))?;
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        command.env(setting, value);
    }
    sh::run(&mut command).map(|()| ExitCode::SUCCESS)
}
