mod asks;
mod ends;
mod pushing;
mod watching;

use super::*;
use crate::{
    job::{JobState, QueueSettings, Reason, Token, figures::Rates},
    storage::{
        Fault,
        jobs::{
            Claimed, Counts, Ended, Enqueued, Extended, Given, JobRead, LeasedJob, Move, Moves,
            QueueInfo, QueueMoves, QueueRead,
        },
    },
};

const NOW: Instant = Instant(1);

fn fresh() -> Consumer {
    Consumer::new(Instant(0), ConnectionId::NIL, Limits::default(), "test")
}

/// One that is greeted as a service and whose socket is read.
fn ready() -> Consumer {
    let mut consumer = fresh();
    frame(&mut consumer, r#"{"hello":{"name":"printer-2"}}"#);
    consumer.handle(NOW, Input::Greeted { now: Timestamp(0), result: Ok(None) });
    consumer.handle(NOW, Input::Flushed);
    consumer
}

/// One with a subscription to `work/inbox`, whose name is 1.
fn consuming(credit: u32) -> Consumer {
    let mut consumer = ready();
    let ask = format!(
        r#"{{"consume":{{"req":1,"ns":"work","queue":"inbox","credit":{credit},"lease_ms":5000}}}}"#
    );
    frame(&mut consumer, &ask);
    consumer.handle(NOW, Input::Consuming { sub: 1, result: Ok(()) });
    consumer
}

fn frame(consumer: &mut Consumer, text: &str) -> Vec<Output> {
    consumer.handle(NOW, Input::Frame(text.as_bytes()))
}

fn flushed(consumer: &mut Consumer) -> Vec<Output> {
    consumer.handle(NOW, Input::Flushed)
}

fn sent(out: &[Output]) -> Vec<&str> {
    let texts = out.iter().filter_map(|output| match output {
        Output::Send(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn closed(out: &[Output]) -> Option<Code> {
    out.iter().find_map(|output| match output {
        Output::Close(code) => Some(*code),
        _ => None,
    })
}

/// How many jobs are asked for, and for which subscription.
fn credited(out: &[Output]) -> Option<(Sub, u32)> {
    out.iter().find_map(|output| match output {
        Output::Credit { sub, jobs } => Some((*sub, *jobs)),
        _ => None,
    })
}

fn handed_back(out: &[Output]) -> Vec<(JobId, Token)> {
    let jobs = out.iter().filter_map(|output| match output {
        Output::HandBack(jobs) => Some(jobs.clone()),
        _ => None,
    });
    jobs.flatten().collect()
}

fn id(n: u8) -> JobId {
    JobId::from_bytes([n; 16])
}

fn token(n: u8) -> Token {
    Token { fence: n.into(), key: 7 }
}

fn leased(n: u8) -> LeasedJob {
    LeasedJob {
        id: id(n),
        token: token(n),
        attempt: 1,
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        group: None,
        lease: Given { length: Millis(5_000), until: Timestamp(6_000) },
    }
}

fn push(consumer: &mut Consumer, version: u64, jobs: &[u8]) -> Vec<Output> {
    let jobs = jobs.iter().map(|n| leased(*n)).collect();
    consumer.handle(NOW, Input::Leased { sub: 1, version, jobs })
}

fn info() -> QueueInfo {
    QueueInfo {
        ns: "work".to_owned(),
        name: "inbox".to_owned(),
        settings: QueueSettings::default(),
        paused: false,
        counts: Counts::default(),
    }
}

fn moved(n: u8, from: Place, to: Place) -> Move {
    let (from, to) = (Some(from), Some(to));
    Move { job: id(n), from, to, attempt: 1, consumer: None, failed: false, took: None }
}

fn moves(version: u64, jobs: Vec<Move>) -> Moves {
    Moves { version, queues: vec![QueueMoves { queue: info(), jobs }] }
}

fn hear(consumer: &mut Consumer, version: u64, jobs: Vec<Move>) -> Vec<Output> {
    consumer.handle(NOW, Input::Moves(&moves(version, jobs)))
}

fn shown(n: u8, place: Place) -> JobRead {
    JobRead {
        id: id(n),
        seq: 7,
        ns: "work".to_owned(),
        queue: "inbox".to_owned(),
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        place,
        priority: 0,
        group: None,
        attempt: 0,
        fence: 0,
        most: 5,
        outcome: None,
        attempts: Vec::new(),
        holder: None,
        progress: None,
        due: None,
        asker: None,
        age: Millis(0),
    }
}

fn board(version: u64) -> BoardRead {
    let ready = PlaceRead { place: Place::Ready, jobs: vec![shown(1, Place::Ready)], after: None };
    BoardRead { version, queue: QueueRead { info: info(), oldest: None }, places: vec![ready] }
}

#[test]
fn a_service_is_greeted_by_its_name_and_a_person_by_its_secret() {
    let mut consumer = fresh();
    let out = frame(&mut consumer, r#"{"hello":{"name":" printer\u202e-2 "}}"#);
    assert!(matches!(&out[..], [Output::Greet(hello)] if hello.name == "printer-2"));
    assert!(consumer.full() && consumer.holder().is_none());
    let out = consumer.handle(NOW, Input::Greeted { now: Timestamp(9), result: Ok(None) });
    assert!(sent(&out)[0].starts_with(r#"{"welcome":"#));
    assert_eq!(consumer.holder().map(|it| it.consumer.as_str()), Some("printer-2"));

    let person = PersonId::NIL;
    let hello =
        format!(r#"{{"hello":{{"person":"{person}","secret":"0123456789abcdef","name":"Ada"}}}}"#);
    let mut consumer = fresh();
    let out = frame(&mut consumer, &hello);
    assert!(matches!(&out[..], [Output::Greet(hello)] if hello.person == Some(person)));
    let wrong = Input::Greeted { now: Timestamp(9), result: Err(Code::WrongSecret) };
    assert_eq!(closed(&consumer.handle(NOW, wrong)), Some(Code::WrongSecret));
}

#[test]
fn a_hello_without_a_name_or_with_half_a_proof_closes() {
    let nil = PersonId::NIL;
    for hello in [
        r#"{"name":" "}"#.to_owned(),
        format!(r#"{{"name":"Ada","person":"{nil}"}}"#),
        r#"{"name":"Ada","secret":"0123456789abcdef"}"#.to_owned(),
        format!(r#"{{"name":"Ada","person":"{nil}","secret":"short"}}"#),
    ] {
        let out = frame(&mut fresh(), &format!(r#"{{"hello":{hello}}}"#));
        assert_eq!(closed(&out), Some(Code::BadFrame), "{hello}");
    }
}

#[test]
fn every_frame_that_has_no_place_closes_with_a_code_and_never_panics() {
    for text in [
        "",
        "{",
        "null",
        "{}",
        r#"{"take":{}}"#,
        r#"{"ping":{"n":-1}}"#,
        r#"{"wish":{"any":1}}"#,
        r#"{"snooze":{"req":1,"job":"x","token":"1","delay_ms":-5}}"#,
        r#"{"welcome":{}}"#,
        "\u{0}",
    ] {
        assert_eq!(closed(&frame(&mut fresh(), text)), Some(Code::BadFrame), "{text:?}");
        assert_eq!(closed(&frame(&mut ready(), text)), Some(Code::BadFrame), "{text:?}");
    }
    let hello = r#"{"hello":{"name":"x"}}"#;
    assert_eq!(closed(&frame(&mut ready(), hello)), Some(Code::BadFrame));
    let ping = r#"{"ping":{"n":1}}"#;
    assert_eq!(closed(&frame(&mut fresh(), ping)), Some(Code::BadFrame));
    assert_eq!(sent(&frame(&mut ready(), ping)), [r#"{"pong":{"n":1}}"#]);
    let large = vec![b' '; Limits::default().frame_bytes() + 1];
    let out = ready().handle(NOW, Input::Frame(&large));
    assert_eq!(closed(&out), Some(Code::FrameTooLarge));
}

#[test]
fn who_does_not_say_hello_or_anything_is_closed() {
    let limits = Limits::default();
    let mut consumer = fresh();
    let late = consumer.deadline().unwrap();
    assert_eq!(late, Instant(0) + limits.hello);
    assert_eq!(closed(&consumer.handle(late, Input::Tick)), Some(Code::HelloTimeout));

    let mut consumer = ready();
    let quiet = consumer.deadline().unwrap();
    assert!(matches!(consumer.handle(quiet, Input::Tick)[..], [Output::Ping]));
    let silent = consumer.deadline().unwrap();
    assert_eq!(silent, NOW + limits.silence);
    assert_eq!(closed(&consumer.handle(silent, Input::Tick)), Some(Code::Silent));
    assert!(consumer.is_closed() && consumer.deadline().is_none());
}

#[test]
fn who_is_pinged_late_has_as_long_for_the_answer() {
    let limits = Limits::default();
    let mut consumer = ready();
    let late = NOW + limits.silence + Millis(5_000);
    assert!(matches!(consumer.handle(late, Input::Tick)[..], [Output::Ping]));
    let answer = late + Millis(limits.silence.0 - limits.ping_every.0);
    assert_eq!(consumer.deadline(), Some(answer));
    assert_eq!(closed(&consumer.handle(answer, Input::Tick)), Some(Code::Silent));
}

#[test]
fn a_draining_machine_answers_what_it_took_and_begins_nothing() {
    let mut consumer = consuming(4);
    let complete =
        format!(r#"{{"complete":{{"req":2,"job":"{}","token":"{}"}}}}"#, id(1), token(1));
    frame(&mut consumer, &complete);
    let out = consumer.handle(NOW, Input::Drain(Millis(500)));
    assert_eq!(sent(&out), [r#"{"away":{"after":500}}"#]);
    assert!(out.iter().any(|it| matches!(it, Output::Gone(1))));
    assert_eq!(closed(&out), None);
    assert!(consumer.handle(NOW, Input::Drain(Millis(500))).is_empty(), "it says so once");
    let out = frame(&mut consumer, r#"{"consume":{"req":3,"ns":"work","queue":"inbox"}}"#);
    assert!(sent(&out)[0].contains("draining"));
    assert_eq!(handed_back(&push(&mut consumer, 1, &[5])), [(id(5), token(5))]);
    let done = Ended::Done { place: Place::Done, wait: None, appended: Vec::new(), then: None };
    let ids = BroughtIds::default();
    let out = consumer.handle(NOW, Input::Ended { req: 2, version: 3, ids, result: Ok(done) });
    assert_eq!(sent(&out), [r#"{"did":{"req":2,"state":"done"}}"#]);
    assert_eq!(closed(&out), Some(Code::GoingAway));
}
