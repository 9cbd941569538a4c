//! Running other programs, and saying in one line why one could not do its work.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A chore fails with a line for a person.
pub(crate) type Outcome<T> = Result<T, String>;

/// How often a running child is asked whether it has ended.
const POLL: Duration = Duration::from_millis(50);

/// Runs `command` with its output on ours, and fails if it does.
pub(crate) fn run(command: &mut Command) -> Outcome<()> {
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed: {status}", told(command))) }
}

/// What `command` printed, if it succeeded.
pub(crate) fn output(command: &mut Command) -> Outcome<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|error| not_started(command, &error))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let why = String::from_utf8_lossy(&output.stderr);
        Err(format!("{} failed: {}", told(command), why.trim()))
    }
}

/// Runs `command`, but not for longer than `limit`.
pub(crate) fn run_bounded(command: &mut Command, limit: Duration) -> Outcome<()> {
    let started = Instant::now();
    let mut child = command.spawn().map_err(|error| not_started(command, &error))?;
    while started.elapsed() < limit {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(POLL),
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(format!("{} failed: {status}", told(command))),
            Err(error) => return Err(format!("{}: {error}", told(command))),
        }
    }
    end(&mut child);
    Err(format!("{} took longer than {} s", told(command), limit.as_secs()))
}

/// Asks `child` to end, and insists when it has not after ten seconds.
pub(crate) fn end(child: &mut Child) {
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    if cfg!(unix) {
        let asked = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
        let deadline = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && Instant::now() < deadline {
            if let Ok(Some(_)) = child.try_wait() {
                return;
            }
            std::thread::sleep(POLL);
        }
    }
    // Both fail only if it has ended in between.
    let _ = child.kill();
    let _ = child.wait();
}

/// One long step's line, and the time it took when it is over.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    println!("{what} …");
    let started = Instant::now();
    let outcome = work();
    let verdict = if outcome.is_ok() { "done" } else { "FAILED" };
    println!("{what}: {verdict} in {:.1} s", started.elapsed().as_secs_f64());
    outcome
}

/// A command as a person would type it.
pub(crate) fn told(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or_default().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|argument| argument.to_string_lossy().into_owned()));
    words.join(" ")
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("{} could not be started: {error}", told(command))
}
