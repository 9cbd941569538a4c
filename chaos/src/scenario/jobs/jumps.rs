//! The wall clock of the server jumps by hours, as it runs and while it is down. Leases go by another
//! one: none ends by a jump, and none goes on for hours.

use super::{
    asks::Asks,
    harm::{Harms, held_by_some, kill},
    until,
};
use crate::{
    Outcome,
    clock::{self, millis},
    crew::Crew,
    http,
    stage::Stage,
    worker::Kind,
};
use holdfast_common::frame::Entry;
use std::time::{Duration, Instant};

pub(super) const AHEAD: &str = "clock jumps ahead";
pub(super) const BACK: &str = "clock jumps back";
pub(super) const CLOSED: &str = "clock jumps while down";
/// Events that bear a time which is wrong by a jump.
pub(super) const MISDATED: &str = "events of a wrong time";

const HOUR: i64 = 3_600;
/// A jump's hours, at least and at most.
const HOURS: [u64; 2] = [1, 9];
/// So many are written while the clock is behind.
const EVENTS: u64 = 40;
/// How long a lease may stand that nobody keeps: some times its length.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long it may take until somebody asks what time it is.
const ASKED: Duration = Duration::from_secs(10);

impl Harms<'_> {
    /// Ahead, back behind the right time, ahead while nobody runs, and right again. The first three while
    /// jobs are held whose leases last for all of it, the last while some have died and left leases.
    pub(super) async fn jumps(
        &mut self,
        stage: &mut Stage,
        crew: &Crew,
        asks: &Asks,
    ) -> Outcome<()> {
        let (first, behind) = (hours(stage), hours(stage));
        let second = first + hours(stage);
        held_by_some(Kind::Kept, stage, crew, asks).await?;
        crew.book().stands_still();
        self.ticks.begin(stage).await?;
        self.jump(stage, AHEAD, first).await?;
        // Whether what the schedule has missed comes before this is not known.
        let moment = stage.chance.between(0, 60);
        tokio::time::sleep(millis(moment)).await;
        kill(stage).await?;
        self.start(stage).await?;
        self.ticks.comes(stage).await?;
        self.jump(stage, BACK, -behind).await?;
        stage.write(EVENTS);
        stage.acks(EVENTS / 2).await?;
        kill(stage).await?;
        let since = crew.book().newest();
        self.wall.set(second)?;
        self.start(stage).await?;
        stage.trace.fault(CLOSED, &format!("{second} s ahead"));
        self.ticks.comes(stage).await?;
        asks.more(Kind::Kills, 3);
        let left = || crew.book().left_behind(since);
        until(stage, crew, "a worker has died of its job", |_| !left().is_empty()).await?;
        let left = left();
        self.wall.set(0)?;
        stage.trace.fault(BACK, &format!("to the right time; left are {left:?}"));
        have_run_out(stage, &left).await?;
        until(stage, crew, "what was held has ended", |_| crew.book().let_go()).await
    }

    /// Sets the clock so many seconds ahead of the right time, and waits until the server has seen it.
    async fn jump(&self, stage: &Stage, what: &str, by: i64) -> Outcome<()> {
        let told = self.wall.told()?;
        self.wall.set(by)?;
        let begun = Instant::now();
        while self.wall.told()? == told {
            if begun.elapsed() > ASKED {
                return Err("the server does not ask the clock that was laid under it".into());
            }
            tokio::time::sleep(millis(5)).await;
        }
        stage.trace.fault(what, &format!("{by} s ahead"));
        Ok(())
    }
}

/// Waits until these leases have run out.
async fn have_run_out(stage: &Stage, leases: &[(String, u64)]) -> Outcome<()> {
    let (address, begun) = (stage.server()?.address, Instant::now());
    for (job, attempt) in leases {
        loop {
            let read = http::get(address, &format!("/api/v1/work/jobs/{job}")).await?.json()?;
            // Who had it is dead, and has said nothing.
            if read["errors"].as_array().is_some_and(|errors| errors.len() as u64 >= *attempt) {
                break;
            }
            if begun.elapsed() > PATIENCE {
                return Err(format!("J6: a lease stands on over a jump back: {read}").into());
            }
            tokio::time::sleep(millis(20)).await;
        }
    }
    Ok(())
}

/// So many of these bear a time that is wrong by a jump.
pub(super) fn misdated<'a>(entries: impl Iterator<Item = &'a Entry>) -> u64 {
    let (now, wrong) = (clock::wall().0, HOUR.unsigned_abs() * 1_000 / 2);
    entries.filter(|entry| entry.at.0.abs_diff(now) > wrong).count() as u64
}

/// Some hours, in seconds.
fn hours(stage: &mut Stage) -> i64 {
    let [least, most] = HOURS;
    HOUR * i64::try_from(stage.chance.between(least, most)).unwrap_or(1)
}
