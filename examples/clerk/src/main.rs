//! A clerk in the server: does the tasks of `work/inbox`, one at a time, beside the people who take them
//! from the board and the services that lease them over HTTP. Each job is done by one of them.
//!
//! `cargo xtask build` once, for the page, then `cargo run -p clerk`, with the options of `holdfast`. Open
//! <http://127.0.0.1:3000/queues/inbox> and add a task whose details are `takes 5000 ms`.

use holdfast_backend::{
    program,
    worker::{Leased, NotTold, Outcome, Worker},
};
use holdfast_common::work::Task;
use serde_json::json;
use std::{process::ExitCode, time::Duration};

struct Clerk;

impl Worker for Clerk {
    type Job = Task;

    /// What it says of its progress fails once somebody else has the job: then it is dropped.
    async fn run(&self, job: &mut Leased<Task>) -> Outcome<Task> {
        let half = takes(&job.data.body) / 2;
        tokio::time::sleep(half).await;
        if let Err(NotTold::Fault(fault)) = job.progress(50, Some("half of it")).await {
            return Outcome::Retry(json!(fault.to_string()));
        }
        tokio::time::sleep(half).await;
        Outcome::Done(json!({ "by": "clerk", "title": job.data.title }))
    }
}

/// `takes 5000 ms`; nothing, if it does not say.
fn takes(body: &str) -> Duration {
    let number = body.strip_prefix("takes ").and_then(|rest| rest.strip_suffix(" ms"));
    Duration::from_millis(number.and_then(|number| number.parse().ok()).unwrap_or(0))
}

fn main() -> ExitCode {
    program::run(|builder| builder.worker(Clerk, 1))
}
