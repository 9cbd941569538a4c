//! Running workers.

use super::{Leased, Outcome, Worker, refusal::Refusal};
use crate::{
    app::Shared,
    queues::{About, Arrivals, EndDraft, Handed, Seat, end_as_said},
};
use futures_util::FutureExt;
use holdfast_common::{
    error::Code,
    id::JobId,
    job::{Holder, JobType, Reason, Token, limits},
    storage::{
        Fault, Verdict,
        jobs::{Ended, Extend, Extended, How, LeasedJob, QueueName},
    },
    time::Millis,
};
use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long it waits before something is said again that the storage could not take.
const AGAIN: Duration = Duration::from_millis(250);

/// How often an end is said again for which there is no room. Then the attempt has failed: its slot is
/// wanted by what would make room.
const TRIES: u32 = 20;

/// Starts a worker that does so many jobs at once. It ends when the server drains.
pub(crate) fn start<W: Worker>(shared: &Arc<Shared>, worker: W, at_once: u32) {
    let (shared, worker) = (Arc::clone(shared), Arc::new(worker));
    // Who drains waits for all of these.
    let draining = shared.draining.subscribe();
    tokio::spawn(async move { take(shared, worker, at_once, draining).await });
}

async fn take<W: Worker>(
    shared: Arc<Shared>,
    worker: Arc<W>,
    at_once: u32,
    mut draining: watch::Receiver<bool>,
) {
    let (ns, name) = (W::Job::NAMESPACE.to_owned(), W::Job::QUEUE.to_owned());
    let holder = Holder { consumer: format!("{} (server)", W::Job::NAME), person: None };
    let desk = &shared.queues.desk;
    let (sink, mut jobs) = Arrivals::new(desk);
    let queue = Arc::new(QueueName { ns, name });
    let Ok(seat) = Seat::take(desk, queue, holder, None, (at_once, false), sink) else {
        tracing::error!(queue = W::Job::QUEUE, "as many wait as may: a worker does not");
        return;
    };
    let (done, mut ended) = tokio::sync::mpsc::unbounded_channel();
    loop {
        tokio::select! {
            job = jobs.next() => {
                let Some(Handed { job, .. }) = job else { break };
                let (shared, worker, done) = (Arc::clone(&shared), Arc::clone(&worker), done.clone());
                let draining = shared.draining.subscribe();
                tokio::spawn(async move {
                    let id = job.id;
                    let run = AssertUnwindSafe(run(&shared, &*worker, job, draining));
                    if run.catch_unwind().await.is_err() {
                        tracing::error!(job = %id, "running a worker ended by a panic");
                    }
                    let _ = done.send(());
                });
            }
            Some(()) = ended.recv() => seat.credit(1),
            _ = draining.wait_for(|draining| *draining) => break,
        }
    }
}

async fn run<W: Worker>(
    shared: &Shared,
    worker: &W,
    job: LeasedJob,
    mut draining: watch::Receiver<bool>,
) {
    let (id, token, length) = (job.id, job.token, job.lease.length);
    let (ns, queue) = (W::Job::NAMESPACE.to_owned(), W::Job::QUEUE.to_owned());
    let about = About { ns, queue, kind: job.kind.clone() };
    let mut lost = std::pin::pin!(keep(shared, id, token, length));
    let said = match read(shared, job) {
        Err(why) => EndDraft::plain(id, token, failed::<W::Job>(why)),
        Ok(mut leased) => {
            let outcome = {
                let run = AssertUnwindSafe(worker.run(&mut leased)).catch_unwind();
                tokio::select! {
                    outcome = run => outcome.map(Some),
                    reason = &mut lost => return stopped(id, reason),
                    () = ends(&mut draining, shared.drain) => Ok(None),
                }
            };
            match outcome {
                // It ends with its server, and not by anything of its own.
                Ok(None) => EndDraft::plain(id, token, How::HandBack { delay: Millis(0) }),
                Ok(Some(outcome)) => said(&mut leased, outcome),
                Err(panic) => {
                    shared.metrics.panics.add(1);
                    let why = format!("panicked: {}", text(&*panic));
                    EndDraft::plain(id, token, failed::<W::Job>(&why))
                }
            }
        }
    };
    tokio::select! {
        () = end(shared, &about, said) => {}
        reason = &mut lost => stopped(id, reason),
    }
}

fn read<J: JobType>(shared: &Shared, job: LeasedJob) -> Result<Leased<J>, &'static str> {
    if job.kind != J::NAME {
        return Err("this server has no worker for jobs of this type");
    }
    let data = holdfast_common::json::read(&job.data);
    Ok(Leased {
        data: data.map_err(|_| "this server cannot read the payload")?,
        id: job.id,
        token: job.token,
        attempt: job.attempt,
        lease: job.lease.length,
        events: Vec::new(),
        jobs: Vec::new(),
        desk: Arc::clone(&shared.queues.desk),
    })
}

/// A wait that is too long is the longest.
fn said<J: JobType>(leased: &mut Leased<J>, outcome: Outcome<J>) -> EndDraft {
    let json = |value: Result<String, _>| value.expect("a declared outcome serializes");
    let fail = |failure: &J::Failure, retry: Option<Millis>| How::Fail {
        reason: failure.to_string(),
        failure: Some(json(serde_json::to_string(failure))),
        retry: retry.map(|wait| wait.min(limits::LONGEST_BACKOFF)),
    };
    let how = match outcome {
        Outcome::Done(output) => {
            let result = Some(json(serde_json::to_string(&output))).filter(|text| text != "null");
            return leased.done(How::Complete { result });
        }
        Outcome::Retry(failure) => fail(&failure, Some(Millis(0))),
        Outcome::RetryAfter(failure, floor) => fail(&failure, Some(floor)),
        Outcome::Dead(failure) => fail(&failure, None),
        Outcome::Snooze(delay) => How::Snooze { delay: delay.min(limits::LONGEST_DELAY) },
        Outcome::HandBack(delay) => How::HandBack { delay: delay.min(limits::LONGEST_DELAY) },
    };
    EndDraft::plain(leased.id, leased.token, how)
}

fn failed<J: JobType>(why: &str) -> How {
    let reason = format!("{}: {why}", J::NAME);
    How::Fail { reason, failure: None, retry: Some(Millis(0)) }
}

/// Says what became of it, until that is answered.
async fn end(shared: &Shared, about: &About, said: EndDraft) {
    let (mut said, mut tries) = (said, 0);
    let (id, token) = (said.job, said.token);
    loop {
        let ended = end_as_said::<Refusal>(shared, about, &shared.author, &said, Ok(None)).await;
        let why = match ended.map(|(ended, _)| ended) {
            Ok(Ended::Done { .. } | Ended::Again { .. }) => return,
            Ok(Ended::Late(reason)) => return stopped(id, reason),
            Ok(Ended::UnknownJob) => return stopped(id, Reason::Other),
            Ok(Ended::Rejected { index, verdict }) => {
                format!("event {index}: {}", rejected(&verdict))
            }
            Ok(Ended::UnknownQueue { index }) => format!("job {index}: There is no such queue."),
            Ok(Ended::TooOften) => "it was snoozed too often".to_owned(),
            Ok(Ended::TooLarge) => "its jobs are more than a queue may have".to_owned(),
            Ok(Ended::QueueFull | Ended::Moved) | Err(Refusal::Fault(Fault::Failed(_)))
                if tries < TRIES =>
            {
                tries += 1;
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Ok(Ended::QueueFull) => "there was no room for what it wants".to_owned(),
            Ok(Ended::Moved) => "what its events were judged by went on changing".to_owned(),
            // Not the storage but what is to be done with it fails, perhaps.
            Err(Refusal::Fault(Fault::Failed(why))) if !said.is_plain() => why,
            Err(Refusal::Never(why)) => why,
            Err(Refusal::Fault(fault)) => {
                tracing::warn!(%fault, job = %id, "what became of a job is said again");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
        };
        // What it wanted with it cannot be had: the attempt has failed, and nothing of it happens.
        let how = match said.how {
            // A failure whose typed form cannot be kept is still what its worker says of it.
            How::Fail { reason, failure: Some(_), retry } => {
                tracing::warn!(job = %id, why, "of a failure only its text is kept");
                How::Fail { reason, failure: None, retry }
            }
            _ => How::Fail { reason: why, failure: None, retry: Some(Millis(0)) },
        };
        said = EndDraft::plain(id, token, how);
    }
}

fn rejected(verdict: &Verdict) -> &str {
    match verdict {
        Verdict::Reject { detail, .. } => detail,
        Verdict::Ack { .. } => Code::Unknown.text(),
    }
}

/// Has the lease go on for as long as this is polled; returns where it is lost.
async fn keep(shared: &Shared, id: JobId, token: Token, length: Millis) -> Reason {
    let pause = Duration::from_millis((length.0 / 3).max(1));
    loop {
        tokio::time::sleep(pause).await;
        let extend = Extend { jobs: vec![(id, token)], lease: Some(length), progress: None };
        match shared.queues.desk.extend(extend).await.as_deref() {
            Ok([Extended::Late(reason)]) => return *reason,
            Ok([Extended::UnknownJob]) => return Reason::Other,
            // A storage that cannot say now may in a third of the lease: if not, its end says so.
            Ok(_) | Err(_) => {}
        }
    }
}

/// Completes when the server has drained for so long that what still runs has to stop.
async fn ends(draining: &mut watch::Receiver<bool>, drain: Duration) {
    let _ = draining.wait_for(|draining| *draining).await;
    tokio::time::sleep(drain).await;
}

fn stopped(job: JobId, reason: Reason) {
    tracing::info!(%job, ?reason, "a worker lost its job");
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
