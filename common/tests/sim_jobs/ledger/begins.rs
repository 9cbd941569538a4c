//! What begins: once, in its order, and within what is set.

use super::{Invariant, Known, Ledger, Stands, known::Hold};
use crate::{disk::Queue, store::Batch};
use holdfast_common::{id::JobId, job::Token, time::Millis};

impl Ledger {
    pub(super) fn begun(&mut self, batch: &Batch, job: JobId, token: Token, length: Millis) {
        if let Some(hold) = self.hold(job) {
            self.breaks(Invariant::J2, || {
                format!("{job} is {}'s and begins by {token}", hold.token)
            });
        }
        if token.fence <= self.state.highest
            || !self.state.tokens.insert((job, token.fence, token.key))
        {
            let highest = self.state.highest;
            self.breaks(Invariant::J3, || format!("{token} comes behind {highest}"));
        }
        self.state.highest = self.state.highest.max(token.fence);
        self.goes(
            batch,
            job,
            Stands::Held(Hold {
                token,
                until: batch.now + length,
                length: length.0,
                from: batch.counted,
            }),
        );
        let Some(known) = self.state.jobs.get_mut(&job) else { return };
        known.begun += 1;
        known.fence = token.fence;
        let known = known.clone();
        if known.begun > known.most {
            self.breaks(Invariant::J7, || format!("{job} begins for the {}th time", known.begun));
        }
        self.in_order(job, &known);
        self.within_limits(batch, known.queue);
    }

    fn in_order(&mut self, job: JobId, known: &Known) {
        let others = self.state.jobs.iter().filter(|(id, it)| {
            **id != job
                && it.group.is_some()
                && (it.queue, &it.group) == (known.queue, &known.group)
        });
        let mut others = others.filter(|(_, it)| !it.stands.ended());
        let wrong = others
            .find(|(_, it)| it.stands.hold().is_some() || (it.order < known.order && !it.requeued));
        if let Some(id) = wrong.map(|(id, _)| *id) {
            self.breaks(Invariant::J5, || {
                format!("{job} begins before {id} of its group has ended")
            });
        }
    }

    fn within_limits(&mut self, batch: &Batch, queue: Queue) {
        let held =
            self.state.jobs.values().filter(|it| it.queue == queue && it.stands.hold().is_some());
        let held = held.count() as u64;
        let governed = &mut self.state.queues[queue];
        governed.began.push(batch.now);
        let wrong = if governed.paused {
            Some("a queue that is paused".to_owned())
        } else if governed.settings.in_flight.is_some_and(|most| held > u64::from(most)) {
            Some(format!("{held} in flight"))
        } else {
            governed.settings.rate.and_then(|rate| {
                let began = governed.began.iter().rev().zip(1_u64..);
                let mut too_many = began.filter(|(at, jobs)| {
                    let since = u128::from((batch.now - **at).0) * u128::from(rate.jobs);
                    let more = u128::from(jobs.saturating_sub(u64::from(rate.burst)));
                    more * u128::from(rate.per.0) > since
                });
                too_many.next().map(|(at, jobs)| format!("{jobs} begun since {at:?}"))
            })
        };
        if let Some(what) = wrong {
            self.breaks(Invariant::J11, || format!("queue {queue}: {what}"));
        }
    }
}
