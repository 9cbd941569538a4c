//! What this server bounds beside the [protocol's limits](holdfast_common::limits), in one place. No
//! option sets any of it: each value fits a process with one disk, and another would need its
//! neighbours changed too. How large a buffer or a batch is, and how often something is tried
//! again, stands where it is done.

use holdfast_common::{limits::SLICE_BYTES, time::Millis};
use std::{ops::RangeInclusive, time::Duration};

/// Rooms that a greeting lists beside those the person is a member of and those it has a cursor
/// for: the newest so many. It bounds the frames of a greeting, however many rooms there are.
pub const OTHER_ROOMS: u32 = 1_000;

/// Events in the answer to one read by HTTP. A reader that wants more goes on from the last one.
pub(crate) const READ_EVENTS: u32 = 1_000;

/// Bytes of entries in the answer to one read by HTTP, but for the first entry: the answer is put
/// together in memory.
pub(crate) const READ_BYTES: usize = 1024 * 1024;

/// Bytes of an `Idempotency-Key`: it is kept for as long as its event is in the log.
pub(crate) const KEY_BYTES: RangeInclusive<usize> = 1..=128;

/// Bytes of a request that are read before its head has to be whole: past it, no more is read. The
/// last step of reading may go beyond it and be as large again, so heads below twice this may pass.
pub(crate) const HEAD_BYTES: usize = 32 * 1024;

/// Connections beyond those that there may be, which are open at once to be told so. They are few, and
/// have [`REFUSED_TIME`]: who comes after them waits to be accepted.
pub(crate) const REFUSED_AT_ONCE: usize = 256;

/// How long the request's head of a connection may take that is refused.
pub(crate) const REFUSED_TIME: Duration = Duration::from_secs(2);

/// Files that a process needs beside its connections: the database's, the log, those that are refused,
/// and those to webhooks.
pub const OTHER_FILES: u64 = REFUSED_AT_ONCE as u64 + WEBHOOKS_AT_ONCE as u64 + 64;

/// Greetings at once of those whose hello takes more than one frame, from the second frame until what
/// came of it has left. Others wait for their turn, within the time for a hello: one of all the rooms
/// there can be takes about 20 MB, whoever says it.
pub(crate) const LONG_HELLOS: usize = 8;

/// How long the next frame of a long hello may take to be here whole, from when its turn has come or
/// from the frame before. The page's frames have up to 44 KB, which a slow line needs some seconds for.
pub(crate) const LONG_HELLO_PAUSE: Duration = Duration::from_secs(5);

/// Bytes a second at which a long hello has to come from when its turn has come, but for a pause: or
/// frames of nothing would keep the turn.
pub(crate) const LONG_HELLO_RATE: usize = 6 * 1024;

/// Bytes of frames that wait for one connection, beside the number of them that may be set: past it,
/// as past that, the log is read instead. As many as one part of it has.
pub(crate) const WAITING_BYTES: usize = SLICE_BYTES;

/// Connections that may wait to be accepted: after an outage all clients come back at once, and
/// the usual 128 would make most of them wait a second for their next try.
pub(crate) const BACKLOG: u32 = 4_096;

/// Writes that may wait for the disk; one more is told that the server is overloaded.
pub(crate) const WAITING_WRITES: usize = 4_096;

/// Reads that may wait for the database; one more is told that the server is overloaded. As many of
/// what appends go by may wait beside them.
pub(crate) const WAITING_READS: usize = 4_096;

/// Appends that are at the engine at once. Others wait for their turn, by their writers' windows and
/// down to their sockets.
pub(crate) const APPENDS_AT_ONCE: usize = 2_048;

/// Calls that are at the engine at once, appends apart. Others wait for their turn.
pub(crate) const CALLS_AT_ONCE: usize = 512;

/// Calls about jobs that are at the engine at once. Others wait for their turn.
pub(crate) const JOB_CALLS_AT_ONCE: usize = 1_024;

/// Bytes of a request that may carry many jobs or events: it is read into memory as a whole.
pub(crate) const BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Files of exports that are kept at once, and exports that wait to be written.
pub(crate) const EXPORTS_KEPT: usize = 100;

/// Exports that are read at once: each is an open file more.
pub(crate) const EXPORT_READS: usize = 16;

/// Bytes of an export that its reader has to take each [`EXPORT_TIME`], while there are as many left: who
/// is slower would keep one of those places from others.
pub(crate) const EXPORT_PACE: usize = 512 * 1024;

/// How long a reader may take for them, or as long as a request may take, if that is longer: a short time
/// for heads asks nobody for a fast line.
pub(crate) const EXPORT_TIME: Duration = Duration::from_secs(30);

/// Deliveries to webhooks that are under way at once: each is a connection.
pub(crate) const WEBHOOKS_AT_ONCE: u32 = 64;

/// Those of them that go to one host and port. Others wait: a receiver that never answers would
/// keep every place from those that do.
pub(crate) const WEBHOOKS_TO_HOST: usize = 8;

/// Those that go to one webhook, so that one of a host's leaves some to the others.
pub(crate) const WEBHOOKS_TO_ONE: usize = 4;

/// Queues whose gauges are told: each is a line of each gauge.
pub(crate) const QUEUES_TOLD: usize = 200;

/// How long a telling of gauges waits for the database.
pub(crate) const GAUGES_TIME: Duration = Duration::from_secs(1);

/// How long the key of an enqueue is remembered at least, whatever became of its jobs; and the id by which
/// one was enqueued, from when it is removed.
pub const KEYS_KEPT: Millis = Millis(7 * 24 * 3_600 * 1_000);

// Who waits for a turn is never sent away by the engine's own bounds.
const _: () = assert!(APPENDS_AT_ONCE + CALLS_AT_ONCE + JOB_CALLS_AT_ONCE <= WAITING_WRITES);
const _: () = assert!(CALLS_AT_ONCE <= WAITING_READS && APPENDS_AT_ONCE <= WAITING_READS);

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::job::limits::{
        CALL_JOBS, CLAIM_BYTES, CLAIM_JOBS, REASON_BYTES, RESULT_BYTES, SCHEDULE_BYTES, SCHEDULES,
        WAITING,
    };
    use holdfast_common::limits::{
        MOST_INBOXES, MOST_LANES, MOST_ROOMS, MOST_VERDICTS, OPEN_REQUESTS, PAGE_BYTES,
        PRESENCE_MOST, SECRET_BYTES, SLICE_ENTRIES,
    };

    const TEXT: &str = include_str!("../../docs/operations.md");
    const QUEUES: &str = include_str!("../../docs/queues.md");

    /// With a comma before each three digits.
    fn number(n: usize) -> String {
        match n {
            ..1_000 => n.to_string(),
            _ => format!("{},{:03}", number(n / 1_000), n % 1_000),
        }
    }

    fn kib(bytes: usize) -> String {
        assert_eq!(bytes % 1024, 0);
        format!("{} KiB", number(bytes / 1024))
    }

    fn range(range: RangeInclusive<usize>) -> String {
        format!("{} to {}", range.start(), range.end())
    }

    #[test]
    fn operators_are_told_every_fixed_limit() {
        let rows = [
            ("open requests of a connection", number(OPEN_REQUESTS)),
            ("rooms in a hello", number(MOST_ROOMS as usize)),
            ("inboxes in a hello, beside them", number(MOST_INBOXES)),
            ("lanes in a hello", number(MOST_LANES)),
            ("bytes of a secret", range(SECRET_BYTES)),
            ("a part of a replay", format!("{SLICE_ENTRIES} entries, {}", kib(SLICE_BYTES))),
            ("a page of history", kib(PAGE_BYTES)),
            ("people of a room that tells who is there", number(PRESENCE_MOST)),
            ("rooms of others in a list", number(OTHER_ROOMS as usize)),
            (
                "a read by HTTP",
                format!("{} events, {}", number(READ_EVENTS as usize), kib(READ_BYTES)),
            ),
            ("bytes of an `Idempotency-Key`", range(KEY_BYTES)),
            ("the head of a request", kib(HEAD_BYTES)),
            ("connections that are being refused", number(REFUSED_AT_ONCE)),
            ("time for the head of a refused one", format!("{} s", REFUSED_TIME.as_secs())),
            ("long hellos at once", number(LONG_HELLOS)),
            ("time for the next frame of one", format!("{} s", LONG_HELLO_PAUSE.as_secs())),
            ("bytes of one in a second", kib(LONG_HELLO_RATE)),
            ("verdicts of one greeting", number(MOST_VERDICTS)),
            ("bytes that wait for one connection", kib(WAITING_BYTES)),
            ("connections that wait to be accepted", number(BACKLOG as usize)),
            ("writes that wait for the disk", number(WAITING_WRITES)),
            ("reads that wait for the database", number(WAITING_READS)),
            ("appends at the engine at once", number(APPENDS_AT_ONCE)),
            ("other calls at the engine at once", number(CALLS_AT_ONCE)),
            ("calls about jobs at the engine at once", number(JOB_CALLS_AT_ONCE)),
            ("a request with many jobs", kib(BATCH_BYTES)),
            ("the key of an enqueue is remembered", format!("{} d", KEYS_KEPT.0 / 86_400_000)),
            ("exports that are kept, and that wait", number(EXPORTS_KEPT)),
            ("exports that are read at once", number(EXPORT_READS)),
            (
                &format!("bytes of one that are taken within {} s", EXPORT_TIME.as_secs()),
                kib(EXPORT_PACE),
            ),
            ("deliveries to webhooks at once", number(WEBHOOKS_AT_ONCE as usize)),
            ("those to one host and port", number(WEBHOOKS_TO_HOST)),
            ("those to one webhook", number(WEBHOOKS_TO_ONE)),
            ("long polls that wait", number(WAITING)),
            ("jobs of one call", number(CALL_JOBS)),
            (
                "jobs of one claim",
                format!("{CLAIM_JOBS}, and {} MiB of payloads", CLAIM_BYTES / (1024 * 1024)),
            ),
            ("bytes of a result or a typed failure", kib(RESULT_BYTES)),
            ("bytes of a reason", kib(REASON_BYTES)),
            ("bytes of a text that is looked for in errors", kib(REASON_BYTES)),
            ("schedules, in all", number(SCHEDULES as usize)),
            ("bytes of a schedule's expression", number(SCHEDULE_BYTES)),
        ];
        for (what, value) in rows {
            assert!(TEXT.contains(&format!("| {what} | {value} |")), "{what}: {value}");
        }
    }

    #[test]
    fn who_enqueues_and_ends_jobs_is_told_what_a_request_may_hold() {
        let many = format!("{} MiB", BATCH_BYTES / (1024 * 1024));
        for (what, value) in [
            ("bytes of an `Idempotency-Key`", range(KEY_BYTES)),
            ("bytes of the body of a batch, a completion or a failure", many),
        ] {
            assert!(QUEUES.contains(&format!("| {what} | {value} |")), "{what}: {value}");
        }
    }
}
