//! What happened, line by line, in a file that is kept when a scenario fails; and the count of the
//! faults by kind.

use crate::Outcome;
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufWriter, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

#[derive(Debug, Clone)]
pub(crate) struct Trace(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    file: BufWriter<File>,
    began: Instant,
    counts: BTreeMap<String, u64>,
}

impl Trace {
    pub(crate) fn to(path: &Path) -> Outcome<Self> {
        let file = BufWriter::new(File::create(path)?);
        let kept = Kept { file, began: Instant::now(), counts: BTreeMap::new() };
        Ok(Self(Arc::new(Mutex::new(kept))))
    }

    /// Notes a line.
    pub(crate) fn say(&self, what: &str) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.began.elapsed().as_millis();
        // A trace that cannot be written is no reason to stop what it tells of.
        let _ = writeln!(kept.file, "{at:>8} {what}");
    }

    /// Counts a fault, and notes it.
    pub(crate) fn fault(&self, kind: &str, what: &str) {
        self.count(kind, 1);
        self.say(&format!("{kind}: {what}"));
    }

    pub(crate) fn count(&self, kind: &str, more: u64) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept.counts.entry(kind.to_owned()).or_default() += more;
    }

    pub(crate) fn counted(&self, kind: &str) -> u64 {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.counts.get(kind).copied().unwrap_or_default()
    }

    /// `3 kills, 12 cuts` as one line.
    pub(crate) fn sum(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let parts: Vec<String> =
            kept.counts.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        parts.join(", ")
    }
}
