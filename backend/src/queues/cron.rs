//! Schedules as people write them: the five fields of a crontab, in UTC.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Timelike as _, Utc};
use croner::{
    Cron, CronPattern,
    errors::CronError,
    parser::{CronParser, Seconds, Year},
    time::Weekday as Day,
};
use holdfast_common::{job::limits::SCHEDULE_BYTES, time::Timestamp};

/// Days looked at for an occurrence: eight years, since from 2096 to 2104 there is no 29 February.
const DAYS_AHEAD: usize = 8 * 365 + 2;

/// When `expression` comes next, after `after` and never at it.
///
/// The fields are minute, hour, day of the month, month and day of the week, with names (`MON`, `JAN`),
/// ranges, lists and steps, and `L`, `W` and `#` for the last, the nearest weekday and the nth. Where both
/// days are given, one of them is enough, unless the last field begins with `+`. `@hourly`, `@daily`,
/// `@weekly`, `@monthly` and `@yearly` may stand for all five. The time zone is UTC: no hour of it is
/// missing or comes twice.
///
/// # Errors
/// It cannot be read, or does not come within eight years.
pub(crate) fn next(expression: &str, after: Timestamp) -> Result<Timestamp, BadSchedule> {
    let cron = read(expression)?;
    let start = first_minute(after).ok_or(BadSchedule::NeverComes)?;
    let found = search(&cron.pattern, start)?.ok_or(BadSchedule::NeverComes)?;
    let millis = u64::try_from(found.and_utc().timestamp_millis());
    millis.map(Timestamp).map_err(|_| BadSchedule::NeverComes)
}

/// Why an expression is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadSchedule {
    #[error("a schedule has at most {SCHEDULE_BYTES} bytes, and this one has {0}")]
    TooLong(usize),
    #[error(
        "a schedule has five fields, minute, hour, day, month and weekday, in UTC: this one has {0}"
    )]
    Fields(usize),
    #[error("@{0} is no schedule: there are @hourly, @daily, @weekly, @monthly and @yearly")]
    Name(String),
    #[error("the schedule cannot be read: {0}")]
    Unread(String),
    #[error("the schedule does not come once in the next eight years")]
    NeverComes,
}

impl From<CronError> for BadSchedule {
    fn from(error: CronError) -> Self {
        let text = match error {
            CronError::InvalidPattern(text)
            | CronError::IllegalCharacters(text)
            | CronError::ComponentError(text) => text,
            other => other.to_string(),
        };
        Self::Unread(text.trim_end_matches('.').to_owned())
    }
}

fn read(expression: &str) -> Result<Cron, BadSchedule> {
    if expression.len() > SCHEDULE_BYTES {
        return Err(BadSchedule::TooLong(expression.len()));
    }
    let expression = expression.trim();
    if let Some(name) = expression.strip_prefix('@') {
        let names = ["hourly", "daily", "weekly", "monthly", "yearly", "annually"];
        if !names.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(BadSchedule::Name(name.to_owned()));
        }
    } else {
        // croner would say what it wants, and not what people forget: that there are no seconds here.
        let fields = expression.split_whitespace().count();
        if fields != 5 {
            return Err(BadSchedule::Fields(fields));
        }
    }
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    Ok(parser.parse(expression)?)
}

/// The first whole minute after a moment.
fn first_minute(after: Timestamp) -> Option<NaiveDateTime> {
    let after = DateTime::<Utc>::from_timestamp_millis(i64::try_from(after.0).ok()?)?.naive_utc();
    let minute = after.with_second(0)?.with_nanosecond(0)?;
    minute.checked_add_signed(TimeDelta::minutes(1))
}

/// The first minute from `start` on that fits.
///
/// The search is ours, since croner's goes on to the year 5000, and strangers ask: this one looks at some
/// three thousand days and then at one day's hours and minutes.
fn search(pattern: &CronPattern, start: NaiveDateTime) -> Result<Option<NaiveDateTime>, CronError> {
    for date in start.date().iter_days().take(DAYS_AHEAD) {
        if !comes_on(pattern, date)? {
            continue;
        }
        let today = date == start.date();
        let from = if today { (start.hour(), start.minute()) } else { (0, 0) };
        if let Some((hour, minute)) = comes_at(pattern, from)? {
            return Ok(date.and_hms_opt(hour, minute, 0));
        }
    }
    Ok(None)
}

fn comes_on(pattern: &CronPattern, date: NaiveDate) -> Result<bool, CronError> {
    let weekday = Day::from_days_from_sunday(date.weekday().num_days_from_sunday());
    Ok(pattern.month_match(date.month())?
        && pattern.day_match(date.year(), date.month(), date.day(), weekday)?)
}

/// The first hour and minute of a day, not before these.
fn comes_at(pattern: &CronPattern, from: (u32, u32)) -> Result<Option<(u32, u32)>, CronError> {
    for hour in from.0..24 {
        if !pattern.hour_match(hour)? {
            continue;
        }
        let first = if hour == from.0 { from.1 } else { 0 };
        for minute in first..60 {
            if pattern.minute_match(minute)? {
                return Ok(Some((hour, minute)));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
