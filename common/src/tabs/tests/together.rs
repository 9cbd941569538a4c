//! Some tabs of one browser, and what has become of them and their rows in the end.

use super::*;

#[test]
fn whatever_happens_one_tab_leads_with_every_row_and_all_show_what_the_database_holds() {
    for seed in 0..500 {
        let mut world = World::new(seed, true);
        world.open();
        world.open();
        for _ in 0..300 {
            world.step();
        }
        world.wake_all();
        world.settle(30_000);
        let leaders = world.leaders();
        assert_eq!(leaders.len(), 1, "seed {seed}");
        let fed = &world.tabs[leaders[0]].fed;
        for key in world.disk.rows.keys() {
            assert!(fed.contains(key), "seed {seed}: row {key} is nobody's");
        }
        for i in world.alive() {
            assert_eq!(world.tabs[i].view, world.disk.rows, "seed {seed}, tab {i}");
            assert!(world.tabs[i].tabs.unconfirmed.is_empty(), "seed {seed}");
        }
    }
}

#[test]
fn a_command_of_a_follower_is_kept_until_a_leader_has_committed_it() {
    let mut world = World::new(1, true);
    let (first, second, third) = (world.open(), world.open(), world.open());
    world.settle(1_000);
    assert_eq!(world.leaders(), [first]);
    world.feed(second, Input::Command(Command::RetryNow));
    world.close(first); // It has not heard of it.
    world.settle(1_000);
    assert_eq!(world.leaders(), [second]);
    assert_eq!(world.tabs[second].commands, [Command::RetryNow]);
    let room = RoomId::NIL;
    world.feed(third, Input::Command(Command::Join { room }));
    world.settle(5_000);
    assert_eq!(world.tabs[second].commands.last(), Some(&Command::Join { room }));
    assert_eq!(world.tabs[second].commands.len(), 2, "taken once");
}

#[test]
fn without_locks_the_later_tab_leads_and_an_earlier_one_takes_over_when_it_is_gone() {
    let mut world = World::new(1, false);
    let first = world.open();
    world.settle(1_000);
    assert_eq!(world.leaders(), [first]);
    let second = world.open();
    world.settle(1_000);
    assert_eq!(world.leaders(), [second]);
    world.close(second);
    world.settle(20_000);
    assert_eq!(world.leaders(), [first], "its rows do not wait for somebody to come back to it");
}

#[test]
fn a_leader_that_the_browser_has_suspended_is_replaced_when_somebody_wants_something() {
    let mut world = World::new(1, true);
    let (first, second) = (world.open(), world.open());
    world.settle(1_000);
    world.tabs[first].asleep = true;
    world.settle(60_000);
    assert!(world.leaders().is_empty(), "nobody wants anything");
    world.add(second, true);
    world.settle(10_000);
    assert_eq!(world.leaders(), [second]);
    assert_eq!(world.tabs[second].fed, [1]);
    world.tabs[first].asleep = false;
    world.settle(1_000);
    assert_eq!(world.leaders(), [second]);
    assert_eq!(world.tabs[first].view, world.disk.rows);
}

#[test]
fn a_row_that_the_leader_was_faster_with_is_not_shown_as_it_was() {
    let mut world = World::new(1, true);
    let (leader, follower) = (world.open(), world.open());
    world.settle(1_000);
    world.add(follower, true); // Committed, and the follower has not heard of it yet.
    let told = world.tabs[follower].results.pop_back();
    world.feed(leader, Input::Woke);
    world.settle(1_000);
    for _ in 0..2 {
        world.progress(leader); // Sent, then done with.
        world.settle(500);
    }
    assert!(world.disk.rows.is_empty());
    world.tabs[follower].results.extend(told);
    world.settle(1_000);
    assert_eq!(world.tabs[follower].view, world.disk.rows);
    assert_eq!(world.tabs[leader].view, world.disk.rows);
}
