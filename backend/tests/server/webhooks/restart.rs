//! What was to be sent when the server ended is sent by the next one.

use super::{QUEUE, Receiver, make, say, start};
use crate::rig::PATIENCE;
use holdfast_backend::engine::sqlite::SqliteEngine;
use serde_json::json;
use std::{path::Path, sync::Arc, time::Instant};

/// Opens the folder once whoever had it has let go of it.
async fn open(folder: &Path) -> Arc<SqliteEngine> {
    let begun = Instant::now();
    loop {
        match SqliteEngine::open(folder) {
            Ok(engine) => return Arc::new(engine),
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_was_appended_before_a_restart_is_delivered_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut receiver = Receiver::start().await;
    let rig = start(open(folder.path()).await, None, &receiver).await;
    let hook = make(&rig, &receiver, &json!({})).await;
    let paused = rig.post(&format!("{QUEUE}/pause"), "", "{}").await;
    assert_eq!(paused.status, 200);
    say(&rig, "before").await;
    // As it lies on the disk when the power fails.
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    rig.handle.drain();
    assert!(receiver.is_quiet());
    let next = start(open(copy.path()).await, None, &receiver).await;
    let resumed = next.post(&format!("{QUEUE}/resume"), "", "{}").await;
    assert_eq!(resumed.status, 200);
    let had = receiver.next().await;
    assert_eq!(
        (had.text(), had.signatures()),
        ("before".to_owned(), vec![had.signed_by(&hook.key)])
    );
}
