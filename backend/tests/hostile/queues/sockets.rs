//! Sockets of `holdfast-work.v1` that say what has no place, or too much, or do not read.

use super::{Honest, INBOX, enqueue, read, say, take};
use crate::{
    raw::{BINARY, End, Raw, TEXT, framed, upgrade_to},
    siege::{Target, kib, many, siege},
};
use holdfast_common::error::Code;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// What one socket may cost: a frame, what waits to be written, and 64 requests under way.
const SOCKET: u64 = kib(1024);

fn closed(code: Code) -> End {
    End::Close(code.close_number().unwrap(), code.name().to_owned())
}

fn text(body: &str) -> Vec<u8> {
    framed(TEXT, body.as_bytes())
}

fn hello() -> Vec<u8> {
    text(r#"{"hello":{"name":"mallory"}}"#)
}

async fn up(mut raw: Raw, target: &Target) -> Raw {
    let upgrade = upgrade_to(target.address, "holdfast-work.v1");
    raw.write(upgrade.as_bytes()).await.unwrap();
    assert_eq!(raw.status().await, Some(101));
    raw
}

async fn opened(target: &Target) -> Raw {
    up(Raw::connect(target.address).await, target).await
}

/// Greeted, and takes little from the system: who does not read is felt soon.
async fn narrow(target: &Target) -> Raw {
    let mut raw = up(Raw::narrow(target.address).await, target).await;
    raw.write(&hello()).await.unwrap();
    raw
}

/// The next frame's name and body.
async fn next(raw: &mut Raw) -> (String, Value) {
    loop {
        let (first, payload) = raw.frame().await.expect("a frame");
        assert_ne!(first, crate::raw::CLOSE, "{}", String::from_utf8_lossy(&payload));
        if first == TEXT {
            let frame: Value = serde_json::from_slice(&payload).unwrap();
            let (name, body) = frame.as_object().unwrap().iter().next().unwrap();
            return (name.clone(), body.clone());
        }
    }
}

#[test]
fn a_frame_about_jobs_that_has_no_place_costs_its_connection_alone() {
    siege("frames about jobs that are none").sockets(12, SOCKET).run(async |target| {
        let honest = Honest::come(target).await;
        let (id, token) = honest.held();
        let deep = "[".repeat(30_000);
        let bad = [
            text(""),
            text("\n"),
            text("{}"),
            text("null"),
            text(&deep),
            text(r#"{"hello":{"name":"again"}}"#),
            text(r#"{"no_such_frame":{}}"#),
            text(r#"{"credit":{"sub":1,"n":-1}}"#),
            text(r#"{"credit":{"sub":1,"n":4294967296}}"#),
            text(r#"{"consume":{"req":-1,"ns":"work","queue":"inbox"}}"#),
            text(r#"{"consume":{"req":1,"ns":"work","queue":"inbox","credit":1.5}}"#),
            text(r#"{"take":{"req":1,"job":"seven"}}"#),
            text(&format!(r#"{{"complete":{{"req":1,"job":"{id}"}}}}"#)),
            text(r#"{"emit":{"ns":"chat"}}"#),
            framed(BINARY, &[0xff; 1_000]),
            framed(TEXT, &[0xc3, 0x28]),
        ];
        while target.round().await {
            many(bad.len(), async |n| {
                let mut raw = opened(target).await;
                let _ = raw.write(&[hello(), bad[n].clone()].concat()).await;
                assert_eq!(raw.closed().await, closed(Code::BadFrame), "class {n}");
            })
            .await;
            // Before anybody was greeted.
            let mut raw = opened(target).await;
            let take = format!(r#"{{"complete":{{"req":1,"job":"{id}","token":"{token}"}}}}"#);
            raw.write(&text(&take)).await.unwrap();
            assert_eq!(raw.closed().await, closed(Code::BadFrame));
        }
        honest.still_stands().await;
    });
}

#[test]
fn what_a_queue_cannot_do_is_refused_by_socket_and_changes_nothing() {
    siege("requests about jobs that are refused").sockets(10, SOCKET).run(async |target| {
        let honest = Honest::come(target).await;
        let (id, token) = honest.held();
        let nobody = "00000000-0000-7000-8000-000000000001";
        let large = "x".repeat(70_000);
        let ids = vec![nobody; 1_001];
        let (other, fence) = (token.replace('-', "-f"), u64::MAX);
        let of = |frame: Value, behind: &str| text(&format!("{frame}\n{behind}"));
        let enqueue = |more: Value| {
            let mut head = json!({ "req": 1, "id": nobody, "ns": "work", "queue": "inbox", "type": "task" });
            head.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            of(json!({ "enqueue": head }), r#"{"title":"x"}"#)
        };
        let complete = |job: &str, token: &str, behind: &str| {
            of(json!({ "complete": { "req": 1, "job": job, "token": token } }), behind)
        };
        let classes = [
            (enqueue(json!({ "type": "chore" })), "unknown_type"),
            (enqueue(json!({ "queue": "attic" })), "unknown_queue"),
            (enqueue(json!({ "ns": "holdfast", "queue": "webhooks" })), "forbidden"),
            (enqueue(json!({ "delay_ms": u64::MAX })), "bad_request"),
            (enqueue(json!({ "priority": i64::MIN })), "bad_request"),
            (enqueue(json!({ "max_attempts": 0 })), "bad_request"),
            (complete(id, &other, "null"), "fenced"),
            (complete(id, &format!("{fence}-{fence}"), "null"), "fenced"),
            (complete(id, token, &format!("\"{large}\"")), "too_large"),
            (complete(id, token, "no json"), "bad_payload"),
            (complete(nobody, token, "null"), "unknown_job"),
            (complete(&honest.waits, token, "null"), "fenced"),
            (text(&json!({ "take": { "req": 1, "job": nobody } }).to_string()), "unknown_job"),
            (text(&json!({ "take": { "req": 1, "job": id } }).to_string()), "wrong_state"),
            (
                of(
                    json!({ "govern": {
                        "req": 1, "ns": "work", "queue": "inbox", "deed": { "discard": { "jobs": ids } },
                    } }),
                    "",
                ),
                "too_large",
            ),
        ];
        while target.round().await {
            many(classes.len(), async |n| {
                let (frame, code) = &classes[n];
                let mut raw = opened(target).await;
                raw.write(&[hello(), frame.clone()].concat()).await.unwrap();
                assert_eq!(next(&mut raw).await.0, "welcome");
                let (name, body) = next(&mut raw).await;
                assert_eq!((&*name, &body["code"]), ("refused", &json!(code)), "class {n}: {body}");
            })
            .await;
        }
        honest.still_stands().await;
    });
}

#[test]
fn more_subscriptions_than_there_may_be_close_and_floods_of_credit_are_credit() {
    siege("floods of subscriptions and of credit").sockets(10, SOCKET).run(async |target| {
        let address = target.address;
        let honest = Honest::come(target).await;
        let consume = |req: u64| {
            text(&format!(
                r#"{{"consume":{{"req":{req},"ns":"work","queue":"inbox","credit":4294967295,"lease_ms":100}}}}"#
            ))
        };
        let watch =
            |req: u64| text(&format!(r#"{{"watch":{{"req":{req},"ns":"work","queue":"inbox"}}}}"#));
        let credit = text(r#"{"credit":{"sub":1,"n":4294967295}}"#).repeat(2_000);
        while target.round().await {
            many(10, async |n| {
                let mut raw = opened(target).await;
                raw.write(&hello()).await.unwrap();
                match n % 3 {
                    0 => {
                        for req in 1..=80 {
                            // It is closed somewhere in the middle of them.
                            let _ = raw.write(&consume(req)).await;
                        }
                        assert_eq!(raw.closed().await, closed(Code::OverLimit));
                    }
                    // One board shows all there is of a queue.
                    1 => {
                        for req in 1..=80 {
                            raw.write(&watch(req)).await.unwrap();
                        }
                        let mut refused = 0;
                        while refused < 79 {
                            let (name, body) = next(&mut raw).await;
                            refused += u32::from(name == "refused");
                            assert!(name != "refused" || body["code"] == "too_many", "{body}");
                        }
                    }
                    _ => {
                        raw.write(&consume(1)).await.unwrap();
                        raw.write(&credit).await.unwrap();
                        raw.write(&text(r#"{"ping":{"n":7}}"#)).await.unwrap();
                        while next(&mut raw).await.0 != "pong" {}
                    }
                }
            })
            .await;
        }
        // None of them is left that could be given a job.
        target.let_go().await;
        let id = enqueue(address, "for who is left").await;
        let taken = take(address).await;
        assert_eq!((&taken["id"], &taken["attempt"]), (&json!(id), &json!(1)));
        let done = json!({ "token": taken["token"] });
        let path = format!("/api/v1/work/jobs/{id}/complete");
        assert_eq!(say(address, &path, &done).await.0, 200);
        let mut honest = honest;
        honest.queue["done"] = json!(1);
        honest.still_stands().await;
    });
}

/// Boards and pages that nobody reads: the server has one board and one page wait.
#[test]
fn who_watches_and_asks_and_does_not_read_costs_a_board_and_a_page() {
    let siege = siege("boards that are not read").with("--silence-ms", "60000");
    siege.sockets(20, SOCKET + kib(512)).run(async |target| {
        let address = target.address;
        let honest = Honest::come(target).await;
        let large = json!({ "jobs": (0..200).map(|n| json!({
            "type": "task", "delay_ms": 3_600_000,
            "data": { "title": format!("job {n}"), "body": "y".repeat(900) },
        })).collect::<Vec<_>>() });
        let (status, body) = say(address, &format!("{INBOX}/batch"), &large).await;
        assert_eq!(status, 201, "{body}");
        let after = super::queue(address).await;
        let sockets = many(20, async |_| {
            let mut raw = narrow(target).await;
            for req in 1..=60 {
                let watch = format!(r#"{{"watch":{{"req":{req},"ns":"work","queue":"inbox"}}}}"#);
                if !raw.press(&text(&watch)).await {
                    break;
                }
            }
            let mut req = 100;
            let mut poured = 0;
            while poured < 1_000_000 {
                let more: Vec<u8> = (0..200)
                    .flat_map(|n| {
                        let req = req + n;
                        text(&format!(r#"{{"more":{{"req":{req},"sub":1,"place":"delayed"}}}}"#))
                    })
                    .collect();
                req += 200;
                poured += more.len();
                if !raw.press(&more).await {
                    break;
                }
            }
            raw
        })
        .await;
        target.hold().await;
        drop(sockets);
        let honest = Honest { queue: after, ..honest };
        honest.still_stands().await;
    });
}

/// Jobs are pushed as the socket takes them. Who does not read has few, which come again when they are gone.
#[test]
fn who_has_jobs_pushed_and_does_not_read_keeps_few_from_others() {
    let siege = siege("pushed jobs that are not read").with("--silence-ms", "60000");
    siege.sockets(20, SOCKET).run(async |target| {
        let address = target.address;
        let sockets = many(20, async |_| {
            let mut raw = narrow(target).await;
            let consume =
                r#"{"consume":{"req":1,"ns":"work","queue":"inbox","credit":1000,"lease_ms":500}}"#;
            raw.write(&text(consume)).await.unwrap();
            raw
        })
        .await;
        let body = "y".repeat(2_000);
        let mut made = 0;
        while target.round().await || made < 1_000 {
            let jobs = json!({ "jobs": (0..100).map(|n| json!({
                "type": "task", "max_attempts": 100, "data": { "title": format!("job {n}"), "body": body },
            })).collect::<Vec<_>>() });
            let (status, answer) = say(address, &format!("{INBOX}/batch"), &jobs).await;
            assert_eq!(status, 201, "{answer}");
            made += 100;
        }
        drop(sockets);
        // All of them come to who is honest, each once.
        let deadline = Instant::now() + crate::raw::PATIENCE * 2;
        let mut had = 0;
        while had < made {
            let wishes = json!({ "consumer": "honest", "max": 100, "wait_ms": 1_000, "lease_ms": 600_000 });
            let (status, answer) = say(address, &format!("{INBOX}/lease"), &wishes).await;
            assert_eq!(status, 200, "{answer}");
            had += answer["jobs"].as_array().unwrap().len();
            assert!(Instant::now() < deadline, "{had} of {made}");
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let queue = read(address, INBOX).await;
        let counts = ["ready", "leased", "done", "dead"].map(|name| queue[name].clone());
        assert_eq!(counts, [json!(0), json!(made), json!(0), json!(0)]);
    });
}
