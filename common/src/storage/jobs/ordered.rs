//! Dead letters in the order of their enqueues.

use crate::id::JobId;
use std::collections::VecDeque;

/// Dead letters that are found in the order of their deaths, to be taken in that of their enqueues. Of a
/// group they have to begin in that, so none is taken before all were looked at.
///
/// However many there are, no more are kept than is said: the first of them. Once these are taken, the
/// others are looked for again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// What died behind this place has died since.
    from: (i64, i64),
    /// How far it was looked.
    looked: Option<(i64, i64)>,
    /// All up to this one were taken.
    taken: i64,
    /// The first that were found, by their order.
    found: VecDeque<(i64, JobId)>,
    /// Behind them there are others.
    more: bool,
}

impl Ordered {
    /// Those that have died before this place.
    #[must_use]
    pub const fn new(from: (i64, i64)) -> Self {
        let found = VecDeque::new();
        Self { from, looked: Some(from), taken: i64::MIN, found, more: false }
    }

    /// Behind which place is to be looked before any is [taken](Self::take), from the one that died last
    /// to the first.
    #[must_use]
    pub const fn look(&self) -> Option<(i64, i64)> {
        self.looked
    }

    /// It was looked up to there, or to the end, and these were found. So many are kept.
    pub fn find(&mut self, found: Vec<(i64, JobId)>, looked: Option<(i64, i64)>, kept: usize) {
        self.looked = looked;
        let taken = self.taken;
        self.found.extend(found.into_iter().filter(|(seq, _)| *seq > taken));
        self.found.make_contiguous().sort();
        self.more |= self.found.len() > kept;
        self.found.truncate(kept);
    }

    /// The next ones, so many at most.
    pub fn take(&mut self, most: usize) -> Vec<JobId> {
        let taken: Vec<_> = self.found.drain(..most.min(self.found.len())).collect();
        self.taken = taken.last().map_or(self.taken, |(seq, _)| *seq);
        if self.found.is_empty() && self.more {
            (self.looked, self.more) = (Some(self.from), false);
        }
        taken.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether there are none left.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.found.is_empty() && self.looked.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(seq: i64) -> JobId {
        JobId::from_bytes(u128::from(seq.cast_unsigned()).to_be_bytes())
    }

    /// Takes all of them, looked at three by three and taken two by two, and tells how many were kept.
    fn all(died: &[i64], kept: usize) -> (Vec<JobId>, usize) {
        let mut ordered = Ordered::new((i64::MAX, i64::MAX));
        let (mut taken, mut most) = (Vec::new(), 0);
        while !ordered.is_over() {
            while let Some((at, _)) = ordered.look() {
                let before = died.iter().enumerate().rev().map(|(at, seq)| (at as i64, *seq));
                let part: Vec<_> = before.filter(|(died, _)| *died < at).take(3).collect();
                let looked = part.last().copied().filter(|_| part.len() == 3);
                ordered.find(part.iter().map(|(_, seq)| (*seq, id(*seq))).collect(), looked, kept);
                most = most.max(ordered.found.len());
            }
            taken.extend(ordered.take(2));
        }
        (taken, most)
    }

    #[test]
    fn dead_letters_are_taken_in_the_order_of_their_enqueues_however_many_are_kept() {
        let died = [7, 2, 9, 1, 4, 8, 3, 6, 5];
        let expected: Vec<_> = (1..=9).map(id).collect();
        for kept in 1..=10 {
            let (taken, most) = all(&died, kept);
            assert_eq!(taken, expected, "{kept}");
            assert_eq!(most, kept.min(9));
        }
        assert_eq!(all(&[], 3), (Vec::new(), 0));
    }
}
