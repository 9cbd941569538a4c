//! A file that is being written.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::runtime::Handle;

/// Files that are being removed: they count no more. One that cannot be removed counts again.
#[derive(Debug, Clone, Default)]
pub(super) struct Going(Arc<Mutex<BTreeSet<PathBuf>>>);

impl Going {
    pub(super) fn now(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file under the name of what is not whole yet. Dropped before it is [finished](Part::finish), it is
/// removed.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    path: PathBuf,
    /// What it is called once it is whole.
    whole: PathBuf,
    bytes: u64,
    /// How many it may have.
    most: u64,
    finished: bool,
    going: Going,
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
    /// Begins one. Blocks, as all of it does.
    pub(super) fn begin(
        path: PathBuf,
        whole: PathBuf,
        most: u64,
        going: Going,
    ) -> io::Result<Self> {
        let file = File::create(&path)?;
        Ok(Self { file, path, whole, bytes: 0, most, finished: false, going })
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), NotWritten> {
        let bytes = self.bytes + text.len() as u64;
        if bytes > self.most {
            return Err(NotWritten::Full);
        }
        self.file.write_all(text.as_bytes())?;
        self.bytes = bytes;
        Ok(())
    }

    /// Gives it the name of what is whole, once it is durable; then the name is. Returns its bytes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.whole)?;
        self.finished = true;
        synced(self.whole.parent())?;
        Ok(self.bytes)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let (path, going) = (std::mem::take(&mut self.path), self.going.clone());
        going.now().insert(path.clone());
        // What stays behind is removed at the next start.
        let remove = move || {
            drop(fs::remove_file(&path));
            going.now().remove(&path);
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
