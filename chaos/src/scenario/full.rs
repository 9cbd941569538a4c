//! The disk is full: events wait, HTTP is told 507, `readyz` 503. When there is room again, it goes
//! on by itself.
//!
//! The disk is a small file system in memory, for which one has to be root. It is mounted where only
//! this run sees it, and goes with the run even if that is killed. Where it cannot be mounted, writes
//! fail as those of a full disk do.

use crate::{
    Outcome, Play, apart, checks,
    clock::millis,
    disk::{Disk, ENOSPC, Fault, Orders},
    http,
    ledger::Emitted,
    program::End,
    stage::Stage,
    trace::Trace,
};
use serde_json::Value;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Of the file system: more than a scenario's log, less than takes long to fill.
const SIZE: &str = "size=192m";
const FILLER: &str = "filler";
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) async fn play(play: &Play, trace: &Trace) -> Outcome<End> {
    let (mut fills, mut stage) = match Small::mount(&play.data()) {
        Ok(small) => (Fills::Small(small), Stage::set(play, trace, Vec::new()).await?),
        Err(why) => {
            println!("chaos full: no file system of its own ({why}): writes fail instead");
            match super::on_a_bad_disk(play, trace).await? {
                Ok((disk, stage)) => (Fills::Shim(disk), stage),
                Err(skipped) => return Ok(skipped),
            }
        }
    };
    let filled = fill_and_make_room(play, &mut fills, &mut stage).await;
    let filled = match filled {
        Ok(()) => checks::all(stage).await.map(drop),
        Err(error) => Err(error),
    };
    if filled.is_err() && matches!(fills, Fills::Small(_)) {
        keep(&play.data(), &play.folder.join("data-of-the-small-disk"))?;
    }
    filled.map(|()| End::Passed)
}

async fn fill_and_make_room(play: &Play, fills: &mut Fills, stage: &mut Stage) -> Outcome<()> {
    for _ in 0..play.rounds(10, 3) {
        stage.write(play.events);
        stage.make_a_room();
        stage.restart_a_client();
        let acks = stage.chance.between(1, play.events / 2);
        stage.acks(acks).await?;
        let left = stage.chance.between(0, 200_000);
        fills.fill(left)?;
        stage.trace.fault("full disks", &format!("but for {left} bytes"));
        // More than fits, so that it does become full.
        stage.write(play.events);
        refused(stage).await?;
        let waits = stage.chance.between(50, 800);
        tokio::time::sleep(millis(waits)).await;
        fills.make_room()?;
        stage.server()?.until_ready_is(200, PATIENCE).await?;
        stage.trace.count("recoveries", 1);
        stage.acks(play.events / 2).await?;
    }
    stage.have_happened(&["full disks", "answers 507", "recoveries"])
}

/// What lies on the small file system goes with it.
fn keep(data: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for file in fs::read_dir(data)? {
        let file = file?;
        if file.file_name() != FILLER {
            fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    Ok(())
}

/// Posts large events until one is refused. Those that are taken count like everybody's.
async fn refused(stage: &mut Stage) -> Outcome<()> {
    let address = stage.server()?.address;
    let (room, name) = {
        let (room, log) = stage.logs.iter().next().ok_or("no rooms")?;
        (*room, log.name.clone())
    };
    let data = format!("{{\"text\":\"{}\"}}", "y".repeat(7_900));
    let body = format!("{{\"type\":\"message\",\"data\":{data}}}");
    let path = format!("/api/v1/chat/rooms/{name}/events");
    let (began, mut codes) = (Instant::now(), Vec::new());
    while began.elapsed() < PATIENCE {
        let answer = http::post(address, &path, &body).await?;
        let said: Value = answer.json()?;
        match answer.status {
            201 => {
                let (id, epoch) = (said["id"].as_str(), said["epoch"].as_str());
                let id = id.ok_or("no id")?.parse()?;
                let epoch = epoch.ok_or("no epoch")?.parse()?;
                let offset = said["offset"].as_u64().ok_or("no offset")?;
                stage.ledger.emitted(id, Emitted { by: 0, room, data: data.clone() });
                stage.ledger.stored(room, epoch, offset, id);
            }
            507 if said["code"] == "storage_full" => {
                stage.trace.count("answers 507", 1);
                return stage.server()?.until_ready_is(503, PATIENCE).await;
            }
            status => codes.push((status, said)),
        }
    }
    Err(format!("the disk is full, and nobody was told 507: {codes:?}").into())
}

/// How the disk is made full.
enum Fills {
    Small(Small),
    Shim(Disk),
}

impl Fills {
    fn fill(&mut self, left: u64) -> Outcome<()> {
        match self {
            Self::Small(small) => small.fill(left),
            Self::Shim(disk) => {
                let all = Orders::every(Fault::FailWrite, ENOSPC);
                disk.order(Orders { skip: left / 4096, ..all })
            }
        }
    }

    fn make_room(&mut self) -> Outcome<()> {
        match self {
            Self::Small(small) => Ok(fs::remove_file(small.filler())?),
            Self::Shim(disk) => disk.order(Orders::NOTHING),
        }
    }
}

/// A small file system, unmounted when it is dropped.
struct Small(PathBuf);

impl Small {
    fn mount(at: &Path) -> Result<Self, String> {
        if !apart::is_apart() {
            return Err("what is mounted would be seen by all, and could stay".to_owned());
        }
        fs::create_dir_all(at).map_err(|error| error.to_string())?;
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", SIZE, "chaos"]).arg(at).output();
        let mounted = mounted.map_err(|error| error.to_string())?;
        if mounted.status.success() {
            Ok(Self(at.to_owned()))
        } else {
            Err(String::from_utf8_lossy(&mounted.stderr).trim().to_owned())
        }
    }

    fn filler(&self) -> PathBuf {
        self.0.join(FILLER)
    }

    /// Takes all that there is, and gives so many bytes back.
    fn fill(&self, left: u64) -> Outcome<()> {
        let mut filler = File::create(self.filler())?;
        let mut length = 0;
        for block in [1 << 20, 4096_usize] {
            let zeros = vec![1; block];
            while let Ok(n) = filler.write(&zeros) {
                length += n as u64;
            }
        }
        Ok(filler.set_len(length.saturating_sub(left))?)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still have it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}
