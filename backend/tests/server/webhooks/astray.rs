//! Receivers that say nothing, or lead inside: nothing is lost by either.

use super::{HOOKS, QUEUE, jobs, receiver, receiver::Receiver, say, start_with, until};
use crate::{
    faulty::{Faulty, passing},
    rig::Rig,
};
use holdfast_backend::engine::{Engine, memory::MemoryEngine, sqlite::SqliteEngine};
use holdfast_common::{
    storage::{Fault, jobs::How},
    time::Millis,
};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, TcpListener as StdListener},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

/// How long an attempt may take where none is answered.
const SHORT: Duration = Duration::from_millis(200);

pub(super) async fn on_both(test: impl AsyncFn(Arc<dyn Engine>, Option<TempDir>)) {
    test(Arc::new(MemoryEngine::new()), None).await;
    let folder = tempfile::tempdir().unwrap();
    let engine = SqliteEngine::open(folder.path()).unwrap();
    test(Arc::new(engine), Some(folder)).await;
}

/// Takes connections, as the backlog of a listener does, and is asked whether any have come.
pub(super) fn quiet() -> (SocketAddr, StdListener) {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    (listener.local_addr().unwrap(), listener)
}

async fn hook(rig: &Rig, at: SocketAddr) {
    let hook = json!({ "url": format!("http://{at}/hook?of=lobby") }).to_string();
    let made = rig.post(HOOKS, "", &hook).await;
    assert_eq!(made.status, 201, "{}", made.text());
}

/// The only dead letter, once there is one.
async fn dead(rig: &Rig) -> Value {
    until(rig, |queue| queue["dead"] == 1).await;
    let [dead] = &jobs(rig, "dead").await[..] else { panic!("one dead letter") };
    rig.get(&format!("/api/v1/holdfast/jobs/{}", dead["id"].as_str().unwrap())).await.json()
}

fn errors(job: &Value) -> Vec<(u64, &str)> {
    let errors = job["errors"].as_array().unwrap().iter();
    errors.map(|it| (it["attempt"].as_u64().unwrap(), it["error"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_receiver_that_never_answers_is_tried_again_and_at_last_a_dead_letter_which_can_be_sent()
{
    on_both(async |engine, folder| {
        let (at, silent) = quiet();
        let rig = start_with(engine, folder, at, |builder| builder.webhook_time(SHORT)).await;
        hook(&rig, at).await;
        say(&rig, "unheard").await;
        let dead = dead(&rig).await;
        assert_eq!(dead["failure"]["code"], "slow");
        let slow = "slow: the receiver did not answer within 200ms";
        assert_eq!(errors(&dead), [(1, slow), (2, slow), (3, slow)]);
        for error in dead["errors"].as_array().unwrap() {
            assert!(error["took_ms"].as_u64().unwrap() >= 190, "{error}");
        }
        // It begins to answer: it finds what was said to it, and then the one that is sent again.
        let mut receiver = Receiver::on(TcpListener::from_std(silent).unwrap());
        let ids = json!({ "ids": [dead["id"]] }).to_string();
        assert_eq!(rig.post(&format!("{QUEUE}/requeue"), "", &ids).await.json()["count"], 1);
        until(&rig, |queue| queue["done"] == 1 && queue["dead"] == 0).await;
        let had = receiver.all(4).await;
        assert!(
            had.iter().all(|it| it.header("webhook-id") == dead["id"] && it.text() == "unheard")
        );
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_redirects_inside_leads_nobody_there() {
    on_both(async |engine, folder| {
        let (inside, untouched) = quiet();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                receiver::read(&mut stream).await;
                let head = format!(
                    "HTTP/1.1 307 Elsewhere\r\nlocation: http://{inside}/secrets\r\n\
                     content-length: 0\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all(head.as_bytes()).await;
            }
        });
        let rig = start_with(engine, folder, at, |builder| builder).await;
        hook(&rig, at).await;
        say(&rig, "astray").await;
        let dead = dead(&rig).await;
        let failure = &dead["failure"];
        assert_eq!((&failure["code"], &failure["status"]), (&json!("redirected"), &json!(307)));
        let errors = errors(&dead);
        assert_eq!(errors.len(), 3);
        for (_, error) in errors {
            assert!(
                error.ends_with("307 Temporary Redirect, and redirects are not followed"),
                "{error}"
            );
        }
        assert!(untouched.accept().is_err(), "somebody came");
    })
    .await;
}

#[tokio::test]
async fn a_storage_that_cannot_say_costs_a_delivery_time_and_no_attempt_and_no_snooze() {
    let (engine, mut receiver) = (Arc::new(Faulty::default()), Receiver::start().await);
    let rig = start_with(Arc::clone(&engine) as Arc<dyn Engine>, None, receiver.at, |it| it).await;
    hook(&rig, receiver.at).await;
    engine.bad_slices.lock().unwrap().extend(passing());
    say(&rig, "late").await;
    receiver.next().await;
    until(&rig, |queue| queue["done"] == 1).await;
    assert_eq!(jobs(&rig, "done").await[0]["attempt"], 1);
    let ends = engine.ends.lock().unwrap().clone();
    let back = |how: &How| matches!(how, How::HandBack { delay: Millis(1..) });
    assert!(ends.len() == 4 && ends[..3].iter().all(back), "{ends:?}");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_costs_a_delivery_an_attempt() {
    let (engine, mut receiver) = (Arc::new(Faulty::default()), Receiver::start().await);
    let rig = start_with(Arc::clone(&engine) as Arc<dyn Engine>, None, receiver.at, |it| it).await;
    hook(&rig, receiver.at).await;
    engine.bad_slices.lock().unwrap().push(Fault::Failed("a page cannot be read".to_owned()));
    say(&rig, "torn").await;
    receiver.next().await;
    until(&rig, |queue| queue["done"] == 1).await;
    assert_eq!(jobs(&rig, "done").await[0]["attempt"], 2);
}
