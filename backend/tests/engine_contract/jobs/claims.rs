//! Who gets which job.

use super::bench::*;
use holdfast_common::{
    job::{JobState, NewJob, Place, limits::TEND_JOBS},
    storage::jobs::{Claim, Claimed, Enqueue, Enqueued, Wanted},
    time::{Millis, Timestamp},
};
use std::collections::BTreeSet;

contract_of_jobs! {
    jobs_are_given_out_in_the_order_of_their_enqueues
    higher_priorities_begin_first
    a_job_is_given_to_one_consumer_at_a_time
    a_job_is_given_out_with_all_that_its_consumer_needs
    no_two_leases_have_the_same_token_and_fences_rise
    a_delayed_job_is_given_out_when_it_is_due_though_nobody_tended
    a_lease_that_ran_out_is_given_out_again_though_nobody_tended
    what_stands_behind_more_than_is_swept_up_is_given_out_though_nobody_tended
    one_job_is_claimed_by_its_id
    what_is_not_ready_cannot_be_claimed_by_its_id
    claims_of_what_is_not_there_say_so
    an_enqueue_hands_its_jobs_over_in_its_own_transaction
    a_claim_tells_what_has_moved
    what_waits_longest_is_told
}

async fn jobs_are_given_out_in_the_order_of_their_enqueues(bench: &Bench) {
    bench.inbox().await;
    let ids = bench.puts(5).await;
    assert_eq!(bench.take_ids(2).await, ids[..2]);
    assert_eq!(bench.take_ids(9).await, ids[2..]);
    assert_eq!(bench.take_ids(9).await, []);
    assert_eq!(bench.counts().await.leased, 5);
}

async fn higher_priorities_begin_first(bench: &Bench) {
    bench.inbox().await;
    let mut ids = Vec::new();
    for priority in [0, -100, 100, 0, 100] {
        ids.push(bench.put(NewJob { priority, ..new_job() }).await);
    }
    assert_eq!(bench.take_ids(9).await, [2, 4, 0, 3, 1].map(|n| ids[n]));
    assert_eq!(bench.job(ids[1]).await.priority, -100);
}

async fn a_job_is_given_to_one_consumer_at_a_time(bench: &Bench) {
    bench.inbox().await;
    bench.puts(40).await;
    let claims = (0..40).map(|n| {
        let claim = Claim { holder: holder(&format!("c{n}")), ..claim(3) };
        bench.engine().claim(claim)
    });
    let mut given = Vec::new();
    for answer in futures_util::future::join_all(claims).await {
        given.extend(jobs(answer.unwrap().0).into_iter().map(|job| job.id));
    }
    assert_eq!(given.len(), 40);
    assert_eq!(given.into_iter().collect::<BTreeSet<_>>().len(), 40);
}

async fn a_job_is_given_out_with_all_that_its_consumer_needs(bench: &Bench) {
    bench.inbox().await;
    let data = r#"{"title":"dressing","body":"ward 7"}"#.to_owned();
    let id = bench.put(NewJob { data: data.clone(), ..grouped("g") }).await;
    bench.pass(500).await;
    let job = bench.take_one().await;
    assert_eq!((job.id, job.attempt, job.kind.as_str()), (id, 1, "task"));
    assert_eq!((job.data, job.group.as_deref()), (data.clone(), Some("g")));
    assert_eq!(job.lease.length, Millis(10_000));
    assert_eq!(job.lease.until, Timestamp(WALL + 10_500));
    let read = bench.job(id).await;
    assert_eq!((read.place, read.attempt, read.data), (Place::Leased, 1, data));
    assert_eq!((read.due, read.age), (Some(Millis(10_000)), Millis(500)));
    assert_eq!(read.holder, Some(holder("c")));
}

async fn no_two_leases_have_the_same_token_and_fences_rise(bench: &Bench) {
    bench.inbox().await;
    bench.puts(3).await;
    let mut tokens = Vec::new();
    for _ in 0..4 {
        for job in bench.take(3).await {
            tokens.push(job.token);
            bench.ended(&job, snooze(0)).await;
        }
    }
    assert_eq!(tokens.len(), 12);
    assert!(tokens.is_sorted_by_key(|token| token.fence));
    let keys: BTreeSet<u64> = tokens.iter().map(|token| token.key).collect();
    assert_eq!(keys.len(), 12, "a key that cannot be guessed is drawn for each");
}

async fn a_delayed_job_is_given_out_when_it_is_due_though_nobody_tended(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { delay: Millis(1_500), ..new_job() }).await;
    assert_eq!(bench.place(id).await, Place::Delayed);
    bench.pass(1_499).await;
    assert_eq!(bench.take_ids(1).await, []);
    bench.pass(1).await;
    assert_eq!(bench.place(id).await, Place::Ready);
    assert_eq!(bench.take_ids(1).await, [id]);
}

async fn a_lease_that_ran_out_is_given_out_again_though_nobody_tended(bench: &Bench) {
    bench.inbox().await;
    let id = bench.puts(1).await[0];
    bench.take_one().await;
    bench.pass(9_999).await;
    assert_eq!(bench.take_ids(1).await, []);
    bench.pass(1).await;
    let again = bench.take_one().await;
    assert_eq!((again.id, again.attempt), (id, 2));
}

async fn what_stands_behind_more_than_is_swept_up_is_given_out_though_nobody_tended(bench: &Bench) {
    bench.inbox().await;
    let expires = Some(Millis(10));
    let over = (0..TEND_JOBS + 60).map(|_| NewJob { expires, priority: 9, ..new_job() }).collect();
    bench.enqueue_all(Enqueue { jobs: over, promise: None, then: Vec::new() }).await;
    let ids = bench.puts(2).await;
    bench.step(10);
    assert_eq!(bench.take_ids(1).await, ids[..1]);
    assert_eq!(bench.take_ids(9).await, ids[1..]);
    let counts = bench.counts().await;
    assert_eq!((counts.ready, counts.dead), (0, TEND_JOBS as u64 + 60));
    bench.counted().await;
}

fn of(job: holdfast_common::id::JobId) -> Claim {
    Claim { wanted: Wanted::Job(job), ..claim(1) }
}

async fn one_job_is_claimed_by_its_id(bench: &Bench) {
    bench.inbox().await;
    let ids = bench.puts(3).await;
    let taken = jobs(bench.claimed(of(ids[1])).await);
    assert_eq!(taken[0].id, ids[1]);
    assert_eq!(bench.take_ids(9).await, [ids[0], ids[2]]);
}

async fn what_is_not_ready_cannot_be_claimed_by_its_id(bench: &Bench) {
    bench.inbox().await;
    let delayed = bench.put(NewJob { delay: Millis(9), ..new_job() }).await;
    assert_eq!(bench.claimed(of(delayed)).await, Claimed::NotReady(JobState::Ready));
    let id = bench.puts(1).await[0];
    let job = bench.take_one().await;
    assert_eq!(bench.claimed(of(id)).await, Claimed::NotReady(JobState::Leased));
    bench.ended(&job, complete()).await;
    assert_eq!(bench.claimed(of(id)).await, Claimed::NotReady(JobState::Done));
}

async fn claims_of_what_is_not_there_say_so(bench: &Bench) {
    assert_eq!(bench.claimed(claim(1)).await, Claimed::UnknownQueue);
    assert_eq!(bench.claimed(of(job_id())).await, Claimed::UnknownJob);
    assert_eq!(bench.engine().job(job_id()).await, Ok(None));
    assert_eq!(bench.engine().queue(WORK, INBOX).await, Ok(None));
    bench.inbox().await;
    assert_eq!(bench.take_ids(1).await, []);
}

async fn an_enqueue_hands_its_jobs_over_in_its_own_transaction(bench: &Bench) {
    bench.inbox().await;
    let waiting = bench.puts(1).await;
    let new: Vec<_> = (0..2).map(|_| new_job()).collect();
    let ids: Vec<_> = new.iter().map(|job| job.id).collect();
    let before = bench.engine().commits();
    let then = vec![claim(2), claim(2)];
    let Enqueued::Made { claimed, .. } =
        bench.enqueue_all(Enqueue { jobs: new, promise: None, then }).await
    else {
        panic!("not made");
    };
    let given: Vec<Vec<_>> =
        claimed.into_iter().map(|c| jobs(c).into_iter().map(|job| job.id).collect()).collect();
    assert_eq!(given, [vec![waiting[0], ids[0]], vec![ids[1]]]);
    assert!(bench.engine().commits() - before <= 1);
}

async fn a_claim_tells_what_has_moved(bench: &Bench) {
    bench.inbox().await;
    let ids = bench.puts(2).await;
    bench.pass(700).await;
    let (_, moves) = bench.engine().claim(claim(1)).await.unwrap();
    assert_eq!(moves.queues.len(), 1);
    let told = &moves.queues[0];
    assert_eq!((told.queue.counts.ready, told.queue.counts.leased), (1, 1));
    assert_eq!(told.queue.startable(), 1);
    let moved = &told.jobs[0];
    assert_eq!(
        (moved.job, moved.from, moved.to),
        (ids[0], Some(Place::Ready), Some(Place::Leased))
    );
    assert_eq!((moved.attempt, moved.consumer.as_deref()), (1, Some("c")));
    assert_eq!(moved.took, Some(Millis(700)));
    let (_, later) = bench.engine().claim(claim(1)).await.unwrap();
    assert!(later.version > moves.version, "what was counted later is known from what was before");
}

async fn what_waits_longest_is_told(bench: &Bench) {
    bench.inbox().await;
    assert_eq!(bench.read_queue().await.oldest, None);
    bench.put(NewJob { priority: -9, ..new_job() }).await;
    bench.pass(300).await;
    bench.put(NewJob { priority: 9, ..new_job() }).await;
    bench.put(NewJob { delay: Millis(9_000), ..new_job() }).await;
    assert_eq!(bench.read_queue().await.oldest, Some(Millis(300)));
    bench.take(2).await;
    assert_eq!(bench.read_queue().await.oldest, None);
}
