//! Lengths and refusals in words.

use holdfast_common::{frame::work::Refused, job::JobState, job::Reason, storage::jobs::Did};

/// A length of time, to the unit that matters.
#[must_use]
pub fn length(ms: u64) -> String {
    const SECOND: u64 = 1_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    if (SECOND..10 * SECOND).contains(&ms) {
        return format!("{}.{}\u{a0}s", ms / SECOND, ms % SECOND / 100);
    }
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")];
    let fits = units.into_iter().find(|(length, _)| ms >= *length);
    let (length, unit) = fits.unwrap_or((1, "ms"));
    format!("{}\u{a0}{unit}", ms / length)
}

/// The same in whole seconds: what counts up or down need not say more.
#[must_use]
pub fn seconds(ms: u64) -> String {
    if ms < 60_000 { format!("{}\u{a0}s", ms.div_ceil(1_000)) } else { length(ms) }
}

/// A count that fits its place.
#[must_use]
pub fn count(n: u64) -> String {
    if n < 10_000 {
        n.to_string()
    } else if n < 1_000_000 {
        format!("{}k", n / 1_000)
    } else {
        format!("{}.{}M", n / 1_000_000, n % 1_000_000 / 100_000)
    }
}

/// What somebody has decided, and whether it is about jobs. A word that is newer than this page is told
/// as it is.
#[must_use]
pub fn deed(deed: &str) -> (String, bool) {
    let (told, has_jobs) = match Did::from(deed.to_owned()) {
        Did::Pause => ("paused the queue", false),
        Did::Resume => ("resumed the queue", false),
        Did::Set => ("changed the settings", false),
        Did::Cancel => ("cancelled", true),
        Did::Requeue => ("requeued", true),
        Did::Discard => ("discarded", true),
        Did::Purge => ("purged", true),
        other => return (other.name().replace('_', " "), false),
    };
    (told.to_owned(), has_jobs)
}

/// It was taken here, or by the same person elsewhere, and this page was not told its token.
pub const ANSWER_LOST: &str = "You have it, but not here. It is free again when its time is over.";

/// Why a token does not hold its job any more.
#[must_use]
pub fn lost(reason: Reason) -> &'static str {
    match reason {
        Reason::Expired => "Your time ran out.",
        Reason::Ended => "It was ended in another way before.",
        Reason::Cancelled => "Nobody wants it any more.",
        Reason::Old | Reason::Other => "Someone else has it now.",
    }
}

/// Why a job could not be taken.
#[must_use]
pub fn not_taken(refused: &Refused) -> String {
    match refused.state {
        Some(JobState::Leased) => "Someone else has it now.".into(),
        Some(JobState::Done) => "It is done already.".into(),
        Some(JobState::Ready) => "It cannot begin yet.".into(),
        Some(JobState::Dead | JobState::Cancelled) => "It can no longer be taken.".into(),
        None => refused.detail.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_told_in_the_unit_that_matters() {
        let told = |ms| length(ms).replace('\u{a0}', " ");
        assert_eq!(told(0), "0 ms");
        assert_eq!(told(1_250), "1.2 s");
        assert_eq!(told(59_999), "59 s");
        assert_eq!(told(90_000), "1 min");
        assert_eq!(told(7_200_000), "2 h");
        assert_eq!(told(200_000_000), "2 d");
        assert_eq!(seconds(1).replace('\u{a0}', " "), "1 s");
    }

    #[test]
    fn a_deed_is_told_in_words_also_one_that_is_not_known() {
        assert_eq!(deed("requeue"), ("requeued".to_owned(), true));
        assert_eq!(deed("pause"), ("paused the queue".to_owned(), false));
        assert_eq!(deed("webhook_made"), ("webhook made".to_owned(), false));
    }

    #[test]
    fn a_count_has_no_more_than_five_characters() {
        assert_eq!(count(9_999), "9999");
        assert_eq!(count(10_000), "10k");
        assert_eq!(count(1_250_000), "1.2M");
    }
}
