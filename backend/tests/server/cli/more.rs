//! What is more than one answer, or is said for a person.

use super::{add, dead, done, queue, read, refused};
use crate::rig::Rig;
use holdfast_common::job::QueueSettings;
use serde_json::json;

const PERSON: &str = "0199c82c-c000-7d00-8d00-000000000001";

/// The lines of a list without its head, whatever the widths of its columns, and the option that it says
/// to go on with.
async fn part(rig: &Rig, words: &[&str]) -> (Vec<String>, Option<[String; 2]>) {
    let output = queue(rig, words).await;
    assert!(output.status.success());
    let [list, said] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    let rest = said.strip_prefix("holdfast: ").map(|note| {
        assert_eq!(note.lines().count(), 1, "{note}");
        let words: Vec<_> = note.trim_end().split(' ').map(str::to_owned).collect();
        words.last_chunk().unwrap().clone()
    });
    assert!(rest.is_some() || said.is_empty(), "{said}");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    (list.lines().skip(1).map(words).collect(), rest)
}

/// All lines, read in parts of two as each part says.
async fn in_parts(rig: &Rig, words: &[&str]) -> (Vec<String>, usize) {
    let (mut all, mut parts, mut on) = (Vec::new(), 0, Vec::new());
    loop {
        let on_words: Vec<&str> = on.iter().map(String::as_str).collect();
        let (lines, rest) = part(rig, &[words, &["--limit", "2"], &on_words[..]].concat()).await;
        all.extend(lines);
        parts += 1;
        match rest {
            Some(rest) => on = rest.to_vec(),
            None => return (all, parts),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_in_a_shell_that_is_not_all_there_is_says_how_to_go_on() {
    let rig = Rig::sqlite().await;
    for n in 0..5 {
        dead(&rig, &format!("number {n}"), "torn").await;
    }
    // A job grows older between two lists.
    let first = |lines: &[String]| -> Vec<String> {
        lines.iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    };
    let (whole, rest) = part(&rig, &["jobs", "inbox"]).await;
    assert_eq!((whole.len(), rest), (5, None));
    let (lines, parts) = in_parts(&rig, &["jobs", "inbox"]).await;
    assert_eq!((first(&lines), parts), (first(&whole), 3));
    let cut = read(&rig, &["jobs", "inbox", "--limit", "2"]).await;
    assert!(cut["after"].is_string(), "{cut}");

    for word in ["pause", "resume", "pause"] {
        done(&rig, &[word, "inbox"]).await;
    }
    let (whole, rest) = part(&rig, &["audit", "inbox"]).await;
    assert_eq!((whole.len(), rest), (3, None));
    assert_eq!(in_parts(&rig, &["audit", "inbox"]).await, (whole, 2));
    refused(&rig, &["jobs", "inbox", "--after", "yesterday"], "bad_request: after has to be").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_jobs_each_is_cancelled_that_can_be_and_all_is_told() {
    let rig = Rig::sqlite().await;
    let [one, two] = [add(&rig, "one", &[]).await, add(&rig, "two", &[]).await];
    let gone = add(&rig, "gone", &[]).await;
    assert_eq!(done(&rig, &["cancel", "inbox", &gone]).await, "cancelled\n");
    let output = queue(&rig, &["cancel", "inbox", &one, &gone, "7", &two]).await;
    let [told, error] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(told, format!("{one}  cancelled\n{two}  cancelled\n"));
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines.len(), 2, "{error}");
    assert!(lines[0].starts_with(&format!("holdfast: {gone}: wrong_state: ")), "{error}");
    assert!(lines[1].starts_with("holdfast: 7: unknown_job: "), "{error}");
    for id in [&one, &two] {
        assert_eq!(read(&rig, &["job", id]).await["state"], "cancelled");
    }
    let away = ["cancel", "inbox", &one, &two, &gone, "--server", "http://127.0.0.1:1"];
    let output = queue(&rig, &away).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains(&one) && !error.contains(&two), "{error}");
    assert!(error.ends_with("holdfast: 2 more were not asked for\n"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_is_shown_with_its_payload_and_tells_the_person_who_made_it_in_a_shell() {
    let rig = Rig::sqlite().await;
    let task = r#"{"title":"count the beds"}"#;
    let words = ["schedule", "nightly", "0 3 * * *", "inbox", "task", task, "--tell"];
    refused(&rig, &words, "bad_request: There is no person who could be told.").await;
    let person = format!("{PERSON}:correct-horse-battery");
    done(&rig, &[&words[..], &["--person", &person]].concat()).await;
    let shown = done(&rig, &["show-schedule", "work/nightly"]).await;
    assert!(shown.contains("tell: true\n"), "{shown}");
    assert!(shown.contains("data:\n  title: count the beds\n"), "{shown}");
    let noted = read(&rig, &["audit", "inbox"]).await;
    assert_eq!(noted["audit"][0]["by"]["id"], json!(PERSON), "{noted}");
    refused(&rig, &["show-schedule", "daily"], "not_found: ").await;
    let other = format!("{PERSON}:another-horse-battery");
    refused(&rig, &["pause", "inbox", "--person", &other], "forbidden: ").await;
    refused(&rig, &["pause", "inbox", "--person", "a\nb"], "a person is one line").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_help_in_a_shell_names_every_setting_and_says_how_a_queue_is_named() {
    let rig = Rig::sqlite().await;
    let help = done(&rig, &["set", "--help"]).await;
    let settings = json!(QueueSettings::default());
    for name in settings.as_object().unwrap().keys() {
        assert!(help.contains(name), "{name}: {help}");
    }
    let words = "show jobs add cancel requeue discard mend pause resume purge set audit";
    for word in words.split(' ') {
        let help = done(&rig, &[word, "--help"]).await;
        assert!(help.contains("The queue, as namespace/name; a name alone is of"), "{help}");
    }
}
