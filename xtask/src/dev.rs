//! Live reload: Trunk before the server, and neither outlives the other.

use std::process::{Child, Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::setup;
use crate::sh::{self, Outcome};
use crate::workspace::cargo;

/// Runs `trunk serve` and `cargo run -- OPTIONS` until one of them ends or somebody interrupts.
pub(crate) fn run(options: &[String]) -> Outcome<ExitCode> {
    let tools = setup::page()?;
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed))
        .map_err(|error| format!("no handler for Ctrl-C: {error}"))?;

    println!("the page on http://127.0.0.1:8080, the server behind it on port 3000");
    let mut server = start(cargo(&["run", "--package", "holdfast-backend", "--"]).args(options))?;
    let trunk = start(tools.command("trunk").arg("serve").env_remove("NO_COLOR"));
    let mut trunk = trunk.inspect_err(|_| sh::end(&mut server))?;

    let ended = loop {
        if interrupted.load(Ordering::Relaxed) {
            break None;
        }
        if has_ended(&mut server) {
            break Some("the server");
        }
        if has_ended(&mut trunk) {
            break Some("trunk serve");
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    sh::end(&mut trunk);
    sh::end(&mut server);
    match ended {
        Some(who) => Err(format!("{who} has ended")),
        None => Ok(ExitCode::SUCCESS),
    }
}

fn start(command: &mut Command) -> Outcome<Child> {
    command.spawn().map_err(|error| format!("{} could not be started: {error}", sh::told(command)))
}

fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}
