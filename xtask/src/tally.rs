//! How many tests passed and failed, read from what their runners print.

pub(crate) mod summary;

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::AddAssign;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::sh::{self, Outcome};

/// The sums of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl Tally {
    pub(crate) const PASS: Self = Self { passed: 1, failed: 0 };
    pub(crate) const FAIL: Self = Self { passed: 0, failed: 1 };
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// Reads one line of a runner's output; most lines say nothing.
pub(crate) type Reader = fn(&str) -> Option<Tally>;

/// Runs `command` with its output on ours, and adds up what `read` finds there. A run that fails
/// without naming a failed test (it did not compile, say) counts as one failure.
pub(crate) fn run(command: &mut Command, read: Reader) -> Outcome<Tally> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .map_err(|error| format!("{} could not be started: {error}", sh::told(command)))?;
    let sum = Mutex::new(Tally::default());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| out.map(|pipe| pass_on(pipe, std::io::stdout(), read, &sum)));
        scope.spawn(|| err.map(|pipe| pass_on(pipe, std::io::stderr(), read, &sum)));
    });
    let status = child.wait().map_err(|error| format!("{}: {error}", sh::told(command)))?;
    let mut sum = sum.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !status.success() && sum.failed == 0 {
        println!("{} failed: {status}", sh::told(command));
        sum += Tally::FAIL;
    }
    Ok(sum)
}

fn pass_on(pipe: impl Read, mut to: impl Write, read: Reader, sum: &Mutex<Tally>) {
    let mut lines = BufReader::new(pipe);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        // Nobody is listening any more: that is no reason to stop the tests.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        if let Some(found) = read(plain(&String::from_utf8_lossy(&line)).trim())
            && let Ok(mut sum) = sum.lock()
        {
            *sum += found;
        }
        line.clear();
    }
}

/// `line` without the colours of a terminal.
fn plain(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|c: char| c.is_ascii_alphabetic()).map_or(piece.len(), |at| at + 1);
        out.push_str(&piece[end..]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn a_lines_colours_are_left_out() {
        assert_eq!(plain("\u{1b}[32m  3 passed\u{1b}[39m (1s)"), "  3 passed (1s)");
    }
}
