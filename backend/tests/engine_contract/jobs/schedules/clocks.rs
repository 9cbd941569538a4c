//! Schedules, and what becomes of the wall clock.

use super::*;

contract_of_jobs! {
    an_occurrence_is_due_when_the_wall_clock_says_so
    a_wall_clock_that_is_set_back_has_nothing_fired_again
    a_clock_that_was_ahead_is_made_good_by_a_resume_and_nothing_is_done_twice
    an_occurrence_that_a_resume_goes_back_to_comes_again_only_once_its_job_is_gone
}

async fn an_occurrence_is_due_when_the_wall_clock_says_so(bench: &Bench) {
    let first = nightly(bench).await;
    let later = set(bench, named("later", 3)).await;
    let none = Due { now: at(0), schedules: Vec::new(), next: Some(at(1)) };
    assert_eq!(due(bench).await, none);
    bench.jump(60_000);
    assert_eq!(bench.engine().wall(), at(1));
    let one = Due { now: at(1), schedules: vec![first.clone()], next: Some(at(3)) };
    assert_eq!(due(bench).await, one);
    bench.jump(600_000);
    let both = Due { now: at(11), schedules: vec![first.clone(), later], next: None };
    assert_eq!(due(bench).await, both);
    // However often it has been missed, it is one job.
    fired(bench, &first, at(12)).await;
    assert_eq!(due_names(bench).await, ["later"]);
    assert_eq!(due(bench).await.next, Some(at(12)));
    assert_eq!(bench.counts().await.ready, 1);
}

async fn a_wall_clock_that_is_set_back_has_nothing_fired_again(bench: &Bench) {
    let schedule = nightly(bench).await;
    bench.jump(60_000);
    let [found] = &due(bench).await.schedules[..] else { panic!("it is due") };
    fired(bench, found, at(2)).await;
    bench.jump(-600_000);
    assert_eq!(due_names(bench).await, [] as [&str; 0]);
    assert_eq!(due(bench).await.next, Some(at(2)));
    bench.jump(600_000);
    assert_eq!(due_names(bench).await, [] as [&str; 0]);
    assert_eq!(fire(bench, &schedule, at(2)).await, Fired::Moved);
    assert_eq!(bench.counts().await.ready, 1);
}

async fn a_clock_that_was_ahead_is_made_good_by_a_resume_and_nothing_is_done_twice(bench: &Bench) {
    let schedule = nightly(bench).await;
    let id = fired(bench, &schedule, at(1_000_000)).await;
    let resume = ScheduleChange::Resume { id: schedule.id, next: at(1) };
    let resumed = change(bench, "nightly", resume).await.unwrap();
    assert_eq!(resumed.next(), Some(at(1)));
    assert_eq!(fired(bench, &resumed, at(2)).await, id);
    assert_eq!(bench.counts().await.ready, 1);
    // One that comes earlier anyway is not put off.
    let resume = ScheduleChange::Resume { id: schedule.id, next: at(9) };
    assert_eq!(change(bench, "nightly", resume).await.unwrap().next(), Some(at(2)));
}

async fn an_occurrence_that_a_resume_goes_back_to_comes_again_only_once_its_job_is_gone(
    bench: &Bench,
) {
    let keep = Millis(5_000);
    bench.queue(INBOX, QueueSettings { keep, ..settings() }).await;
    let schedule = set(bench, named("nightly", 1)).await;
    let id = fired(bench, &schedule, at(2)).await;
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    let goes_back = async || {
        let resume = ScheduleChange::Resume { id: schedule.id, next: at(1) };
        let resumed = change(bench, "nightly", resume).await.unwrap();
        assert_eq!(fired(bench, &resumed, at(2)).await, id);
        bench.counts().await.ready
    };
    assert_eq!(goes_back().await, 0, "it is kept and known");
    bench.pass(keep.0).await;
    bench.tend().await;
    assert_eq!(bench.engine().job(id).await, Ok(None));
    assert_eq!(goes_back().await, 1, "nobody knows of it any more");
}
