//! The command line, and how the scenarios' ends are told.

use crate::{
    apart,
    planted::{self, Fault},
    scenario::{ALL, Scenario},
    trace::Trace,
};
use clap::Parser;
use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    thread,
    time::Instant,
};
use tokio::signal::unix::{SignalKind, signal};

/// Somebody has told the run to end.
static ENDING: AtomicBool = AtomicBool::new(false);

/// A scenario fails with a text for a person.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The real server under real faults.
#[derive(Debug, Parser)]
#[command(args_override_self = true)]
struct Options {
    /// How often the server is killed; the other scenarios' rounds go by it
    #[arg(long, default_value_t = 100)]
    restarts: u64,
    /// Events that are written between two kills
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(100..))]
    events: u64,
    /// What everything is drawn from; a random one where it is absent
    #[arg(long)]
    seed: Option<u64>,
    /// The server's program
    #[arg(long)]
    server: PathBuf,
    /// Where data, logs and traces of a run lie; those of a scenario that has passed are removed
    #[arg(long)]
    folder: PathBuf,
    /// The server was built with its failpoints, so that it dies where it is told to
    #[arg(long)]
    failpoints: bool,
    /// A fault that the scenario `jobs` has to see, or `all` of them, one by one
    #[arg(long)]
    planted: Option<String>,
    /// How many scenarios run at a time
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..))]
    jobs: u8,
    /// Which scenarios; all of them where none is named
    scenarios: Vec<String>,
}

/// One scenario's run.
#[derive(Debug, Clone)]
pub(crate) struct Play {
    pub(crate) scenario: &'static str,
    pub(crate) seed: u64,
    pub(crate) restarts: u64,
    pub(crate) events: u64,
    pub(crate) program: PathBuf,
    pub(crate) folder: PathBuf,
    /// Whether the server dies where it is told to.
    pub(crate) failpoints: bool,
    /// What is wrong on purpose.
    pub(crate) planted: Option<&'static Fault>,
}

impl Play {
    /// The server's folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Long enough for what happens seldom.
    pub(crate) fn is_long(&self) -> bool {
        self.restarts >= 50 && self.events >= 1_000
    }

    /// A share of the rounds, but not less than so many.
    pub(crate) fn rounds(&self, of: u64, least: u64) -> u64 {
        (self.restarts / of).max(least)
    }
}

/// How a scenario that has not failed ended.
pub(crate) enum End {
    Passed,
    /// This machine cannot do it, for this reason.
    Skipped(String),
}

pub(crate) fn main() -> ExitCode {
    let options = Options::parse();
    apart::begin();
    let chosen = match chosen(&options) {
        Ok(chosen) => chosen,
        Err(text) => {
            eprintln!("{text}");
            return ExitCode::from(2);
        }
    };
    let seed = options.seed.unwrap_or_else(random);
    println!("chaos: seed {seed}, {} restarts, {} events each", options.restarts, options.events);
    let ends = play_all(&chosen, &options, seed);
    let count = |is: fn(&Result<End, ()>) -> bool| ends.iter().filter(|end| is(end)).count();
    let passed = count(|end| matches!(end, Ok(End::Passed)));
    let skipped = count(|end| matches!(end, Ok(End::Skipped(_))));
    let failed = chosen.len() - passed - skipped;
    println!("chaos: {passed} passed, {failed} failed, {skipped} skipped");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A scenario, and what is wrong on purpose.
type Chosen = (&'static Scenario, Option<&'static Fault>);

fn chosen(options: &Options) -> Result<Vec<Chosen>, String> {
    let names = || ALL.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
    let named = |name: &str| ALL.iter().find(|scenario| scenario.name == name);
    let named = |name: &str| named(name).ok_or_else(|| format!("the scenarios are {}", names()));
    if let Some(name) = &options.planted {
        let faults = planted::named(name).ok_or_else(|| {
            let names: Vec<_> = planted::ALL.iter().map(|fault| fault.name).collect();
            format!("the faults are all, {}", names.join(", "))
        })?;
        let jobs = named(planted::SCENARIO)?;
        return Ok(faults.into_iter().map(|fault| (jobs, Some(fault))).collect());
    }
    if options.scenarios.is_empty() {
        return Ok(ALL.iter().map(|scenario| (scenario, None)).collect());
    }
    options.scenarios.iter().map(|name| Ok((named(name)?, None))).collect()
}

/// So many at a time: most of what they do is to wait.
fn play_all(chosen: &[Chosen], options: &Options, seed: u64) -> Vec<Result<End, ()>> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut ends = Vec::new();
        while let Some((scenario, planted)) = chosen.get(next.fetch_add(1, Relaxed)) {
            if ENDING.load(Relaxed) {
                break;
            }
            ends.push(run(scenario, *planted, options, seed));
        }
        ends
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        // One that panicked has no ends, and what has none has failed.
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn run(
    scenario: &Scenario,
    planted: Option<&'static Fault>,
    options: &Options,
    seed: u64,
) -> Result<End, ()> {
    let name = match planted {
        Some(fault) => format!("{}-with-{}", scenario.name, fault.name),
        None => scenario.name.to_owned(),
    };
    let began = Instant::now();
    let folder = options.folder.join(format!("{name}-{seed}"));
    let prepared = prepare(&folder);
    let ended = prepared.and_then(|trace| {
        let play = Play {
            scenario: scenario.name,
            seed,
            restarts: options.restarts,
            events: options.events,
            program: options.server.clone(),
            folder: folder.clone(),
            failpoints: options.failpoints,
            planted,
        };
        // A runtime of its own: nothing of a scenario is left when the next one begins.
        let runtime = tokio::runtime::Runtime::new()?;
        let end = runtime.block_on(async {
            tokio::select! {
                end = (scenario.play)(&play, &trace) => end,
                told = told_to_end() => Err(told),
            }
        })?;
        Ok((end, trace))
    });
    let took = began.elapsed().as_secs_f64();
    match ended {
        Ok((end, trace)) => {
            match &end {
                End::Passed => println!("chaos {name}: passed in {took:.1} s: {}", trace.sum()),
                End::Skipped(why) => println!("chaos {name}: SKIPPED: {why}"),
            }
            // What is left there harms nobody.
            let _ = fs::remove_dir_all(&folder);
            Ok(end)
        }
        Err(error) => {
            println!("chaos {name}: FAILED after {took:.1} s");
            println!("{error}");
            println!("data, log and trace are in {}", folder.display());
            let Options { restarts, events, .. } = options;
            let what = match planted {
                Some(fault) => format!("--planted {}", fault.name),
                None => name,
            };
            println!(
                "again with the same choices: \
                 cargo xtask chaos --restarts {restarts} --events {events} --seed {seed} {what}"
            );
            Err(())
        }
    }
}

/// Completes at ctrl-c or SIGTERM. Servers are ended, and a small disk is let go, when what holds
/// them is dropped.
async fn told_to_end() -> Box<dyn std::error::Error + Send + Sync> {
    let told = async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok::<_, std::io::Error>(())
    };
    match told.await {
        Ok(()) => {
            ENDING.store(true, Relaxed);
            "told to end".into()
        }
        Err(error) => error.into(),
    }
}

fn prepare(folder: &Path) -> Outcome<Trace> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    Trace::to(&folder.join("trace.log"))
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system has random bytes");
    u64::from_le_bytes(bytes) >> 16
}
