//! Writes fail, or take half of what they were given: the server says so to who asked, and goes on.

use crate::{
    Outcome, Play, checks,
    disk::{
        Disk, EIO, ENOSPC, Fault, On, Orders,
        journal::{Deed, Journal},
    },
    program::End,
    stage::Stage,
    trace::Trace,
};

const FAULTS: [Fault; 3] = [Fault::FailWrite, Fault::ShortWrite, Fault::TornWrite];

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let mut disk = match Disk::build(&play.folder) {
        Ok(disk) => disk,
        Err(why) => return Ok(End::Skipped(why)),
    };
    let under = disk.under(&play.data())?;
    let mut stage = Stage::set(play, trace, under).await?;
    for round in 0..play.rounds(2, 9) {
        stage.write(play.events);
        let fault = FAULTS[usize::try_from(round)? % FAULTS.len()];
        let orders = Orders {
            fault,
            // The database is written when the log is written back: within a second of a deletion.
            on: *stage.chance.of(&[On::Any, On::Log, On::Database]),
            skip: stage.chance.between(0, 40),
            count: stage.chance.between(1, 5),
            error: *stage.chance.of(&[EIO, ENOSPC]),
            hold: 0,
        };
        trace.say(&format!("{orders:?}"));
        disk.order(orders)?;
        let acks = stage.chance.between(1, play.events - 1);
        stage.acks(acks).await?;
    }
    disk.order(Orders::NOTHING)?;
    stage.drain().await?;
    stage.server()?.until_ready_is(200, std::time::Duration::from_secs(5)).await?;
    let mut journal = Journal::open(&disk.journal())?;
    while let Some(record) = journal.next()? {
        if let Deed::Fault { fault, .. } = record.deed
            && let Some(kind) = FAULTS.into_iter().find(|it| *it as u64 == fault)
        {
            trace.count(kind.name(), 1);
        }
    }
    stage.have_happened(&FAULTS.map(Fault::name))?;
    checks::all(stage).await?;
    Ok(End::Passed)
}
