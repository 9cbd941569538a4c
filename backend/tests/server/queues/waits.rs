//! Long polls.

use super::{INBOX, enqueue, lease, titles};
use crate::rig::{PATIENCE, Rig, on_every_engine};
use serde_json::json;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// How many wait for jobs, as the server counts them, but for its own worker, which sends webhooks.
async fn waiting(rig: &Rig) -> u64 {
    let text = rig.get("/metrics").await.text();
    let line = text.lines().find_map(|line| line.strip_prefix("holdfast_jobs_waiting "));
    line.unwrap().parse::<u64>().unwrap().saturating_sub(1)
}

async fn until_so_many_wait(rig: &Rig, number: u64) {
    let begun = Instant::now();
    while waiting(rig).await != number {
        assert!(begun.elapsed() < PATIENCE, "{number} waiting");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

on_every_engine! {
    async fn who_waits_has_a_job_as_soon_as_it_is_enqueued_and_only_one_of_them_has_it(rig) {
        let wish = json!({ "wait_ms": 10_000 });
        let polls = async { tokio::join!(lease(&rig, &wish), lease(&rig, &wish)) };
        let enqueues = async {
            until_so_many_wait(&rig, 2).await;
            enqueue(&rig, "one", &json!({})).await;
            until_so_many_wait(&rig, 1).await;
            enqueue(&rig, "two", &json!({})).await;
        };
        let begun = Instant::now();
        let ((a, b), ()) = tokio::join!(polls, enqueues);
        assert!(begun.elapsed() < Duration::from_secs(9), "nobody waited to the end");
        let mut got = super::titles(&a);
        got.extend(super::titles(&b));
        got.sort_unstable();
        assert_eq!(got, ["one", "two"]);
    }

    async fn a_wait_ends_without_a_job_when_its_time_is_over(rig) {
        let begun = Instant::now();
        assert!(lease(&rig, &json!({ "wait_ms": 150 })).await.is_empty());
        assert!(begun.elapsed() >= Duration::from_millis(150));
        assert_eq!(waiting(&rig).await, 0);
    }

    async fn a_job_that_is_due_later_reaches_who_waits_when_it_is_due(rig) {
        let begun = Instant::now();
        enqueue(&rig, "later", &json!({ "delay_ms": 300 })).await;
        let jobs = lease(&rig, &json!({ "wait_ms": 10_000 })).await;
        assert_eq!(jobs.len(), 1);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(5), "{took:?}");
    }

    async fn a_job_for_a_time_begins_at_that_time_and_for_one_that_is_over_at_once(rig) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let at = |time: Duration| json!({ "at": u64::try_from(time.as_millis()).unwrap() });
        let begun = Instant::now();
        enqueue(&rig, "later", &at(now + Duration::from_millis(400))).await;
        enqueue(&rig, "over", &at(now - Duration::from_secs(3_600))).await;
        assert_eq!(titles(&lease(&rig, &json!({ "max": 9 })).await), ["over"]);
        assert_eq!(titles(&lease(&rig, &json!({ "wait_ms": 10_000 })).await), ["later"]);
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(390) && took < Duration::from_secs(5), "{took:?}");
    }

    async fn who_waits_and_leaves_takes_no_job_along_and_no_attempt(rig) {
        let mut stream = TcpStream::connect(rig.address).await.unwrap();
        let body = json!({ "consumer": "leaves", "wait_ms": 60_000 }).to_string();
        let head = format!(
            "POST {INBOX}/lease HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            rig.address,
            body.len(),
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        until_so_many_wait(&rig, 1).await;
        drop(stream);
        until_so_many_wait(&rig, 0).await;
        enqueue(&rig, "stays", &json!({})).await;
        let jobs = lease(&rig, &json!({})).await;
        assert_eq!((jobs.len(), &jobs[0]["attempt"]), (1, &json!(1)));
    }

    async fn waits_end_when_the_server_drains(rig) {
        let wish = json!({ "wait_ms": 60_000 });
        let polls = lease(&rig, &wish);
        let drains = async {
            until_so_many_wait(&rig, 1).await;
            rig.handle.drain();
        };
        let begun = Instant::now();
        let (jobs, ()) = tokio::join!(polls, drains);
        assert!(jobs.is_empty() && begun.elapsed() < PATIENCE);
    }
}
