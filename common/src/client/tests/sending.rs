//! Numbers and verdicts.

use super::*;

fn reject(n: u8) -> ServerFrame {
    ServerFrame::Reject(Reject {
        room: ROOM,
        n: n.into(),
        id: id(n),
        code: Code::NotMember,
        detail: String::new(),
        why: None,
    })
}

#[test]
fn a_number_leaves_only_when_it_is_on_the_disk_itself() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit();
    stage.hear(&ack(1));
    stage.commit_all();
    assert_eq!(stage.numbers(), [1]);
    stage.add(2);
    // This one's number has to wait for the next batch.
    stage.add(3);
    stage.commit();
    assert_eq!(stage.numbers(), [1, 2]);
    stage.commit();
    assert_eq!(stage.numbers(), [1, 2, 3]);
}

#[test]
fn a_verdict_that_is_being_written_is_kept_when_the_writer_is_replaced() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit();
    stage.hear(&reject(1));
    stage.feed(Input::Closed { code: Code::Fenced.number() });
    stage.feed(Input::NewWriter(WriterId::from_bytes([2; 16])));
    let writes = stage.commit_all();
    let states = writes.iter().filter_map(|write| match write {
        Write::PutRow(row) => Some(&row.state),
        _ => None,
    });
    let states: Vec<_> = states.collect();
    assert!(matches!(states[..], [RowState::Rejected { .. }]), "{states:?}");
    stage.sent.clear();
    stage.welcome();
    stage.commit_all();
    assert!(stage.numbers().is_empty());
}

#[test]
fn a_verdict_of_an_earlier_connection_says_nothing_about_how_far_this_one_has_decided() {
    let mut stage = Stage::online();
    for key in 1..=3 {
        stage.add(key);
    }
    stage.commit_all();
    // One alone goes first, and its verdict is being written when the connection is lost.
    assert_eq!(stage.numbers(), [1]);
    stage.hear(&ack(1));
    let settled = stage.batch.take().unwrap();
    stage.feed(Input::Closed { code: 0 });
    stage.feed(Input::Command(Command::RetryNow));
    stage.feed(Input::Written { token: settled.token, result: Ok(()) });
    stage.commit_all();
    stage.sent.clear();
    stage.welcome();
    assert_eq!(stage.numbers(), [2]);
}

#[test]
fn nothing_goes_behind_a_held_number_before_the_floor_says_that_it_is_settled() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    stage.add(2);
    stage.add(3);
    stage.commit_all();
    assert_eq!(stage.numbers(), [1, 2, 3]);
    stage.hear(&ack(2));
    let (code, after) = (Code::TooFast, Millis(0));
    stage.hear(&ServerFrame::Retry(Retry { room: ROOM, n: 2, code, after }));
    stage.feed(Input::Tick);
    assert_eq!(stage.numbers(), [1, 2, 3], "its floor would not reach the held number");
    stage.commit_all();
    stage.feed(Input::Tick);
    assert_eq!(stage.numbers(), [1, 2, 3, 3]);
}

#[test]
fn what_is_behind_an_expected_number_that_has_left_goes_once_the_floor_has_passed_it() {
    let mut stage = Stage::online();
    stage.add(1);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    stage.add(2);
    stage.add(3);
    stage.add(4);
    stage.commit_all();
    stage.hear(&ack(3));
    stage.commit_all();
    // Set back to before all of them, the server has the second only because it came again.
    stage.hear(&ack(2));
    stage.hear(&ServerFrame::Expected(Settled { room: ROOM, n: 3 }));
    assert_eq!(stage.numbers(), [1, 2, 3, 4], "its floor would not reach the expected number");
    stage.commit_all();
    assert_eq!(stage.numbers(), [1, 2, 3, 4, 4]);
}

#[test]
fn a_long_backlog_in_one_room_does_not_hold_another_one_back() {
    let other = RoomId::from_bytes([9; 16]);
    let mut stage = Stage::online();
    for key in 1..=200 {
        stage.add(key);
    }
    stage.add_to(other, 201);
    stage.commit_all();
    stage.hear(&ack(1));
    stage.commit_all();
    assert!(stage.emits().contains(&(other, 1)), "{:?}", stage.emits());
    assert!(stage.client.pending() > 100, "the backlog is not done");
}

#[test]
fn nothing_goes_behind_a_number_that_is_decided_before_its_verdict_shows_whose_it_was() {
    let mut stage = Stage::online();
    for key in 1..=3 {
        stage.add(key);
    }
    stage.commit_all();
    assert_eq!(stage.numbers(), [1]);
    stage.lose_the_line();
    stage.welcome_with(vec![LaneWatermark { room: ROOM, watermark: 2, lost: false }]);
    stage.hear(&ack(1));
    stage.commit_all();
    assert!(stage.numbers().is_empty(), "the verdict of 2 may be another event's");
    stage.hear(&ack(2));
    stage.commit_all();
    assert_eq!(stage.numbers(), [3]);
}
