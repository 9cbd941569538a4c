//! Jobs whose workers are killed and stopped in the middle of them, and whose server is killed, stands
//! still, loses its power, has a full disk and a wall clock that jumps. Each job ends once, whatever
//! became of its attempts.
//!
//! Eight workers, each a process of its own (`worker.rs`), do what the clients' people and a service
//! ask for. Two of them come by `holdfast-work.v1`; three, one of those two among them, stop in the middle
//! of jobs and go on when their leases are over. Beside them the clients write as in every scenario, and
//! read what the jobs bring.

mod asks;
mod ends;
mod harm;
mod jumps;
mod ticks;

use crate::{
    Outcome, Play, checks, crew::Crew, http, line::Weather, program::End, stage::Stage,
    trace::Trace, wall::Wall, worker::Kind,
};
use asks::Asks;
use harm::{BETWEEN, Harm, Harms};
use holdfast_common::job::limits::LONGEST_DELAY;
use jumps::{MISDATED, misdated};
use serde_json::json;

/// Of the six clients, whose people ask.
const PEOPLE: u8 = 4;
/// Ends that were taken, and nobody had heard of it.
const AGAIN: &str = "ends taken before";
const LATE: &str = "ends too late";
const BY_SOCKET: &str = "jobs done by socket";
const BROUGHT_SO: &str = "jobs brought by socket";
const LATE_SO: &str = "ends too late by socket";
const SETTINGS: &str = "/api/v1/work/queues/inbox/settings";

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let end = all_of_it(play, trace).await;
    let Some(fault) = play.planted else { return end };
    match end {
        Ok(End::Passed) => Err("it was planted, and nobody saw it: the checks are blind".into()),
        Err(error) if fault.is_named(&error.to_string()) => {
            trace.fault("planted faults that were seen", &error.to_string());
            println!("chaos {}: {error}", fault.name);
            Ok(End::Passed)
        }
        Err(error) => Err(format!("it was planted, and seen as another: {error}").into()),
        skipped => skipped,
    }
}

async fn all_of_it(play: &Play, trace: &Trace) -> Outcome<End> {
    let (disk, mut stage) = match super::on_a_bad_disk(play, trace).await? {
        Ok(set) => set,
        Err(skipped) => return Ok(skipped),
    };
    let wall = match Wall::build(&play.folder) {
        Ok(wall) => wall,
        Err(why) => return Ok(End::Skipped(why)),
    };
    let mut harms = Harms::new(play, disk, wall);
    keep_for_long(&stage).await?;
    let asks = Asks::start(stage.line.address, play.seed, PEOPLE, &stage.ledger);
    let crew = Crew::start(stage.line.address, play.seed, &stage.ledger, trace);
    let rounds = play.rounds(2, Harm::ALL.len() as u64);
    for (round, harm) in (1..=rounds).zip(Harm::ALL.iter().cycle()) {
        trace.say(&format!("round {round}: {harm:?}"));
        let calm = harm.is_calm();
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
    let told = ends::read(&mut stage, || ends::begun_as_often_as_may(&asked, &crew.book())).await?;
    let book = crew.end().await?;
    book.unbroken()?;
    trace.count(AGAIN, book.again);
    trace.count(LATE, book.late.len() as u64);
    trace.count(LATE_SO, book.late_by_socket());
    trace.count("jobs", told.len() as u64);
    let (done, brought) = ends::by_socket(&told);
    trace.count(BY_SOCKET, done);
    trace.count(BROUGHT_SO, brought);
    trace.count(MISDATED, misdated(stage.logs.values().flat_map(|log| &log.entries)));
    ends::fired_once(&harms.ticks, &told)?;
    ends::check(&asked, &told, &ends::said(&stage, &told)?, &book)?;
    stage.have_happened(&Harms::HAPPENED)?;
    stage.have_happened(&["workers killed", "workers that died", "workers stalled", LATE])?;
    stage.have_happened(&[MISDATED, BY_SOCKET])?;
    // Whom a job that brings another comes to is chance, and few of them are in a short run.
    if play.is_long() {
        stage.have_happened(&[BROUGHT_SO, LATE_SO])?;
    }
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

/// Has what is done kept for as long as can be: each time that the clock jumps while the server is down
/// counts as time in which it was closed.
async fn keep_for_long(stage: &Stage) -> Outcome<()> {
    let settings = json!({ "keep_ms": LONGEST_DELAY }).to_string();
    let answer = http::post(stage.server()?.address, SETTINGS, &settings).await?;
    if answer.status == 200 { Ok(()) } else { Err(answer.text().into()) }
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
