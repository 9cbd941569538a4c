//! Of a group one is in flight, and they begin in the order of their enqueues.

use super::bench::*;
use holdfast_common::{
    job::{NewJob, Place},
    storage::jobs::Enqueue,
    time::Millis,
};

contract_of_jobs! {
    jobs_of_a_group_begin_one_by_one_in_their_order
    groups_do_not_wait_for_each_other
    a_group_is_of_its_queue
    a_job_that_waits_to_be_tried_again_holds_up_its_group
    a_dead_letter_holds_up_nobody
    a_lease_that_runs_out_goes_on_before_the_rest_of_its_group
    the_next_of_a_group_keeps_its_own_delay
    a_job_that_expires_lets_its_group_go_on
    priorities_do_not_change_the_order_within_a_group
}

async fn jobs_of_a_group_begin_one_by_one_in_their_order(bench: &Bench) {
    bench.inbox().await;
    let jobs: Vec<_> = (0..4).map(|_| grouped("g")).collect();
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    assert_eq!((bench.counts().await.ready, bench.counts().await.behind), (1, 3));
    for id in ids {
        let taken = bench.take(9).await;
        assert_eq!(taken.iter().map(|job| job.id).collect::<Vec<_>>(), [id]);
        bench.ended(&taken[0], complete()).await;
    }
    assert_eq!(bench.counts().await.done, 4);
    let later = bench.put(grouped("g")).await;
    assert_eq!(bench.place(later).await, Place::Ready);
}

async fn groups_do_not_wait_for_each_other(bench: &Bench) {
    bench.inbox().await;
    let mut ids = Vec::new();
    for group in ["a", "a", "b", "b"] {
        ids.push(bench.put(grouped(group)).await);
    }
    ids.push(bench.puts(1).await[0]);
    assert_eq!(bench.take_ids(9).await, [ids[0], ids[2], ids[4]]);
}

async fn a_group_is_of_its_queue(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    bench.put(grouped("g")).await;
    let elsewhere = bench.put(NewJob { queue: "other".to_owned(), ..grouped("g") }).await;
    assert_eq!(bench.place(elsewhere).await, Place::Ready);
}

async fn a_job_that_waits_to_be_tried_again_holds_up_its_group(bench: &Bench) {
    bench.inbox().await;
    let first = bench.put(NewJob { backoff: Some(Millis(1_000)), ..grouped("g") }).await;
    bench.put(grouped("g")).await;
    let job = bench.take_one().await;
    assert_eq!(bench.ended(&job, fail("x")).await, Place::Delayed);
    assert_eq!(bench.take_ids(9).await, []);
    bench.pass(1_000).await;
    assert_eq!(bench.take_ids(9).await, [first]);
}

async fn a_dead_letter_holds_up_nobody(bench: &Bench) {
    bench.inbox().await;
    bench.put(NewJob { most: Some(1), ..grouped("g") }).await;
    let second = bench.put(grouped("g")).await;
    let job = bench.take_one().await;
    assert_eq!(bench.ended(&job, fail("poison")).await, Place::Dead);
    assert_eq!(bench.take_ids(9).await, [second]);
}

async fn a_lease_that_runs_out_goes_on_before_the_rest_of_its_group(bench: &Bench) {
    bench.inbox().await;
    let first = bench.put(grouped("g")).await;
    bench.put(grouped("g")).await;
    bench.take_one().await;
    bench.pass(10_000).await;
    assert_eq!(bench.take_ids(9).await, [first]);
}

async fn the_next_of_a_group_keeps_its_own_delay(bench: &Bench) {
    bench.inbox().await;
    bench.put(grouped("g")).await;
    let second = bench.put(NewJob { delay: Millis(3_000), ..grouped("g") }).await;
    assert_eq!(bench.place(second).await, Place::Behind);
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    assert_eq!(bench.place(second).await, Place::Delayed);
    bench.pass(3_000).await;
    assert_eq!(bench.take_ids(9).await, [second]);
}

async fn a_job_that_expires_lets_its_group_go_on(bench: &Bench) {
    bench.inbox().await;
    let soon = || NewJob { expires: Some(Millis(1_000)), ..grouped("g") };
    let (first, second) = (bench.put(soon()).await, bench.put(soon()).await);
    let third = bench.put(grouped("g")).await;
    let fourth = bench.put(soon()).await;
    bench.pass(1_000).await;
    assert_eq!(bench.take_ids(9).await, [third]);
    for dead in [first, second, fourth] {
        assert_eq!(bench.place(dead).await, Place::Dead);
    }
}

async fn priorities_do_not_change_the_order_within_a_group(bench: &Bench) {
    bench.inbox().await;
    let first = bench.put(NewJob { priority: -5, ..grouped("g") }).await;
    let second = bench.put(NewJob { priority: 5, ..grouped("g") }).await;
    let job = bench.take_one().await;
    assert_eq!(job.id, first);
    bench.ended(&job, complete()).await;
    assert_eq!(bench.take_ids(9).await, [second]);
}
