//! Hello and welcome.

use super::*;

#[test]
fn a_name_or_secret_out_of_bounds_is_refused_before_the_engine_is_asked() {
    for bad in [
        Hello { name: "  ".to_owned(), ..hello() },
        Hello { name: "\u{7}\u{202e}".to_owned(), ..hello() },
        Hello { secret: "short".to_owned(), ..hello() },
        Hello { generation: 0, ..hello() },
    ] {
        let out = frame(&mut fresh(), &codec::write_client(&ClientFrame::Hello(bad)));
        assert_eq!(closed(&out), Some(Code::BadFrame));
        assert!(!out.iter().any(|output| matches!(output, Output::Greet(_))));
    }
}

#[test]
fn a_hello_may_name_more_rooms_than_one_may_join_by_now_but_not_any_number() {
    let cursor = Cursor { epoch: Epoch::NIL, offset: 1, mark: Mark::START };
    let known = |n: u32| {
        let mut id = [0; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        RoomCursor { room: RoomId::from_bytes(id), cursor }
    };
    let mut session = fresh();
    session.limits.rooms = 1;
    let mut n = 0;
    let mut chunk = |more| {
        let rooms = (n..n + 512).map(known).collect();
        n += 512;
        codec::write_client(&ClientFrame::Hello(Hello { rooms, more, ..hello() }))
    };
    assert_eq!(closed(&frame(&mut session, &chunk(true))), None);
    let greets = |out: &[Output<String>]| out.iter().any(|it| matches!(it, Output::Greet(_)));
    assert!(greets(&frame(&mut session, &chunk(false))));
    let mut session = fresh();
    let ended = (0..=MOST_ROOMS / 512).find_map(|_| closed(&frame(&mut session, &chunk(true))));
    assert_eq!(ended, Some(Code::OverLimit));
}

#[test]
fn a_name_is_cut_to_what_belongs_in_a_label() {
    let name = format!(" A\u{7}d\u{202e}a {}", "x".repeat(100));
    let out =
        frame(&mut fresh(), &codec::write_client(&ClientFrame::Hello(Hello { name, ..hello() })));
    let greeted = out.iter().find_map(|output| match output {
        Output::Greet(hello) => Some(hello.name.as_str()),
        _ => None,
    });
    assert_eq!(greeted, Some(format!("Ada {}", "x".repeat(76)).as_str()));
}

#[test]
fn what_the_hub_has_for_a_connection_waits_there_during_the_greeting() {
    let mut session = fresh();
    assert!(session.listens());
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello())));
    assert!(!session.listens(), "it would be told before the welcome, or not at all");
    greeted(&mut session, info(ROOM, false));
    assert!(session.listens());
    let told = session.handle(Instant(1), Input::Pass("a register".to_owned()));
    assert_eq!(sent(&told), "a register");
}

#[test]
fn what_one_is_no_member_of_is_told_before_anything_of_a_room() {
    let rooms = [1, 2, 3, 4].map(|n| RoomId::from_bytes([n; 16]));
    let cursor = Cursor { epoch: Epoch::NIL, offset: 1, mark: Mark::START };
    let known = rooms.map(|room| RoomCursor { room, cursor }).to_vec();
    let mut session = fresh();
    let hello = Hello { rooms: known, ..hello() };
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello)));
    // The server has lost an entry of the first and the third; the second is another's, the fourth gone.
    let states = [(rooms[0], true), (rooms[1], false), (rooms[2], true)].map(|(room, joined)| {
        let info = RoomInfo { joined, ..info(room, false) };
        RoomState { info, mark_at: None, missed_since: None }
    });
    let resume = Resume { rooms: states.to_vec(), ..Resume::default() };
    let result = Ok(Greeted::Welcome(resume));
    let out = session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result });
    let text = sent(&out);
    let told = text.lines().filter_map(|line| line.split('"').nth(1));
    let told: Vec<&str> =
        told.filter(|name| !["live", "rooms", "welcome"].contains(name)).collect();
    assert_eq!(told, ["left", "left", "reset", "reset"]);
    let left = out.iter().position(|it| matches!(it, Output::Follow(_)));
    let first = out
        .iter()
        .rposition(|it| matches!(it, Output::Send(text) if text.starts_with("{\"left\"")));
    assert!(first < left, "nor does anybody's presence come before");
}

#[test]
fn a_room_of_which_the_greeting_brings_an_ack_alone_is_said_to_be_left() {
    let room = RoomId::from_bytes([7; 16]);
    let told = sent(&with_verdicts(&[room], 1));
    let (ack, left) = (told.find("\"ack\"").unwrap(), told.find("\"left\"").unwrap());
    assert!(ack < left, "{told}");
}

/// A greeting of these lanes with so many verdicts each.
fn with_verdicts(rooms: &[RoomId], each: u64) -> Vec<Output<String>> {
    let states = rooms.iter().map(|room| LaneState { room: *room, floor: 0, next: each + 1 });
    let hello = Hello { lanes: states.collect(), ..hello() };
    let mut session = fresh();
    frame(&mut session, &codec::write_client(&ClientFrame::Hello(hello)));
    let marks =
        rooms.iter().map(|room| LaneWatermark { room: *room, watermark: each, lost: false });
    let ack = Verdict::Ack { id: EventId::NIL, epoch: Epoch::NIL, offset: 1, reply: "null".into() };
    let verdicts = rooms.iter().flat_map(|room| (1..=each).map(|n| (*room, n, ack.clone())));
    let (lanes, verdicts) = (marks.collect(), verdicts.collect());
    let result = Ok(Greeted::Welcome(Resume { lanes, verdicts, ..Resume::default() }));
    session.handle(Instant(1), Input::Greeted { now: Timestamp(0), result })
}

/// What becomes of a greeting of so many lanes with so many verdicts each.
fn of_verdicts(lanes: u8, each: u64) -> Option<Code> {
    let rooms: Vec<RoomId> = (1..=lanes).map(|n| RoomId::from_bytes([n; 16])).collect();
    closed(&with_verdicts(&rooms, each))
}

#[test]
fn a_greeting_brings_so_many_verdicts_and_no_more() {
    let each = MOST_VERDICTS as u64 / 16;
    assert_eq!(of_verdicts(16, each), None);
    assert_eq!(of_verdicts(17, each), Some(Code::OverLimit));
}

#[test]
fn of_a_hello_that_goes_on_it_is_known_until_it_ends() {
    let mut session = fresh();
    assert!(!session.continues(), "nothing was said");
    for more in [true, true, false] {
        let part = Hello { more, ..hello() };
        frame(&mut session, &codec::write_client(&ClientFrame::Hello(part)));
        assert_eq!(session.continues(), more);
    }
}
