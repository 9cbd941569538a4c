//! A disk that says it has synced and has not: what was acked is lost with the power, and the checks
//! have to see it. If this one fails, the others prove nothing.

use super::power::{Cut, holds};
use crate::{
    Outcome, Play,
    disk::{
        EIO, Fault, Orders,
        journal::Journal,
        model::{Image, Model, Unsynced},
    },
    program::End,
    stage::Stage,
    trace::Trace,
};

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let (mut disk, mut stage) = match super::on_a_bad_disk(play, trace).await? {
        Ok(set) => set,
        Err(skipped) => return Ok(skipped),
    };
    let honest = stage.ledger.acks() as u64;
    disk.order(Orders::every(Fault::LieSync, EIO))?;
    stage.write(100);
    stage.acks(50).await?;
    stage.server.take().ok_or("the server is down")?.kill().await?;
    stage.line.close();
    let offline = |stage: &Stage| stage.clients.iter().all(|it| !it.status().online);
    stage.until("everyone has noticed", offline).await?;
    let (mut model, mut journal) = (Model::new(Image::new()), Journal::open(&disk.journal())?);
    while let Some(record) = journal.next()? {
        model.take(record);
    }
    let image = model.image(Unsynced::Lost, &mut stage.chance);
    match holds(&Cut { image, before: u64::MAX }, play, &mut stage).await {
        Err(error) if error.to_string().starts_with("I1: what was acked") => {
            trace.count("acks before the lies", honest);
            trace.count("lies found out", 1);
            Ok(End::Passed)
        }
        Err(error) => Err(format!("the disk lied, and it was another fault: {error}").into()),
        Ok(()) => Err("the disk lied, and nobody saw it: the checks are blind".into()),
    }
}
