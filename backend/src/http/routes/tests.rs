//! Every address of the router, asked for by who may do nothing, or all but one thing.

use crate::{
    app::{Builder, Handle, api},
    clock,
    domain::{chat::ChatRules, work::WorkRules},
    engine::memory::MemoryEngine,
    rights::{Right, denied},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request},
};
use holdfast_common::{chat, id::RoomId, job::NewJob, system::Export, work};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use tower::ServiceExt as _;

const METHODS: [Method; 5] =
    [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

const RIGHTS: [Right; 6] =
    [Right::Enqueue, Right::Consume, Right::Govern, Right::Read, Right::Hook, Right::Schedule];

async fn server() -> (Router, Handle) {
    let builder = Builder::new(Arc::new(MemoryEngine::default())).queues(work::queues());
    let builder = builder.namespace(chat::Serve(ChatRules)).namespace(work::Serve(WorkRules));
    builder.build().await.unwrap()
}

/// What is answered to who has not got these rights.
async fn ask(router: &Router, without: &[Right], method: &Method, path: &str) -> (u16, Value) {
    say(router, without, method, path, &json!({})).await
}

async fn say(
    router: &Router,
    without: &[Right],
    method: &Method,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let request = Request::builder().method(method).uri(format!("/api/v1{path}"));
    let request = request.header("host", "localhost").header("content-type", "application/json");
    let answer = router.clone().oneshot(request.body(Body::from(body.to_string())).unwrap());
    let answer = denied::during(without, answer).await.unwrap();
    let (status, body) = (answer.status().as_u16(), to_bytes(answer.into_body(), 65_536).await);
    (status, serde_json::from_slice(&body.unwrap()).unwrap_or_default())
}

async fn is_denied(router: &Router, without: &[Right], method: &Method, path: &str) -> bool {
    let (status, body) = ask(router, without, method, path).await;
    let denied = body["code"] == "forbidden";
    assert_eq!(denied, status == 403, "{method} {path}: {body}");
    denied
}

/// An address with something in each place: nothing of it need be there.
fn filled(path: &str) -> String {
    let id = RoomId::NIL.to_string();
    let places = [
        ("{namespace}", "work"),
        ("{queue}", "inbox"),
        ("{room}", "lobby"),
        ("{name}", "nightly"),
        ("{id}", &id),
    ];
    let filled = places.iter().fold(path.to_owned(), |path, (at, with)| path.replace(at, with));
    assert!(!filled.contains('{'), "{filled}");
    filled
}

/// The addresses that name a namespace, and those whose handler asks.
fn addresses() -> (BTreeMap<&'static str, Vec<Right>>, Vec<&'static str>) {
    let (mut named, mut found) = (BTreeMap::<_, Vec<_>>::new(), Vec::new());
    for route in api().0 {
        match route.right {
            Some(right) => named.entry(route.path).or_default().push(right),
            None => found.push(route.path),
        }
    }
    (named, found)
}

#[tokio::test]
async fn who_has_no_rights_is_refused_at_every_address_of_queues_and_what_stands_beside_them() {
    let (router, _handle) = server().await;
    for (path, rights) in addresses().0 {
        let mut refused = Vec::new();
        for method in METHODS {
            let (status, body) = ask(&router, &RIGHTS, &method, &filled(path)).await;
            match status {
                403 => refused.push(method),
                other => assert_eq!(other, 405, "{method} {path}: {body}"),
            }
        }
        assert_eq!(refused.len(), rights.len(), "{path}: {refused:?}");
    }
}

#[tokio::test]
async fn each_address_asks_for_one_right_and_for_one_that_changes_something_where_it_does() {
    let (router, _handle) = server().await;
    let mut asked = BTreeSet::new();
    for (path, mut rights) in addresses().0 {
        for method in METHODS {
            let mut without = Vec::new();
            for right in RIGHTS {
                if is_denied(&router, &[right], &method, &filled(path)).await {
                    without.push(right);
                }
            }
            let [right] = without[..] else {
                assert!(without.is_empty(), "{method} {path}: {without:?}");
                continue;
            };
            let at = rights.iter().position(|it| *it == right);
            rights.remove(at.unwrap_or_else(|| panic!("{method} {path}: {right:?}")));
            // To have a room's log as a file is to read it.
            let reads = method == Method::GET || path.ends_with("/export");
            let may_read = matches!(right, Right::Read | Right::Hook);
            assert!(if reads { may_read } else { right != Right::Read }, "{method} {path}");
            asked.insert(format!("{right:?}"));
        }
        assert_eq!(rights, [], "{path}");
    }
    assert_eq!(asked.len(), RIGHTS.len(), "{asked:?}");
}

#[tokio::test]
async fn what_is_found_in_namespaces_that_may_not_be_read_is_not_told() {
    let (router, handle) = server().await;
    assert_eq!(addresses().1, ["/queues", "/holdfast/exports/{job}"]);
    let queues = async |without: &[Right]| {
        let (status, body) = ask(&router, without, &Method::GET, "/queues").await;
        assert_eq!(status, 200);
        body["queues"].as_array().unwrap().len()
    };
    assert_eq!((queues(&[]).await, queues(&[Right::Read]).await), (3, 0));
    let room = RoomId::NIL;
    let export = Export { room, namespace: "chat".to_owned(), name: "lobby".to_owned() };
    let job = NewJob::of(clock::fresh_job().unwrap(), &export);
    let path = format!("/holdfast/exports/{}", job.id);
    handle.shared().queues.desk.enqueue(vec![job], None).await.unwrap();
    assert!(!is_denied(&router, &[], &Method::GET, &path).await);
    assert!(is_denied(&router, &[Right::Read], &Method::GET, &path).await);
}

#[tokio::test]
async fn to_enqueue_with_an_end_or_to_mend_a_dead_letter_is_to_enqueue() {
    let (router, _handle) = server().await;
    let inbox = "/work/queues/inbox";
    let task = json!({ "type": "task", "data": { "title": "x" } });
    let post = async |without: &[Right], path: &str, body: &Value| {
        let (status, answer) = say(&router, without, &Method::POST, path, body).await;
        (status, answer["state"].clone())
    };
    let take = async || {
        let path = format!("{inbox}/lease");
        let wish = json!({ "consumer": "tester" });
        let (_, leased) = say(&router, &[], &Method::POST, &path, &wish).await;
        let job = &leased["jobs"][0];
        (format!("/work/jobs/{}", job["id"].as_str().unwrap()), job["token"].clone())
    };
    let enqueue = Right::Enqueue;
    assert_eq!(post(&[], &format!("{inbox}/jobs"), &task).await.0, 201);
    let (job, token) = take().await;
    let fails = json!({ "token": token, "retry": false });
    assert_eq!(post(&[enqueue], &format!("{job}/fail"), &fails).await, (200, json!("dead")));
    let requeue = format!("{job}/requeue");
    assert_eq!(post(&[enqueue], &requeue, &json!({ "data": task["data"] })).await.0, 403);
    assert_eq!(post(&[enqueue], &requeue, &json!({})).await, (200, json!("ready")));
    let (job, token) = take().await;
    let (complete, done) = (format!("{job}/complete"), json!({ "token": token }));
    let further = json!({ "token": token, "jobs": [{ "job": task }] });
    assert_eq!(post(&[enqueue], &complete, &further).await.0, 403);
    assert_eq!(post(&[enqueue], &complete, &done).await, (200, json!("done")));
}
