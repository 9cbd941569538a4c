//! Words by HTTP that are none.

use super::{Honest, INBOX, REQUEST, post, said, say};
use crate::{
    raw::Raw,
    siege::{Target, many, mib, siege},
};
use serde_json::{Value, json};

/// A request and how it has to be answered.
type Class = (Vec<u8>, u16, &'static str);

/// Each from several sockets, for as long as it takes.
async fn each_is(target: &Target, classes: &[Class]) {
    let mut first = true;
    while std::mem::take(&mut first) || target.pressing() {
        for (request, status, code) in classes {
            target.round().await;
            many(5, async |_| {
                let (is, body) = said(target.address, request).await;
                let begin = String::from_utf8_lossy(&request[..request.len().min(300)]);
                assert_eq!((is, &body["code"]), (*status, &json!(code)), "{begin}: {body}");
            })
            .await;
        }
    }
}

fn deep(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}

#[test]
fn what_is_no_job_is_refused_and_nothing_is_enqueued() {
    // A body is read up to 4 MiB, and grows by doubling.
    siege("jobs that are none").sockets(5, mib(9)).run(async |target| {
        let honest = Honest::come(target).await;
        let jobs = format!("{INBOX}/jobs");
        let of = |body: &str| post(target.address, &jobs, body);
        let with = |name: &str, value: &str| {
            of(&format!(r#"{{"type":"task","data":{{"title":"x"}},"{name}":{value}}}"#))
        };
        let batch = |body: String| post(target.address, &format!("{INBOX}/batch"), &body);
        let task = r#"{"type":"task","data":{"title":"x"}}"#;
        let least = r#"{"type":"","data":0}"#;
        let mut classes = vec![
            (of(r#"{"type":"no such type","data":{"title":"x"}}"#), 422, "unknown_type"),
            (
                of(&format!(r#"{{"type":"{}","data":{{}}}}"#, "x".repeat(100_000))),
                422,
                "unknown_type",
            ),
            (of(&format!(r#"{{"type":"task","data":{}}}"#, deep(30_000))), 422, "bad_payload"),
            (of(&deep(60_000)), 400, "bad_request"),
            (batch(format!(r#"{{"jobs":[{}]}}"#, vec![task; 1_001].join(","))), 413, "too_large"),
            // As much as one body may have in the smallest jobs there are, and more.
            (
                batch(format!(r#"{{"jobs":[{}]}}"#, vec![least; 190_000].join(","))),
                413,
                "too_large",
            ),
            (batch(format!(r#"{{"jobs":[{}]}}"#, vec![task; 200_000].join(","))), 413, "too_large"),
            (batch(format!(r#"{{"jobs":{}}}"#, deep(60_000))), 400, "bad_request"),
        ];
        let numbers =
            ["-1", "0.5", "1e300", "-1e300", "1e-300", "9223372036854775808", "\"1\"", "[]"];
        for name in ["delay_ms", "expires_ms", "backoff_ms", "at"] {
            for number in numbers {
                // A time before there were any is no time either.
                classes.push((with(name, number), 400, "bad_request"));
            }
        }
        each_is(target, &classes).await;
        honest.still_stands().await;
    });
}

#[test]
fn a_token_of_anything_else_ends_nothing() {
    siege("tokens of other leases").sockets(5, REQUEST).run(async |target| {
        let honest = Honest::come(target).await;
        let (id, token) = honest.held();
        let (fence, key) = token.split_once('-').unwrap();
        let on = |job: &str, word: &str, body: Value| {
            post(target.address, &format!("/api/v1/work/jobs/{job}/{word}"), &body.to_string())
        };
        let zeros = "0".repeat(16);
        let huge = "9".repeat(30_000);
        let tokens = [
            String::new(),
            "-".to_owned(),
            format!("{fence}-{zeros}"),
            format!("{fence}-{key}0"),
            format!("{fence} -{key}"),
            format!("+{fence}-{key}"),
            format!("0{fence}-{key}"),
            format!("{fence}-{}", key.to_uppercase() + "\u{0}"),
            format!("18446744073709551616-{key}"),
            format!("{huge}-{key}"),
            format!("{}-{key}", u64::MAX),
            "\u{1F511}".repeat(1_000),
        ];
        let mut classes = Vec::new();
        for token in &tokens {
            for (word, more) in [("complete", "result"), ("fail", "reason"), ("snooze", "token")] {
                let mut body = json!({ "token": token });
                if more != "token" {
                    body[more] = json!("stolen");
                }
                classes.push((on(id, word, body), 409, "fenced"));
            }
            classes.push((
                on(id, "extend", json!({ "token": token, "lease_ms": 1 })),
                409,
                "fenced",
            ));
        }
        // This lease's own, of another job.
        let mine = json!({ "token": token });
        classes.push((on(&honest.waits, "complete", mine.clone()), 409, "fenced"));
        classes.push((on(&"0".repeat(36), "complete", mine.clone()), 404, "unknown_job"));
        classes.push((
            on("00000000-0000-7000-8000-000000000001", "extend", mine),
            404,
            "unknown_job",
        ));
        // Its own, and something that is too large for a result.
        for length in [70_000, 1 << 20] {
            let body = json!({ "token": token, "result": "x".repeat(length) });
            classes.push((on(id, "complete", body), 413, "too_large"));
        }
        let further = vec![r#"{"job":{"type":"task","data":{"title":"x"}}}"#; 101].join(",");
        let event = r#"{"namespace":"chat","room":"lobby","type":"message","data":{"text":"x"}}"#;
        for (name, list) in [("jobs", further), ("events", vec![event; 17].join(","))] {
            let body = format!(r#"{{"token":"{token}","{name}":[{list}]}}"#);
            let path = format!("/api/v1/work/jobs/{id}/complete");
            classes.push((post(target.address, &path, &body), 413, "too_large"));
        }
        let result = format!(r#"{{"token":"{token}","result":{}}}"#, deep(30_000));
        let path = format!("/api/v1/work/jobs/{id}/complete");
        classes.push((post(target.address, &path, &result), 422, "bad_payload"));
        each_is(target, &classes).await;
        honest.still_stands().await;
    });
}

#[test]
fn decisions_about_a_million_jobs_or_none_change_nothing() {
    siege("a million ids, settings that are none").sockets(5, REQUEST).run(async |target| {
        let honest = Honest::come(target).await;
        let of = |word: &str, body: &str| post(target.address, &format!("{INBOX}/{word}"), body);
        let ids = |count: usize| {
            let id = r#""00000000-0000-7000-8000-000000000001""#;
            format!(r#"{{"ids":[{}]}}"#, vec![id; count].join(","))
        };
        let mut classes = vec![
            (of("requeue", &ids(1_001)), 413, "too_large"),
            (of("discard", &ids(1_000_000)), 413, "too_large"),
            (of("requeue", &deep(60_000)), 400, "bad_request"),
            (of("purge", r#"{"state":"leased"}"#), 400, "bad_request"),
            (of("purge", r#"{"state":"ready","all":true}"#), 400, "bad_request"),
            (of("pause", r#"{"for_ms":1}"#), 400, "bad_request"),
        ];
        for (name, value) in [
            ("lease_ms", "-1"),
            ("max_attempts", "4294967296"),
            ("in_flight", "-1"),
            ("in_flight", "1.5"),
            ("keep_ms", "1e300"),
            ("max_jobs", "-9223372036854775808"),
            ("rate", r#"{"jobs":-1,"per_ms":0,"burst":0}"#),
            ("rate", r#"{"jobs":1,"per_ms":0,"burst":1}"#),
            ("no_such_setting", "1"),
        ] {
            // Beside one that is good: all of them are taken, or none.
            let body = format!(r#"{{"backoff_ms":7,"{name}":{value}}}"#);
            classes.push((of("settings", &body), 400, "bad_request"));
        }
        each_is(target, &classes).await;
        honest.still_stands().await;
    });
}

/// Two who set against each other, and against a third who pauses: each word is taken whole, and the last
/// one stands.
#[test]
fn who_changes_settings_all_the_time_is_in_nobodys_way() {
    siege("settings that change all the time").sockets(20, REQUEST).run(async |target| {
        let honest = Honest::come(target).await;
        let settings = format!("{INBOX}/settings");
        while target.round().await {
            many(20, async |n| {
                let (word, body) = match n % 4 {
                    0 => ("settings", json!({ "in_flight": 1, "keep_ms": 1_000_000 })),
                    1 => ("settings", json!({ "in_flight": null, "keep_ms": 2_000_000 })),
                    2 => ("pause", json!({})),
                    _ => ("resume", json!({})),
                };
                let (status, answer) = say(target.address, &format!("{INBOX}/{word}"), &body).await;
                assert_eq!(status, 200, "{answer}");
                let set = &answer["settings"];
                let whole = [(json!(1), json!(1_000_000)), (Value::Null, json!(2_000_000))];
                let is = (set["in_flight"].clone(), set["keep_ms"].clone());
                assert!(word != "settings" || whole.contains(&is), "{answer}");
            })
            .await;
        }
        let back = json!({ "in_flight": null, "keep_ms": honest.queue["settings"]["keep_ms"] });
        assert_eq!(say(target.address, &settings, &back).await.0, 200);
        assert_eq!(say(target.address, &format!("{INBOX}/resume"), &json!({})).await.0, 200);
        honest.still_stands().await;
    });
}

#[test]
fn a_word_that_comes_a_byte_at_a_time_is_cut_when_its_time_is_over() {
    let siege = siege("slow words about jobs").with("--request-ms", "700");
    siege.sockets(200, REQUEST).run(async |target| {
        let honest = Honest::come(target).await;
        let (id, token) = honest.held();
        let end = json!({ "token": token, "result": "x".repeat(2_000) }).to_string();
        let task = json!({ "type": "task", "data": { "title": "x".repeat(2_000) } }).to_string();
        let lease = json!({ "consumer": "x".repeat(128), "wait_ms": 60_000 }).to_string();
        many(200, async |n| {
            let (path, body) = match n % 3 {
                0 => (format!("{INBOX}/jobs"), &task),
                1 => (format!("/api/v1/work/jobs/{id}/complete"), &end),
                _ => (format!("{INBOX}/lease"), &lease),
            };
            let whole = post(target.address, &path, body);
            let head = whole.len() - body.len();
            let mut raw = Raw::connect(target.address).await;
            raw.write(&whole[..head]).await.unwrap();
            for byte in whole[head..].iter().take(100) {
                if raw.write(&[*byte]).await.is_err() {
                    break;
                }
                target.round().await;
            }
            assert_eq!(raw.status().await, Some(400));
            assert_eq!(raw.status().await, None);
        })
        .await;
        honest.still_stands().await;
    });
}
