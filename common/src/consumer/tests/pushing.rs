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
    let out = consumer.handle(NOW, Input::Ended { req: 9, version: 2, result });
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
