//! What a disk holds after a power cut.
//!
//! Certain is what was synced. Of the rest each write may have reached the disk or not, in any order,
//! and one that was under way in part: whole sectors of 512 bytes, as disks promise. A file's new
//! length may be there without what was written there: then it is zeros. A name that was made or
//! removed is certain when its folder was synced; the others took effect up to some moment, in
//! their order, as file systems keep a journal of them.

use super::{
    Fault,
    journal::{Deed, Record},
};
use crate::chance::Chance;
use std::collections::BTreeMap;

const SECTOR: usize = 512;

/// Files by their names.
pub(crate) type Image = BTreeMap<String, Vec<u8>>;

/// What becomes of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsynced {
    /// None of it is there.
    Lost,
    /// All of it is.
    Kept,
    /// The first ones are, and the last of these is torn.
    Prefix,
    /// Any of the writes.
    Writes,
    /// Any of the sectors.
    Sectors,
}

impl Unsynced {
    pub(crate) const ALL: [Self; 5] =
        [Self::Lost, Self::Kept, Self::Prefix, Self::Writes, Self::Sectors];
}

#[derive(Debug, Clone)]
struct Change {
    seq: u64,
    what: What,
    /// A sync of it has failed: whatever a later one says, it may be lost.
    lost: bool,
}

#[derive(Debug, Clone)]
enum What {
    Write { place: usize, data: Vec<u8> },
    Length(usize),
}

#[derive(Debug, Clone, Default)]
struct Content {
    synced: Vec<u8>,
    changes: Vec<Change>,
}

#[derive(Debug, Clone)]
struct Naming {
    seq: u64,
    name: String,
    /// The file that has the name from here on, if any.
    file: Option<usize>,
}

/// The disk, as far as the journal was taken.
#[derive(Debug, Default)]
pub(crate) struct Model {
    files: Vec<Content>,
    /// The files that the running program sees by these names.
    names: BTreeMap<String, usize>,
    synced_names: BTreeMap<String, usize>,
    namings: Vec<Naming>,
    /// The journal's numbers.
    numbers: BTreeMap<u64, String>,
}

impl Model {
    /// A disk that holds this for certain.
    pub(crate) fn new(image: Image) -> Self {
        let mut model = Self::default();
        for (name, synced) in image {
            model.files.push(Content { synced, changes: Vec::new() });
            model.names.insert(name.clone(), model.files.len() - 1);
            model.synced_names.insert(name, model.files.len() - 1);
        }
        model
    }

    /// Takes the next record.
    pub(crate) fn take(&mut self, record: Record) {
        let Record { seq, deed, .. } = record;
        match deed {
            Deed::Opened { file, name } => {
                self.numbers.insert(file, name.clone());
                if !self.names.contains_key(&name) {
                    self.files.push(Content::default());
                    let file = self.files.len() - 1;
                    self.names.insert(name.clone(), file);
                    self.namings.push(Naming { seq, name, file: Some(file) });
                }
            }
            Deed::Wrote { file, place, data } => {
                let place = usize::try_from(place).expect("a file of this machine");
                self.change(file, seq, What::Write { place, data });
            }
            Deed::Truncated { file, length } => {
                let length = usize::try_from(length).expect("a file of this machine");
                self.change(file, seq, What::Length(length));
            }
            Deed::Synced { file, upto } => {
                if let Some(content) = self.content(file) {
                    content.sync(upto);
                }
            }
            Deed::Unlinked { name } => {
                self.names.remove(&name);
                self.namings.push(Naming { seq, name, file: None });
            }
            Deed::FolderSynced { upto } => {
                for naming in self.namings.extract_if(.., |naming| naming.seq <= upto) {
                    rename(&mut self.synced_names, &naming);
                }
            }
            Deed::Fault { file, fault } => {
                if fault == Fault::FailSync as u64
                    && let Some(content) = self.content(file)
                {
                    content.changes.iter_mut().for_each(|change| change.lost = true);
                }
            }
        }
    }

    fn content(&mut self, file: u64) -> Option<&mut Content> {
        let name = self.numbers.get(&file)?;
        self.names.get(name).map(|file| &mut self.files[*file])
    }

    fn change(&mut self, file: u64, seq: u64, what: What) {
        if let Some(content) = self.content(file) {
            content.changes.push(Change { seq, what, lost: false });
        }
    }

    /// What is there when the power comes back.
    pub(crate) fn image(&self, unsynced: Unsynced, chance: &mut Chance) -> Image {
        let mut names = self.synced_names.clone();
        let most = self.namings.len();
        let took = match unsynced {
            Unsynced::Lost => 0,
            Unsynced::Kept => most,
            _ => chance.index(most + 1),
        };
        self.namings[..took].iter().for_each(|naming| rename(&mut names, naming));
        let content =
            |(name, file): (String, usize)| (name, self.files[file].after_a_cut(unsynced, chance));
        names.into_iter().map(content).collect()
    }
}

fn rename(names: &mut BTreeMap<String, usize>, naming: &Naming) {
    match naming.file {
        Some(file) => names.insert(naming.name.clone(), file),
        None => names.remove(&naming.name),
    };
}

impl Content {
    /// What a failed sync may have lost is lost: the system takes it for written afterwards.
    fn sync(&mut self, upto: u64) {
        for change in self.changes.extract_if(.., |change| change.seq <= upto) {
            if !change.lost {
                change.what.apply(&mut self.synced);
            }
        }
    }

    fn after_a_cut(&self, unsynced: Unsynced, chance: &mut Chance) -> Vec<u8> {
        let mut bytes = self.synced.clone();
        if self.changes.is_empty() {
            return bytes;
        }
        let last = chance.index(self.changes.len());
        for (n, change) in self.changes.iter().enumerate() {
            match unsynced {
                Unsynced::Lost => {}
                Unsynced::Kept => change.what.apply(&mut bytes),
                Unsynced::Prefix if n < last => change.what.apply(&mut bytes),
                Unsynced::Prefix if n == last => change.what.tear(&mut bytes, chance),
                Unsynced::Prefix => {}
                Unsynced::Writes if chance.percent(50) => change.what.apply(&mut bytes),
                Unsynced::Writes => {}
                Unsynced::Sectors => change.what.tear(&mut bytes, chance),
            }
        }
        bytes
    }
}

impl What {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { place, data } => put(bytes, *place, data),
            Self::Length(length) => bytes.resize(*length, 0),
        }
    }

    /// Any of its sectors.
    fn tear(&self, bytes: &mut Vec<u8>, chance: &mut Chance) {
        let Self::Write { place, data } = self else {
            if chance.percent(50) {
                self.apply(bytes);
            }
            return;
        };
        let (mut from, end) = (*place, place + data.len());
        while from < end {
            let to = (from / SECTOR + 1) * SECTOR;
            let to = to.min(end);
            if chance.percent(50) {
                put(bytes, from, &data[from - place..to - place]);
            }
            from = to;
        }
    }
}

fn put(bytes: &mut Vec<u8>, place: usize, data: &[u8]) {
    let end = place + data.len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[place..end].copy_from_slice(data);
}

#[cfg(test)]
mod tests;
