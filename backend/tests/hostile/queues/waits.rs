//! Those who wait for jobs, and do not want them.

use super::{Honest, INBOX, enqueue, post, read, take};
use crate::{
    raw::Raw,
    siege::{kib, many, metrics, siege},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};
use tokio::time::{Instant, timeout};

/// As many as may wait, and a thousand more.
const CROWD: usize = 5_000;

async fn waiting(address: SocketAddr) -> usize {
    let counted = metrics(address).await;
    let line = counted.lines().find_map(|line| line.strip_prefix("holdfast_jobs_waiting "));
    line.unwrap().parse().unwrap()
}

async fn until_so_many_wait(address: SocketAddr, enough: impl Fn(usize) -> bool) {
    let deadline = Instant::now() + crate::raw::PATIENCE;
    loop {
        let now = waiting(address).await;
        if enough(now) {
            return;
        }
        assert!(Instant::now() < deadline, "{now} wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn poll(address: SocketAddr, consumer: &str) -> Vec<u8> {
    let wishes = json!({ "consumer": consumer, "lease_ms": 600_000, "wait_ms": 60_000 });
    post(address, &format!("{INBOX}/lease"), &wishes.to_string())
}

fn jobs(answer: &str) -> Vec<Value> {
    let body: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    body["jobs"].as_array().unwrap().clone()
}

#[test]
fn five_thousand_who_wait_delay_no_job_and_take_none_along() {
    let siege = siege("5,000 long polls").with("--connections", "9000");
    siege.sockets(CROWD, kib(64)).run(async |target| {
        let address = target.address;
        let honest = Honest::come(target).await;
        // The server's own workers, who take no place of theirs.
        let own = waiting(address).await;
        let mut first = Raw::connect(address).await;
        first.write(&poll(address, "honest")).await.unwrap();
        until_so_many_wait(address, |waiting| waiting == own + 1).await;
        let mut crowd = Vec::new();
        for _ in 0..CROWD / 100 {
            crowd.extend(
                many(100, async |_| {
                    let mut raw = Raw::connect(address).await;
                    raw.write(&poll(address, "mallory")).await.unwrap();
                    raw
                })
                .await,
            );
        }
        // As many as may; the others are told so at once.
        until_so_many_wait(address, |waiting| waiting == own + 4_096).await;
        let mut refused = 0;
        let deadline = Instant::now() + crate::raw::PATIENCE;
        let mut asked: Vec<_> = crowd.iter_mut().collect();
        while refused < 1 + CROWD - 4_096 && Instant::now() < deadline {
            let mut silent = Vec::new();
            for raw in asked {
                match timeout(Duration::from_millis(1), raw.answer()).await {
                    Ok(answer) => {
                        let (status, answer) = answer.expect("an answer");
                        assert_eq!(status, 503);
                        assert!(answer.contains(r#""code":"overloaded""#), "{answer}");
                        refused += 1;
                    }
                    Err(_) => silent.push(raw),
                }
            }
            asked = silent;
        }
        assert_eq!(refused, 1 + CROWD - 4_096);
        // Who came first is served first, and soon.
        let begun = Instant::now();
        let id = enqueue(address, "for the first").await;
        let (status, answer) = first.answer().await.expect("an answer");
        let took = begun.elapsed();
        assert_eq!((status, &jobs(&answer)[0]["id"]), (200, &json!(id)));
        assert!(took < Duration::from_secs(2), "{took:?}");
        println!("served beside {CROWD} in {took:?}");
        // They all leave: what comes then is for who is honest, and no attempt of it is lost.
        crowd.into_iter().for_each(Raw::reset);
        until_so_many_wait(address, |waiting| waiting == own).await;
        let id = enqueue(address, "for who is left").await;
        let taken = take(address).await;
        assert_eq!((&taken["id"], &taken["attempt"]), (&json!(id), &json!(1)));
        let queue = read(address, INBOX).await;
        assert_eq!((&queue["ready"], &queue["leased"]), (&json!(1), &json!(3)), "{queue}");
        drop(honest);
    });
}

/// They wait, a job comes, and they are gone at that very moment: it comes back, or its lease was theirs.
#[test]
fn who_waits_and_goes_as_a_job_comes_takes_none_for_good() {
    siege("long polls that end as their jobs come").sockets(40, kib(64)).run(async |target| {
        let address = target.address;
        let short =
            json!({ "consumer": "mallory", "lease_ms": 100, "wait_ms": 60_000, "max": 100 });
        let poll = post(address, &format!("{INBOX}/lease"), &short.to_string());
        let mut made = Vec::new();
        while target.round().await {
            let waiting = many(40, async |_| {
                let mut raw = Raw::connect(address).await;
                raw.write(&poll).await.unwrap();
                raw
            })
            .await;
            let (ids, ()) = tokio::join!(
                many(10, async |n| enqueue(address, &format!("job {n}")).await),
                async { waiting.into_iter().for_each(Raw::reset) },
            );
            made.extend(ids);
        }
        // Whatever became of them, who is honest gets every one of them.
        let deadline = Instant::now() + crate::raw::PATIENCE;
        let mut had = std::collections::BTreeSet::new();
        while had.len() < made.len() {
            let job = take(address).await;
            match job["id"].as_str() {
                Some(id) => drop(had.insert(id.to_owned())),
                None => {
                    let queue = read(address, INBOX).await;
                    // What has used up its attempts with them is a dead letter, and not lost.
                    if queue["ready"] == 0 && queue["leased"] == json!(had.len()) {
                        let dead = queue["dead"].as_u64().unwrap() as usize;
                        assert_eq!(had.len() + dead, made.len(), "{queue}");
                        break;
                    }
                    assert!(Instant::now() < deadline, "{queue}");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }
        assert!(!had.is_empty());
    });
}
