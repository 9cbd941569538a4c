//! Golden files are added and never changed: the history of the project shows it. (Sums beside the
//! files would be changed together with them.)

use std::process::Command;

use crate::sh;
use crate::workspace::root;

/// From this commit on; before it nothing had been released.
const SINCE: &str = "915da171201543a26c8d16e6110ecbca124a8aec";

const FOLDERS: [&str; 5] = [
    "common/tests/golden/wire",
    "common/tests/golden/stored",
    "backend/tests/golden",
    "backend/migrations",
    "frontend/tests/golden",
];

fn git(arguments: &[&str]) -> sh::Outcome<String> {
    let mut git = Command::new("git");
    git.current_dir(root()).args(arguments).arg("--").args(FOLDERS);
    sh::output(&mut git)
}

#[test]
fn no_golden_file_and_no_migration_was_ever_changed() {
    // A copy without its history cannot tell.
    let Ok(known) = git(&["log", "-1", "--format=%H", SINCE]) else { return };
    assert!(!known.is_empty(), "golden files are older than that");
    // All but added files.
    let committed =
        git(&["log", "--format=", "--name-status", "--diff-filter=a", &format!("{SINCE}..HEAD")]);
    assert_eq!(committed.as_deref(), Ok(""));
    let here = git(&["diff", "--name-status", "--diff-filter=a", "HEAD"]);
    assert_eq!(here.as_deref(), Ok(""));
}
