//! What operators see of each queue.

use super::{INBOX, ask, enqueue, lease, say};
use crate::rig::{Rig, on_every_engine};
use serde_json::json;

/// The value of a gauge of `work`'s inbox, and how many lines of that gauge there are.
async fn gauge(rig: &Rig, name: &str) -> (f64, usize) {
    let text = rig.get("/metrics").await.text();
    let of = format!("holdfast_queue_{name}{{");
    let lines: Vec<_> = text.lines().filter_map(|line| line.strip_prefix(&of)).collect();
    let own =
        lines.iter().find_map(|line| line.strip_prefix(r#"namespace="work",queue="inbox"} "#));
    (own.unwrap_or_else(|| panic!("{name} in {text}")).parse().unwrap(), lines.len())
}

/// How many attempts failed in the last minute.
async fn failed(rig: &Rig) -> u64 {
    rig.get(INBOX).await.json()["rates"]["failed"].as_u64().unwrap()
}

on_every_engine! {
    async fn what_has_failed_or_lapsed_is_counted_as_failed_and_what_is_given_back_is_not(rig) {
        let id = enqueue(&rig, "hard", &json!({ "backoff_ms": 0 })).await;
        for (word, more, counted) in [
            ("snooze", json!({}), 0),
            ("fail", json!({ "reason": "for now" }), 1),
            ("snooze", json!({ "delay_ms": 1 }), 1),
            ("cancel", json!({}), 1),
        ] {
            let [taken] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else { panic!("one job") };
            let mut body = more;
            if word != "cancel" {
                body["token"] = taken["token"].clone();
            }
            let said = say(&rig, &id, word, &body).await;
            assert_eq!((said.status, failed(&rig).await), (200, counted), "{word} {}", said.text());
        }
        let id = enqueue(&rig, "slow", &json!({})).await;
        assert_eq!(lease(&rig, &json!({ "lease_ms": 100 })).await.len(), 1);
        // Comes when the lease has run out, and not before.
        let [taken] = &lease(&rig, &json!({ "wait_ms": 10_000 })).await[..] else { panic!("one job") };
        assert_eq!(failed(&rig).await, 2, "a lease that ran out");
        let never = json!({ "token": taken["token"], "reason": "never", "retry": false });
        assert_eq!(say(&rig, &id, "fail", &never).await.json()["state"], "dead");
        assert_eq!(failed(&rig).await, 3, "for good");
        assert_eq!(say(&rig, &id, "requeue", &json!({})).await.status, 200);
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let done = json!({ "token": taken["token"] });
        assert_eq!(say(&rig, &id, "complete", &done).await.status, 200);
        assert_eq!(failed(&rig).await, 3);
    }

    async fn each_queue_has_its_gauges(rig) {
        let (oldest, queues) = gauge(&rig, "oldest_seconds").await;
        assert_eq!((oldest, queues), (0.0, 3), "the inbox and the server's own");
        let dead = enqueue(&rig, "dead", &json!({})).await;
        let [taken] = &lease(&rig, &json!({})).await[..] else { panic!("one job") };
        let fail = json!({ "token": taken["token"], "reason": "x", "retry": false });
        assert_eq!(say(&rig, &dead, "fail", &fail).await.status, 200);
        for group in ["a", "b", "b"] {
            enqueue(&rig, "grouped", &json!({ "group": group })).await;
        }
        enqueue(&rig, "later", &json!({ "delay_ms": 3_600_000 })).await;
        assert_eq!(lease(&rig, &json!({ "max": 1 })).await.len(), 1);
        let told = [("ready", 3.0), ("delayed", 1.0), ("behind", 1.0), ("leased", 1.0), ("dead", 1.0)];
        for (name, value) in told {
            assert_eq!(gauge(&rig, name).await.0, value, "{name}");
        }
        assert_eq!(gauge(&rig, "paused").await.0, 0.0);
        assert_eq!(ask(&rig, &format!("{INBOX}/pause"), &json!({})).await.status, 200);
        assert_eq!(gauge(&rig, "paused").await.0, 1.0);
        let begun = std::time::Instant::now();
        while gauge(&rig, "oldest_seconds").await.0 == 0.0 {
            assert!(begun.elapsed() < crate::rig::PATIENCE);
        }
    }
}
