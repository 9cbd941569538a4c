//! A worker by HTTP: each word is said until it is answered, in the same words.

use super::{Deed, HOLD_MS, LEASE_MS, Leased, Worker, came, ends, longer, said, say};
use crate::{
    Outcome,
    clock::{millis, nanos},
    http,
};
use serde_json::{Value, json};
use std::collections::VecDeque;

const QUEUE: &str = "/api/v1/work/queues/inbox";

/// An answer that counts.
type Answer = (u16, Value);

pub(super) async fn work(mut worker: Worker) -> Outcome<()> {
    let mut mine = VecDeque::new();
    loop {
        while let Some(job) = mine.pop_front() {
            mine.extend(worker.does(&job).await?);
        }
        let most = worker.chance.between(1, 3);
        let wishes = json!({
            "consumer": worker.name, "max": most, "lease_ms": LEASE_MS, "wait_ms": 1_000,
        });
        let asked = nanos();
        if let Some((200, answer)) = worker.say_once(&format!("{QUEUE}/lease"), &wishes).await {
            mine.extend(leased(&answer, asked)?);
        }
    }
}

/// The jobs of an answer, which were asked for at this time.
fn leased(answer: &Value, asked: u64) -> Outcome<Vec<Leased>> {
    let Some(jobs) = answer.get("jobs") else { return Ok(Vec::new()) };
    let jobs: Vec<Leased> = serde_json::from_value(jobs.clone())?;
    jobs.iter().for_each(|job| came(job, asked));
    Ok(jobs)
}

impl Worker {
    /// Does one job; returns those that came with its end.
    async fn does(&mut self, job: &Leased) -> Outcome<Vec<Leased>> {
        let token = &job.token;
        match self.begins(job).await {
            Deed::Complete => self.completes(job).await,
            Deed::Fail(reason) => {
                self.ends(job, "fail", json!({ "token": token, "reason": reason })).await
            }
            Deed::GiveBack => {
                self.ends(job, "snooze", json!({ "token": token, "delay_ms": 20 })).await
            }
            Deed::Hold(time) => {
                let wishes = json!({ "token": token, "lease_ms": HOLD_MS, "progress": 1 });
                let asked = nanos();
                let (status, answer) = self.until_answered(job, "extend", &wishes).await;
                if status != 200 {
                    said(job, "extend", reason(&answer));
                    return Ok(Vec::new());
                }
                longer(job, asked);
                tokio::time::sleep(millis(time)).await;
                self.completes(job).await
            }
        }
    }

    async fn completes(&mut self, job: &Leased) -> Outcome<Vec<Leased>> {
        let mut end = self.brings(job)?;
        end["token"] = json!(job.token);
        end["result"] = json!({ "fence": job.fence, "how": "http" });
        if self.chance.percent(40) {
            end["next"] = json!({ "consumer": self.name, "max": 1, "lease_ms": LEASE_MS });
        }
        self.ends(job, "complete", end).await
    }

    async fn ends(&mut self, job: &Leased, what: &str, end: Value) -> Outcome<Vec<Leased>> {
        ends(job);
        let asked = nanos();
        let (status, answer) = self.until_answered(job, what, &end).await;
        let taken = match (status, answer["again"].as_bool()) {
            (200, Some(true)) => "again",
            (200, _) => "done",
            _ => reason(&answer),
        };
        said(job, what, taken);
        leased(&answer, asked)
    }

    async fn until_answered(&mut self, job: &Leased, what: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/work/jobs/{}/{what}", job.id);
        loop {
            match self.say_once(&path, body).await {
                Some(answer) => return answer,
                None => tokio::time::sleep(millis(self.chance.between(5, 60))).await,
            }
        }
    }

    /// `None` where it is not known, or has to be said again.
    async fn say_once(&mut self, path: &str, body: &Value) -> Option<Answer> {
        let answer = http::post(self.address, path, &body.to_string()).await;
        let again = |answer: &http::Answer| {
            // Cut on the way up, and heard of it before the way down was cut as well.
            matches!(answer.status, 429 | 500..) || answer.text().contains("The body broke off.")
        };
        match answer {
            Ok(answer) if !again(&answer) => {
                let body = answer.json().unwrap_or_default();
                if !(answer.status == 200 || answer.status == 409 && body["code"] == "fenced") {
                    say(&format!("odd {path} is answered {} {}", answer.status, answer.text()));
                }
                Some((answer.status, body))
            }
            _ => {
                // Nobody there: whoever asks at once asks a thousand times a second.
                tokio::time::sleep(millis(20)).await;
                None
            }
        }
    }
}

/// Why an end is refused.
fn reason(answer: &Value) -> &str {
    answer["reason"].as_str().unwrap_or("refused")
}
