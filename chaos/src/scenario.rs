//! The scenarios: which trouble, how often, and what has to be seen beside what always holds.
//!
//! To add one: a file with `play`, and a line below. It sets a [`Stage`](crate::stage::Stage), has it
//! write, does its harm, says with `have_happened` which faults there must have been, and ends with
//! [`checks::all`](crate::checks::all).

mod fsync;
mod full;
mod jobs;
mod kill;
mod lines;
mod lying;
mod power;
mod stop;
mod writes;

use crate::{Outcome, Play, disk::Disk, program::End, stage::Stage, trace::Trace};
use std::pin::Pin;

type Playing<'a> = Pin<Box<dyn Future<Output = Outcome<End>> + 'a>>;

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) play: for<'a> fn(&'a Play, &'a Trace) -> Playing<'a>,
}

macro_rules! scenarios {
    ($($name:ident),*) => {
        [$(Scenario {
            name: stringify!($name),
            play: |play, trace| Box::pin($name::play(play, trace)),
        }),*]
    };
}

/// All of them, those first that tell the most.
pub(crate) const ALL: [Scenario; 9] =
    scenarios![kill, jobs, power, lying, fsync, writes, full, lines, stop];

/// A stage whose server has a disk with faults under it; or why this machine cannot have one.
async fn on_a_bad_disk(play: &Play, trace: &Trace) -> Outcome<Result<(Disk, Stage), End>> {
    let mut disk = match Disk::build(&play.folder) {
        Ok(disk) => disk,
        Err(why) => return Ok(Err(End::Skipped(why))),
    };
    let under = disk.under(&play.data())?;
    let stage = Stage::set(play, trace, under).await?;
    if disk.journal().exists() {
        return Ok(Ok((disk, stage)));
    }
    Ok(Err(End::Skipped(
        "the library is not laid under the program: LD_PRELOAD does not work".into(),
    )))
}
