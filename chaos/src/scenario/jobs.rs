//! Jobs whose workers are killed and stopped in the middle of them, and whose server is killed, stands
//! still, loses its power and has a full disk. Each job ends once, whatever became of its attempts.
//!
//! Eight workers, each a process of its own (`worker.rs`), do what the clients' people and a service
//! ask for. Two of them come by `holdfast-work.v1`; two stop in the middle of jobs and go on when their
//! leases are over. Beside them the clients write as in every scenario, and read what the jobs bring.

mod asks;
mod ends;
mod harm;

use crate::{
    Outcome, Play, checks, crew::Crew, line::Weather, program::End, stage::Stage, trace::Trace,
    worker::Kind,
};
use asks::Asks;
use harm::{BETWEEN, Harm, Harms};

/// Of the six clients, whose people ask.
const PEOPLE: u8 = 4;
/// Ends that were taken, and nobody had heard of it.
const AGAIN: &str = "ends taken before";
const LATE: &str = "ends too late";

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let (disk, mut stage) = match super::on_a_bad_disk(play, trace).await? {
        Ok(set) => set,
        Err(skipped) => return Ok(skipped),
    };
    let mut harms = Harms::new(play, disk);
    let asks = Asks::start(stage.line.address, play.seed, PEOPLE);
    let crew = Crew::start(stage.line.address, play.seed, &stage.ledger, trace);
    let rounds = play.rounds(2, Harm::ALL.len() as u64);
    for (round, harm) in (1..=rounds).zip(Harm::ALL.iter().cycle()) {
        trace.say(&format!("round {round}: {harm:?}"));
        let calm = *harm == Harm::Still;
        stage.line.weather(if calm { Weather::calm() } else { Weather::gusts() });
        let jobs = (play.events / 10).clamp(60, 200);
        asks.more(Kind::Plain, jobs * 8 / 10);
        asks.more(Kind::Parent, jobs / 10);
        asks.more(Kind::Fails, 2);
        asks.more(Kind::Kills, 1);
        asks.more(Kind::Plain, jobs / 10);
        stage.write(jobs);
        let enough = asks.enqueued() + usize::try_from(jobs / 2)?;
        until(&mut stage, &crew, "jobs are enqueued", |_| asks.enqueued() > enough).await?;
        if !calm {
            crew.kill(stage.chance.index(crew.size()));
        }
        harms.does(*harm, &mut stage, &crew, &asks).await?;
        crew.book().unbroken()?;
    }
    stage.line.weather(Weather::calm());
    until(&mut stage, &crew, "all jobs are asked for", |_| asks.is_done()).await?;
    let asked = asks.end().await?;
    let told = ends::read(&mut stage).await?;
    crew.book().unbroken()?;
    trace.count(AGAIN, crew.book().again);
    trace.count(LATE, crew.book().late.len() as u64);
    trace.count("jobs", told.len() as u64);
    ends::check(&asked, &told, &ends::said(&stage)?, &crew.book())?;
    drop(crew);
    stage.have_happened(&Harms::HAPPENED)?;
    stage.have_happened(&["workers killed", "workers that died", "workers stalled", LATE])?;
    // A server that was built without failpoints dies there by chance alone.
    if play.failpoints {
        stage.have_happened(&[BETWEEN])?;
    }
    if play.failpoints || play.is_long() {
        stage.have_happened(&[AGAIN])?;
    }
    ends::have_reached(&mut stage, &asked).await?;
    let databases = checks::all(stage).await?;
    ends::told_once(&asked, &told, &databases)?;
    Ok(End::Passed)
}

/// As [`Stage::until`], and nothing that the workers tell is wrong.
async fn until(
    stage: &mut Stage,
    crew: &Crew,
    what: &str,
    holds: impl Fn(&Stage) -> bool,
) -> Outcome<()> {
    let broken = || crew.book().unbroken().is_err();
    stage.until(what, |stage| holds(stage) || broken()).await?;
    crew.book().unbroken()
}
