//! Events that may have been transmitted.

use super::*;

/// A client that was fenced while so many events were waiting or under way, and is told that the log has
/// none of them.
fn asked_in_vain(events: u8) -> Stage {
    let mut stage = Stage::online();
    for key in 1..=events {
        stage.add(key);
    }
    stage.commit_all();
    stage.feed(Input::Closed { code: Code::Fenced.number() });
    stage.feed(Input::NewWriter(WriterId::from_bytes([2; 16])));
    stage.commit_all();
    stage.sent.clear();
    stage.welcome();
    stage.commit_all();
    let (req, epoch) = (stage.question().req, Epoch::NIL);
    assert!(stage.numbers().is_empty());
    stage.hear(&ServerFrame::Found(Found { req, room: ROOM, epoch, found: Vec::new() }));
    stage
}

#[test]
fn what_was_asked_about_and_not_found_goes_out_as_it_was_and_is_nobodys_to_change() {
    let most = u8::try_from(Limits::default().window).unwrap() + 2;
    let mut stage = asked_in_vain(most);
    // The last ones still wait for their numbers; what another copy has sent of them may come yet.
    let (revised, discarded) = (id(most - 1), id(most));
    stage.feed(Input::Command(Command::Revise { id: revised, data: "{\"new\":1}".to_owned() }));
    stage.feed(Input::Command(Command::Discard { id: discarded }));
    let mut writes = stage.commit_all();
    for n in 1..=most {
        stage.hear(&ack(n));
        writes.extend(stage.commit_all());
    }
    assert_eq!(stage.numbers(), (1..=most.into()).collect::<Vec<u64>>());
    for write in writes {
        match write {
            Write::PutRow(row) => {
                assert_eq!(row.event.data, "{}");
                assert_ne!(row.state, RowState::Queued);
            }
            write => assert!(!matches!(write, Write::DeleteRow(_)), "{write:?}"),
        }
    }
}

#[test]
fn what_may_have_been_transmitted_and_is_too_large_by_now_gets_its_verdict_from_the_server() {
    let mut stage = Stage::online();
    let large = "x".repeat(Limits::default().payload_bytes as usize + 1);
    let mut row = held(ROOM, 1);
    (row.event.data, row.state) = (large, RowState::Unsure);
    stage.feed(Input::Added(row));
    let (req, epoch) = (stage.question().req, Epoch::NIL);
    stage.hear(&ServerFrame::Found(Found { req, room: ROOM, epoch, found: Vec::new() }));
    stage.commit_all();
    assert_eq!(stage.numbers(), [1]);
    assert!(stage.sent.last().unwrap().ends_with('\n'), "without its payload");
}
