//! A worker of the scenario `jobs`: this program again, in a process of its own, so that it can be
//! killed and stopped as any other. It does what a job's `body` says, and tells each thing that
//! happens to it in a line on stdout, before it goes on.
//!
//! | line | says |
//! |---|---|
//! | `leased JOB FENCE ASKED GOT` | a lease has come, which was asked for at one time and is here at another |
//! | `had JOB FENCE ATTEMPT TITLE` | a lease is its own |
//! | `longer JOB FENCE ASKED` | the lease is longer since it has asked for that |
//! | `holds JOB FENCE` | it keeps the job for as long as the server stands still or its clock jumps |
//! | `stalls JOB FENCE` | it stops itself, until somebody has it go on |
//! | `ends JOB FENCE AT` | it is about to say an end, for the first time |
//! | `said JOB FENCE WHAT TAKEN` | an end is answered: `done`, `again`, or why it is refused |
//! | `odd TEXT` | an answer that has no place |
//!
//! Times are those of the steady clock that all processes share.

mod http;
mod socket;

use crate::{
    Outcome,
    chance::Chance,
    clock::{millis, nanos},
};
use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt::Display, io::Write as _, net::SocketAddr, process::ExitCode};

/// The program's first argument that has it be a worker.
pub(crate) const WORD: &str = "worker";

/// A lease, but of those that hold a job: shorter than a stall, longer than anything else takes.
pub(crate) const LEASE_MS: u64 = 1_500;
/// The lease of a job that is held while the server stands still. When that is over there are still
/// seconds left of it, also where a stop costs it the 2 s that are no gap.
pub(crate) const HOLD_MS: u64 = 7_000;
/// For so long the server stands still: longer than every lease.
pub(crate) const STILL_MS: u64 = HOLD_MS + 500;
/// When a job that is held ends: behind the stop, and long before its lease does.
const HELD_MS: u64 = STILL_MS + 500;
/// For so long a job is kept while the clock jumps. The lease is that of one that is held: more than
/// twice as long, though the server is started again meanwhile.
const KEPT_MS: u64 = 2_500;
/// How many attempts a poison job has.
pub(crate) const POISON_ATTEMPTS: u32 = 3;

/// What a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Plain,
    /// Its completion enqueues one more.
    Parent,
    /// Each attempt fails.
    Fails,
    /// Each attempt kills who has it.
    Kills,
    /// It is held while the server stands still.
    Held,
    /// It is held while the server's clock jumps.
    Kept,
}

/// A job of the namespace's type `task`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Task {
    pub(crate) title: String,
    #[serde(rename = "body")]
    pub(crate) kind: Kind,
}

/// A job as it is leased, by either way.
#[derive(Debug, Deserialize)]
struct Leased {
    id: String,
    token: String,
    fence: u64,
    attempt: u32,
    data: Task,
}

/// What it does with a job.
enum Deed {
    Complete,
    Fail(String),
    GiveBack,
    /// Has the lease be longer, and completes after so many milliseconds.
    Hold(u64),
}

/// The payload of what it says in a room when a job is done.
pub(crate) fn event(title: &str, name: &str, fence: impl Display) -> String {
    format!("{{\"text\":\"{title} {name} {fence}\"}}")
}

const CHILD: &str = "-child";

/// The title of the job that a parent's completion brings.
pub(crate) fn child(title: &str) -> String {
    format!("{title}{CHILD}")
}

/// Whether a job of this title was brought by another one's end.
pub(crate) fn is_child(title: &str) -> bool {
    title.ends_with(CHILD)
}

/// Works until it is killed. The arguments are the server's address, its own name, a seed, its turn
/// among those of that name, and what it is.
pub(crate) fn main() -> ExitCode {
    let worked = Worker::read().and_then(|worker| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            if worker.ways.contains("socket") {
                socket::work(worker).await
            } else {
                http::work(worker).await
            }
        })
    });
    match worked {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("odd {error}"));
            ExitCode::FAILURE
        }
    }
}

struct Worker {
    address: SocketAddr,
    name: String,
    chance: Chance,
    /// `socket`: it comes by `holdfast-work.v1`. `stalls`: it stops in the middle of jobs.
    ways: String,
}

impl Worker {
    fn read() -> Outcome<Self> {
        let mut arguments = std::env::args().skip(2);
        let mut next = || arguments.next().ok_or("a worker's arguments");
        let (address, name) = (next()?.parse()?, next()?);
        let (seed, turn) = (next()?.parse()?, next()?.parse()?);
        let chance = Chance::new(seed, &name, turn);
        Ok(Self { address, name, chance, ways: next()? })
    }

    /// What the end of a job brings, in the form that both ways have: an event of its own, and a parent's
    /// child.
    fn brings(&self, job: &Leased) -> Outcome<Value> {
        let title = &job.data.title;
        let data: Value = serde_json::from_str(&event(title, &self.name, job.fence))?;
        let mut brings = json!({ "events": [{
            "namespace": "chat", "room": "lobby", "type": "message", "data": data,
        }] });
        if job.data.kind == Kind::Parent {
            let data = json!({ "title": child(title), "body": Kind::Plain });
            brings["jobs"] = json!([{
                "job": { "type": "task", "data": data, "max_attempts": 100, "backoff_ms": 20 },
            }]);
        }
        Ok(brings)
    }

    /// Has got a job: what is to be done with it. Some die of it.
    async fn begins(&mut self, job: &Leased) -> Deed {
        let Leased { id, fence, attempt, data: Task { title, kind }, .. } = job;
        say(&format!("had {id} {fence} {attempt} {title}"));
        match kind {
            Kind::Kills => {
                let _ = kill_process(getpid(), Signal::KILL);
                Deed::Hold(HELD_MS)
            }
            Kind::Fails => Deed::Fail(format!("{title} cannot be done")),
            // Who comes behind the stop would hold it for longer than the lease.
            Kind::Held if *attempt == 1 => Deed::Hold(HELD_MS),
            Kind::Kept if *attempt == 1 => Deed::Hold(KEPT_MS),
            Kind::Plain | Kind::Parent | Kind::Held | Kind::Kept => {
                tokio::time::sleep(millis(self.chance.between(0, 15))).await;
                if self.ways.contains("stalls") && self.chance.percent(15) {
                    say(&format!("stalls {id} {fence}"));
                    let _ = kill_process(getpid(), Signal::STOP);
                    return Deed::Complete;
                }
                match self.chance.between(0, 99) {
                    0..=3 => Deed::Fail("not now".to_owned()),
                    4..=6 => Deed::GiveBack,
                    _ => Deed::Complete,
                }
            }
        }
    }
}

/// Whole lines, at once: what was said before a kill is heard.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    let told = out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush());
    if told.is_err() {
        // Nobody listens any more: the run is over.
        std::process::exit(0);
    }
}

/// Tells of a lease that has come, which it has asked for at this time and not before.
fn came(job: &Leased, asked: u64) {
    say(&format!("leased {} {} {asked} {}", job.id, job.fence, nanos()));
}

/// Tells that the lease is [longer](HOLD_MS), which it has asked for at this time and not before.
fn longer(job: &Leased, asked: u64) {
    say(&format!("longer {} {} {asked}", job.id, job.fence));
    say(&format!("holds {} {}", job.id, job.fence));
}

/// Tells that it is about to end the lease: from now on another one may come.
fn ends(job: &Leased) {
    say(&format!("ends {} {} {}", job.id, job.fence, nanos()));
}

/// Tells how an end was answered.
fn said(job: &Leased, what: &str, taken: &str) {
    say(&format!("said {} {} {what} {taken}", job.id, job.fence));
}
