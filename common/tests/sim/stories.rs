mod set_back;

use crate::world::{LOBBY, World};
use holdfast_common::{
    chat::{Delete, Edit, Message, RoomCreated},
    client::{Command, Held, Input, Link, RowState, Show},
    error::Code,
    id::RoomId,
    limits::Limits,
    storage::Fault,
    time::Timestamp,
};

fn message(text: &str) -> String {
    serde_json::to_string(&Message { text: text.to_owned() }).expect("a message is JSON")
}

fn link(world: &World, i: usize) -> Link {
    let links = world.nodes[i].shown.iter().rev();
    let mut links = links.filter_map(|show| match show {
        Show::Link(link) => Some(*link),
        _ => None,
    });
    links.next().expect("a link state was shown")
}

#[test]
fn two_people_talk_and_both_have_every_entry_once_in_one_order() {
    let mut world = World::new(2);
    let mut said = Vec::new();
    for i in 0..20 {
        said.push(world.say(i % 2, &format!("{i}")));
        world.settle();
        world.check();
    }
    for node in &world.nodes {
        assert_eq!(node.ids(LOBBY), said);
        assert!(node.database.rows.is_empty());
    }
}

#[test]
fn what_is_written_offline_is_there_once_and_in_order_when_the_tab_was_closed_meanwhile() {
    let mut world = World::new(2);
    world.crash_client(0);
    world.start(0);
    world.cut(0);
    let said: Vec<_> = (0..20).map(|i| world.say(0, &format!("{i}"))).collect();
    world.crash_client(0);
    assert_eq!(world.nodes[0].database.outbox().len(), 20);
    world.start(0);
    world.settle();
    assert_eq!(world.nodes[1].ids(LOBBY), said);
    assert_eq!(world.nodes[0].ids(LOBBY), said);
    assert!(world.nodes[0].database.rows.is_empty());
    world.check();
}

#[test]
fn a_reader_who_was_away_for_fifty_events_gets_them_marked_as_missed_and_then_is_live() {
    let mut world = World::new(2);
    world.cut(1);
    for i in 0..50 {
        world.say(0, &format!("{i}"));
        world.settle();
    }
    world.nodes[1].shown.clear();
    world.wait(60_000);
    assert_eq!(world.nodes[1].ids(LOBBY).len(), 50);
    assert!(world.nodes[1].shown.iter().any(|show| matches!(show, Show::Live(LOBBY))));
    world.check();
}

#[test]
fn an_append_whose_ack_was_lost_with_the_server_is_acked_again_and_stands_once() {
    let mut world = World::new(2);
    world.server.trouble.mute = true;
    let id = world.say(0, "hello");
    world.settle();
    assert_eq!(world.server.trouble.muted, 1);
    world.server.trouble.mute = false;
    world.crash_server();
    world.wait(60_000);
    assert_eq!(world.server.engine.disk.log(LOBBY).len(), 1);
    assert_eq!(world.nodes[1].ids(LOBBY), vec![id]);
    assert!(world.nodes[0].database.rows.is_empty());
    world.check();
}

#[test]
fn a_swallowed_ack_costs_nothing_but_a_reconnect() {
    let mut world = World::new(1);
    world.swallow = Some("{\"ack\"");
    world.say(0, "hello");
    world.settle();
    assert_eq!(world.swallowed, 1);
    world.cut(0);
    world.wait(60_000);
    assert_eq!(world.server.engine.disk.log(LOBBY).len(), 1);
    assert!(world.nodes[0].database.rows.is_empty());
}

#[test]
fn a_rejected_event_goes_to_the_shelf_and_does_not_block_the_next() {
    let mut world = World::new(2);
    world.say(0, "");
    let next = world.say(0, "next");
    world.settle();
    assert_eq!(world.nodes[1].ids(LOBBY), vec![next]);
    let outbox = world.nodes[0].database.outbox();
    assert_eq!(outbox.len(), 1);
    assert!(matches!(outbox[0].1, RowState::Rejected { code: Code::Refused, .. }));
}

#[test]
fn a_payload_too_large_or_of_another_form_costs_its_event_alone() {
    let mut world = World::with(2, Limits { payload_bytes: 200, ..Limits::default() });
    world.say(0, &"x".repeat(300));
    let id = world.id();
    let row = world.nodes[0].database.add(Held {
        id,
        ns: "chat".to_owned(),
        room: LOBBY,
        kind: "message".to_owned(),
        data: "no JSON at all\n{".to_owned(),
        target: None,
        at: Timestamp(0),
    });
    world.feed(0, Input::Added(row));
    let good = world.say(0, "good");
    world.settle();
    assert_eq!(world.nodes[1].ids(LOBBY), vec![good]);
    let codes: Vec<_> =
        world.nodes[0].database.outbox().iter().map(|(_, state)| (*state).clone()).collect();
    assert!(matches!(codes[0], RowState::Rejected { code: Code::TooLarge, .. }));
    assert!(matches!(codes[1], RowState::Rejected { code: Code::BadPayload, .. }));
    assert_eq!(link(&world, 0), Link::Online);
}

#[test]
fn a_room_made_offline_arrives_with_its_messages_behind_it() {
    let mut world = World::new(1);
    world.cut(0);
    let room = RoomId::from_bytes([77; 16]);
    world.emit(0, room, &RoomCreated { name: "plans".to_owned() });
    for text in ["one", "two", "three"] {
        world.emit(0, room, &Message { text: text.to_owned() });
    }
    world.wait(60_000);
    assert_eq!(world.server.engine.disk.log(room).len(), 4);
    assert_eq!(world.texts(room)[1..], [message("one"), message("two"), message("three")]);
    assert_eq!(world.nodes[0].ids(room).len(), 4);
    assert!(world.nodes[0].database.rows.is_empty());
}

#[test]
fn an_unsent_event_can_be_changed_and_another_dropped() {
    let mut world = World::new(1);
    world.cut(0);
    let first = world.say(0, "tpyo");
    let second = world.say(0, "never mind");
    world.command(0, Command::Revise { id: first, data: message("typo") });
    world.command(0, Command::Discard { id: second });
    world.wait(60_000);
    assert_eq!(world.texts(LOBBY), vec![message("typo")]);
}

#[test]
fn a_transmitted_event_can_no_longer_be_changed_or_dropped() {
    let mut world = World::new(1);
    world.server.trouble.mute = true;
    let id = world.say(0, "sent");
    world.settle();
    world.command(0, Command::Discard { id });
    world.command(0, Command::Revise { id, data: message("other") });
    world.server.trouble.mute = false;
    world.cut(0);
    world.wait(60_000);
    assert_eq!(world.texts(LOBBY), vec![message("sent")]);
}

#[test]
fn a_dead_connection_without_a_close_is_found_within_thirty_seconds_and_within_ten_after_waking() {
    let mut world = World::new(2);
    world.blackhole(0);
    world.say(0, "into the void");
    world.wait(30_000);
    world.wait(2_000);
    assert_eq!(world.server.engine.disk.log(LOBBY).len(), 1);
    world.blackhole(0);
    let lost = world.say(0, "again");
    world.feed(0, Input::Woke);
    world.wait(10_000);
    assert_eq!(world.nodes[1].ids(LOBBY).last(), Some(&lost));
    world.check();
}

#[test]
fn a_storage_fault_makes_the_lane_wait_and_loses_neither_event_nor_order() {
    let mut world = World::new(2);
    world.server.trouble.refuse = Some(Fault::Full);
    for i in 0..10 {
        world.say(0, &format!("{i}"));
    }
    world.wait(5_000);
    assert!(world.server.engine.disk.log(LOBBY).is_empty());
    world.server.trouble.refuse = None;
    world.wait(5_000);
    let texts: Vec<_> = (0..10).map(|i| message(&format!("{i}"))).collect();
    assert_eq!(world.texts(LOBBY), texts);
    assert_eq!(link(&world, 0), Link::Online);
    world.check();
}

#[test]
fn emits_above_the_rate_wait_and_none_is_lost() {
    let mut world = World::with(2, Limits { emits_per_second: 5, ..Limits::default() });
    for i in 0..40 {
        world.say(0, &format!("{i}"));
    }
    world.settle();
    assert!(world.server.engine.disk.log(LOBBY).len() < 40);
    world.wait(20_000);
    let texts: Vec<_> = (0..40).map(|i| message(&format!("{i}"))).collect();
    assert_eq!(world.texts(LOBBY), texts);
}

#[test]
fn past_the_replay_limit_a_page_comes_and_says_so() {
    let limits = Limits { replay_events: 10, page: 5, ..Limits::default() };
    let mut world = World::with(2, limits);
    world.say(0, "first");
    world.settle();
    world.cut(1);
    for i in 0..30 {
        world.say(0, &format!("{i}"));
        world.settle();
    }
    world.wait(60_000);
    assert_eq!(world.nodes[1].database.told, vec!["page from 27"]);
    assert_eq!(world.nodes[1].database.cursors[&LOBBY].offset, 31);
    let live = world.say(0, "live");
    world.settle();
    assert_eq!(world.nodes[1].ids(LOBBY).last(), Some(&live));
}

#[test]
fn a_trimmed_part_is_a_gap_with_its_count() {
    let mut world = World::new(2);
    world.say(0, "first");
    world.settle();
    world.cut(1);
    for i in 0..10 {
        world.say(0, &format!("{i}"));
    }
    world.settle();
    world.server.engine.disk.trim(LOBBY, 8);
    world.wait(60_000);
    assert_eq!(world.nodes[1].database.told, vec!["gap Trimmed of 6"]);
    assert_eq!(world.nodes[1].database.cursors[&LOBBY].offset, 11);
}

#[test]
fn a_newer_connection_of_the_same_session_takes_over() {
    let mut world = World::new(2);
    world.blackhole(0);
    world.command(0, Command::RetryNow);
    world.wait(6_000);
    world.say(0, "back");
    world.settle();
    assert_eq!(world.server.engine.disk.log(LOBBY).len(), 1);
}

#[test]
fn an_edit_and_a_deletion_reach_a_reader_who_was_away_and_the_content_is_gone() {
    let mut world = World::new(2);
    let kept = world.say(0, "kept");
    let taken = world.say(0, "a secret");
    world.settle();
    world.cut(1);
    world.emit(0, LOBBY, &Edit { target: kept, text: "better".to_owned() });
    world.emit(0, LOBBY, &Delete { target: taken });
    world.wait(60_000);
    assert_eq!(world.nodes[1].ids(LOBBY).len(), 4);
    assert!(!world.texts(LOBBY).iter().any(|text| text.contains("secret")));
    world.check();
}

#[test]
fn more_entries_than_a_queue_holds_are_read_from_the_log_instead() {
    let mut world = World::new(2);
    for i in 0..500 {
        world.say(0, &format!("{i}"));
    }
    world.wait(10_000);
    assert_eq!(world.nodes[1].ids(LOBBY).len(), 500);
    world.check();
}

#[test]
fn no_bytes_of_an_event_leave_before_its_number_is_on_disk() {
    let mut world = World::new(1);
    world.say(0, "hello");
    world.settle();
    let emit = world.sent[0].iter().position(|text| text.starts_with("{\"emit\""));
    assert!(emit.is_some());
    assert_eq!(world.nodes[0].database.lanes[&LOBBY], 2);
}

#[test]
fn what_came_before_a_first_visit_was_not_missed_and_what_came_while_away_was() {
    let mut world = World::new(1);
    world.say(0, "old");
    world.settle();
    assert!(world.nodes[0].database.missed.is_empty());
    world.cut(0);
    world.disk_says("while away");
    world.wait(60_000);
    assert_eq!(world.nodes[0].database.missed.len(), 1);
}

#[test]
fn a_server_frame_of_a_newer_version_is_passed_over() {
    let mut world = World::new(1);
    world.feed(0, Input::Frame("{\"novelty\":{\"x\":1}}".to_owned()));
    world.feed(0, Input::Frame("{\"reject\":{\"room\":\"00000000-0000-0000-0000-000000000000\",\"n\":9,\"id\":\"00000000-0000-0000-0000-000000000000\",\"code\":\"novel\",\"detail\":\"\"}}".to_owned()));
    assert_eq!(link(&world, 0), Link::Online);
}

#[test]
fn who_is_sent_away_by_a_full_disk_is_shown_so_and_comes_again_by_itself() {
    let mut world = World::new(1);
    let code = Code::StorageFull.close_number().expect("a greeting may end with it");
    world.feed(0, Input::Closed { code });
    assert!(matches!(link(&world, 0), Link::Offline { why: Some(Code::StorageFull), .. }));
    world.wait(60_000);
    assert_eq!(link(&world, 0), Link::Online);
}
