//! When the store fails, and when many want much at once.

use super::{
    INBOX, ask, enqueue,
    late::loud,
    lease, say,
    told::{asked_by, complete, ends},
};
use crate::{
    faulty::Faulty,
    rig::{PATIENCE, Rig},
    talker::Me,
};
use futures_util::future::join_all;
use holdfast_backend::engine::{Engine, Jobs};
use holdfast_common::{
    id::{JobId, PersonId},
    storage::{Fault, Inbox, jobs::JobRead},
};
use serde_json::json;
use std::{
    ops::Range,
    sync::{Arc, OnceLock, atomic::Ordering},
    time::{Duration, Instant},
};
use tokio::sync::Notify;

async fn faulty() -> (Rig, Arc<Faulty>) {
    let engine = Arc::new(Faulty::default());
    let rig = Rig::start(Arc::clone(&engine) as Arc<dyn Engine>, None, |builder| builder).await;
    (rig, engine)
}

/// Ends behind all others, like this one, with these numbers.
fn like(job: &JobRead, numbers: Range<i64>) -> Vec<JobRead> {
    let end = |seq: i64| JobRead {
        id: JobId::from_bytes(u128::try_from(seq).unwrap().to_be_bytes()),
        seq,
        ..job.clone()
    };
    numbers.map(end).collect()
}

#[tokio::test]
async fn an_end_of_a_job_from_before_is_told_while_there_is_no_lull() {
    let (rig, engine) = faulty().await;
    let anna = Me::new("Anna");
    let slow = asked_by(&rig, &anna, "slow").await;
    let quick = asked_by(&rig, &anna, "quick").await;
    let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
    let read = engine.job(slow.parse().unwrap()).await.unwrap().unwrap();
    let read = JobRead { asker: None, ..read };
    let rounds_on = Arc::new(Notify::new());
    let reached = Arc::clone(&rounds_on);
    *engine.more_ends.lock().unwrap() = Some(Box::new(move |after| {
        if after == 0 {
            return Vec::new();
        }
        reached.notify_one();
        like(&read, after + 1..after + 101)
    }));
    complete(&rig, &quick, &json!(1)).await;
    tokio::time::timeout(PATIENCE, rounds_on.notified()).await.unwrap();
    let done = json!({ "token": taken["token"], "result": 2 });
    assert_eq!(say(&rig, &slow, "complete", &done).await.status, 200);
    let ends = ends(&rig, anna.person, 2).await;
    assert_eq!([&ends[0]["job"], &ends[1]["job"]], [&quick, &slow]);
}

#[tokio::test]
async fn pages_of_ends_that_cannot_be_told_are_passed_without_a_wait() {
    let (rig, engine) = faulty().await;
    *engine.spoiled.lock().unwrap() = Some(("spoiled", false));
    let (anna, ben) = (Me::new("Anna"), Me::new("Ben"));
    let mut read = Vec::new();
    for (me, title) in [(&anna, "spoiled"), (&ben, "fine")] {
        let id = asked_by(&rig, me, title).await.parse().unwrap();
        read.push(engine.job(id).await.unwrap().unwrap());
    }
    let begun = Arc::new(OnceLock::new());
    let first = Arc::clone(&begun);
    *engine.more_ends.lock().unwrap() = Some(Box::new(move |after| {
        first.get_or_init(Instant::now);
        match after {
            ..500 => like(&read[0], after + 1..after + 101),
            500 => like(&read[1], 501..502),
            _ => Vec::new(),
        }
    }));
    ends(&rig, ben.person, 1).await;
    let took = begun.get().unwrap().elapsed();
    assert!(took < Duration::from_secs(4), "less than a second for each page, not {took:?}");
}

#[tokio::test]
async fn who_is_told_slowly_holds_up_nobody_else() {
    let (rig, engine) = faulty().await;
    let slow = engine.hold_appends("“slow”");
    let (anna, ben) = (Me::new("Anna"), Me::new("Ben"));
    let mut read = Vec::new();
    for (me, title) in [(&anna, "slow"), (&ben, "quick")] {
        let id = asked_by(&rig, me, title).await.parse().unwrap();
        read.push(engine.job(id).await.unwrap().unwrap());
    }
    *engine.more_ends.lock().unwrap() = Some(Box::new(move |after| match after {
        ..500 => [like(&read[0], 501..502), like(&read[1], 502..503)].concat(),
        _ => Vec::new(),
    }));
    tokio::time::timeout(PATIENCE, slow.reached.notified()).await.unwrap();
    ends(&rig, ben.person, 1).await;
    slow.open.notify_one();
    ends(&rig, anna.person, 1).await;
}

#[tokio::test]
async fn an_end_whose_result_is_as_deep_as_may_be_is_told_without_it() {
    let (rig, engine) = faulty().await;
    let anna = Me::new("Anna");
    let mut with = Vec::new();
    for levels in 120_usize.. {
        let id = asked_by(&rig, &anna, "deep").await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let deep = "[".repeat(levels) + &"]".repeat(levels);
        let body = format!(r#"{{"token":{},"result":{deep}}}"#, taken["token"]);
        let done = rig.post(&format!("/api/v1/work/jobs/{id}/complete"), "", &body).await;
        if done.status != 200 {
            done.is(422, "bad_payload");
            break;
        }
        let told = told_of(&engine, anna.person, with.len() + 1).await;
        with.push(told.contains(r#""result":["#));
    }
    let last = with.pop();
    assert!(with.len() > 1 && with.iter().all(|with| *with), "{with:?}");
    assert_eq!(last, Some(false));
}

/// The text of the last entry of the person's inbox, once there are so many ends in it: too deep to be read whole.
async fn told_of(engine: &Faulty, person: PersonId, number: usize) -> String {
    let begun = Instant::now();
    loop {
        if let Inbox::Room(info) = engine.inbox(person, "work").await.unwrap() {
            let slice = engine.slice(info.room, 1, 100, 1 << 20).await.unwrap().unwrap();
            if slice.entries.len() >= number {
                return slice.entries.last().unwrap().1.to_string();
            }
        }
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn ends_that_cannot_be_told_hold_up_no_others_and_are_told_when_they_can_be() {
    for panics in [false, true] {
        let (rig, engine) = faulty().await;
        let (anna, ben) = (Me::new("Anna"), Me::new("Ben"));
        *engine.spoiled.lock().unwrap() = Some(("spoiled", panics));
        // More than are read at once, and in front of the other.
        for _ in 0..120 {
            let id = asked_by(&rig, &anna, "x").await;
            complete(&rig, &id, &json!("spoiled")).await;
        }
        let id = asked_by(&rig, &ben, "y").await;
        complete(&rig, &id, &json!("fine")).await;
        assert_eq!(ends(&rig, ben.person, 1).await[0]["result"], "fine");
        *engine.spoiled.lock().unwrap() = None;
        // As many as one read of the inbox gives.
        ends(&rig, anna.person, 100).await;
    }
}

#[tokio::test]
async fn a_panic_while_the_store_is_tended_to_ends_no_tending() {
    let (rig, engine) = faulty().await;
    engine.untended.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    while engine.untended.load(Ordering::SeqCst) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    enqueue(&rig, "later", &json!({ "delay_ms": 100 })).await;
    assert_eq!(lease(&rig, &json!({ "wait_ms": 10_000 })).await.len(), 1);
}

#[tokio::test]
async fn what_is_done_to_many_jobs_goes_step_by_step_however_many_want_it() {
    let (rig, engine) = faulty().await;
    for _ in 0..3 {
        enqueue(&rig, "bad", &json!({})).await;
    }
    for job in lease(&rig, &json!({ "max": 3 })).await {
        let failed = json!({ "token": job["token"], "retry": false });
        assert_eq!(say(&rig, job["id"].as_str().unwrap(), "fail", &failed).await.status, 200);
    }
    let (path, all) = (format!("{INBOX}/requeue"), json!({ "error": "" }));
    let answers = join_all((0..16).map(|_| ask(&rig, &path, &all))).await;
    let counts = answers.iter().map(|answer| answer.json()["count"].as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 3);
    assert_eq!(engine.deeds.1.load(Ordering::SeqCst), 1, "one step at a time");
}

#[tokio::test]
async fn an_end_that_was_done_is_known_again_although_its_events_cannot_be_judged_any_more() {
    for fault in [Fault::Failed("a page cannot be read".to_owned()), Fault::Overloaded] {
        let (rig, engine) = faulty().await;
        let id = enqueue(&rig, "once", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let end = loud(&taken["token"], "done");
        let judged = async |wanted: Option<Fault>| {
            *engine.bad_facts.lock().unwrap() = wanted;
            let before = engine.facts.load(Ordering::SeqCst);
            let answer = say(&rig, &id, "complete", &end).await;
            assert!(engine.facts.load(Ordering::SeqCst) > before, "its events were to be judged");
            answer
        };
        // While the lease stands, what is wrong is said.
        assert_eq!(judged(Some(fault.clone())).await.status, 503);
        let mut told = judged(None).await.json();
        told["again"] = json!(true);
        let again = judged(Some(fault)).await;
        assert_eq!((again.status, again.json()), (200, told));
    }
}
