//! A receiver that says nothing, among others that answer.

use super::{
    HOOKS, QUEUE,
    astray::{on_both, quiet},
    jobs,
    receiver::Receiver,
    say, start_with, until,
};
use crate::rig::{PATIENCE, Rig};
use holdfast_backend::{app::Builder, webhook::Targets};
use serde_json::json;
use std::{
    collections::BTreeSet,
    io::ErrorKind,
    net::{SocketAddr, TcpListener as StdListener, TcpStream},
    time::Duration,
};
use tokio::net::TcpListener;

/// More than may be under way at once.
const MANY: usize = 70;

/// Nothing that is waited for here comes of an attempt that ends by itself.
const LONG: Duration = PATIENCE.saturating_mul(3);

/// Webhooks may go to these two, who may take their time.
fn to(one: SocketAddr, other: SocketAddr) -> impl FnOnce(Builder) -> Builder {
    let inside = [one, other].map(|at| at.to_string().parse().unwrap()).to_vec();
    move |builder| builder.webhooks(Targets { public: Vec::new(), inside }).webhook_time(LONG)
}

async fn hook(rig: &Rig, url: &str) {
    let made = rig.post(HOOKS, "", &json!({ "url": url }).to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text());
}

async fn say_many(rig: &Rig) {
    for n in 0..MANY {
        say(rig, &format!("number {n}")).await;
    }
}

/// The connections that have come to a listener. Whoever holds them says nothing; dropped, they are
/// reset, which is an answer too.
#[must_use]
fn come(listener: &StdListener) -> Vec<TcpStream> {
    let accepted = std::iter::from_fn(|| match listener.accept() {
        Ok((stream, _)) => Some(stream),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            None
        }
    });
    accepted.collect()
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_other_waiting_however_many_events_there_are() {
    on_both(async |engine, folder| {
        let (at, silent) = quiet();
        let mut receiver = Receiver::start().await;
        let rig = start_with(engine, folder, at, to(at, receiver.at)).await;
        hook(&rig, &format!("http://{at}/hook")).await;
        say_many(&rig).await;
        until(&rig, |queue| queue["leased"] == 4).await;
        hook(&rig, &receiver.url()).await;
        for text in ["one", "two", "three"] {
            say(&rig, text).await;
            assert_eq!(receiver.next().await.text(), text);
        }
        // The silent one still is, and has cost no delivery an attempt.
        let held = come(&silent);
        assert_eq!(held.len(), 4);
        let queue = until(&rig, |queue| queue["done"] == 3 && queue["leased"] == 4).await;
        assert_eq!((&queue["ready"], &queue["dead"]), (&json!(MANY + 3 - 4), &json!(0)), "{queue}");
        for job in jobs(&rig, "ready").await {
            assert_eq!((&job["attempt"], &job["errors"]), (&json!(0), &json!([])), "{job}");
        }
        drop(held);
    })
    .await;
}

#[tokio::test]
async fn of_one_host_some_places_are_left_to_its_other_webhooks() {
    on_both(async |engine, folder| {
        let (at, silent) = quiet();
        let rig = start_with(engine, folder, at, to(at, at)).await;
        hook(&rig, &format!("http://{at}/one")).await;
        say_many(&rig).await;
        until(&rig, |queue| queue["leased"] == 4).await;
        hook(&rig, &format!("http://{at}/two")).await;
        say_many(&rig).await;
        until(&rig, |queue| queue["leased"] == 8).await;
        hook(&rig, &format!("http://{at}/three")).await;
        say(&rig, "to all of them").await;
        let waits = 3 * MANY + 3 - 8;
        until(&rig, |queue| queue["leased"] == 8 && queue["delayed"] == waits).await;
        assert_eq!(come(&silent).len(), 8);
    })
    .await;
}

#[tokio::test]
async fn a_receiver_that_begins_to_answer_has_all_that_waited_for_it_and_each_once() {
    on_both(async |engine, folder| {
        let (at, silent) = quiet();
        let rig = start_with(engine, folder, at, to(at, at)).await;
        hook(&rig, &format!("http://{at}/hook?of=lobby")).await;
        say_many(&rig).await;
        until(&rig, |queue| queue["leased"] == 4).await;
        let mut receiver = Receiver::on(TcpListener::from_std(silent).unwrap());
        let had = receiver.all(MANY).await;
        let texts: BTreeSet<_> = had.iter().map(|it| it.text()).collect();
        assert_eq!(texts.len(), MANY);
        until(&rig, |queue| queue["done"] == MANY && queue["ready"] == 0).await;
        assert!(receiver.is_quiet());
        let lists = rig.get(&format!("{QUEUE}/jobs?state=done")).await.json();
        let mut done = lists["jobs"].as_array().unwrap().iter();
        assert!(done.all(|job| job["attempt"] == 1), "{lists}");
    })
    .await;
}
