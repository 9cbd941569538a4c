//! A schedule that comes each hour, on a clock that jumps and a server that is killed: what was missed
//! brings one job, whoever is to bring it.

use crate::{
    Outcome,
    clock::{self, millis},
    http,
    stage::Stage,
};
use serde_json::json;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

/// The title of its jobs.
pub(super) const TICK: &str = "job-tick";
pub(super) const CAME: &str = "occurrences of a schedule";

const SCHEDULE: &str = "/api/v1/work/schedules/tick";
/// How long what was missed may take to come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What it has brought.
#[derive(Debug, Default)]
pub(super) struct Ticks {
    pub(super) jobs: BTreeSet<String>,
    /// How often it was made anew.
    pub(super) begun: u64,
}

impl Ticks {
    /// Has it come once an hour, and not before the clock is set: half an hour from now. Each time at
    /// another minute, since an occurrence that has come ahead of its time comes no more.
    pub(super) async fn begin(&mut self, stage: &Stage) -> Outcome<()> {
        self.begun += 1;
        let minute = (clock::wall().0 / 60_000 + 30 + self.begun % 20) % 60;
        let words = json!({
            "cron": format!("{minute} * * * *"),
            "queue": "inbox",
            "type": "task",
            "data": { "title": TICK, "body": "plain" },
        });
        let answer = http::post(stage.server()?.address, SCHEDULE, &words.to_string()).await?;
        let is_made = matches!(answer.status, 200 | 201);
        if is_made { Ok(()) } else { Err(format!("J10: {}", answer.text()).into()) }
    }

    /// Waits until it has come once more.
    pub(super) async fn comes(&mut self, stage: &Stage) -> Outcome<()> {
        let (before, begun) = (self.jobs.len(), Instant::now());
        while self.jobs.len() == before {
            if begun.elapsed() > PATIENCE {
                return Err("J10: what a schedule missed has not come".into());
            }
            tokio::time::sleep(millis(20)).await;
            self.look(stage).await?;
        }
        stage.trace.count(CAME, 1);
        Ok(())
    }

    async fn look(&mut self, stage: &Stage) -> Outcome<()> {
        let read = http::get(stage.server()?.address, SCHEDULE).await?.json()?;
        self.jobs.extend(read["last"]["job"].as_str().map(str::to_owned));
        Ok(())
    }
}
