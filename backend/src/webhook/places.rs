//! Who may be told of something now: of all that is sent at once a few are for each webhook and for each
//! host, so that a receiver that never answers keeps nobody else waiting.

use crate::limits::{WEBHOOKS_TO_HOST, WEBHOOKS_TO_ONE};
use holdfast_common::{backoff::Dice, id::WebhookId, time::Millis};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long is waited for a place at least and at most, while few do.
const WAIT: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(600)];

/// How far apart those come back who wait for the same places, at least and at most. However many they
/// are, no more than some hundred a second are taken from the queue and given back for a receiver that
/// is silent.
const APART: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(10)];

/// Whose places they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Webhook(WebhookId),
    Host(String),
}

impl Whose {
    const fn most(&self) -> usize {
        match self {
            Self::Webhook(_) => WEBHOOKS_TO_ONE,
            Self::Host(_) => WEBHOOKS_TO_HOST,
        }
    }
}

/// The places of one, while any is taken.
#[derive(Debug)]
struct Line {
    taken: usize,
    /// When it has last answered as it should, or else when the first of these places was taken.
    heard: Instant,
    /// When the last one comes back of those that found no place, were each to wait for the one before.
    back: Instant,
}

impl Line {
    const fn begins(now: Instant) -> Self {
        Self { taken: 0, heard: now, back: now }
    }

    /// How long one more waits: as long as nothing has been heard so far, half of that by chance, so
    /// that a receiver which is away for long is asked about seldom, and one that was away for a
    /// little has all of it soon.
    fn wait(&mut self, now: Instant, chance: u64) -> Duration {
        let [[shortest, longest], [least, most]] = [WAIT, APART];
        let silent = now.saturating_duration_since(self.heard);
        self.back = self.back.max(now) + (silent / 4).clamp(least, most);
        let whole = silent.clamp(shortest, longest);
        let drawn = Dice::new(chance).up_to(millis(whole / 2).0);
        (whole / 2 + Duration::from_millis(drawn)).max(self.back - now)
    }
}

fn millis(time: Duration) -> Millis {
    Millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

/// All places that are taken.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<Whose, Line>>);

impl Places {
    /// A place to tell this webhook at this host, or how long to wait for one.
    pub(super) fn take(
        self: &Arc<Self>,
        now: Instant,
        (webhook, host): (WebhookId, String),
        chance: u64,
    ) -> Result<Place, Millis> {
        let whose = [Whose::Webhook(webhook), Whose::Host(host)];
        let mut lines = self.lines();
        for whose in &whose {
            let full = lines.get_mut(whose).filter(|line| line.taken >= whose.most());
            if let Some(line) = full {
                return Err(millis(line.wait(now, chance)));
            }
        }
        for whose in &whose {
            lines.entry(whose.clone()).or_insert_with(|| Line::begins(now)).taken += 1;
        }
        Ok(Place { places: Arc::clone(self), whose })
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Whose, Line>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    whose: [Whose; 2],
}

impl Place {
    /// The receiver has answered as it should.
    pub(super) fn heard(&self, now: Instant) {
        let mut lines = self.places.lines();
        for whose in &self.whose {
            if let Some(line) = lines.get_mut(whose) {
                line.heard = now;
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut lines = self.places.lines();
        for whose in &self.whose {
            if let Some(line) = lines.get_mut(whose) {
                line.taken -= 1;
                if line.taken == 0 {
                    lines.remove(whose);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cmp::Reverse, collections::BinaryHeap};

    const HOST: &str = "hooks.example.org:443";

    fn one(n: u8) -> WebhookId {
        WebhookId::from_bytes([n; 16])
    }

    fn at(host: &str) -> String {
        host.to_owned()
    }

    fn fill(places: &Arc<Places>, webhook: u8, host: &str) -> Vec<Place> {
        let now = Instant::now();
        let taken = std::iter::from_fn(|| places.take(now, (one(webhook), at(host)), 0).ok());
        taken.collect()
    }

    #[test]
    fn a_webhook_has_its_places_and_a_host_its_own_and_others_have_theirs() {
        let places = Arc::new(Places::default());
        let mut first = fill(&places, 1, HOST);
        assert_eq!(first.len(), WEBHOOKS_TO_ONE);
        let second = fill(&places, 2, HOST);
        assert_eq!(first.len() + second.len(), WEBHOOKS_TO_HOST);
        assert!(fill(&places, 3, HOST).is_empty());
        assert_eq!(fill(&places, 3, "other.example.org:443").len(), WEBHOOKS_TO_ONE);
        first.pop();
        assert_eq!(fill(&places, 3, HOST).len(), 1);
        drop((first, second));
        assert!(places.lines().is_empty(), "nothing is kept of who is told nothing");
    }

    #[test]
    fn who_waits_for_a_silent_receiver_waits_as_long_as_it_is_silent_and_no_more_than_ten_minutes()
    {
        let places = Arc::new(Places::default());
        let taken = fill(&places, 1, HOST);
        let begun = Instant::now();
        let wait = |after: u64, chance| {
            let now = begun + Duration::from_secs(after);
            places.take(now, (one(1), at(HOST)), chance).unwrap_err().0
        };
        for chance in 0..100 {
            assert!((1..=50 + 10 * (chance + 1)).contains(&wait(0, chance)));
        }
        for (after, waits) in [(60, 30_000..=60_000), (86_400, 300_000..=600_000)] {
            for chance in 0..100 {
                assert!(waits.contains(&wait(after, chance)), "after {after} s");
            }
        }
        taken[0].heard(begun + Duration::from_secs(86_400));
        assert!(wait(86_400, 7) <= 2_000, "it answers again");
    }

    /// Each of so many finds no place, and comes back when it was told to; returns how many came in each
    /// second.
    fn come(jobs: u64, seconds: usize) -> Vec<u32> {
        let places = Arc::new(Places::default());
        let _taken = fill(&places, 1, HOST);
        let begun = Instant::now();
        // As fast as they are taken from the queue.
        let mut due: BinaryHeap<_> = (0..jobs).map(|n| Reverse(n / 5)).collect();
        let mut came = vec![0; seconds];
        let mut chance = 0;
        while let Some(Reverse(at)) = due.pop() {
            let Some(in_it) = came.get_mut(usize::try_from(at / 1_000).unwrap()) else { break };
            *in_it += 1;
            chance += 1;
            let now = begun + Duration::from_millis(at);
            let wait = places.take(now, (one(1), HOST.to_owned()), chance).unwrap_err();
            due.push(Reverse(at + wait.0));
        }
        came
    }

    #[test]
    fn however_many_wait_for_a_silent_receiver_few_come_back_in_a_second() {
        for jobs in [10, 1_000, 20_000] {
            let came = come(jobs, 3_600);
            let first = usize::try_from(jobs / 5_000).unwrap() + 1;
            let most = came[first..].iter().max().unwrap();
            assert!(*most <= 250, "{jobs}: {most}, {:?}", &came[..60]);
            let last: u32 = came[3_000..].iter().sum();
            let each = u64::from(last) / jobs;
            assert!(each <= 3, "{jobs}: in ten minutes {last} came back");
        }
    }
}
