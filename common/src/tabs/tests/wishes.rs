//! Commands, until what followed from them is committed.

use super::*;

/// What a tab says, and what it has its client do.
fn said_and_done(outputs: Vec<Output>) -> (Vec<Word>, Vec<Command>) {
    let (mut said, mut done) = (Vec::new(), Vec::new());
    for output in outputs {
        match output {
            Output::Say(word) => said.push(word),
            Output::Command(command) => done.push(command),
            _ => {}
        }
    }
    (said, done)
}

fn discard(n: u8) -> Command {
    Command::Discard { id: EventId::from_bytes([n; 16]) }
}

#[test]
fn a_wish_that_no_leader_took_is_not_overtaken_by_a_later_one() {
    let now = Instant(1_000);
    let (mut follower, mut leader) = (Tabs::new(1, true), Tabs::new(2, true));
    follower.handle(now, Input::Start);
    follower.handle(now, loaded());
    leader.handle(now, Input::Start);
    leader.handle(now, Input::Granted);
    // The first is said while nobody leads, the second before the follower has heard who does.
    let mut done = Vec::new();
    for n in [1, 2] {
        let (said, _) = said_and_done(follower.handle(now, Input::Command(discard(n))));
        for word in said {
            done.extend(said_and_done(leader.handle(now, Input::Heard(word))).1);
        }
        // The read that was under way when the lock came does not count.
        leader.handle(now, loaded());
        leader.handle(now, loaded());
    }
    assert!(leader.leads());
    assert_eq!(done, [discard(1), discard(2)]);
}

#[test]
fn a_new_leaders_own_wish_is_kept_until_its_own_batch_is_committed() {
    let now = Instant(1_000);
    let mut tab = Tabs::new(1, true);
    tab.handle(now, Input::Start);
    tab.handle(now, loaded());
    tab.handle(now, Input::Command(discard(1)));
    tab.handle(now, Input::Granted);
    let (_, done) = said_and_done(tab.handle(now, loaded()));
    assert_eq!(done, [discard(1)]);
    // Its client begins with the generation's batch; what the wish changes is in the next one.
    tab.handle(now, Input::Issued(1));
    tab.handle(now, Input::Fed);
    tab.handle(now, Input::Committed { token: 1, writes: Vec::new() });
    tab.handle(now, Input::Issued(2));
    tab.handle(now, Input::Fed);
    tab.handle(now, Input::Failed);
    tab.handle(now, Input::Woke);
    let (_, again) = said_and_done(tab.handle(now, loaded()));
    assert_eq!(again, [discard(1)]);
}
