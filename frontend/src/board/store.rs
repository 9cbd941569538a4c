//! What is known of a queue. [`Store::apply`] alone changes what the server said of it.

mod card;
mod column;

pub use card::{Card, Wait};
pub use column::Column;

use holdfast_common::{
    frame::work::{Figures, JobShown, Like, PlaceShown, QueueShown, WorkServer},
    id::JobId,
    job::{Place, figures::Rates},
    sorted::Sorted,
    time::{Instant, Millis},
};
use std::collections::VecDeque;

/// How many figures are kept for the lines that show them.
pub const POINTS: usize = 60;

/// Jobs that are kept. Past it the board is asked for anew.
pub const JOBS: usize = 2_000;

/// Jobs of a column that are shown at first, and by how many more at a time.
pub const SHOWN: usize = 50;

/// A time on this page's steady clock, which what is older than the page is before.
pub type Since = i64;

/// What is known of a queue.
#[derive(Debug, Default)]
pub struct Store {
    /// Its counts and settings; none until the server has said them.
    pub queue: Option<QueueShown>,
    /// The server has no such queue.
    pub missing: bool,
    /// What went through it in the last minute.
    pub rates: Option<Rates>,
    /// What went through it in each of the last minutes that were told, the newest last.
    pub points: VecDeque<Point>,
    /// Of the dead letters these alone are shown.
    pub like: Like,
    jobs: Sorted<JobId, Job>,
    /// Where a place goes on behind the jobs that are known of it.
    after: Vec<(Place, String)>,
    /// Dead letters which the server says are like [`like`](Self::like).
    alike: Vec<JobId>,
    /// Since when the oldest job waits that could begin, as the server said last.
    oldest: Option<Since>,
    /// How many of each column are shown.
    shown: [usize; 4],
    /// The ranks of jobs that ended: the newest has the highest.
    newest: i64,
    eldest: i64,
}

/// A job as the server told it last.
#[derive(Debug, Clone)]
pub struct Job {
    /// What was said of it.
    pub shown: JobShown,
    /// When it was enqueued.
    pub made: Since,
    /// When its lease ends, or when it may begin.
    pub due: Option<Since>,
    /// Its place among those that ended.
    rank: i64,
}

/// What was told at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// Jobs that waited.
    pub ready: u64,
    /// Jobs that somebody had.
    pub leased: u64,
    /// How old the oldest was that could begin.
    pub oldest: u64,
    /// Jobs that were done in the minute before.
    pub done: u64,
    /// Attempts that failed in it.
    pub failed: u64,
    /// How long few jobs waited longer.
    pub wait: u64,
    /// How long few attempts ran longer.
    pub run: u64,
}

impl Store {
    /// Takes in what the server says of the queue. What is not of the board changes nothing here.
    pub fn apply(&mut self, now: Instant, frame: &WorkServer) {
        match frame {
            WorkServer::Board(board) => {
                let before = std::mem::take(&mut self.jobs);
                self.after.clear();
                self.missing = false;
                self.queue = Some(board.queue.clone());
                self.told_oldest(now, board.oldest_ms);
                for place in &board.places {
                    self.place(now, place, &before);
                }
                self.alike.clear();
            }
            WorkServer::Moved(moved) => {
                self.queue = Some(moved.queue.clone());
                for job in &moved.jobs {
                    self.put(now, job.clone());
                }
                for id in &moved.gone {
                    self.remove(*id);
                }
            }
            WorkServer::Page(page) => self.place(now, &page.place, &Sorted::default()),
            WorkServer::Figures(figures) => self.figures(now, figures),
            _ => {}
        }
    }

    /// Takes in the dead letters that are like those which were asked for.
    pub fn found(&mut self, now: Instant, place: &PlaceShown) {
        self.alike.extend(place.jobs.iter().map(|job| job.id));
        self.place(now, place, &Sorted::default());
    }

    /// From now on these dead letters alone are shown.
    pub fn filter(&mut self, like: Like) {
        self.like = like;
        self.alike.clear();
        self.after.retain(|(place, _)| *place != Place::Dead);
        self.shown[Column::Dead as usize] = 0;
    }

    fn place(&mut self, now: Instant, place: &PlaceShown, before: &Sorted<JobId, Job>) {
        for job in &place.jobs {
            self.eldest -= 1;
            let (id, rank) = (job.id, self.eldest);
            let known = self.jobs.get(id).or_else(|| before.get(id));
            let mut job = Job::new(now, job.clone(), known.map(|job| job.made));
            // What ended before is behind what did since, on whichever page it stands.
            job.rank = known.map_or(rank, |job| job.rank);
            self.jobs.insert(id, job);
        }
        self.after.retain(|(known, _)| *known != place.place);
        if let Some(after) = &place.after {
            self.after.push((place.place, after.clone()));
        }
    }

    /// Puts a job where it is said to be.
    pub fn put(&mut self, now: Instant, shown: JobShown) {
        let known = self.jobs.get(shown.id);
        let stays = known.is_some_and(|job| job.shown.place == shown.place);
        let rank = known.map_or(0, |job| job.rank);
        let mut job = Job::new(now, shown, known.map(|job| job.made));
        job.rank = rank;
        if !stays {
            self.newest += 1;
            job.rank = self.newest;
        }
        self.jobs.insert(job.shown.id, job);
    }

    fn remove(&mut self, id: JobId) {
        self.jobs.remove(id);
        self.alike.retain(|alike| *alike != id);
    }

    fn told_oldest(&mut self, now: Instant, age: Option<Millis>) {
        self.oldest = age.map(|age| since(now, age.0));
    }

    fn figures(&mut self, now: Instant, figures: &Figures) {
        let rates = figures.figures;
        self.rates = Some(rates);
        self.told_oldest(now, figures.oldest_ms);
        if self.points.len() >= POINTS {
            self.points.pop_front();
        }
        let count = |of: fn(&QueueShown) -> u64| self.queue.as_ref().map_or(0, of);
        self.points.push_back(Point {
            ready: count(|queue| queue.ready),
            leased: count(|queue| queue.leased),
            oldest: figures.oldest_ms.map_or(0, |age| age.0),
            done: rates.done,
            failed: rates.failed,
            wait: rates.wait.map_or(0, |wait| wait.p95_ms.0),
            run: rates.run.map_or(0, |run| run.p95_ms.0),
        });
    }

    /// A job.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(id)
    }

    /// Changes what is shown of a job, until the server says how it is.
    pub fn change(&mut self, now: Instant, id: JobId, change: impl FnOnce(&mut JobShown)) {
        let Some(job) = self.jobs.get(id) else { return };
        let mut shown = job.shown.clone();
        shown.due_in_ms = None;
        change(&mut shown);
        self.put(now, shown);
    }

    /// Whether so much has changed that it had better be told anew.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.jobs.len() > JOBS
    }

    /// Since when the oldest job waits that could begin.
    #[must_use]
    pub fn oldest(&self) -> Option<Since> {
        // When the last one begins the counts come before the next figures.
        let some = self.queue.as_ref().is_some_and(|it| it.ready > it.delayed + it.behind);
        self.oldest.filter(|_| some)
    }
}

impl Job {
    /// A job that was enqueued then, or as long ago as is said.
    pub(super) fn new(now: Instant, shown: JobShown, made: Option<Since>) -> Self {
        // The first word about it: a later one was on its way for another time, and cards would swap.
        let made = made.unwrap_or_else(|| since(now, shown.age_ms.0));
        let due = shown.due_in_ms.map(|due| since(now, 0).saturating_add_unsigned(due.0));
        Self { shown, made, due, rank: 0 }
    }
}

/// So long ago.
fn since(now: Instant, ago: u64) -> Since {
    let now = i64::try_from(now.0).unwrap_or(i64::MAX);
    now.saturating_sub_unsigned(ago)
}
