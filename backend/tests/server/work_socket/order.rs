//! The order of what one connection enqueues without waiting for the answers.

use super::{Hand, INBOX};
use crate::rig::on_every_engine;
use serde_json::json;

/// How many are enqueued: more than a connection may have open.
const JOBS: u64 = 300;

on_every_engine! {
    async fn what_a_connection_enqueues_is_stored_in_the_order_in_which_it_was_said(rig) {
        let mut hand = Hand::service(&rig, "asks").await;
        let mut last = 0;
        for n in 0..JOBS {
            // One that is refused keeps none behind it waiting.
            let kind = if n % 7 == 3 { "nothing" } else { "task" };
            let id = format!("01234567-89ab-7cde-8f01-{n:012x}");
            let ask = json!({ "id": id, "ns": "work", "queue": "inbox", "type": kind, "group": "one" });
            last = hand.ask("enqueue", ask, Some(json!({ "title": n.to_string() }))).await;
        }
        for req in last - JOBS + 1..=last {
            hand.answer(req).await;
        }
        let stored = rig.get(&format!("{INBOX}/jobs?state=ready&limit={JOBS}")).await.json();
        let stored: Vec<_> =
            stored["jobs"].as_array().unwrap().iter().map(|job| job["data"]["title"].clone()).collect();
        let said: Vec<_> =
            (0..JOBS).filter(|n| n % 7 != 3).map(|n| json!(n.to_string())).collect();
        assert_eq!(stored, said);
    }
}
