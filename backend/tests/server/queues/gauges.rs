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

on_every_engine! {
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
