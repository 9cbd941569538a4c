//! Of which ends somebody is to be told.

use super::{
    bench::*,
    govern::{cancel, die, discard, govern, requeue},
};
use holdfast_common::{
    id::{JobId, PersonId},
    job::{NewJob, Place, limits::LIST_BYTES},
    time::Millis,
};

contract_of_jobs! {
    an_end_is_untold_until_it_is_told
    nobody_is_told_where_nobody_asked
    an_ended_job_is_kept_until_it_is_told
    an_end_is_told_by_its_fence
    a_dead_letter_that_is_requeued_before_need_not_be_heard_of
    each_end_of_a_job_is_told
    a_dead_letter_is_told_once_though_it_is_discarded
    untold_ends_come_in_parts
}

fn asked() -> NewJob {
    NewJob { asker: Some(PersonId::from_bytes([5; 16])), ..new_job() }
}

/// The untold ends.
async fn untold(bench: &Bench) -> Vec<(JobId, u64, Place)> {
    let jobs = bench.engine().untold(0, 100).await.unwrap();
    jobs.into_iter().map(|job| (job.id, job.fence, job.place)).collect()
}

async fn tell(bench: &Bench, id: JobId, fence: u64) {
    bench.engine().told(vec![(id, fence), (job_id(), fence)]).await.unwrap();
}

async fn an_end_is_untold_until_it_is_told(bench: &Bench) {
    bench.inbox().await;
    let done = bench.put(asked()).await;
    assert_eq!(untold(bench).await, [], "it has not ended");
    let job = bench.take_one().await;
    assert_eq!(untold(bench).await, []);
    bench.ended(&job, fail("x")).await;
    assert_eq!(untold(bench).await, [], "it is tried again");
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    let dead = die(bench, asked(), "x").await;
    let cancelled = bench.put(asked()).await;
    govern(bench, cancel(cancelled)).await;
    let expired = bench.put(NewJob { expires: Some(Millis(5)), ..asked() }).await;
    bench.pass(5).await;
    bench.tend().await;
    let all = untold(bench).await;
    let places: Vec<_> = all.iter().map(|(id, _, place)| (*id, *place)).collect();
    assert_eq!(
        places,
        [
            (done, Place::Done),
            (dead, Place::Dead),
            (cancelled, Place::Cancelled),
            (expired, Place::Dead)
        ]
    );
    assert_eq!(all[0].1, job.token.fence);
    let read = bench.engine().untold(0, 1).await.unwrap();
    assert_eq!(read, [bench.job(done).await]);
    for (id, fence, _) in all {
        tell(bench, id, fence).await;
    }
    assert_eq!(untold(bench).await, []);
}

async fn nobody_is_told_where_nobody_asked(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    die(bench, new_job(), "x").await;
    assert_eq!(untold(bench).await, []);
}

async fn an_ended_job_is_kept_until_it_is_told(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(asked()).await;
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    bench.step(settings().keep.0);
    while bench.tend().await.more {}
    assert_eq!(bench.place(id).await, Place::Done);
    tell(bench, id, job.token.fence).await;
    while bench.tend().await.more {}
    assert_eq!(bench.engine().job(id).await.unwrap(), None);
}

async fn an_end_is_told_by_its_fence(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(asked()).await;
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    tell(bench, id, job.token.fence + 1).await;
    assert_eq!(untold(bench).await.len(), 1);
    tell(bench, id, job.token.fence).await;
    assert_eq!(untold(bench).await, []);
}

async fn a_dead_letter_that_is_requeued_before_need_not_be_heard_of(bench: &Bench) {
    bench.inbox().await;
    let id = die(bench, asked(), "x").await;
    let died = bench.job(id).await.fence;
    govern(bench, requeue(id)).await;
    assert_eq!(untold(bench).await, []);
    // Who told of it all the same comes too late to hide the next end.
    tell(bench, id, died).await;
    govern(bench, cancel(id)).await;
    let [(of, fence, Place::Cancelled)] = untold(bench).await[..] else { panic!("not untold") };
    assert_eq!(of, id);
    assert!(fence > died);
    tell(bench, id, died).await;
    assert_eq!(untold(bench).await.len(), 1);
}

async fn each_end_of_a_job_is_told(bench: &Bench) {
    bench.inbox().await;
    let id = die(bench, asked(), "x").await;
    tell(bench, id, bench.job(id).await.fence).await;
    govern(bench, requeue(id)).await;
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    assert_eq!(untold(bench).await, [(id, job.token.fence, Place::Done)]);
}

async fn a_dead_letter_is_told_once_though_it_is_discarded(bench: &Bench) {
    bench.inbox().await;
    let told = die(bench, asked(), "x").await;
    tell(bench, told, bench.job(told).await.fence).await;
    let untold_one = die(bench, asked(), "x").await;
    govern(bench, discard(told)).await;
    govern(bench, discard(untold_one)).await;
    let ids: Vec<_> = untold(bench).await.into_iter().map(|(id, ..)| id).collect();
    assert_eq!(ids, [untold_one]);
}

async fn untold_ends_come_in_parts(bench: &Bench) {
    bench.inbox().await;
    let data = "x".repeat(LIST_BYTES / 3);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(bench.put(NewJob { data: data.clone(), ..asked() }).await);
        let job = bench.take_one().await;
        bench.ended(&job, complete()).await;
    }
    let of = async |limit| {
        let jobs = bench.engine().untold(0, limit).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(of(2).await, ids[..2]);
    assert_eq!(of(9).await, ids[..3], "no more bytes than an answer has");
    let first = bench.engine().untold(0, 1).await.unwrap().remove(0);
    let behind = bench.engine().untold(first.seq, 2).await.unwrap();
    assert_eq!(behind.iter().map(|job| job.id).collect::<Vec<_>>(), ids[1..3], "behind the first");
    assert!(behind[0].seq < behind[1].seq, "numbers rise with the enqueues");
    assert_eq!(bench.engine().untold(i64::MAX, 9).await.unwrap(), []);
}
