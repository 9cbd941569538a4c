//! A disk with faults, laid under the server: `shim/disk.c`, built here and preloaded there.
//!
//! [`Disk::under`] is the environment of the next server, with a journal of its own. Orders are
//! written to a file that the shim reads before each write and sync. What the disk holds at any
//! moment is made by [`model::Model`] from the [`journal`].

pub(crate) mod journal;
pub(crate) mod model;

use crate::{Outcome, shim};
use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

const SOURCE: &str = include_str!("../shim/disk.c");

/// What the shim can be told to fail. The numbers are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Fault {
    None = 0,
    /// A write does nothing and says so.
    FailWrite = 1,
    /// A write takes half of what it was given and says so.
    ShortWrite = 2,
    /// The same, and the next one, for the rest, fails.
    TornWrite = 3,
    /// A sync fails, and does nothing.
    FailSync = 4,
    /// A sync does nothing, and says that all is well.
    LieSync = 5,
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::None => "no fault",
            Self::FailWrite => "failed write",
            Self::ShortWrite => "short write",
            Self::TornWrite => "torn write",
            Self::FailSync => "failed sync",
            Self::LieSync => "lying sync",
        }
    }
}

/// Errors that a disk gives.
pub(crate) const EIO: u64 = 5;
pub(crate) const ENOSPC: u64 = 28;

/// On which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum On {
    Any = 0,
    /// SQLite's write-ahead log.
    Log = 1,
    Database = 2,
}

/// What to fail: from the `skip`th fitting call on, `count` of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Orders {
    pub(crate) fault: Fault,
    pub(crate) on: On,
    pub(crate) skip: u64,
    pub(crate) count: u64,
    pub(crate) error: u64,
    /// How long a failing sync takes to fail.
    pub(crate) hold: u64,
}

impl Orders {
    /// Every fitting call, until other orders come.
    pub(crate) const fn every(fault: Fault, error: u64) -> Self {
        Self { fault, error, ..Self::NOTHING }
    }

    pub(crate) const NOTHING: Self =
        Self { fault: Fault::None, on: On::Any, skip: 0, count: u64::MAX, error: EIO, hold: 0 };
}

#[derive(Debug)]
pub(crate) struct Disk {
    library: PathBuf,
    /// Where journals and orders lie: beside the data, not in it.
    beside: PathBuf,
    turn: u64,
    starts: u64,
}

impl Disk {
    /// Builds the shim. Where that cannot be done, the reason in one line.
    pub(crate) fn build(beside: &Path) -> Result<Self, String> {
        let library = shim::build("disk", SOURCE, beside)?;
        let mut disk = Self { library, beside: beside.to_owned(), turn: 0, starts: 0 };
        disk.order(Orders::NOTHING).map_err(|error| error.to_string())?;
        Ok(disk)
    }

    /// The environment of the next server on this folder. Its journal is a new one.
    pub(crate) fn under(&mut self, folder: &Path) -> Outcome<Vec<(&'static str, PathBuf)>> {
        if self.starts > 0 {
            fs::remove_file(self.journal())?;
        }
        self.starts += 1;
        Ok(vec![
            ("LD_PRELOAD", self.library.clone()),
            ("CHAOS_DISK_FOLDER", folder.to_owned()),
            ("CHAOS_DISK_JOURNAL", self.journal()),
            ("CHAOS_DISK_ORDERS", self.orders()),
        ])
    }

    /// The present server's journal.
    pub(crate) fn journal(&self) -> PathBuf {
        self.beside.join(format!("journal-{}", self.starts))
    }

    fn orders(&self) -> PathBuf {
        self.beside.join("orders")
    }

    /// From now on this fails, in place of what was ordered before.
    pub(crate) fn order(&mut self, orders: Orders) -> Outcome<()> {
        self.turn += 1;
        let Orders { fault, on, skip, count, error, hold } = orders;
        let numbers = [self.turn, fault as u64, on as u64, skip, count, error, hold, self.turn];
        let bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_ne_bytes()).collect();
        // In place, since the shim holds it open; each end names the turn, so half of it is none.
        let mut file = fs::OpenOptions::new();
        let file = file.create(true).truncate(false).write(true).open(self.orders())?;
        Ok(file.write_all_at(&bytes, 0)?)
    }

    /// How often the last order has been carried out.
    pub(crate) fn carried_out(&self) -> u64 {
        let mut told = [0; 8];
        let read = File::open(self.orders()).and_then(|file| file.read_exact_at(&mut told, 64));
        let told = read.map_or(0, |()| u64::from_ne_bytes(told));
        if told >> 32 == self.turn { told & 0xffff_ffff } else { 0 }
    }
}
