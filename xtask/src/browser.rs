//! A browser for the e2e suite.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::sh::{self, Outcome};
use crate::{debian, files, npm, setup};

/// Tells the suite which browser to start.
pub(crate) const VARIABLE: &str = "HOLDFAST_CHROMIUM";

const DOWNLOAD_LIMIT: Duration = Duration::from_secs(240);
const SYSTEM: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Which browser the suite uses.
pub(crate) enum Browser {
    /// The one that Playwright brings along.
    Own,
    /// One that lies elsewhere.
    At(PathBuf),
}

/// Finds a browser, or fetches one. What is there already comes before anything that has to be
/// downloaded, so that a run without network does not wait for a server that will not answer.
pub(crate) fn get() -> Outcome<Browser> {
    setup::node()?;
    npm::e2e()?;
    if let Some(chosen) = std::env::var_os(VARIABLE) {
        return Ok(Browser::At(chosen.into()));
    }
    if own_starts() {
        return Ok(Browser::Own);
    }
    if let Some(found) = on_path() {
        return Ok(Browser::At(found));
    }
    if sh::step("downloading a browser for the e2e suite", download).is_ok() && own_starts() {
        return Ok(Browser::Own);
    }
    if let Err(reason) = sh::step("apt-get install chromium", || debian::install(&["chromium"])) {
        println!("{reason}");
    }
    on_path().map(Browser::At).ok_or_else(|| {
        format!("no browser for the e2e suite: install Chromium or name one in {VARIABLE}")
    })
}

impl Browser {
    /// Makes `command`, which is Playwright, start this browser.
    pub(crate) fn choose_in(&self, command: &mut Command) {
        if let Self::At(path) = self {
            command.env(VARIABLE, path);
        }
    }
}

/// A browser that was downloaded may lack libraries of the system's.
fn own_starts() -> bool {
    let script = "process.stdout.write(require('@playwright/test').chromium.executablePath())";
    let mut probe = Command::new("node");
    probe.args(["-e", script]).current_dir(crate::workspace::root().join("e2e"));
    sh::output(&mut probe).is_ok_and(|path| !path.is_empty() && starts(&PathBuf::from(path)))
}

fn on_path() -> Option<PathBuf> {
    // Some distributions put a stub there that only tells how to install the real one.
    SYSTEM.iter().filter_map(|name| files::which(name)).find(starts)
}

fn starts(path: &PathBuf) -> bool {
    sh::output(Command::new(path).arg("--version")).is_ok()
}

fn download() -> Outcome<()> {
    let mut command = npm::e2e_program("@playwright/test/cli.js");
    sh::run_bounded(command.args(["install", "chromium"]), DOWNLOAD_LIMIT)
}
