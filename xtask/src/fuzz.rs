//! Fuzzing: libFuzzer looks for inputs that a parser's target does not stand.
//!
//! The flags are those that `cargo fuzz` gives to the compiler; there is nothing to be installed but
//! a nightly toolchain, for the address sanitizer.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::sh::{self, Outcome};
use crate::workspace::{Workspace, root};

/// How long each target runs where nothing else is said.
const SECONDS: u64 = 60;
/// The longest input that is tried. Longer ones are slow, and say little more.
const MOST_BYTES: usize = 4096;

const RUSTFLAGS: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Zsanitizer=address",
    "--cfg=fuzzing",
];

/// A target, and the folders that it sets out from.
struct Target {
    name: String,
    seeds: Vec<PathBuf>,
}

/// Runs the target that is named, or one after the other.
pub(crate) fn run(arguments: &[String]) -> Outcome<ExitCode> {
    let targets = targets()?;
    let (chosen, seconds) = chosen(&targets, arguments)?;
    let host = nightly()?;
    let built = sh::step("the fuzz targets", || build(&host))?;
    let mut failed = Vec::new();
    for target in chosen {
        let work = || fuzz(&built, target, seconds);
        if let Err(reason) = sh::step(&format!("{} for {seconds} s", target.name), work) {
            failed.push(format!("{}: {reason}", target.name));
        }
    }
    for failure in &failed {
        println!("FAILED {failure}");
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn folder() -> PathBuf {
    root().join("fuzz")
}

fn targets() -> Outcome<Vec<Target>> {
    let file = folder().join("targets.txt");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let target = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        Some(Target { name, seeds: words.map(|folder| root().join(folder)).collect() })
    };
    Ok(lines.filter_map(target).collect())
}

fn chosen<'a>(targets: &'a [Target], arguments: &[String]) -> Outcome<(Vec<&'a Target>, u64)> {
    let (mut named, mut seconds) = (Vec::new(), SECONDS);
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--seconds" {
            let number = words.next().and_then(|number| number.parse().ok());
            seconds = number.ok_or("--seconds takes a number")?;
            continue;
        }
        let known = targets.iter().find(|target| target.name == *word);
        let names = || targets.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ");
        named.push(known.ok_or_else(|| format!("{word:?} is none of the targets {}", names()))?);
    }
    Ok((if named.is_empty() { targets.iter().collect() } else { named }, seconds))
}

/// What the nightly toolchain compiles for, if there is one.
fn nightly() -> Outcome<String> {
    let missing = || "fuzzing needs a nightly toolchain: `rustup toolchain install nightly`";
    let mut rustc = Command::new("rustup");
    let said = sh::output(rustc.args(["run", "nightly", "rustc", "-vV"])).map_err(|_| missing())?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| missing().to_owned())
}

/// Builds all targets; returns the folder that they are in.
fn build(host: &str) -> Outcome<PathBuf> {
    let target = Workspace::read()?.target().join("fuzz");
    let mut cargo = Command::new("rustup");
    cargo.args(["run", "nightly", "cargo", "build", "--release", "--bins", "--locked"]);
    // With a target named, the flags are not for build scripts and macros, which run while it builds.
    cargo.args(["--target", host, "--target-dir"]).arg(&target);
    cargo.current_dir(folder()).env("RUSTFLAGS", RUSTFLAGS.join(" "));
    // The compiler that runs this chore would be taken for all of it.
    cargo.env_remove("RUSTUP_TOOLCHAIN").env_remove("RUSTC").env_remove("CARGO");
    sh::run(&mut cargo)?;
    Ok(target.join(host).join("release"))
}

/// What was found stands in `fuzz/artifacts` until it is understood; then it is kept, under a name
/// that says what it is, in `fuzz/regressions`.
fn fuzz(built: &Path, target: &Target, seconds: u64) -> Outcome<()> {
    let own = |kind: &str| made(folder().join(kind).join(&target.name));
    let (corpus, artifacts) = (own("corpus")?, own("artifacts")?);
    let mut fuzzer = Command::new(built.join(&target.name));
    fuzzer.arg(format!("-max_total_time={seconds}"));
    fuzzer.arg(format!("-max_len={MOST_BYTES}")).args(["-timeout=10", "-rss_limit_mb=2048"]);
    fuzzer.arg("-print_final_stats=1");
    // SQLite has constants of one name in several places, which is no fault in C.
    fuzzer.env("ASAN_OPTIONS", "detect_odr_violation=0");
    fuzzer.arg(format!("-artifact_prefix={}/", artifacts.display()));
    // The first folder takes what is new.
    fuzzer.arg(corpus).arg(made(folder().join("regressions").join(&target.name))?);
    fuzzer.args(&target.seeds).current_dir(root());
    sh::run(&mut fuzzer).map_err(|_| format!("see {}", artifacts.display()))
}

fn made(folder: PathBuf) -> Outcome<PathBuf> {
    let made = fs::create_dir_all(&folder);
    made.map(|()| folder.clone()).map_err(|error| format!("{}: {error}", folder.display()))
}
