//! The workers of the scenario `jobs`, each a process of its own, and the book of what they have told.
//!
//! One that has died is replaced by the next of the same name, which knows nothing of it. One that has
//! stopped itself goes on when its lease is long over.

use crate::{
    Outcome,
    clock::millis,
    leash,
    ledger::Ledger,
    spans::Spans,
    trace::Trace,
    worker::{LEASE_MS, WORD, event},
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    process::Stdio,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// How each of them works.
const WAYS: [&str; 8] =
    ["http", "http", "http", "http", "http,stalls", "http,stalls", "socket", "socket,stalls"];

/// A lease of a job, as its number and its fence.
pub(crate) type Lease = (String, u64);

/// A lease as a worker was given it.
#[derive(Debug)]
pub(crate) struct Had {
    who: String,
    attempt: u64,
    pub(crate) title: String,
}

/// What they have told.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// Who has had each lease.
    pub(crate) had: BTreeMap<Lease, Had>,
    /// From when to when each has stood at least.
    pub(crate) spans: Spans,
    /// Those whose workers died of it.
    left: BTreeSet<Lease>,
    /// Those that are kept for as long as the server stands still, or its clock jumps.
    pub(crate) holds: BTreeSet<Lease>,
    /// Those of them that were there when that began.
    still: BTreeSet<Lease>,
    /// How the end of each was answered at last, and which end it was.
    pub(crate) ended: BTreeMap<Lease, (String, String)>,
    /// Ends that were taken before, so that nobody had heard of it.
    pub(crate) again: u64,
    /// Ends that came too late.
    pub(crate) late: BTreeSet<Lease>,
    /// Events that these leases may bring, as their payloads, that the ledger does not know yet.
    may_say: Vec<String>,
    violations: Vec<String>,
}

impl Book {
    /// Takes a line of a worker's.
    pub(crate) fn take(&mut self, who: &str, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let lease = |job: &str, fence: &str| (job.to_owned(), fence.parse().unwrap_or(0));
        let nanos = |at: &str| at.parse().unwrap_or(0);
        match words[..] {
            ["had", job, fence, attempt, title] => {
                self.may_say.push(event(title, who, fence));
                let had = Had {
                    who: who.to_owned(),
                    attempt: attempt.parse().unwrap_or(0),
                    title: title.to_owned(),
                };
                if let Some(Had { who: other, .. }) = self.had.insert(lease(job, fence), had) {
                    self.broken(format!("J2: {who} and {other} were both given {job} by {fence}"));
                }
            }
            ["leased", job, fence, asked, got] => {
                self.spans.begins(lease(job, fence), nanos(asked), nanos(got));
            }
            ["longer", job, fence, asked] => self.spans.longer(&lease(job, fence), nanos(asked)),
            ["ends", job, fence, at] => self.spans.ends(&lease(job, fence), nanos(at)),
            ["holds", job, fence] => drop(self.holds.insert(lease(job, fence))),
            ["stalls", ..] => {}
            ["said", job, fence, what, taken] => {
                let lease = lease(job, fence);
                match taken {
                    "done" => {}
                    "again" => self.again += 1,
                    _ => {
                        if self.still.contains(&lease) {
                            self.broken(format!("J8: a stop or a jump has ended a lease: {line}"));
                        }
                        self.late.insert(lease.clone());
                    }
                }
                self.ended.insert(lease, (what.to_owned(), taken.to_owned()));
            }
            _ => self.broken(format!("J3: {who} says {line}")),
        }
    }

    /// The server stands still now, or its clock jumps: no lease that is held may end by that.
    pub(crate) fn stands_still(&mut self) {
        self.still.clone_from(&self.holds);
    }

    /// The last fence that anybody was given.
    pub(crate) fn newest(&self) -> u64 {
        self.had.keys().map(|(_, fence)| *fence).max().unwrap_or(0)
    }

    /// Of the leases behind this fence those whose workers have died, each as its job and its attempt.
    pub(crate) fn left_behind(&self, fence: u64) -> Vec<(String, u64)> {
        let left = self.left.iter().filter(|lease| lease.1 > fence);
        left.map(|lease| (lease.0.clone(), self.had[lease].attempt)).collect()
    }

    fn dies(&mut self, who: &str) {
        let theirs = self.had.iter().filter(|(_, had)| had.who == who).map(|(lease, _)| lease);
        let left = theirs.filter(|lease| !self.ended.contains_key(*lease)).cloned();
        let left: Vec<Lease> = left.collect();
        self.left.extend(left);
    }

    /// Of the ends that came too late, those by `holdfast-work.v1`.
    pub(crate) fn late_by_socket(&self) -> u64 {
        let by: BTreeSet<String> =
            (1..).zip(WAYS).filter(|it| it.1.contains("socket")).map(|it| name(it.0)).collect();
        self.late.iter().filter(|lease| by.contains(&self.had[*lease].who)).count() as u64
    }

    /// Whether whoever held a job over that has said what became of it.
    pub(crate) fn let_go(&self) -> bool {
        self.still.iter().all(|lease| self.ended.contains_key(lease))
    }

    fn broken(&mut self, what: String) {
        if self.violations.len() < 20 {
            self.violations.push(what);
        }
    }

    /// What must always hold of what they tell.
    pub(crate) fn unbroken(&self) -> Outcome<()> {
        if self.violations.is_empty() { Ok(()) } else { Err(self.violations.join("\n").into()) }
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Crew {
    book: Arc<Mutex<Book>>,
    kills: Vec<mpsc::UnboundedSender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

/// One place in it.
struct Place {
    address: SocketAddr,
    name: String,
    ways: &'static str,
    seed: u64,
    book: Arc<Mutex<Book>>,
    ledger: Ledger,
    trace: Trace,
    kills: mpsc::UnboundedReceiver<()>,
}

impl Crew {
    pub(crate) fn start(address: SocketAddr, seed: u64, ledger: &Ledger, trace: &Trace) -> Self {
        let book = Arc::<Mutex<Book>>::default();
        let (mut kills, mut tasks) = (Vec::new(), Vec::new());
        for (n, ways) in (1..).zip(WAYS) {
            let (kill, killed) = mpsc::unbounded_channel();
            let (book, ledger, trace) = (Arc::clone(&book), ledger.clone(), trace.clone());
            let place =
                Place { address, name: name(n), ways, seed, book, ledger, trace, kills: killed };
            kills.push(kill);
            tasks.push(tokio::spawn(place.keep()));
        }
        Self { book, kills, tasks }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many there are.
    pub(crate) const fn size(&self) -> usize {
        WAYS.len()
    }

    /// Ends all of them. Returns what they have told, to the last word.
    pub(crate) async fn end(mut self) -> Outcome<Book> {
        self.kills.clear();
        for task in std::mem::take(&mut self.tasks) {
            task.await?;
        }
        Ok(std::mem::take(&mut *self.book()))
    }

    /// Kills one of them, wherever it is.
    pub(crate) fn kill(&self, n: usize) {
        let _ = self.kills[n].send(());
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // Each has its process, which is killed with it.
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Place {
    async fn keep(mut self) {
        for turn in 0.. {
            match self.process(turn) {
                Ok(child) => {
                    if !self.one(child).await {
                        return;
                    }
                }
                Err(error) => {
                    return self.book().broken(format!("a worker cannot be started: {error}"));
                }
            }
            tokio::time::sleep(millis(20)).await;
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn process(&self, turn: u64) -> Outcome<Child> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args([WORD, &self.address.to_string(), &self.name])
            .args([self.seed.to_string(), turn.to_string()])
            .arg(self.ways)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        if let Some(group) = leash::group() {
            command.process_group(group);
        }
        Ok(command.spawn()?)
    }

    /// One process, to its end. Returns whether there is to be another one.
    async fn one(&mut self, mut child: Child) -> bool {
        let Some(out) = child.stdout.take() else { return true };
        let mut lines = BufReader::new(out).lines();
        let (mut wakes, mut over) = (None, false);
        loop {
            let wake = async {
                match wakes {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                line = lines.next_line() => match line {
                    Ok(Some(line)) => {
                        self.trace.say(&format!("{} {line}", self.name));
                        self.book().take(&self.name, &line);
                        for data in std::mem::take(&mut self.book().may_say) {
                            self.ledger.posted(&data);
                        }
                        if line.starts_with("stalls") {
                            self.trace.count("workers stalled", 1);
                            wakes = Some(Instant::now() + millis(LEASE_MS * 3 / 2));
                        }
                    }
                    _ => break,
                },
                killed = self.kills.recv(), if !over => {
                    let _ = child.start_kill();
                    // What it has said before is still heard.
                    over = killed.is_none();
                    if !over {
                        self.trace.fault("workers killed", &self.name);
                    }
                }
                () = wake => {
                    wakes = None;
                    go_on(&child);
                }
            }
        }
        // Before it is waited for: who has only closed its output would be waited for in vain.
        let _ = child.start_kill();
        let _ = child.wait().await;
        if !over {
            self.book().dies(&self.name);
            self.trace.count("workers that died", 1);
        }
        !over
    }
}

fn name(n: usize) -> String {
    format!("worker-{n}")
}

fn go_on(child: &Child) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id {
        let _ = kill_process(id, Signal::CONT);
    }
}
