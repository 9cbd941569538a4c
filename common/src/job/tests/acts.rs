//! Each line of the table of acts, and who is refused.

use super::*;
use crate::job::limits::{LONGEST_LEASE, SHORTEST_LEASE, SNOOZES};

/// The act is refused in all other places than these, and changes nothing there.
fn is_only_for(places: &[Place], act: &Act) {
    for mut job in one_in_each_place() {
        if places.contains(&job.place) {
            continue;
        }
        let before = job.clone();
        assert_eq!(job.act(NOW, act.clone()), Err(Refused::WrongState(job.place.state())));
        assert_eq!(job, before);
    }
}

#[test]
fn a_claim_takes_a_ready_job_and_counts_as_an_attempt() {
    let mut job = enqueued(&asked());
    let step = job.act(NOW, claim(1)).unwrap();
    assert_eq!(
        (step.from, step.to, step.lease, step.frees),
        (Place::Ready, Place::Leased, None, false)
    );
    assert_eq!((job.attempt, job.due), (1, OVER));
    assert_eq!(job.lease, Some(Lease { token: token(1), holder: holder(), since: NOW }));
    assert_eq!(job.check(NOW, token(1)), Ok(()));
    is_only_for(&[Place::Ready], &claim(2));
}

#[test]
fn a_lease_is_as_long_as_asked_within_its_bounds() {
    for (asked_for, given) in
        [(0, SHORTEST_LEASE), (5_000, Millis(5_000)), (u64::MAX, LONGEST_LEASE)]
    {
        let length = Millis(asked_for);
        let mut job = enqueued(&asked());
        job.act(NOW, Act::Claim { token: token(1), holder: holder(), length }).unwrap();
        assert_eq!(job.due, NOW + given);
        job.act(NOW, Act::Extend { token: token(1), length }).unwrap();
        assert_eq!(job.due, NOW + given);
    }
}

#[test]
fn a_job_that_has_expired_is_not_begun_although_nobody_has_swept_it_up() {
    let mut job = enqueued(&NewJob { expires: Some(Millis(10)), ..asked() });
    assert_eq!(job.act(StoreTime(1_010), claim(1)), Err(Refused::Overdue));
    assert_eq!(job.act(StoreTime(1_009), claim(1)).map(|step| step.to), Ok(Place::Leased));
}

#[test]
fn a_lease_is_extended_from_now_to_later_or_earlier() {
    let mut job = leased();
    let later = Act::Extend { token: token(1), length: LEASE };
    let step = job.act(StoreTime(20_000), later).unwrap();
    assert_eq!((step.from, step.to, step.lease), (Place::Leased, Place::Leased, None));
    assert_eq!(job.due, StoreTime(50_000));
    assert_eq!(job.check(StoreTime(49_999), token(1)), Ok(()));
    job.act(StoreTime(40_000), Act::Extend { token: token(1), length: Millis(500) }).unwrap();
    assert_eq!(job.due, StoreTime(40_500));
    assert_eq!(job.attempt, 1);
    let since = job.lease.as_ref().map(|lease| lease.since);
    assert_eq!(since, Some(NOW), "it is the same attempt");
}

#[test]
fn a_completed_job_is_done() {
    let mut job = leased();
    let step = job.act(StoreTime(5_000), end(1, Ending::Complete)).unwrap();
    assert_eq!((step.from, step.to), (Place::Leased, Place::Done));
    assert_eq!(step.lease.map(|lease| lease.since), Some(NOW));
    assert_eq!((job.lease, job.due), (None, StoreTime(5_000)));
}

#[test]
fn a_failed_job_waits_by_its_backoff_and_is_tried_again() {
    let mut job = leased();
    let step = job.act(NOW, end(1, FAIL)).unwrap();
    assert_eq!((step.to, job.attempt), (Place::Delayed, 1));
    let first = job.due - NOW;
    assert!((Millis(500)..=Millis(1_000)).contains(&first), "{first:?}");
    let due = job.due;
    job.act(due, Act::Due).unwrap();
    job.act(due, claim(2)).unwrap();
    assert_eq!(job.attempt, 2);
    job.act(due, end(2, FAIL)).unwrap();
    let second = job.due - due;
    assert!((Millis(1_000)..=Millis(2_000)).contains(&second), "{second:?}");
}

#[test]
fn a_consumer_may_ask_for_a_longer_wait_than_the_backoff() {
    for (least, expected) in [(60_000, 60_000), (u64::MAX, 24 * 3_600 * 1_000)] {
        let mut job = leased();
        let how = Ending::Fail { retry: Some(Millis(least)), chance: 7 };
        job.act(NOW, end(1, how)).unwrap();
        assert_eq!(job.due - NOW, Millis(expected));
    }
}

#[test]
fn without_a_backoff_a_failed_job_is_ready_at_once() {
    let mut job = lease_of(enqueued(&NewJob { backoff: Some(Millis(0)), ..asked() }));
    let step = job.act(StoreTime(2_000), end(1, FAIL)).unwrap();
    assert_eq!((step.to, job.due), (Place::Ready, StoreTime(2_000)));
}

#[test]
fn a_job_that_fails_for_good_or_for_the_last_time_is_a_dead_letter() {
    assert_eq!(dead().place, Place::Dead);
    let mut job = lease_of(enqueued(&NewJob { most: Some(1), ..asked() }));
    assert_eq!(job.act(NOW, end(1, FAIL)).unwrap().to, Place::Dead);
    assert_eq!((job.attempt, job.due), (1, NOW));
}

#[test]
fn a_snoozed_job_comes_again_and_the_attempt_does_not_count() {
    let mut job = leased();
    let step = job.act(NOW, end(1, Ending::Snooze(Millis(200)))).unwrap();
    assert_eq!((step.to, job.due), (Place::Delayed, StoreTime(1_200)));
    assert_eq!((job.attempt, job.snoozes), (0, 1));
}

#[test]
fn a_job_that_is_given_back_is_ready_at_once() {
    let mut job = lease_of(enqueued(&NewJob { most: Some(1), ..asked() }));
    let step = job.act(NOW, end(1, Ending::Snooze(Millis(0)))).unwrap();
    assert_eq!((step.to, job.attempt), (Place::Ready, 0));
}

#[test]
fn a_job_cannot_be_snoozed_for_ever() {
    let mut job = enqueued(&asked());
    for n in 0..u64::from(SNOOZES) {
        job.act(NOW, claim(n)).unwrap();
        job.act(NOW, end(n, Ending::Snooze(Millis(0)))).unwrap();
    }
    job.act(NOW, claim(5_000)).unwrap();
    let before = job.clone();
    let once_more = end(5_000, Ending::Snooze(Millis(0)));
    assert_eq!(job.act(NOW, once_more), Err(Refused::TooOften));
    assert_eq!(job, before, "its lease runs on");
    assert_eq!(job.act(NOW, end(5_000, Ending::Complete)).map(|step| step.to), Ok(Place::Done));
}

#[test]
fn what_the_server_hands_back_uses_up_no_snooze_and_no_attempt_however_often() {
    let mut job = enqueued(&NewJob { most: Some(1), ..asked() });
    for n in 0..=u64::from(SNOOZES) {
        job.act(NOW, claim(n)).unwrap();
        let step = job.act(NOW, end(n, Ending::HandBack(Millis(0)))).unwrap();
        assert_eq!((step.to, job.due, job.attempt, job.snoozes), (Place::Ready, NOW, 0, 0));
    }
    job.act(NOW, claim(4_000)).unwrap();
    let step = job.act(NOW, end(4_000, Ending::HandBack(Millis(200)))).unwrap();
    assert_eq!((step.to, job.due, job.snoozes), (Place::Delayed, StoreTime(1_200), 0));
    job.act(job.due, Act::Due).unwrap();
    job.act(NOW, claim(5_000)).unwrap();
    let snoozed = job.act(NOW, end(5_000, Ending::Snooze(Millis(0)))).map(|step| step.to);
    assert_eq!((snoozed, job.snoozes), (Ok(Place::Ready), 1));
}

#[test]
fn a_lease_that_ran_out_makes_the_job_ready_at_once_and_was_an_attempt() {
    let mut job = leased();
    let early = OVER.0 - 1;
    assert_eq!(job.act(StoreTime(early), Act::Lapse), Err(Refused::NotYet));
    let step = job.act(OVER, Act::Lapse).unwrap();
    assert_eq!((step.from, step.to), (Place::Leased, Place::Ready));
    assert_eq!(step.lease.map(|lease| lease.holder), Some(holder()));
    assert_eq!((job.attempt, job.due), (1, OVER));
    is_only_for(&[Place::Leased], &Act::Lapse);
}

#[test]
fn a_job_that_kills_its_workers_ends_as_a_dead_letter() {
    let mut job = enqueued(&asked());
    let mut now = NOW;
    for n in 1..=3 {
        job.act(now, claim(n)).unwrap();
        now = job.due;
        job.act(now, Act::Lapse).unwrap();
    }
    assert_eq!((job.place, job.attempt), (Place::Dead, 3));
}

#[test]
fn a_delay_is_over_when_the_job_is_due() {
    let mut job = enqueued(&NewJob { delay: Millis(500), ..asked() });
    assert_eq!(job.act(StoreTime(1_499), Act::Due), Err(Refused::NotYet));
    let step = job.act(StoreTime(9_000), Act::Due).unwrap();
    assert_eq!((step.from, step.to), (Place::Delayed, Place::Ready));
    assert_eq!(job.due, StoreTime(1_500), "since then it could have begun");
    is_only_for(&[Place::Delayed], &Act::Due);
}

#[test]
fn a_job_that_is_behind_no_other_is_ready_or_still_delayed() {
    let mut job = behind(&asked());
    assert_eq!(job.act(NOW, Act::Free).unwrap().to, Place::Ready);
    let delayed = NewJob { delay: Millis(500), ..asked() };
    assert_eq!(behind(&delayed).act(NOW, Act::Free).unwrap().to, Place::Delayed);
    assert_eq!(behind(&delayed).act(StoreTime(1_500), Act::Free).unwrap().to, Place::Ready);
    is_only_for(&[Place::Behind], &Act::Free);
}

#[test]
fn a_job_that_waits_expires_and_one_that_is_leased_does_not() {
    let expires = NewJob { expires: Some(Millis(100)), ..asked() };
    let delayed = NewJob { delay: Millis(500), ..expires.clone() };
    for mut job in [enqueued(&expires), enqueued(&delayed), behind(&expires)] {
        assert_eq!(job.act(StoreTime(1_099), Act::Expire), Err(Refused::NotYet));
        assert_eq!(job.act(StoreTime(1_100), Act::Expire).unwrap().to, Place::Dead);
        assert_eq!((job.due, job.attempt), (StoreTime(1_100), 0));
    }
    let mut job = lease_of(enqueued(&expires));
    let late = StoreTime(20_000);
    let refused = job.act(late, Act::Expire);
    assert_eq!(refused, Err(Refused::WrongState(JobState::Leased)));
    assert_eq!(job.act(late, end(1, Ending::Complete)).map(|step| step.to), Ok(Place::Done));
    let never = enqueued(&asked()).act(StoreTime(u64::MAX), Act::Expire);
    assert_eq!(never, Err(Refused::NotYet));
}

#[test]
fn whatever_has_not_ended_can_be_cancelled() {
    for mut job in one_in_each_place() {
        let (from, lease) = (job.place, job.lease.clone());
        let step = job.act(NOW, Act::Cancel);
        if from.ended() {
            assert_eq!(step, Err(Refused::WrongState(from.state())));
            continue;
        }
        let step = step.unwrap();
        assert_eq!((step.to, step.lease, job.lease), (Place::Cancelled, lease, None));
    }
}

#[test]
fn a_requeued_dead_letter_has_all_its_attempts_again() {
    let mut job = dead();
    let step = job.act(StoreTime(9_000), Act::Requeue { behind: false }).unwrap();
    assert_eq!((step.from, step.to), (Place::Dead, Place::Ready));
    assert_eq!((job.attempt, job.snoozes, job.due), (0, 0, StoreTime(9_000)));
    assert_eq!(dead().act(NOW, Act::Requeue { behind: true }).unwrap().to, Place::Behind);
    is_only_for(&[Place::Dead], &Act::Requeue { behind: false });
}

#[test]
fn a_requeued_job_that_had_expired_does_not_expire_again() {
    let mut job = enqueued(&NewJob { expires: Some(Millis(100)), ..asked() });
    job.act(StoreTime(2_000), Act::Expire).unwrap();
    job.act(StoreTime(3_000), Act::Requeue { behind: false }).unwrap();
    assert_eq!(job.overdue(StoreTime(3_000)), None);
    assert_eq!(job.act(StoreTime(3_000), claim(1)).map(|step| step.to), Ok(Place::Leased));
}

#[test]
fn a_dead_letter_can_be_discarded() {
    assert_eq!(dead().act(NOW, Act::Discard).unwrap().to, Place::Cancelled);
    is_only_for(&[Place::Dead], &Act::Discard);
}

#[test]
fn the_next_of_a_group_is_freed_when_the_one_in_front_of_it_ends() {
    let acts = [
        (Place::Ready, Act::Cancel),
        (Place::Delayed, Act::Cancel),
        (Place::Leased, Act::Cancel),
        (Place::Leased, end(1, Ending::Complete)),
        (Place::Leased, end(1, FAIL_FOR_GOOD)),
    ];
    for (from, act) in acts {
        let group = one_in_each_place().into_iter().find(|job| job.place == from);
        let alone = |mut job: Job| {
            job.group = None;
            job
        };
        let mut job = group.unwrap();
        assert!(!alone(job.clone()).act(NOW, act.clone()).unwrap().frees, "there is no group");
        assert!(job.act(NOW, act).unwrap().frees, "{from:?}");
    }
}

#[test]
fn a_job_that_waits_to_be_tried_again_or_is_behind_frees_nobody() {
    let of = |place| one_in_each_place().into_iter().find(|job| job.place == place).unwrap();
    for act in [end(1, FAIL), end(1, Ending::Snooze(Millis(0)))] {
        assert!(!of(Place::Leased).act(NOW, act).unwrap().frees);
    }
    assert!(!of(Place::Leased).act(OVER, Act::Lapse).unwrap().frees);
    assert!(!of(Place::Behind).act(NOW, Act::Cancel).unwrap().frees);
    assert!(!of(Place::Dead).act(NOW, Act::Discard).unwrap().frees, "it had freed them before");
}

#[test]
fn what_time_has_brought_comes_before_claims_and_people() {
    let mut lapsed = leased();
    assert_eq!(lapsed.overdue(OVER), Some(Act::Lapse));
    assert_eq!(lapsed.act(OVER, Act::Cancel), Err(Refused::Overdue));
    let mut due = enqueued(&NewJob { delay: Millis(500), ..asked() });
    assert_eq!(due.overdue(StoreTime(1_499)), None);
    assert_eq!(due.act(StoreTime(1_500), claim(1)), Err(Refused::Overdue));
    assert_eq!(due.overdue(StoreTime(1_500)), Some(Act::Due));
    due.act(StoreTime(1_500), Act::Due).unwrap();
    assert_eq!(due.act(StoreTime(1_500), claim(1)).map(|step| step.to), Ok(Place::Leased));
}

#[test]
fn a_lease_that_ran_out_behind_the_expiry_of_its_job_is_a_dead_letter() {
    let mut job = lease_of(enqueued(&NewJob { expires: Some(Millis(100)), ..asked() }));
    let mut acts = Vec::new();
    while let Some(act) = job.overdue(OVER) {
        job.act(OVER, act.clone()).unwrap();
        acts.push(act);
    }
    assert_eq!(acts, [Act::Lapse, Act::Expire]);
    assert_eq!(job.place, Place::Dead);
}
