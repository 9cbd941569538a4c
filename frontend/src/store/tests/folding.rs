//! Edits, deletions, pages: whatever order they come in, the fold is the same.

use super::*;
use holdfast_common::chat::RoomCreated;

#[test]
fn an_edit_replaces_the_text_and_has_no_row_of_its_own() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "helo"), says(2, 2, "more"), edits(3, 2, 1, "hello")]);
    assert_eq!(stage.texts(), ["hello", "more"]);
    assert!(entry_row(&stage.rows(), event(1)).edited);
    assert!(!entry_row(&stage.rows(), event(2)).edited);
}

#[test]
fn the_newest_edit_stands_however_often_the_older_one_comes() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "a"), edits(2, 2, 1, "b"), edits(3, 2, 1, "c")]);
    let again = vec![folded(says(1, 2, "a"), Some(edits(2, 2, 1, "b")))];
    stage.show(Show::Page(page(again, 1, 1, 2)));
    assert_eq!(stage.texts(), ["c"]);
}

#[test]
fn a_deletion_hollows_and_no_later_page_or_edit_brings_the_text_back() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "a"), deletes(2, 2, 1), edits(3, 2, 1, "b")]);
    assert_eq!(stage.texts(), ["deleted by Grace"]);
    stage.show(Show::Page(page(vec![folded(says(1, 2, "a"), None)], 1, 1, 1)));
    assert_eq!(stage.texts(), ["deleted by Grace"]);
    assert_eq!(stage.room().unread, 0);
}

#[test]
fn a_change_applies_to_a_page_only_if_it_stands_above_the_pages_place() {
    let mut stage = Stage::new();
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(says(50, 2, "late"), None)],
        from: 50,
        first: 1,
        skipped: 20,
        cursor: cursor(60),
    });
    stage.live(vec![edits(61, 2, 3, "newer"), edits(62, 2, 4, "older")]);
    let items = vec![
        folded(says(3, 2, "three"), Some(edits(40, 2, 3, "folded"))),
        folded(says(4, 2, "four"), Some(edits(63, 2, 4, "newest"))),
    ];
    stage.show(Show::Page(page(items, 3, 49, 63)));
    assert_eq!(stage.texts(), ["..1-2", "newer", "newest", "late"]);
}

#[test]
fn a_page_that_was_folded_ahead_of_the_view_is_not_changed_back_by_what_it_contains() {
    let mut stage = Stage::new();
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(says(50, 2, "late"), None)],
        from: 50,
        first: 1,
        skipped: 2,
        cursor: cursor(50),
    });
    let items = vec![folded(says(2, 2, "two"), Some(edits(52, 2, 2, "second edit")))];
    stage.show(Show::Page(page(items, 1, 49, 52)));
    stage.live(vec![edits(51, 2, 2, "first edit"), edits(52, 2, 2, "second edit")]);
    assert_eq!(stage.texts(), ["second edit", "late"]);
}

#[test]
fn what_is_at_or_below_the_cursor_is_known() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "a"), says(2, 2, "b")]);
    stage.live(vec![says(2, 2, "not again"), says(3, 2, "c")]);
    assert_eq!(stage.texts(), ["a", "b", "c"]);
}

#[test]
fn an_emptied_edit_has_no_row_and_an_emptied_message_has_one() {
    let mut stage = Stage::new();
    stage.entries(vec![hollow(1, 2), hollow(2, 2)], true);
    assert!(stage.texts().is_empty());
    stage.entries(vec![deletes(3, 2, 1)], true);
    assert_eq!(stage.texts(), ["deleted by Grace"]);
}

#[test]
fn a_hollow_entry_of_a_page_was_a_message() {
    let mut stage = Stage::new();
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(hollow(2, 3), None), folded(says(4, 2, "b"), None)],
        from: 1,
        first: 1,
        skipped: 0,
        cursor: cursor(5),
    });
    assert_eq!(stage.texts(), ["deleted by Hedy", "b"]);
}

#[test]
fn unknown_types_are_shown_by_their_text_and_what_has_none_as_unknown() {
    let mut stage = Stage::new();
    let data = |value: serde_json::Value| Some(serde_json::value::to_raw_value(&value).unwrap());
    let ended = Entry { kind: "job_ended".into(), ..says(1, 2, "Your task is done.") };
    let newer = Entry { kind: "poll".into(), data: data([1, 2].into()), ..says(2, 2, "") };
    let broken = Entry { data: data(7.into()), ..says(3, 2, "") };
    stage.live(vec![ended, newer, broken]);
    assert_eq!(stage.texts(), ["Your task is done.", "unknown poll", "unknown message"]);
    assert_eq!(stage.room().unread, 1);
}

#[test]
fn an_edit_in_front_of_its_target_waits_for_it() {
    let mut stage = Stage::new();
    stage.write(Write::Page {
        room: room(),
        items: vec![],
        from: 10,
        first: 1,
        skipped: 4,
        cursor: cursor(9),
    });
    stage.live(vec![edits(10, 2, 5, "later text")]);
    stage.show(Show::Page(page(vec![folded(says(5, 2, "text"), None)], 1, 9, 9)));
    assert_eq!(stage.texts(), ["later text"]);
}

#[test]
fn a_rooms_beginning_is_an_entry() {
    let mut stage = Stage::new();
    stage.live(vec![entry(1, 2, &RoomCreated { name: "plans".into() })]);
    assert_eq!(stage.texts(), ["created plans"]);
    assert_eq!(stage.room().unread, 0);
}

#[test]
fn a_reset_forgets_what_was_held_and_says_so_in_front_of_the_new_log() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "old"), says(2, 2, "older")]);
    let head = lobby(1).head;
    let epoch = Epoch::from_bytes([5; 16]);
    stage.write(Write::Reset {
        room: room(),
        reason: holdfast_common::cursor::ResetReason::Epoch,
        was: Some(cursor(2)),
        head,
    });
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(says(1, 2, "new"), None)],
        from: 1,
        first: 1,
        skipped: 0,
        cursor: Cursor { epoch, ..cursor(1) },
    });
    assert_eq!(stage.texts(), ["..0-0", "new"]);
    let rows = stage.rows();
    let Row::Hole(HoleRow { hole, .. }) = rows[0] else { panic!("the reset comes first") };
    assert_eq!(hole.count, 2);
}

#[test]
fn history_of_another_log_says_nothing_about_this_one() {
    let mut stage = Stage::new();
    stage.live(vec![says(5, 2, "a")]);
    let mut other = page(vec![folded(says(1, 2, "of another log"), None)], 1, 4, 9);
    other.as_of.epoch = Epoch::from_bytes([5; 16]);
    stage.show(Show::Page(other));
    assert_eq!(stage.texts(), ["a"]);
}

#[test]
fn a_gap_stands_at_its_place() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 2, "a")]);
    stage.write(Write::Gap(holdfast_common::frame::Gap {
        room: room(),
        from: 2,
        to: 8,
        count: 7,
        reason: holdfast_common::frame::GapReason::Trimmed,
        cursor: cursor(8),
    }));
    stage.entries(vec![says(9, 2, "b")], true);
    assert_eq!(stage.texts(), ["a", "..2-8", "--", "b"]);
}

#[test]
fn what_a_page_cannot_reach_because_it_was_trimmed_is_a_gap() {
    let mut stage = Stage::new();
    stage.write(Write::Page {
        room: room(),
        items: vec![folded(says(50, 2, "late"), None)],
        from: 50,
        first: 21,
        skipped: 20,
        cursor: cursor(50),
    });
    assert_eq!(stage.texts(), ["..1-20", "..21-49", "late"]);
    let rows = stage.rows();
    let Row::Hole(HoleRow { hole, .. }) = rows[0] else { panic!("the gap comes first") };
    let trimmed = holdfast_common::frame::GapReason::Trimmed;
    assert_eq!((hole.count, hole.kind), (20, crate::link::HoleKind::Gap(trimmed)));
}
