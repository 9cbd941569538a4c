//! The fault of the last batch, if it had one: the writing thread says it, and whoever asks whether the
//! storage is well reads it.

use holdfast_common::storage::Fault;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Clone, Default)]
pub(super) struct LastFault(Arc<Mutex<Option<Fault>>>);

impl LastFault {
    pub(super) fn set(&self, fault: Option<Fault>) {
        *self.locked() = fault;
    }

    pub(super) fn read(&self) -> Option<Fault> {
        self.locked().clone()
    }

    fn locked(&self) -> MutexGuard<'_, Option<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
