use super::*;
use crate::job::limits::CREDIT;

#[test]
fn nothing_is_asked_for_before_the_subscription_stands_nor_without_credit() {
    let mut consumer = ready();
    let out = frame(
        &mut consumer,
        r#"{"consume":{"req":1,"ns":"work","queue":"inbox","credit":2,"lease_ms":5000}}"#,
    );
    assert!(matches!(&out[..], [Output::Follow(_), Output::Consume { sub: 1, holder, lease, .. }]
        if holder.consumer == "printer-2" && *lease == Some(Millis(5_000))));
    let out = consumer.handle(NOW, Input::Consuming { sub: 1, result: Ok(()) });
    assert_eq!(sent(&out), [r#"{"consuming":{"req":1,"sub":1}}"#]);
    assert_eq!(credited(&flushed(&mut consumer)), Some((1, 2)));
    assert_eq!(credited(&flushed(&mut consuming(0))), None);
}

#[test]
fn a_job_is_pushed_for_each_credit_and_what_is_above_is_handed_back() {
    let mut consumer = consuming(2);
    flushed(&mut consumer);
    let out = push(&mut consumer, 1, &[1, 2, 3]);
    assert_eq!(sent(&out).len(), 2);
    assert!(sent(&out)[0].contains(&format!(r#""sub":1,"job":{{"id":"{}""#, id(1))));
    assert_eq!(handed_back(&out), [(id(3), token(3))]);
    let out = push(&mut consumer, 2, &[4]);
    assert_eq!((sent(&out).len(), handed_back(&out).len()), (0, 1));
    flushed(&mut consumer);
    let out = frame(&mut consumer, r#"{"credit":{"sub":1,"n":1}}"#);
    assert_eq!(credited(&out), Some((1, 1)));
    assert_eq!(sent(&push(&mut consumer, 3, &[4])).len(), 1);
}

#[test]
fn who_does_not_read_is_asked_no_more_jobs_for() {
    let mut consumer = consuming(CREDIT);
    assert_eq!(credited(&flushed(&mut consumer)), Some((1, PUSHED)));
    let out = push(&mut consumer, 1, &[1, 2, 3]);
    assert_eq!(credited(&out), None);
    assert_eq!(credited(&frame(&mut consumer, r#"{"credit":{"sub":1,"n":9}}"#)), None);
    assert_eq!(credited(&flushed(&mut consumer)), Some((1, 3)));
}

#[test]
fn credit_past_its_bound_is_taken_as_that() {
    let mut consumer = consuming(u32::MAX);
    frame(&mut consumer, r#"{"credit":{"sub":1,"n":4000000000}}"#);
    let (mut all, mut n) = (0, 0);
    while let Some((_, jobs)) = credited(&flushed(&mut consumer)) {
        all += jobs;
        for _ in 0..jobs {
            n += 1;
            assert_eq!(sent(&push(&mut consumer, n, &[1])).len(), 1);
        }
    }
    assert_eq!(all, CREDIT);
}

#[test]
fn jobs_of_a_subscription_that_has_ended_are_handed_back() {
    let mut consumer = consuming(2);
    flushed(&mut consumer);
    let out = frame(&mut consumer, r#"{"unconsume":{"req":2,"sub":1}}"#);
    assert!(matches!(&out[..], [Output::Gone(1), Output::Unfollow(_), Output::Send(_)]));
    assert_eq!(sent(&out), [r#"{"did":{"req":2}}"#]);
    let out = push(&mut consumer, 1, &[1]);
    assert_eq!((sent(&out).len(), handed_back(&out)), (0, vec![(id(1), token(1))]));
}

#[test]
fn jobs_of_a_connection_that_has_ended_are_handed_back_however_they_come() {
    let mut consumer = consuming(2);
    flushed(&mut consumer);
    let out = consumer.handle(NOW, Input::Gone);
    assert!(matches!(&out[..], [Output::Gone(1), Output::Unfollow(_)]));
    assert_eq!(handed_back(&push(&mut consumer, 1, &[1])), [(id(1), token(1))]);
    let claimed = |n| Claimed::Jobs { jobs: vec![leased(n)], next: None };
    let result = Ok(claimed(2));
    let out = consumer.handle(NOW, Input::Taken { req: 9, moves: &Moves::default(), result });
    assert_eq!(handed_back(&out), [(id(2), token(2))]);
    let result = Ok(Ended::Done {
        place: Place::Done,
        wait: None,
        appended: Vec::new(),
        then: Some(claimed(3)),
    });
    let out = consumer
        .handle(NOW, Input::Ended { req: 9, version: 2, ids: BroughtIds::default(), result });
    assert_eq!(handed_back(&out), [(id(3), token(3))]);
}

#[test]
fn a_subscription_that_is_refused_is_none() {
    let mut consumer = ready();
    frame(&mut consumer, r#"{"consume":{"req":1,"ns":"work","queue":"nowhere","credit":2}}"#);
    let result = Err(crate::job::Code::UnknownQueue.into());
    let out = consumer.handle(NOW, Input::Consuming { sub: 1, result });
    assert!(sent(&out)[0].contains(r#""code":"unknown_queue""#));
    assert_eq!(credited(&flushed(&mut consumer)), None);
    assert_eq!(handed_back(&push(&mut consumer, 1, &[1])).len(), 1);
}

#[test]
fn one_subscription_more_than_may_be_closes() {
    let mut consumer = ready();
    let ask = |consumer: &mut Consumer, n: usize| {
        let ask = format!(r#"{{"consume":{{"req":{n},"ns":"work","queue":"inbox"}}}}"#);
        let out = frame(consumer, &ask);
        consumer.handle(NOW, Input::Consuming { sub: n as u64, result: Ok(()) });
        closed(&out)
    };
    for n in 1..=SUBSCRIPTIONS {
        assert_eq!(ask(&mut consumer, n), None);
    }
    assert_eq!(ask(&mut consumer, SUBSCRIPTIONS + 1), Some(Code::OverLimit));
}

#[test]
fn who_holds_a_job_is_told_once_that_its_lease_is_over_and_why() {
    for (to, reason) in [
        (Place::Ready, "expired"),
        (Place::Dead, "expired"),
        (Place::Cancelled, "cancelled"),
        (Place::Done, "ended"),
    ] {
        let mut consumer = consuming(1);
        flushed(&mut consumer);
        push(&mut consumer, 5, &[1]);
        assert!(sent(&hear(&mut consumer, 4, vec![moved(1, Place::Leased, to)])).is_empty());
        assert!(
            sent(&hear(&mut consumer, 5, vec![moved(1, Place::Ready, Place::Leased)])).is_empty()
        );
        assert!(sent(&hear(&mut consumer, 6, vec![moved(2, Place::Leased, to)])).is_empty());
        let out = hear(&mut consumer, 7, vec![moved(1, Place::Leased, to)]);
        let lost = format!(r#"{{"lost":{{"job":"{}","fence":1,"reason":"{reason}"}}}}"#, id(1));
        assert_eq!(sent(&out), [lost]);
        assert!(sent(&hear(&mut consumer, 8, vec![moved(1, Place::Leased, to)])).is_empty());
    }
}

#[test]
fn a_queue_is_followed_as_long_as_a_job_of_it_is_held() {
    let mut consumer = ready();
    frame(&mut consumer, &format!(r#"{{"take":{{"req":1,"job":"{}"}}}}"#, id(1)));
    let claim = moves(3, vec![moved(1, Place::Ready, Place::Leased)]);
    let result = Ok(Claimed::Jobs { jobs: vec![leased(1)], next: None });
    let out = consumer.handle(NOW, Input::Taken { req: 1, moves: &claim, result });
    assert!(matches!(&out[0], Output::Follow(queue) if queue.name == "inbox"));
    assert!(sent(&out)[0].starts_with(r#"{"leased":{"req":1,"job":{"#));
    let out = hear(&mut consumer, 4, vec![moved(1, Place::Leased, Place::Ready)]);
    assert!(matches!(&out[..], [Output::Unfollow(_), Output::Send(_)]));
}

/// Which held jobs are to be read.
fn doubted(out: &[Output]) -> Option<Vec<JobId>> {
    out.iter().find_map(|output| match output {
        Output::Held(ids) => Some(ids.clone()),
        _ => None,
    })
}

/// One that holds the first four jobs and has missed something.
fn missing() -> (Consumer, Vec<Output>) {
    let mut consumer = consuming(4);
    flushed(&mut consumer);
    push(&mut consumer, 5, &[1, 2, 3, 4]);
    flushed(&mut consumer);
    let out = consumer.handle(NOW, Input::Missed(0));
    (consumer, out)
}

#[test]
fn a_lease_that_was_lost_before_it_was_told_of_is_read() {
    let mut consumer = consuming(2);
    flushed(&mut consumer);
    push(&mut consumer, 5, &[1]);
    assert_eq!(doubted(&flushed(&mut consumer)), None, "nothing newer was heard of");
    hear(&mut consumer, 7, vec![moved(2, Place::Leased, Place::Cancelled)]);
    push(&mut consumer, 6, &[2]);
    assert_eq!(doubted(&flushed(&mut consumer)), Some(vec![id(2)]));
}

#[test]
fn a_lease_is_read_where_something_newer_was_missed_before_it_was_told_of() {
    let mut consumer = consuming(2);
    flushed(&mut consumer);
    consumer.handle(NOW, Input::Missed(7));
    push(&mut consumer, 6, &[1]);
    assert_eq!(doubted(&flushed(&mut consumer)), Some(vec![id(1)]));
}

#[test]
fn a_lease_that_was_taken_is_read_where_its_queue_was_not_followed_before() {
    let mut consumer = ready();
    frame(&mut consumer, &format!(r#"{{"take":{{"req":1,"job":"{}"}}}}"#, id(1)));
    let claim = moves(3, vec![moved(1, Place::Ready, Place::Leased)]);
    let result = Ok(Claimed::Jobs { jobs: vec![leased(1)], next: None });
    consumer.handle(NOW, Input::Taken { req: 1, moves: &claim, result });
    assert_eq!(doubted(&flushed(&mut consumer)), Some(vec![id(1)]));
}

fn held(n: u8, fence: u64, place: Place) -> HeldRead {
    HeldRead { id: id(n), place, fence }
}

#[test]
fn where_something_was_missed_who_holds_jobs_is_told_which_are_lost() {
    let (mut consumer, out) = missing();
    assert_eq!(doubted(&out), Some([1, 2, 3, 4].map(id).to_vec()));
    // The second is somebody else's by now, the third was cancelled, and the fourth is no longer there.
    let jobs =
        vec![held(1, 1, Place::Leased), held(2, 9, Place::Leased), held(3, 3, Place::Cancelled)];
    let out = consumer.handle(NOW, Input::Held(Ok(jobs)));
    let lost = |n: u8, reason: &str| {
        format!(r#"{{"lost":{{"job":"{}","fence":{n},"reason":"{reason}"}}}}"#, id(n))
    };
    assert_eq!(sent(&out), [lost(2, "expired"), lost(3, "cancelled"), lost(4, "ended")]);
    flushed(&mut consumer);
    assert!(
        sent(&hear(&mut consumer, 8, vec![moved(3, Place::Leased, Place::Cancelled)])).is_empty()
    );
    let out = hear(&mut consumer, 10, vec![moved(1, Place::Leased, Place::Ready)]);
    assert_eq!(sent(&out), [lost(1, "expired")], "it was still held");
}

#[test]
fn what_is_leased_anew_while_it_is_read_is_not_lost_by_what_was_read() {
    let (mut consumer, _) = missing();
    frame(&mut consumer, r#"{"credit":{"sub":1,"n":1}}"#);
    flushed(&mut consumer);
    let again = LeasedJob { token: token(7), ..leased(1) };
    consumer.handle(NOW, Input::Leased { sub: 1, version: 9, jobs: vec![again] });
    let jobs =
        vec![held(2, 2, Place::Leased), held(3, 3, Place::Leased), held(4, 4, Place::Leased)];
    let out = consumer.handle(NOW, Input::Held(Ok(jobs)));
    assert!(sent(&out).is_empty());
}

#[test]
fn what_could_not_be_read_of_what_is_held_is_read_after_a_while() {
    let (mut consumer, _) = missing();
    let fault: Refusal = Fault::Failed(String::new()).into();
    assert_eq!(doubted(&consumer.handle(NOW, Input::Held(Err(fault)))), None);
    let then = consumer.deadline().unwrap();
    assert_eq!(then, NOW + AGAIN);
    assert_eq!(doubted(&consumer.handle(then, Input::Tick)).map(|ids| ids.len()), Some(4));
}

#[test]
fn who_misses_something_again_and_again_has_what_is_held_read_once_in_a_while() {
    let (mut consumer, _) = missing();
    let mut now = NOW;
    for _ in 0..3 {
        assert_eq!(doubted(&consumer.handle(now, Input::Missed(0))), None, "it is being read");
        let jobs = (1..=4).map(|n| held(n, n.into(), Place::Leased)).collect();
        assert_eq!(doubted(&consumer.handle(now, Input::Held(Ok(jobs)))), None);
        assert_eq!(doubted(&consumer.handle(now, Input::Missed(0))), None);
        assert_eq!(consumer.deadline(), Some(now + EVERY));
        now = now + EVERY;
        assert_eq!(doubted(&consumer.handle(now, Input::Tick)).map(|ids| ids.len()), Some(4));
    }
}

#[test]
fn no_more_of_what_is_held_is_read_at_once_than_may_be_and_the_rest_after_it() {
    let mut consumer = consuming(CREDIT);
    let mut holds = 0;
    for part in 0..20_u8 {
        let out = flushed(&mut consumer);
        let (_, jobs) = credited(&out).unwrap();
        let jobs = (0..jobs).map(|n| {
            let mut bytes = [part; 16];
            bytes[15] = u8::try_from(n).unwrap();
            LeasedJob { id: JobId::from_bytes(bytes), ..leased(1) }
        });
        let jobs: Vec<_> = jobs.collect();
        holds += jobs.len();
        consumer.handle(NOW, Input::Leased { sub: 1, version: 5, jobs });
    }
    flushed(&mut consumer);
    let first = doubted(&consumer.handle(NOW, Input::Missed(0))).unwrap();
    assert_eq!((first.len(), holds), (CHANGES, 320));
    let jobs = first.iter().map(|id| HeldRead { id: *id, ..held(1, 1, Place::Leased) }).collect();
    let out = consumer.handle(NOW, Input::Held(Ok(jobs)));
    assert_eq!(doubted(&out), None, "a part at a time");
    let then = consumer.deadline().unwrap();
    assert_eq!(then, NOW + EVERY);
    let rest = consumer.handle(then, Input::Tick);
    assert_eq!(doubted(&rest).map(|ids| ids.len()), Some(holds - CHANGES));
}

#[test]
fn what_was_not_written_when_the_connection_ends_is_handed_back() {
    let mut consumer = consuming(4);
    flushed(&mut consumer);
    push(&mut consumer, 5, &[1]);
    flushed(&mut consumer);
    push(&mut consumer, 6, &[2]);
    frame(&mut consumer, &format!(r#"{{"take":{{"req":2,"job":"{}"}}}}"#, id(3)));
    let result = Ok(Claimed::Jobs { jobs: vec![leased(3)], next: None });
    consumer.handle(NOW, Input::Taken { req: 2, moves: &Moves::default(), result });
    let out = consumer.handle(NOW, Input::Gone);
    assert_eq!(handed_back(&out), [(id(2), token(2)), (id(3), token(3))]);
    assert!(handed_back(&consumer.handle(NOW, Input::Gone)).is_empty());
}

#[test]
fn what_is_written_with_a_close_is_the_clients() {
    for written in [false, true] {
        let mut consumer = consuming(4);
        flushed(&mut consumer);
        push(&mut consumer, 5, &[1]);
        let out = frame(&mut consumer, "no frame");
        assert_eq!(closed(&out), Some(Code::BadFrame));
        assert!(handed_back(&out).is_empty(), "it may still be written");
        if written {
            flushed(&mut consumer);
        }
        let out = consumer.handle(NOW, Input::Gone);
        assert_eq!(handed_back(&out).is_empty(), written);
    }
}
