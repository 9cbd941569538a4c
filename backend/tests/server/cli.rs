//! `holdfast queue …` against a server that runs.

mod more;

use crate::rig::{PATIENCE, Rig};
use serde_json::{Value, json};
use std::{
    process::{Command, Output},
    time::{Duration, Instant, SystemTime},
};

/// Runs it, away from the runtime that serves.
async fn queue(rig: &Rig, words: &[&str]) -> Output {
    queue_with(rig, None, words).await
}

/// The same, with who it is in the environment.
async fn queue_with(rig: &Rig, by: Option<&str>, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(["queue", "--server", &format!("http://{}", rig.address)]).args(words);
    command.env_remove("HOLDFAST_PERSON");
    command.env_remove("HOLDFAST_BY").envs(by.map(|by| ("HOLDFAST_BY", by)));
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn done(rig: &Rig, words: &[&str]) -> String {
    let output = queue(rig, words).await;
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{words:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Puts a task into the inbox, with more words, and returns its id.
async fn add(rig: &Rig, title: &str, more: &[&str]) -> String {
    let data = json!({ "title": title }).to_string();
    done(rig, &[&["add", "inbox", "task", &data], more].concat()).await.trim().to_owned()
}

async fn read(rig: &Rig, words: &[&str]) -> Value {
    serde_json::from_str(&done(rig, &[words, &["--json"]].concat()).await).unwrap()
}

/// Takes this very job and says that it has failed.
async fn fail(rig: &Rig, id: &str, error: &str, retry: bool) -> Value {
    let take = json!({ "consumer": "tester" }).to_string();
    let taken = rig.post(&format!("/api/v1/work/jobs/{id}/lease"), "", &take).await.json();
    let token = &taken["jobs"][0]["token"];
    let fail = json!({ "token": token, "reason": error, "retry": retry }).to_string();
    rig.post(&format!("/api/v1/work/jobs/{id}/fail"), "", &fail).await.json()
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
    let id = add(rig, title, &[]).await;
    assert_eq!(fail(rig, &id, error, false).await["state"], "dead");
    id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_queues_and_decides_about_them_from_a_shell() {
    let rig = Rig::sqlite().await;
    let closed = dead(&rig, "one", "the ward is closed").await;
    let torn = dead(&rig, "two", "torn").await;
    assert!(done(&rig, &["list", "work"]).await.contains("inbox  0      0       0     2"));
    let letters = done(&rig, &["jobs", "work/inbox"]).await;
    assert!(letters.contains(&closed) && letters.contains("the ward is closed"), "{letters}");
    assert!(!done(&rig, &["jobs", "inbox", "--error", "ward"]).await.contains(&torn));
    assert!(done(&rig, &["jobs", "inbox", "--type", "task"]).await.contains(&torn));
    assert!(!done(&rig, &["jobs", "inbox", "--type", "chore"]).await.contains(&torn));
    let job = read(&rig, &["job", &closed]).await;
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
async fn dead_letters_are_requeued_and_discarded_from_a_shell_one_by_one_or_all_at_once() {
    let rig = Rig::sqlite().await;
    let state = async |id: &str| read(&rig, &["job", id]).await["state"].clone();
    let one = dead(&rig, "one", "torn").await;
    let two = dead(&rig, "two", "torn").await;
    let three = dead(&rig, "three", "lost").await;
    assert_eq!(done(&rig, &["requeue", "inbox", &one]).await, "1 jobs\n");
    assert_eq!([state(&one).await, state(&two).await], ["ready", "dead"]);
    let noted = &read(&rig, &["audit", "inbox"]).await["audit"][0];
    assert_eq!((&noted["deed"], &noted["job"]), (&json!("requeue"), &json!(one)));
    assert_eq!((&noted["count"], &noted["detail"]), (&json!(1), &json!(null)), "{noted}");
    assert_eq!(done(&rig, &["requeue", "inbox", &one]).await, "0 jobs\n");
    let noted = &read(&rig, &["audit", "inbox"]).await["audit"][0];
    assert_eq!((&noted["job"], &noted["count"]), (&json!(null), &json!(0)), "{noted}");
    let torn = ["discard", "inbox", "--all", "--type", "task", "--error", "torn"];
    assert_eq!(done(&rig, &torn).await, "1 jobs\n");
    assert_eq!([state(&two).await, state(&three).await], ["cancelled", "dead"]);
    dead(&rig, "four", "lost").await;
    assert_eq!(done(&rig, &["discard", "inbox", "--all"]).await, "2 jobs\n");
    let five = dead(&rig, "five", "lost").await;
    assert_eq!(done(&rig, &["purge", "inbox", "--state", "dead"]).await, "1 jobs\n");
    assert_eq!([state(&five).await, state(&one).await], ["cancelled", "ready"]);
    refused(&rig, &["requeue", "inbox", "seven"], "bad_request: ").await;
    refused(&rig, &["purge", "inbox", "--state", "leased"], "bad_request: ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queues_of_all_namespaces_are_listed_in_a_shell_each_by_its_whole_name() {
    let rig = Rig::sqlite().await;
    dead(&rig, "one", "torn").await;
    let (all, one) = (done(&rig, &["list"]).await, done(&rig, &["list", "holdfast"]).await);
    let line = |text: &str, name: &str| {
        let mut lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let found = lines.find(|line| line[0] == name);
        found.unwrap_or_else(|| panic!("{name}: {text}"))[1..5].join(" ")
    };
    assert_eq!(line(&all, "work/inbox"), "0 0 0 1");
    assert_eq!(line(&all, "holdfast/exports"), "0 0 0 0");
    assert_eq!(line(&one, "exports"), "0 0 0 0");
    assert!(!one.contains("inbox"), "{one}");
    assert_eq!(done(&rig, &["show", "work/inbox"]).await, done(&rig, &["show", "inbox"]).await);
    let listed = read(&rig, &["list"]).await;
    let count = listed["queues"].as_array().unwrap().len();
    assert_eq!(all.lines().count(), 1 + count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_added_from_a_shell_with_all_that_can_be_said_of_one() {
    let rig = Rig::sqlite().await;
    let job = async |id: &str| read(&rig, &["job", id]).await;
    let wall = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let in_an_hour = (wall.as_millis() + 3_600_000).to_string();
    for when in [["--delay-ms", "3600000"], ["--at", &in_an_hour]] {
        let due = &job(&add(&rig, "later", &when).await).await["due_in_ms"];
        assert!((3_500_000..=3_600_000).contains(&due.as_u64().unwrap()), "{when:?}: {due}");
    }
    let over = add(&rig, "over", &["--at", "1000"]).await;
    assert_eq!(job(&over).await["due_in_ms"], Value::Null);

    let first = add(&rig, "first", &["--group", "ward 7", "--priority", "-5"]).await;
    let second = job(&add(&rig, "second", &["--group", "ward 7"]).await).await;
    assert_eq!((&second["group"], &second["behind"]), (&json!("ward 7"), &json!(true)));
    let first = job(&first).await;
    assert_eq!((&first["behind"], &first["priority"]), (&json!(false), &json!(-5)));

    let key = ["--key", "order 77"];
    let once = add(&rig, "once", &key).await;
    assert_eq!(add(&rig, "once", &key).await, once);
    let other = ["add", "inbox", "task", r#"{"title":"other"}"#, "--key", "order 77"];
    refused(&rig, &other, "idempotency_mismatch: ").await;

    let twice = ["--max-attempts", "2", "--backoff-ms", "3600000"];
    let hard = add(&rig, "hard", &twice).await;
    assert_eq!(job(&hard).await["max_attempts"], 2);
    let failed = fail(&rig, &hard, "busy", true).await;
    let due = failed["due_in_ms"].as_u64().unwrap();
    assert!((1_800_000..=3_600_000).contains(&due), "{failed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_added_for_a_while_is_a_dead_letter_after_it() {
    let rig = Rig::sqlite().await;
    let id = add(&rig, "too late", &["--expires-ms", "1"]).await;
    let begun = Instant::now();
    loop {
        let job = read(&rig, &["job", &id]).await;
        if job["state"] == "dead" {
            assert_eq!(job["errors"][0]["error"], "expired");
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{job}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_about_a_job_that_are_none_add_nothing() {
    let rig = Rig::sqlite().await;
    for more in [
        ["--delay-ms", "-1"],
        ["--delay-ms", "soon"],
        ["--at", "-1"],
        ["--max-attempts", "-1"],
        ["--backoff-ms", "1.5"],
        ["--expires-ms", "18446744073709551616"],
        ["--priority", "128"],
    ] {
        let words = ["add", "inbox", "task", r#"{"title":"x"}"#, more[0], more[1]];
        assert_eq!(queue(&rig, &words).await.status.code(), Some(2), "{more:?}");
    }
    let both = ["add", "inbox", "task", r#"{"title":"x"}"#, "--at", "1", "--delay-ms", "1"];
    assert_eq!(queue(&rig, &both).await.status.code(), Some(2));
    for more in [["--max-attempts", "0"], ["--backoff-ms", "86400001"], ["--priority", "101"]] {
        let words = ["add", "inbox", "task", r#"{"title":"x"}"#, more[0], more[1]];
        refused(&rig, &words, "bad_request: ").await;
    }
    assert_eq!(read(&rig, &["show", "inbox"]).await["ready"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_through_a_queue_is_shown_in_a_shell() {
    let rig = Rig::sqlite().await;
    assert!(done(&rig, &["show", "inbox"]).await.contains("\n  enqueued: 0\n"));
    dead(&rig, "dead", "torn").await;
    let id = add(&rig, "goes on", &[]).await;
    fail(&rig, &id, "busy", true).await;
    let lease = json!({ "consumer": "tester", "wait_ms": 10_000 }).to_string();
    let taken = rig.post("/api/v1/work/queues/inbox/lease", "", &lease).await.json();
    let end = json!({ "token": taken["jobs"][0]["token"] }).to_string();
    rig.post(&format!("/api/v1/work/jobs/{id}/complete"), "", &end).await;
    add(&rig, "waits", &[]).await;
    let text = done(&rig, &["show", "inbox"]).await;
    let counts =
        "in the last minute:\n  enqueued: 3\n  started: 3\n  done: 1\n  failed: 2\n  dead: 1\n";
    assert!(text.contains(counts), "{text}");
    assert!(text.contains("  wait: half up to ") && text.contains("  run: half up to "), "{text}");
    let read = read(&rig, &["show", "inbox"]).await;
    assert!(read["oldest_ms"].is_u64(), "{read}");
    for name in ["wait", "run"] {
        let [half, most] = ["p50_ms", "p95_ms"].map(|part| read["rates"][name][part].as_u64());
        assert!(half <= most && most.is_some(), "{read}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_decides_from_a_shell_is_noted_as_they_say() {
    let rig = Rig::sqlite().await;
    done(&rig, &["pause", "inbox"]).await;
    done(&rig, &["resume", "inbox", "--by", " Ada\u{202e} Löwe "]).await;
    let output = queue_with(&rig, Some("night shift"), &["pause", "inbox"]).await;
    assert!(output.status.success());
    let task = r#"{"title":"x"}"#;
    done(&rig, &["--by", "Ben", "schedule", "nightly", "0 3 * * *", "inbox", "task", task]).await;
    let audit = read(&rig, &["audit", "inbox"]).await;
    let by: Vec<_> = audit["audit"].as_array().unwrap().iter().map(|it| &it["by"]).collect();
    let names: Vec<_> = by.iter().map(|by| by["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Ben", "night shift", "Ada Löwe", "service"]);
    assert!(by.iter().all(|it| it["id"] == by[3]["id"]), "nobody has proved to be somebody");
    assert!(done(&rig, &["audit", "inbox"]).await.contains("  night shift  pause  "));
    for name in ["", " ", &"x".repeat(129)] {
        let words = ["pause", "inbox", "--by", name];
        refused(&rig, &words, "bad_request: Holdfast-By is 1 to 128 bytes").await;
    }
    refused(&rig, &["pause", "inbox", "--by", "a\nb"], "a name is one line").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedules_are_made_seen_paused_and_removed_from_a_shell() {
    let rig = Rig::sqlite().await;
    let task = r#"{"title":"count the beds"}"#;
    let made = done(&rig, &["schedule", "nightly", "0 3 * * *", "inbox", "task", task]).await;
    assert!(made.contains("name: nightly") && made.contains("state: active"), "{made}");
    let listed = done(&rig, &["schedules"]).await;
    assert!(listed.contains("nightly   0 3 * * *  inbox  task  active  1"), "{listed}");
    assert_eq!(done(&rig, &["pause-schedule", "work/nightly"]).await, "paused\n");
    assert!(done(&rig, &["schedules"]).await.contains("  task  paused  "));
    assert_eq!(done(&rig, &["resume-schedule", "nightly"]).await, "active\n");
    let how = ["--group", "beds", "--expires-ms", "3600000", "--max-attempts", "2"];
    let words = ["schedule", "nightly", "0 4 * * *", "inbox", "task", task];
    done(&rig, &[&words[..], &how].concat()).await;
    let read = rig.get("/api/v1/work/schedules/nightly").await.json();
    assert_eq!((&read["cron"], &read["group"]), (&json!("0 4 * * *"), &json!("beds")));
    let numbers = (&read["expires_ms"], &read["max_attempts"]);
    assert_eq!(numbers, (&json!(3_600_000), &json!(2)));
    assert_eq!(done(&rig, &["unschedule", "work/nightly"]).await, "removed\n");
    assert_eq!(done(&rig, &["schedules", "work"]).await.lines().count(), 1);
    for word in ["unschedule", "pause-schedule", "resume-schedule"] {
        refused(&rig, &[word, "nightly"], "not_found: ").await;
    }
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
