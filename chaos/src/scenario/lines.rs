//! The line cuts, resets, stalls, swallows and crawls, while the server is well.

use crate::{
    Outcome, Play, checks,
    line::{Kind, Weather},
    program::End,
    stage::Stage,
    trace::Trace,
};

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let mut stage = Stage::set(play, trace, Vec::new()).await?;
    stage.line.weather(Weather::storm());
    let mut rounds = 0;
    // Rounds go on until each kind has happened; how many there were is drawn and counted.
    while rounds < play.rounds(5, 3) || Kind::ALL.iter().any(|it| trace.counted(it.name()) == 0) {
        rounds += 1;
        if rounds > 10 * play.rounds(5, 3) {
            break;
        }
        stage.write(play.events);
        stage.make_a_room();
        // The connections that stand are of calmer days.
        stage.restart_a_client();
        stage.acks(play.events * 9 / 10).await?;
    }
    stage.have_happened(&Kind::ALL.map(Kind::name))?;
    stage.line.weather(Weather::calm());
    checks::all(stage).await?;
    Ok(End::Passed)
}
