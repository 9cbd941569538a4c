use super::*;
use crate::{
    frame::work::TooMuch,
    id::EventId,
    job::limits::{END_EVENTS, END_JOBS},
    storage::{
        Verdict,
        jobs::{How, Wanted},
    },
};

fn complete(consumer: &mut Consumer, req: u64, n: u8, more: &str) -> Vec<Output> {
    let (job, token) = (id(n), token(n));
    frame(
        consumer,
        &format!(
            "{{\"complete\":{{\"req\":{req},\"job\":\"{job}\",\"token\":\"{token}\"{more}}}}}\n{{}}"
        ),
    )
}

fn done(then: Option<Claimed>) -> Result<Ended, Refusal> {
    Ok(Ended::Done { place: Place::Done, wait: None, appended: Vec::new(), then })
}

fn answer(consumer: &mut Consumer, version: u64, result: Result<Ended, Refusal>) -> Vec<Output> {
    consumer.handle(NOW, Input::Ended { req: 2, version, ids: BroughtIds::default(), result })
}

/// One that has job 1 and no credit.
fn holding() -> Consumer {
    let mut consumer = consuming(1);
    flushed(&mut consumer);
    push(&mut consumer, 5, &[1]);
    flushed(&mut consumer);
    consumer
}

#[test]
fn a_job_that_is_done_brings_the_next_one_in_the_same_transaction() {
    let mut consumer = holding();
    let out = complete(&mut consumer, 2, 1, r#","next":1"#);
    let [Output::End { req: 2, job, how: How::Complete { result }, then: Some(claim), .. }] =
        &out[..]
    else {
        panic!("{out:?}")
    };
    assert_eq!((*job, result.as_deref()), (id(1), Some("{}")));
    let wanted = Wanted::Of { ns: "work".to_owned(), queue: "inbox".to_owned(), most: 1 };
    assert_eq!((&claim.wanted, claim.lease), (&wanted, Some(Millis(5_000))));
    let then = Some(Claimed::Jobs { jobs: vec![leased(2)], next: None });
    let out = answer(&mut consumer, 6, done(then));
    assert_eq!(sent(&out)[0], r#"{"did":{"req":2,"state":"done"}}"#);
    assert!(sent(&out)[1].starts_with(r#"{"leased":{"sub":1,"#));
    assert_eq!(credited(&flushed(&mut consumer)), None);
}

#[test]
fn where_there_is_no_next_one_the_credit_waits_for_it() {
    for result in [
        done(None),
        done(Some(Claimed::Jobs { jobs: Vec::new(), next: None })),
        Ok(Ended::Again { place: Place::Done, stands: Vec::new() }),
    ] {
        let mut consumer = holding();
        complete(&mut consumer, 2, 1, r#","next":1"#);
        answer(&mut consumer, 6, result);
        assert_eq!(credited(&flushed(&mut consumer)), Some((1, 1)));
    }
}

#[test]
fn an_end_that_is_refused_gives_no_credit() {
    for result in [
        Ok(Ended::Late(Reason::Expired)),
        Ok(Ended::UnknownJob),
        Ok(Ended::TooOften),
        Ok(Ended::Moved),
        Ok(Ended::QueueFull),
        Err(Fault::Unknown("gone".to_owned()).into()),
    ] {
        let mut consumer = holding();
        complete(&mut consumer, 2, 1, r#","next":1"#);
        let out = answer(&mut consumer, 6, result);
        assert!(sent(&out)[0].starts_with(r#"{"refused":{"req":2,"#));
        assert_eq!(credited(&flushed(&mut consumer)), None);
    }
}

#[test]
fn the_next_job_of_a_subscription_that_ended_meanwhile_is_handed_back() {
    let mut consumer = holding();
    complete(&mut consumer, 2, 1, r#","next":1"#);
    frame(&mut consumer, r#"{"unconsume":{"req":3,"sub":1}}"#);
    let then = Some(Claimed::Jobs { jobs: vec![leased(2)], next: None });
    let out = answer(&mut consumer, 6, done(then));
    assert_eq!(handed_back(&out), [(id(2), token(2))]);
}

#[test]
fn a_late_word_is_refused_with_its_reason_and_a_text_that_is_no_token_at_once() {
    let mut consumer = holding();
    complete(&mut consumer, 2, 1, "");
    let out = answer(&mut consumer, 6, Ok(Ended::Late(Reason::Expired)));
    assert!(sent(&out)[0].contains(r#""code":"fenced""#), "{out:?}");
    assert!(sent(&out)[0].contains(r#""reason":"expired""#));
    for kind in ["complete", "fail", "snooze", "extend"] {
        let ask = format!(r#"{{"{kind}":{{"req":3,"job":"{}","token":"nonsense"}}}}"#, id(1));
        let out = frame(&mut consumer, &ask);
        assert!(sent(&out)[0].contains(r#""reason":"other""#), "{out:?}");
    }
}

#[test]
fn who_ends_its_own_lease_is_not_told_that_it_is_lost() {
    let mut consumer = holding();
    complete(&mut consumer, 2, 1, "");
    let change = || vec![moved(1, Place::Leased, Place::Done)];
    assert!(sent(&hear(&mut consumer, 6, change())).is_empty());
    assert_eq!(sent(&answer(&mut consumer, 6, done(None))).len(), 1);
    let mut consumer = holding();
    complete(&mut consumer, 2, 1, "");
    answer(&mut consumer, 6, done(None));
    assert!(sent(&hear(&mut consumer, 6, change())).is_empty());
}

#[test]
fn what_a_holder_says_is_read_here_and_its_bounds_are_left_to_who_knows_the_lease() {
    let mut consumer = ready();
    let (job, token) = (id(1), token(1));
    let large = format!("\"{}\"", "x".repeat(RESULT_BYTES));
    for (head, payload, code) in
        [("complete", "{", "bad_payload"), ("fail", "no json", "bad_payload")]
    {
        let ask = format!(
            "{{\"{head}\":{{\"req\":1,\"job\":\"{job}\",\"token\":\"{token}\"}}}}\n{payload}"
        );
        let out = frame(&mut consumer, &ask);
        assert!(sent(&out)[0].contains(code) && out.len() == 1, "{out:?}");
    }
    for (req, kind, more, payload) in [
        (2, "complete", "", large.as_str()),
        (3, "fail", "", large.as_str()),
        (4, "snooze", r#","delay_ms":31536000001"#, ""),
        (5, "extend", r#","progress":101"#, ""),
    ] {
        let ask = format!(
            "{{\"{kind}\":{{\"req\":{req},\"job\":\"{job}\",\"token\":\"{token}\"{more}}}}}\n{payload}"
        );
        let out = frame(&mut consumer, &ask);
        assert!(matches!(out[..], [Output::End { .. } | Output::Extend { .. }]), "{out:?}");
    }
    let fail = format!(
        r#"{{"fail":{{"req":1,"job":"{job}","token":"{token}","reason":"torn","retry":false}}}}"#
    );
    let out = frame(&mut consumer, &fail);
    assert!(
        matches!(&out[..], [Output::End { how: How::Fail { reason, failure: None, retry: None }, .. }]
        if reason == "torn")
    );
}

#[test]
fn a_completion_hands_over_what_it_brings_and_names_it_once_it_stands() {
    let mut consumer = holding();
    let brings = r#","events":[{"room":"lobby","type":"message","data":{"text":"x"}}],"jobs":[{"job":{"type":"task","data":{}}}]"#;
    let out = complete(&mut consumer, 2, 1, brings);
    let [Output::End { brings, author, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!((brings.events.len(), brings.jobs.len()), (1, 1));
    assert_eq!(brings.events[0].data.get(), r#"{"text":"x"}"#);
    assert_eq!(*author, Author::service());
    let event = EventId::from_bytes([7; 16]);
    let ids = BroughtIds { events: vec![event], jobs: vec![id(9)] };
    let result = Ok(Ended::Again { place: Place::Done, stands: vec![Some(3)] });
    let out = consumer.handle(NOW, Input::Ended { req: 2, version: 6, ids, result });
    let (event, job) = (event.to_string(), id(9).to_string());
    let told = format!(
        r#"{{"did":{{"req":2,"state":"done","again":true,"events":[{{"id":"{event}","offset":3}}],"enqueued":["{job}"]}}}}"#
    );
    assert_eq!(sent(&out), [told]);
}

#[test]
fn of_a_completion_that_is_too_large_no_more_is_kept_than_shows_that() {
    let event = r#"{"room":"r","type":"t","data":0}"#;
    let events = vec![event; 10 * END_EVENTS].join(",");
    let jobs = vec![r#"{"job":{"type":"","data":0}}"#; 10 * END_JOBS].join(",");
    let (job, token, result) = (id(1), token(1), "é".repeat(RESULT_BYTES));
    let ask = format!(
        "{{\"complete\":{{\"req\":1,\"job\":\"{job}\",\"token\":\"{token}\",\"events\":[{events}],\"jobs\":[{jobs}]}}}}\n\"{result}\""
    );
    let out = frame(&mut ready(), &ask);
    let [Output::End { brings, how: How::Complete { result: Some(result) }, .. }] = &out[..] else {
        panic!("{out:?}")
    };
    assert_eq!((brings.events.len(), brings.jobs.len()), (END_EVENTS + 1, END_JOBS + 1));
    assert!(TooMuch::check(brings.events.len(), brings.jobs.len()).is_err());
    assert!((1..=4).contains(&(result.len() - RESULT_BYTES)), "{}", result.len());
}

#[test]
fn a_completion_that_is_refused_for_what_it_brings_names_what_is_at_fault() {
    let mut consumer = holding();
    complete(&mut consumer, 2, 1, "");
    let why = Some(r#"{"most":2}"#.to_owned());
    let (code, detail) = (Code::Refused, "no".to_owned());
    let verdict = Verdict::Reject { id: EventId::NIL, code, detail, why };
    let out = answer(&mut consumer, 6, Ok(Ended::Rejected { index: 1, verdict }));
    assert!(sent(&out)[0].contains(r#""event":1,"why":{"most":2}"#), "{out:?}");
    complete(&mut consumer, 2, 1, "");
    let out = answer(&mut consumer, 6, Ok(Ended::UnknownQueue { index: 3 }));
    assert!(sent(&out)[0].ends_with(r#""job":3}}"#), "{out:?}");
}

#[test]
fn a_failure_that_is_to_wait_says_so() {
    let fail = |more: &str| {
        let (job, token) = (id(1), token(1));
        let ask = format!(r#"{{"fail":{{"req":1,"job":"{job}","token":"{token}",{more}}}}}"#);
        frame(&mut ready(), &ask)
    };
    let out = fail(r#""retry_ms":86400000"#);
    let [Output::End { how: How::Fail { retry, .. }, .. }] = &out[..] else { panic!("{out:?}") };
    assert_eq!(*retry, Some(Millis(86_400_000)));
    let out = fail(r#""retry_ms":5,"retry":false"#);
    let [Output::End { how: How::Fail { retry: None, .. }, .. }] = &out[..] else {
        panic!("{out:?}")
    };
}

#[test]
fn a_result_of_null_is_none() {
    for payload in ["", "\n", "\nnull", "\n null "] {
        let (job, token) = (id(1), token(1));
        let head = format!(r#"{{"complete":{{"req":1,"job":"{job}","token":"{token}"}}}}"#);
        let out = frame(&mut ready(), &(head + payload));
        let none = matches!(&out[..], [Output::End { how: How::Complete { result: None }, .. }]);
        assert!(none, "{out:?}");
    }
}

#[test]
fn a_lease_that_is_extended_says_for_how_long() {
    let mut consumer = holding();
    let (job, token) = (id(1), token(1));
    let ask = format!(
        r#"{{"extend":{{"req":2,"job":"{job}","token":"{token}","lease_ms":9,"progress":50,"note":"half"}}}}"#
    );
    let out = frame(&mut consumer, &ask);
    assert!(matches!(&out[..], [Output::Extend { extend, .. }] if extend.lease == Some(Millis(9))));
    let given = Given { length: Millis(100), until: Timestamp(7) };
    let result = Ok(Extended::Until(given));
    let out = consumer.handle(NOW, Input::Extended { req: 2, result });
    assert_eq!(sent(&out), [r#"{"did":{"req":2,"lease_ms":100,"expires_at":7}}"#]);
}
