//! A database that cannot be read.

use super::*;

#[test]
fn a_sweep_that_fails_says_nothing_and_comes_again_soon() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    let out = tab.handle(now, Input::Added(vec![row(2)]));
    assert!(matches!(out[..], [Output::Apply(_), Output::Sweep]));
    assert!(tab.handle(now, Input::NotSwept).is_empty(), "there may still be one in front of it");
    let due = tab.deadline().unwrap();
    assert_eq!(due, now + SOON, "also where no other tab is there");
    assert!(matches!(tab.handle(due, Input::Tick)[..], [Output::Sweep]));
    let out = tab.handle(due, Input::Swept(vec![1, 2]));
    assert!(matches!(&out[..], [Output::Fetch(keys)] if *keys == [1]));
    assert_eq!(tab.deadline(), None, "once, and not for ever");
}

#[test]
fn of_two_sweeps_of_which_one_fails_the_other_says_no_more_than_it_has_seen() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    for key in [2, 4] {
        let out = tab.handle(now, Input::Added(vec![row(key)]));
        assert!(matches!(out[..], [Output::Apply(_), Output::Sweep]));
    }
    tab.handle(now, Input::NotSwept);
    let out = tab.handle(now, Input::Swept(vec![1, 2]));
    assert!(matches!(&out[..], [Output::Fetch(keys), Output::Sweep] if *keys == [1]), "{out:?}");
    let out = tab.handle(now, Input::Fetched { asked: vec![1], rows: vec![row(1)] });
    assert_eq!(fed(&out), [1, 2], "nobody has looked for what is in front of the fourth");
    let out = tab.handle(now, Input::Swept(vec![1, 2, 3, 4]));
    assert!(matches!(&out[..], [Output::Fetch(keys)] if *keys == [3]));
    let out = tab.handle(now, Input::Fetched { asked: vec![3], rows: vec![row(3)] });
    assert_eq!(fed(&out), [3, 4]);
}

#[test]
fn a_row_that_could_not_be_read_is_not_overtaken_and_is_read_again_soon() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    tab.handle(now, Input::Heard(Word::Added { keys: vec![1] }));
    assert!(tab.handle(now, Input::NotFetched(vec![1])).is_empty());
    let out = tab.handle(now, Input::Added(vec![row(2)]));
    assert!(fed(&out).is_empty(), "{out:?}");
    // Neither a sweep nor a hint asks for it a second time at once.
    assert!(tab.handle(now, Input::Swept(vec![1, 2])).is_empty());
    assert!(tab.handle(now, Input::Heard(Word::Added { keys: vec![1] })).is_empty());
    let due = tab.deadline().unwrap();
    assert_eq!(due, now + SOON);
    let out = tab.handle(due, Input::Tick);
    assert!(matches!(&out[..], [Output::Sweep, Output::Fetch(keys)] if *keys == [1]), "{out:?}");
    let out = tab.handle(due, Input::Fetched { asked: vec![1], rows: vec![row(1)] });
    assert_eq!(fed(&out), [1, 2]);
}

#[test]
fn a_read_that_failed_for_an_earlier_lead_is_no_concern_of_the_next_one() {
    let now = Instant(1_000);
    let mut tab = leading(now);
    tab.handle(now, Input::Heard(Word::Added { keys: vec![1] }));
    tab.handle(now, Input::NotFetched(vec![1]));
    tab.handle(now, Input::Fenced);
    tab.handle(now, Input::NotSwept);
    let out = tab.handle(now + SOON, Input::Tick);
    assert!(!out.iter().any(|it| matches!(it, Output::Fetch(_) | Output::Sweep)), "{out:?}");
    tab.handle(now + SOON, loaded());
    tab.handle(now + SOON, Input::Granted);
    tab.handle(now + SOON, loaded());
    assert!(tab.leads());
    let out = tab.handle(now + SOON + SWEEP, Input::Tick);
    assert!(!out.iter().any(|it| matches!(it, Output::Fetch(_))), "{out:?}");
}

#[test]
fn a_database_that_fails_at_once_is_not_tried_again_at_each_word() {
    let mut now = Instant(1_000);
    let mut tab = leading(now);
    let loads = |tab: &mut Tabs, now| {
        let word = Word::Ask { tab: 2, n: 1, command: Command::RetryNow };
        tab.handle(now, Input::Failed);
        let out = tab.handle(now, Input::Heard(word));
        let loads = out.iter().any(|it| matches!(it, Output::Load));
        if loads {
            tab.handle(now, loaded());
        }
        loads
    };
    assert!(loads(&mut tab, now));
    assert!(!loads(&mut tab, now), "the other tab says it again as soon as this one leads");
    now = now + PATIENCE;
    let out = tab.handle(now, Input::Tick);
    assert!(out.iter().any(|it| matches!(it, Output::Load)), "it is not forgotten: {out:?}");
}
