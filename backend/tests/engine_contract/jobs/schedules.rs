//! Schedules, and the one job of each of their occurrences.

mod clocks;
mod on_disk;

use super::{
    bench::{self, *},
    govern::{govern, inbox},
};
use holdfast_common::{
    id::{JobId, PersonId, ScheduleId},
    job::{NewJob, Place, QueueSettings, limits::SCHEDULES},
    storage::{
        jobs::{AuditQuery, By, Deed, QueueName},
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, ScheduleState,
            Scheduled,
        },
    },
    time::{Millis, Timestamp},
};

contract_of_jobs! {
    an_occurrence_that_two_fire_is_one_job
    two_schedules_that_come_at_once_bring_a_job_each
    a_job_is_as_its_schedule_says
    of_a_schedule_that_is_another_one_by_now_nothing_is_fired
    a_paused_schedule_is_not_due_and_goes_on_from_when_it_is_resumed
    a_schedule_that_never_comes_again_is_paused_with_the_reason
    an_occurrence_waits_while_its_queue_is_full
    a_paused_queue_takes_the_job_and_begins_nothing
    a_schedule_made_again_in_the_same_words_is_left_as_it_is
    a_schedule_is_read_as_it_was_made_and_is_gone_when_it_is_removed
    there_are_so_many_schedules_and_no_more
    a_schedule_for_no_queue_is_not_made
    each_change_of_a_schedule_is_noted_at_its_queue
}

const MINUTE: u64 = 60_000;

fn by() -> By {
    By { person: PersonId::from_bytes([3; 16]), name: "Ada".to_owned() }
}

fn schedule_id() -> ScheduleId {
    ScheduleId::from_bytes(*job_id().as_bytes())
}

fn at(minutes: u64) -> Timestamp {
    Timestamp(WALL + minutes * MINUTE)
}

/// One that comes next after so many minutes.
fn named(name: &str, minutes: u64) -> NewSchedule {
    NewSchedule {
        id: schedule_id(),
        name: name.to_owned(),
        cron: "* * * * *".to_owned(),
        job: new_job(),
        next: at(minutes),
    }
}

async fn set(bench: &Bench, new: NewSchedule) -> Schedule {
    match bench.engine().set_schedule(new, by()).await.unwrap() {
        Scheduled::Made(schedule) | Scheduled::Replaced(schedule) => schedule,
        other => panic!("not made: {other:?}"),
    }
}

/// A queue and a schedule that comes after one minute.
async fn nightly(bench: &Bench) -> Schedule {
    bench.inbox().await;
    set(bench, named("nightly", 1)).await
}

async fn read(bench: &Bench, name: &str) -> Option<ScheduleRead> {
    bench.engine().schedule(WORK, name).await.unwrap()
}

async fn due(bench: &Bench) -> Due {
    bench.engine().due().await.unwrap()
}

async fn due_names(bench: &Bench) -> Vec<String> {
    due(bench).await.schedules.into_iter().map(|schedule| schedule.name).collect()
}

fn firing(schedule: &Schedule, then: Timestamp) -> Fire {
    Fire { schedule: schedule.clone(), then: Ok(then), by: by() }
}

async fn fire(bench: &Bench, schedule: &Schedule, then: Timestamp) -> Fired {
    bench.engine().fire(firing(schedule, then)).await.unwrap().0
}

/// Fires what must be there to be fired.
async fn fired(bench: &Bench, schedule: &Schedule, then: Timestamp) -> JobId {
    match fire(bench, schedule, then).await {
        Fired::Job(id) => {
            bench.know(&[id]);
            id
        }
        other => panic!("not fired: {other:?}"),
    }
}

async fn change(bench: &Bench, name: &str, change: ScheduleChange) -> Option<Schedule> {
    bench.engine().change_schedule(WORK, name, change, by()).await.unwrap()
}

async fn an_occurrence_that_two_fire_is_one_job(bench: &Bench) {
    let schedule = nightly(bench).await;
    bench.jump(60_000);
    let (one, two) = (bench.engine(), bench.engine());
    let (one, two) =
        tokio::join!(one.fire(firing(&schedule, at(2))), two.fire(firing(&schedule, at(2))));
    let both = [one.unwrap().0, two.unwrap().0];
    let jobs: Vec<_> = both.iter().filter(|fired| matches!(fired, Fired::Job(_))).collect();
    assert_eq!(jobs.len(), 1, "{both:?}");
    assert!(both.contains(&Fired::Moved), "{both:?}");
    let [job] = &bench.take_ids(9).await[..] else { panic!("one job") };
    assert_eq!(jobs[0], &Fired::Job(*job));
    bench.know(&[*job]);
    assert_eq!(fire(bench, &schedule, at(2)).await, Fired::Moved);
    let now = read(bench, "nightly").await.unwrap().schedule;
    let state = ScheduleState::Active { next: at(2) };
    assert_eq!(now, Schedule { state, last: Some(at(1)), ..schedule });
}

async fn two_schedules_that_come_at_once_bring_a_job_each(bench: &Bench) {
    bench.inbox().await;
    let (one, other) = (set(bench, named("one", 1)).await, set(bench, named("other", 1)).await);
    let jobs = [fired(bench, &one, at(2)).await, fired(bench, &other, at(2)).await];
    assert_ne!(jobs[0], jobs[1]);
    assert_eq!(bench.counts().await.ready, 2);
}

async fn a_job_is_as_its_schedule_says(bench: &Bench) {
    bench.inbox().await;
    let ada = PersonId::from_bytes([3; 16]);
    let job = NewJob {
        kind: "task".to_owned(),
        data: r#"{"title":"each night"}"#.to_owned(),
        priority: -7,
        most: Some(3),
        backoff: Some(Millis(7)),
        expires: Some(Millis(900_000)),
        asker: Some(ada),
        ..grouped("g")
    };
    let schedule = set(bench, NewSchedule { job, ..named("nightly", 1) }).await;
    let ids = [fired(bench, &schedule, at(2)).await, {
        let next = read(bench, "nightly").await.unwrap().schedule;
        fired(bench, &next, at(3)).await
    }];
    assert!(ids[0] < ids[1], "by their occurrences");
    for (id, place) in ids.into_iter().zip([Place::Ready, Place::Behind]) {
        let job = bench.job(id).await;
        assert_eq!((job.place, job.priority, job.most), (place, -7, 3));
        assert_eq!((&*job.kind, &*job.data), ("task", r#"{"title":"each night"}"#));
        assert_eq!((job.group.as_deref(), job.asker), (Some("g"), Some(ada)));
    }
    bench.pass(900_000).await;
    bench.tend().await;
    assert_eq!(bench.place(ids[0]).await, Place::Dead, "it has expired");
}

async fn of_a_schedule_that_is_another_one_by_now_nothing_is_fired(bench: &Bench) {
    let before = nightly(bench).await;
    let job = NewJob { data: r#"{"title":"other"}"#.to_owned(), ..new_job() };
    let after = set(bench, NewSchedule { job, ..named("nightly", 1) }).await;
    assert_ne!(after.id, before.id);
    assert_eq!(fire(bench, &before, at(2)).await, Fired::Moved);
    let resume = ScheduleChange::Resume { id: before.id, next: at(1) };
    assert_eq!(change(bench, "nightly", resume).await, None);
    change(bench, "nightly", ScheduleChange::Pause).await.unwrap();
    assert_eq!(fire(bench, &after, at(2)).await, Fired::Moved);
    change(bench, "nightly", ScheduleChange::Remove).await.unwrap();
    assert_eq!(fire(bench, &after, at(2)).await, Fired::Moved);
    assert_eq!(bench.counts().await.ready, 0);
}

async fn a_paused_schedule_is_not_due_and_goes_on_from_when_it_is_resumed(bench: &Bench) {
    let schedule = nightly(bench).await;
    let paused = change(bench, "nightly", ScheduleChange::Pause).await.unwrap();
    assert_eq!(paused.state, ScheduleState::Paused { reason: None });
    bench.jump(600_000);
    assert_eq!(due(bench).await, Due { now: at(10), schedules: Vec::new(), next: None });
    let resume = ScheduleChange::Resume { id: schedule.id, next: at(11) };
    let resumed = change(bench, "nightly", resume).await.unwrap();
    assert_eq!(resumed, Schedule { state: ScheduleState::Active { next: at(11) }, ..schedule });
    assert_eq!(read(bench, "nightly").await.unwrap().schedule, resumed);
    assert_eq!(due_names(bench).await, [] as [&str; 0], "what was missed is not made up for");
}

async fn a_schedule_that_never_comes_again_is_paused_with_the_reason(bench: &Bench) {
    let schedule = nightly(bench).await;
    let never = Fire { then: Err("it is over".to_owned()), ..firing(&schedule, at(2)) };
    let (Fired::Job(id), _) = bench.engine().fire(never).await.unwrap() else { panic!("fired") };
    bench.know(&[id]);
    bench.jump(600_000);
    assert_eq!(due(bench).await, Due { now: at(10), schedules: Vec::new(), next: None });
    let now = read(bench, "nightly").await.unwrap().schedule;
    assert_eq!(now.state, ScheduleState::Paused { reason: Some("it is over".to_owned()) });
    assert_eq!(now.last, Some(at(1)));
    let [noted, _] = &noted(bench, INBOX).await[..] else { panic!("made and paused") };
    assert_eq!((&*noted.0, &*noted.1), ("schedule_paused", "nightly: it is over"));
    // Somebody says that it is to stay so.
    let paused = change(bench, "nightly", ScheduleChange::Pause).await.unwrap();
    assert_eq!(paused.state, ScheduleState::Paused { reason: None });
}

async fn an_occurrence_waits_while_its_queue_is_full(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { most: 1, ..settings() }).await;
    let schedule = set(bench, named("nightly", 1)).await;
    bench.puts(1).await;
    bench.jump(60_000);
    for _ in 0..2 {
        assert_eq!(fire(bench, &schedule, at(2)).await, Fired::QueueFull);
        assert_eq!(due_names(bench).await, ["nightly"]);
    }
    assert_eq!(read(bench, "nightly").await.unwrap().schedule, schedule);
    let taken = bench.take_one().await;
    bench.ended(&taken, complete()).await;
    fired(bench, &schedule, at(2)).await;
}

async fn a_paused_queue_takes_the_job_and_begins_nothing(bench: &Bench) {
    let schedule = nightly(bench).await;
    govern(bench, Deed::Pause(inbox())).await;
    let id = fired(bench, &schedule, at(2)).await;
    assert_eq!(bench.take_ids(9).await, []);
    govern(bench, Deed::Resume(inbox())).await;
    assert_eq!(bench.take_ids(9).await, [id]);
}

async fn a_schedule_made_again_in_the_same_words_is_left_as_it_is(bench: &Bench) {
    let schedule = nightly(bench).await;
    bench.jump(120_000);
    let again = async || {
        let job = NewJob { id: job_id(), ..new_job() };
        let new = NewSchedule { job, ..named("nightly", 3) };
        bench.engine().set_schedule(new, by()).await.unwrap()
    };
    assert_eq!(again().await, Scheduled::Same(schedule.clone()));
    assert_eq!(
        due_names(bench).await,
        ["nightly"],
        "what it has missed is still to be made up for"
    );
    let paused = change(bench, "nightly", ScheduleChange::Pause).await.unwrap();
    assert_eq!(again().await, Scheduled::Same(paused));
    assert_eq!(noted(bench, INBOX).await.len(), 2, "made and paused");
    let other = NewSchedule { cron: "0 * * * *".to_owned(), ..named("nightly", 3) };
    let id = other.id;
    let Scheduled::Replaced(now) = bench.engine().set_schedule(other, by()).await.unwrap() else {
        panic!("it has other words")
    };
    assert_eq!((now.id, now.next(), now.last), (id, Some(at(3)), None));
}

async fn a_schedule_is_read_as_it_was_made_and_is_gone_when_it_is_removed(bench: &Bench) {
    bench.inbox().await;
    let new = NewSchedule { job: grouped("g"), ..named("b", 1) };
    let made = set(bench, new.clone()).await;
    let expected = Schedule {
        id: new.id,
        ns: WORK.to_owned(),
        name: "b".to_owned(),
        cron: new.cron.clone(),
        queue: INBOX.to_owned(),
        kind: "task".to_owned(),
        state: ScheduleState::Active { next: at(1) },
        last: None,
        made: Timestamp(WALL),
        by: by().person,
    };
    assert_eq!(made, expected);
    let job = NewJob { id: JobId::NIL, ..new.job };
    assert_eq!(read(bench, "b").await, Some(ScheduleRead { schedule: made.clone(), job }));
    let first = set(bench, named("a", 2)).await;
    assert_eq!(bench.engine().schedules(WORK).await, Ok(vec![first.clone(), made.clone()]));
    assert_eq!(bench.engine().schedules("chat").await, Ok(Vec::new()));
    assert_eq!(bench.engine().schedule("chat", "b").await, Ok(None));
    assert_eq!(change(bench, "b", ScheduleChange::Remove).await, Some(made));
    assert_eq!(read(bench, "b").await, None);
    assert_eq!(change(bench, "b", ScheduleChange::Remove).await, None);
    assert_eq!(bench.engine().schedules(WORK).await, Ok(vec![first]));
}

async fn there_are_so_many_schedules_and_no_more(bench: &Bench) {
    bench.inbox().await;
    for n in 0..SCHEDULES {
        set(bench, named(&n.to_string(), 1)).await;
    }
    let more = async || bench.engine().set_schedule(named("more", 1), by()).await;
    assert_eq!(more().await, Ok(Scheduled::TooMany));
    // One in place of another is not one more.
    set(bench, NewSchedule { job: grouped("g"), ..named("7", 1) }).await;
    change(bench, "7", ScheduleChange::Remove).await.unwrap();
    assert!(matches!(more().await, Ok(Scheduled::Made(_))));
}

async fn a_schedule_for_no_queue_is_not_made(bench: &Bench) {
    let made = bench.engine().set_schedule(named("nightly", 1), by()).await;
    assert_eq!(made, Ok(Scheduled::UnknownQueue));
    assert_eq!(read(bench, "nightly").await, None);
}

/// Deeds and details, the newest first.
async fn noted(bench: &Bench, queue: &str) -> Vec<(String, String)> {
    let queue = QueueName { ns: WORK.to_owned(), name: queue.to_owned() };
    let audits = bench.engine().audit(AuditQuery { queue, before: None, limit: 100 }).await;
    let audits = audits.unwrap().unwrap().into_iter();
    let told = audits.map(|audit| {
        assert_eq!(audit.by, by());
        (audit.did.name().to_owned(), audit.detail.unwrap_or_default())
    });
    told.collect()
}

async fn each_change_of_a_schedule_is_noted_at_its_queue(bench: &Bench) {
    let schedule = nightly(bench).await;
    bench.queue("attic", settings()).await;
    for _ in 0..2 {
        change(bench, "nightly", ScheduleChange::Pause).await.unwrap();
    }
    let resume = ScheduleChange::Resume { id: schedule.id, next: at(1) };
    for _ in 0..2 {
        change(bench, "nightly", resume.clone()).await.unwrap();
    }
    let job = NewJob { queue: "attic".to_owned(), ..new_job() };
    set(bench, NewSchedule { job, ..named("nightly", 1) }).await;
    change(bench, "nightly", ScheduleChange::Remove).await.unwrap();
    let pairs = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(deed, detail)| ((*deed).to_owned(), (*detail).to_owned())).collect()
    };
    let inbox = [
        ("schedule_removed", "nightly"),
        ("schedule_resumed", "nightly"),
        ("schedule_paused", "nightly"),
        ("schedule_made", "nightly: * * * * *"),
    ];
    assert_eq!(noted(bench, INBOX).await, pairs(&inbox));
    let attic = [("schedule_removed", "nightly"), ("schedule_replaced", "nightly: * * * * *")];
    assert_eq!(noted(bench, "attic").await, pairs(&attic));
}
