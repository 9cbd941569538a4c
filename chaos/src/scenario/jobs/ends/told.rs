//! J9: who has asked for jobs hears of the end of each, once, and nobody else does.

use super::{Asked, Asks, Ended, Jobs};
use crate::{Outcome, stage::Stage};
use holdfast_common::{id::RoomId, proof::Database, work::JobEnded};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What a wait that was in vain says first.
const NOTHING_COMES: &str = "I6: nothing comes any more, and not yet: ";

/// Waits until everybody who asked has read of all of their jobs' ends.
pub(in super::super) async fn have_reached(stage: &mut Stage, asked: &Asks) -> Outcome<()> {
    let rooms: BTreeSet<RoomId> = stage.logs.keys().copied().collect();
    let all_read = |stage: &Stage| {
        let read = stage.clients.iter().map(|client| {
            let cursors = client.status().cursors;
            // Theirs alone is no room of the logs.
            let inbox = cursors.iter().find(|(room, _)| !rooms.contains(room));
            (client.n, inbox.map_or(0, |(_, cursor)| cursor.offset))
        });
        all_have_read(asked, &read.collect())
    };
    let waited = stage.until("everybody has heard of their jobs", all_read).await;
    waited.map_err(|error| match error.to_string().strip_prefix(NOTHING_COMES) {
        Some(what) => format!("J9: not yet: {what}").into(),
        None => error,
    })
}

/// Whether everybody's inbox was read so far that all that they asked for can be in it.
fn all_have_read(asked: &Asks, read: &BTreeMap<u8, u64>) -> bool {
    let mut counts = BTreeMap::<u8, u64>::new();
    asked.values().filter_map(|it| it.by).for_each(|by| *counts.entry(by).or_default() += 1);
    // The first entry is of the inbox itself.
    counts.iter().all(|(by, count)| read.get(by).is_some_and(|read| read > count))
}

/// An end as somebody reads of it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Told {
    job: String,
    state: String,
    /// What came of it, as JSON.
    result: Option<String>,
}

/// Each has read of the end of each job that they have asked for, once: how it ended, and what came of it.
pub(in super::super) fn told_once(
    asked: &Asks,
    jobs: &Jobs,
    databases: &[(u8, Database)],
) -> Outcome<()> {
    let known = |by: &u8| databases.iter().any(|(n, _)| n == by);
    if let Some(by) = asked.values().filter_map(|it| it.by).find(|by| !known(by)) {
        return Err(format!("J9: nobody knows what {by} was told").into());
    }
    for (n, database) in databases {
        let mut told = told(database)?;
        told.sort();
        let theirs = |it: &(&String, &Asked)| it.1.by == Some(*n);
        let mut wanted: Vec<_> = asked
            .iter()
            .filter(theirs)
            .map(|(title, asked)| {
                let Ended { state, result, .. } = &jobs[title];
                let result = result.as_ref().map(Value::to_string);
                Told { job: asked.id.clone(), state: state.clone(), result }
            })
            .collect();
        wanted.sort();
        if told != wanted {
            let odd = told.iter().find(|it| !wanted.contains(it));
            let odd = odd.or_else(|| wanted.iter().find(|it| !told.contains(it)));
            let (told, wanted) = (told.len(), wanted.len());
            return Err(
                format!("J9: {n} was told of {told} ends, of {wanted} jobs: {odd:?}").into()
            );
        }
    }
    Ok(())
}

/// What stands in the inbox.
fn told(database: &Database) -> Outcome<Vec<Told>> {
    let inbox = database.rooms.values().find(|room| room.inbox && room.ns == "work");
    let entries = inbox.and_then(|room| database.entries.get(&room.room));
    let mut told = Vec::new();
    for entry in entries.into_iter().flatten().filter(|entry| entry.kind == "job_ended") {
        let data = entry.data.as_ref().map_or("null", |data| data.get());
        let JobEnded { job, state, result, .. } = serde_json::from_str(data)?;
        let state = serde_json::to_value(state)?.as_str().unwrap_or_default().to_owned();
        told.push(Told { job: job.to_string(), state, result: result.map(|it| it.to_string()) });
    }
    Ok(told)
}

#[cfg(test)]
mod tests;
