//! What is taken from Debian's packages, where that may be done.

use std::process::Command;

use crate::files;
use crate::sh::{self, Outcome};

/// Installs packages, as root on Debian; nothing of them is started.
pub(crate) fn install(packages: &[&str]) -> Outcome<()> {
    let root = sh::output(Command::new("id").arg("-u")).is_ok_and(|id| id == "0");
    if !root || files::which("apt-get").is_none() {
        return Err(format!("installing {} takes root on Debian", packages.join(", ")));
    }
    apt(&["update", "--quiet"])?;
    apt(&[&["install", "--yes", "--quiet", "--no-install-recommends"], packages].concat())
}

fn apt(arguments: &[&str]) -> Outcome<()> {
    let mut command = Command::new("apt-get");
    command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").env("RUNLEVEL", "1");
    sh::run(&mut command)
}
