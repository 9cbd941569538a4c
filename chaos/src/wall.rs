//! A wall clock that is wrong, laid under the server: `shim/clock.c`, preloaded beside the disk.
//!
//! How far it is ahead stands in a file that the shim has mapped, so that it jumps while the server
//! runs; the next server begins with it.

use crate::{Outcome, shim};
use std::{
    ffi::OsString,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const SOURCE: &str = include_str!("../shim/clock.c");
const PRELOAD: &str = "LD_PRELOAD";

#[derive(Debug)]
pub(crate) struct Wall {
    library: PathBuf,
    /// How far it is ahead, and how often a wrong time was told.
    path: PathBuf,
}

impl Wall {
    /// Builds the shim. Where that cannot be done, the reason in one line.
    pub(crate) fn build(beside: &Path) -> Result<Self, String> {
        let library = shim::build("clock", SOURCE, beside)?;
        let path = beside.join("clock");
        fs::write(&path, [0; 16]).map_err(|error| error.to_string())?;
        Ok(Self { library, path })
    }

    /// Lays it under the next program, beside what is laid there already.
    pub(crate) fn lay(&self, under: &mut Vec<(&'static str, PathBuf)>) {
        let library = &self.library;
        match under.iter_mut().find(|(name, _)| *name == PRELOAD) {
            None => under.push((PRELOAD, library.clone())),
            Some((_, laid)) => {
                let mut both = OsString::from(&*laid);
                both.push(":");
                both.push(library);
                *laid = both.into();
            }
        }
        under.push(("CHAOS_CLOCK", self.path.clone()));
    }

    /// From now on it is so many seconds ahead; behind, where they are less than 0.
    pub(crate) fn set(&self, ahead: i64) -> Outcome<()> {
        let file = File::options().write(true).open(&self.path)?;
        Ok(file.write_all_at(&ahead.to_ne_bytes(), 0)?)
    }

    /// How often somebody was told a wrong time.
    pub(crate) fn told(&self) -> Outcome<u64> {
        let mut told = [0; 8];
        File::open(&self.path)?.read_exact_at(&mut told, 8)?;
        Ok(u64::from_ne_bytes(told))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::wall;
    use std::process::Command;

    const HOURS: i64 = 5 * 3_600;
    const ITSELF: &str =
        "wall::tests::a_program_on_it_is_told_a_time_that_is_wrong_by_what_was_set";
    /// Has this test say what time it is, and no more.
    const SAYS: &str = "CHAOS_CLOCK_SAYS";

    fn now() -> i64 {
        i64::try_from(wall().0 / 1_000).unwrap()
    }

    /// What time it is for a process that has the clock under it.
    fn said(clock: &Wall) -> i64 {
        let mut under = Vec::new();
        clock.lay(&mut under);
        let mut itself = Command::new(std::env::current_exe().unwrap());
        itself.args(["--exact", "--nocapture", ITSELF]).envs(under).env(SAYS, "1");
        let output = itself.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let said = text.split_once("it is ").and_then(|(_, said)| said.split_once('.'));
        said.unwrap_or_else(|| panic!("{text}")).0.parse().unwrap()
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_program_on_it_is_told_a_time_that_is_wrong_by_what_was_set() {
        if std::env::var_os(SAYS).is_some() {
            return println!("it is {}.", now());
        }
        let folder = std::env::temp_dir().join(format!("holdfast-wall-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let clock = Wall::build(&folder).unwrap();
        for ahead in [0, HOURS, -HOURS] {
            clock.set(ahead).unwrap();
            let (begun, told) = (now(), clock.told().unwrap());
            let said = said(&clock);
            assert!((begun..=now()).contains(&(said - ahead)), "{ahead}: {said}");
            assert_eq!(clock.told().unwrap() > told, ahead != 0, "{ahead}");
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
