//! What is to be said of schedules on a disk alone.

use super::super::commits::{Fails, Once};
use super::*;
use holdfast_backend::engine::sqlite::Options;
use holdfast_common::storage::Fault;

/// Fires what is due until nothing is, as after each fault; returns the faults.
async fn fire_all(bench: &Bench) -> Vec<Fault> {
    let mut faults = Vec::new();
    while let [schedule] = &due(bench).await.schedules[..] {
        match bench.engine().fire(firing(schedule, at(2))).await {
            Ok((Fired::Job(id), _)) => bench.know(&[id]),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => faults.push(fault),
        }
        assert!(faults.len() < 9, "{faults:?}");
    }
    faults
}

async fn one_commit_fails(how: Fails) -> Vec<Fault> {
    let once = Once::default();
    let commits = Box::new(once.clone());
    let bench = Bench::sqlite_with(Options { commits, ..Options::default() });
    nightly(&bench).await;
    bench.jump(60_000);
    once.fail(how);
    let faults = fire_all(&bench).await;
    assert!(once.is_over());
    let taken = bench.take_ids(9).await;
    assert_eq!(taken.len(), 1, "{taken:?}");
    bench.know(&taken);
    bench.counted().await;
    faults
}

#[tokio::test]
async fn an_occurrence_whose_firing_failed_is_fired_once() {
    let faults = one_commit_fails(Fails::Before).await;
    assert!(matches!(faults[..], [Fault::Failed(_)]), "{faults:?}");
}

#[tokio::test]
async fn an_occurrence_of_which_nobody_can_say_whether_it_was_fired_is_fired_once() {
    let faults = one_commit_fails(Fails::After).await;
    assert!(matches!(faults[..], [Fault::Unknown(_)]), "{faults:?}");
}

#[tokio::test]
async fn schedules_survive_a_restart_and_go_on_where_they_were() {
    let bench = Bench::sqlite();
    let schedule = nightly(&bench).await;
    let paused = set(&bench, named("paused", 1)).await;
    change(&bench, "paused", ScheduleChange::Pause).await.unwrap();
    bench.jump(60_000);
    fired(&bench, &schedule, at(2)).await;
    let before = (read(&bench, "nightly").await, read(&bench, "paused").await);
    bench.reopen(600_000);
    assert_eq!((read(&bench, "nightly").await, read(&bench, "paused").await), before);
    assert_eq!(fire(&bench, &schedule, at(2)).await, Fired::Moved);
    assert_eq!(fire(&bench, &paused, at(2)).await, Fired::Moved);
    // What it has missed is one job.
    let [found] = &due(&bench).await.schedules[..] else { panic!("it is due") };
    fired(&bench, found, at(12)).await;
    assert_eq!(due_names(&bench).await, [] as [&str; 0]);
    bench.counted().await;
    assert_eq!(bench.counts().await.ready, 2);
}

#[tokio::test]
async fn the_payload_of_a_schedule_goes_with_it() {
    let scrub_after = std::time::Duration::ZERO;
    let bench = Bench::sqlite_with(Options { scrub_after, ..Options::default() });
    bench.inbox().await;
    for secret in ["first-secret", "second-secret"] {
        let job = NewJob { data: format!(r#"{{"title":"{secret}"}}"#), ..new_job() };
        set(&bench, NewSchedule { job, ..named("nightly", 1) }).await;
    }
    change(&bench, "nightly", ScheduleChange::Remove).await.unwrap();
    // Emptied with the next batch at the latest.
    bench.tend().await;
    bench.reopen(0);
    let bytes = bench.bytes();
    for secret in ["first-secret", "second-secret"] {
        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    bench.counted().await;
}
