//! Schedules by HTTP: make, see, pause, remove.

use super::{
    body::{Heard, Nothing, hear},
    caller::Caller,
    queues::answer,
    routes::Routes,
    webhooks::first,
};
use crate::{
    app::Shared,
    clock,
    engine::occurrence_job,
    problem::Problem,
    queues::{may_fire, new_job, next_of},
    rights::Right,
};
use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use holdfast_common::{
    error::Code,
    frame::work::AskedJob,
    id::JobId,
    job::{
        self,
        limits::{SCHEDULES, label},
    },
    storage::schedules::{
        NewSchedule, Schedule, ScheduleChange, ScheduleRead, ScheduleState, Scheduled,
    },
    time::{Millis, Timestamp},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::sync::Arc;

/// The addresses below `/api/v1`.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .get("/{namespace}/schedules", Right::Read, list)
        .get("/{namespace}/schedules/{name}", Right::Read, read)
        .post("/{namespace}/schedules/{name}", Right::Schedule, set)
        .delete("/{namespace}/schedules/{name}", Right::Schedule, remove)
        .post("/{namespace}/schedules/{name}/pause", Right::Schedule, pause)
        .post("/{namespace}/schedules/{name}/resume", Right::Schedule, resume)
}

/// A namespace and a schedule's name, as they stand in the address.
type Address = Result<Path<(String, String)>, PathRejection>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    cron: String,
    queue: String,
    #[serde(rename = "type")]
    kind: String,
    data: Box<RawValue>,
    priority: Option<i8>,
    group: Option<String>,
    max_attempts: Option<u32>,
    backoff_ms: Option<Millis>,
    expires_ms: Option<Millis>,
    /// Who makes it is told of the end of each job.
    #[serde(default)]
    tell: bool,
}

impl Asked {
    /// What each of its jobs is.
    fn job(&self) -> AskedJob {
        AskedJob {
            kind: self.kind.clone(),
            data: self.data.clone(),
            delay_ms: None,
            at: None,
            priority: self.priority.map(i64::from),
            group: self.group.clone(),
            max_attempts: self.max_attempts,
            backoff_ms: self.backoff_ms,
            expires_ms: self.expires_ms,
        }
    }
}

/// `POST /api/v1/{namespace}/schedules/{name}`: makes it, or has it stand in place of what was there.
async fn set(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let (ns, name) = parts(address)?;
    if !label(&name) {
        return Err(Problem::bad_request("A schedule is called something of 1 to 128 bytes."));
    }
    let Heard { headers, body: asked, .. } = hear::<Asked>(&shared, request, "schedule").await?;
    let caller = Caller::of(&shared, &headers).await?;
    if asked.tell && caller.person().is_none() {
        return Err(Problem::bad_request("There is no person who could be told."));
    }
    let queue = shared.queues.queue(&ns, &asked.queue)?;
    let asker = caller.person().filter(|_| asked.tell);
    let job = new_job::<Problem>(&shared, queue, JobId::NIL, &asked.job(), asker)?;
    let next = comes(&shared, &asked.cron).await?;
    let id = clock::fresh_schedule()?;
    let new = NewSchedule { id, name, cron: asked.cron, job, next };
    let (status, schedule) = match shared.engine.set_schedule(new, caller.by()).await? {
        Scheduled::Made(schedule) => (StatusCode::CREATED, schedule),
        Scheduled::Replaced(schedule) | Scheduled::Same(schedule) => (StatusCode::OK, schedule),
        Scheduled::UnknownQueue => return Err(job::Code::UnknownQueue.into()),
        Scheduled::TooMany => {
            let text = format!("There are up to {SCHEDULES} schedules.");
            return Err(Problem::because(Code::TooMany, text));
        }
    };
    Ok(answer(status, &shown(&shared, &schedule)))
}

/// `GET /api/v1/{namespace}/schedules`, without what they enqueue.
async fn list(
    State(shared): State<Arc<Shared>>,
    address: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(ns) = address.map_err(|_| not_text())?;
    let schedules = shared.engine.schedules(&ns).await?;
    let schedules: Vec<_> = schedules.iter().map(|it| shown(&shared, it)).collect();
    Ok(answer(StatusCode::OK, &json!({ "schedules": schedules })))
}

/// `GET /api/v1/{namespace}/schedules/{name}`.
async fn read(State(shared): State<Arc<Shared>>, address: Address) -> Result<Response, Problem> {
    let (ns, name) = parts(address)?;
    let ScheduleRead { schedule, job } = schedule(&shared, &ns, &name).await?;
    let mut shown = shown(&shared, &schedule);
    for (name, value) in [
        ("data", serde_json::from_str(&job.data).unwrap_or(Value::Null)),
        ("priority", json!(job.priority)),
        ("group", json!(job.group)),
        ("max_attempts", json!(job.most)),
        ("backoff_ms", json!(job.backoff)),
        ("expires_ms", json!(job.expires)),
        ("tell", json!(job.asker.is_some())),
    ] {
        shown[name] = value;
    }
    Ok(answer(StatusCode::OK, &shown))
}

fn shown(shared: &Shared, schedule: &Schedule) -> Value {
    let (state, reason) = match &schedule.state {
        ScheduleState::Paused { reason } => ("paused", reason.as_deref()),
        ScheduleState::Active { .. } => match may_fire(shared, schedule) {
            Ok(()) => ("active", None),
            Err(code) => ("stuck", Some(code)),
        },
    };
    let last = schedule.last.map(|at| json!({ "at": at, "job": occurrence_job(schedule.id, at) }));
    json!({
        "name": schedule.name,
        "cron": schedule.cron,
        "queue": schedule.queue,
        "type": schedule.kind,
        "state": state,
        "reason": reason,
        "next": schedule.next(),
        "last": last,
        "made": schedule.made,
        "by": schedule.by,
    })
}

/// `DELETE /api/v1/{namespace}/schedules/{name}`. Jobs that it has enqueued stay.
async fn remove(
    State(shared): State<Arc<Shared>>,
    address: Address,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (ns, name) = parts(address)?;
    let caller = Caller::of(&shared, &headers).await?;
    change(&shared, &ns, &name, ScheduleChange::Remove, &caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/{namespace}/schedules/{name}/pause`: what comes meanwhile is not made up for.
async fn pause(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    switch(&shared, address, request, true).await
}

/// `POST /api/v1/{namespace}/schedules/{name}/resume`: it comes next as is counted from now.
async fn resume(
    State(shared): State<Arc<Shared>>,
    address: Address,
    request: Request,
) -> Result<Response, Problem> {
    switch(&shared, address, request, false).await
}

async fn switch(
    shared: &Shared,
    address: Address,
    request: Request,
    pauses: bool,
) -> Result<Response, Problem> {
    let (ns, name) = parts(address)?;
    let called = if pauses { "pause" } else { "resume" };
    let Heard { headers, body: Nothing {}, .. } = hear(shared, request, called).await?;
    let caller = Caller::of(shared, &headers).await?;
    let what = if pauses {
        ScheduleChange::Pause
    } else {
        let Schedule { id, cron, .. } = schedule(shared, &ns, &name).await?.schedule;
        ScheduleChange::Resume { id, next: comes(shared, &cron).await? }
    };
    let schedule = change(shared, &ns, &name, what, &caller).await?;
    Ok(answer(StatusCode::OK, &shown(shared, &schedule)))
}

async fn change(
    shared: &Shared,
    ns: &str,
    name: &str,
    change: ScheduleChange,
    caller: &Caller,
) -> Result<Schedule, Problem> {
    let changed = shared.engine.change_schedule(ns, name, change, caller.by()).await?;
    changed.ok_or_else(unknown)
}

/// When an expression comes next.
async fn comes(shared: &Shared, cron: &str) -> Result<Timestamp, Problem> {
    let next = next_of(cron, shared.engine.wall()).await?;
    next.map_err(|bad| Problem::because(job::Code::BadSchedule, format!("{}.", first(&bad))))
}

async fn schedule(shared: &Shared, ns: &str, name: &str) -> Result<ScheduleRead, Problem> {
    shared.engine.schedule(ns, name).await?.ok_or_else(unknown)
}

fn parts(address: Address) -> Result<(String, String), Problem> {
    let Path(parts) = address.map_err(|_| not_text())?;
    Ok(parts)
}

fn not_text() -> Problem {
    Problem::bad_request("The address is no UTF-8.")
}

fn unknown() -> Problem {
    Problem::because(Code::NotFound, "There is no such schedule, or no longer.")
}
