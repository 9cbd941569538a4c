//! The power fails at any moment: the disk holds what was synced, and any part of what was not.
//!
//! The server runs on a disk that keeps a journal (`disk.rs`). At the end of a round it is killed, and
//! goes on from what the disk would have held had the power failed then. From the round's journal some
//! more moments are drawn, and for each the same program is started on what the disk would have held
//! at that one.

use crate::{
    Outcome, Play,
    chance::Chance,
    checks,
    disk::{
        Disk,
        journal::{Deed, Journal, Record},
        model::{Image, Model, Unsynced},
    },
    driver::Style,
    ledger::Known,
    log::{Log, Logs},
    program::End,
    server::{Server, Start},
    stage::Stage,
    trace::Trace,
};
use holdfast_common::id::RoomId;
use std::{collections::BTreeSet, fs, path::Path};

/// Events that fill SQLite's log to the 64 MiB at which it begins anew.
const PAGES: u64 = 9_000;
const BEGUN_ANEW: &str = "logs begun anew";
/// Moments that are drawn from each round's journal.
const MOMENTS: usize = 5;

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let (mut disk, mut stage) = match super::on_a_bad_disk(play, trace).await? {
        Ok(set) => set,
        Err(skipped) => return Ok(skipped),
    };
    let mut base = Image::new();
    let rounds = play.rounds(5, 3);
    for round in 1..=rounds {
        // In a long run the last one is of pages, until the server's log begins anew.
        if round == rounds && play.is_long() {
            stage.write_as(Style::Pages, PAGES);
            stage.acks(PAGES * 19 / 20).await?;
        } else {
            stage.write(play.events);
            stage.make_a_room();
            stage.restart_a_client();
            let acks = stage.chance.between(1, play.events - 1);
            stage.acks(acks).await?;
        }
        base = cut(&mut disk, base, play, &mut stage).await?;
        lay(&base, &play.data(), &mut stage.chance)?;
        stage.start.under = disk.under(&play.data())?;
        let unacked = stage.start_again().await?;
        trace.count("events committed and not acked", unacked);
    }
    stage.have_happened(&["power cuts", "cuts with something unsynced"])?;
    if play.is_long() {
        stage.have_happened(&[BEGUN_ANEW])?;
    }
    checks::all(stage).await?;
    Ok(End::Passed)
}

/// What the disk holds after a cut.
pub(super) struct Cut {
    pub(super) image: Image,
    /// When it was: what was acked before has to be there.
    pub(super) before: u64,
}

/// Kills the server, looks at some moments of its life, and returns what the disk holds now.
async fn cut(disk: &mut Disk, base: Image, play: &Play, stage: &mut Stage) -> Outcome<Image> {
    stage.server.take().ok_or("the server is down")?.kill().await?;
    stage.line.close();
    let offline = |stage: &Stage| stage.clients.iter().all(|it| !it.status().online);
    stage.until("everyone has noticed", offline).await?;
    let (mut count, mut journal) = (0, Journal::open(&disk.journal())?);
    while journal.next()?.is_some() {
        count += 1;
    }
    let mut moments: BTreeSet<usize> =
        (0..MOMENTS - 1).map(|_| stage.chance.index(count)).collect();
    // The beginning is short, and has the migrations, or the log that is read back and emptied.
    moments.insert(stage.chance.index(count.min(100)));
    let (mut model, mut journal) = (Model::new(base), Journal::open(&disk.journal())?);
    let (mut n, mut log) = (0, None);
    while let Some(record) = journal.next()? {
        if moments.contains(&n) {
            let cut = draw(&model, Some(&record), stage);
            holds(&cut, play, stage).await?;
        }
        n += 1;
        begun_anew(&record, &mut log, &stage.trace);
        model.take(record);
    }
    let cut = draw(&model, None, stage);
    holds(&cut, play, stage).await?;
    Ok(cut.image)
}

/// Counts how often SQLite's log was begun anew, which is that its head was written again, and the
/// file is as long as it was. `log` is its number, once its head has been written.
fn begun_anew(record: &Record, log: &mut Option<u64>, trace: &Trace) {
    match &record.deed {
        Deed::Truncated { file, .. } if *log == Some(*file) => *log = None,
        // 32 bytes, and the database's file has none of that length.
        Deed::Wrote { file, place: 0, data } if data.len() == 32 => {
            if *log == Some(*file) {
                trace.count(BEGUN_ANEW, 1);
            }
            *log = Some(*file);
        }
        _ => {}
    }
}

/// A cut before this was done; at the end, where there is none.
fn draw(model: &Model, next: Option<&Record>, stage: &mut Stage) -> Cut {
    let unsynced = *stage.chance.of(&Unsynced::ALL);
    let image = model.image(unsynced, &mut stage.chance);
    let what = format!("before {:?}, unsynced: {unsynced:?}", next.map(|it| it.seq));
    stage.trace.fault("power cuts", &what);
    if image != model.image(Unsynced::Lost, &mut stage.chance) {
        stage.trace.count("cuts with something unsynced", 1);
    }
    Cut { image, before: next.map_or(u64::MAX, |it| it.at) }
}

/// Starts the program on what the disk holds: all that was acked before is there, all that anybody
/// had read as well, and the database is whole.
pub(super) async fn holds(cut: &Cut, play: &Play, stage: &mut Stage) -> Outcome<()> {
    let folder = play.folder.join("cut");
    lay(&cut.image, &folder, &mut stage.chance)?;
    if cut.image.contains_key("holdfast.db") {
        let copy = play.folder.join("copy");
        lay(&cut.image, &copy, &mut stage.chance)?;
        checks::is_whole(&copy)?;
        fs::remove_dir_all(copy)?;
    }
    let before = |all: &[Known]| -> Vec<Known> {
        all.iter().filter(|known| known.at < cut.before).copied().collect()
    };
    let (acks, read) = {
        let book = stage.ledger.book();
        (before(&book.acks), before(&book.read))
    };
    let log = play.folder.join("server-after-a-cut.log");
    let program = play.program.clone();
    let start = Start { program, data: folder.clone(), log, port: 0, under: Vec::new() };
    let server = Server::start(&start).await?;
    let rooms: BTreeSet<RoomId> = acks.iter().chain(&read).map(|known| known.room).collect();
    let mut logs = Logs::new();
    for room in rooms {
        let mut log = Log::new(&stage.logs[&room].name);
        let read_on = log.read_on(server.address).await;
        read_on.map_err(|error| format!("I1: after a cut: {error}"))?;
        logs.insert(room, log);
    }
    checks::stands(&logs, &acks, "I1: what was acked before a cut")?;
    checks::stands(&logs, &read, "I4: what was read before a cut")?;
    checks::once_and_in_order(&logs, &stage.ledger.book())?;
    server.end().await?;
    checks::is_whole(&folder)?;
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// Makes the folder hold this. Of the shared memory, which is mapped and never synced, anything may
/// be there.
pub(super) fn lay(image: &Image, folder: &Path, chance: &mut Chance) -> Outcome<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    for (name, content) in image {
        fs::write(folder.join(name), content)?;
    }
    if image.contains_key("holdfast.db") && chance.percent(50) {
        let garbage: [u8; 4096] = chance.bytes();
        fs::write(folder.join("holdfast.db-shm"), garbage.repeat(8))?;
    }
    Ok(())
}
