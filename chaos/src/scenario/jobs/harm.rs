//! What is done to the server of the jobs, round by round.

use super::{
    asks::Asks,
    jumps::{AHEAD, BACK, CLOSED},
    ticks::{CAME, Ticks},
    until,
};
use crate::{
    Outcome, Play,
    clock::millis,
    crew::Crew,
    disk::{
        Disk, ENOSPC, Fault, Orders,
        journal::Journal,
        model::{Image, Model, Unsynced},
    },
    scenario::power::{Cut, holds, lay},
    server::Server,
    stage::Stage,
    wall::Wall,
    worker::{Kind, STILL_MS},
};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(30);
/// What the server says where it was told to die behind a commit.
const FIRED: &str = "failpoint fired";
pub(super) const BETWEEN: &str = "kills between commit and answer";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    /// SIGKILL at any moment.
    Kill,
    /// It dies by itself behind a commit, before anybody hears of it.
    Between,
    /// The disk is full for a while.
    Full,
    /// The power fails: it goes on from what the disk would hold.
    Power,
    /// SIGSTOP for longer than every lease.
    Still,
    /// Its wall clock jumps by hours.
    Clock,
}

impl Harm {
    pub(super) const ALL: [Self; 7] = [
        Self::Kill,
        Self::Between,
        Self::Full,
        Self::Power,
        Self::Between,
        Self::Still,
        Self::Clock,
    ];

    /// Whether the line is to be calm, so that nothing else ends a lease.
    pub(super) const fn is_calm(self) -> bool {
        matches!(self, Self::Still | Self::Clock)
    }
}

pub(super) struct Harms<'a> {
    play: &'a Play,
    disk: Disk,
    pub(super) wall: Wall,
    pub(super) ticks: Ticks,
    /// What the disk held when the present server began.
    base: Image,
}

impl<'a> Harms<'a> {
    pub(super) const HAPPENED: [&'static str; 8] =
        ["server kills", "full disks", "power cuts", "stops", AHEAD, BACK, CLOSED, CAME];

    pub(super) fn new(play: &'a Play, disk: Disk, wall: Wall) -> Self {
        Self { play, disk, wall, ticks: Ticks::default(), base: Image::new() }
    }

    pub(super) async fn does(
        &mut self,
        harm: Harm,
        stage: &mut Stage,
        crew: &Crew,
        asks: &Asks,
    ) -> Outcome<()> {
        match harm {
            Harm::Kill => {
                let moment = stage.chance.between(0, 200_000);
                tokio::time::sleep(Duration::from_micros(moment)).await;
                kill(stage).await?;
                self.start(stage).await
            }
            Harm::Between => self.between(stage).await,
            Harm::Full => self.full(stage).await,
            Harm::Power => self.power(stage).await,
            Harm::Still => still(stage, crew, asks).await,
            Harm::Clock => self.jumps(stage, crew, asks).await,
        }
    }

    /// Has the disk's journal begin with what is there now.
    fn begin(&mut self, stage: &mut Stage) -> Outcome<()> {
        let (data, mut more) = (self.play.data(), Vec::new());
        if let Some(fault) = self.play.planted {
            fault.plant(&data, &mut more)?;
        }
        self.base = held(&data)?;
        let mut under = self.disk.under(&data)?;
        self.wall.lay(&mut under);
        under.append(&mut more);
        stage.start.under = under;
        Ok(())
    }

    pub(super) async fn start(&mut self, stage: &mut Stage) -> Outcome<()> {
        self.begin(stage)?;
        stage.start_again().await.map(drop)
    }

    /// A server learns of its failpoint at its start, so it is killed once more for that.
    async fn between(&mut self, stage: &mut Stage) -> Outcome<()> {
        kill(stage).await?;
        self.begin(stage)?;
        let commits = stage.chance.between(5, 150);
        let point = format!("after_commit_before_ack:kill:{commits}");
        stage.start.under.push(("HOLDFAST_FAILPOINT", point.into()));
        // Who asked for what had ended before is told at once: that may be what it dies of, at any
        // moment from its start.
        if let Ok(mut server) = Server::start(&stage.start).await {
            stage.line.open(server.address);
            let patience = if self.play.failpoints { PATIENCE } else { millis(500) };
            if server.ended(patience).await?.is_none() {
                server.kill().await?;
            }
        }
        let log = fs::read_to_string(&stage.start.log)?;
        let fired = log.lines().filter(|line| line.contains(FIRED)).count() as u64;
        stage.trace.count(BETWEEN, fired - stage.trace.counted(BETWEEN));
        stage.trace.say(&format!("it was to die behind {commits} commits"));
        gone(stage).await?;
        self.start(stage).await
    }

    async fn full(&mut self, stage: &mut Stage) -> Outcome<()> {
        let skip = stage.chance.between(0, 40);
        self.disk.order(Orders { skip, ..Orders::every(Fault::FailWrite, ENOSPC) })?;
        stage.until("a write fails", |_| self.disk.carried_out() > 0).await?;
        stage.server()?.until_ready_is(503, PATIENCE).await?;
        stage.trace.fault("full disks", &format!("after {skip} writes"));
        let waits = stage.chance.between(50, 800);
        tokio::time::sleep(millis(waits)).await;
        self.disk.order(Orders::NOTHING)?;
        stage.server()?.until_ready_is(200, PATIENCE).await
    }

    async fn power(&mut self, stage: &mut Stage) -> Outcome<()> {
        kill(stage).await?;
        let mut model = Model::new(self.base.clone());
        let mut journal = Journal::open(&self.disk.journal())?;
        while let Some(record) = journal.next()? {
            model.take(record);
        }
        let unsynced = *stage.chance.of(&Unsynced::ALL);
        let image = model.image(unsynced, &mut stage.chance);
        stage.trace.fault("power cuts", &format!("unsynced: {unsynced:?}"));
        let cut = Cut { image, before: u64::MAX };
        holds(&cut, self.play, stage).await?;
        lay(&cut.image, &self.play.data(), &mut stage.chance)?;
        self.start(stage).await
    }
}

pub(super) async fn kill(stage: &mut Stage) -> Outcome<()> {
    stage.server.take().ok_or("the server is down")?.kill().await?;
    stage.trace.count("server kills", 1);
    gone(stage).await
}

/// Nobody comes through any more.
async fn gone(stage: &mut Stage) -> Outcome<()> {
    stage.line.close();
    let offline = |stage: &Stage| stage.clients.iter().all(|it| !it.status().online);
    stage.until("everyone has noticed", offline).await
}

/// What the folder of a killed server holds. Of the shared memory nothing is certain.
fn held(folder: &PathBuf) -> Outcome<Image> {
    let mut image = Image::new();
    for file in fs::read_dir(folder)? {
        let file = file?;
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.ends_with("-shm") {
            image.insert(name, fs::read(file.path())?);
        }
    }
    Ok(image)
}

/// It goes on as if nothing had been, and has ended no lease by it.
async fn still(stage: &mut Stage, crew: &Crew, asks: &Asks) -> Outcome<()> {
    held_by_some(Kind::Held, stage, crew, asks).await?;
    stage.server()?.freeze()?;
    crew.book().stands_still();
    stage.trace.fault("stops", &format!("for {STILL_MS} ms"));
    let begun = Instant::now();
    tokio::time::sleep(millis(STILL_MS)).await;
    stage.server()?.thaw()?;
    stage.trace.say(&format!("it stood still for {:?}", begun.elapsed()));
    until(stage, crew, "what was held has ended", |_| crew.book().let_go()).await
}

/// Has jobs asked for that are held for a while, and waits until one is.
pub(super) async fn held_by_some(
    kind: Kind,
    stage: &mut Stage,
    crew: &Crew,
    asks: &Asks,
) -> Outcome<()> {
    // Some of the time before may be held since, by one that has been killed.
    crew.book().holds.clear();
    asks.more(kind, 3);
    until(stage, crew, "a job is held", |_| !crew.book().holds.is_empty()).await?;
    // The others too, if they come soon; the first of them is enough.
    tokio::time::sleep(millis(100)).await;
    Ok(())
}
