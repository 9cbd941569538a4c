//! What must hold of jobs at the end, each by the name of its invariant.

mod told;

use super::{
    asks::{Asked, Book as Asks},
    ticks::{TICK, Ticks},
};
use crate::{
    Outcome,
    clock::millis,
    crew::Book,
    http,
    ledger::Emitted,
    stage::Stage,
    worker::{Kind, POISON_ATTEMPTS, Task, child, is_child},
};
use holdfast_common::frame::Entry;
use serde::Deserialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};
pub(super) use told::{have_reached, told_once};

const QUEUE: &str = "/api/v1/work/queues/inbox";
/// How long nothing may happen where something has to.
const PATIENCE: Duration = Duration::from_secs(60);
/// Whose events these are in the ledger.
const NUMBER: u8 = 200;

/// A job as it is read at the end.
#[derive(Debug, Deserialize)]
pub(super) struct Ended {
    id: String,
    state: String,
    data: Task,
    result: Option<Value>,
    errors: Vec<Wrong>,
}

#[derive(Debug, Deserialize)]
struct Wrong {
    at: u64,
    error: String,
}

/// By their titles; those of the schedule have one of their own each.
pub(super) type Jobs = BTreeMap<String, Ended>;

/// An event that an end has brought: who said it, and by which lease.
#[derive(Debug)]
pub(super) struct Said {
    title: String,
    fence: u64,
}

/// Waits until every job has ended, as long as this holds, and reads them all.
pub(super) async fn read(stage: &mut Stage, holds: impl Fn() -> Outcome<()>) -> Outcome<Jobs> {
    let address = stage.server()?.address;
    let (mut moved, mut before) = (Instant::now(), Value::Null);
    loop {
        holds()?;
        let queue = http::get(address, QUEUE).await?.json()?;
        if queue["ready"] == 0 && queue["leased"] == 0 {
            break;
        }
        // How old the oldest is says nothing: that goes on by itself.
        if queue["done"] != before["done"] || queue["dead"] != before["dead"] {
            moved = Instant::now();
        }
        if moved.elapsed() > PATIENCE {
            return Err(format!("J6: jobs are stuck: {queue}").into());
        }
        before = queue;
        tokio::time::sleep(millis(50)).await;
    }
    let mut jobs = Jobs::new();
    for state in ["done", "dead", "cancelled", "ready", "leased"] {
        let mut after = String::new();
        loop {
            let path = format!("{QUEUE}/jobs?state={state}&limit=1000{after}");
            let page = http::get(address, &path).await?.json()?;
            for job in serde_json::from_value::<Vec<Ended>>(page["jobs"].clone())? {
                let mut title = job.data.title.clone();
                if title == TICK {
                    title = of_schedule(&job.id);
                }
                if let Some(other) = jobs.insert(title.clone(), job) {
                    let line = if is_child(&title) { "J4" } else { "J10" };
                    return Err(format!("{line}: {title} was enqueued twice: {other:?}").into());
                }
            }
            match page["after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    // What the jobs have brought stands in the logs like everybody's, and is looked at like that.
    stage.read_on().await?;
    for (room, log) in &stage.logs {
        for entry in log.entries.iter().filter(|entry| of_a_job(entry).is_some()) {
            let data = entry.data.as_ref().map_or("", |data| data.get()).to_owned();
            stage.ledger.emitted(entry.id, Emitted { by: NUMBER, room: *room, data });
        }
    }
    Ok(jobs)
}

fn of_schedule(id: &str) -> String {
    format!("{TICK} {id}")
}

/// J10: each job that the schedule says to have brought is there, and no other.
pub(super) fn fired_once(ticks: &Ticks, jobs: &Jobs) -> Outcome<()> {
    let brought: BTreeSet<String> = ticks.jobs.iter().map(|id| of_schedule(id)).collect();
    let there: BTreeSet<String> =
        jobs.keys().filter(|title| title.starts_with(TICK)).cloned().collect();
    if there == brought {
        return Ok(());
    }
    Err(format!("J10: a schedule has brought {brought:?}, and there are {there:?}").into())
}

/// The events of all jobs, in the order of the log.
pub(super) fn said(stage: &Stage, jobs: &Jobs) -> Outcome<Vec<Said>> {
    let entries = stage.logs.values().flat_map(|log| &log.entries);
    let mut said: Vec<Said> = entries.filter_map(of_a_job).collect();
    for said in said.iter_mut().filter(|said| said.title == TICK) {
        let by = |job: &Ended| job.result.as_ref().is_some_and(|it| it["fence"] == said.fence);
        if let Some((title, _)) = jobs.iter().find(|(_, job)| job.data.title == TICK && by(job)) {
            said.title.clone_from(title);
        }
    }
    if said.is_empty() { Err("there is no event of a job".into()) } else { Ok(said) }
}

fn of_a_job(entry: &Entry) -> Option<Said> {
    let data: Value = serde_json::from_str(entry.data.as_ref()?.get()).ok()?;
    let mut words = data["text"].as_str()?.strip_prefix("job-")?.split(' ');
    let (title, _, fence) = (words.next()?, words.next()?, words.next()?);
    Some(Said { title: format!("job-{title}"), fence: fence.parse().ok()? })
}

/// All of it but what the people were told.
pub(super) fn check(asked: &Asks, jobs: &Jobs, said: &[Said], book: &Book) -> Outcome<()> {
    one_at_a_time(asked, book)?;
    each_is_there(asked, jobs)?;
    for (title, job) in jobs {
        let events: Vec<u64> =
            said.iter().filter(|it| it.title == *title).map(|it| it.fence).collect();
        ended_once(title, job, &events)?;
        dead_if_poison(title, job)?;
    }
    if let Some(said) = said.iter().find(|said| !jobs.contains_key(&said.title)) {
        return Err(format!("J4: an event of no job: {said:?}").into());
    }
    in_order(asked, said)?;
    one_by_one(asked, jobs, book)?;
    as_answered(jobs, book)
}

/// How many jobs were done by `holdfast-work.v1`, and how many of these have brought another one.
pub(super) fn by_socket(jobs: &Jobs) -> (u64, u64) {
    let ways = |job: &Ended| job.result.as_ref().is_some_and(|it| it["how"] == "socket");
    let done = jobs.values().filter(|job| ways(job));
    let brings = |job: &&Ended| job.data.kind == Kind::Parent;
    (done.clone().count() as u64, done.filter(brings).count() as u64)
}

/// J1 and J10: what was asked for, and what that brings.
fn each_is_there(asked: &Asks, jobs: &Jobs) -> Outcome<()> {
    let mut wanted = BTreeSet::new();
    for (title, asked) in asked {
        let Some(job) = jobs.get(title) else {
            return Err(format!("J1: {title} is lost: {asked:?}").into());
        };
        if job.id != asked.id {
            return Err(format!("J10: {title} was answered {}, and is {job:?}", asked.id).into());
        }
        wanted.insert(title.clone());
        if asked.kind == Kind::Parent && job.state == "done" {
            wanted.insert(child(title));
        }
    }
    let there = jobs.keys().filter(|title| !title.starts_with(TICK));
    let there: BTreeSet<String> = there.cloned().collect();
    let odd: Vec<_> = wanted.symmetric_difference(&there).collect();
    if odd.is_empty() { Ok(()) } else { Err(format!("J4: {odd:?}: too much or too little").into()) }
}

/// J4: a job that is done has said so once, by the lease that did it; no other has said anything.
fn ended_once(title: &str, job: &Ended, events: &[u64]) -> Outcome<()> {
    let result = job.result.as_ref();
    let fence = result.and_then(|result| result["fence"].as_u64());
    let how = result.and_then(|result| result["how"].as_str());
    let right = match (&*job.state, how) {
        ("done", Some("http" | "socket")) => events.len() == 1 && fence == Some(events[0]),
        ("dead", None) => events.is_empty(),
        _ => false,
    };
    if right { Ok(()) } else { Err(format!("J4: {title} has said {events:?}: {job:?}").into()) }
}

/// J7: dead are the poison jobs alone, with what went wrong each time, and when.
fn dead_if_poison(title: &str, job: &Ended) -> Outcome<()> {
    let poison = matches!(job.data.kind, Kind::Fails | Kind::Kills);
    if poison != (job.state == "dead") {
        return Err(format!("J7: {title} is {job:?}").into());
    }
    let itself = format!("{title} cannot be done");
    let right = |wrong: &Wrong| {
        wrong.at > 0
            && (wrong.error == "lease ran out"
                || job.data.kind == Kind::Fails && wrong.error == itself)
    };
    let all = job.errors.len() == POISON_ATTEMPTS as usize && job.errors.iter().all(right);
    if !poison || all { Ok(()) } else { Err(format!("J7: {title} is {job:?}").into()) }
}

/// J7: no poison job was begun more often than it may be.
pub(super) fn begun_as_often_as_may(asked: &Asks, book: &Book) -> Outcome<()> {
    let mut begun = BTreeMap::<&str, u32>::new();
    for had in book.had.values() {
        let times = begun.entry(&had.title).or_default();
        *times += 1;
        let poison = |it: &Asked| matches!(it.kind, Kind::Fails | Kind::Kills);
        if *times > POISON_ATTEMPTS && asked.get(&had.title).is_some_and(poison) {
            return Err(format!("J7: {} has begun {times} times", had.title).into());
        }
    }
    Ok(())
}

/// J2 and J5: no job was given to somebody while another one had it, by whatever fence, and none while
/// another one of its group was held.
fn one_at_a_time(asked: &Asks, book: &Book) -> Outcome<()> {
    if let Some((first, then)) = book.spans.overlap(|(job, _)| Some(job)) {
        return Err(format!("J2: {then:?} was given while {first:?} stood").into());
    }
    let with_group = |it: &'_ Asked| Some((it.id.clone(), it.group.clone()?));
    let groups: BTreeMap<_, _> = asked.values().filter_map(with_group).collect();
    match book.spans.overlap(|(job, _)| groups.get(job)) {
        Some((first, then)) => {
            let group = &groups[&first.0];
            Err(format!("J5: in {group} {then:?} was given while {first:?} stood").into())
        }
        None => Ok(()),
    }
}

/// J5: what the jobs of a group have said stands in the order of their enqueues.
fn in_order(asked: &Asks, said: &[Said]) -> Outcome<()> {
    let mut last = BTreeMap::<&str, &str>::new();
    for Said { title, .. } in said {
        let Some(group) = asked.get(title).and_then(|it| it.group.as_deref()) else { continue };
        let before = last.insert(group, title).unwrap_or_default();
        if before >= &**title {
            return Err(format!("J5: in {group} {title} stands behind {before}").into());
        }
    }
    Ok(())
}

/// J5: by whichever way they ended, no job of a group has begun before those before it have for the last
/// time. Fences rise with each lease of any job.
fn one_by_one(asked: &Asks, jobs: &Jobs, book: &Book) -> Outcome<()> {
    let had = book.had.iter().map(|((_, fence), had)| (&had.title, *fence));
    let done = jobs
        .iter()
        .filter_map(|(title, job)| Some((title, job.result.as_ref()?.get("fence")?.as_u64()?)));
    let mut begun = BTreeMap::<(&str, &str), (u64, u64)>::new();
    for (title, fence) in had.chain(done) {
        let Some(group) = asked.get(title).and_then(|it| it.group.as_deref()) else { continue };
        let (first, last) = begun.entry((group, title)).or_insert((fence, fence));
        (*first, *last) = (fence.min(*first), fence.max(*last));
    }
    let mut before = ("", "", 0);
    for ((group, title), (first, last)) in begun {
        if before.0 == group && first <= before.2 {
            let before = format!("{} by {}", before.1, before.2);
            return Err(format!("J5: in {group} {title} began by {first}, and {before}").into());
        }
        before = (group, title, last);
    }
    Ok(())
}

/// J3: what was answered is so: a job is done by the lease that was told so, and by none that was
/// refused, nor by one behind which there was another.
fn as_answered(jobs: &Jobs, book: &Book) -> Outcome<()> {
    let by_id: BTreeMap<&str, &Ended> = jobs.values().map(|job| (&*job.id, job)).collect();
    for ((id, fence), (what, taken)) in &book.ended {
        let job = by_id.get(&**id).ok_or_else(|| format!("J1: {id} was held, and is no job"))?;
        let done_by = job.result.as_ref().and_then(|result| result["fence"].as_u64());
        let done = what == "complete" && matches!(&**taken, "done" | "again");
        if done != (done_by == Some(*fence)) {
            return Err(format!("J3: {what} by {fence} was answered {taken}: {job:?}").into());
        }
        let later = (id.clone(), fence + 1)..=(id.clone(), u64::MAX);
        if let Some(((_, later), _)) = book.had.range(later).next().filter(|_| done) {
            return Err(format!("J3: done by {fence}, and {later} had it: {job:?}").into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
