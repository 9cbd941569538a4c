//! The server is killed at any moment, again and again, also while it starts.

use crate::{
    Outcome, Play, checks, clock::millis, line::Weather, program::End, server::Server,
    stage::Stage, trace::Trace,
};

/// The kills that left an event in the log whose writer had not heard of it.
const IN_BETWEEN: &str = "kills between append and ack";

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let mut stage = Stage::set(play, trace, Vec::new()).await?;
    stage.line.weather(Weather::gusts());
    for round in 1..=play.restarts {
        stage.write(play.events);
        stage.make_a_room();
        let acks = stage.chance.between(1, play.events - 1);
        let client_restarts = stage.chance.between(0, 2);
        for part in 1..=client_restarts + 1 {
            stage.acks(acks * part / (client_restarts + 1)).await?;
            if part <= client_restarts {
                stage.restart_a_client();
            }
        }
        let moment = stage.chance.between(0, 3_000);
        tokio::time::sleep(std::time::Duration::from_micros(moment)).await;
        kill(&mut stage).await?;
        let unacked = stage.start_again().await?;
        trace.say(&format!("round {round}: {unacked} events were committed and not acked"));
        if unacked > 0 {
            trace.count(IN_BETWEEN, 1);
            trace.count("events there", unacked);
        }
    }
    stage.have_happened(&["kills", "kills while starting", "client restarts"])?;
    if play.is_long() {
        stage.have_happened(&[IN_BETWEEN])?;
    }
    checks::all(stage).await?;
    Ok(End::Passed)
}

async fn kill(stage: &mut Stage) -> Outcome<()> {
    let acks = stage.ledger.acks();
    stage.server.take().ok_or("the server is down")?.kill().await?;
    stage.line.close();
    stage.trace.fault("kills", &format!("after {acks} acks"));
    // What was on its way to the clients when it died still comes.
    let offline = |stage: &Stage| stage.clients.iter().all(|it| !it.status().online);
    stage.until("everyone has noticed", offline).await?;
    if stage.chance.percent(20) || stage.trace.counted("kills while starting") == 0 {
        let after = stage.chance.between(1, 60);
        Server::start_and_kill(&stage.start, millis(after)).await?;
        stage.trace.fault("kills while starting", &format!("after {after} ms"));
    }
    Ok(())
}
