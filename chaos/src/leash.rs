//! Servers end with the run, however it ends: they are in a group of processes, and a shell that is
//! one of them waits for the end of a pipe that this program alone holds.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// Its last deed ends itself too.
const WAITS: &str = "read -r _; kill -KILL 0";

static LEASH: OnceLock<Option<Child>> = OnceLock::new();

/// The group that a server has to be in; `None` where there is no shell: then a run that is killed
/// leaves its servers behind.
pub(crate) fn group() -> Option<i32> {
    let leash = LEASH.get_or_init(|| {
        let mut shell = Command::new("sh");
        shell.args(["-c", WAITS]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        shell.process_group(0).spawn().ok()
    });
    i32::try_from(leash.as_ref()?.id()).ok()
}
