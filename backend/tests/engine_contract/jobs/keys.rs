//! What is enqueued twice is enqueued once.

use super::{super::rig::promise, bench::*};
use holdfast_backend::limits::KEYS_KEPT;
use holdfast_common::{
    id::PersonId,
    job::{NewJob, QueueSettings},
    storage::{
        Fault,
        jobs::{Enqueue, Enqueued, Promise},
    },
    time::Millis,
};

contract_of_jobs! {
    a_repeat_gets_the_first_jobs
    another_body_under_the_key_is_a_mismatch
    a_key_belongs_to_its_caller_and_queue
    an_id_is_the_same_in_each_queue_and_no_key
    an_id_under_which_another_job_stands_is_a_mismatch
    an_id_that_is_said_of_several_jobs_enqueues_none
    a_job_whose_id_is_known_is_not_enqueued_again
    a_refused_enqueue_leaves_no_key_and_no_job
    a_key_is_remembered_as_long_as_its_jobs_and_a_week_at_least
    an_id_is_remembered_as_long_as_its_job_and_a_week_after_it
    a_queue_holds_so_many_and_no_more
}

fn keyed(key: &str, body: u8, jobs: usize) -> Enqueue {
    let jobs = (0..jobs).map(|_| new_job()).collect();
    Enqueue { jobs, promise: promise(key, body).map(Promise::Key), then: Vec::new() }
}

async fn a_repeat_gets_the_first_jobs(bench: &Bench) {
    bench.inbox().await;
    let first = keyed("k", 1, 3);
    let ids: Vec<_> = first.jobs.iter().map(|job| job.id).collect();
    let made = bench.enqueue_all(first).await;
    assert_eq!(made, Enqueued::Made { ids: ids.clone(), claimed: Vec::new() });
    let mut again = keyed("k", 1, 3);
    again.then = vec![claim(9)];
    assert_eq!(bench.enqueue_all(again).await, Enqueued::Again(ids));
    assert_eq!(bench.counts().await.ready, 3, "nothing was enqueued or claimed");
}

async fn another_body_under_the_key_is_a_mismatch(bench: &Bench) {
    bench.inbox().await;
    bench.enqueue_all(keyed("k", 1, 1)).await;
    assert_eq!(bench.enqueue_all(keyed("k", 2, 1)).await, Enqueued::Mismatch);
    assert_eq!(bench.counts().await.ready, 1);
}

async fn a_key_belongs_to_its_caller_and_queue(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    bench.enqueue_all(keyed("k", 1, 1)).await;
    let mut elsewhere = keyed("k", 2, 1);
    elsewhere.jobs[0].queue = "other".to_owned();
    assert!(matches!(bench.enqueue_all(elsewhere).await, Enqueued::Made { .. }));
    let mut other = keyed("k", 3, 1);
    let Some(Promise::Key(key)) = &mut other.promise else { panic!("no key") };
    key.caller = PersonId::from_bytes([7; 16]);
    assert!(matches!(bench.enqueue_all(other).await, Enqueued::Made { .. }));
}

/// By the job's id.
fn named(job: &NewJob, body: u8) -> Enqueue {
    let promise = Some(Promise::Id([body; 32]));
    Enqueue { jobs: vec![job.clone()], promise, then: Vec::new() }
}

async fn an_id_is_the_same_in_each_queue_and_no_key(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    let job = new_job();
    let elsewhere = NewJob { queue: "other".to_owned(), ..job.clone() };
    assert!(matches!(bench.enqueue_all(named(&job, 1)).await, Enqueued::Made { .. }));
    assert_eq!(bench.enqueue_all(named(&elsewhere, 2)).await, Enqueued::Mismatch);
    assert_eq!(bench.enqueue_all(named(&job, 1)).await, Enqueued::Again(vec![job.id]));
    // The same text, and no id of what is asked for by it.
    let by_key = keyed(&job.id.to_string(), 3, 1);
    assert!(matches!(bench.enqueue_all(by_key).await, Enqueued::Made { .. }));
    assert_eq!(bench.enqueue_all(named(&job, 1)).await, Enqueued::Again(vec![job.id]));
}

async fn an_id_under_which_another_job_stands_is_a_mismatch(bench: &Bench) {
    bench.inbox().await;
    let without = new_job();
    bench.put(without.clone()).await;
    assert_eq!(bench.enqueue_all(named(&without, 1)).await, Enqueued::Mismatch);
    let job = new_job();
    bench.enqueue_all(named(&job, 1)).await;
    let other = NewJob { asker: Some(PersonId::from_bytes([7; 16])), ..job };
    assert_eq!(bench.enqueue_all(named(&other, 1)).await, Enqueued::Mismatch);
    assert_eq!(bench.counts().await.ready, 2);
}

async fn an_id_that_is_said_of_several_jobs_enqueues_none(bench: &Bench) {
    bench.inbox().await;
    let several = Enqueue { jobs: vec![new_job(), new_job()], ..named(&new_job(), 1) };
    let said = bench.engine().enqueue(several).await;
    assert!(matches!(said, Err(Fault::Failed(_))), "{said:?}");
    assert_eq!(bench.counts().await.ready, 0);
}

#[tokio::test]
async fn an_id_that_an_earlier_build_keeps_as_a_key_is_known() {
    let bench = Bench::sqlite();
    bench.inbox().await;
    let job = new_job();
    bench.put(job.clone()).await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (caller, hash) = (hex(PersonId::SERVICE.as_bytes()), hex(&[1; 32]));
    let (id, until) = (hex(job.id.as_bytes()), KEYS_KEPT.0);
    bench.alter(&format!(
        "INSERT INTO job_keys (queue, caller, key, body_hash, jobs, until)
         VALUES (0, x'{caller}', '{}', x'{hash}', x'{id}', {until})",
        job.id
    ));
    assert_eq!(bench.enqueue_all(named(&job, 1)).await, Enqueued::Again(vec![job.id]));
    assert_eq!(bench.enqueue_all(named(&job, 2)).await, Enqueued::Mismatch);
}

async fn a_job_whose_id_is_known_is_not_enqueued_again(bench: &Bench) {
    bench.inbox().await;
    let job = new_job();
    let id = bench.put(job.clone()).await;
    let of = |jobs| Enqueue { jobs, promise: None, then: Vec::new() };
    assert_eq!(bench.enqueue_all(of(vec![job.clone()])).await, Enqueued::Again(vec![id]));
    let new = new_job();
    let ids = vec![id, new.id, new.id];
    let made = bench.enqueue_all(of(vec![job.clone(), new.clone(), new])).await;
    assert_eq!(made, Enqueued::Made { ids, claimed: Vec::new() });
    assert_eq!(bench.counts().await.ready, 2);
    let taken = bench.take_one().await;
    bench.ended(&taken, complete()).await;
    assert_eq!(bench.enqueue_all(of(vec![job])).await, Enqueued::Again(vec![id]), "done as well");
}

async fn a_refused_enqueue_leaves_no_key_and_no_job(bench: &Bench) {
    bench.inbox().await;
    let mut unknown = keyed("k", 1, 2);
    unknown.jobs[1].queue = "none".to_owned();
    let refused = Enqueued::UnknownQueue { index: 1 };
    assert_eq!(bench.enqueue_all(unknown).await, refused);
    assert_eq!(bench.counts().await.ready, 0);
    assert!(matches!(bench.enqueue_all(keyed("k", 2, 1)).await, Enqueued::Made { .. }));
}

async fn a_key_is_remembered_as_long_as_its_jobs_and_a_week_at_least(bench: &Bench) {
    let keep = Millis(1_000);
    bench.queue(INBOX, QueueSettings { keep, ..settings() }).await;
    let first = keyed("k", 1, 1);
    let id = first.jobs[0].id;
    bench.enqueue_all(first).await;
    let week = async || {
        bench.step(KEYS_KEPT.0);
        while bench.tend().await.more {}
    };
    week().await;
    assert_eq!(bench.enqueue_all(keyed("k", 1, 1)).await, Enqueued::Again(vec![id]), "it waits");
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    bench.step(1_000);
    bench.tend().await;
    assert_eq!(bench.engine().job(id).await, Ok(None));
    assert_eq!(bench.enqueue_all(keyed("k", 1, 1)).await, Enqueued::Again(vec![id]));
    week().await;
    assert!(matches!(bench.enqueue_all(keyed("k", 2, 1)).await, Enqueued::Made { .. }));
}

async fn an_id_is_remembered_as_long_as_its_job_and_a_week_after_it(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { keep: Millis(1_000), ..settings() }).await;
    let job = NewJob { asker: Some(PersonId::from_bytes([7; 16])), ..new_job() };
    let is_known = async || {
        assert_eq!(bench.enqueue_all(named(&job, 1)).await, Enqueued::Again(vec![job.id]));
        assert_eq!(bench.enqueue_all(named(&job, 2)).await, Enqueued::Mismatch);
    };
    bench.enqueue_all(named(&job, 1)).await;
    bench.step(2 * KEYS_KEPT.0);
    while bench.tend().await.more {}
    is_known().await;
    let taken = bench.take_one().await;
    bench.ended(&taken, complete()).await;
    is_known().await;
    bench.engine().told(vec![(job.id, taken.token.fence)]).await.unwrap();
    bench.step(1_000);
    bench.tend().await;
    assert_eq!(bench.engine().job(job.id).await, Ok(None));
    bench.step(KEYS_KEPT.0 - 1);
    while bench.tend().await.more {}
    is_known().await;
    bench.step(1);
    while bench.tend().await.more {}
    assert!(matches!(bench.enqueue_all(named(&job, 2)).await, Enqueued::Made { .. }));
}

async fn a_queue_holds_so_many_and_no_more(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { most: 3, ..settings() }).await;
    bench.puts(1).await;
    bench.put(NewJob { delay: Millis(9), ..new_job() }).await;
    assert_eq!(bench.enqueue_all(keyed("k", 1, 2)).await, Enqueued::QueueFull);
    assert_eq!(bench.enqueue_all(keyed("k", 1, 4)).await, Enqueued::TooLarge, "not even empty");
    assert_eq!(bench.counts().await.unfinished(), 2);
    bench.puts(1).await;
    let job = bench.take_one().await;
    let one = keyed("k", 1, 1);
    assert_eq!(bench.enqueue_all(one.clone()).await, Enqueued::QueueFull, "it has not ended");
    bench.ended(&job, complete()).await;
    assert!(matches!(bench.enqueue_all(one).await, Enqueued::Made { .. }));
}
