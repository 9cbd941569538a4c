//! Rows, windows, the link, troubles.

use super::*;
use crate::link::NotHeld;
use holdfast_common::{client::Link, error::Code, time::Millis};

fn many(from: Offset, to: Offset) -> Vec<Entry> {
    (from..=to).map(|n| says(n, 2, &n.to_string())).collect()
}

#[test]
fn days_are_told_apart_and_one_persons_messages_stand_together() {
    let mut stage = Stage::new();
    let at = |offset, from, minutes: u64| Entry {
        at: Timestamp(minutes * MINUTE),
        ..says(offset, from, &offset.to_string())
    };
    stage.live(vec![
        at(1, 2, 1),
        at(2, 2, 3),
        at(3, 3, 4),
        at(4, 3, 30),
        at(5, 3, 24 * 60),
        at(6, 3, 24 * 60 + 1),
    ]);
    assert_eq!(stage.lines(), ["==", "1", "2", "3", "4", "==", "5", "6"]);
    let rows = stage.rows();
    let together: Vec<bool> = (1..=6).map(|n| entry_row(&rows, event(n)).together).collect();
    assert_eq!(together, [false, true, false, false, false, true]);
}

#[test]
fn what_waits_is_shown_at_the_servers_time_however_wrong_this_clock_is() {
    for wall in [0, 40 * DAY] {
        let mut stage = Stage::new();
        stage.now.wall = Timestamp(wall);
        stage.show(Show::Welcome { limits: Limits::default(), now: Timestamp(3 * DAY) });
        stage.live(vec![Entry { at: Timestamp(3 * DAY + MINUTE), ..says(1, 2, "theirs") }]);
        let mut mine = message(1, 7, "mine", RowState::Queued);
        mine.event.at = Timestamp(wall + 2 * MINUTE);
        stage.write(Write::PutRow(mine));
        assert_eq!(stage.lines(), ["==", "theirs", "mine"]);
        assert_eq!(entry_row(&stage.rows(), event(7)).at, Timestamp(3 * DAY + 2 * MINUTE));
    }
}

/// What one person says without a pause.
fn torrent(last: Offset) -> Vec<Entry> {
    let at = |n| Entry { at: Timestamp(n * 1_000), ..says(n, 2, "") };
    (1..=last).map(at).collect()
}

/// Which of the events from 1 to `last` stand under a name of their own.
fn heads(rows: &[Row], last: u64) -> Vec<u64> {
    let own_head = |n: &u64| !entry_row(rows, event(*n)).together;
    (1..=last).filter(own_head).collect()
}

#[test]
fn a_chain_of_messages_is_parted_after_a_few_minutes_though_each_follows_closely() {
    let mut stage = Stage::new();
    let at = |offset| Entry { at: Timestamp(offset * MINUTE), ..says(offset, 2, "") };
    stage.live((1..=12).map(at).collect());
    assert_eq!(heads(&stage.rows(), 12), [1, 6, 11]);
}

#[test]
fn no_more_than_twenty_messages_stand_under_one_name() {
    let mut stage = Stage::new();
    stage.live(torrent(65));
    assert_eq!(heads(&stage.rows(), 65), [1, 21, 41, 61]);
}

#[test]
fn what_stands_together_does_not_depend_on_where_the_window_begins() {
    let mut stage = Stage::new();
    stage.live(torrent(700));
    let log = &stage.room().timeline;
    let together = |window: &Window| {
        let rows = stage.store.rows(room(), window, &|at| (at.0 / DAY).cast_signed());
        let rows = rows.into_iter().filter_map(|row| match row {
            Row::Entry(row) => Some((row.offset, row.together)),
            _ => None,
        });
        rows.collect::<std::collections::BTreeMap<_, _>>()
    };
    let mut window = Window::newest();
    let newest = together(&window);
    assert_eq!(window.up(log), Step::Moved);
    let more = together(&window);
    // The window's first row has nothing above it to stand together with.
    for (offset, is_together) in newest.iter().skip(1) {
        assert_eq!(more.get(offset), Some(is_together), "{offset:?}");
    }
}

#[test]
fn keys_are_unique_even_when_clocks_jump_between_days() {
    let mut stage = Stage::new();
    let at = |offset, day: u64| Entry { at: Timestamp(day * DAY), ..says(offset, 2, "") };
    stage.live(vec![at(1, 5), at(2, 4), at(3, 5)]);
    let mut keys: Vec<RowKey> = stage.rows().iter().map(Row::key).collect();
    let all = keys.len();
    keys.dedup();
    let unique: std::collections::HashSet<RowKey> = keys.into_iter().collect();
    assert_eq!(unique.len(), all);
}

#[test]
fn a_long_log_is_shown_in_part_and_scrolling_moves_the_part() {
    let mut stage = Stage::new();
    stage.live(many(1, 5_000));
    let log = &stage.room().timeline;
    let mut window = Window::newest();
    assert_eq!((window.items(log).count(), window.first(log)), (150, 4_851));
    for _ in 0..10 {
        assert_eq!(window.up(log), Step::Moved);
    }
    assert_eq!(window.first(log), 3_851);
    assert!(window.items(log).count() <= 450);
    assert!(!window.shows(log, 5_000));
    while window.hi.is_some() {
        assert_eq!(window.down(log), Step::Moved);
        assert!(window.items(log).count() <= 450);
    }
    assert!(window.shows(log, 5_000));
    assert_eq!(window.down(log), Step::End);
}

#[test]
fn a_reader_who_looks_back_keeps_the_place_however_much_comes() {
    let mut stage = Stage::new();
    stage.live(many(1, 300));
    let mut window = Window::newest();
    window.pin(&stage.room().timeline);
    stage.live(many(301, 2_000));
    let log = &stage.room().timeline;
    window.pin(log);
    assert_eq!(window.first(log), 151);
    assert_eq!(window.items(log).count(), 450);
    assert!(!window.shows(log, 2_000));
}

#[test]
fn scrolling_up_ends_where_the_log_begins() {
    let mut stage = Stage::new();
    stage.live(many(1, 200));
    let log = &stage.room().timeline;
    let mut window = Window::newest();
    assert_eq!(window.up(log), Step::Moved);
    assert_eq!(window.first(log), 1);
    assert_eq!(window.up(log), Step::End);
}

#[test]
fn a_place_is_shown_with_what_is_around_it() {
    let mut stage = Stage::new();
    stage.live(many(1, 1_000));
    let log = &stage.room().timeline;
    let window = Window::around(log, 500);
    assert!(window.shows(log, 430) && window.shows(log, 570));
    assert!(window.items(log).count() <= 151);
    assert_eq!(Window::around(log, 990).hi, None);
}

#[test]
fn unconfirmed_events_are_not_shown_in_a_part_that_ends_before_the_newest() {
    let mut stage = Stage::new();
    stage.live(many(1, 500));
    stage.write(Write::PutRow(message(1, 900, "own", RowState::Queued)));
    let part = Window { lo: Some(1), hi: Some(10) };
    let rows = stage.store.rows(room(), &part, &|_| 0);
    assert_eq!(rows.len(), 11);
}

#[test]
fn the_wait_for_the_next_attempt_has_a_deadline() {
    let mut stage = Stage::new();
    stage.now.steady = Instant(1_000);
    stage.show(Show::Link(Link::Offline { retry_in: Millis(12_000), why: Some(Code::GoingAway) }));
    let Connection::Offline { retry_at, .. } = stage.store.connection else { panic!("offline") };
    assert_eq!(retry_at, Instant(13_000));
    assert!(stage.store.connection.can_retry());
    assert_eq!(stage.store.connection.name(), "offline");
}

#[test]
fn history_is_asked_for_once_at_a_time_and_only_online() {
    let mut stage = Stage::new();
    assert!(!stage.store.ask(room()));
    stage.show(Show::Link(Link::Online));
    assert!(stage.store.ask(room()));
    assert!(!stage.store.ask(room()));
    stage.show(Show::Page(page(vec![], 1, 0, 0)));
    assert!(stage.store.ask(room()));
    stage.show(Show::Refused { room: room(), code: Code::NotMember, detail: String::new() });
    assert!(stage.store.ask(room()));
}

#[test]
fn the_same_trouble_twice_is_one_notice_and_it_can_be_dismissed() {
    let mut stage = Stage::new();
    for _ in 0..2 {
        stage.apply(Update::NotHeld { id: event(1), room: room(), why: NotHeld::TooMany });
    }
    let [notice] = stage.store.notices() else { panic!("one notice") };
    let number = notice.number;
    stage.store.dismiss(number);
    assert!(stage.store.notices().is_empty());
}

#[test]
fn a_text_is_said_to_be_back_only_where_one_was_given_back() {
    let mut stage = Stage::new();
    for id in [event(1), event(2)] {
        stage.apply(Update::NotHeld { id, room: room(), why: NotHeld::TooMany });
    }
    stage.store.given_back(event(2));
    let notices = stage.store.notices().iter();
    let back = notices.map(|notice| match notice.trouble {
        Trouble::NotHeld { text_back, .. } => text_back,
        _ => panic!("{notice:?}"),
    });
    assert_eq!(back.collect::<Vec<_>>(), [false, true]);
}

#[test]
fn leaving_a_room_ends_the_membership_on_the_page() {
    let mut stage = Stage::new();
    stage.write(Write::Left(room()));
    assert!(!stage.store.lines()[0].joined);
    stage.write(Write::Room(lobby(0)));
    assert!(stage.store.lines()[0].joined);
}

#[test]
fn loading_again_forgets_what_was_shown_before() {
    let mut stage = Stage::new();
    stage.live(many(1, 3));
    stage.write(Write::PutRow(message(1, 900, "own", RowState::Queued)));
    stage.apply(Update::Loaded(Loaded::default()));
    assert!(stage.texts().is_empty());
    assert_eq!(stage.store.outbox.waiting(), 0);
}
