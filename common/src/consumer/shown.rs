//! What was read, as it goes over the wire.

use super::PlaceRead;
use crate::{
    frame::work::{JobLeased, JobShown, Page, PlaceShown, QueueShown, Request, Sub},
    storage::jobs::{JobRead, LeasedJob, QueueInfo},
};
use serde_json::value::RawValue;

/// Bytes of a payload that a board shows; a longer one is left out.
pub(super) const DATA_BYTES: usize = 1_024;

/// Bytes of a note and of an error that a board shows; of a longer one the beginning.
pub(super) const TEXT_BYTES: usize = 256;

pub(super) fn leased(job: LeasedJob) -> JobLeased {
    JobLeased {
        id: job.id,
        token: job.token.to_string(),
        fence: job.token.fence,
        attempt: job.attempt,
        kind: job.kind,
        data: json(job.data),
        group: job.group,
        lease_ms: job.lease.length,
        expires_at: job.lease.until,
    }
}

pub(super) fn queue(info: &QueueInfo) -> QueueShown {
    let counts = &info.counts;
    QueueShown {
        ns: info.ns.clone(),
        name: info.name.clone(),
        ready: counts.ready + counts.delayed + counts.behind,
        delayed: counts.delayed,
        behind: counts.behind,
        leased: counts.leased,
        done: counts.done,
        dead: counts.dead,
        paused: info.paused,
        settings: info.settings.clone(),
    }
}

pub(super) fn place(read: PlaceRead) -> PlaceShown {
    let PlaceRead { place, jobs, after } = read;
    PlaceShown { place, jobs: jobs.into_iter().map(job).collect(), after }
}

pub(super) fn page(req: Request, sub: Sub, read: PlaceRead) -> Page {
    Page { req, sub, place: place(read) }
}

pub(super) fn job(read: JobRead) -> JobShown {
    let (progress, note) = match read.progress {
        Some(progress) => (Some(progress.percent), progress.note),
        None => (None, None),
    };
    let (consumer, person) = match read.holder {
        Some(holder) => (Some(holder.consumer), holder.person),
        None => (None, None),
    };
    JobShown {
        id: read.id,
        seq: u64::try_from(read.seq).ok(),
        kind: read.kind,
        place: read.place,
        priority: read.priority,
        group: read.group,
        attempt: read.attempt,
        max_attempts: read.most,
        data: (read.data.len() <= DATA_BYTES).then(|| json(read.data)),
        consumer,
        person,
        progress,
        note: note.map(cut),
        error: read.attempts.into_iter().next_back().map(|attempt| cut(attempt.error)),
        due_in_ms: read.due,
        age_ms: read.age,
    }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(TEXT_BYTES));
    text
}

fn json(text: String) -> Box<RawValue> {
    RawValue::from_string(text).expect("payloads are JSON before they are stored")
}
