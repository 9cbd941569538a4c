//! A room's entries, live and from its log.

use super::*;

#[test]
fn a_live_entry_goes_out_once_and_only_in_its_turn() {
    let mut session = ready();
    let live = |session: &mut Session<String>, offset| {
        let bytes = format!("entry {offset}");
        session.handle(Instant(1), Input::Live { room: ROOM, offset, bytes })
    };
    assert_eq!(sent(&live(&mut session, 1)), "entry 1");
    assert_eq!(sent(&live(&mut session, 1)), "");
    session.handle(Instant(1), Input::Flushed);
    let out = live(&mut session, 3);
    assert!(out.iter().any(|output| matches!(output, Output::Slice { after: 1, .. })));
    assert_eq!(sent(&out), "");
}

#[test]
fn an_entry_that_was_published_between_the_snapshot_and_the_following_is_read_from_the_log() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    let out = greeted(&mut session, info(ROOM, false));
    assert!(!sent(&out).contains("{\"live\""), "it may not be so: {}", sent(&out));
    session.handle(Instant(1), Input::Flushed);
    let out = session.handle(Instant(1), Input::Head { room: ROOM, offset: 1 });
    assert!(matches!(out[..], [Output::Slice { room: ROOM, after: 0 }]), "{out:?}");
}

#[test]
fn a_resume_that_misses_nothing_reads_no_log() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    greeted(&mut session, info(ROOM, false));
    let out = session.handle(Instant(1), Input::Head { room: ROOM, offset: 0 });
    assert!(sent(&out).starts_with("{\"live\""), "{out:?}");
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}

#[test]
fn no_second_read_of_a_log_begins_before_the_first_has_left() {
    let mut session = ready();
    session.handle(Instant(1), Input::Flushed);
    let behind = session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    assert!(behind.iter().any(|output| matches!(output, Output::Slice { .. })));
    let again = session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    assert!(again.is_empty());
}

#[test]
fn pages_in_place_of_replays_are_read_one_after_the_other_as_they_leave() {
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    let long = |n| {
        let mut info = info(RoomId::from_bytes([n; 16]), false);
        info.head.offset = 1_000;
        RoomState { info, mark_at: None, missed_since: None }
    };
    let resume = Resume { rooms: (1..=3).map(long).collect(), ..Resume::default() };
    let heads = resume.rooms.iter().map(|state| (state.info.room, state.info.head));
    let heads: Vec<(RoomId, Head)> = heads.collect();
    let result = Ok(Greeted::Welcome(resume));
    let mut out = session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result });
    for (room, _) in &heads {
        out.extend(session.handle(Instant(1), Input::Head { room: *room, offset: 1_000 }));
    }
    let asked = |out: &[Output<String>]| -> Vec<RoomId> {
        let pages = out.iter().filter_map(|it| match it {
            Output::Page { req: None, room, .. } => Some(*room),
            _ => None,
        });
        pages.collect()
    };
    assert!(asked(&out).is_empty(), "the welcome has not left yet");
    for (room, head) in heads {
        let out = session.handle(Instant(1), Input::Flushed);
        assert_eq!(asked(&out), [room]);
        let folds = Folds { head, from: 900, to: 1_000, skipped: 0, items: Vec::new() };
        let result = Ok(Some(folds));
        let out = session.handle(Instant(1), Input::Paged { req: None, room, result });
        assert!(sent(&out).contains("{\"page\"") && sent(&out).contains("{\"live\""));
        assert!(asked(&out).is_empty(), "the page has not left yet");
    }
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}

#[test]
fn a_late_slice_of_an_earlier_membership_is_not_told_in_the_next_one() {
    let mut session = ready();
    for offset in 1..=2 {
        let bytes = format!("entry {offset}");
        session.handle(Instant(1), Input::Live { room: ROOM, offset, bytes });
    }
    session.handle(Instant(1), Input::Flushed);
    let out = session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    assert!(matches!(out[..], [Output::Slice { after: 2, .. }]));
    session.handle(Instant(1), Input::NotMember(ROOM));
    let mut again = info(ROOM, false);
    again.head.offset = 3;
    session.handle(Instant(1), Input::Member(again.clone()));
    session.handle(Instant(1), Input::Head { room: ROOM, offset: 3 });
    let slice = Slice {
        head: again.head,
        entries: vec![(3, "\"the third\"".to_owned())],
        trimmed_mark: None,
    };
    let late = Input::Sliced { room: ROOM, after: 2, result: Ok(Some(slice)) };
    let mut out = session.handle(Instant(1), late);
    assert_eq!(sent(&out), "", "the first two are missing");
    out.extend(session.handle(Instant(1), Input::Flushed));
    assert!(out.iter().any(|it| matches!(it, Output::Slice { after: 0, .. })), "{out:?}");
}

#[test]
fn a_note_about_entries_that_were_sent_already_costs_one_read_and_no_more() {
    let mut session = ready();
    session.handle(Instant(1), Input::Flushed);
    session.handle(Instant(1), Input::Note(Note::Behind(ROOM)));
    let head = Head { epoch: Epoch::NIL, offset: 0, mark: Mark::START, first: 1 };
    let slice = Slice { head, entries: Vec::new(), trimmed_mark: None };
    session.handle(Instant(1), Input::Sliced { room: ROOM, after: 0, result: Ok(Some(slice)) });
    assert!(session.handle(Instant(1), Input::Flushed).is_empty());
}
