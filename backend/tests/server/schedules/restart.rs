//! Schedules over a restart of the server.

use super::{
    Hands, INBOX, MINUTE, TEN, half, make, next_job, next_title, nothing_else_comes, read, sqlite,
    start, tasks,
};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::runtime::Runtime;

#[test]
fn each_occurrence_brings_one_job_over_restarts_and_those_missed_bring_one_together() {
    let (hands, folder) = (Hands::at(half(0)), tempfile::tempdir().unwrap());
    let open = async || start(sqlite(folder.path(), &hands).await).await;
    let first = Runtime::new().unwrap();
    let before: Value = first.block_on(async {
        let rig = open().await;
        make(&rig, "tidy", &tasks("* * * * *", "tidy")).await;
        hands.put(TEN + MINUTE);
        let job = next_job(&rig).await;
        assert_eq!(read(&rig, "tidy").await["last"]["job"], job["id"]);
        read(&rig, "tidy").await
    });
    // All that runs in it ends where it stands.
    drop(first);
    let second = Runtime::new().unwrap();
    second.block_on(async {
        let rig = open().await;
        assert_eq!(read(&rig, "tidy").await, before);
        nothing_else_comes_at_once(&rig, &hands).await;
    });
    drop(second);
    hands.put(half(40));
    let third = Runtime::new().unwrap();
    third.block_on(async {
        let rig = open().await;
        let job = next_job(&rig).await;
        let schedule = read(&rig, "tidy").await;
        assert_eq!(schedule["last"], json!({ "at": TEN + 2 * MINUTE, "job": job["id"] }));
        assert_eq!(schedule["next"], TEN + 41 * MINUTE);
        // By a clock that is not at its next one yet.
        hands.put(half(20));
        nothing_else_comes(&rig, &hands, "first").await;
        hands.put(TEN + 41 * MINUTE);
        assert_eq!(next_title(&rig).await, "tidy");
    });
}

/// The clock stands where the last occurrence was: what comes again by that would be there by now.
async fn nothing_else_comes_at_once(rig: &crate::rig::Rig, hands: &Arc<Hands>) {
    hands.put(half(0));
    nothing_else_comes(rig, hands, "marker").await;
    let queue = rig.get(INBOX).await.json();
    assert_eq!((&queue["ready"], &queue["leased"]), (&json!(0), &json!(2)));
}
