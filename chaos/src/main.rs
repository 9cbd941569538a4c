//! The real server under real faults: `cargo xtask chaos`.
//!
//! Each scenario starts the real program on a data folder of its own, puts real clients (the machine
//! that runs in the page, over real WebSockets) behind a line of its own, provokes one kind of trouble
//! again and again while they write and read, and then holds everything against the promise: what
//! was acked is there, each event once, in order, and everyone has read all of it.
//!
//! A seed draws what is done and when; what the processes and the network make of it is theirs. So
//! the same seed makes the same choices, and not the same run.

#[cfg(unix)]
mod apart;
#[cfg(unix)]
mod chance;
#[cfg(unix)]
mod checks;
#[cfg(unix)]
mod clock;
#[cfg(unix)]
mod crew;
#[cfg(unix)]
mod disk;
#[cfg(unix)]
mod driver;
#[cfg(unix)]
mod http;
#[cfg(unix)]
mod leash;
#[cfg(unix)]
mod ledger;
#[cfg(unix)]
mod line;
#[cfg(unix)]
mod log;
#[cfg(unix)]
mod planted;
#[cfg(unix)]
mod program;
#[cfg(unix)]
mod scenario;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod service;
#[cfg(unix)]
mod shim;
#[cfg(unix)]
mod spans;
mod stage;
#[cfg(unix)]
mod trace;
#[cfg(unix)]
mod wall;
#[cfg(unix)]
mod worker;

#[cfg(unix)]
use program::{Outcome, Play};

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    if std::env::args().nth(1).is_some_and(|word| word == worker::WORD) {
        return worker::main();
    }
    program::main()
}

#[cfg(not(unix))]
fn main() {
    println!("chaos: 0 passed, 0 failed, all skipped: it needs the signals of a Unix");
}
