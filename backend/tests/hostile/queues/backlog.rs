//! A queue in which very much waits.

use super::{INBOX, queue, say, take};
use crate::{
    program::Program,
    siege::{mib, turn},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Instant};

/// What waits before anything is measured, so that the database's cache of 32 MiB is full.
const LARGE: (usize, usize) = (12 * 64, 48 * 1024);

/// What is enqueued then.
const SMALL: (usize, usize) = (50_000, 400);

/// What these may take in memory. Their payloads alone are more, and what is known of a job besides is
/// nearly as much again.
const MOST: u64 = mib(16);

/// Enqueues so many jobs of so many bytes, so many at once.
async fn fill(address: SocketAddr, (jobs, bytes): (usize, usize), at_once: usize) {
    let body = "x".repeat(bytes);
    let job = |n| json!({ "type": "task", "data": { "title": format!("{n}"), "body": body } });
    for first in (0..jobs).step_by(at_once) {
        let batch: Vec<Value> = (first..first + at_once).map(job).collect();
        let (status, said) =
            say(address, &format!("{INBOX}/batch"), &json!({ "jobs": batch })).await;
        assert_eq!(status, 201, "{said}");
    }
}

#[tokio::test]
async fn jobs_that_wait_are_not_kept_in_memory() {
    let turn = turn();
    let mut program = Program::start(&[]);
    let address = program.address;
    fill(address, LARGE, 64).await;
    let (before, begun) = (program.memory(), Instant::now());
    fill(address, SMALL, 1_000).await;
    let took = begun.elapsed();
    let growth = program.memory().zip(before).map(|(now, was)| now.0.saturating_sub(was.0));
    println!("{} jobs in {took:?}: {growth:?} bytes more than {before:?}", SMALL.0);
    assert!(growth.is_none_or(|growth| growth <= MOST), "{growth:?} bytes");
    assert_eq!(queue(address).await["ready"], LARGE.0 + SMALL.0);
    assert_eq!(take(address).await["data"]["title"], "0");
    program.is_well();
    drop(turn);
}
