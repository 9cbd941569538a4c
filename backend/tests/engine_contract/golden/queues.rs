//! What a golden folder holds of queues, webhooks and schedules: since the seventh form.

use super::{ROOM, golden, promise, sender};
use crate::engine_contract::{
    folder::Folder,
    jobs::{
        bench::*,
        govern::{govern, inbox},
    },
};
use holdfast_backend::engine::occurrence_job;
use holdfast_common::{
    id::{JobId, PersonId, ScheduleId, WebhookId},
    job::{NewJob, Place, QueueSettings, SettingsPatch, Token},
    storage::{
        hooks::{HookChange, HookState, Hooked, Key, Webhook},
        jobs::{
            AuditQuery, By, Chosen, Deed, Ended, Enqueue, Enqueued, Extend, How, Progress, Promise,
            QueueName, QueueSpec,
        },
        schedules::{Fire, Fired, NewSchedule, ScheduleChange, ScheduleState, Scheduled},
    },
    system::{SYSTEM, WEBHOOKS},
    time::{Millis, Timestamp},
};
use rusqlite::Connection;
use std::fs;

const DELAYED: u8 = 1;
const HEAD: u8 = 2;
const BEHIND: u8 = 3;
const DONE: u8 = 4;
const DEAD: u8 = 5;
const CANCELLED: u8 = 6;
const READY: u8 = 7;
const FIRED: Timestamp = Timestamp(WALL + 60_000);

fn id(n: u8) -> JobId {
    JobId::from_bytes([n; 16])
}

fn job(n: u8) -> NewJob {
    NewJob { id: id(n), data: format!(r#"{{"title":"{n}"}}"#), ..new_job() }
}

fn ada() -> PersonId {
    sender(1).person
}

fn by() -> By {
    By { person: ada(), name: "Ada".to_owned() }
}

fn own_settings() -> QueueSettings {
    QueueSettings { attempts: 7, most: 70, ..settings() }
}

fn keyed() -> Enqueue {
    Enqueue { jobs: vec![job(READY)], promise: promise("k", 9).map(Promise::Key), then: Vec::new() }
}

/// Since the eighth form the job says by what it is known.
fn named() -> Enqueue {
    let job = NewJob { delay: Millis(700_000), ..job(DELAYED) };
    Enqueue { jobs: vec![job], promise: Some(Promise::Id([9; 32])), then: Vec::new() }
}

fn hook(n: u8) -> Webhook {
    Webhook {
        id: WebhookId::from_bytes([n; 16]),
        room: ROOM,
        ns: "chat".to_owned(),
        name: "Ward 7".to_owned(),
        url: "https://hooks.example.org/".to_owned(),
        secret: Key(vec![n; 32]),
        before: None,
        kinds: None,
        ordered: false,
        state: HookState::Active,
        made: Timestamp(WALL),
        changed: Timestamp(WALL),
        by: ada(),
    }
}

fn schedule(n: u8, name: &str) -> NewSchedule {
    NewSchedule {
        id: ScheduleId::from_bytes([n; 16]),
        name: name.to_owned(),
        cron: "0 3 * * *".to_owned(),
        job: NewJob { most: Some(3), ..grouped("night") },
        next: FIRED,
    }
}

/// One of each kind of row.
pub(super) async fn write(bench: &Bench) {
    bench.inbox().await;
    govern(bench, Deed::Set(inbox(), SettingsPatch::of(own_settings(), |_| true))).await;
    bench.queue("attic", settings()).await;
    govern(bench, Deed::Pause(QueueName { name: "attic".to_owned(), ..inbox() })).await;

    bench.put(NewJob { asker: Some(ada()), ..job(DONE) }).await;
    let done = bench.take_one().await;
    bench.ended(&done, How::Complete { result: Some(r#"{"boxes":2}"#.to_owned()) }).await;
    bench.put(NewJob { most: Some(2), ..job(DEAD) }).await;
    for reason in ["first", "second"] {
        let failure = Some(r#"{"code":7}"#.to_owned());
        let job = bench.take_one().await;
        let how = How::Fail { reason: reason.to_owned(), failure, retry: Some(Millis(0)) };
        bench.ended(&job, how).await;
    }
    bench.put(NewJob { group: Some("g".to_owned()), ..job(HEAD) }).await;
    let head = bench.take_one().await;
    let progress = Some(Progress { percent: 40, note: Some("dialling".to_owned()) });
    let jobs = vec![(head.id, head.token)];
    let extend = Extend { jobs, lease: Some(Millis(10_000)), progress };
    bench.engine().extend(extend).await.unwrap();
    let expires = Some(Millis(900_000));
    bench.put(NewJob { group: Some("g".to_owned()), expires, ..job(BEHIND) }).await;
    bench.enqueue_all(named()).await;
    bench.put(job(CANCELLED)).await;
    govern(bench, Deed::Cancel(Chosen::One(id(CANCELLED)))).await;
    let Enqueued::Made { .. } = bench.enqueue_all(keyed()).await else { panic!("it is new") };

    let (ns, name) = (SYSTEM.to_owned(), WEBHOOKS.to_owned());
    let engine = bench.engine();
    engine.ensure_queue(QueueSpec { ns, name, settings: settings() }).await.unwrap();
    let ordered = Webhook { kinds: Some(vec!["message".to_owned()]), ordered: true, ..hook(1) };
    for hook in [ordered, hook(2)] {
        assert_eq!(engine.add_webhook(hook, by()).await, Ok(Hooked::Made));
    }
    let secret = HookChange::Secret(Key(vec![9; 32]), Timestamp(WALL + 1));
    for (n, change) in [(1, secret), (2, HookChange::End)] {
        let id = WebhookId::from_bytes([n; 16]);
        assert_eq!(engine.change_webhook(id, change, by()).await, Ok(true));
    }

    let made = engine.set_schedule(schedule(1, "nightly"), by()).await.unwrap();
    let Scheduled::Made(nightly) = made else { panic!("it is new") };
    let then = Ok(Timestamp(WALL + 120_000));
    let fire = Fire { schedule: nightly, then, by: by() };
    let (Fired::Job(fired), _) = engine.fire(fire).await.unwrap() else { panic!("it is due") };
    bench.know(&[fired]);
    engine.set_schedule(schedule(2, "paused"), by()).await.unwrap();
    engine.change_schedule(WORK, "paused", ScheduleChange::Pause, by()).await.unwrap();
    bench.counted().await;
}

/// A copy of a golden folder, opened at the time at which it was written.
pub(super) fn opened(form: u8) -> Bench {
    let folder = Folder::new();
    fs::copy(golden(form), folder.path().join("holdfast.db")).unwrap();
    Bench::on(folder)
}

/// The token of the lease, which no call tells anew.
fn token(form: u8) -> Token {
    let db = Connection::open(golden(form)).unwrap();
    let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<_> {
        Ok((row.get::<_, i64>(0)?.cast_unsigned(), row.get::<_, i64>(1)?.cast_unsigned()))
    };
    let sql = "SELECT fence, key FROM jobs WHERE place = 3";
    let (fence, key) = db.query_row(sql, [], read).unwrap();
    Token { fence, key }
}

pub(super) async fn what_is_held_of_queues(bench: &Bench, form: u8) {
    let fired = fired_job(bench).await;
    bench.know(&[DELAYED, HEAD, BEHIND, DONE, DEAD, CANCELLED, READY].map(id));
    bench.know(&[fired]);
    bench.counted().await;
    for (n, place) in [
        (DELAYED, Place::Delayed),
        (HEAD, Place::Leased),
        (BEHIND, Place::Behind),
        (DONE, Place::Done),
        (DEAD, Place::Dead),
        (CANCELLED, Place::Cancelled),
        (READY, Place::Ready),
    ] {
        let job = bench.job(id(n)).await;
        assert_eq!(job.place, place, "{n}");
        assert_eq!(job.data, format!(r#"{{"title":"{n}"}}"#));
    }
    assert_eq!(bench.job(id(DELAYED)).await.due, Some(Millis(700_000)));
    let (done, dead) = (bench.job(id(DONE)).await, bench.job(id(DEAD)).await);
    assert_eq!((done.outcome.as_deref(), done.asker), (Some(r#"{"boxes":2}"#), Some(ada())));
    let untold = bench.engine().untold(0, 9).await.unwrap();
    assert_eq!(untold.iter().map(|job| job.id).collect::<Vec<_>>(), [id(DONE)]);
    let errors: Vec<_> = dead.attempts.iter().map(|attempt| attempt.error.as_str()).collect();
    assert_eq!(errors, ["first", "second"]);
    assert_eq!((dead.outcome.as_deref(), dead.attempt), (Some(r#"{"code":7}"#), 2));
    assert_eq!(bench.read_queue().await.info.settings, own_settings());
    assert!(bench.engine().queue(WORK, "attic").await.unwrap().unwrap().info.paused);
    assert_eq!(bench.enqueue_all(keyed()).await, Enqueued::Again(vec![id(READY)]));
    let again = Enqueued::Again(vec![id(DELAYED)]);
    let known = if form < 8 { Enqueued::Mismatch } else { again };
    assert_eq!(bench.enqueue_all(named()).await, known);
    let query = AuditQuery { queue: inbox(), before: None, limit: 9 };
    let audits = bench.engine().audit(query).await.unwrap().unwrap();
    let deeds: Vec<_> = audits.iter().map(|audit| audit.did.name()).collect();
    assert_eq!(deeds, ["schedule_paused", "schedule_made", "schedule_made", "cancel", "set"]);

    let head = bench.job(id(HEAD)).await;
    assert_eq!(head.progress.map(|it| it.percent), Some(40));
    let ended = bench.engine().end(end(id(HEAD), token(form), complete())).await;
    assert!(matches!(ended, Ok((Ended::Done { .. }, _))), "{ended:?}");
    assert_eq!(bench.take_ids(9).await, [id(BEHIND), id(READY), fired], "its group goes on");
    bench.pass(700_000).await;
    bench.tend().await;
    assert_eq!(bench.place(id(DELAYED)).await, Place::Ready);
    bench.counted().await;
}

/// The job that came of the schedule.
async fn fired_job(bench: &Bench) -> JobId {
    let read = bench.engine().schedule(WORK, "nightly").await.unwrap().unwrap();
    assert_eq!((read.schedule.last, &*read.schedule.cron), (Some(FIRED), "0 3 * * *"));
    let state = ScheduleState::Active { next: Timestamp(WALL + 120_000) };
    assert_eq!((read.schedule.by, read.schedule.state), (ada(), state));
    assert_eq!((read.job.group.as_deref(), read.job.most), (Some("night"), Some(3)));
    let paused = bench.engine().schedule(WORK, "paused").await.unwrap().unwrap().schedule;
    assert_eq!((paused.next(), paused.last), (None, None));
    occurrence_job(read.schedule.id, FIRED)
}

pub(super) async fn what_is_held_of_webhooks(bench: &Bench) {
    let hooks = bench.engine().webhooks(ROOM).await.unwrap().unwrap();
    let (kinds, changed) = (Some(vec!["message".to_owned()]), Timestamp(WALL + 1));
    let (secret, before) = (Key(vec![9; 32]), Some(Key(vec![1; 32])));
    let first = Webhook { secret, before, kinds, changed, ordered: true, ..hook(1) };
    assert_eq!(hooks, [first, Webhook { state: HookState::Ended, ..hook(2) }]);
}
