//! How much goes through a queue: what was told of its jobs in the last minute, for people to see.
//!
//! It is fed with what calls have [moved](crate::storage::jobs::Move) and forgets what is older than a minute,
//! so it holds sixty seconds of counts and as many of times, whatever goes through. Nothing is
//! decided by it.

use super::Place;
use crate::{
    storage::jobs::Move,
    time::{Instant, Millis},
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// How many seconds are counted.
pub const SECONDS: u64 = 60;

/// What went through a queue in the last [`SECONDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rates {
    /// Jobs that were enqueued.
    pub enqueued: u64,
    /// Attempts that began.
    pub started: u64,
    /// Jobs that were done.
    pub done: u64,
    /// Attempts that failed, for now or for good, and leases that ran out.
    pub failed: u64,
    /// Jobs that became dead letters.
    pub dead: u64,
    /// How long jobs that began had been due, also while others of their group, a pause or a bound held them
    /// up; none where none began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Spread>,
    /// How long attempts ran that ended; none where none ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Spread>,
}

/// Of many lengths, the one in the middle and one that few are above. Each is at most an eighth off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them are no longer.
    pub p50_ms: Millis,
    /// Of a hundred, 95 are no longer.
    pub p95_ms: Millis,
}

/// What is kept of one queue.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    /// From the oldest second to the newest; those in which nothing was moved are left out.
    slots: VecDeque<Slot>,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    second: u64,
    counts: Rates,
    wait: Lengths,
    run: Lengths,
}

impl Figures {
    /// Counts what a call has moved.
    pub fn heard(&mut self, now: Instant, moves: &[Move]) {
        self.forget(now);
        let second = now.0 / 1_000;
        if self.slots.back().is_none_or(|slot| slot.second < second) {
            self.slots.push_back(Slot { second, ..Slot::default() });
        }
        if let Some(slot) = self.slots.back_mut() {
            moves.iter().for_each(|moved| slot.count(moved));
        }
    }

    /// What went through it.
    pub fn read(&mut self, now: Instant) -> Rates {
        self.forget(now);
        let mut sum = Rates::default();
        let (mut wait, mut run) = (Lengths::default(), Lengths::default());
        for Slot { counts, wait: waits, run: runs, .. } in &self.slots {
            sum.enqueued += counts.enqueued;
            sum.started += counts.started;
            sum.done += counts.done;
            sum.failed += counts.failed;
            sum.dead += counts.dead;
            wait.merge(waits);
            run.merge(runs);
        }
        Rates { wait: wait.spread(), run: run.spread(), ..sum }
    }

    fn forget(&mut self, now: Instant) {
        let oldest = (now.0 / 1_000).saturating_sub(SECONDS - 1);
        while self.slots.front().is_some_and(|slot| slot.second < oldest) {
            self.slots.pop_front();
        }
    }
}

impl Slot {
    fn count(&mut self, moved: &Move) {
        let Self { counts, wait, run, .. } = self;
        let (from, to) = (moved.from, moved.to);
        counts.enqueued += u64::from(from.is_none());
        counts.dead += u64::from(to == Some(Place::Dead) && from != Some(Place::Dead));
        let leased = Some(Place::Leased);
        if to == leased && from != leased {
            counts.started += 1;
            moved.took.into_iter().for_each(|length| wait.add(length));
        }
        if from == leased && to != leased {
            counts.done += u64::from(to == Some(Place::Done));
            counts.failed += u64::from(moved.failed);
            moved.took.into_iter().for_each(|length| run.add(length));
        }
    }
}

/// How many lengths there were of each size: four sizes to each doubling.
#[derive(Debug, Clone, Default)]
struct Lengths(BTreeMap<u8, u64>);

impl Lengths {
    fn add(&mut self, length: Millis) {
        *self.0.entry(size(length.0)).or_default() += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (size, count) in &other.0 {
            *self.0.entry(*size).or_default() += count;
        }
    }

    fn spread(&self) -> Option<Spread> {
        let all: u64 = self.0.values().sum();
        let below = |percent: u64| {
            let mut seen = 0;
            let found = self.0.iter().find(|(_, count)| {
                seen += **count;
                u128::from(seen) * 100 >= u128::from(all) * u128::from(percent)
            });
            found.map(|(size, _)| Millis(middle(*size)))
        };
        Some(Spread { p50_ms: below(50)?, p95_ms: below(95)? })
    }
}

/// The size of a length: below four the length itself, from then on the doubling and the quarter of it.
fn size(length: u64) -> u8 {
    if length < 4 {
        return u8::try_from(length).expect("it is below four");
    }
    let doubling = length.ilog2();
    let quarter = (length >> (doubling - 2)) & 3;
    let size = u64::from(doubling - 1) * 4 + quarter;
    u8::try_from(size).expect("there are 252 sizes")
}

/// The middle of the lengths of a size.
fn middle(size: u8) -> u64 {
    if size < 4 {
        return u64::from(size);
    }
    let width = 1_u64 << (size / 4 - 1);
    (4 + u64::from(size % 4)) * width + width / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::JobId;

    fn moved(from: Option<Place>, to: Option<Place>, took: Option<u64>) -> Move {
        let took = took.map(Millis);
        Move { job: JobId::NIL, from, to, attempt: 1, consumer: None, failed: false, took }
    }

    fn failed(to: Option<Place>) -> Move {
        Move { failed: true, ..moved(Some(Place::Leased), to, Some(100)) }
    }

    #[test]
    fn each_way_through_a_queue_is_counted_once() {
        let mut figures = Figures::default();
        let [ready, leased, done, dead] =
            [Place::Ready, Place::Leased, Place::Done, Place::Dead].map(Some);
        let cancelled = Some(Place::Cancelled);
        let moves = [
            moved(None, ready, None),
            moved(None, Some(Place::Delayed), None),
            moved(ready, leased, Some(10)),
            moved(leased, leased, None),
            moved(leased, done, Some(100)),
            // Handed back.
            moved(leased, ready, Some(100)),
            failed(ready),
            failed(dead),
            moved(leased, cancelled, Some(100)),
            moved(ready, dead, None),
            moved(dead, ready, None),
            moved(dead, None, None),
        ];
        figures.heard(Instant(5_000), &moves);
        let Rates { enqueued, started, done, failed, dead, .. } = figures.read(Instant(5_000));
        assert_eq!((enqueued, started, done, failed, dead), (2, 1, 1, 2, 2));
    }

    #[test]
    fn a_minute_later_it_is_forgotten_and_not_before() {
        let mut figures = Figures::default();
        figures.heard(Instant(5_999), &[moved(None, Some(Place::Ready), None)]);
        assert_eq!(figures.read(Instant(64_999)).enqueued, 1);
        assert_eq!(figures.read(Instant(65_000)), Rates::default());
        assert!(figures.slots.is_empty());
    }

    #[test]
    fn the_middle_and_the_long_end_are_found_among_many() {
        let mut figures = Figures::default();
        for n in 1..=1_000 {
            let begun = moved(Some(Place::Ready), Some(Place::Leased), Some(n));
            figures.heard(Instant(n * 50), &[begun]);
        }
        let Spread { p50_ms, p95_ms } = figures.read(Instant(50_000)).wait.unwrap();
        assert!((438..=562).contains(&p50_ms.0), "{p50_ms:?}");
        assert!((832..=1_068).contains(&p95_ms.0), "{p95_ms:?}");
        assert_eq!(figures.read(Instant(50_000)).run, None);
    }

    #[test]
    fn a_length_is_shown_no_more_than_an_eighth_off() {
        let doublings = (0..64).map(|n| 1_u64 << n);
        for length in (0..5_000).chain(doublings).chain([u64::MAX]) {
            let shown = middle(size(length));
            assert!(shown.abs_diff(length) <= length / 8, "{length} is shown as {shown}");
        }
    }
}
