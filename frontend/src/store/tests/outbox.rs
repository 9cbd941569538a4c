//! One's own events, from the outbox to the log.

use super::*;
use holdfast_common::{chat::RoomCreated, error::Code};

fn acked(offset: Offset) -> RowState {
    RowState::Acked { epoch: EPOCH, offset }
}

fn refused() -> RowState {
    RowState::Rejected { code: Code::TooLarge, detail: "This is too large.".into(), why: None }
}

#[test]
fn an_own_event_is_one_row_from_queued_to_its_entry() {
    let mut stage = Stage::new();
    for state in [RowState::Queued, RowState::Sent { n: 1 }, acked(1)] {
        stage.write(Write::PutRow(message(1, 1, "hello", state)));
        assert_eq!(stage.texts(), ["hello"]);
    }
    // The entry comes before the row goes, and the other way round.
    stage.live(vec![says(1, 1, "hello")]);
    assert_eq!(stage.texts(), ["hello"]);
    stage.write(Write::DeleteRow(1));
    assert_eq!(stage.texts(), ["hello"]);
    let row = entry_row(&stage.rows(), event(1)).clone();
    assert_eq!((row.offset, row.own, row.state), (Some(1), true, State::Acked));
}

#[test]
fn events_without_a_verdict_are_counted_as_waiting() {
    let mut stage = Stage::new();
    stage.write(Write::PutRow(message(1, 1, "a", RowState::Queued)));
    stage.write(Write::PutRow(message(2, 2, "b", RowState::Sent { n: 1 })));
    stage.write(Write::PutRow(message(3, 3, "c", RowState::Unsure)));
    stage.write(Write::PutRow(message(4, 4, "d", acked(9))));
    stage.write(Write::PutRow(message(5, 5, "e", refused())));
    assert_eq!(stage.store.outbox.waiting(), 3);
    let states: Vec<&str> =
        (1..=5).map(|n| entry_row(&stage.rows(), event(n)).state.name()).collect();
    assert_eq!(states, ["queued", "sent", "sent", "acked", "rejected"]);
}

#[test]
fn unconfirmed_events_stand_behind_the_log_in_the_order_they_were_written() {
    let mut stage = Stage::new();
    stage.write(Write::PutRow(message(1, 11, "first", RowState::Queued)));
    stage.write(Write::PutRow(message(2, 10, "second", RowState::Queued)));
    stage.live(vec![says(1, 2, "from elsewhere")]);
    assert_eq!(stage.texts(), ["from elsewhere", "first", "second"]);
}

#[test]
fn an_unconfirmed_edit_is_shown_in_its_target_with_its_own_state() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 1, "helo")]);
    let edit = Edit { target: event(1), text: "hello".into() };
    stage.write(Write::PutRow(row(1, 7, &edit, RowState::Queued)));
    assert_eq!(stage.texts(), ["hello"]);
    let rows = stage.rows();
    let shown = entry_row(&rows, event(1));
    assert_eq!(shown.state, State::Acked);
    let pending = shown.pending.as_ref().unwrap();
    assert_eq!((pending.id, &pending.state), (event(7), &State::Queued));
}

#[test]
fn a_refused_edit_leaves_its_target_alone_and_stands_for_itself() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 1, "helo")]);
    let edit = Edit { target: event(1), text: "hello".into() };
    stage.write(Write::PutRow(row(1, 7, &edit, refused())));
    assert_eq!(stage.texts(), ["helo", "edit hello"]);
    assert_eq!(entry_row(&stage.rows(), event(7)).state.name(), "rejected");
}

#[test]
fn an_unconfirmed_deletion_leaves_the_text_until_it_is_durable() {
    let mut stage = Stage::new();
    stage.live(vec![says(1, 1, "oops")]);
    let delete = Delete { target: event(1) };
    stage.write(Write::PutRow(row(1, 7, &delete, RowState::Sent { n: 1 })));
    assert_eq!(stage.texts(), ["oops"]);
    let rows = stage.rows();
    assert_eq!(entry_row(&rows, event(1)).pending.as_ref().unwrap().text, None);
    stage.live(vec![deletes(2, 1, 1)]);
    stage.write(Write::DeleteRow(1));
    assert_eq!(stage.texts(), ["deleted by Ada"]);
}

#[test]
fn a_change_whose_target_is_not_held_is_not_hidden() {
    let mut stage = Stage::new();
    let delete = Delete { target: event(1) };
    stage.write(Write::PutRow(row(1, 7, &delete, RowState::Queued)));
    assert_eq!(stage.texts(), ["deletion"]);
}

#[test]
fn a_room_made_here_is_listed_before_the_server_knows_it() {
    let mut stage = Stage::new();
    let created = RoomCreated { name: "plans".into() };
    let mut new = row(1, 1, &created, RowState::Queued);
    new.event.room = RoomId::from_bytes([3; 16]);
    let id = new.event.room;
    stage.write(Write::PutRow(new));
    let lines = stage.store.lines();
    assert_eq!(lines[1].name, "plans");
    assert!(lines[1].joined && lines[1].new);
    assert_eq!(stage.store.named("plans"), Some(id));
}

#[test]
fn a_name_belongs_to_the_room_the_server_knows_under_it() {
    let mut stage = Stage::new();
    let mine = RoomId::from_bytes([3; 16]);
    let mut new = row(1, 1, &RoomCreated { name: "plans".into() }, RowState::Queued);
    new.event.room = mine;
    stage.write(Write::PutRow(new));
    let theirs = RoomId::from_bytes([4; 16]);
    let taken = RoomInfo { room: theirs, name: "plans".into(), ..lobby(1) };
    let given = RoomInfo { room: mine, name: "plans-2".into(), ..lobby(1) };
    stage.write(Write::Room(taken));
    stage.write(Write::Room(given));
    assert_eq!(stage.store.named("plans"), Some(theirs));
    assert_eq!(stage.store.named("plans-2"), Some(mine));
}

#[test]
fn a_room_that_was_discarded_before_it_was_sent_is_no_longer_listed() {
    let mut stage = Stage::new();
    let mut new = row(1, 1, &RoomCreated { name: "plans".into() }, RowState::Queued);
    new.event.room = RoomId::from_bytes([3; 16]);
    stage.write(Write::PutRow(new));
    stage.write(Write::DeleteRow(1));
    assert_eq!(stage.store.lines().len(), 1);
    assert_eq!(stage.store.named("plans"), None);
}

#[test]
fn a_refused_event_is_counted_in_its_rooms_line() {
    let mut stage = Stage::new();
    stage.write(Write::PutRow(message(1, 1, "a", refused())));
    assert_eq!(stage.store.lines()[0].rejected, 1);
}
