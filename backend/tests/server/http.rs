//! The plain HTTP interface.

use crate::{
    rig::{Rig, on_every_engine},
    talker::{Talker, text},
};
use holdfast_common::limits::Limits;
use serde_json::json;

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

fn message(text: &str) -> String {
    json!({ "type": "message", "data": { "text": text } }).to_string()
}

on_every_engine! {
    async fn an_event_that_was_posted_is_read_and_reaches_the_connections(rig) {
        let mut anna = Talker::at_home(&rig, "Anna").await;
        let posted = rig.post(LOBBY, "", &message("from a service")).await;
        assert_eq!(posted.status, 201, "{}", posted.text());
        assert_eq!(posted.header("content-type"), "application/json");
        let posted = posted.json();
        let entry = anna.entries(rig.lobby, 1).await.remove(0);
        assert_eq!(text(&entry), "from a service");
        assert_eq!(entry.from.name, "service");
        assert_eq!(json!(entry.id), posted["id"]);
        let read = rig.get(&format!("{LOBBY}?after=1")).await.json();
        assert_eq!(read["epoch"], posted["epoch"]);
        assert_eq!((&read["head"], &read["gap"]), (&json!(2), &json!(null)));
        let event = &read["events"][0];
        assert_eq!(event["data"], json!({ "text": "from a service" }));
        assert_eq!((&event["offset"], &event["type"]), (&json!(2), &json!("message")));
        assert!(event["at"].as_u64().unwrap() > 1_700_000_000_000);
        assert_eq!(event["from"]["name"], "service");
    }

    async fn a_key_makes_a_repeat_return_the_first_answer(rig) {
        let key = "idempotency-key: order 66\r\n";
        let first = rig.post(LOBBY, key, &message("once")).await;
        assert_eq!(first.status, 201, "{}", first.text());
        let again = rig.post(LOBBY, key, &message("once")).await;
        assert_eq!((again.status, again.json()), (200, first.json()));
        rig.post(LOBBY, key, &message("other")).await.is(422, "idempotency_mismatch");
        let other = rig.post(LOBBY, "idempotency-key: order 67\r\n", &message("once")).await;
        assert_eq!(other.json()["offset"], 3);
        let head = rig.get(LOBBY).await.json();
        assert_eq!(head["head"], 3);
    }

    async fn posts_at_the_same_time_all_stand_in_the_log_once(rig) {
        let rig = std::sync::Arc::new(rig);
        let posts = (0..50).map(|n| {
            let rig = std::sync::Arc::clone(&rig);
            tokio::spawn(async move {
                let key = format!("idempotency-key: {}\r\n", n / 2);
                let answer = rig.post(LOBBY, &key, &message(&format!("{}", n / 2))).await;
                answer.json()["offset"].as_u64().unwrap()
            })
        });
        let mut offsets = Vec::new();
        for post in posts.collect::<Vec<_>>() {
            offsets.push(post.await.unwrap());
        }
        offsets.sort_unstable();
        offsets.dedup();
        assert_eq!(offsets, (2..27).collect::<Vec<u64>>());
    }

    async fn a_log_is_read_page_by_page(rig) {
        for n in 2..=12 {
            rig.post(LOBBY, "", &message(&format!("{n}"))).await;
        }
        let mut after = 0;
        let mut offsets = Vec::new();
        loop {
            let page = rig.get(&format!("{LOBBY}?after={after}&limit=5")).await.json();
            let events = page["events"].as_array().unwrap().clone();
            let Some(last) = events.last() else { break };
            assert!(events.len() <= 5);
            after = last["offset"].as_u64().unwrap();
            offsets.extend(events.iter().map(|event| event["offset"].as_u64().unwrap()));
        }
        assert_eq!(offsets, (1..=12).collect::<Vec<u64>>());
    }

    async fn a_log_that_is_another_one_or_shorter_is_a_reset(rig) {
        let epoch = rig.get(LOBBY).await.json()["epoch"].as_str().unwrap().to_owned();
        assert_eq!(rig.get(&format!("{LOBBY}?epoch={epoch}&after=1")).await.status, 200);
        let ahead = rig.get(&format!("{LOBBY}?after=2")).await;
        ahead.is(409, "reset");
        assert_eq!(ahead.json()["reason"], "future");
        assert_eq!(ahead.json()["head"], 1);
        let other = "01a1f8f9-fa9b-7040-853b-52d3e4719009";
        let other = rig.get(&format!("{LOBBY}?epoch={other}")).await;
        other.is(409, "reset");
        assert_eq!(other.json()["epoch"], json!(epoch));
        rig.get(&format!("{LOBBY}?after=18446744073709551615")).await.is(409, "reset");
    }

    async fn a_reader_that_shows_its_mark_goes_on_in_the_same_log_alone(rig) {
        for n in 2..=4 {
            rig.post(LOBBY, "", &message(&format!("{n}"))).await;
        }
        let read = rig.get(LOBBY).await.json();
        let mark = |at: usize| read["events"][at - 1]["mark"].as_str().unwrap();
        let at = async |after: u64, mark: &str| {
            rig.get(&format!("{LOBBY}?after={after}&mark={mark}")).await
        };
        assert_eq!(at(2, mark(2)).await.json()["events"][0]["offset"], 3);
        assert_eq!(at(4, mark(4)).await.json()["events"], json!([]));
        assert_eq!(at(0, "0000000000000000").await.json()["events"][0]["offset"], 1);
        for (after, mark) in [(2, mark(3)), (0, mark(1))] {
            let answer = at(after, mark).await;
            answer.is(409, "reset");
            assert_eq!(answer.json()["reason"], "forked");
        }
        assert_eq!(at(u64::MAX, mark(1)).await.json()["reason"], "future");
        rig.engine.trim(rig.lobby, 4).await.unwrap();
        at(3, mark(2)).await.is(409, "reset");
        assert_eq!(at(3, mark(3)).await.json()["events"][0]["offset"], 4);
        assert_eq!(at(1, mark(1)).await.json()["gap"]["to"], 3, "what was trimmed tells nothing");
    }

    async fn what_was_trimmed_is_a_gap(rig) {
        for n in 0..9 {
            rig.post(LOBBY, "", &message(&format!("{n}"))).await;
        }
        rig.engine.trim(rig.lobby, 6).await.unwrap();
        let read = rig.get(&format!("{LOBBY}?after=2")).await.json();
        let gap = json!({ "from": 3, "to": 5, "count": 3, "reason": "trimmed" });
        assert_eq!(read["gap"], gap);
        assert_eq!(read["events"][0]["offset"], 6);
        assert_eq!(rig.get(&format!("{LOBBY}?after=5")).await.json()["gap"], json!(null));
    }

    async fn what_was_taken_back_is_hollow(rig) {
        let id = rig.post(LOBBY, "", &message("a secret")).await.json()["id"].clone();
        let delete = json!({ "type": "delete", "data": { "target": id } }).to_string();
        assert_eq!(rig.post(LOBBY, "", &delete).await.status, 201);
        let read = rig.get(LOBBY).await;
        assert!(!read.text().contains("a secret"));
        let hollow = &read.json()["events"][1];
        assert_eq!((&hollow["type"], hollow.get("data")), (&json!("hollow"), None));
        rig.post(LOBBY, "", &delete).await.is(410, "target_gone");
    }
}

#[tokio::test]
async fn a_request_that_is_wrong_says_what_is_wrong() {
    let rig = Rig::memory().await;
    for (body, status, code) in [
        ("", 400, "bad_request"),
        ("nonsense", 400, "bad_request"),
        ("[]", 400, "bad_request"),
        (r#"{"type":"message"}"#, 400, "bad_request"),
        (r#"{"type":7,"data":{}}"#, 400, "bad_request"),
        (r#"{"type":"message","data":{"text":"a"},"tpye":1}"#, 400, "bad_request"),
        (r#"{"type":"message","data":{"text":"a"}} x"#, 400, "bad_request"),
        (r#"{"type":"message","data":{}}"#, 422, "bad_payload"),
        (r#"{"type":"message","data":null}"#, 422, "bad_payload"),
        (r#"{"type":"message","data":{"text":-1e999}}"#, 422, "bad_payload"),
        (r#"{"type":"message","data":{"text":"\ud800"}}"#, 422, "bad_payload"),
        (r#"{"type":"message","data":{"text":" "}}"#, 422, "refused"),
        (r#"{"type":"message","data":{"text":"\u0000"}}"#, 422, "refused"),
        (r#"{"type":"dance","data":{}}"#, 422, "unknown_type"),
        (r#"{"type":"typing","data":{}}"#, 422, "wrong_class"),
        (r#"{"type":"room_created","data":{"name":"x"}}"#, 409, "room_exists"),
    ] {
        rig.post(LOBBY, "", body).await.is(status, code);
    }
    let refused = rig.post(LOBBY, "", &message(" ")).await.json();
    assert_eq!(refused["why"], json!({ "reason": "empty" }));
    rig.post("/api/v1/chat/rooms/nowhere/events", "", &message("x")).await.is(404, "unknown_room");
    rig.post("/api/v1/chat/rooms/%ff/events", "", &message("x")).await.is(400, "bad_request");
    rig.post("/api/v1/nothing/rooms/x/events", "", &message("x"))
        .await
        .is(404, "unknown_namespace");
    rig.get("/api/v1/chat/rooms/nowhere/events").await.is(404, "unknown_room");
    rig.get("/api/v1/nonsense").await.is(404, "not_found");
    for query in ["limit=0", "limit=1001", "after=-1", "after=x", "epoch=x", "limit=9999999999"] {
        rig.get(&format!("{LOBBY}?{query}")).await.is(400, "bad_request");
    }
    for key in ["", &"x".repeat(129), "\u{0}"] {
        let header = format!("idempotency-key: {key}\r\n");
        let status = rig.post(LOBBY, &header, &message("x")).await.status;
        assert_eq!(status, 400, "{key:?}");
    }
    let delete = format!("DELETE {LOBBY} HTTP/1.1\r\nhost: {}\r\n", rig.address);
    rig.ask(&delete, b"").await.is(405, "method_not_allowed");
    for (method, path, allowed) in [
        ("PUT", "/", "GET, HEAD"),
        ("OPTIONS", "/", "GET, HEAD"),
        ("DELETE", "/rooms/lobby", "GET, HEAD"),
        ("OPTIONS", LOBBY, "GET,HEAD,POST"),
        ("PUT", "/healthz", "GET,HEAD"),
        ("PUT", "/ws", "GET,HEAD"),
    ] {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", rig.address);
        let answer = rig.ask(&head, b"").await;
        answer.is(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
    for path in ["/nothing", "/api/v1/nonsense"] {
        let head = format!("PUT {path} HTTP/1.1\r\nhost: {}\r\n", rig.address);
        rig.ask(&head, b"").await.is(404, "not_found");
    }
    assert_eq!(rig.get(LOBBY).await.json()["head"], 1);
}

#[tokio::test]
async fn a_body_is_not_read_beyond_the_limit() {
    let limits = Limits { payload_bytes: 1_000, ..Limits::default() };
    let most = limits.frame_bytes();
    let rig = Rig::with(limits).await;
    rig.post(LOBBY, "", &message(&"x".repeat(1_001))).await.is(413, "too_large");
    rig.post(LOBBY, "", &message(&"x".repeat(most))).await.is(413, "too_large");
    let head = format!(
        "POST {LOBBY} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\n",
        rig.address
    );
    let mut chunks = format!("{:x}\r\n{}\r\n", most + 1, "x".repeat(most + 1));
    chunks.push_str("0\r\n\r\n");
    rig.ask(&head, chunks.as_bytes()).await.is(413, "too_large");
    assert_eq!(rig.post(LOBBY, "", &message(&"x".repeat(900))).await.status, 201);
}

#[tokio::test]
async fn other_hosts_origins_and_content_types_are_turned_away() {
    let rig = Rig::memory().await;
    let address = rig.address;
    let post = |host: &str, more: &str| {
        format!("POST {LOBBY} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n{more}")
    };
    let own = address.to_string();
    let json = "content-type: application/json; charset=utf-8\r\n";
    let cases = [
        ("example.org", json.to_owned(), 403),
        ("localhost.example.org", json.to_owned(), 403),
        (own.as_str(), format!("{json}origin: http://example.org\r\n"), 403),
        (own.as_str(), format!("{json}origin: null\r\n"), 403),
        (own.as_str(), format!("{json}host: example.org\r\n"), 403),
        (own.as_str(), String::new(), 415),
        (own.as_str(), "content-type: text/plain\r\n".to_owned(), 415),
        (own.as_str(), format!("{json}origin: http://{own}\r\n"), 400),
        (own.as_str(), format!("{json}origin: http://localhost:8080\r\n"), 400),
    ];
    for (host, more, status) in cases {
        let answer = rig.ask(&post(host, &more), b"").await;
        assert_eq!(answer.status, status, "{host} {more}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{host} {more}");
        assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    }
    for (path, host, status) in [
        ("/", "example.org", 403),
        ("/healthz", "example.org", 403),
        ("/healthz", "localhost", 200),
    ] {
        let get = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n");
        assert_eq!(rig.ask(&get, b"").await.status, status, "{path} {host}");
    }
    let upgrade = |more: &str| {
        format!(
            "GET /ws HTTP/1.1\r\nhost: {own}\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}"
        )
    };
    rig.ask(&upgrade("origin: http://example.org\r\n"), b"").await.is(403, "wrong_origin");
    rig.get("/ws").await.is(400, "bad_request");
}

#[tokio::test]
async fn the_server_says_how_it_is() {
    let rig = Rig::memory().await;
    rig.post(LOBBY, "", &message("x")).await;
    let _anna = Talker::at_home(&rig, "Anna").await;
    assert_eq!(rig.get("/healthz").await.status, 200);
    assert_eq!(rig.get("/readyz").await.status, 200);
    let metrics = rig.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    let metrics = metrics.text();
    // The first entry of the lobby, and the one that was posted.
    for line in [
        "holdfast_emits_total{verdict=\"ack\"} 2",
        "holdfast_appended_total 2",
        "holdfast_commits_total 0",
        "holdfast_connections 1",
    ] {
        assert!(metrics.lines().any(|it| it == line), "{line} in {metrics}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_for_each_commit_can_be_told_from_the_metrics() {
    let rig = Rig::sqlite().await;
    let counted = async |name: &str| -> u64 {
        let metrics = rig.get("/metrics").await.text();
        let line = metrics.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap().trim().parse().unwrap()
    };
    let before = counted("holdfast_commits_total ").await;
    assert!(before >= 1, "the lobby was made");
    for _ in 0..5 {
        // Each waits for its commit before the next one comes.
        assert_eq!(rig.post(LOBBY, "", &message("x")).await.status, 201);
    }
    assert_eq!(counted("holdfast_commits_total ").await, before + 5);
    assert_eq!(counted("holdfast_appended_total ").await, 1 + 5);
    let again = "idempotency-key: k\r\n";
    for _ in 0..3 {
        rig.post(LOBBY, again, &message("once")).await;
    }
    assert_eq!(counted("holdfast_appended_total ").await, 1 + 5 + 1);
}
