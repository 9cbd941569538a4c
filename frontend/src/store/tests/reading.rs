//! What was missed, and what is unread.

use super::*;
use crate::link::{HeldRoom, Hole, HoleKind};
use holdfast_common::{
    chat::{ReadMarker, Typing},
    client::LatestRow,
    frame::{self, LatestSet},
    time::Millis,
};

fn marker(person_: u8, rank: u64) -> LatestSet {
    LatestSet {
        ns: "chat".into(),
        room: room(),
        kind: "read".into(),
        person: person(person_),
        rank,
        data: serde_json::value::to_raw_value(&ReadMarker { offset: rank }).unwrap(),
    }
}

fn missed(from: Offset, to: Offset) -> Vec<Entry> {
    (from..=to).map(|n| says(n, 2, &n.to_string())).collect()
}

#[test]
fn the_divider_stands_before_the_first_missed_event_of_somebody_else() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "1")]);
    stage.offline();
    stage.entries(vec![says(2, 1, "own"), says(3, 2, "3")], true);
    stage.entries(vec![says(4, 2, "4")], true);
    stage.live(vec![says(5, 2, "5")]);
    assert_eq!(stage.texts(), ["1", "own", "--", "3", "4", "5"]);
}

#[test]
fn who_comes_for_the_first_time_has_missed_nothing() {
    let mut stage = Stage::new();
    stage.entries(missed(1, 3), true);
    assert_eq!(stage.texts(), ["1", "2", "3"]);
}

#[test]
fn missed_edits_alone_make_no_divider() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "a")]);
    stage.offline();
    stage.entries(vec![edits(2, 2, 1, "b")], true);
    assert_eq!(stage.texts(), ["b"]);
}

#[test]
fn the_divider_moves_only_once_what_is_behind_it_was_read() {
    let mut stage = Stage::new();
    stage.live(missed(1, 1));
    stage.offline();
    stage.entries(missed(2, 3), true);
    stage.offline();
    stage.entries(missed(4, 4), true);
    assert_eq!(stage.texts(), ["1", "--", "2", "3", "4"]);
    stage.write(Write::Register(marker(1, 4)));
    stage.offline();
    stage.entries(missed(5, 5), true);
    assert_eq!(stage.texts(), ["1", "2", "3", "4", "--", "5"]);
}

#[test]
fn reading_on_while_missed_events_still_come_leaves_the_divider_where_it_is() {
    let mut stage = Stage::new();
    stage.live(missed(1, 1));
    stage.offline();
    stage.entries(missed(2, 3), true);
    stage.write(Write::Register(marker(1, 3)));
    stage.entries(missed(4, 5), true);
    assert_eq!(stage.texts(), ["1", "--", "2", "3", "4", "5"]);
}

#[test]
fn a_page_in_place_of_a_replay_puts_the_divider_before_the_hole() {
    let mut stage = Stage::new();
    stage.live(missed(1, 2));
    stage.offline();
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(says(101, 2, "new"), None)],
        from: 101,
        first: 1,
        skipped: 90,
        cursor: cursor(101),
    });
    assert_eq!(stage.texts(), ["..1-2", "--", "..3-100", "new"]);
    assert_eq!(stage.room().unread, 2 + 90 + 1);
    let items = vec![folded(says(99, 2, "99"), None), folded(says(100, 2, "100"), None)];
    stage.show(Show::Page(page(items, 99, 100, 101)));
    assert_eq!(stage.texts(), ["..1-2", "--", "..3-98", "99", "100", "new"]);
    assert_eq!(stage.room().unread, 2 + 90 + 1);
}

#[test]
fn what_was_held_below_a_page_is_read_anew_since_it_may_have_been_removed() {
    let mut stage = Stage::new();
    stage.live(missed(1, 4));
    stage.offline();
    // Only changes were missed: the page's items are older than what was held.
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(says(3, 2, "3"), None), folded(says(4, 2, "4"), None)],
        from: 3,
        first: 1,
        skipped: 0,
        cursor: cursor(500),
    });
    assert_eq!(stage.texts(), ["..1-2", "3", "4"]);
    assert_eq!(stage.room().unread, 4);
    let items = vec![folded(says(2, 2, "2, changed"), None)];
    stage.show(Show::Page(page(items, 1, 2, 500)));
    assert_eq!(stage.texts(), ["2, changed", "3", "4"]);
}

#[test]
fn a_page_opened_again_shows_what_was_unread_as_missed() {
    let items = missed(1, 4).into_iter().map(|entry| folded(entry, None));
    let held =
        HeldRoom { room: room(), cursor: Some(cursor(4)), items: items.collect(), holes: vec![] };
    let stage = Stage::with(Loaded {
        held: vec![held],
        registers: vec![marker(1, 2)],
        ..Loaded::default()
    });
    assert_eq!(stage.texts(), ["1", "2", "--", "3", "4"]);
    assert_eq!(stage.room().unread, 2);
}

#[test]
fn what_was_held_is_shown_with_its_holes() {
    let held = HeldRoom {
        room: room(),
        cursor: Some(cursor(20)),
        items: vec![
            folded(says(8, 2, "a"), Some(edits(9, 2, 8, "b"))),
            folded(hollow(19, 2), None),
        ],
        holes: vec![Hole { from: 10, to: 18, count: 9, kind: HoleKind::Skipped }],
    };
    let stage = Stage::with(Loaded { held: vec![held], ..Loaded::default() });
    assert_eq!(stage.texts(), ["..1-7", "b", "..10-18", "deleted by Grace"]);
}

#[test]
fn unread_are_the_messages_of_others_above_the_marker() {
    let mut stage = Stage::new();
    stage.live(vec![
        says(1, 2, "a"),
        says(2, 1, "own"),
        says(3, 3, "b"),
        edits(4, 2, 1, "c"),
        says(5, 2, "gone"),
        deletes(6, 2, 5),
    ]);
    assert_eq!(stage.room().unread, 2);
    assert_eq!(stage.store.lines()[0].unread, 2);
    stage.write(Write::Register(marker(1, 1)));
    assert_eq!(stage.room().unread, 1);
}

#[test]
fn a_marker_counts_at_once_never_goes_back_and_is_ones_own() {
    let mut stage = Stage::new();
    stage.live(missed(1, 5));
    stage.write(Write::PutLatest(LatestRow {
        ns: "chat".into(),
        room: room(),
        kind: "read".into(),
        rank: 4,
        data: r#"{"offset":4}"#.into(),
    }));
    stage.write(Write::Register(marker(1, 2)));
    stage.write(Write::Register(marker(2, 5)));
    assert_eq!(stage.room().unread, 1);
}

#[test]
fn typing_is_believed_for_five_seconds_or_until_the_message_comes() {
    let mut stage = Stage::new();
    let typing = |from| {
        Show::Signal(Signalled {
            ns: "chat".into(),
            room: Some(room()),
            kind: "typing".into(),
            from: author(from),
            data: serde_json::value::to_raw_value(&Typing {}).unwrap(),
        })
    };
    for from in [1, 2, 3] {
        stage.show(typing(from));
    }
    let writing = |stage: &Stage| stage.store.presence(room()).unwrap().writing();
    assert_eq!(writing(&stage), ["Grace", "Hedy"]);
    stage.live(vec![says(1, 2, "done")]);
    assert_eq!(writing(&stage), ["Hedy"]);
    stage.store.expire(Instant(0) + Millis(5_000));
    assert!(writing(&stage).is_empty());
}

fn presence(all: bool, came: &[u8], left: &[u8]) -> Show {
    Show::Presence(frame::Presence {
        room: room(),
        all,
        came: came.iter().map(|n| author(*n)).collect(),
        left: left.iter().map(|n| person(*n)).collect(),
    })
}

#[test]
fn a_list_without_even_its_reader_says_that_there_are_too_many() {
    let mut stage = Stage::new();
    let crowded = |stage: &Stage| stage.store.presence(room()).is_some_and(Presence::crowded);
    assert!(!crowded(&stage), "nothing was told yet");
    stage.show(presence(true, &[1, 3], &[]));
    assert!(!crowded(&stage));
    stage.show(presence(true, &[], &[]));
    assert!(crowded(&stage));
    stage.show(presence(true, &[1], &[]));
    assert!(!crowded(&stage));
    stage.offline();
    assert!(!crowded(&stage));
}

#[test]
fn presence_is_kept_by_came_and_left_and_ends_with_the_connection() {
    let mut stage = Stage::new();
    stage.show(presence(true, &[3, 1], &[]));
    stage.show(presence(false, &[2], &[1]));
    let here = stage.store.presence(room()).unwrap().here();
    let names: Vec<&str> = here.iter().map(|author| author.name.as_str()).collect();
    assert_eq!(names, ["Grace", "Hedy"]);
    stage.offline();
    assert!(stage.store.presence(room()).is_none());
}

#[test]
fn where_a_log_ends_is_known_once_the_server_has_told_it() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "a"), says(2, 2, "b")]);
    assert!(!stage.store.ends_before(room(), 9));
    stage.show(Show::Link(holdfast_common::client::Link::Online));
    assert!(!stage.store.ends_before(room(), 9));
    stage.write(Write::Room(lobby(3)));
    assert!(!stage.store.ends_before(room(), 9), "the rest is on its way");
    stage.live(vec![says(3, 2, "c")]);
    assert!(stage.store.ends_before(room(), 4));
    assert!(!stage.store.ends_before(room(), 3));
}

#[test]
fn a_tab_that_joins_a_live_one_knows_where_the_log_ends() {
    let mut stage = Stage::new();
    stage.show(Show::Link(holdfast_common::client::Link::Online));
    stage.show(Show::Live(room()));
    stage.apply(Update::Loaded(Loaded { rooms: vec![lobby(4)], ..Loaded::default() }));
    assert!(stage.store.ends_before(room(), 5));
    assert!(!stage.store.ends_before(room(), 4));
    stage.offline();
    stage.show(Show::Link(holdfast_common::client::Link::Online));
    stage.show(Show::Live(room()));
    assert!(!stage.store.ends_before(room(), 5));
}
