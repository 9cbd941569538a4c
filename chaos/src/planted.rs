//! Faults for the scenario `jobs` to see: `--planted NAME`, or `--planted all`. Each run has to fail, and by
//! the name of the line of the promise that its fault breaks; one that passes proves that the checks
//! are blind.

use crate::Outcome;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Which of the scenarios has to see them.
pub(crate) const SCENARIO: &str = "jobs";

/// A fault, and what it breaks.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    /// Which line has to be named. What shows first depends on what happens.
    breaks: &'static [&'static str],
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// In the program: `common/src/planted.rs` has one of this name.
    Code,
    /// In the data folder, each time that a server starts again on it: as if that had done so.
    Folder(&'static str),
}

/// All of them.
pub(crate) const ALL: [Fault; 13] = [
    Fault { name: "LeaseHalved", breaks: &["J2"], place: Place::Code },
    Fault { name: "EndTwice", breaks: &["J3", "J4"], place: Place::Code },
    Fault { name: "EventsBesideEnd", breaks: &["J4"], place: Place::Code },
    Fault { name: "GroupNotFreed", breaks: &["J6"], place: Place::Code },
    Fault { name: "AttemptNotCounted", breaks: &["J7"], place: Place::Code },
    Fault { name: "StoreGoesByWall", breaks: &["J6", "J8"], place: Place::Code },
    Fault { name: "JobLost", breaks: &["J1"], place: Place::Folder(JOB_LOST) },
    Fault { name: "EndLost", breaks: &["J3", "J4"], place: Place::Folder(END_LOST) },
    Fault { name: "GroupsFreed", breaks: &["J5"], place: Place::Folder(GROUPS_FREED) },
    Fault { name: "LapseForgotten", breaks: &["J6"], place: Place::Folder(LAPSE_FORGOTTEN) },
    Fault { name: "LeasesEnded", breaks: &["J8"], place: Place::Folder(LEASES_ENDED) },
    Fault { name: "AskerForgotten", breaks: &["J9"], place: Place::Folder(ASKER_FORGOTTEN) },
    Fault { name: "KeyForgotten", breaks: &["J10"], place: Place::Folder(KEY_FORGOTTEN) },
];

/// A job that is done, with nothing of it left: neither it nor a count.
const JOB_LOST: &str = "
    UPDATE queues SET done = done - 1 WHERE seq = (SELECT queue FROM jobs WHERE place = 4 LIMIT 1);
    DELETE FROM jobs WHERE seq = (SELECT seq FROM jobs WHERE place = 4 LIMIT 1);";
/// What was answered as done last is not: as by an answer that came before its commit.
const END_LOST: &str = "
    UPDATE queues SET done = done - 1, ready = ready + 1 WHERE seq =
        (SELECT queue FROM jobs WHERE place = 4 AND grp IS NULL LIMIT 1);
    UPDATE jobs SET place = 0, outcome = NULL, spent = NULL WHERE seq =
        (SELECT seq FROM jobs WHERE place = 4 AND grp IS NULL ORDER BY due DESC LIMIT 1);";
/// Those that wait for others of their group wait for nobody.
const GROUPS_FREED: &str = "
    UPDATE jobs SET place = 0, grp = NULL WHERE place = 2;
    UPDATE queues SET ready = ready + behind, behind = 0;";
/// Leases stand for a year.
const LAPSE_FORGOTTEN: &str = "UPDATE jobs SET due = due + 31536000000 WHERE place = 3;";
/// Leases are over.
const LEASES_ENDED: &str = "UPDATE jobs SET due = 0 WHERE place = 3;";
/// Nobody has asked for what has not ended.
const ASKER_FORGOTTEN: &str = "UPDATE jobs SET asker = NULL WHERE place < 4;";
const KEY_FORGOTTEN: &str = "DELETE FROM job_keys;";

/// Those that are asked for by this name. `None` where there is none of it.
pub(crate) fn named(name: &str) -> Option<Vec<&'static Fault>> {
    let asked = ALL.iter().filter(|fault| name == "all" || fault.name == name);
    Some(asked.collect::<Vec<_>>()).filter(|asked| !asked.is_empty())
}

impl Fault {
    /// Plants it for the next server on this folder.
    pub(crate) fn plant(
        &self,
        folder: &Path,
        under: &mut Vec<(&'static str, PathBuf)>,
    ) -> Outcome<()> {
        match self.place {
            Place::Code => under.push(("HOLDFAST_PLANTED", self.name.into())),
            Place::Folder(does) => {
                Connection::open(folder.join("holdfast.db"))?.execute_batch(does)?;
            }
        }
        Ok(())
    }

    /// Whether this is what it breaks.
    pub(crate) fn is_named(&self, error: &str) -> bool {
        self.breaks.iter().any(|line| error.starts_with(&format!("{line}: ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_each_line_of_the_promise_that_is_looked_at_there_is_a_fault() {
        for line in (1..=10).map(|n| format!("J{n}")) {
            assert!(ALL.iter().any(|fault| fault.breaks.contains(&&*line)), "{line}");
        }
    }
}
