//! Every engine does with jobs what the [`Reference`] says, whatever is asked of it.

use super::{
    bench::*,
    govern::{cancel, discard, govern, inbox, requeue},
    reference::Reference,
};
use holdfast_common::{
    id::{JobId, PersonId},
    job::{NewJob, Place},
    storage::jobs::{Enqueue, Extended, How, LeasedJob, ListQuery, Sieve},
    time::Millis,
};
use proptest::{prelude::*, test_runner::TestRunner};
use std::collections::BTreeMap;

/// Something that is asked. A job or a lease is meant by its number among all there ever were.
#[derive(Debug, Clone)]
enum Call {
    Enqueue(Draft),
    Claim(u32),
    End { lease: usize, how: How, jobs: Vec<Draft> },
    Extend { lease: usize, length: u64 },
    Cancel(usize),
    Requeue(usize),
    Discard(usize),
    Told,
    Pass(u64),
}

#[derive(Debug, Clone)]
struct Draft {
    delay: u64,
    priority: i8,
    group: Option<u8>,
    most: u32,
    expires: Option<u64>,
    asked: bool,
}

fn draft() -> impl Strategy<Value = Draft> {
    let delay = prop_oneof![3 => Just(0), 1 => 1..9_000_u64];
    let expires = prop::option::weighted(0.3, 0..20_000_u64);
    let group = prop::option::of(0..2_u8);
    (delay, -1..=1_i8, group, 1..4_u32, expires, any::<bool>()).prop_map(
        |(delay, priority, group, most, expires, asked)| Draft {
            delay,
            priority,
            group,
            most,
            expires,
            asked,
        },
    )
}

fn call() -> impl Strategy<Value = Call> {
    let retry = || prop_oneof![3 => Just(Some(Millis(0))), 1 => Just(None)];
    let how = prop_oneof![
        3 => Just(complete()),
        3 => retry().prop_map(|retry| How::Fail { reason: "x".to_owned(), failure: None, retry }),
        1 => (0..3_000_u64).prop_map(snooze),
        1 => (0..3_000_u64).prop_map(|delay| How::HandBack { delay: Millis(delay) }),
    ];
    let jobs = prop::collection::vec(draft(), 0..2);
    // Mostly one of the newest.
    let of = || prop_oneof![3 => 0..4_usize, 1 => 0..40_usize];
    prop_oneof![
        6 => draft().prop_map(Call::Enqueue),
        6 => (1..4_u32).prop_map(Call::Claim),
        8 => (of(), how, jobs).prop_map(|(lease, how, jobs)| Call::End { lease, how, jobs }),
        2 => (of(), 100..20_000_u64).prop_map(|(lease, length)| Call::Extend { lease, length }),
        2 => of().prop_map(Call::Cancel),
        3 => of().prop_map(Call::Requeue),
        1 => of().prop_map(Call::Discard),
        1 => Just(Call::Told),
        4 => (1..12_000_u64).prop_map(Call::Pass),
    ]
}

/// An engine, and what it has to do.
struct Pair {
    bench: Bench,
    reference: Reference,
    leases: Vec<LeasedJob>,
    /// Which end of a job each fence names.
    named: BTreeMap<(JobId, u64), u32>,
}

impl Pair {
    fn new(bench: Bench) -> Self {
        let (reference, leases) = (Reference::default(), Vec::new());
        Self { bench, reference, leases, named: BTreeMap::new() }
    }

    fn job(&self, draft: &Draft) -> NewJob {
        NewJob {
            delay: Millis(draft.delay),
            priority: draft.priority,
            group: draft.group.map(|group| group.to_string()),
            most: Some(draft.most),
            expires: draft.expires.map(Millis),
            asker: draft.asked.then(|| PersonId::from_bytes([5; 16])),
            ..new_job()
        }
    }

    /// A lease, counted from the newest.
    fn lease(&self, n: usize) -> Option<LeasedJob> {
        self.leases.iter().rev().nth(n).cloned()
    }

    fn id(&self, n: usize) -> Option<JobId> {
        self.reference.jobs.iter().rev().nth(n).map(|job| job.asked.id)
    }

    async fn call(&mut self, call: &Call) {
        let bench = &self.bench;
        match call {
            Call::Enqueue(draft) => {
                let job = self.job(draft);
                let jobs = vec![job.clone()];
                bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
                self.reference.enqueue(&job);
                self.reference.pass(0);
            }
            Call::Claim(most) => {
                let got = bench.take(*most).await;
                self.reference.claim(*most as usize, &got);
                self.leases.extend(got);
            }
            Call::End { lease, how, jobs } => {
                let Some(lease) = self.lease(*lease) else { return };
                let mut end = end(lease.id, lease.token, how.clone());
                end.jobs = jobs.iter().map(|draft| self.job(draft)).collect();
                // Said again it is often the same, with ids made anew.
                if let Some(said) = self.reference.said(lease.id, lease.token)
                    && end.jobs.is_empty()
                {
                    end.jobs = said.into_iter().map(|job| NewJob { id: job_id(), ..job }).collect();
                }
                bench.know(&end.jobs.iter().map(|job| job.id).collect::<Vec<_>>());
                let (said, _) = bench.engine().end(end.clone()).await.unwrap();
                self.reference.end(&end, &said);
                self.reference.pass(0);
            }
            Call::Extend { lease, length } => {
                let Some(lease) = self.lease(*lease) else { return };
                let said = bench.extend(vec![(lease.id, lease.token)], *length).await;
                let is_so = matches!(said[..], [Extended::Until(_)]);
                self.reference.extend(lease.id, lease.token, *length, is_so);
            }
            Call::Cancel(n) => {
                let Some(id) = self.id(*n) else { return };
                self.reference.cancel(id, &govern(bench, cancel(id)).await);
            }
            Call::Requeue(n) => {
                let Some(id) = self.id(*n) else { return };
                self.reference.requeue(id, &govern(bench, requeue(id)).await);
            }
            Call::Discard(n) => {
                let Some(id) = self.id(*n) else { return };
                self.reference.discard(id, &govern(bench, discard(id)).await);
            }
            Call::Told => {
                let untold = bench.engine().untold(0, 2).await.unwrap();
                let told: Vec<_> = untold.iter().map(|job| (job.id, job.fence)).collect();
                bench.engine().told(told).await.unwrap();
                for job in untold {
                    self.reference.of(job.id).unwrap().untold = false;
                }
            }
            Call::Pass(length) => {
                bench.pass(*length).await;
                self.reference.pass(*length);
            }
        }
    }

    /// What is read is what the reference says.
    async fn compare(&mut self) {
        while self.bench.tend().await.more {}
        let engine = self.bench.engine();
        for known in &self.reference.jobs {
            let read = engine.job(known.asked.id).await.unwrap().unwrap();
            let place = known.place(self.reference.now);
            assert_eq!((read.place, read.attempt), (place, known.attempt()), "{read:?}");
            if place.ended() {
                let named = *self.named.entry((read.id, read.fence)).or_insert(known.ends);
                assert_eq!(named, known.ends, "a fence names one end: {read:?}");
            }
        }
        assert_eq!(self.bench.counts().await, self.reference.counts());
        let places = self.reference.places();
        for place in Place::ALL {
            let (queue, sieve) = (inbox(), Sieve::default());
            let query = ListQuery {
                queue,
                places: vec![place],
                sieve,
                after: None,
                limit: 1_000,
                last_attempt: false,
                max_bytes: usize::MAX,
            };
            let listed = engine.list(query).await.unwrap().unwrap();
            let mut ids: Vec<_> = listed.jobs.into_iter().map(|job| job.id).collect();
            let mut expected = places.get(&place).cloned().unwrap_or_default();
            ids.sort_unstable();
            expected.sort_unstable();
            assert_eq!(ids, expected, "{place:?}");
        }
        let untold = engine.untold(0, 1_000).await.unwrap();
        let untold: Vec<_> = untold.into_iter().map(|job| job.id).collect();
        let expected = self.reference.jobs.iter().filter(|job| job.untold);
        assert_eq!(untold, expected.map(|job| job.asked.id).collect::<Vec<_>>());
    }
}

fn does_as_the_reference_says(cases: u32, bench: impl Fn() -> Bench) {
    let source =
        Box::new(prop::test_runner::FileFailurePersistence::SourceParallel("proptest-regressions"));
    let config = ProptestConfig {
        failure_persistence: Some(source),
        source_file: Some(file!()),
        ..ProptestConfig::default()
    };
    let said = std::env::var_os("PROPTEST_CASES").is_some();
    let cases = if said { config.cases } else { cases };
    let calls = prop::collection::vec(call(), 1..80);
    let run = TestRunner::new(ProptestConfig { cases, ..config }).run(&calls, |calls| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut pair = Pair::new(bench());
            pair.bench.inbox().await;
            for call in &calls {
                pair.call(call).await;
                pair.compare().await;
            }
            pair.bench.counted().await;
        });
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn memory_does_with_jobs_as_the_reference_says() {
    does_as_the_reference_says(300, Bench::memory);
}

#[test]
fn sqlite_does_with_jobs_as_the_reference_says() {
    does_as_the_reference_says(12, Bench::sqlite);
}
