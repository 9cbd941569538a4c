//! The server stands still for longer than a silence may be, and goes on as if nothing had been.

use crate::{Outcome, Play, checks, clock::millis, program::End, stage::Stage, trace::Trace};

/// Above the silence after which either side takes the other for dead.
const FROZEN: (u64, u64) = (3_200, 5_000);

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let mut stage = Stage::set(play, trace, Vec::new()).await?;
    for _ in 0..play.rounds(10, 2) {
        stage.write(play.events);
        stage.make_a_room();
        stage.restart_a_client();
        let acks = stage.chance.between(1, play.events / 2);
        stage.acks(acks).await?;
        let frozen = stage.chance.between(FROZEN.0, FROZEN.1);
        stage.server()?.freeze()?;
        trace.fault("stops", &format!("for {frozen} ms"));
        tokio::time::sleep(millis(frozen)).await;
        let noticed = stage.clients.iter().filter(|client| !client.status().online).count();
        trace.count("clients that noticed", noticed as u64);
        stage.server()?.thaw()?;
        let back = |stage: &Stage| stage.clients.iter().all(|client| client.status().online);
        stage.until("everyone is back", back).await?;
    }
    stage.have_happened(&["stops", "clients that noticed"])?;
    checks::all(stage).await?;
    Ok(End::Passed)
}
