//! What comes late changes nothing and is told so.

use super::bench::*;
use holdfast_common::{
    job::{NewJob, Place, Reason, Token},
    storage::jobs::{Ended, Extended, How, LeasedJob, Word},
    time::Millis,
};

contract_of_jobs! {
    the_same_end_said_again_is_done_once
    another_end_by_the_same_token_is_late
    an_end_after_the_lease_is_late_though_nobody_tended
    an_end_after_the_lease_is_late_when_another_has_the_job
    a_token_of_a_lease_that_failed_before_is_old
    a_token_of_another_job_is_none_of_this_one
    a_guessed_token_holds_nothing
    a_late_extension_changes_nothing
    the_same_failure_said_again_costs_no_further_attempt
}

/// What is said of a lease to whom something is wrong with their word.
async fn stands(bench: &Bench, job: &LeasedJob, how: Option<How>) -> Option<Ended> {
    bench.engine().stands(Word::plain(job.id, job.token, how)).await.unwrap()
}

async fn late(bench: &Bench, job: &LeasedJob) -> Reason {
    let before = bench.job(job.id).await;
    let counts = bench.counts().await;
    let mut reasons = Vec::new();
    for how in [complete(), fail("late"), snooze(5)] {
        match bench.end(job, how).await {
            Ended::Late(reason) => reasons.push(reason),
            other => panic!("not late: {other:?}"),
        }
    }
    for how in [None, Some(complete())] {
        match stands(bench, job, how).await {
            Some(Ended::Late(reason)) => reasons.push(reason),
            other => panic!("not late: {other:?}"),
        }
    }
    let [Extended::Late(reason)] = bench.extend(vec![(job.id, job.token)], 9_000).await[..] else {
        panic!("extended");
    };
    assert!(reasons.iter().all(|one| *one == reason), "{reasons:?}");
    assert_eq!(bench.job(job.id).await, before);
    assert_eq!(bench.counts().await, counts);
    reason
}

async fn the_same_end_said_again_is_done_once(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    for (how, place) in
        [(snooze(0), Place::Ready), (fail("x"), Place::Ready), (complete(), Place::Done)]
    {
        let job = bench.take_one().await;
        assert!(stands(bench, &job, Some(how.clone())).await.is_none(), "it is held");
        assert_eq!(bench.ended(&job, how.clone()).await, place);
        let read = bench.job(job.id).await;
        assert_eq!(again_at(&bench.end(&job, how.clone()).await), Some(place));
        bench.pass(20_000).await;
        let again = bench.end(&job, how.clone()).await;
        assert_eq!(again_at(&again), Some(place), "long after as well");
        let again = stands(bench, &job, Some(how)).await.unwrap();
        assert_eq!(again_at(&again), Some(place), "and where it could not be done any more");
        let after = bench.job(job.id).await;
        assert_eq!(
            (after.place, after.attempt, after.attempts),
            (place, read.attempt, read.attempts)
        );
    }
}

async fn another_end_by_the_same_token_is_late(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    bench.ended(&job, fail("first")).await;
    assert_eq!(late(bench, &job).await, Reason::Ended);
    let again = bench.end(&job, fail("first")).await;
    assert_eq!(again_at(&again), Some(Place::Ready));
}

async fn an_end_after_the_lease_is_late_though_nobody_tended(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    bench.pass(10_000).await;
    assert_eq!(late(bench, &job).await, Reason::Expired);
    bench.tend().await;
    assert_eq!(late(bench, &job).await, Reason::Expired, "swept up it is the same");
}

async fn an_end_after_the_lease_is_late_when_another_has_the_job(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let first = bench.take_one().await;
    bench.pass(10_000).await;
    let second = bench.take_one().await;
    assert_eq!(second.id, first.id);
    assert_eq!(late(bench, &first).await, Reason::Expired);
    assert_eq!(bench.ended(&second, complete()).await, Place::Done);
    assert_eq!(late(bench, &first).await, Reason::Expired, "its attempt still says so");
}

async fn a_token_of_a_lease_that_failed_before_is_old(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let first = bench.take_one().await;
    bench.ended(&first, fail("x")).await;
    let second = bench.take_one().await;
    bench.ended(&second, fail("y")).await;
    let third = bench.take_one().await;
    assert_eq!(late(bench, &first).await, Reason::Old);
    assert_eq!(late(bench, &second).await, Reason::Ended, "by what it said itself");
    bench.ended(&third, complete()).await;
    assert_eq!(late(bench, &second).await, Reason::Old);
}

async fn a_token_of_another_job_is_none_of_this_one(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    let elsewhere = bench.put(NewJob { queue: "other".to_owned(), ..new_job() }).await;
    bench.puts(2).await;
    let [one, two] = bench.take(2).await.try_into().unwrap();
    let swapped = LeasedJob { token: two.token, ..one.clone() };
    assert_eq!(late(bench, &swapped).await, Reason::Other);
    let other_queue = LeasedJob { id: elsewhere, ..two.clone() };
    assert_eq!(late(bench, &other_queue).await, Reason::Other);
    assert_eq!(bench.ended(&one, complete()).await, Place::Done);
    assert_eq!(bench.ended(&two, complete()).await, Place::Done);
}

async fn a_guessed_token_holds_nothing(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    for token in [
        Token { key: job.token.key ^ 1, ..job.token },
        Token { fence: job.token.fence + 1, ..job.token },
        Token { fence: 0, key: 0 },
        Token { fence: u64::MAX, key: u64::MAX },
    ] {
        assert_eq!(late(bench, &LeasedJob { token, ..job.clone() }).await, Reason::Other);
    }
    assert_eq!(bench.ended(&job, complete()).await, Place::Done);
}

async fn a_late_extension_changes_nothing(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let first = bench.take_one().await;
    bench.pass(10_000).await;
    let second = bench.take_one().await;
    bench.extend(vec![(first.id, first.token)], 60_000).await;
    assert_eq!(bench.job(second.id).await.due, Some(Millis(10_000)));
}

async fn the_same_failure_said_again_costs_no_further_attempt(bench: &Bench) {
    bench.inbox().await;
    bench.put(NewJob { most: Some(2), ..new_job() }).await;
    let job = bench.take_one().await;
    for _ in 0..3 {
        bench.end(&job, fail("x")).await;
    }
    let read = bench.job(job.id).await;
    assert_eq!((read.place, read.attempt, read.attempts.len()), (Place::Ready, 1, 1));
}
