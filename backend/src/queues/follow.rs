//! Those who are told what moves in queues: boards of everything, and who holds jobs of what may have
//! taken these from them.

use super::{Name, desk::Desk};
use crate::limits::WAITING_WRITES;
use holdfast_common::{
    job::{
        Place,
        figures::{Figures, Rates},
    },
    storage::jobs::{Move, Moves, QueueMoves, QueueName},
    time::{Instant, Millis},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};
use tokio::{sync::mpsc, task::AbortHandle};

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
        // The first is known by the time they are told.
        self.desk.figures(&self.queue);
    }

    /// What goes through the queue, and the age of its oldest job: for a board, once both are known.
    pub(crate) fn figures(&self) -> Option<(Rates, Option<Millis>)> {
        if self.whole.load(Relaxed) { self.desk.figures(&self.queue) } else { None }
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
    of: HashMap<QueueName, Followed>,
    figures: HashMap<QueueName, Figures>,
}

/// A queue that is followed.
#[derive(Default)]
struct Followed {
    entries: BTreeMap<u64, Entry>,
    oldest: Oldest,
}

/// How long ago the oldest job was enqueued that could begin.
#[derive(Default)]
struct Oldest {
    /// When it was read, and what that said.
    read: Option<(Instant, Option<Millis>)>,
    /// The task that reads it anew.
    reading: Option<AbortHandle>,
}

/// For how long such a read serves: less than the second in which figures are told anew.
const FRESH: Millis = Millis(900);

impl Followers {
    fn add(&mut self, queue: &Name, entry: Entry) -> u64 {
        self.last += 1;
        let followed = self.of.entry((**queue).clone()).or_default();
        followed.entries.insert(self.last, entry);
        self.last
    }

    fn remove(&mut self, queue: &Name, number: u64) {
        if let Some(followed) = self.of.get_mut(&**queue) {
            followed.entries.remove(&number);
            if followed.entries.is_empty() {
                // Nobody looks any more at what is being read.
                if let Some(reading) = &followed.oldest.reading {
                    reading.abort();
                }
                self.of.remove(&**queue);
            }
        }
    }

    /// Nobody can say what has moved: all who follow look for themselves.
    pub(super) fn doubt(&self) {
        for entry in self.of.values().flat_map(|of| of.entries.values()) {
            entry.way.missed.store(true, Relaxed);
            // Where no more find room those that wait have it looked at.
            let _ = entry.way.moves.try_send(Arc::default());
        }
    }

    /// The engine has come to this version.
    pub(super) fn is_at(&mut self, version: u64) {
        self.version = self.version.max(version);
    }

    pub(super) fn moved(&mut self, now: Instant, moves: &Moves) {
        self.is_at(moves.version);
        for moved in &moves.queues {
            let name = QueueName { ns: moved.queue.ns.clone(), name: moved.queue.name.clone() };
            if let Some(followed) = self.of.get(&name) {
                tell(&followed.entries, moves.version, moved);
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

    /// No change that was committed by now is newer. Nobody may have been told of those of the calls that are
    /// under way, each of which the engine may have begun twice.
    pub(crate) fn newest(&self) -> u64 {
        self.version() + 2 * WAITING_WRITES as u64
    }

    /// What went through a queue in the last minute.
    pub(crate) fn rates(&self, queue: &QueueName) -> Rates {
        let now = self.now();
        let mut state = self.state();
        state.followers.figures.get_mut(queue).map(|it| it.read(now)).unwrap_or_default()
    }

    /// The same of a queue that is followed, and how long ago the oldest job that could begin now was
    /// enqueued, as it was read last: a second ago, or longer where the storage takes long. `None` until
    /// that was read. Nobody waits for it, and one read serves all who look at the queue.
    fn figures(self: &Arc<Self>, queue: &Name) -> Option<(Rates, Option<Millis>)> {
        let (rates, now) = (self.rates(queue), self.now());
        let mut state = self.state();
        let oldest = &mut state.followers.of.get_mut(&**queue)?.oldest;
        let stale = oldest.read.is_none_or(|(at, _)| now >= at + FRESH);
        if stale && oldest.reading.as_ref().is_none_or(AbortHandle::is_finished) {
            let reading = tokio::spawn(Arc::clone(self).read_oldest(Arc::clone(queue)));
            oldest.reading = Some(reading.abort_handle());
        }
        let (at, age) = oldest.read?;
        Some((rates, age.map(|age| Millis(age.0 + (now - at).0))))
    }

    async fn read_oldest(self: Arc<Self>, queue: Name) {
        let Ok(read) = self.engine.queue(&queue.ns, &queue.name).await else { return };
        let now = self.now();
        if let Some(followed) = self.state().followers.of.get_mut(&*queue) {
            followed.oldest.read = Some((now, read.and_then(|read| read.oldest)));
        }
    }
}
