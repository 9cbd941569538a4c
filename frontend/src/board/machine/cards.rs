//! What is shown: what the server said, with what was asked since and is not answered.

use super::{Ask, Machine, Word};
use crate::board::store::{Card, Column, Job, Wait};
use holdfast_common::{id::JobId, job::Place, time::Instant};

impl Machine {
    /// The cards of a column, from above.
    #[must_use]
    pub fn rows(&self, column: Column) -> Vec<JobId> {
        let mut rows = Vec::new();
        if column == Column::Ready {
            rows.extend(self.adding());
        }
        rows.extend(self.store.rows(column));
        rows
    }

    /// Tasks that the server has not stored yet, the newest first.
    fn adding(&self) -> impl Iterator<Item = JobId> {
        let here = |word: &Word| match word {
            Word::Add { ns, queue, .. } => *ns == self.ns && *queue == self.queue,
            Word::Done { .. } | Word::Back { .. } => false,
        };
        let words = self.words.iter().rev().filter(move |(_, word)| here(word));
        words.map(|(job, _)| *job).filter(|job| self.store.job(*job).is_none())
    }

    /// A job as it is shown.
    #[must_use]
    pub fn card(&self, id: JobId) -> Option<Card> {
        let mut card = match (self.store.job(id), self.words.get(id)) {
            (Some(job), _) => Card::of(job),
            (None, Some(Word::Add { task, terms, .. })) => {
                Card::of(&Job::new(Instant(0), self.shown(id, task, terms.clone()), None))
            }
            (None, _) => return None,
        };
        card.mine = card.place == Place::Leased && self.held.has(id);
        let person = self.store.job(id).and_then(|job| job.shown.person);
        card.elsewhere = !card.mine && person.is_some() && person == self.person();
        card.wait = self.wait(id);
        card.said = self.said.iter().find(|(of, _)| *of == id).map(|(_, words)| words.clone());
        if let Some(Word::Add { refused: Some(why), .. }) = self.words.get(id) {
            card.refused = true;
            card.wait = None;
            card.said.get_or_insert_with(|| why.clone());
        }
        Some(card)
    }

    fn wait(&self, id: JobId) -> Option<Wait> {
        match self.words.get(id) {
            Some(Word::Add { .. }) => return Some(Wait::Add),
            Some(Word::Done { .. }) => return Some(Wait::Done),
            Some(Word::Back { .. }) => return Some(Wait::Back),
            None => {}
        }
        if self.taking.contains(&id) {
            return Some(Wait::Take);
        }
        let decided = |ask: &Ask| matches!(ask, Ask::Govern(jobs) if jobs.contains(&id));
        self.open.values().any(decided).then_some(Wait::Other)
    }

    /// Who sits here.
    #[must_use]
    pub fn person(&self) -> Option<holdfast_common::id::PersonId> {
        self.me.as_ref().map(|me| me.person)
    }

    /// How many words are not answered.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let refused = |word: &Word| matches!(word, Word::Add { refused: Some(_), .. });
        self.words.values().filter(|word| !refused(word)).count()
    }

    /// Whether this queue takes the tasks that are added here.
    #[must_use]
    pub fn takes_tasks(&self) -> bool {
        use holdfast_common::{job::JobType, work::Task};
        self.ns == Task::NAMESPACE && self.queue == Task::QUEUE
    }
}
