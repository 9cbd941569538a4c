//! `holdfast queue …` against a server that runs.

use crate::rig::Rig;
use serde_json::{Value, json};
use std::process::{Command, Output};

/// Runs it, away from the runtime that serves.
async fn queue(rig: &Rig, words: &[&str]) -> Output {
    let server = format!("http://{}", rig.address);
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let run = move || {
        Command::new(env!("CARGO_BIN_EXE_holdfast"))
            .args(["queue", "--server", &server])
            .args(words)
            .output()
            .unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn done(rig: &Rig, words: &[&str]) -> String {
    let output = queue(rig, words).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// One line on stderr that begins so, and exit code 1.
async fn refused(rig: &Rig, words: &[&str], begins: &str) {
    let output = queue(rig, words).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words:?}: {error}");
    assert!(error.starts_with(&format!("holdfast: {begins}")), "{error}");
    assert_eq!((error.lines().count(), output.stdout.len()), (1, 0));
}

/// A dead letter with this error.
async fn dead(rig: &Rig, title: &str, error: &str) -> String {
    let data = json!({ "title": title }).to_string();
    let id = done(rig, &["add", "inbox", "task", &data, "--priority", "9"]).await;
    let id = id.trim().to_owned();
    let take = json!({ "consumer": "tester" }).to_string();
    let taken = rig.post(&format!("/api/v1/work/jobs/{id}/lease"), "", &take).await.json();
    let token = &taken["jobs"][0]["token"];
    let fail = json!({ "token": token, "reason": error, "retry": false }).to_string();
    rig.post(&format!("/api/v1/work/jobs/{id}/fail"), "", &fail).await;
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_queues_and_decides_about_them_from_a_shell() {
    let rig = Rig::sqlite().await;
    let closed = dead(&rig, "one", "the ward is closed").await;
    let torn = dead(&rig, "two", "torn").await;
    assert!(done(&rig, &["list"]).await.contains("inbox  0      0       0     2"));
    let letters = done(&rig, &["jobs", "work/inbox"]).await;
    assert!(letters.contains(&closed) && letters.contains("the ward is closed"), "{letters}");
    assert!(!done(&rig, &["jobs", "inbox", "--error", "ward"]).await.contains(&torn));
    let job: Value = serde_json::from_str(&done(&rig, &["job", &closed, "--json"]).await).unwrap();
    assert_eq!(job["errors"][0]["error"], "the ward is closed");
    assert_eq!(done(&rig, &["mend", "inbox", &closed, r#"{"title":"mended"}"#]).await, "ready\n");
    assert_eq!(done(&rig, &["requeue", "inbox", "--all", "--error", "torn"]).await, "1 jobs\n");
    assert_eq!(done(&rig, &["pause", "inbox"]).await, "paused\n");
    assert!(done(&rig, &["show", "inbox"]).await.contains("paused: true"));
    assert_eq!(done(&rig, &["resume", "inbox"]).await, "resumed\n");
    let settings = done(&rig, &["set", "inbox", "in_flight=4", "rate=10/s"]).await;
    assert!(settings.contains("in_flight: 4") && settings.contains("per_ms: 1000"), "{settings}");
    assert_eq!(done(&rig, &["cancel", "inbox", &closed]).await, "cancelled\n");
    assert_eq!(done(&rig, &["purge", "inbox", "--state", "ready"]).await, "1 jobs\n");
    let gone = dead(&rig, "three", "x").await;
    assert_eq!(done(&rig, &["discard", "inbox", &gone]).await, "1 jobs\n");
    let audit = done(&rig, &["audit", "inbox"]).await;
    let deeds: Vec<_> =
        audit.lines().skip(1).map(|it| it.split_whitespace().nth(2).unwrap()).collect();
    let all = ["discard", "purge", "cancel", "set", "resume", "pause", "requeue", "requeue"];
    assert_eq!(deeds, all);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_made_seen_and_removed_from_a_shell() {
    let rig = Rig::sqlite().await;
    let task = r#"{"title":"count the beds"}"#;
    let made = done(&rig, &["schedule", "nightly", "0 3 * * *", "inbox", "task", task]).await;
    assert!(made.contains("name: nightly") && made.contains("state: active"), "{made}");
    let listed = done(&rig, &["schedules"]).await;
    assert!(listed.contains("nightly   0 3 * * *  inbox  task  active  1"), "{listed}");
    assert_eq!(done(&rig, &["unschedule", "work/nightly"]).await, "removed\n");
    assert_eq!(done(&rig, &["schedules", "work"]).await.lines().count(), 1);
    refused(&rig, &["unschedule", "nightly"], "not_found: ").await;
    let never = ["schedule", "never", "0 0 30 2 *", "inbox", "task", task];
    refused(&rig, &never, "bad_schedule: The schedule does not come").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_from_a_shell_is_one_line_with_its_code() {
    let rig = Rig::sqlite().await;
    refused(&rig, &["show", "attic"], "unknown_queue: ").await;
    refused(&rig, &["job", "7"], "unknown_job: ").await;
    refused(&rig, &["add", "inbox", "chore", "{}"], "unknown_type: ").await;
    refused(&rig, &["add", "inbox", "task", "no"], "this is no JSON").await;
    refused(&rig, &["set", "inbox", "colour=1"], "bad_request: There is no setting colour.").await;
    refused(&rig, &["requeue", "inbox"], "say which").await;
    refused(&rig, &["list", "--server", "http://127.0.0.1:1"], "http://127.0.0.1:1/ does not")
        .await;
    refused(&rig, &["list", "--server", "127.0.0.1"], "127.0.0.1 is no address").await;
    assert_eq!(queue(&rig, &["dance"]).await.status.code(), Some(2));
}
