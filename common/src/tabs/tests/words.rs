//! What tabs say to each other.

use super::*;

#[test]
fn a_tab_that_comes_later_is_told_how_things_stand() {
    let mut world = World::new(1, true);
    let first = world.open();
    world.settle(1_000);
    let welcome = |now| Show::Welcome { limits: Limits::default(), now: Timestamp(now) };
    world.feed(first, Input::Show(welcome(5_000_000)));
    world.feed(first, Input::Show(Show::Link(Link::Online)));
    world.now = world.now + Millis(3_600_000);
    let mut late = Tabs::new(9, true);
    late.handle(world.now, Input::Start);
    let answer = world.tabs[first].tabs.handle(world.now, Input::Heard(Word::Hello));
    let Some(Output::Say(word)) = answer.first() else { panic!("{answer:?}") };
    let shown = late.handle(world.now, Input::Heard(word.clone()));
    let [Output::Show(Show::Welcome { now, .. }), Output::Show(Show::Link(Link::Online))] =
        &shown[..]
    else {
        panic!("{shown:?}")
    };
    assert_eq!(*now, Timestamp(8_600_000), "the server's clock has gone on since its welcome");
}

#[test]
fn words_survive_the_channel() {
    let place = Place { run: run(1), batch: 2, extra: 3 };
    let room = RoomId::NIL;
    let writes = vec![
        Write::PutRow(row(1)),
        Write::DeleteRow(2),
        Write::Name("a \"name\"\n".to_owned()),
        Write::DeleteLatest { room, kind: "read".to_owned(), rank: u64::MAX },
    ];
    let blocked = Link::Blocked { why: None, storage: true, full: true };
    let shows = vec![Show::Live(room), Show::Link(blocked)];
    let command = Command::History { room, before: Some(7), limit: 9 };
    for word in [
        Word::Hello,
        Word::Leads { place, shows },
        Word::Batch { place, writes },
        Word::Rows { place, rows: vec![row(1), row(2)] },
        Word::Added { keys: Vec::new() },
        Word::Ask { tab: 1, n: 2, command: command.clone() },
        Word::Ask { tab: 1, n: 3, command: Command::RetryNow },
        Word::Beat,
    ] {
        let text = word.write();
        let read = Word::read(&text).unwrap_or_else(|| panic!("unreadable: {text}"));
        assert_eq!(format!("{read:?}"), format!("{word:?}"));
    }
    for text in ["", "[]", "[99]", "[6,1]", "{}", "[1,[],[[3]]]"] {
        assert!(Word::read(text).is_none(), "{text}");
    }
}

#[test]
fn a_word_of_an_earlier_leader_is_not_followed_over_what_was_read() {
    let now = Instant(1_000);
    let mut tab = Tabs::new(1, true);
    tab.handle(now, Input::Start);
    let old = |batch| Place { run: run(3), batch, extra: 0 };
    tab.handle(now, Input::Heard(Word::Leads { place: old(0), shows: Vec::new() }));
    let writes = vec![Write::PutRow(row(1))];
    tab.handle(now, Input::Heard(Word::Batch { place: old(1), writes }));
    let read = || {
        let (last, keys) = (Some((run(4), 7)), Vec::new());
        Input::Loaded { last, keys, ready: true, run: run(5) }
    };
    // The read that was under way when the leader began does not count.
    tab.handle(now, read());
    tab.handle(now, Input::Heard(Word::Leads { place: old(0), shows: Vec::new() }));
    let writes = vec![Write::PutRow(row(1))];
    tab.handle(now, Input::Heard(Word::Batch { place: old(1), writes }));
    let out = tab.handle(now, read());
    assert!(!out.iter().any(|it| matches!(it, Output::Apply(_))), "{out:?}");
}
