//! How leases end by their consumers' words.

use super::{
    bench::*,
    govern::{govern, requeue},
};
use holdfast_common::{
    id::PersonId,
    job::{
        Attempt, NewJob, Place,
        limits::{ATTEMPTS, ATTEMPTS_KEPT},
    },
    storage::jobs::{
        Claimed, End, Ended, Enqueue, Enqueued, Extend, Extended, How, Moves, Progress,
    },
    time::{Millis, Timestamp},
};

contract_of_jobs! {
    a_completed_job_is_done_and_keeps_its_result
    a_failed_job_waits_and_comes_again
    a_job_out_of_attempts_is_a_dead_letter_with_each_error
    a_job_that_failed_for_good_is_a_dead_letter
    a_snooze_uses_up_no_attempt
    a_job_can_be_snoozed_only_so_often
    what_the_server_hands_back_is_no_snooze_and_no_attempt
    the_end_of_a_job_takes_the_next_one_in_its_own_transaction
    a_typed_failure_stands_until_the_next_end
    the_newest_errors_are_kept
    a_lease_goes_on_by_being_extended
    progress_is_shown_while_the_attempt_runs
    ends_and_extends_of_what_is_not_there_say_so
    an_end_tells_how_long_the_attempt_ran
    a_move_tells_whether_an_attempt_has_failed_by_it
}

/// That a lease was ended by a word which says nothing else.
fn is_plain(ended: &Ended, place: Place, wait: Option<Millis>) -> bool {
    let Ended::Done { place: at, wait: waits, appended, then } = ended else { return false };
    (*at, *waits) == (place, wait) && appended.is_empty() && then.is_none()
}

async fn a_completed_job_is_done_and_keeps_its_result(bench: &Bench) {
    bench.inbox().await;
    let asker = Some(PersonId::from_bytes([5; 16]));
    let id = bench.put(NewJob { asker, ..new_job() }).await;
    let job = bench.take_one().await;
    let result = Some(r#"{"ok":true}"#.to_owned());
    let ended = bench.end(&job, How::Complete { result: result.clone() }).await;
    assert!(is_plain(&ended, Place::Done, None), "{ended:?}");
    let read = bench.job(id).await;
    assert_eq!((read.place, read.outcome, read.holder), (Place::Done, result, None));
    assert_eq!((read.asker, read.attempts), (asker, Vec::new()));
    assert_eq!(bench.take_ids(1).await, []);
    assert_eq!(bench.counts().await.done, 1);
}

async fn a_failed_job_waits_and_comes_again(bench: &Bench) {
    bench.inbox().await;
    let backoff = Some(Millis(1_000));
    let id = bench.put(NewJob { backoff, ..new_job() }).await;
    let job = bench.take_one().await;
    bench.pass(40).await;
    let Ended::Done { place: Place::Delayed, wait: Some(wait), .. } =
        bench.end(&job, fail("no dressing")).await
    else {
        panic!("it does not wait");
    };
    assert!((500..=1_000).contains(&wait.0), "{wait:?}");
    let read = bench.job(id).await;
    assert_eq!((read.place, read.due), (Place::Delayed, Some(wait)));
    let attempt = &read.attempts[0];
    assert_eq!((attempt.attempt, attempt.fence, attempt.lapsed), (1, job.token.fence, false));
    assert_eq!((attempt.error.as_str(), attempt.consumer.as_str()), ("no dressing", "c"));
    assert_eq!((attempt.at, attempt.took), (Timestamp(WALL + 40), Millis(40)));
    bench.pass(wait.0 - 1).await;
    assert_eq!(bench.take_ids(1).await, []);
    bench.pass(1).await;
    let again = bench.take_one().await;
    assert_eq!((again.id, again.attempt), (id, 2));
}

async fn a_job_out_of_attempts_is_a_dead_letter_with_each_error(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { most: Some(3), ..new_job() }).await;
    for (error, place) in [("a", Place::Ready), ("b", Place::Ready), ("c", Place::Dead)] {
        let job = bench.take_one().await;
        bench.pass(100).await;
        assert_eq!(bench.ended(&job, fail(error)).await, place);
        bench.pass(100).await;
    }
    let read = bench.job(id).await;
    let told = |a: &Attempt| (a.attempt, a.at.0 - WALL, a.error.clone());
    let errors: Vec<_> = read.attempts.iter().map(told).collect();
    let error = |n, at, error: &str| (n, at, error.to_owned());
    assert_eq!(errors, [error(1, 100, "a"), error(2, 300, "b"), error(3, 500, "c")]);
    assert_eq!((read.place, bench.counts().await.dead), (Place::Dead, 1));
    assert_eq!(bench.take_ids(1).await, []);
}

async fn a_job_that_failed_for_good_is_a_dead_letter(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    let how = How::Fail { reason: "never".to_owned(), failure: None, retry: None };
    assert_eq!(bench.ended(&job, how).await, Place::Dead);
    assert_eq!(bench.job(job.id).await.attempts[0].error, "never");
}

async fn a_snooze_uses_up_no_attempt(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { most: Some(1), ..new_job() }).await;
    let job = bench.take_one().await;
    let snoozed = bench.end(&job, snooze(800)).await;
    let wait = Some(Millis(800));
    assert!(is_plain(&snoozed, Place::Delayed, wait), "{snoozed:?}");
    bench.pass(800).await;
    let job = bench.take_one().await;
    assert_eq!((job.id, job.attempt), (id, 1));
    assert_eq!(bench.ended(&job, snooze(0)).await, Place::Ready, "handed back it is there at once");
    assert_eq!(bench.job(id).await.attempts, []);
    let job = bench.take_one().await;
    assert_eq!(bench.ended(&job, fail("now")).await, Place::Dead);
}

async fn a_job_can_be_snoozed_only_so_often(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    for _ in 0..holdfast_common::job::limits::SNOOZES {
        let job = bench.take_one().await;
        bench.ended(&job, snooze(0)).await;
    }
    let job = bench.take_one().await;
    assert!(matches!(bench.end(&job, snooze(0)).await, Ended::TooOften));
    assert_eq!(bench.ended(&job, complete()).await, Place::Done, "it stayed leased");
}

async fn what_the_server_hands_back_is_no_snooze_and_no_attempt(bench: &Bench) {
    bench.inbox().await;
    let id = bench.puts(1).await[0];
    for _ in 0..=holdfast_common::job::limits::SNOOZES {
        let job = bench.take_one().await;
        assert_eq!(job.attempt, 1);
        assert_eq!(bench.ended(&job, How::HandBack { delay: Millis(0) }).await, Place::Ready);
    }
    let read = bench.job(id).await;
    assert_eq!((read.attempt, read.attempts), (0, Vec::new()));
    let job = bench.take_one().await;
    assert_eq!(bench.ended(&job, snooze(0)).await, Place::Ready, "none of them was one");
}

async fn the_end_of_a_job_takes_the_next_one_in_its_own_transaction(bench: &Bench) {
    bench.inbox().await;
    let ids = bench.puts(2).await;
    let job = bench.take_one().await;
    let before = bench.engine().commits();
    let then = Some(claim(1));
    let next = End { then, ..end(job.id, job.token, complete()) };
    let (ended, _) = bench.engine().end(next.clone()).await.unwrap();
    let Ended::Done { then: Some(Claimed::Jobs { jobs, .. }), .. } = ended else {
        panic!("no next one");
    };
    assert_eq!(jobs[0].id, ids[1]);
    assert!(bench.engine().commits() - before <= 1);
    // The answer was lost: it is not told again which one it was, and no other is taken.
    bench.puts(1).await;
    let (again, _) = bench.engine().end(next).await.unwrap();
    assert_eq!(again_at(&again), Some(Place::Done));
    assert_eq!(bench.counts().await.ready, 1);
}

async fn a_typed_failure_stands_until_the_next_end(bench: &Bench) {
    bench.inbox().await;
    let id = bench.puts(1).await[0];
    let failure = Some(r#"{"missing":3}"#.to_owned());
    for _ in 0..2 {
        let job = bench.take_one().await;
        let retry = Some(Millis(0));
        let (reason, failure) = ("short".to_owned(), failure.clone());
        bench.ended(&job, How::Fail { reason, failure, retry }).await;
    }
    assert_eq!(bench.job(id).await.outcome, failure);
    let job = bench.take_one().await;
    bench.ended(&job, snooze(0)).await;
    assert_eq!(bench.job(id).await.outcome, failure, "a snooze says nothing of it");
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    assert_eq!(bench.job(id).await.outcome, None);
}

async fn the_newest_errors_are_kept(bench: &Bench) {
    bench.inbox().await;
    let most = *ATTEMPTS.end();
    let id = bench.put(NewJob { most: Some(most), ..new_job() }).await;
    for n in 0..ATTEMPTS_KEPT + 5 {
        if n == most as usize {
            assert_eq!(bench.job(id).await.attempts.len(), n, "all that a job may have");
            govern(bench, requeue(id)).await;
        }
        let job = bench.take_one().await;
        bench.ended(&job, fail(&n.to_string())).await;
    }
    let errors = async || {
        let attempts = bench.job(id).await.attempts;
        attempts.into_iter().map(|a| a.error).collect::<Vec<_>>()
    };
    let kept: Vec<_> = (5..ATTEMPTS_KEPT + 5).map(|n| n.to_string()).collect();
    assert_eq!(errors().await, kept);
    bench.take_one().await;
    bench.pass(10_000).await;
    for _ in 0..2 {
        let errors = errors().await;
        assert_eq!(errors.last().map(String::as_str), Some("lease ran out"));
        assert_eq!(errors.len(), ATTEMPTS_KEPT);
        bench.tend().await;
    }
}

async fn a_lease_goes_on_by_being_extended(bench: &Bench) {
    bench.inbox().await;
    bench.puts(2).await;
    let [one, two] = bench.take(2).await.try_into().unwrap();
    bench.pass(9_000).await;
    let extended = bench.extend(vec![(one.id, one.token), (job_id(), one.token)], 60_000).await;
    let Extended::Until(given) = extended[0] else { panic!("{extended:?}") };
    assert_eq!(given.length, Millis(60_000));
    assert_eq!(given.until, Timestamp(WALL + 69_000));
    assert_eq!(extended[1], Extended::UnknownJob);
    bench.pass(30_000).await;
    assert!(matches!(bench.end(&two, complete()).await, Ended::Late(_)));
    assert_eq!(bench.ended(&one, complete()).await, Place::Done);
}

async fn progress_is_shown_while_the_attempt_runs(bench: &Bench) {
    bench.inbox().await;
    let id = bench.puts(1).await[0];
    let job = bench.take_one().await;
    let said = Progress { percent: 40, note: Some("half of it".to_owned()) };
    let progress = Some(said.clone());
    let extend = Extend { jobs: vec![(id, job.token)], lease: None, progress };
    bench.engine().extend(extend).await.unwrap();
    assert_eq!(bench.job(id).await.progress, Some(said.clone()));
    assert_eq!(bench.job(id).await.due, Some(settings().lease), "as the queue says");
    bench.extend(vec![(id, job.token)], 9_000).await;
    assert_eq!(bench.job(id).await.progress, Some(said), "what was said stays");
    bench.ended(&job, fail("x")).await;
    assert_eq!(bench.job(id).await.progress, None);
}

async fn ends_and_extends_of_what_is_not_there_say_so(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    let (ended, _) = bench.engine().end(end(job_id(), job.token, complete())).await.unwrap();
    assert!(matches!(ended, Ended::UnknownJob));
    let jobs = vec![NewJob { queue: "none".to_owned(), ..new_job() }];
    let enqueue = Enqueue { jobs, promise: None, then: Vec::new() };
    assert_eq!(bench.enqueue_all(enqueue).await, Enqueued::UnknownQueue { index: 0 });
}

async fn an_end_tells_how_long_the_attempt_ran(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    bench.pass(250).await;
    let (_, moves) = bench.engine().end(end(job.id, job.token, complete())).await.unwrap();
    let moved = &moves.queues[0].jobs[0];
    assert_eq!((moved.from, moved.to), (Some(Place::Leased), Some(Place::Done)));
    assert_eq!((moved.took, moved.consumer.as_deref()), (Some(Millis(250)), Some("c")));
    let info = &moves.queues[0].queue;
    assert_eq!((info.counts.done, info.counts.leased), (1, 0));
}

async fn a_move_tells_whether_an_attempt_has_failed_by_it(bench: &Bench) {
    bench.inbox().await;
    bench.puts(1).await;
    let failed = |moves: &Moves| moves.queues[0].jobs.iter().any(|moved| moved.failed);
    let for_good = How::Fail { reason: "x".to_owned(), failure: None, retry: None };
    for (how, fails) in [
        (snooze(0), false),
        (How::HandBack { delay: Millis(0) }, false),
        (fail("x"), true),
        (complete(), false),
        (for_good, true),
    ] {
        let job = bench.take_one().await;
        let end = end(job.id, job.token, how.clone());
        let (_, moves) = bench.engine().end(end).await.unwrap();
        assert_eq!(failed(&moves), fails, "{how:?}");
        if how == complete() {
            bench.puts(1).await;
        }
    }
    bench.puts(1).await;
    bench.take_one().await;
    bench.put(NewJob { expires: Some(Millis(1)), ..new_job() }).await;
    bench.pass(1).await;
    let (_, moves) = bench.engine().tend().await.unwrap();
    assert_eq!((moves.queues[0].jobs.len(), failed(&moves)), (1, false), "it has expired");
    bench.pass(10_000).await;
    let (_, moves) = bench.engine().tend().await.unwrap();
    assert!(failed(&moves), "its lease ran out");
}
