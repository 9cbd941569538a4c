//! Workers in the server, and jobs that come of events.

mod bounds;
mod lost;
mod shop;

use crate::{
    faulty::Faulty,
    rig::{PATIENCE, Rig},
};
use holdfast_backend::{
    app::{Builder, NotBuilt},
    domain::work::WorkRules,
    engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine},
    export::Exports,
};
use holdfast_common::{
    id::{JobId, RoomId},
    job::{
        QueueSettings,
        limits::{LONGEST_DELAY, RESULT_BYTES},
    },
    time::Millis,
    work,
};
use serde_json::{Value, json};
use shop::{FLOOR, Ordered, Pack, Packer, Serve, ShopRules, Todo, Unpack};
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// A shop whose packers do what is asked of them, on either engine.
struct Shop {
    rig: Rig,
    floor: RoomId,
    packer: Packer,
    /// What is exported goes there.
    _exports: tempfile::TempDir,
}

impl Shop {
    async fn open(engine: Arc<dyn Engine>, folder: Option<tempfile::TempDir>) -> Self {
        let packer = Packer::default();
        let own = packer.clone();
        let settings = QueueSettings {
            lease: Millis(300),
            attempts: 3,
            backoff: Millis(1),
            ..QueueSettings::default()
        };
        let exports = tempfile::tempdir().unwrap();
        let files = exports_in(exports.path());
        let build = move |builder: Builder| {
            let queues = shop::queues().into_iter().map(|queue| queue.with(settings.clone()));
            builder
                .namespace(Serve(ShopRules))
                .queues(queues.collect())
                .worker(own, 2)
                .exports(files)
                .drain(Duration::from_millis(100))
        };
        let rig = Rig::start(engine, folder, build).await;
        let floor = rig.handle.room("shop", FLOOR).await.unwrap();
        Self { rig, floor, packer, _exports: exports }
    }

    async fn on_both(test: impl AsyncFn(Self)) {
        test(Self::open(Arc::new(MemoryEngine::new()), None).await).await;
        let folder = tempfile::tempdir().unwrap();
        let engine = SqliteEngine::open(folder.path()).unwrap();
        test(Self::open(Arc::new(engine), Some(folder)).await).await;
    }

    async fn pack(&self, todo: Todo) -> JobId {
        self.rig.handle.enqueue(&Pack { todo }).await.unwrap()
    }

    async fn job(&self, id: JobId) -> Value {
        self.rig.get(&format!("/api/v1/shop/jobs/{id}")).await.json()
    }

    /// The job, once it is in this state.
    async fn until(&self, id: JobId, state: &str) -> Value {
        self.until_it(id, |job| job["state"] == state).await
    }

    /// The job, once it is so.
    async fn until_it(&self, id: JobId, is: impl Fn(&Value) -> bool) -> Value {
        self.until_at(&format!("/api/v1/shop/jobs/{id}"), is).await
    }

    /// What this address answers, once it is so.
    async fn until_at(&self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let read = self.rig.get(path).await.json();
            if is(&read) {
                return read;
            }
            assert!(begun.elapsed() < PATIENCE, "{read}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The types and payloads of the floor's events, but for its beginning.
    async fn events(&self) -> Vec<Value> {
        let log = self.rig.get("/api/v1/shop/rooms/floor/events").await.json();
        log["events"].as_array().unwrap()[1..].iter().map(|event| event["data"].clone()).collect()
    }
}

fn exports_in(folder: &Path) -> Exports {
    let (folder, pace) = (folder.join("exports"), Duration::from_secs(1));
    Exports { folder, keep: Millis(60_000), bytes: 1 << 20, pace }
}

#[tokio::test]
async fn a_job_is_done_with_its_result_its_events_and_its_further_jobs() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Pack { boxes: 2 }).await;
        let done = shop.until(id, "done").await;
        assert_eq!((&done["result"], &done["attempt"]), (&json!({ "boxes": 2 }), &json!(1)));
        assert_eq!(shop.events().await, [json!({ "boxes": 2 })]);
        // Each box is a further job.
        let begun = Instant::now();
        while shop.rig.get("/api/v1/shop/queues/packing").await.json()["done"] != 3 {
            assert!(begun.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_fails_is_tried_again_and_what_it_wanted_to_say_is_not_said() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Fail { fatal: false }).await;
        let dead = shop.until(id, "dead").await;
        assert_eq!((&dead["attempt"], &dead["failure"]), (&json!(3), &json!("torn")));
        let errors: Vec<_> =
            dead["errors"].as_array().unwrap().iter().map(|it| &it["error"]).collect();
        assert_eq!(errors, ["torn"; 3]);
        let id = shop.pack(Todo::Fail { fatal: true }).await;
        assert_eq!(shop.until(id, "dead").await["attempt"], 1);
        assert_eq!(shop.events().await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn what_comes_of_a_job_is_of_its_declared_type_whoever_does_it() {
    Shop::on_both(async |shop| {
        // Both of the packers are at these.
        let waiting = [shop.pack(Todo::Wait).await, shop.pack(Todo::Wait).await];
        for id in waiting {
            shop.until(id, "leased").await;
        }
        let id = shop.pack(Todo::Pack { boxes: 1 }).await;
        let say = async |what: &str, body: Value| {
            let path = format!("/api/v1/shop/{what}");
            shop.rig.post(&path, "", &body.to_string()).await
        };
        let wish = json!({ "consumer": "service", "lease_ms": 60_000 });
        let taken = say("queues/packing/lease", wish).await.json();
        let token = &taken["jobs"][0]["token"];
        assert_eq!(taken["jobs"][0]["id"], json!(id));
        let complete = format!("jobs/{id}/complete");
        for result in [json!({ "boxes": "one" }), json!({}), json!(7)] {
            let wrong = json!({ "token": token, "result": result });
            say(&complete, wrong).await.is(422, "bad_payload");
        }
        let wrong = json!({ "token": token, "failure": { "code": 7 } });
        say(&format!("jobs/{id}/fail"), wrong).await.is(422, "bad_payload");
        assert_eq!(shop.job(id).await["state"], "leased");
        let right = json!({ "token": token, "result": { "boxes": 1 } });
        assert_eq!(say(&complete, right).await.status, 200);
        for _ in waiting {
            shop.packer.go_on();
        }
    })
    .await;
}

#[tokio::test]
async fn an_outcome_past_its_bytes_has_the_attempt_fail_and_nothing_of_it_happens() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Write { bytes: RESULT_BYTES + 1 }).await;
        let dead = shop.until(id, "dead").await;
        assert_eq!((&dead["attempt"], &dead["result"]), (&json!(3), &json!(null)));
        assert_eq!(
            dead["errors"][0]["error"],
            format!("Its outcome has more than {RESULT_BYTES} bytes.")
        );
        assert_eq!(shop.events().await, [] as [Value; 0]);
        let id = shop.pack(Todo::Write { bytes: RESULT_BYTES }).await;
        let done = shop.until(id, "done").await;
        assert_eq!((done["result"].to_string().len(), &done["attempt"]), (RESULT_BYTES, &json!(1)));
        assert_eq!(shop.events().await, [json!({ "boxes": 1 })]);
    })
    .await;
}

#[tokio::test]
async fn a_job_of_a_type_that_no_worker_here_does_is_a_dead_letter_and_ends_no_worker() {
    Shop::on_both(async |shop| {
        let id = shop.rig.handle.enqueue(&Unpack {}).await.unwrap();
        let dead = shop.until(id, "dead").await;
        let error = "pack: this server has no worker for jobs of this type";
        assert_eq!((&dead["errors"][2]["error"], &dead["attempt"]), (&json!(error), &json!(3)));
        assert_eq!(dead["type"], "unpack");
        let id = shop.pack(Todo::Pack { boxes: 0 }).await;
        shop.until(id, "done").await;
        assert_eq!(shop.packer.had().len(), 1, "no packer was run for the other one");
    })
    .await;
}

#[tokio::test]
async fn each_attempt_of_a_job_has_its_id_and_a_higher_fence_than_the_one_before() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Fail { fatal: false }).await;
        shop.until(id, "dead").await;
        let had = shop.packer.had();
        assert_eq!(had.iter().map(|(job, _)| *job).collect::<Vec<_>>(), [id; 3]);
        assert!(had.is_sorted_by(|one, next| one.1 < next.1), "{had:?}");
    })
    .await;
}

#[tokio::test]
async fn a_job_that_its_worker_puts_off_for_ever_is_put_off_for_the_longest_delay() {
    Shop::on_both(async |shop| {
        for todo in [Todo::Later { snooze: true }, Todo::Later { snooze: false }] {
            let id = shop.pack(todo).await;
            let off = |job: &Value| job["due_in_ms"].as_u64().filter(|_| job["state"] == "ready");
            let job = shop.until_it(id, |job| off(job).is_some_and(|due| due > 0)).await;
            let due = off(&job).unwrap();
            assert!((LONGEST_DELAY.0 - 60_000..=LONGEST_DELAY.0).contains(&due), "{job}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_and_ends_no_worker() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Panic).await;
        let dead = shop.until(id, "dead").await;
        assert_eq!(dead["errors"][2]["error"], "pack: panicked: a box fell");
        let id = shop.pack(Todo::Pack { boxes: 0 }).await;
        shop.until(id, "done").await;
    })
    .await;
}

#[tokio::test]
async fn an_event_that_its_rule_rejects_has_the_attempt_fail_and_nothing_of_it_happens() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::SayTooMuch).await;
        let dead = shop.until(id, "dead").await;
        assert_eq!(dead["errors"][0]["error"], "event 1: too many boxes");
        assert_eq!(shop.events().await, [] as [Value; 0]);
    })
    .await;
}

#[tokio::test]
async fn an_event_for_a_room_that_is_not_there_has_the_attempt_fail_with_that_as_its_reason() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::SayIn { room: "cellar".to_owned() }).await;
        let dead = shop.until(id, "dead").await;
        assert_eq!(dead["errors"][0]["error"], "event 1: There is no such room.");
        assert_eq!(shop.events().await, [] as [Value; 0]);
        // Which room it is, is asked at the end of each attempt.
        shop.rig.handle.room("shop", "attic").await.unwrap();
        let id = shop.pack(Todo::SayIn { room: "attic".to_owned() }).await;
        shop.until(id, "done").await;
        let log = shop.rig.get("/api/v1/shop/rooms/attic/events").await.json();
        assert_eq!(log["events"][1]["data"], json!({ "boxes": 1 }));
        assert_eq!(shop.events().await, [json!({ "boxes": 1 })]);
    })
    .await;
}

#[tokio::test]
async fn a_worker_whose_end_cannot_be_taken_gives_up_and_holds_no_drain() {
    Shop::on_both(async |shop| {
        for todo in [Todo::SayOften, Todo::SayTooMuch] {
            let id = shop.pack(todo).await;
            let dead = shop.until(id, "dead").await;
            assert_eq!(dead["attempt"], 3, "{dead}");
        }
        assert!(shop.events().await.is_empty());
        shop.rig.handle.drain();
        assert!(shop.rig.handle.drained(PATIENCE).await, "no worker is at it any more");
    })
    .await;
}

#[tokio::test]
async fn a_worker_keeps_its_lease_for_as_long_as_it_runs_and_says_how_far_it_is() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Wait).await;
        shop.until(id, "leased").await;
        // Three times the lease.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(900) {
            let job = shop.job(id).await;
            assert_eq!((&job["state"], &job["attempt"]), (&json!("leased"), &json!(1)));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(shop.job(id).await["progress"], 50);
        shop.packer.go_on();
        assert_eq!(shop.until(id, "done").await["attempt"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_is_not_done_when_the_server_ends_hands_its_job_back() {
    Shop::on_both(async |shop| {
        let id = shop.pack(Todo::Wait).await;
        shop.until(id, "leased").await;
        shop.rig.handle.drain();
        assert!(shop.rig.handle.drained(PATIENCE).await);
        let job = shop.job(id).await;
        assert_eq!((&job["state"], &job["attempt"]), (&json!("ready"), &json!(0)));
    })
    .await;
}

#[tokio::test]
async fn a_drain_waits_for_a_claim_that_is_under_way_and_its_job_is_handed_back() {
    let engine = Arc::new(Faulty::default());
    let shop = Shop::open(Arc::clone(&engine) as Arc<dyn Engine>, None).await;
    let waiting = [shop.pack(Todo::Wait).await, shop.pack(Todo::Wait).await];
    for id in waiting {
        shop.until(id, "leased").await;
    }
    let next = shop.pack(Todo::Wait).await;
    let claim = engine.hold_claim();
    shop.packer.go_on();
    tokio::time::timeout(PATIENCE, claim.reached.notified()).await.unwrap();
    shop.rig.handle.drain();
    // That one ends with its server's time.
    let begun = Instant::now();
    while shop.rig.get("/api/v1/shop/queues/packing").await.json()["ready"] != 1 {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!shop.rig.handle.drained(Duration::from_millis(50)).await);
    claim.open.notify_one();
    assert!(shop.rig.handle.drained(PATIENCE).await);
    let job = shop.job(next).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("ready"), &json!(0)));
}

#[tokio::test]
async fn what_comes_of_an_event_is_enqueued_with_it_and_only_if_it_is_appended() {
    Shop::on_both(async |shop| {
        let path = "/api/v1/shop/rooms/floor/events";
        let order =
            |boxes: u32| json!({ "type": "ordered", "data": { "boxes": boxes } }).to_string();
        shop.rig.post(path, "", &order(99)).await.is(422, "refused");
        let key = "idempotency-key: one\r\n";
        assert_eq!(shop.rig.post(path, key, &order(1)).await.status, 201);
        assert_eq!(shop.rig.post(path, key, &order(1)).await.status, 200);
        // The order's job, and the one further job that came of it.
        shop.until_at("/api/v1/shop/queues/packing", |queue| queue["done"] == 2).await;
        assert_eq!(shop.events().await, [json!({ "boxes": 1 }), json!({ "boxes": 1 })]);
        let emitted = shop.rig.handle.emit_to_room(shop.floor, &Ordered { boxes: 0 }).await;
        assert!(emitted.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_server_whose_queues_could_tell_nobody_of_an_end_is_not_built() {
    let shop = || Builder::new(Arc::new(MemoryEngine::new())).namespace(Serve(ShopRules));
    let untold = |built: Result<_, NotBuilt>| match built {
        Err(NotBuilt::Untold(ns)) => ns,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it is built"),
    };
    assert_eq!(untold(shop().queues(shop::queues()).build().await), "shop");
    let folder = tempfile::tempdir().unwrap();
    let exports = || exports_in(folder.path());
    assert_eq!(untold(shop().exports(exports()).build().await), "holdfast");
    let work = || shop().namespace(work::Serve(WorkRules));
    for builder in [shop(), work().queues(shop::queues()).exports(exports())] {
        assert!(builder.build().await.is_ok());
    }
}
