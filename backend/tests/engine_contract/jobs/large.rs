//! Large jobs are overwritten a part at a time: 4 MiB are as much as may be at once.

use super::{bench::*, govern::inbox, many::all};
use holdfast_common::{
    job::{NewJob, QueueSettings},
    storage::jobs::{Chosen, Deed, Enqueue, Purge, QueueName},
    time::Millis,
};

contract_of_jobs! {
    large_ones_are_dropped_in_smaller_parts
    large_jobs_are_removed_in_parts
}

/// So many jobs of 64 KiB each.
fn large(count: usize) -> Vec<NewJob> {
    let data = format!("\"{}\"", "x".repeat(65_534));
    (0..count).map(|_| NewJob { data: data.clone(), ..new_job() }).collect()
}

async fn large_ones_are_dropped_in_smaller_parts(bench: &Bench) {
    bench.inbox().await;
    bench.enqueue_all(Enqueue { jobs: large(70), promise: None, then: Vec::new() }).await;
    assert_eq!(all(bench, Deed::Purge(inbox(), Purge::Waiting)).await, [64, 6]);
    let jobs: Vec<_> =
        large(70).into_iter().map(|job| NewJob { expires: Some(Millis(1)), ..job }).collect();
    let ids = jobs.iter().map(|job| job.id).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    bench.pass(1).await;
    while bench.tend().await.more {}
    assert_eq!(all(bench, Deed::Discard(Chosen::Of(inbox(), ids))).await, [64, 6]);
    let jobs: Vec<_> =
        large(65).into_iter().map(|job| NewJob { expires: Some(Millis(1)), ..job }).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    bench.pass(1).await;
    while bench.tend().await.more {}
    assert_eq!(all(bench, Deed::Purge(inbox(), Purge::Dead)).await, [64, 1]);
}

async fn large_jobs_are_removed_in_parts(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { keep: Millis(1_000), ..settings() }).await;
    bench.enqueue_all(Enqueue { jobs: large(70), promise: None, then: Vec::new() }).await;
    while bench.counts().await.ready > 0 {
        for job in bench.take(70).await {
            bench.ended(&job, complete()).await;
        }
    }
    bench.pass(1_000).await;
    assert!(bench.tend().await.more);
    assert_eq!(bench.counts().await.done, 6);
    // As much is removed of all queues together.
    bench.queue("other", QueueSettings { keep: Millis(1_000), ..settings() }).await;
    let other: Vec<_> =
        large(60).into_iter().map(|job| NewJob { queue: "other".to_owned(), ..job }).collect();
    let ids = other.iter().map(|job| job.id).collect();
    bench.enqueue_all(Enqueue { jobs: other, promise: None, then: Vec::new() }).await;
    let other = QueueName { ns: WORK.to_owned(), name: "other".to_owned() };
    all(bench, Deed::Cancel(Chosen::Of(other, ids))).await;
    bench.pass(1_000).await;
    assert!(bench.tend().await.more);
    assert_eq!(bench.counts().await.done, 0);
    assert!(!bench.tend().await.more);
}
