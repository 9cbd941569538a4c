//! The shim's journal, read.

use crate::Outcome;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// What was done to the folder, in the order in which it was done.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) seq: u64,
    /// On the steady clock: when it was noted.
    pub(crate) at: u64,
    pub(crate) deed: Deed,
}

#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// From here on this number means the file of this name. It may have been made by it.
    Opened {
        file: u64,
        name: String,
    },
    Wrote {
        file: u64,
        place: u64,
        data: Vec<u8>,
    },
    Truncated {
        file: u64,
        length: u64,
    },
    /// All that was noted of the file up to `upto` is on the disk.
    Synced {
        file: u64,
        upto: u64,
    },
    /// The same of names made and removed in the folder.
    FolderSynced {
        upto: u64,
    },
    Unlinked {
        name: String,
    },
    /// The shim did this fault, by its number.
    Fault {
        file: u64,
        fault: u64,
    },
}

/// Reads record after record.
pub(crate) struct Journal(BufReader<File>);

impl Journal {
    pub(crate) fn open(path: &Path) -> Outcome<Self> {
        Ok(Self(BufReader::with_capacity(1 << 20, File::open(path)?)))
    }

    /// The next one; `None` at the end, where a server that was killed may have left half a record.
    pub(crate) fn next(&mut self) -> Outcome<Option<Record>> {
        let mut head = [0; 48];
        if self.0.read_exact(&mut head).is_err() {
            return Ok(None);
        }
        let number = |n: usize| {
            let bytes = head[n * 8..n * 8 + 8].try_into().expect("it is eight bytes");
            u64::from_ne_bytes(bytes)
        };
        let [kind, seq, at, file, place, length] = std::array::from_fn(number);
        let mut data = vec![0; usize::try_from(length)?];
        if self.0.read_exact(&mut data).is_err() {
            return Ok(None);
        }
        let name = || String::from_utf8(data.clone());
        let deed = match kind {
            1 => Deed::Opened { file, name: name()? },
            2 => Deed::Wrote { file, place, data },
            3 => Deed::Truncated { file, length: place },
            4 => Deed::Synced { file, upto: place },
            5 => Deed::Unlinked { name: name()? },
            7 => Deed::FolderSynced { upto: place },
            8 => Deed::Fault { file, fault: place },
            _ => return Err(format!("the model of the disk knows no record {kind}").into()),
        };
        Ok(Some(Record { seq, at, deed }))
    }
}
