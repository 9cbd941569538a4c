//! What is known of the files of exports before the folder says it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Shared by the shelf and by all who write.
#[derive(Debug, Clone, Default)]
pub(super) struct Known(Arc<Mutex<State>>);

#[derive(Debug, Clone, Default)]
pub(super) struct State {
    /// Files that are being written, under their names of then, and their bytes with those that are on
    /// their way to the disk.
    pub(super) parts: BTreeMap<PathBuf, u64>,
    /// Files that are being removed: they count no more. One that cannot be removed counts again.
    pub(super) going: BTreeSet<PathBuf>,
    /// Bytes that were ever written here, without those of files that did not become whole. Only how far
    /// it moves means something.
    pub(super) written: u64,
}

impl Known {
    /// Held for no longer than a look: what asks the disk would have everybody wait for it.
    pub(super) fn now(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
