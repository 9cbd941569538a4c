//! The line in which each test runner says how it went.

use super::Tally;

/// `test result: ok. 3 passed; 0 failed; 1 ignored; …`
pub(crate) fn cargo(line: &str) -> Option<Tally> {
    let rest = line.strip_prefix("test result: ")?;
    let counts = rest.split_once(". ")?.1;
    Some(Tally { passed: number_before(counts, "passed"), failed: number_before(counts, "failed") })
}

/// `Summary [   0.012s] 12 tests run: 9 passed (1 slow), 2 failed, 1 timed out, 3 skipped`
pub(crate) fn nextest(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("Summary [")?.split_once(" run: ")?.1;
    let failed = ["failed", "exec failed", "timed out"];
    Some(Tally {
        passed: number_before(counts, "passed"),
        failed: failed.iter().map(|what| number_before(counts, what)).sum(),
    })
}

/// `3 passed (4.2s)`, `1 failed`, `2 did not run`: one line each. A flaky test passed only at its
/// second try, which is not good enough here.
pub(crate) fn playwright(line: &str) -> Option<Tally> {
    let (number, what) = line.split_once(' ')?;
    let number = number.parse().ok()?;
    let what = what.split_once(" (").map_or(what, |(what, _time)| what);
    match what {
        "passed" => Some(Tally { passed: number, failed: 0 }),
        "failed" | "flaky" | "interrupted" | "did not run" => {
            Some(Tally { passed: 0, failed: number })
        }
        _ => None,
    }
}

/// `chaos: 8 passed, 0 failed, 0 skipped`
pub(crate) fn chaos(line: &str) -> Option<Tally> {
    let counts = line.strip_prefix("chaos: ").filter(|counts| counts.contains(" passed, "))?;
    Some(Tally { passed: number_before(counts, "passed"), failed: number_before(counts, "failed") })
}

fn number_before(counts: &str, what: &str) -> u64 {
    let parts = counts.split([',', ';']).map(str::trim);
    let found = parts.filter_map(|part| part.split_once(' ')).find(|(_, rest)| {
        *rest == what || rest.strip_prefix(what).is_some_and(|more| more.starts_with(" ("))
    });
    found.and_then(|(number, _)| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{cargo, chaos, nextest, playwright};
    use crate::tally::Tally;

    fn tally(passed: u64, failed: u64) -> Option<Tally> {
        Some(Tally { passed, failed })
    }

    #[test]
    fn cargos_summary_is_read() {
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 4 filtered out";
        assert_eq!(cargo(line), tally(3, 2));
        assert_eq!(cargo("test tally::tests::nothing ... ok"), None);
    }

    #[test]
    fn nextests_summary_is_read() {
        let line = "Summary [   0.012s] 15 tests run: 11 passed (1 slow), 2 failed, 2 timed out, 7 skipped";
        assert_eq!(nextest(line), tally(11, 4));
        assert_eq!(nextest("Summary [ 1.0s] 1 test run: 1 passed, 0 skipped"), tally(1, 0));
    }

    #[test]
    fn the_chaos_runs_summary_is_read() {
        assert_eq!(chaos("chaos: 6 passed, 1 failed, 1 skipped"), tally(6, 1));
        assert_eq!(chaos("chaos: seed 7, 5 restarts, 200 events each"), None);
        assert_eq!(chaos("chaos kill: passed in 7.5 s: acks 965, kills 5"), None);
    }

    #[test]
    fn playwrights_summary_is_read() {
        assert_eq!(playwright("12 passed (1.2m)"), tally(12, 0));
        assert_eq!(playwright("1 failed"), tally(0, 1));
        assert_eq!(playwright("2 did not run"), tally(0, 2));
        assert_eq!(playwright("1 skipped"), None);
        assert_eq!(playwright("Running 3 tests using 2 workers"), None);
    }
}
