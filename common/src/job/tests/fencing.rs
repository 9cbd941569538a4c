//! Which word of a consumer is taken, and why another one is not.

use super::*;

/// Whatever a consumer can say with its token, refused for this reason, changes nothing.
fn is_late(job: &Job, now: StoreTime, n: u64, reason: Reason) {
    assert_eq!(job.check(now, token(n)), Err(reason));
    let words = [
        Act::Extend { token: token(n), length: LEASE },
        Act::End { token: token(n), digest: [9; 32], how: Ending::Complete },
        Act::End { token: token(n), digest: [9; 32], how: FAIL },
        Act::End { token: token(n), digest: [9; 32], how: Ending::Snooze(Millis(0)) },
    ];
    for act in words {
        let mut after = job.clone();
        assert_eq!(after.act(now, act), Err(Refused::Late(reason)));
        assert_eq!(after, *job);
    }
}

#[test]
fn the_token_of_the_live_lease_is_taken_until_it_runs_out() {
    let mut job = leased();
    assert_eq!(job.check(StoreTime(OVER.0 - 1), token(1)), Ok(()));
    let act = end(1, Ending::Complete);
    assert_eq!(job.act(StoreTime(OVER.0 - 1), act).map(|step| step.to), Ok(Place::Done));
}

#[test]
fn a_token_that_comes_when_its_lease_has_run_out_is_late_swept_up_or_not() {
    let mut job = leased();
    is_late(&job, OVER, 1, Reason::Expired);
    job.act(OVER, Act::Lapse).unwrap();
    is_late(&job, OVER, 1, Reason::Expired);
    job.act(OVER, claim(2)).unwrap();
    is_late(&job, OVER, 1, Reason::Expired);
    assert_eq!(job.check(OVER, token(2)), Ok(()));
}

#[test]
fn the_same_end_again_is_known_and_nothing_happens_twice() {
    let ends = [end(1, Ending::Complete), end(1, FAIL), end(1, Ending::Snooze(Millis(500)))];
    for act in ends {
        let mut job = leased();
        job.act(NOW, act.clone()).unwrap();
        let before = job.clone();
        for now in [NOW, OVER] {
            assert_eq!(job.act(now, act.clone()), Err(Refused::Again));
            assert_eq!(job, before);
        }
    }
}

#[test]
fn an_end_is_known_again_until_the_next_lease_has_ended() {
    let mut job = leased();
    let given_back = end(1, Ending::Snooze(Millis(0)));
    job.act(NOW, given_back.clone()).unwrap();
    job.act(NOW, claim(2)).unwrap();
    assert_eq!(job.act(NOW, given_back.clone()), Err(Refused::Again));
    assert_eq!(job.check(NOW, token(2)), Ok(()), "who has it now is not touched by that");
    job.act(NOW, end(2, FAIL)).unwrap();
    assert_eq!(job.act(NOW, given_back), Err(Refused::Late(Reason::Other)));
}

#[test]
fn another_end_of_a_lease_that_was_ended_is_late() {
    for act in [end(1, Ending::Complete), end(1, FAIL), end(1, FAIL_FOR_GOOD)] {
        let mut job = leased();
        job.act(NOW, act).unwrap();
        is_late(&job, NOW, 1, Reason::Ended);
    }
    let mut requeued = dead();
    requeued.act(NOW, Act::Requeue { behind: false }).unwrap();
    is_late(&requeued, NOW, 1, Reason::Ended);
}

#[test]
fn the_token_of_a_job_that_was_cancelled_or_discarded_says_so() {
    let mut cancelled = leased();
    cancelled.act(NOW, Act::Cancel).unwrap();
    is_late(&cancelled, NOW, 1, Reason::Cancelled);
    is_late(&cancelled, OVER, 1, Reason::Cancelled);
    let mut discarded = dead();
    discarded.act(NOW, Act::Discard).unwrap();
    is_late(&discarded, NOW, 1, Reason::Cancelled);
    let again = end(1, FAIL_FOR_GOOD);
    assert_eq!(discarded.act(NOW, again), Err(Refused::Again), "that it failed was taken");
}

#[test]
fn a_token_of_another_job_is_refused_wherever_the_job_is() {
    for job in one_in_each_place() {
        is_late(&job, NOW, 2, Reason::Other);
    }
    let job = leased();
    let guessed = Token { fence: 1, key: 2 };
    assert_eq!(job.check(NOW, guessed), Err(Reason::Other), "the fence alone is not enough");
}

#[test]
fn an_older_token_is_told_from_another_jobs_by_the_attempts() {
    let attempt = |lapsed| Attempt {
        attempt: 1,
        fence: 1,
        at: Timestamp(0),
        took: Millis(0),
        lapsed,
        consumer: String::new(),
        error: String::new(),
    };
    assert_eq!(Reason::of(&attempt(true)), Reason::Expired);
    assert_eq!(Reason::of(&attempt(false)), Reason::Old);
}
