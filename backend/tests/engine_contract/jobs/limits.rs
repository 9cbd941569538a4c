//! Never more in flight than set, and never faster.

use super::bench::*;
use holdfast_common::{
    job::{
        NewJob, Place, QueueSettings, Rate,
        limits::{CLAIM_BYTES, CLAIM_JOBS},
    },
    storage::jobs::{Claim, Claimed, Wanted},
    time::Millis,
};

contract_of_jobs! {
    no_more_are_in_flight_than_set
    no_more_begin_in_a_time_than_set
    a_rate_counts_what_has_begun_alone
    what_is_claimed_by_its_id_counts_too
    a_claim_gets_only_so_many
    a_claim_gets_only_so_many_bytes_and_at_least_one_job
    settings_become_those_that_are_declared
}

async fn no_more_are_in_flight_than_set(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { in_flight: Some(2), ..settings() }).await;
    let ids = bench.puts(4).await;
    let taken = bench.take(9).await;
    assert_eq!(taken.len(), 2);
    assert_eq!(bench.take_ids(9).await, []);
    assert_eq!(bench.read_queue().await.info.startable(), 0);
    bench.ended(&taken[0], complete()).await;
    assert_eq!(bench.take_ids(9).await, ids[2..3]);
    bench.pass(10_000).await;
    assert_eq!(bench.take_ids(9).await.len(), 2, "what has run out is in flight no more");
}

fn two_a_second() -> QueueSettings {
    let rate = Some(Rate { jobs: 2, per: Millis(1_000), burst: 3 });
    QueueSettings { rate, ..settings() }
}

async fn no_more_begin_in_a_time_than_set(bench: &Bench) {
    bench.queue(INBOX, two_a_second()).await;
    bench.puts(30).await;
    let Claimed::Jobs { jobs, next } = bench.claimed(claim(9)).await else { panic!("none") };
    assert_eq!((jobs.len(), next), (3, Some(Millis(500))));
    let Claimed::Jobs { jobs, next } = bench.claimed(claim(9)).await else { panic!("none") };
    assert_eq!((jobs.len(), next), (0, Some(Millis(500))));
    let mut began = 0;
    for _ in 0..100 {
        bench.pass(50).await;
        began += bench.take(9).await.len();
    }
    assert_eq!(began, 10);
}

async fn a_rate_counts_what_has_begun_alone(bench: &Bench) {
    bench.queue(INBOX, two_a_second()).await;
    for _ in 0..9 {
        assert_eq!(bench.take_ids(9).await, [], "nothing is there, and nothing is used up");
    }
    bench.puts(9).await;
    assert_eq!(bench.take_ids(1).await.len(), 1);
    assert_eq!(bench.take_ids(9).await.len(), 2);
}

async fn what_is_claimed_by_its_id_counts_too(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { in_flight: Some(2), ..two_a_second() }).await;
    let ids = bench.puts(3).await;
    let of = |id| Claim { wanted: Wanted::Job(id), ..claim(1) };
    assert_eq!(jobs(bench.claimed(of(ids[2])).await).len(), 1);
    assert_eq!(jobs(bench.claimed(of(ids[1])).await).len(), 1);
    assert_eq!(jobs(bench.claimed(of(ids[0])).await).len(), 0);
    assert_eq!(bench.place(ids[0]).await, Place::Ready);
}

async fn a_claim_gets_only_so_many(bench: &Bench) {
    bench.inbox().await;
    bench.puts(CLAIM_JOBS as usize + 1).await;
    assert_eq!(bench.take_ids(u32::MAX).await.len(), CLAIM_JOBS as usize);
    assert_eq!(bench.take_ids(0).await, []);
    assert_eq!(bench.take_ids(9).await.len(), 1);
}

async fn a_claim_gets_only_so_many_bytes_and_at_least_one_job(bench: &Bench) {
    bench.inbox().await;
    let mut ids = Vec::new();
    for bytes in [CLAIM_BYTES + 1, CLAIM_BYTES / 3, CLAIM_BYTES / 3, CLAIM_BYTES / 3, 2] {
        ids.push(bench.put(NewJob { data: "7".repeat(bytes), ..new_job() }).await);
    }
    assert_eq!(bench.take_ids(9).await, ids[..1]);
    assert_eq!(bench.take_ids(9).await, ids[1..4]);
    assert_eq!(bench.take_ids(9).await, ids[4..]);
    bench.counted().await;
}

async fn settings_become_those_that_are_declared(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let other = QueueSettings { attempts: 1, lease: Millis(7_000), ..settings() };
    let info = bench.queue(INBOX, other.clone()).await;
    assert_eq!((info.settings, info.counts.ready), (other, 1));
    let job = jobs(bench.claimed(Claim { lease: None, ..claim(1) }).await).remove(0);
    assert_eq!(job.lease.length, Millis(7_000));
    assert_eq!(bench.job(job.id).await.most, 5, "as it was when the job was enqueued");
    assert_eq!(bench.put(NewJob { most: Some(2), ..new_job() }).await, bench.take_one().await.id);
}
