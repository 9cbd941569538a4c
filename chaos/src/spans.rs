//! From when to when each lease has stood at least, by the steady clock that all processes share.
//!
//! A lease that was asked for at one moment was given behind it, and stands for its length, unless whoever
//! has it ends it. What the server does not count of the time makes it longer, never shorter. One that
//! has come at some moment was given before it. So what may stand alone and came within the time of another
//! one that was given before was given too early, whatever the server says of it.

use crate::{
    crew::Lease,
    worker::{HOLD_MS, LEASE_MS},
};
use std::collections::BTreeMap;

/// Nanoseconds of the steady clock.
type At = u64;

/// By so much a lease may be over sooner: the server counts whole milliseconds, and from the time at which it
/// began the batch that gave the lease.
const SLACK_MS: u64 = 200;

#[derive(Debug)]
struct Span {
    /// When it was here: it was given before.
    got: At,
    /// Until then it stands, if nobody ends it.
    until: At,
    /// When an end of it was first said: it may be over since.
    ends: Option<At>,
}

impl Span {
    /// Until then nobody else can have had it.
    fn stands_until(&self) -> At {
        self.ends.map_or(self.until, |ends| ends.min(self.until))
    }
}

/// Of all leases.
#[derive(Debug, Default)]
pub(crate) struct Spans(BTreeMap<Lease, Span>);

impl Spans {
    /// A lease has come that was asked for at this time.
    pub(crate) fn begins(&mut self, lease: Lease, asked: At, got: At) {
        self.0.insert(lease, Span { got, until: over(asked, LEASE_MS), ends: None });
    }

    /// It was asked for at this time, and done, that it be as long as that of a job that is held.
    pub(crate) fn longer(&mut self, lease: &Lease, asked: At) {
        if let Some(span) = self.0.get_mut(lease) {
            span.until = span.until.max(over(asked, HOLD_MS));
        }
    }

    /// Whoever has it is about to say that it ends.
    pub(crate) fn ends(&mut self, lease: &Lease, at: At) {
        if let Some(span) = self.0.get_mut(lease) {
            span.ends.get_or_insert(at);
        }
    }

    /// Two leases, of those that may stand only one at a time, of which the later one was given while
    /// the first stood. Fences rise with each lease.
    pub(crate) fn overlap<'a, K: Ord>(
        &'a self,
        alone: impl Fn(&'a Lease) -> Option<K>,
    ) -> Option<(&'a Lease, &'a Lease)> {
        let mut each = BTreeMap::<K, Vec<(&Lease, &Span)>>::new();
        for (lease, span) in &self.0 {
            if let Some(alone) = alone(lease) {
                each.entry(alone).or_default().push((lease, span));
            }
        }
        each.into_values().find_map(|mut leases| {
            leases.sort_by_key(|(lease, _)| lease.1);
            let pairs = leases
                .iter()
                .enumerate()
                .flat_map(|(n, first)| leases[n + 1..].iter().map(move |then| (*first, *then)));
            let mut early = pairs.filter(|(first, then)| then.1.got < first.1.stands_until());
            early.next().map(|(first, then)| (first.0, then.0))
        })
    }
}

/// When a lease of this length is over that was asked for at this time.
const fn over(asked: At, length: u64) -> At {
    asked + (length - SLACK_MS) * 1_000_000
}
