use super::*;
use proptest::prelude::*;
use std::time::{Duration, Instant};

fn at(text: &str) -> Timestamp {
    let moment = DateTime::parse_from_rfc3339(text).unwrap();
    Timestamp(u64::try_from(moment.timestamp_millis()).unwrap())
}

#[track_caller]
fn comes(expression: &str, after: &str, then: &str) {
    assert_eq!(next(expression, at(after)), Ok(at(then)), "{expression} after {after}");
}

#[test]
fn the_five_fields_are_those_of_a_crontab() {
    let sunday = "2026-11-22T10:15:30Z";
    comes("* * * * *", sunday, "2026-11-22T10:16:00Z");
    comes("*/20 * * * *", sunday, "2026-11-22T10:20:00Z");
    comes("5 4 * * *", sunday, "2026-11-23T04:05:00Z");
    comes("0 12 * * MON-FRI", sunday, "2026-11-23T12:00:00Z");
    comes("0 0 * * 7", sunday, "2026-11-29T00:00:00Z");
    comes("30 8 1,15 * *", sunday, "2026-12-01T08:30:00Z");
    comes("0 0 1 jan *", sunday, "2027-01-01T00:00:00Z");
    comes("0 0 L * *", sunday, "2026-11-30T00:00:00Z");
    comes("0 0 * * FRI#1", sunday, "2026-12-04T00:00:00Z");
}

#[test]
fn where_both_days_are_given_one_of_them_is_enough() {
    comes("0 0 13 * FRI", "2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z");
    comes("0 0 13 * +FRI", "2026-11-22T00:00:00Z", "2027-08-13T00:00:00Z");
}

#[test]
fn it_comes_after_a_moment_and_not_at_it() {
    comes("0 * * * *", "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z");
    comes("0 * * * *", "2026-11-22T09:59:59.999Z", "2026-11-22T10:00:00Z");
    comes("0 0 * * *", "2026-12-31T23:59:59Z", "2027-01-01T00:00:00Z");
}

#[test]
fn names_stand_for_all_five_fields() {
    let names = ["@hourly", "@Daily", "@weekly", "@monthly", "@yearly", "@annually"];
    let fields = ["0 * * * *", "0 0 * * *", "0 0 * * 0", "0 0 1 * *", "0 0 1 1 *", "0 0 1 1 *"];
    let after = at("2026-11-22T10:15:30Z");
    for (name, fields) in names.into_iter().zip(fields) {
        assert_eq!(next(name, after), next(fields, after), "{name}");
        assert!(next(name, after).is_ok(), "{name}");
    }
}

#[test]
fn a_leap_day_is_found_over_the_year_that_has_none() {
    comes("0 0 29 2 *", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z");
    comes("59 23 29 2 *", "2096-02-29T23:59:00Z", "2104-02-29T23:59:00Z");
}

#[test]
fn what_never_comes_is_no_schedule() {
    let now = at("2026-11-22T10:15:30Z");
    for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 1 * +MON#5", "0 0 29 2 +MON"] {
        assert_eq!(next(never, now), Err(BadSchedule::NeverComes), "{never}");
    }
    assert_eq!(next("* * * * *", Timestamp(u64::MAX)), Err(BadSchedule::NeverComes));
}

#[test]
fn what_is_no_schedule_is_told_in_words() {
    let now = Timestamp(0);
    let told = |text: &str| next(text, now).unwrap_err().to_string();
    let fields =
        "a schedule has five fields, minute, hour, day, month and weekday, in UTC: this one has";
    assert_eq!(told(""), format!("{fields} 0"));
    assert_eq!(told("0 0 * * * *"), format!("{fields} 6"));
    assert_eq!(told("0 0 * * * * 2030"), format!("{fields} 7"));
    assert!(told("@reboot").starts_with("@reboot is no schedule"));
    assert!(told("60 * * * *").starts_with("the schedule cannot be read: "));
    assert!(told("0 0 * * someday").starts_with("the schedule cannot be read: "));
    assert!(told(&" ".repeat(201)).contains("at most 200 bytes, and this one has 201"));
}

/// Expressions of the widest search: nearly nothing fits, or nothing does.
const FAR: [&str; 5] =
    ["* * 30 2 *", "* * 1 * +MON#5", "59 23 29 2 +MON", "* * 31 2,4 *", "* * 29W 2 +SAT"];

#[test]
fn the_search_ends_soon_whatever_is_asked() {
    let begin = Instant::now();
    for expression in FAR.iter().cycle().take(250) {
        let _ = next(expression, at("2026-11-22T10:15:30Z"));
    }
    // A search to the year 5000 takes the time of some hundred of ours.
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
}

fn field(low: u32, high: u32) -> impl Strategy<Value = String> {
    let number = low..=high;
    let range = (number.clone(), number.clone()).prop_map(|(a, b)| (a.min(b), a.max(b)));
    prop_oneof![
        3 => Just("*".to_owned()),
        3 => number.prop_map(|it| it.to_string()),
        1 => (2..=high).prop_map(|step| format!("*/{step}")),
        1 => range.clone().prop_map(|(a, b)| format!("{a}-{b}")),
        1 => range.prop_map(|(a, b)| format!("{a},{b}")),
    ]
}

prop_compose! {
    fn expression()(
        minute in field(0, 59), hour in field(0, 23),
        day in prop_oneof![6 => field(1, 31), 1 => Just("L".to_owned()), 1 => Just("LW".to_owned()), 1 => "(30|31|29|1)W"],
        month in field(1, 12),
        both in prop_oneof![4 => Just(""), 1 => Just("+")],
        weekday in prop_oneof![6 => field(0, 7), 1 => "[0-6](#[1-5]|L)"],
    ) -> String {
        format!("{minute} {hour} {day} {month} {both}{weekday}")
    }
}

proptest! {
    #[test]
    fn no_text_does_harm(text in "\\PC{0,60}", after in any::<u64>()) {
        let _ = next(&text, Timestamp(after));
    }

    #[test]
    fn no_text_of_the_right_letters_does_harm(
        text in proptest::collection::vec("[-0-9*/,LW#?+@ A-F]{1,8}", 5), after in 0..u64::MAX / 4,
    ) {
        let _ = next(&text.join(" "), Timestamp(after));
    }

    /// croner's own search is the second opinion, where there is something to be found.
    #[test]
    fn the_first_that_fits_is_found(expression in expression(), after in 0..8_000_000_000_000_u64) {
        let cron = read(&expression).unwrap();
        let start = DateTime::from_timestamp_millis(i64::try_from(after).unwrap()).unwrap();
        match next(&expression, Timestamp(after)) {
            Ok(found) => {
                let theirs = cron.find_next_occurrence(&start, false).unwrap().timestamp_millis();
                prop_assert_eq!(found.0, u64::try_from(theirs).unwrap(), "{}", expression);
            }
            Err(BadSchedule::NeverComes) => {
                if let Ok(theirs) = cron.find_next_occurrence(&start, false) {
                    let days = (theirs - start).num_days();
                    prop_assert!(days >= 2_920, "{} comes after {} days", expression, days);
                }
            }
            Err(other) => prop_assert!(false, "{}: {}", expression, other),
        }
    }
}
