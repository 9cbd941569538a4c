//! Everything that must pass, with progress as it goes and one sum at the end.

mod steps;

use std::process::ExitCode;
use std::time::Instant;

use self::steps::{STEPS, Step, Work};
use crate::sh::{self, Outcome};
use crate::tally::Tally;

const GROUPS: [&str; 5] = ["lint", "unit", "page", "chaos", "e2e"];

/// Runs the groups named, or all of them, to their end even if something fails.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let groups = chosen(arguments)?;
    let steps: Vec<&Step> = STEPS.iter().filter(|step| groups.contains(&step.group)).collect();
    let of = steps.len() + 1;
    let started = Instant::now();

    let ready = sh::step(&format!("[1/{of}] what the rest needs"), || steps::set_up(&groups));
    if let Err(reason) = ready {
        return Ok(conclude(Tally::FAIL, &[reason], started));
    }
    let mut sum = Tally::default();
    let mut failures = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        let title = format!("[{}/{of}] {}", index + 2, step.what);
        let (found, failure) = step.run(&title);
        sum += found;
        failures.extend(failure);
    }
    Ok(conclude(sum, &failures, started))
}

impl Step {
    fn run(&self, title: &str) -> (Tally, Option<String>) {
        let mut found = Tally::default();
        let outcome = sh::step(title, || {
            match self.work {
                Work::Chore(work) => work().map(|()| found = Tally::PASS)?,
                Work::Tests(work) => found = work()?,
            }
            if found.failed == 0 { Ok(()) } else { Err(found.to_string()) }
        });
        let Err(reason) = outcome else {
            return (found, None);
        };
        if found.failed == 0 {
            found += Tally::FAIL;
        }
        (found, Some(format!("{}: {reason}", self.what)))
    }
}

fn conclude(sum: Tally, failures: &[String], started: Instant) -> ExitCode {
    println!("\nall of it took {:.0} s", started.elapsed().as_secs_f64());
    for failure in failures {
        println!("FAILED {failure}");
    }
    println!("{sum}");
    if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn chosen(arguments: &[String]) -> Outcome<Vec<&'static str>> {
    let without_e2e = arguments.iter().any(|argument| argument == "--no-e2e");
    let named: Vec<&String> = arguments.iter().filter(|word| *word != "--no-e2e").collect();
    if let Some(word) = named.iter().find(|word| !GROUPS.contains(&word.as_str())) {
        return Err(format!("{word:?} is none of the groups {}", GROUPS.join(", ")));
    }
    let is_chosen = |group: &&str| {
        (named.is_empty() || named.iter().any(|word| word == group))
            && !(without_e2e && *group == "e2e")
    };
    Ok(GROUPS.into_iter().filter(is_chosen).collect())
}
