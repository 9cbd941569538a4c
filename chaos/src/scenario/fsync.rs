//! A sync fails. From then on nobody knows what the disk holds: no ack leaves, the process ends, and
//! started again it has everything that it ever acked.

use super::power::{Cut, holds};
use crate::{
    Outcome, Play, checks,
    disk::{
        Disk, EIO, Fault, On, Orders,
        journal::{Deed, Journal},
        model::{Image, Model, Unsynced},
    },
    program::End,
    server,
    stage::Stage,
    trace::Trace,
};
use std::{collections::BTreeMap, time::Duration};

/// What the server says then.
const SAID: &str = "an fsync failed";
/// How long the sync takes to fail: what had left before has arrived by then.
const HOLD: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let (mut disk, mut stage) = match super::on_a_bad_disk(play, trace).await? {
        Ok(set) => set,
        Err(skipped) => return Ok(skipped),
    };
    stage.expected.push(SAID);
    let mut base = Image::new();
    for round in 0..play.rounds(5, 4) {
        stage.write(play.events);
        stage.make_a_room();
        stage.restart_a_client();
        let acks = stage.chance.between(1, play.events - 1);
        stage.acks(acks).await?;
        // The database is synced when the log is written back.
        let (on, most) = if round % 2 == 0 { (On::Log, 3) } else { (On::Database, 0) };
        let skip = stage.chance.between(0, most);
        let all = Orders::every(Fault::FailSync, EIO);
        disk.order(Orders { on, skip, count: 1, hold: HOLD, ..all })?;
        // Syncs of either follow for certain.
        stage.write(play.events);
        stage.delete();
        end_of_the_server(&mut stage).await?;
        let offline = |stage: &Stage| stage.clients.iter().all(|it| !it.status().online);
        stage.until("everyone has noticed", offline).await?;
        let model = after_the_failure(&disk, base, &stage)?;
        // What was acked is there even if nothing is that was not synced.
        let none = model.image(Unsynced::Lost, &mut stage.chance);
        holds(&Cut { image: none, before: u64::MAX }, play, &mut stage).await?;
        let unsynced = *stage.chance.of(&Unsynced::ALL);
        base = model.image(unsynced, &mut stage.chance);
        super::power::lay(&base, &play.data(), &mut stage.chance)?;
        disk.order(Orders::NOTHING)?;
        stage.start.under = disk.under(&play.data())?;
        stage.start_again().await?;
    }
    let said = server::errors(&stage.start.log, &[])?;
    if said.iter().filter(|line| line.contains(SAID)).count() as u64 != trace.counted("failed sync")
    {
        return Err(format!("not every failed sync was told of: {said:?}").into());
    }
    stage.have_happened(&["failed sync", "of the log", "of the database"])?;
    checks::all(stage).await?;
    Ok(End::Passed)
}

/// It ends by itself, with the code that says so. Nothing else ends it: a kill would hide an ack.
async fn end_of_the_server(stage: &mut Stage) -> Outcome<()> {
    let mut server = stage.server.take().ok_or("the server is down")?;
    let status = server.ended(PATIENCE).await?;
    stage.line.close();
    match status {
        Some(status) if status.code() == Some(1) => Ok(()),
        Some(status) => Err(format!("I1: a sync failed and the server ended with {status}").into()),
        None => Err("I1: a sync was to fail, and the server goes on".into()),
    }
}

/// Reads the journal to its end: one sync has failed, and nothing was synced after it.
fn after_the_failure(disk: &Disk, base: Image, stage: &Stage) -> Outcome<Model> {
    let mut journal = Journal::open(&disk.journal())?;
    let mut model = Model::new(base);
    let (mut failed, mut names) = (None, BTreeMap::new());
    while let Some(record) = journal.next()? {
        match &record.deed {
            Deed::Opened { file, name } => drop(names.insert(*file, name.clone())),
            Deed::Fault { file, fault } if *fault == Fault::FailSync as u64 => {
                let name = names.get(file).cloned().unwrap_or_default();
                stage.trace.fault("failed sync", &name);
                let of = if name.ends_with("-wal") { "of the log" } else { "of the database" };
                stage.trace.count(of, 1);
                failed = Some(record.at);
            }
            Deed::Synced { .. } if failed.is_some() => {
                return Err("I1: a sync failed, and the server synced again".into());
            }
            _ => {}
        }
        model.take(record);
    }
    let failed = failed.ok_or("the server ended, and no sync had failed")?;
    let book = stage.ledger.book();
    let late = book.acks.iter().filter(|ack| ack.at > failed);
    let latest = late.clone().map(|ack| (ack.at - failed) / 1_000_000).max();
    // They had left before, and each of them has just to be of a synced event, which is looked at.
    stage.trace.count("acks that came after it", late.count() as u64);
    stage.trace.say(&format!("the last of them after {latest:?} ms"));
    Ok(model)
}
