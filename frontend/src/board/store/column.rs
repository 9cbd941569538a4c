//! The columns that the cards stand in.

use super::{Job, SHOWN, Store};
use holdfast_common::{id::JobId, job::Place};

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// What waits, now or until later.
    Ready,
    /// What somebody has.
    Taken,
    /// What is done.
    Done,
    /// Dead letters.
    Dead,
}

impl Column {
    /// All of them, from left to right.
    pub const ALL: [Self; 4] = [Self::Ready, Self::Taken, Self::Done, Self::Dead];

    /// Its title.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Taken => "Taken",
            Self::Done => "Done",
            Self::Dead => "Dead",
        }
    }

    /// The same for machines.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Taken => "taken",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }

    /// The places whose jobs stand in it, from above.
    #[must_use]
    pub const fn places(self) -> &'static [Place] {
        match self {
            Self::Ready => &[Place::Ready, Place::Delayed, Place::Behind],
            Self::Taken => &[Place::Leased],
            Self::Done => &[Place::Done],
            Self::Dead => &[Place::Dead],
        }
    }
}

impl Store {
    /// How many jobs the queue has of a column.
    #[must_use]
    pub fn count(&self, column: Column) -> u64 {
        let Some(queue) = &self.queue else { return 0 };
        match column {
            Column::Ready => queue.ready,
            Column::Taken => queue.leased,
            Column::Done => queue.done,
            Column::Dead => queue.dead,
        }
    }

    /// The jobs of a column that are shown, from above.
    #[must_use]
    pub fn rows(&self, column: Column) -> Vec<JobId> {
        let mut rows = self.all(column);
        rows.sort_unstable_by_key(|job| (rank(job), job.made, job.shown.id));
        rows.truncate(self.limit(column));
        rows.into_iter().map(|job| job.shown.id).collect()
    }

    /// Whether a column has more than is shown.
    #[must_use]
    pub fn has_more(&self, column: Column) -> bool {
        self.all(column).len() > self.limit(column) || self.further(column).is_some()
    }

    /// Shows more of a column; returns the place, and what its jobs are behind, that the server has
    /// to be asked for.
    pub fn more(&mut self, column: Column) -> Option<(Place, String)> {
        self.shown[column as usize] += SHOWN;
        let short = self.all(column).len() < self.limit(column);
        self.further(column).filter(|_| short)
    }

    fn further(&self, column: Column) -> Option<(Place, String)> {
        let mut places = column.places().iter();
        places.find_map(|place| self.after.iter().find(|(of, _)| of == place).cloned())
    }

    fn limit(&self, column: Column) -> usize {
        SHOWN + self.shown[column as usize]
    }

    fn all(&self, column: Column) -> Vec<&Job> {
        let jobs = self.jobs.values();
        let here = jobs.filter(|job| column.places().contains(&job.shown.place));
        here.filter(|job| column != Column::Dead || self.is_alike(job)).collect()
    }

    /// Whether a dead letter is among those that are looked for. The server has seen all of its error, and
    /// knows the capitals of every script.
    fn is_alike(&self, job: &Job) -> bool {
        let within =
            |text: &str, part: &str| text.to_ascii_lowercase().contains(&part.to_ascii_lowercase());
        let error = job.shown.error.as_deref().unwrap_or_default();
        let kind = self.like.kind.as_ref().is_none_or(|kind| *kind == job.shown.kind);
        let said = self.like.error.as_ref().is_none_or(|part| within(error, part));
        (kind && said) || self.alike.contains(&job.shown.id)
    }
}

/// What comes first stands above: what waits as it will begin, what has ended from the newest on. Ages are as
/// they were on their way here, and do not say which of two jobs that came together is the first.
fn rank(job: &Job) -> (u8, i64, u64) {
    let urgency = -i64::from(job.shown.priority);
    let seq = job.shown.seq.unwrap_or(u64::MAX);
    let (first, then) = match job.shown.place {
        Place::Ready | Place::Behind => (urgency, seq),
        Place::Delayed => (job.due.unwrap_or(job.made), seq),
        Place::Leased => (0, seq),
        Place::Done | Place::Dead | Place::Cancelled => (-job.rank, 0),
    };
    (job.shown.place.number(), first, then)
}
