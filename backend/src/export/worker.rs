//! The worker that writes a room's log to a file.

use super::{
    Shelf, apart,
    part::{NotWritten, Part},
    refused,
};
use crate::{
    app::Shared,
    engine::Engine,
    limits::{EXPORTS_KEPT, READ_BYTES, READ_EVENTS},
    worker::{self, Leased, NotTold, Outcome, Worker},
};
use holdfast_common::{
    cursor::{Head, Offset},
    error::Code,
    frame::GapReason,
    job::{QueueSettings, QueueType},
    storage::{Fault, Slice},
    system::{self, EXPORTS, Export, Exported, NotExported},
    time::Millis,
};
use serde_json::json;
use std::{
    io,
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::Instant;

/// How many are written at once: one of a huge room holds up no other. More would be more disk at a time, and
/// as many reads of logs in memory.
const AT_ONCE: u32 = 2;

/// A lease. It goes on while there is writing, and after a server was killed this is how long nobody
/// begins anew.
const LEASE: Millis = Millis(10_000);

/// How long it waits for a storage that could not say for now. No attempt is lost by that.
const STORAGE_WAIT: Millis = Millis(1_000);

/// How often a storage that cannot say for now is asked again for the same part of a log, and how long is
/// waited before each: what is written already would be written anew otherwise. Then somebody else has
/// the place.
const AGAIN: (u32, Duration) = (20, Duration::from_millis(250));

/// How often it is said how far one is: each is a commit. The lease goes on without it.
const TELLS: (u64, Duration) = (1_000, Duration::from_secs(1));

/// How often is looked for what was kept for long enough, at least and at most.
const SWEEPS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(60)];

/// The queue of what is to be written. What became of an export is known as long as its file is kept.
pub(crate) fn queue(keep: Option<Millis>) -> QueueType {
    let queue = system::queues().into_iter().find(|queue| queue.spec.name == EXPORTS);
    let usual = QueueSettings::default();
    queue.expect("it is declared").with(QueueSettings {
        lease: LEASE,
        attempts: 10,
        backoff: Millis(5_000),
        keep: keep.map_or(usual.keep, |keep| keep.max(usual.keep)),
        most: EXPORTS_KEPT as u64,
        ..usual
    })
}

/// Starts writing and sweeping, where there is a shelf. Both end when the server's parts are dropped.
pub(crate) async fn start(shared: &Arc<Shared>) {
    let Some(shelf) = &shared.exports else { return };
    // Before anybody writes: what is not whole is of a server that has ended.
    if let Err(error) = shelf.sweep(true).await {
        tracing::warn!(%error, "the exports of a server before could not be looked through");
    }
    let (engine, shelf) = (Arc::clone(&shared.engine), Arc::clone(shelf));
    tokio::spawn(sweep(Arc::downgrade(&shelf)));
    worker::start(shared, Exporter { engine, shelf }, AT_ONCE);
}

async fn sweep(weak: Weak<Shelf>) {
    let [least, most] = SWEEPS;
    while let Some(shelf) = weak.upgrade() {
        if let Err(error) = shelf.sweep(false).await {
            tracing::warn!(%error, "exports could not be looked through");
        }
        let pause = Duration::from_millis(shelf.keep().0 / 4).clamp(least, most);
        drop(shelf);
        tokio::time::sleep(pause).await;
    }
}

/// Writes logs to files.
struct Exporter {
    engine: Arc<dyn Engine>,
    shelf: Arc<Shelf>,
}

/// Why a file did not become whole.
enum Stop {
    ForGood(NotExported),
    ForNow(NotExported),
    /// The storage could not say for now.
    Storage(Fault),
    /// Somebody else has the job.
    Lost,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Full | Fault::Overloaded | Fault::Unknown(_) => Self::Storage(fault),
            // It may fail there each time, and each time the whole log before it has been written.
            Fault::Failed(_) => {
                Self::ForNow(NotExported { code: fault.code(), detail: fault.to_string() })
            }
        }
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::ForNow(refused(&error))
    }
}

impl From<NotWritten> for Stop {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Full => full(),
            NotWritten::Io(error) => error.into(),
        }
    }
}

fn full() -> Stop {
    let detail = "There are as many exports, or bytes of them, as are kept.".to_owned();
    Stop::ForGood(NotExported { code: Code::TooMany, detail })
}

impl Worker for Exporter {
    type Job = Export;

    async fn run(&self, job: &mut Leased<Export>) -> Outcome<Export> {
        match self.export(job).await {
            Ok(exported) => Outcome::Done(exported),
            Err(Stop::ForGood(why)) => Outcome::Dead(why),
            Err(Stop::ForNow(why)) => {
                tracing::warn!(job = %job.id(), %why, "an export is tried again");
                Outcome::Retry(why)
            }
            Err(Stop::Storage(fault)) => {
                tracing::warn!(job = %job.id(), %fault, "an export has to wait for the storage");
                Outcome::HandBack(STORAGE_WAIT)
            }
            // Nobody hears it.
            Err(Stop::Lost) => Outcome::HandBack(Millis(0)),
        }
    }
}

impl Exporter {
    async fn export(&self, job: &Leased<Export>) -> Result<Exported, Stop> {
        let mut slice = self.slice(job, 0).await?;
        let Head { epoch, offset: head, first, .. } = slice.head;
        let part = self.shelf.begin(job.id(), job.fence()).await?;
        let mut part = part.ok_or_else(full)?;
        let (mut at, mut entries) = (0, 0);
        let mut told = (0, Instant::now());
        loop {
            if slice.head.epoch != epoch {
                let detail = "The log was set back while it was read.".to_owned();
                return Err(Stop::ForNow(NotExported { code: Code::Reset, detail }));
            }
            let before = at;
            let mut text = gap(at, slice.head.first.min(head + 1));
            at = at.max(slice.head.first.min(head + 1) - 1);
            for (offset, entry) in slice.entries.iter().filter(|(offset, _)| *offset <= head) {
                line(&mut text, entry);
                (at, entries) = (*offset, entries + 1);
            }
            let is_last = at >= head;
            if is_last {
                let end = json!({ "end": { "epoch": epoch, "head": head, "entries": entries } });
                line(&mut text, &end.to_string());
            }
            part = written(part, text).await?;
            if is_last {
                break;
            }
            if at == before {
                let detail = "The log has fewer entries than it says.".to_owned();
                return Err(Stop::ForNow(NotExported { code: Code::StorageFault, detail }));
            }
            if entries - told.0 >= TELLS.0 || told.1.elapsed() >= TELLS.1 {
                tell(job, (at + 1).saturating_sub(first), (head + 1).saturating_sub(first)).await?;
                told = (entries, Instant::now());
            }
            slice = self.next(job, at).await?;
        }
        let bytes = apart(move || part.finish()).await?;
        Ok(Exported { entries, bytes, epoch, head })
    }

    /// What follows on what is written.
    async fn next(&self, job: &Leased<Export>, after: Offset) -> Result<Slice, Stop> {
        let (mut tries, wait) = AGAIN;
        loop {
            match self.slice(job, after).await {
                Err(Stop::Storage(_)) if tries > 0 => tries -= 1,
                slice => return slice,
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn slice(&self, job: &Leased<Export>, after: Offset) -> Result<Slice, Stop> {
        let slice = self.engine.slice(job.data.room, after, READ_EVENTS, READ_BYTES).await?;
        let gone = NotExported { code: Code::RoomGone, detail: String::new() };
        slice.ok_or(Stop::ForGood(gone))
    }
}

async fn written(mut part: Part, text: String) -> Result<Part, Stop> {
    // What cannot be written is removed where it blocks nobody.
    let written = apart(move || Ok(part.write(&text).map(|()| part))).await?;
    Ok(written?)
}

/// A line about what was trimmed between an offset and the first one that is left.
fn gap(after: Offset, first: Offset) -> String {
    let mut text = String::new();
    if after + 1 < first {
        let (from, to) = (after + 1, first - 1);
        let reason = GapReason::Trimmed;
        let gap = json!({ "from": from, "to": to, "count": to - after, "reason": reason });
        line(&mut text, &json!({ "gap": gap }).to_string());
    }
    text
}

/// Payloads stand in the log as they came. Between their parts there may be ends of lines, which are no
/// more than blanks; within texts JSON has none.
fn line(text: &mut String, entry: &str) {
    let mut parts = entry.split(['\n', '\r']);
    text.extend(parts.next());
    for part in parts {
        text.push(' ');
        text.push_str(part);
    }
    text.push('\n');
}

async fn tell(job: &Leased<Export>, done: u64, all: u64) -> Result<(), Stop> {
    let percent = u8::try_from(done * 100 / all.max(1)).unwrap_or(100);
    let note = format!("{done} of {all} entries");
    match job.progress(percent, Some(&note)).await {
        // How far it is matters less than getting there.
        Ok(()) | Err(NotTold::Fault(_)) => Ok(()),
        Err(NotTold::Lost) => Err(Stop::Lost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_one_line_whatever_blanks_its_payload_has() {
        let mut text = String::new();
        line(&mut text, "{\"data\":{\r\n\"text\":\"a\\nb\"\n}}");
        assert_eq!(text, "{\"data\":{  \"text\":\"a\\nb\" }}\n");
    }

    #[test]
    fn what_was_trimmed_is_one_line_and_else_there_is_none() {
        assert_eq!((gap(0, 1), gap(7, 8), gap(7, 3)), Default::default());
        let line = "{\"gap\":{\"count\":3,\"from\":1,\"reason\":\"trimmed\",\"to\":3}}\n";
        assert_eq!(gap(0, 4), line);
    }
}
