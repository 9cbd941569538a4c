use super::*;
use crate::{frame::work::Which, job::limits::CALL_JOBS};

fn enqueue(consumer: &mut Consumer, req: u64, more: &str, payload: &str) -> Vec<Output> {
    let id = id(1);
    let head = format!(
        r#"{{"enqueue":{{"req":{req},"id":"{id}","ns":"work","queue":"inbox","type":"task"{more}}}}}"#
    );
    frame(consumer, &format!("{head}\n{payload}"))
}

#[test]
fn a_job_that_is_stored_is_answered_once_and_sent_again_it_is_the_same() {
    let mut consumer = ready();
    let out = enqueue(&mut consumer, 1, r#","priority":-100,"group":"g""#, "{}");
    assert!(matches!(&out[..], [Output::Enqueue { req: 1, job }]
        if job.id == id(1) && job.priority == -100 && job.data == "{}"));
    let result = || Ok(Enqueued::Made { ids: vec![id(1)], claimed: Vec::new() });
    let out = consumer.handle(NOW, Input::Enqueued { req: 1, result: result() });
    assert_eq!(sent(&out), [format!(r#"{{"enqueued":{{"req":1,"id":"{}"}}}}"#, id(1))]);
    assert!(consumer.handle(NOW, Input::Enqueued { req: 1, result: result() }).is_empty());
    enqueue(&mut consumer, 1, "", "{}");
    let result = Ok(Enqueued::Again(vec![id(1)]));
    let out = consumer.handle(NOW, Input::Enqueued { req: 1, result });
    assert!(sent(&out)[0].ends_with(r#""again":true}}"#));
}

#[test]
fn a_job_that_is_out_of_its_bounds_is_refused_by_the_member() {
    for (more, payload, code, detail) in [
        (r#","priority":101"#, "{}", "bad_request", "priority"),
        (r#","priority":1000"#, "{}", "bad_request", "priority"),
        (r#","group":"""#, "{}", "bad_request", "group"),
        (r#","max_attempts":0"#, "{}", "bad_request", "max_attempts"),
        (r#","delay_ms":18446744073709551615"#, "{}", "bad_request", "delay_ms"),
        ("", "", "bad_payload", ""),
        ("", "{", "bad_payload", ""),
    ] {
        let out = enqueue(&mut ready(), 1, more, payload);
        let [answer] = &sent(&out)[..] else { panic!("{out:?}") };
        assert!(answer.contains(code) && answer.contains(detail), "{answer}");
    }
    let large = format!("\"{}\"", "x".repeat(Limits::default().payload_bytes as usize));
    assert!(sent(&enqueue(&mut ready(), 1, "", &large))[0].contains("too_large"));
}

#[test]
fn a_job_that_is_asked_for_by_its_id_is_answered_in_each_case() {
    let refused = |result: Result<Claimed, Refusal>| {
        let mut consumer = ready();
        frame(&mut consumer, &format!(r#"{{"take":{{"req":1,"job":"{}"}}}}"#, id(1)));
        let moves = Moves::default();
        let out = consumer.handle(NOW, Input::Taken { req: 1, moves: &moves, result });
        sent(&out).concat()
    };
    let taken = refused(Ok(Claimed::NotReady(JobState::Leased)));
    assert!(taken.contains("wrong_state") && taken.contains(r#""state":"leased""#));
    assert!(refused(Ok(Claimed::UnknownJob)).contains("unknown_job"));
    assert!(refused(Ok(Claimed::UnknownQueue)).contains("unknown_queue"));
    assert!(refused(Ok(Claimed::Jobs { jobs: Vec::new(), next: None })).contains("wrong_state"));
    assert!(refused(Err(Fault::Full.into())).contains("storage_full"));
}

#[test]
fn what_a_person_decides_is_read_whole_before_it_is_done() {
    let decided = |deed: &str, payload: &str| {
        let ask = format!(r#"{{"govern":{{"req":1,"ns":"work","queue":"inbox","deed":{deed}}}}}"#);
        let out = frame(&mut ready(), &format!("{ask}\n{payload}"));
        match out.into_iter().next() {
            Some(Output::Govern { what, .. }) => Ok(what),
            Some(Output::Send(text)) => Err(text),
            other => panic!("{other:?}"),
        }
    };
    let one = format!(r#"{{"jobs":["{}"]}}"#, id(1));
    let which = Which::Jobs(vec![id(1)]);
    let mended = Decided::Requeue(which, Some("{}".to_owned()));
    assert_eq!(decided(&format!(r#"{{"requeue":{one}}}"#), "{}"), Ok(mended));
    assert_eq!(decided(&format!(r#"{{"cancel":{one}}}"#), ""), Ok(Decided::Cancel(vec![id(1)])));
    assert_eq!(decided(r#""pause""#, ""), Ok(Decided::Pause));
    let set = r#"{"max_attempts":9}"#;
    assert_eq!(decided(r#""set""#, set), Ok(Decided::Set(set.to_owned())));
    let many = vec![format!("\"{}\"", id(1)); CALL_JOBS + 1].join(",");
    for (deed, payload, code) in [
        (r#"{"requeue":{"like":{}}}"#, "{}", "bad_request"),
        (r#"{"cancel":{"like":{}}}"#, "", "bad_request"),
        (r#""set""#, "", "bad_request"),
        (r#"{"purge":"done"}"#, "", "bad_request"),
        (&format!(r#"{{"discard":{{"jobs":[{many}]}}}}"#), "", "too_large"),
    ] {
        assert!(decided(deed, payload).unwrap_err().contains(code), "{deed}");
    }
    let mut consumer = ready();
    frame(
        &mut consumer,
        r#"{"govern":{"req":1,"ns":"work","queue":"inbox","deed":{"purge":"dead"}}}"#,
    );
    let out = consumer.handle(NOW, Input::Governed { req: 1, result: Ok(7) });
    assert_eq!(sent(&out), [r#"{"did":{"req":1,"count":7}}"#]);
}

#[test]
fn no_frame_is_taken_past_as_many_requests_as_may_be_open() {
    let mut consumer = ready();
    for req in 1..=OPEN_REQUESTS as u64 {
        assert!(!consumer.full());
        enqueue(&mut consumer, req, "", "{}");
    }
    assert!(consumer.full());
    let later = NOW + Limits::default().silence;
    assert_eq!(closed(&consumer.handle(later, Input::Tick)), None, "its silence says nothing");
    let out = enqueue(&mut consumer, 1_000, "", "{}");
    assert_eq!(closed(&out), Some(Code::OverLimit));
}

#[test]
fn a_request_with_the_number_of_one_that_is_open_closes() {
    let mut consumer = ready();
    enqueue(&mut consumer, 1, "", "{}");
    assert_eq!(closed(&enqueue(&mut consumer, 1, "", "{}")), Some(Code::BadFrame));
}

#[test]
fn a_queue_whose_name_could_be_none_is_unknown_at_once() {
    for name in [String::new(), "x".repeat(129)] {
        for kind in ["consume", "watch"] {
            let ask = format!(r#"{{"{kind}":{{"req":1,"ns":"work","queue":"{name}"}}}}"#);
            let out = frame(&mut ready(), &ask);
            assert!(out.len() == 1 && sent(&out)[0].contains("unknown_queue"), "{out:?}");
        }
    }
}
