//! A file that is being written.

use super::known::Known;
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};
use tokio::runtime::Handle;

/// A file under the name of what is not whole yet. Dropped before it is [finished](Part::finish), it is
/// removed.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    /// What it is called once it is whole.
    whole: PathBuf,
    bytes: u64,
    /// How far all that is written together may come while this is.
    until: u64,
    finished: bool,
    known: Known,
}

/// Why something was not written.
#[derive(Debug)]
pub(super) enum NotWritten {
    /// As many bytes as may be are kept.
    Full,
    Io(io::Error),
}

impl From<io::Error> for NotWritten {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Part {
    /// Begins one, which counts from now on. Blocks, as all of it does.
    pub(super) fn begin(path: PathBuf, whole: PathBuf, known: Known) -> io::Result<Self> {
        let file = File::create(&path)?;
        known.now().parts.insert(path.clone(), 0);
        Ok(Self { file, path, whole, bytes: 0, until: 0, finished: false, known })
    }

    /// While this one is written, all that is written together may come so far.
    pub(super) const fn up_to(mut self, until: u64) -> Self {
        self.until = until;
        self
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), NotWritten> {
        let bytes = text.len() as u64;
        {
            let mut known = self.known.now();
            if known.written + bytes > self.until {
                return Err(NotWritten::Full);
            }
            known.written += bytes;
            self.bytes += bytes;
            known.parts.insert(self.path.clone(), self.bytes);
        }
        self.file.write_all(text.as_bytes())?;
        Ok(())
    }

    /// Gives it the name of what is whole, once it is durable; then the name is. Returns its bytes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.whole)?;
        self.finished = true;
        // From now on the folder says it.
        self.known.now().parts.remove(&self.path);
        synced(self.whole.parent())?;
        Ok(self.bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let (path, known) = (std::mem::take(&mut self.path), self.known.clone());
        {
            let mut known = known.now();
            known.parts.remove(&path);
            known.written -= self.bytes;
            known.going.insert(path.clone());
        }
        // What stays behind is removed at the next start.
        let remove = move || {
            drop(fs::remove_file(&path));
            known.now().going.remove(&path);
        };
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(remove)),
            Err(_) => remove(),
        }
    }
}

/// Makes the names in a folder durable.
#[cfg(unix)]
pub(super) fn synced(folder: Option<&Path>) -> io::Result<()> {
    folder.map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// Elsewhere a folder cannot be opened to be synced.
#[cfg(not(unix))]
pub(super) fn synced(_: Option<&Path>) -> io::Result<()> {
    Ok(())
}
