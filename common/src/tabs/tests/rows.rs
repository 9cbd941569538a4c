//! How a leading tab comes to know of rows, and in which order it passes them on.

use super::*;

#[test]
fn a_row_is_not_looked_at_twice_at_once() {
    let mut world = World::new(1, true);
    let (leader, _) = (world.open(), world.open());
    world.settle(1_000);
    let hint = || Input::Heard(Word::Added { keys: vec![7] });
    let first = world.tabs[leader].tabs.handle(world.now, hint());
    assert!(matches!(&first[..], [Output::Fetch(keys)] if *keys == [7]));
    assert!(world.tabs[leader].tabs.handle(world.now, hint()).is_empty());
}

#[test]
fn a_row_whose_tab_is_gone_before_it_could_hint_at_it_is_looked_for_soon() {
    let mut world = World::new(1, true);
    let (leader, follower) = (world.open(), world.open());
    world.settle(20_000);
    let said = world.tabs[follower].tabs.handle(world.now, Input::Adding);
    let [Output::Say(word)] = &said[..] else { panic!("{said:?}") };
    let word = word.clone();
    let tabs = &mut world.tabs[leader].tabs;
    assert!(tabs.handle(world.now, Input::Adding).is_empty(), "what a leader adds it knows");
    assert!(tabs.handle(world.now, Input::Heard(word)).is_empty());
    let due = tabs.deadline().unwrap();
    assert!(due <= world.now + SOON, "{due:?}");
    assert!(matches!(tabs.handle(due, Input::Tick)[..], [Output::Sweep]));
    // Once, and not for ever.
    assert!(tabs.deadline().unwrap() > due + SOON);
}

#[test]
fn a_row_waits_for_those_in_front_of_it_that_another_tab_has_added() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    let out = tab.handle(now, Input::Added(vec![row(2)]));
    assert!(fed(&out).is_empty(), "there may be one in front of it");
    let [Output::Apply(shown), Output::Sweep] = &out[..] else { panic!("{out:?}") };
    assert!(matches!(&shown[..], [Write::PutRow(row)] if row.key == 2), "it is held: {shown:?}");
    let out = tab.handle(now, Input::Swept(vec![1, 2]));
    assert!(matches!(&out[..], [Output::Fetch(keys)] if *keys == [1]));
    let out = tab.handle(now, Input::Fetched { asked: vec![1], rows: vec![row(1)] });
    assert_eq!(fed(&out), [1, 2]);
    let out = tab.handle(now, Input::Added(vec![row(3)]));
    assert_eq!(fed(&out), [3], "it follows");
}
