//! What time alone brings is carried out, a part at a time.

use super::bench::*;
use holdfast_common::{
    job::{Attempt, NewJob, Place, QueueSettings, limits::TEND_JOBS},
    storage::jobs::{Enqueue, JobRead, Tended},
    time::{Millis, Timestamp},
};

contract_of_jobs! {
    tending_says_when_time_alone_will_change_something
    what_is_due_becomes_ready
    a_lease_that_ran_out_is_an_attempt_with_its_error
    a_poison_job_ends_as_a_dead_letter
    a_job_that_was_not_begun_in_time_is_a_dead_letter
    what_time_has_ended_is_read_with_its_error_before_anybody_has_tended_to_it
    a_lease_that_runs_is_not_cut_off_by_expiry
    a_job_that_expires_while_it_is_held_has_expired_then_or_with_the_last_of_its_errors
    ended_jobs_are_kept_for_their_time_and_dead_letters_for_ever
    one_tending_does_only_so_much
    tending_names_each_queue_that_has_something
}

async fn tending_says_when_time_alone_will_change_something(bench: &Bench) {
    bench.inbox().await;
    assert_eq!(bench.tend().await, Tended { next: None, more: false });
    bench.put(NewJob { expires: Some(Millis(30_000)), ..new_job() }).await;
    assert_eq!(bench.tend().await.next, Some(Millis(30_000)));
    bench.take_one().await;
    assert_eq!(bench.tend().await.next, Some(Millis(10_000)));
    bench.put(NewJob { delay: Millis(1_700), ..new_job() }).await;
    assert_eq!(bench.tend().await.next, Some(Millis(1_700)));
    bench.pass(1_000).await;
    assert_eq!(bench.tend().await.next, Some(Millis(700)));
}

async fn what_is_due_becomes_ready(bench: &Bench) {
    bench.inbox().await;
    bench.put(NewJob { delay: Millis(100), ..new_job() }).await;
    bench.pass(99).await;
    bench.tend().await;
    assert_eq!((bench.counts().await.delayed, bench.counts().await.ready), (1, 0));
    bench.pass(1).await;
    let (_, moves) = bench.engine().tend().await.unwrap();
    assert_eq!((bench.counts().await.delayed, bench.counts().await.ready), (0, 1));
    assert_eq!(moves.queues[0].jobs[0].to, Some(Place::Ready));
    assert_eq!(moves.queues[0].queue.startable(), 1);
}

async fn a_lease_that_ran_out_is_an_attempt_with_its_error(bench: &Bench) {
    bench.inbox().await;
    let id = bench.puts(1).await[0];
    let job = bench.take_one().await;
    bench.pass(12_000).await;
    bench.tend().await;
    let read = bench.job(id).await;
    let attempt = &read.attempts[0];
    assert_eq!((read.place, read.attempts.len()), (Place::Ready, 1));
    assert_eq!((attempt.error.as_str(), attempt.lapsed), ("lease ran out", true));
    assert_eq!((attempt.fence, attempt.consumer.as_str()), (job.token.fence, "c"));
    assert_eq!(attempt.took, Millis(10_000), "as long as the lease, whenever it was swept up");
}

async fn a_poison_job_ends_as_a_dead_letter(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { most: Some(3), ..new_job() }).await;
    for _ in 0..3 {
        bench.take_one().await;
        bench.pass(10_000).await;
    }
    bench.tend().await;
    let read = bench.job(id).await;
    assert_eq!((read.place, read.attempts.len()), (Place::Dead, 3));
}

async fn a_job_that_was_not_begun_in_time_is_a_dead_letter(bench: &Bench) {
    bench.inbox().await;
    let expires = Some(Millis(1_000));
    let ready = bench.put(NewJob { expires, ..new_job() }).await;
    let delayed = bench.put(NewJob { expires, delay: Millis(1_000), ..new_job() }).await;
    bench.pass(1_000).await;
    assert_eq!(bench.take_ids(9).await, []);
    for id in [ready, delayed] {
        let read = bench.job(id).await;
        assert_eq!((read.place, read.attempt), (Place::Dead, 0));
        assert_eq!((read.attempts[0].error.as_str(), read.attempts[0].fence), ("expired", 0));
    }
}

async fn what_time_has_ended_is_read_with_its_error_before_anybody_has_tended_to_it(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let lost = bench.take_one().await.id;
    let late = bench.put(NewJob { expires: Some(Millis(1_000)), ..new_job() }).await;
    let ids = [lost, late];
    bench.pass(30_000).await;
    let mut before = Vec::new();
    for id in ids {
        before.push(bench.job(id).await);
    }
    let mut later = Vec::new();
    bench.step(700);
    for id in ids {
        later.push(bench.job(id).await);
    }
    bench.step(300);
    bench.tend().await;
    for ((id, before), later) in ids.into_iter().zip(before).zip(later) {
        let after = bench.job(id).await;
        assert_eq!(before.place, after.place);
        let told = |job: &JobRead| -> Vec<_> {
            let told = |it: &Attempt| (it.attempt, it.fence, it.took, it.lapsed, it.error.clone());
            job.attempts.iter().map(told).collect()
        };
        assert_eq!((told(&before).len(), told(&before)), (1, told(&after)));
        let when = if id == lost { 10_000 } else { 1_000 };
        for read in [&before, &later, &after] {
            assert_eq!(read.attempts[0].at, Timestamp(WALL + when), "whenever it is read");
        }
    }
}

async fn a_lease_that_runs_is_not_cut_off_by_expiry(bench: &Bench) {
    bench.inbox().await;
    bench.put(NewJob { expires: Some(Millis(1_000)), ..new_job() }).await;
    let job = bench.take_one().await;
    bench.pass(5_000).await;
    bench.tend().await;
    assert_eq!(bench.ended(&job, complete()).await, Place::Done);
}

async fn a_job_that_expires_while_it_is_held_has_expired_then_or_with_the_last_of_its_errors(
    bench: &Bench,
) {
    bench.inbox().await;
    let expires = Some(Millis(5_000));
    let lost = bench.put(NewJob { expires, ..new_job() }).await;
    let snoozed = bench.put(NewJob { expires, ..new_job() }).await;
    let held = bench.take(2).await;
    bench.pass(8_000).await;
    bench.ended(&held[1], snooze(0)).await;
    bench.pass(8_000).await;
    let told = async |id| {
        let attempts = bench.job(id).await.attempts.into_iter();
        attempts.map(|it| (it.error, it.at.0 - WALL)).collect::<Vec<_>>()
    };
    let own = |error: &str, at| (error.to_owned(), at);
    for _ in 0..2 {
        let errors = [own("lease ran out", 10_000), own("expired", 10_000)];
        assert_eq!(told(lost).await, errors, "not before what it has as well");
        let errors = [own("expired", 5_000)];
        assert_eq!(told(snoozed).await, errors, "what was snoozed left nothing to go by");
        bench.tend().await;
    }
}

async fn ended_jobs_are_kept_for_their_time_and_dead_letters_for_ever(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { keep: Millis(5_000), ..settings() }).await;
    let done = bench.puts(1).await[0];
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    let dead = bench.put(NewJob { most: Some(1), ..new_job() }).await;
    let job = bench.take_one().await;
    bench.ended(&job, fail("x")).await;
    bench.pass(4_999).await;
    bench.tend().await;
    assert_eq!(bench.place(done).await, Place::Done);
    bench.pass(1).await;
    let (_, moves) = bench.engine().tend().await.unwrap();
    assert_eq!((moves.queues[0].jobs[0].job, moves.queues[0].jobs[0].to), (done, None));
    assert_eq!(bench.engine().job(done).await, Ok(None));
    bench.step(400 * 24 * 3_600_000);
    bench.tend().await;
    assert_eq!(bench.place(dead).await, Place::Dead);
}

async fn one_tending_does_only_so_much(bench: &Bench) {
    bench.inbox().await;
    let jobs = (0..TEND_JOBS + 20).map(|_| NewJob { delay: Millis(10), ..new_job() }).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    bench.step(10);
    assert!(bench.tend().await.more);
    assert_eq!(bench.counts().await.ready, TEND_JOBS as u64);
    assert!(!bench.tend().await.more);
    assert_eq!(bench.counts().await.ready, TEND_JOBS as u64 + 20);
}

async fn tending_names_each_queue_that_has_something(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    bench.queue("empty", settings()).await;
    bench.puts(1).await;
    bench.put(NewJob { queue: "other".to_owned(), ..new_job() }).await;
    let (_, moves) = bench.engine().tend().await.unwrap();
    let mut names: Vec<_> = moves.queues.into_iter().map(|moved| moved.queue.name).collect();
    names.sort();
    assert_eq!(names, [INBOX, "other"]);
}

mod on_disk {
    use super::*;
    use holdfast_backend::engine::sqlite::Options;
    use holdfast_common::storage::jobs::How;
    use std::time::Duration;

    #[tokio::test]
    async fn a_removed_job_is_in_no_file_any_more() {
        let bench =
            Bench::sqlite_with(Options { scrub_after: Duration::ZERO, ..Options::default() });
        let keep = Millis(1_000);
        bench.queue(INBOX, QueueSettings { keep, ..settings() }).await;
        let said = |n: usize| format!("secret-{n}-{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        for n in 0..60 {
            let data = format!(r#""{}{}""#, said(n), "x".repeat(n * n * 7 % 3_000));
            bench.put(NewJob { data, ..new_job() }).await;
        }
        for (n, job) in bench.take(30).await.into_iter().enumerate() {
            let result = Some(format!(r#""{}""#, said(1_000 + n)));
            bench.ended(&job, How::Complete { result }).await;
        }
        bench.pass(1_000).await;
        bench.tend().await;
        // The log was emptied behind the last answer; this one comes after that.
        bench.tend().await;
        let bytes = bench.bytes();
        let holds = |n| bytes.windows(said(n).len()).any(|window| window == said(n).as_bytes());
        for n in 0..60 {
            assert_eq!(holds(n), n >= 30, "job {n}");
        }
        assert!(!(1_000..1_030).any(holds), "their results");
    }
}
