//! Every limit of queues and jobs, in one place. What an operator may set for a queue is in
//! [`QueueSettings`](super::QueueSettings); the bytes of a payload are the protocol's
//! [`payload_bytes`](crate::limits::Limits::payload_bytes).
//!
//! What lies outside is refused with a code, or taken as the nearest bound; each says which.

use crate::time::Millis;
use std::ops::RangeInclusive;

const SECOND: u64 = 1_000;
const HOUR: u64 = 3_600 * SECOND;
const DAY: u64 = 24 * HOUR;

/// Bytes of a job's result, and of a typed failure. Past it: too large, and the job stays leased.
pub const RESULT_BYTES: usize = 64 * 1024;

/// Bytes of the reason of a failed attempt; a longer one is [cut](reason). A longer text, which stands in
/// none, is not looked for: refused.
pub const REASON_BYTES: usize = 4 * 1024;

/// The longest delay, expiry and keeping. Past it: refused.
pub const LONGEST_DELAY: Millis = Millis(365 * DAY);

/// The longest wait between two attempts that may be asked for. A backoff past it is refused.
pub const LONGEST_BACKOFF: Millis = Millis(DAY);

/// What a backoff doubles to at most; one that is longer from the first stays as it is. Whoever was away
/// and is back waits no longer than this.
pub const LONGEST_DOUBLED: Millis = Millis(12 * HOUR);

/// Priorities: higher first, 0 where none is said. Outside: refused.
pub const PRIORITY: RangeInclusive<i8> = -100..=100;

/// Bytes of a group's, a consumer's or a schedule's name. Outside: refused.
pub const LABEL_BYTES: RangeInclusive<usize> = 1..=128;

/// Attempts that a job may have. Outside: refused.
pub const ATTEMPTS: RangeInclusive<u32> = 1..=100;

/// The shortest lease; a shorter one is taken as this.
pub const SHORTEST_LEASE: Millis = Millis(100);

/// The longest lease, which may be extended all the same; a longer one is taken as this.
pub const LONGEST_LEASE: Millis = Millis(12 * HOUR);

/// Jobs of one claim; more are taken as this.
pub const CLAIM_JOBS: u32 = 100;

/// Bytes of the payloads of one claim, but for the first job; of more as many are given as hold.
pub const CLAIM_BYTES: usize = 1024 * 1024;

/// Jobs of one batch, and ids of one call. Past it: too large.
pub const CALL_JOBS: usize = 1_000;

/// The longest that a claim waits for jobs; longer is taken as this.
pub const LONGEST_POLL: Millis = Millis(60 * SECOND);

/// Jobs that a subscription may ask to be sent before it asks for more; more are taken as this.
pub const CREDIT: u32 = 1_000;

/// Events that the end of one job may append. Past it: too large.
pub const END_EVENTS: usize = 16;

/// Jobs that the end of one job may enqueue. Past it: too large.
pub const END_JOBS: usize = 100;

/// Attempts of one job whose errors are kept: the newest, which are all but of one that was requeued.
pub const ATTEMPTS_KEPT: usize = *ATTEMPTS.end() as usize;

/// How often a job may be snoozed between two requeues; what a person gives back on a board is a snooze,
/// and what the server hands back itself is none. Past it: refused, and the job stays leased.
pub const SNOOZES: u32 = 1_000;

/// Long polls that may wait at once. Past it: overloaded.
pub const WAITING: usize = 4_096;

/// Subscriptions of one connection. Past it the connection is over its limit.
pub const SUBSCRIPTIONS: usize = 64;

/// Jobs that one tending of the store moves; what is left goes on at once in the next.
pub const TEND_JOBS: usize = 500;

/// Jobs to which one call of an operator's deed is done; what is left goes on in the next.
pub const GOVERN_JOBS: usize = 500;

/// Dead letters that a call looks at which puts them in order; the next goes on. Nothing is written for
/// them.
pub const LOOK_JOBS: usize = 4 * GOVERN_JOBS;

/// Dead letters that are kept in order meanwhile. Past it they are looked for again.
pub const ORDERED_JOBS: usize = 100_000;

/// Jobs of which one call for a list or for what nobody was told yet looks at most.
pub const LIST_JOBS: usize = 1_000;

/// Bytes of payloads, outcomes and errors in one answer about jobs that nobody was told of yet, but for
/// the first one.
pub const LIST_BYTES: usize = 1024 * 1024;

/// Rows that are kept of what people did to queues and jobs: the newest.
pub const AUDITS: u32 = 1_000_000;

/// Schedules that there may be, in all namespaces together. Past it: too many.
pub const SCHEDULES: u32 = 1_000;

/// Bytes of a schedule's expression. Past it: a bad schedule.
pub const SCHEDULE_BYTES: usize = 200;

/// Jobs of a rate, and of its burst. Outside: refused.
pub const RATE_JOBS: RangeInclusive<u32> = 1..=1_000_000;

/// The longest time that a rate is said for, from a millisecond on. Past it: refused.
pub const LONGEST_RATE: Millis = Millis(DAY);

/// The lease that is given for an asked length: the nearest there is.
#[must_use]
pub fn lease(asked: Millis) -> Millis {
    asked.clamp(SHORTEST_LEASE, LONGEST_LEASE)
}

/// Whether a text may be a group's, a consumer's or a schedule's name.
#[must_use]
pub fn label(text: &str) -> bool {
    LABEL_BYTES.contains(&text.len())
}

/// A reason as it is kept: of a longer one than [`REASON_BYTES`] the beginning, cut between two
/// characters, with `…` behind it.
#[must_use]
pub fn reason(mut text: String) -> String {
    const MORE: &str = "…";
    if text.len() > REASON_BYTES {
        text.truncate(text.floor_char_boundary(REASON_BYTES - MORE.len()));
        text.push_str(MORE);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_given_as_asked_or_as_the_nearest_bound() {
        assert_eq!(lease(Millis(0)), SHORTEST_LEASE);
        assert_eq!(lease(Millis(30_000)), Millis(30_000));
        assert_eq!(lease(Millis(u64::MAX)), LONGEST_LEASE);
    }

    #[test]
    fn a_reason_is_cut_between_two_characters_and_says_so() {
        let fits = "ä".repeat(REASON_BYTES / 2);
        assert_eq!(reason(fits.clone()), fits);
        let cut = reason(fits + "!");
        assert!(cut.len() <= REASON_BYTES, "{}", cut.len());
        assert!(cut.ends_with("ä…"));
        assert!(cut.len() > REASON_BYTES - 4, "no more than one character is lost for it");
    }

    const TEXT: &str = include_str!("../../../docs/queues.md");
    const PROTOCOL: &str = include_str!("../../../docs/protocol.md");

    /// With a comma before each three digits.
    fn number(n: u64) -> String {
        match n {
            ..1_000 => n.to_string(),
            _ => format!("{},{:03}", number(n / 1_000), n % 1_000),
        }
    }

    fn kib(bytes: usize) -> String {
        assert_eq!(bytes % 1024, 0);
        format!("{} KiB", bytes / 1024)
    }

    fn mib(bytes: usize) -> String {
        assert_eq!(bytes % (1024 * 1024), 0);
        format!("{} MiB", bytes / (1024 * 1024))
    }

    #[test]
    fn people_are_told_every_limit_of_queues() {
        let (priority, label, attempts) = (PRIORITY, LABEL_BYTES, ATTEMPTS);
        let lease = format!("{} ms to {} h", SHORTEST_LEASE.0, LONGEST_LEASE.0 / HOUR);
        let claim = format!("{CLAIM_JOBS}, and {} of payloads", mib(CLAIM_BYTES));
        let rate = format!("{} to {}", RATE_JOBS.start(), number((*RATE_JOBS.end()).into()));
        let rows = [
            ("bytes of a result or a typed failure", kib(RESULT_BYTES)),
            ("bytes of a reason or a note", kib(REASON_BYTES)),
            ("bytes of a text that is looked for in errors", kib(REASON_BYTES)),
            ("a delay, an expiry, `keep_ms`", format!("{} d", LONGEST_DELAY.0 / DAY)),
            ("a backoff, `retry_ms`", format!("{} h", LONGEST_BACKOFF.0 / HOUR)),
            ("what a shorter backoff doubles to", format!("{} h", LONGEST_DOUBLED.0 / HOUR)),
            ("a priority", format!("{} to {}", priority.start(), priority.end())),
            (
                "bytes of a group's, a consumer's or a schedule's name",
                format!("{} to {}", label.start(), label.end()),
            ),
            ("attempts of a job", format!("{} to {}", attempts.start(), attempts.end())),
            ("a lease", lease),
            ("jobs of one claim", claim),
            ("jobs of a rate, and of its burst", rate),
            ("`per_ms` of a rate", format!("1 ms to {} h", LONGEST_RATE.0 / HOUR)),
            ("jobs of a batch, ids of a call", number(CALL_JOBS as u64)),
            ("`wait_ms`", format!("{} s", LONGEST_POLL.0 / SECOND)),
            ("credit of a subscription", number(CREDIT.into())),
            ("events of an end", number(END_EVENTS as u64)),
            ("jobs of an end", number(END_JOBS as u64)),
            ("snoozes of a job between two requeues", number(SNOOZES.into())),
            ("attempts of a job whose errors are kept", number(ATTEMPTS_KEPT as u64)),
            ("long polls that wait", number(WAITING as u64)),
            ("subscriptions of a connection", number(SUBSCRIPTIONS as u64)),
            ("notes of the audit", number(AUDITS.into())),
            ("schedules, in all", number(SCHEDULES.into())),
            ("bytes of a schedule's expression", number(SCHEDULE_BYTES as u64)),
        ];
        for (what, value) in rows {
            assert!(TEXT.contains(&format!("| {what} | {value} |")), "{what}: {value}");
        }
        let claim = format!("{CLAIM_JOBS} jobs, and {} of payloads", mib(CLAIM_BYTES));
        assert!(PROTOCOL.contains(&claim), "{claim}");
    }

    #[test]
    fn a_label_has_at_least_one_byte_and_no_more_than_it_may() {
        assert!(!label(""));
        assert!(label("x"));
        assert!(label(&"x".repeat(128)));
        assert!(!label(&"ä".repeat(65)), "bytes are counted, not characters");
    }
}
