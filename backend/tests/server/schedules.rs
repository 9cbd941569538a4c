//! Schedules: jobs that come by the wall clock, which is the test's here.

mod bad;
mod restart;
mod stuck;

use crate::{
    rig::{Answer, PATIENCE, Rig},
    talker::Me,
};
use holdfast_backend::{
    app::NotScheduled,
    engine::{
        Clocks, Engine,
        memory::MemoryEngine,
        sqlite::{Options, SqliteEngine},
    },
};
use holdfast_common::{
    storage::Inbox,
    time::{Instant, Timestamp},
    work::Task,
};
use serde_json::{Value, json};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

const SCHEDULES: &str = "/api/v1/work/schedules";
const INBOX: &str = "/api/v1/work/queues/inbox";

/// 2026-11-22T10:00:00Z.
const TEN: u64 = 1_795_341_600_000;
const MINUTE: u64 = 60_000;

/// Half past the minute, so many minutes after ten.
const fn half(minutes: u64) -> u64 {
    TEN + minutes * MINUTE + MINUTE / 2
}

/// A wall clock that stands where it is put; the steady one goes.
struct Hands {
    wall: AtomicU64,
    start: std::time::Instant,
}

impl Hands {
    fn at(wall: u64) -> Arc<Self> {
        Arc::new(Self { wall: AtomicU64::new(wall), start: std::time::Instant::now() })
    }

    fn put(&self, wall: u64) {
        self.wall.store(wall, SeqCst);
    }
}

impl Clocks for Hands {
    fn steady(&self) -> Instant {
        Instant(u64::try_from(self.start.elapsed().as_millis()).unwrap())
    }

    fn wall(&self) -> Timestamp {
        Timestamp(self.wall.load(SeqCst))
    }
}

fn memory(hands: &Arc<Hands>) -> Arc<dyn Engine> {
    Arc::new(MemoryEngine::with_clocks(Arc::clone(hands) as Arc<dyn Clocks>))
}

/// The folder, once whoever had it has let go of it.
async fn sqlite(folder: &Path, hands: &Arc<Hands>) -> Arc<dyn Engine> {
    let begun = std::time::Instant::now();
    loop {
        let clocks = Arc::clone(hands) as Arc<dyn Clocks>;
        match SqliteEngine::open_with(folder, Options { clocks, ..Options::default() }) {
            Ok(engine) => return Arc::new(engine),
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn start(engine: Arc<dyn Engine>) -> Rig {
    Rig::start(engine, None, |builder| builder).await
}

/// Half past ten, with each engine.
async fn on_both(test: impl AsyncFn(&Rig, &Hands)) {
    let hands = Hands::at(half(0));
    test(&start(memory(&hands)).await, &hands).await;
    let (hands, folder) = (Hands::at(half(0)), tempfile::tempdir().unwrap());
    test(&start(sqlite(folder.path(), &hands).await).await, &hands).await;
}

async fn ask(rig: &Rig, path: &str, body: &Value) -> Answer {
    rig.post(path, "", &body.to_string()).await
}

/// A schedule of tasks with this title.
fn tasks(cron: &str, title: &str) -> Value {
    json!({ "cron": cron, "queue": "inbox", "type": "task", "data": { "title": title } })
}

/// Makes a schedule that must be new, and returns it.
async fn make(rig: &Rig, name: &str, body: &Value) -> Value {
    let made = ask(rig, &format!("{SCHEDULES}/{name}"), body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    made.json()
}

async fn read(rig: &Rig, name: &str) -> Value {
    let read = rig.get(&format!("{SCHEDULES}/{name}")).await;
    assert_eq!(read.status, 200, "{}", read.text());
    read.json()
}

/// The next job that comes, which it waits for.
async fn next_job(rig: &Rig) -> Value {
    let wanted = json!({ "consumer": "tester", "wait_ms": 20_000 });
    let leased = ask(rig, &format!("{INBOX}/lease"), &wanted).await.json();
    let [job] = &leased["jobs"].as_array().unwrap()[..] else { panic!("a job, not {leased}") };
    job.clone()
}

async fn next_title(rig: &Rig) -> String {
    next_job(rig).await["data"]["title"].as_str().unwrap().to_owned()
}

/// Proves that the clock has been looked at, and that nothing but this came by it: a schedule of its own
/// that comes at the next minute.
async fn nothing_else_comes(rig: &Rig, hands: &Hands, name: &str) {
    let now = hands.wall.load(SeqCst);
    let minute = (now / MINUTE + 1) % 60;
    make(rig, name, &tasks(&format!("{minute} * * * *"), name)).await;
    hands.put((now / MINUTE + 1) * MINUTE);
    assert_eq!(next_title(rig).await, name);
    let removed = delete(rig, name).await;
    assert_eq!(removed.status, 204);
    assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
}

async fn delete(rig: &Rig, name: &str) -> Answer {
    let head = format!("DELETE {SCHEDULES}/{name} HTTP/1.1\r\nhost: {}\r\n", rig.address);
    rig.ask(&head, b"").await
}

/// Waits until somebody waits for jobs, beside the server's own worker.
async fn somebody_waits(rig: &Rig) {
    let begun = std::time::Instant::now();
    while !rig.get("/metrics").await.text().contains("holdfast_jobs_waiting 2\n") {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_job_comes_to_who_waits_for_it_when_its_minute_has_come() {
    on_both(async |rig, hands| {
        let made = make(rig, "tidy", &tasks("* * * * *", "tidy")).await;
        assert_eq!((&made["next"], &made["state"]), (&json!(TEN + MINUTE), &json!("active")));
        let comes = async {
            somebody_waits(rig).await;
            hands.put(TEN + MINUTE);
        };
        let (job, ()) = tokio::join!(next_job(rig), comes);
        assert_eq!((&job["type"], &job["data"]["title"]), (&json!("task"), &json!("tidy")));
        let schedule = read(rig, "tidy").await;
        assert_eq!(schedule["last"], json!({ "at": TEN + MINUTE, "job": job["id"] }));
        assert_eq!(schedule["next"], TEN + 2 * MINUTE);
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_comes_once_and_a_clock_that_is_set_back_brings_nothing_again() {
    on_both(async |rig, hands| {
        make(rig, "tidy", &tasks("* * * * *", "tidy")).await;
        hands.put(half(7));
        assert_eq!(next_title(rig).await, "tidy");
        assert_eq!(read(rig, "tidy").await["next"], TEN + 8 * MINUTE);
        hands.put(half(2));
        nothing_else_comes(rig, hands, "first").await;
        nothing_else_comes(rig, hands, "second").await;
        hands.put(TEN + 8 * MINUTE);
        assert_eq!(next_title(rig).await, "tidy");
    })
    .await;
}

#[tokio::test]
async fn a_paused_schedule_brings_nothing_and_goes_on_from_now() {
    on_both(async |rig, hands| {
        make(rig, "tidy", &tasks("* * * * *", "tidy")).await;
        let paused = ask(rig, &format!("{SCHEDULES}/tidy/pause"), &json!({})).await;
        assert_eq!((paused.status, &paused.json()["state"]), (200, &json!("paused")));
        assert_eq!(paused.json()["next"], Value::Null);
        hands.put(half(3));
        nothing_else_comes(rig, hands, "first").await;
        let resumed = ask(rig, &format!("{SCHEDULES}/tidy/resume"), &json!({})).await;
        assert_eq!((resumed.status, &resumed.json()["next"]), (200, &json!(TEN + 5 * MINUTE)));
        hands.put(TEN + 5 * MINUTE);
        assert_eq!(next_title(rig).await, "tidy");
    })
    .await;
}

#[tokio::test]
async fn a_schedule_is_shown_as_it_was_made_and_brings_nothing_once_it_is_removed() {
    on_both(async |rig, hands| {
        let mut body = tasks("@daily", "count");
        let more = json!({ "priority": 7, "group": "ward-7", "max_attempts": 3, "backoff_ms": 500,
            "expires_ms": 60_000 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let made = make(rig, "b%20%C3%A4", &body).await;
        let midnight = TEN + 14 * 60 * MINUTE;
        let shown = json!({
            "name": "b ä", "cron": "@daily", "queue": "inbox", "type": "task", "state": "active",
            "reason": null, "next": midnight, "last": null, "made": half(0), "by": made["by"],
        });
        assert_eq!(made, shown);
        let mut whole = shown.clone();
        for (name, value) in [("data", json!({ "title": "count" })), ("tell", json!(false))] {
            whole[name] = value;
        }
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(read(rig, "b%20%C3%A4").await, whole);
        make(rig, "a", &tasks("* * * * *", "a")).await;
        let listed = rig.get(SCHEDULES).await.json();
        assert_eq!(
            (&listed["schedules"][0]["name"], &listed["schedules"][1]),
            (&json!("a"), &shown)
        );
        let again = ask(rig, &format!("{SCHEDULES}/b%20%C3%A4"), &body).await;
        assert_eq!((again.status, again.json()), (200, shown));
        for name in ["a", "b%20%C3%A4"] {
            assert_eq!(delete(rig, name).await.status, 204);
            delete(rig, name).await.is(404, "not_found");
            rig.get(&format!("{SCHEDULES}/{name}")).await.is(404, "not_found");
        }
        hands.put(midnight);
        nothing_else_comes(rig, hands, "first").await;
    })
    .await;
}

#[tokio::test]
async fn a_schedule_that_is_made_anew_brings_what_it_says_then() {
    on_both(async |rig, hands| {
        make(rig, "tidy", &tasks("* * * * *", "before")).await;
        let anew = ask(rig, &format!("{SCHEDULES}/tidy"), &tasks("* * * * *", "after")).await;
        assert_eq!((anew.status, &anew.json()["next"]), (200, &json!(TEN + MINUTE)));
        hands.put(TEN + MINUTE);
        assert_eq!(next_title(rig).await, "after");
        assert_eq!(rig.get(INBOX).await.json()["ready"], 0);
        let audit = rig.get(&format!("{INBOX}/audit")).await.json();
        let noted: Vec<_> = audit["audit"].as_array().unwrap().iter().collect();
        assert_eq!(noted[0]["deed"], "schedule_replaced");
        assert_eq!(noted[1]["deed"], "schedule_made");
        assert_eq!(noted[0]["detail"], "tidy: * * * * *");
        assert_eq!(noted[0]["by"]["name"], "service");
    })
    .await;
}

#[tokio::test]
async fn an_application_makes_a_schedule_at_each_start() {
    on_both(async |rig, hands| {
        let task = |title: &str| Task { title: title.to_owned(), body: String::new() };
        let schedule = async |cron, title| rig.handle.schedule("tidy", cron, &task(title)).await;
        schedule("* * * * *", "before").await.unwrap();
        hands.put(half(3));
        assert_eq!(next_title(rig).await, "before");
        let once = read(rig, "tidy").await;
        schedule("* * * * *", "before").await.unwrap();
        assert_eq!(read(rig, "tidy").await, once, "it is the same one");
        schedule("* * * * *", "after").await.unwrap();
        hands.put(half(5));
        assert_eq!(next_title(rig).await, "after");
        let never = schedule("0 0 30 2 *", "never").await;
        assert!(matches!(never, Err(NotScheduled::Bad(_))), "{never:?}");
        let unnamed = rig.handle.schedule("", "* * * * *", &task("")).await;
        assert!(matches!(unnamed, Err(NotScheduled::Unfit(_))), "{unnamed:?}");
        assert_eq!(rig.get(SCHEDULES).await.json()["schedules"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn who_made_a_schedule_is_told_of_the_end_of_its_jobs_where_they_want_to_be() {
    on_both(async |rig, hands| {
        let me = Me::new("Ada");
        let auth = format!("authorization: Holdfast {}:{}\r\n", me.person, me.secret);
        for (name, tell) in [("told", true), ("untold", false)] {
            let mut body = tasks("* * * * *", name);
            body["tell"] = json!(tell);
            let made = rig.post(&format!("{SCHEDULES}/{name}"), &auth, &body.to_string()).await;
            assert_eq!((made.status, &made.json()["by"]), (201, &json!(me.person)));
        }
        hands.put(TEN + MINUTE);
        let mut told = Value::Null;
        // That of which somebody is told ends last, so that it would come behind the other one.
        let mut jobs = [next_job(rig).await, next_job(rig).await];
        jobs.sort_by_key(|job| job["data"]["title"] == "told");
        for job in jobs {
            told = job["id"].clone();
            let path = format!("/api/v1/work/jobs/{}/complete", told.as_str().unwrap());
            assert_eq!(ask(rig, &path, &json!({ "token": job["token"] })).await.status, 200);
        }
        let begun = std::time::Instant::now();
        let ends = loop {
            if let Inbox::Room(info) = rig.engine.inbox(me.person, "work").await.unwrap() {
                let slice = rig.engine.slice(info.room, 1, 100, 1 << 20).await.unwrap().unwrap();
                if !slice.entries.is_empty() {
                    break slice.entries;
                }
            }
            assert!(begun.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let [(_, text)] = &ends[..] else { panic!("one end, not {ends:?}") };
        let entry: Value = serde_json::from_str(text).unwrap();
        assert_eq!(entry["data"]["job"], told);
    })
    .await;
}
