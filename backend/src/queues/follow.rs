//! Those who are told what moves in queues: boards of everything, and who holds jobs of what may have
//! taken these from them.

use super::{Name, desk::Desk};
use holdfast_common::{
    job::{
        Place,
        figures::{Figures, Rates},
    },
    storage::jobs::{Move, Moves, QueueMoves, QueueName},
    time::Instant,
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::sync::mpsc;

/// Changes that wait for one that follows; past it they are dropped for a note that some were missed.
const WAITING: usize = 256;

/// A connection that follows queues.
pub(crate) struct Follower {
    /// What has moved, in some order.
    pub(crate) moves: mpsc::Receiver<Arc<Moves>>,
    way: Way,
}

#[derive(Clone)]
struct Way {
    moves: mpsc::Sender<Arc<Moves>>,
    missed: Arc<AtomicBool>,
}

impl Follower {
    pub(crate) fn new() -> Self {
        let (sender, moves) = mpsc::channel(WAITING);
        Self { moves, way: Way { moves: sender, missed: Arc::default() } }
    }

    /// Whether something was dropped since this was asked last.
    pub(crate) fn missed(&self) -> bool {
        self.way.missed.swap(false, Relaxed)
    }

    /// Follows a queue for as long as the answer is kept.
    pub(crate) fn follow(&self, desk: &Arc<Desk>, queue: &Name) -> Follow {
        let whole = Arc::new(AtomicBool::new(false));
        let entry = Entry { way: self.way.clone(), whole: Arc::clone(&whole) };
        let number = desk.state().followers.add(queue, entry);
        Follow { desk: Arc::clone(desk), queue: Arc::clone(queue), number, whole }
    }
}

/// That a connection follows a queue.
pub(crate) struct Follow {
    desk: Arc<Desk>,
    queue: Name,
    number: u64,
    whole: Arc<AtomicBool>,
}

impl Follow {
    /// From now on it is told everything, as a board has to be; before, what may take a job from who
    /// holds it.
    pub(crate) fn everything(&self) {
        self.whole.store(true, Relaxed);
    }

    /// What goes through the queue, for a board.
    pub(crate) fn rates(&self) -> Option<Rates> {
        let shown = self.whole.load(Relaxed);
        shown.then(|| self.desk.rates(&self.queue))
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.desk.state().followers.remove(&self.queue, self.number);
    }
}

struct Entry {
    way: Way,
    whole: Arc<AtomicBool>,
}

/// Who follows which queue, and the figures of each.
#[derive(Default)]
pub(super) struct Followers {
    last: u64,
    /// The newest change that was told.
    version: u64,
    of: HashMap<QueueName, BTreeMap<u64, Entry>>,
    figures: HashMap<QueueName, Figures>,
}

impl Followers {
    fn add(&mut self, queue: &Name, entry: Entry) -> u64 {
        self.last += 1;
        self.of.entry((**queue).clone()).or_default().insert(self.last, entry);
        self.last
    }

    fn remove(&mut self, queue: &Name, number: u64) {
        if let Some(entries) = self.of.get_mut(&**queue) {
            entries.remove(&number);
            if entries.is_empty() {
                self.of.remove(&**queue);
            }
        }
    }

    pub(super) fn told(&mut self, now: Instant, moves: &Moves) {
        self.version = self.version.max(moves.version);
        for moved in &moves.queues {
            let name = QueueName { ns: moved.queue.ns.clone(), name: moved.queue.name.clone() };
            if let Some(entries) = self.of.get(&name) {
                tell(entries, moves.version, moved);
            }
            self.figures.entry(name).or_default().heard(now, &moved.jobs);
        }
    }
}

fn tell(entries: &BTreeMap<u64, Entry>, version: u64, moved: &QueueMoves) {
    let only = |jobs: Vec<Move>| {
        let queue = moved.queue.clone();
        Arc::new(Moves { version, queues: vec![QueueMoves { queue, jobs }] })
    };
    let (mut whole, mut part) = (None, None);
    let lost = |job: &Move| job.from == Some(Place::Leased) && job.to != Some(Place::Done);
    let some = moved.jobs.iter().any(lost);
    for entry in entries.values() {
        let moves = if entry.whole.load(Relaxed) {
            whole.get_or_insert_with(|| only(moved.jobs.clone()))
        } else if some {
            let taken = || moved.jobs.iter().filter(|job| lost(job)).cloned().collect();
            part.get_or_insert_with(|| only(taken()))
        } else {
            continue;
        };
        if entry.way.moves.try_send(Arc::clone(moves)).is_err() {
            entry.way.missed.store(true, Relaxed);
        }
    }
}

impl Desk {
    /// The newest change that was told to anybody: what is read from now on has it, and all before it.
    pub(crate) fn version(&self) -> u64 {
        self.state().followers.version
    }

    /// What went through a queue in the last minute.
    pub(crate) fn rates(&self, queue: &QueueName) -> Rates {
        let now = self.now();
        let mut state = self.state();
        state.followers.figures.get_mut(queue).map(|it| it.read(now)).unwrap_or_default()
    }
}
