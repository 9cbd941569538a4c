//! What must hold, kept beside the system under proof: what became durable, one deed after another,
//! replayed by rules of its own. Nothing in here is read by the system, and nothing in here asks a
//! [`Job`](holdfast_common::job::Job) what may happen to it. The first thing that does not hold is
//! kept, with the invariant that it breaks.

mod begins;
mod deeds;
mod known;
mod times;

use crate::{
    counts::Counts,
    deed::{End, Leased, Source},
    disk::{Disk, QUEUES, Queue, end_event},
    store::Batch,
};
use holdfast_common::{
    id::{EventId, JobId, ScheduleId},
    job::{Place, QueueSettings, StoreTime, clock::STEADY},
    time::{Instant, Millis, Timestamp},
};
pub use known::{Known, Stands};
use std::collections::{BTreeMap, BTreeSet};
use times::Times;

/// A line of the promise about queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A job whose enqueue was answered is in one place until it has ended.
    J1,
    /// At no time do two consumers hold one job.
    J2,
    /// What comes late changes nothing and is told so.
    J3,
    /// An end and all that it brings are there together, once, or not at all.
    J4,
    /// Of a group one is in flight, and they begin in the order of their enqueues.
    J5,
    /// Nothing is stuck.
    J6,
    /// A job begins as often as it may, and is then a dead letter with all that went wrong.
    J7,
    /// No lease ends before its length has been counted.
    J8,
    /// Who asked hears of each end once.
    J9,
    /// A key, an event or a schedule's occurrence enqueues once.
    J10,
    /// No more in flight, and no faster, than is set; a pause begins nothing.
    J11,
    /// Nothing panics.
    I11,
}

/// Something that does not hold.
#[derive(Debug, Clone)]
pub struct Violation {
    pub invariant: Invariant,
    pub what: String,
}

/// A queue, as it was set.
#[derive(Debug, Clone, Default)]
struct Governed {
    settings: QueueSettings,
    paused: bool,
    /// When jobs began since the rate was set.
    began: Vec<StoreTime>,
}

/// What is so by what is durable. A store that is set back sets this back with it.
#[derive(Debug, Clone)]
pub struct State {
    pub jobs: BTreeMap<JobId, Known>,
    queues: Vec<Governed>,
    order: u64,
    highest: u64,
    /// Every lease there was.
    tokens: BTreeSet<(JobId, u64, u64)>,
    keys: BTreeMap<(Queue, u64), StoreTime>,
    events: BTreeSet<EventId>,
    /// What ends have brought to rooms.
    brought: BTreeSet<EventId>,
    /// Ends of which somebody is to hear.
    pub ends: BTreeSet<EventId>,
    heard: BTreeSet<EventId>,
    /// Ends of dead letters that were requeued since. Who was not told by then need not be.
    undone: BTreeSet<EventId>,
    pub answered: BTreeSet<JobId>,
    removed: BTreeSet<JobId>,
    /// Schedules, and the occurrences that have a job.
    times: BTreeMap<usize, Times>,
    occurrences: BTreeSet<(ScheduleId, Timestamp)>,
    /// What is counted of the time.
    counted: u64,
}

pub struct Ledger {
    /// Whether what does not hold is noted at all.
    pub watches: bool,
    pub broken: Option<Violation>,
    pub counts: Counts,
    pub state: State,
    seen: Instant,
    /// Nobody could write since the last batch that did.
    failing: bool,
}

impl Ledger {
    pub fn new(seen: Instant) -> Self {
        let state = State {
            jobs: BTreeMap::new(),
            queues: vec![Governed::default(); QUEUES],
            order: 0,
            highest: 0,
            tokens: BTreeSet::new(),
            keys: BTreeMap::new(),
            events: BTreeSet::new(),
            brought: BTreeSet::new(),
            ends: BTreeSet::new(),
            heard: BTreeSet::new(),
            undone: BTreeSet::new(),
            answered: BTreeSet::new(),
            removed: BTreeSet::new(),
            times: BTreeMap::new(),
            occurrences: BTreeSet::new(),
            counted: 0,
        };
        Self { watches: true, broken: None, counts: Counts::default(), state, seen, failing: false }
    }

    /// Notes what does not hold, if it is the first.
    pub fn breaks(&mut self, invariant: Invariant, what: impl FnOnce() -> String) {
        if self.watches && self.broken.is_none() {
            self.broken = Some(Violation { invariant, what: what() });
        }
    }

    /// The store looks at its clock. Returns how much of the time counts for leases by now.
    pub fn looks(&mut self, steady: Instant) -> u64 {
        let most = if self.failing { Millis(0) } else { STEADY };
        self.state.counted += (steady - self.seen).min(most).0;
        self.seen = steady;
        self.state.counted
    }

    /// A batch could not be written, as is known now: from here on nobody could extend a lease.
    pub fn fails(&mut self, steady: Instant) {
        self.looks(steady);
        self.failing = true;
    }

    /// A batch was written, and who asked for it was told.
    pub fn writes(&mut self) {
        self.failing = false;
    }

    /// The process starts: the time in which there was none counts for nobody.
    pub fn starts(&mut self, steady: Instant) {
        (self.seen, self.failing) = (steady, false);
    }

    /// The store is set back to a copy.
    pub fn restored(&mut self, to: State) {
        self.state = to;
        self.state.highest += 1 << 32;
    }

    /// A batch is on the disk.
    pub fn durable(&mut self, batch: &Batch, disk: &Disk) {
        let mut brought = Vec::new();
        for deed in &batch.deeds {
            self.deed(batch, deed, &mut brought);
        }
        for (event, token) in brought {
            if !self.state.brought.contains(&event) {
                self.breaks(Invariant::J4, || {
                    format!("{event} stands by {token}, which ended nothing")
                });
            }
        }
        self.brought_all(batch, disk);
        self.says_why(disk);
        self.same(disk);
    }

    /// The disk says what was done.
    pub fn same(&mut self, disk: &Disk) {
        let mut counters = [[0; 7]; QUEUES];
        let mut heads = BTreeSet::new();
        for row in disk.jobs.values() {
            let (job, id) = (&row.job, row.job.id);
            counters[row.queue][job.place as usize] += 1;
            if (job.place == Place::Leased) != job.lease.is_some() {
                self.breaks(Invariant::J1, || {
                    format!("{id} is {:?} with {:?}", job.place, job.lease)
                });
            }
            let stands = self.state.jobs.get(&id).map(|known| &known.stands);
            if !stands.is_some_and(|it| it.fits(job.place)) {
                let stands = stands.cloned();
                self.breaks(Invariant::J1, || {
                    format!("{id} is {:?} and not {stands:?}", job.place)
                });
            }
            if job.place.heads() && job.group.is_some() && !heads.insert((row.queue, &job.group)) {
                self.breaks(Invariant::J5, || format!("two of {:?} are in front", job.group));
            }
            if (job.place == Place::Done) != row.result.is_some() {
                self.breaks(Invariant::J4, || format!("{id} is {:?}: {:?}", job.place, row.result));
            }
        }
        let gone = self.state.jobs.keys().find(|id| !disk.jobs.contains_key(*id));
        if let Some(id) = gone.copied() {
            self.breaks(Invariant::J1, || format!("{id} is gone"));
        }
        let counted =
            disk.queues.iter().zip(counters).all(|(row, counted)| row.counters == counted);
        if !counted {
            self.breaks(Invariant::J1, || format!("counted are {counters:?}"));
        }
        self.same_times(disk);
    }

    /// An enqueue is answered.
    pub fn answered(&mut self, jobs: &[JobId]) {
        for id in jobs {
            if !self.state.jobs.contains_key(id) && !self.state.removed.contains(id) {
                self.breaks(Invariant::J1, || format!("{id} was answered and is not durable"));
            }
            self.state.answered.insert(*id);
        }
    }

    /// Leases are told to their consumer, which asked for so many at most.
    pub fn told(&mut self, jobs: &[Leased], most: u32) {
        if jobs.len() > most as usize {
            self.breaks(Invariant::J11, || {
                format!("{} jobs for one that asked for {most}", jobs.len())
            });
        }
        for Leased { job, token, .. } in jobs {
            if !self.state.tokens.contains(&(*job, token.fence, token.key)) {
                self.breaks(Invariant::J2, || {
                    format!("{job} is told as leased by {token} and is not")
                });
            }
        }
    }

    /// The end of a lease, as it was said, is answered as done: by now, or before.
    pub fn done(&mut self, end: &End) {
        let (job, token) = (end.job, end.token);
        let known = self.state.jobs.get(&job);
        let ended = known.is_some_and(|known| known.ended.contains(&(token, end.digest)));
        if !ended && !self.state.removed.contains(&job) {
            self.breaks(Invariant::J3, || {
                format!("{token} is answered as done and did not end {job}")
            });
        }
        let State { jobs, removed, brought, .. } = &self.state;
        let made = |id: &JobId| jobs.contains_key(id) || removed.contains(id);
        let lacks = end.events.iter().any(|event| !brought.contains(event))
            || end.jobs.iter().any(|asked| !made(&asked.new.id));
        if lacks {
            self.breaks(Invariant::J4, || format!("{token} has ended {job} without what it said"));
        }
    }

    /// Everything has come to rest.
    pub fn at_last(&mut self) {
        let open = self.state.jobs.iter().find(|(_, known)| !known.stands.ended());
        if let Some((id, known)) = open {
            let what = format!("{id} has not ended: {:?}", known.stands);
            self.breaks(Invariant::J6, || what);
        }
        let lost = self
            .state
            .answered
            .iter()
            .find(|id| !self.state.jobs.contains_key(*id) && !self.state.removed.contains(*id));
        if let Some(id) = lost.copied() {
            self.breaks(Invariant::J1, || format!("{id} was answered and is nowhere"));
        }
        let State { ends, heard, undone, .. } = &self.state;
        let mut unheard = ends.iter().filter(|end| !heard.contains(end) && !undone.contains(end));
        if let Some(event) = unheard.next().copied() {
            self.breaks(Invariant::J9, || format!("nobody heard {event}"));
        }
    }

    /// A source of jobs is used; each is once.
    fn once(&mut self, source: Source, now: StoreTime, first: bool) {
        let again = match source {
            Source::Key(queue, key, _) => {
                let until = self.state.keys.get(&(queue, key)).copied();
                if first {
                    self.state.keys.insert((queue, key), now + crate::tx::KEYS_KEPT);
                }
                first && until.is_some_and(|until| now < until)
            }
            Source::Event(event) => first && !self.state.events.insert(event),
            Source::Occurrence(id, at) => first && !self.state.occurrences.insert((id, at)),
            Source::Ids | Source::End(_) => false,
        };
        if again {
            self.breaks(Invariant::J10, || format!("{source:?} enqueues once more"));
        }
    }

    /// A job has ended for good, by the lease or the requeue of this fence.
    fn end_of(&mut self, id: JobId) {
        if let Some(known) = self.state.jobs.get(&id).filter(|known| known.asked) {
            self.state.ends.insert(end_event(id, known.fence));
        }
    }
}
