//! Writes fail, or take half of what they were given: the server says so to who asked, and goes on.

use crate::{
    Outcome, Play, checks,
    disk::{
        EIO, ENOSPC, Fault, On, Orders,
        journal::{Deed, Journal},
    },
    program::End,
    trace::Trace,
};

const FAULTS: [Fault; 3] = [Fault::FailWrite, Fault::ShortWrite, Fault::TornWrite];

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let (mut disk, mut stage) = match super::on_a_bad_disk(play, trace).await? {
        Ok(set) => set,
        Err(skipped) => return Ok(skipped),
    };
    for round in 0..play.rounds(5, 9) {
        let fault = FAULTS[usize::try_from(round)? % FAULTS.len()];
        // The database is written when the log is written back.
        let (on, most) = *stage.chance.of(&[(On::Any, 40), (On::Log, 40), (On::Database, 2)]);
        let (skip, count) = (stage.chance.between(0, most), stage.chance.between(1, 5));
        let error = *stage.chance.of(&[EIO, ENOSPC]);
        let orders = Orders { on, skip, count, ..Orders::every(fault, error) };
        trace.say(&format!("{orders:?}"));
        disk.order(orders)?;
        stage.write(play.events);
        stage.make_a_room();
        stage.delete();
        stage.restart_a_client();
        stage.until("the fault", |_| disk.carried_out() > 0).await?;
        stage.write(play.events);
        let acks = stage.chance.between(1, play.events);
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
