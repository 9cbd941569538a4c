//! Times, counts and initials for people. Times are the browser's own formats.

use crate::browser;
use holdfast_common::{id::PersonId, time::Timestamp};
use js_sys::{Array, Date, Function, Intl::DateTimeFormat, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// A time could not be formatted.
#[derive(Debug, Clone, thiserror::Error)]
#[error("This time cannot be shown.")]
pub struct Unformatted;

thread_local! {
    // Making a format takes longer than a hundred uses of it.
    static TIME: Function = format(&[("hour", "numeric"), ("minute", "2-digit")]);
    static DAY: Function = format(&[("weekday", "long"), ("day", "numeric"), ("month", "long")]);
    static YEAR: Function = format(&[("day", "numeric"), ("month", "long"), ("year", "numeric")]);
    static FULL: Function = format(&[("dateStyle", "full"), ("timeStyle", "medium")]);
}

fn format(options: &[(&str, &str)]) -> Function {
    let object = Object::new();
    for (key, value) in options {
        // Setting a property of a new object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from(*key), &JsValue::from(*value));
    }
    let format: JsValue = DateTimeFormat::new(&Array::new(), &object).into();
    let function = Reflect::get(&format, &JsValue::from("format"));
    function.map_or_else(|_| Function::default(), JsCast::unchecked_into)
}

fn apply(
    format: &'static std::thread::LocalKey<Function>,
    at: Timestamp,
) -> Result<String, Unformatted> {
    let date = Date::new(&JsValue::from_f64(browser::float(at)));
    let text = format.with(|format| format.call1(&JsValue::UNDEFINED, &date));
    text.ok().and_then(|text| text.as_string()).ok_or(Unformatted)
}

/// The time of day.
///
/// # Errors
/// It is no time.
pub fn time(at: Timestamp) -> Result<String, Unformatted> {
    apply(&TIME, at)
}

/// The whole of it.
///
/// # Errors
/// It is no time.
pub fn full(at: Timestamp) -> Result<String, Unformatted> {
    apply(&FULL, at)
}

/// The day, in words while it is near.
///
/// # Errors
/// It is no time.
pub fn day(at: Timestamp, today: i64) -> Result<String, Unformatted> {
    const MONTHS: i64 = 300;
    match today - browser::day_of(at) {
        0 => Ok("Today".into()),
        1 => Ok("Yesterday".into()),
        days if days.abs() < MONTHS => apply(&DAY, at),
        _ => apply(&YEAR, at),
    }
}

/// The same for machines.
#[must_use]
pub fn iso(at: Timestamp) -> String {
    let date = Date::new(&JsValue::from_f64(browser::float(at)));
    // Asking a date that is none for its text throws.
    if date.get_time().is_nan() {
        return String::new();
    }
    date.to_iso_string().into()
}

/// `1 event`, `2 events`.
#[must_use]
pub fn count(n: u64, what: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {what}{s}")
}

/// Up to two letters that stand for a name.
#[must_use]
pub fn initials(name: &str) -> String {
    let words = name.split_whitespace();
    let letters: Vec<char> = words.filter_map(|word| word.chars().next()).collect();
    let ends = match letters.as_slice() {
        [] => "?".into(),
        [one] => one.to_string(),
        [first, .., last] => format!("{first}{last}"),
    };
    ends.to_uppercase()
}

/// One of [`TINTS`] colours for a person, the same everywhere.
#[must_use]
pub fn tint(person: PersonId) -> usize {
    let bytes = person.as_bytes().iter();
    bytes.fold(0, |sum: usize, byte| sum.wrapping_mul(31) + usize::from(*byte)) % TINTS
}

/// How many colours there are for people.
pub const TINTS: usize = 8;

/// Who is writing, as a sentence; empty where nobody is.
#[must_use]
pub fn writing(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => format!("{one} is typing…"),
        [one, two] => format!("{one} and {two} are typing…"),
        _ => "Several people are typing…".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_in_words() {
        assert_eq!(count(1, "event"), "1 event");
        assert_eq!(count(0, "event"), "0 events");
    }

    #[test]
    fn initials_are_of_the_first_and_the_last_word() {
        assert_eq!(initials("Ada"), "A");
        assert_eq!(initials("ada augusta lovelace"), "AL");
        assert_eq!(initials("  "), "?");
        assert_eq!(initials("ßa"), "SS");
    }

    #[test]
    fn who_is_writing_is_one_sentence() {
        let names = |n: usize| vec!["Ada".to_owned(); n];
        assert_eq!(writing(&names(0)), "");
        assert_eq!(writing(&names(1)), "Ada is typing…");
        assert_eq!(writing(&names(2)), "Ada and Ada are typing…");
        assert_eq!(writing(&names(9)), "Several people are typing…");
    }
}
