//! Requests: an address, headers and a body, taken by the router as the server has it.

use crate::PART;
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Request, StatusCode, header, request},
};
use holdfast_backend::{app::Builder, domain::chat::ChatRules, engine::memory::MemoryEngine};
use holdfast_common::{chat, error::Code};
use http_body_util::BodyExt;
use serde_json::{Value, value::RawValue};
use std::{collections::BTreeMap, sync::Arc};
use tokio::runtime;
use tower::ServiceExt;

const LOBBY: &str = "/api/v1/chat/rooms/lobby/events";

/// Each request is a line with a method and an address, a line for each header, an empty line and the
/// body. It is answered, and never with a fault of the server's own; the interface says no with a
/// code that it documents. What was appended is read as it was sent, and sent again with its key it
/// is answered with the same place. A log is told in order and without a hole.
///
/// # Panics
/// One of that is not so.
pub fn run(bytes: &[u8]) {
    let requests: Vec<Asked> = bytes.split(|byte| *byte == PART).filter_map(read).collect();
    if requests.is_empty() {
        return;
    }
    let runtime = runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a thread has a runtime").block_on(async {
        let server = Server::start().await;
        for asked in requests {
            server.ask(asked).await;
        }
    });
}

/// A request.
#[derive(Clone)]
struct Asked {
    head: request::Parts,
    body: Vec<u8>,
}

/// `None` for what never comes through to the router: hyper refuses it.
fn read(bytes: &[u8]) -> Option<Asked> {
    let mut rest = bytes;
    let mut line = || {
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        line
    };
    let (method, address) = std::str::from_utf8(line()).ok()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(address);
    loop {
        let header = line();
        if header.is_empty() {
            break;
        }
        let at = header.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&header[..at]).ok()?;
        let value = HeaderValue::from_bytes(header[at + 1..].trim_ascii()).ok()?;
        request = request.header(name, value);
    }
    let (head, ()) = request.body(()).ok()?.into_parts();
    Some(Asked { head, body: rest.to_vec() })
}

/// What came back.
struct Answer {
    status: StatusCode,
    kind: String,
    body: Bytes,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("the interface answers JSON")
    }
}

struct Server {
    router: Router,
}

impl Server {
    async fn start() -> Self {
        let builder = Builder::new(Arc::new(MemoryEngine::new()))
            .namespace(chat::Serve(ChatRules))
            .welcome_room("chat", chat::LOBBY)
            .page();
        let (router, _) = builder.build().await.expect("a server in memory is made");
        Self { router }
    }

    async fn ask(&self, asked: Asked) {
        let path = asked.head.uri.path().to_owned();
        let answer = self.answer(asked.clone()).await;
        assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{:?}", asked.head);
        if !path.starts_with("/api/") {
            return;
        }
        if answer.status.as_u16() >= 400 {
            return refused(&answer);
        }
        match answer.status {
            StatusCode::CREATED => self.appended(&asked, &answer).await,
            StatusCode::OK if asked.head.method == "GET" => told(&asked, &answer.json()),
            _ => {}
        }
    }

    async fn answer(&self, asked: Asked) -> Answer {
        let request = Request::from_parts(asked.head, Body::from(asked.body));
        let answer = self.router.clone().oneshot(request).await;
        let (head, body) = answer.unwrap_or_else(|never| match never {}).into_parts();
        let body = body.collect().await.expect("a body in memory is whole").to_bytes();
        let kind = head.headers.get(header::CONTENT_TYPE);
        let kind =
            kind.map_or(String::new(), |kind| String::from_utf8_lossy(kind.as_bytes()).into());
        Answer { status: head.status, kind, body }
    }

    /// It stands in the log as it was sent, once.
    async fn appended(&self, asked: &Asked, answer: &Answer) {
        let place = answer.json();
        let sent: BTreeMap<String, Box<RawValue>> =
            serde_json::from_slice(&asked.body).expect("it was taken as an event");
        let offset = place["offset"].as_u64().expect("it has a place");
        let read = self.get(&format!("{LOBBY}?after={}&limit=1", offset - 1)).await;
        let read = String::from_utf8(read.body.to_vec()).expect("JSON is UTF-8");
        let data = format!(r#""data":{}"#, sent["data"].get());
        assert!(read.contains(&data), "{data} is not in {read}");
        let read: Value = serde_json::from_str(&read).expect("the interface answers JSON");
        assert_eq!((&read["head"], &read["events"][0]["id"]), (&place["offset"], &place["id"]));
        assert_eq!(read["events"][0]["type"].to_string(), normal(sent["type"].get()));
        if asked.head.headers.contains_key("idempotency-key") {
            let again = self.answer(asked.clone()).await;
            assert_eq!((again.status, again.json()), (StatusCode::OK, place));
        }
    }

    async fn get(&self, address: &str) -> Answer {
        let request = Request::get(address).header(header::HOST, "localhost").body(());
        let (head, ()) = request.expect("it is an address").into_parts();
        self.answer(Asked { head, body: Vec::new() }).await
    }
}

fn normal(json: &str) -> String {
    serde_json::from_str::<Value>(json).expect("it was read before").to_string()
}

fn refused(answer: &Answer) {
    assert_eq!(answer.kind, "application/problem+json");
    let problem = answer.json();
    let name = problem["code"].as_str().unwrap_or_default();
    let code = Code::ALL.iter().find(|code| code.name() == name).expect("the code is documented");
    assert_eq!(problem["status"], answer.status.as_u16());
    assert_eq!(code.number(), answer.status.as_u16(), "{name}");
}

/// Entries after the asked offset, each the next one.
fn told(asked: &Asked, read: &Value) {
    let query = asked.head.uri.query().unwrap_or_default();
    let after = query.split('&').filter_map(|pair| pair.strip_prefix("after=")).next_back();
    let after: u64 = after.map_or(0, |after| after.parse().expect("it was taken as an offset"));
    let head = read["head"].as_u64().expect("a log has a head");
    let events = read["events"].as_array().expect("there is a list of events");
    for (event, offset) in events.iter().zip(after + 1..) {
        assert_eq!(event["offset"], offset);
    }
    assert!(after + events.len() as u64 <= head);
    assert!(after == head || !events.is_empty(), "there is more than nothing up to {head}");
}
