//! A run has its own view of what is mounted where. What it mounts is seen by it and its servers
//! alone, and goes with the last of them, however they end.

use std::{
    env, fs, io,
    os::unix::process::CommandExt as _,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Where this program began, told to itself.
const BEGAN: &str = "HOLDFAST_CHAOS_BEGAN";

/// Begins this program once more in a view of its own. Returns where that cannot be had: without being
/// root, and outside of Linux.
pub(crate) fn begin() {
    let Ok(view) = view() else { return };
    if env::var_os(BEGAN).is_some() || !unshared("true").status().is_ok_and(|it| it.success()) {
        return;
    }
    let Ok(program) = env::current_exe() else { return };
    let mut again = unshared(program);
    again.args(env::args_os().skip(1)).env(BEGAN, view);
    again.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let error = again.exec();
    eprintln!("chaos: it goes on in the common view of mounts: {error}");
}

/// Whether it is in a view of its own. What it does not know to be its own it does not mount in.
pub(crate) fn is_apart() -> bool {
    match (env::var_os(BEGAN), view()) {
        (Some(began), Ok(view)) => view.as_os_str() != began,
        _ => false,
    }
}

/// The name of the view that a process has.
fn view() -> io::Result<PathBuf> {
    fs::read_link("/proc/self/ns/mnt")
}

fn unshared(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "--propagation", "private", "--"]).arg(program);
    unshare.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    unshare
}
