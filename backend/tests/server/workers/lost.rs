//! A worker whose lease is over by another's doing: it is stopped, and nothing that it wanted happens.

use super::{Shop, shop::Todo};
use crate::{faulty::Faulty, rig::PATIENCE};
use holdfast_backend::engine::Engine;
use holdfast_common::{id::JobId, storage::Fault};
use serde_json::{Value, json};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

const PACKING: &str = "/api/v1/shop/queues/packing";

impl Shop {
    async fn faulty() -> (Self, Arc<Faulty>) {
        let engine = Arc::new(Faulty::default());
        (Self::open(Arc::clone(&engine) as Arc<dyn Engine>, None).await, engine)
    }

    async fn say(&self, path: &str, body: &Value) -> Value {
        let answer = self.rig.post(path, "", &body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Both of the packers are at one of these: each wants to say something, and waits.
    async fn both_wait_to_say(&self) -> [JobId; 2] {
        let ids = [self.pack(Todo::WaitToSay).await, self.pack(Todo::WaitToSay).await];
        for id in ids {
            self.until_it(id, |job| job["progress"] == 50).await;
        }
        ids
    }

    async fn cancel(&self, id: JobId) {
        self.say(&format!("/api/v1/shop/jobs/{id}/cancel"), &json!({})).await;
    }

    async fn until_done(&self, count: u64) {
        self.until_at(PACKING, |queue| queue["done"] == count).await;
    }

    /// One packer at least is free.
    async fn does_the_next(&self) {
        let id = self.pack(Todo::Pack { boxes: 0 }).await;
        self.until(id, "done").await;
    }

    /// The cancelled jobs have stayed so, and of what was wanted with them nothing is there.
    async fn nothing_was_said(&self, cancelled: [JobId; 2]) {
        for id in cancelled {
            let job = self.job(id).await;
            assert_eq!((&job["state"], &job["result"]), (&json!("cancelled"), &Value::Null));
        }
        self.has_ended_with(0, 1).await;
    }

    /// All is done, and so many events and jobs are all that have come of it.
    async fn has_ended_with(&self, events: usize, done: u64) {
        assert_eq!(self.events().await, vec![json!({ "boxes": 1 }); events]);
        let queue = self.rig.get(PACKING).await.json();
        let counts = ["ready", "leased", "done"].map(|of| queue[of].as_u64().unwrap());
        assert_eq!(counts, [0, 0, done], "no further job: {queue}");
        self.rig.handle.drain();
        assert!(self.rig.handle.drained(PATIENCE).await, "no worker is at it any more");
    }
}

#[tokio::test]
async fn a_worker_at_a_job_that_is_cancelled_is_stopped_and_says_nothing() {
    Shop::on_both(async |shop| {
        let ids = shop.both_wait_to_say().await;
        for id in ids {
            shop.cancel(id).await;
        }
        // Nobody has told them to go on: they were stopped where they waited.
        shop.does_the_next().await;
        shop.packer.go_on();
        shop.nothing_was_said(ids).await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_that_is_done_with_a_job_that_was_cancelled_meanwhile_says_nothing() {
    Shop::on_both(async |shop| {
        // They do not hear of it before they say that they are done.
        shop.say(&format!("{PACKING}/settings"), &json!({ "lease_ms": 3_600_000 })).await;
        let ids = shop.both_wait_to_say().await;
        for id in ids {
            shop.cancel(id).await;
            shop.packer.go_on();
        }
        shop.does_the_next().await;
        shop.nothing_was_said(ids).await;
    })
    .await;
}

#[tokio::test]
async fn a_worker_whose_job_is_cancelled_while_it_cannot_say_that_it_is_done_stops_saying_so() {
    let (shop, engine) = Shop::faulty().await;
    let ids = shop.both_wait_to_say().await;
    *engine.bad_ends.lock().unwrap() = Some(Fault::Full);
    let begun = Instant::now();
    shop.packer.go_on();
    while engine.ends.lock().unwrap().is_empty() {
        assert!(begun.elapsed() < PATIENCE, "one is done");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for id in ids {
        shop.cancel(id).await;
    }
    // No end is taken yet: they have stopped without.
    let next = shop.both_wait_to_say().await;
    *engine.bad_ends.lock().unwrap() = None;
    for _ in next {
        shop.packer.go_on();
    }
    // With a further job of each.
    shop.until_done(4).await;
    for id in ids {
        assert_eq!(shop.job(id).await["state"], "cancelled");
    }
    shop.has_ended_with(2, 4).await;
}

#[tokio::test]
async fn a_worker_whose_lease_ran_out_says_nothing_while_another_has_the_job() {
    let (shop, engine) = Shop::faulty().await;
    let ids = shop.both_wait_to_say().await;
    engine.extends_hang.send_replace(true);
    let mut taken = Vec::new();
    while taken.len() < ids.len() {
        // Comes when a lease has run out, and not before.
        let wish =
            json!({ "consumer": "service", "max": 2, "lease_ms": 600_000, "wait_ms": 10_000 });
        let leased = shop.say(&format!("{PACKING}/lease"), &wish).await;
        let leased = leased["jobs"].as_array().unwrap();
        assert!(!leased.is_empty(), "{taken:?}");
        taken.extend(leased.iter().cloned());
    }
    assert!(taken.iter().all(|job| job["attempt"] == 2), "{taken:?}");
    // One of them says that it is done, and is told that it comes too late.
    shop.packer.go_on();
    shop.does_the_next().await;
    // The other one hears of it as it waits.
    engine.extends_hang.send_replace(false);
    let last = [shop.pack(Todo::Wait).await, shop.pack(Todo::Wait).await];
    for id in last {
        shop.until_it(id, |job| job["progress"] == 50).await;
    }
    assert_eq!(shop.events().await, [] as [Value; 0]);
    for job in &taken {
        let id = job["id"].as_str().unwrap();
        let done = json!({ "token": job["token"], "result": { "boxes": 2 } });
        shop.say(&format!("/api/v1/shop/jobs/{id}/complete"), &done).await;
    }
    for id in ids {
        assert_eq!(shop.job(id).await["result"], json!({ "boxes": 2 }), "the second one's");
    }
    for _ in last {
        shop.packer.go_on();
    }
    for id in last {
        shop.until(id, "done").await;
    }
    shop.has_ended_with(0, 5).await;
}
