//! The store as a model: tasks wait, are carried out together at one time of its clock, reach the
//! disk together, and are answered one by one. Between any two of these the process can die.

use crate::{
    client::name,
    deed::{Answer, Deed, Enqueued, Task},
    disk::{Disk, QUEUES, Queue, Row},
    tx::Tx,
};
use holdfast_common::{
    dispatch::Count,
    job::{
        Place, QueueSettings, StoreTime,
        clock::{Kept, Observed, StoreClock},
    },
    planted::{Planted, planted},
    storage::jobs::{Counts, Move, Moves, QueueInfo, QueueMoves},
    time::{Instant, Millis, Timestamp},
};
use std::{collections::VecDeque, rc::Rc};

/// What has become of a task, and what each queue's claims could have behind it.
pub struct Done<C> {
    pub call: C,
    pub answer: Answer,
    pub counts: Vec<(Queue, Count)>,
    /// What has moved.
    pub moves: Rc<Moves>,
}

/// What goes wrong with the storage.
#[derive(Debug, Default)]
pub struct Trouble {
    pub full: bool,
    /// So many batches more are answered as unknown; every other one of them is on the disk.
    pub unknown: u64,
    pub moved: u64,
}

/// A batch on its way to the disk.
pub struct Batch {
    disk: Disk,
    pub now: StoreTime,
    /// What the ledger has counted of the time at its beginning.
    pub counted: u64,
    pub deeds: Vec<Deed>,
    observed: Observed,
}

struct Committing<C> {
    batch: Batch,
    done: Vec<Done<C>>,
}

pub struct Store<C> {
    pub disk: Disk,
    clock: StoreClock,
    tasks: VecDeque<(C, Task)>,
    committing: Option<Committing<C>>,
    done: VecDeque<Done<C>>,
    version: u64,
    /// Nobody could say whether the batch of this look is on the disk.
    doubt: Option<Observed>,
    forgotten: u64,
}

impl<C: Clone> Store<C> {
    /// A new store.
    pub fn new(wall: Timestamp, steady: Instant) -> Self {
        Self::with(Disk::new(wall), StoreClock::new(steady))
    }

    /// The process starts on this disk.
    pub fn open(mut disk: Disk, wall: Timestamp, steady: Instant) -> Self {
        let clock = StoreClock::open(disk.kept, wall, steady);
        let forgotten = if planted(Planted::LapseForgotten) { disk.fence } else { 0 };
        if planted(Planted::FenceReused) {
            disk.fence = 0;
        }
        if planted(Planted::KeyForgotten) {
            disk.keys.clear();
        }
        if planted(Planted::JobForgotten) {
            forget_one(&mut disk);
        }
        Self { forgotten, ..Self::with(disk, clock) }
    }

    fn with(disk: Disk, clock: StoreClock) -> Self {
        let (tasks, done) = (VecDeque::new(), VecDeque::new());
        Self { disk, clock, tasks, committing: None, done, version: 0, doubt: None, forgotten: 0 }
    }

    pub fn put(&mut self, call: C, task: Task) {
        self.tasks.push_back((call, task));
    }

    pub fn can_begin(&self) -> bool {
        self.committing.is_none() && !self.tasks.is_empty()
    }

    pub fn commits(&self) -> bool {
        self.committing.is_some()
    }

    /// Answers that are to be given.
    pub fn answers(&self) -> usize {
        self.done.len()
    }

    /// Carries out at most `most` tasks in one transaction. `counted`: as the ledger has it.
    pub fn begin(
        &mut self,
        most: usize,
        steady: Instant,
        wall: Timestamp,
        counted: u64,
        trouble: &mut Trouble,
    ) {
        if let Some(doubt) = self.doubt.take() {
            self.clock.read(self.disk.kept, doubt);
        }
        let observed = self.clock.observe(steady);
        let tasks: Vec<_> = self.tasks.drain(..most.min(self.tasks.len())).collect();
        let mut disk = self.disk.clone();
        if trouble.full {
            self.clock.failed(steady);
            let fault = |(call, _)| {
                let moves = Rc::default();
                Done { call, answer: Answer::Fault, counts: Vec::new(), moves }
            };
            return self.done.extend(tasks.into_iter().map(fault));
        }
        let (mut done, now) = (Vec::new(), observed.now);
        let mut tx = Tx {
            disk: &mut disk,
            now,
            deeds: Vec::new(),
            moved: &mut trouble.moved,
            forgotten: self.forgotten,
            changed: false,
            moves: Vec::new(),
        };
        if let Some(gap) = observed.gap {
            tx.give(gap);
        }
        for (call, task) in tasks {
            tx.changed = false;
            let answer = tx.run(&task);
            let named = matches!(task, Task::Tend) && !planted(Planted::DispatchSleeps);
            let mut counts = Vec::new();
            if tx.changed || named || matches!(task, Task::Claim(_) | Task::Enqueue { .. }) {
                for queue in 0..QUEUES {
                    self.version += 1;
                    let count = Count { version: self.version, jobs: tx.disk.claimable(queue) };
                    counts.push((queue, count));
                }
            }
            self.version += 1;
            let moves = Rc::new(moves(self.version, std::mem::take(&mut tx.moves)));
            done.push(Done { call, answer, counts, moves });
        }
        let (deeds, late) = (tx.deeds, now - disk.kept.at >= Millis(1_000));
        if !deeds.is_empty() && (late || self.clock.fails() || observed.gap.is_some()) {
            disk.kept = Kept { at: now, wall };
        }
        if planted(Planted::LeaseBeforeCommit) {
            let early = |done: &mut Done<C>| matches!(done.answer, Answer::Claimed(_));
            self.done.extend(done.extract_if(.., early));
        }
        if planted(Planted::MadeBeforeCommit) {
            let early = |done: &mut Done<C>| match &done.answer {
                Answer::Enqueued(Enqueued::Made(_), got) => got.is_empty(),
                _ => false,
            };
            self.done.extend(done.extract_if(.., early));
        }
        let batch = Batch { disk, now, counted, deeds, observed };
        self.committing = Some(Committing { batch, done });
    }

    /// The batch is on the disk, or is not and nobody can say. Returns what is durable.
    pub fn sync(&mut self, steady: Instant, trouble: &mut Trouble) -> Option<Batch> {
        let Committing { mut batch, mut done } = self.committing.take()?;
        let unknown = trouble.unknown > 0;
        if unknown {
            trouble.unknown -= 1;
            self.clock.failed(steady);
            done.iter_mut().for_each(|done| {
                (done.answer, done.counts) = (Answer::Unknown, Vec::new());
                done.moves = Rc::default();
            });
        }
        self.done.extend(done);
        if unknown {
            self.doubt = Some(batch.observed);
            if trouble.unknown.is_multiple_of(2) {
                return None;
            }
        } else {
            if let Some(gap) = batch.observed.gap {
                self.clock.given(gap);
            }
            if !batch.deeds.is_empty() {
                self.clock.wrote();
            }
        }
        std::mem::swap(&mut self.disk, &mut batch.disk);
        Some(batch)
    }

    /// One of the answers, whichever.
    pub fn answer(&mut self, which: usize) -> Option<Done<C>> {
        self.done.swap_remove_back(which)
    }

    /// The process ends. What was being committed is on the disk or is not.
    pub fn crash(&mut self, written: bool) -> Option<Batch> {
        let durable = if written { self.sync(Instant(0), &mut Trouble::default()) } else { None };
        (self.committing, self.done, self.tasks) = (None, VecDeque::new(), VecDeque::new());
        durable
    }
}

/// A job that waits is there no more, nor is it counted: of a fault to be planted.
fn forget_one(disk: &mut Disk) {
    let waits = |row: &&Rc<Row>| row.job.place == Place::Ready && row.job.group.is_none();
    let Some(row) = disk.jobs.values().find(waits).cloned() else { return };
    disk.jobs.remove(&row.job.id);
    disk.queues[row.queue].counters[Place::Ready as usize] -= 1;
}

/// What has moved in each queue, as the desk is told.
fn moves(version: u64, moved: Vec<(Queue, Move)>) -> Moves {
    let mut queues: Vec<QueueMoves> = Vec::new();
    for (queue, moved) in moved {
        let name = name(queue);
        match queues.iter_mut().find(|it| it.queue.name == name) {
            Some(of) => of.jobs.push(moved),
            None => {
                let (settings, counts) = (QueueSettings::default(), Counts::default());
                let ns = "work".to_owned();
                let queue = QueueInfo { ns, name, settings, paused: false, counts };
                queues.push(QueueMoves { queue, jobs: vec![moved] });
            }
        }
    }
    Moves { version, queues }
}
