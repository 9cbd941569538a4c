//! What was to be sent when the server ended is sent by the next one.

use super::{QUEUE, Receiver, make, say, start};
use crate::rig::{PATIENCE, Rig};
use holdfast_backend::engine::sqlite::SqliteEngine;
use serde_json::json;
use std::{path::Path, sync::Arc, time::Instant};
use tokio::runtime::Runtime;

/// A server on the folder, once whoever had it has let go of it.
async fn open(folder: &Path, receiver: &Receiver) -> Rig {
    let begun = Instant::now();
    loop {
        match SqliteEngine::open(folder) {
            Ok(engine) => return start(Arc::new(engine), None, receiver).await,
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[test]
fn an_event_that_was_appended_before_a_restart_is_delivered_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let around = Runtime::new().unwrap();
    let mut receiver = around.block_on(Receiver::start());
    let first = Runtime::new().unwrap();
    let hook = first.block_on(async {
        let rig = open(folder.path(), &receiver).await;
        let hook = make(&rig, &receiver, &json!({})).await;
        assert_eq!(rig.post(&format!("{QUEUE}/pause"), "", "{}").await.status, 200);
        say(&rig, "before").await;
        hook
    });
    // All that runs in it ends where it stands.
    drop(first);
    assert!(receiver.is_quiet());
    let second = Runtime::new().unwrap();
    let _rig = second.block_on(async {
        let rig = open(folder.path(), &receiver).await;
        assert_eq!(rig.post(&format!("{QUEUE}/resume"), "", "{}").await.status, 200);
        rig
    });
    let had = around.block_on(receiver.next());
    assert_eq!(had.text(), "before");
    assert_eq!(had.signatures(), [had.signed_by(&hook.key)]);
}
