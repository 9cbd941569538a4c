use super::*;

const NOW: Instant = Instant(1_000);
const INBOX: &str = "inbox";

type Machine = Dispatch<&'static str>;

/// A machine that has heard at first that nothing is ready.
fn idle() -> Machine {
    let mut dispatch = Dispatch::new(100);
    counted(&mut dispatch, 1, 0);
    dispatch
}

fn counted(dispatch: &mut Machine, version: u64, jobs: u64) -> Vec<(u64, u32)> {
    let count = Count { version, jobs };
    claims(dispatch.handle(NOW, Input::Counted { queue: INBOX, count }))
}

fn wait(dispatch: &mut Machine, n: u64, jobs: u32, once: bool) -> Vec<(u64, u32)> {
    claims(dispatch.handle(NOW, Input::Wait { consumer: SeatId(n), queue: INBOX, jobs, once }))
}

/// A long poll for one job.
fn poll(dispatch: &mut Machine, n: u64) -> Vec<(u64, u32)> {
    wait(dispatch, n, 1, true)
}

fn claimed(dispatch: &mut Machine, n: u64, jobs: u32, version: u64, left: u64) -> Vec<(u64, u32)> {
    let count = Count { version, jobs: left };
    let input = Input::Claimed { consumer: SeatId(n), jobs, count, next: None };
    claims(dispatch.handle(NOW, input))
}

/// For whom is claimed, and how much.
fn claims(out: Vec<Output<&'static str>>) -> Vec<(u64, u32)> {
    out.into_iter()
        .map(|output| match output {
            Output::Claim { consumer, queue: INBOX, jobs } => (consumer.0, jobs),
            other => panic!("{other:?}"),
        })
        .collect()
}

const NOBODY: [(u64, u32); 0] = [];

#[test]
fn who_waits_is_claimed_for_when_jobs_are_ready() {
    let mut dispatch = idle();
    assert_eq!(poll(&mut dispatch, 1), NOBODY);
    assert_eq!(counted(&mut dispatch, 2, 1), [(1, 1)]);
    assert_eq!(claimed(&mut dispatch, 1, 1, 3, 0), NOBODY);
    assert_eq!(dispatch.waiting(), 0, "the poll is over");
}

#[test]
fn who_comes_when_jobs_are_ready_is_claimed_for_at_once() {
    let mut dispatch = idle();
    counted(&mut dispatch, 2, 1_000_000);
    assert_eq!(wait(&mut dispatch, 1, 10, true), [(1, 10)]);
}

#[test]
fn who_came_first_is_served_first() {
    let mut dispatch = idle();
    for n in [7, 3, 5] {
        poll(&mut dispatch, n);
    }
    assert_eq!(counted(&mut dispatch, 2, 2), [(7, 1), (3, 1)]);
    assert_eq!(claimed(&mut dispatch, 7, 1, 3, 1), NOBODY, "the other claim is under way for it");
    assert_eq!(claimed(&mut dispatch, 3, 1, 4, 0), NOBODY);
    assert_eq!(counted(&mut dispatch, 5, 9), [(5, 1)]);
}

#[test]
fn no_more_is_claimed_than_there_is_less_what_claims_under_way_ask_for() {
    let mut dispatch = idle();
    for n in 1..=4 {
        wait(&mut dispatch, n, 3, true);
    }
    assert_eq!(counted(&mut dispatch, 2, 4), [(1, 3), (2, 1)]);
    assert_eq!(counted(&mut dispatch, 3, 5), [(3, 1)], "one has come since");
    assert_eq!(counted(&mut dispatch, 4, 5), NOBODY);
    assert_eq!(claimed(&mut dispatch, 1, 3, 5, 2), NOBODY);
}

#[test]
fn a_count_that_is_heard_late_changes_nothing() {
    let mut dispatch = idle();
    poll(&mut dispatch, 1);
    assert_eq!(counted(&mut dispatch, 5, 0), NOBODY);
    assert_eq!(counted(&mut dispatch, 4, 1), NOBODY, "it was taken by then");
    assert_eq!(counted(&mut dispatch, 6, 1), [(1, 1)]);
    counted(&mut dispatch, 9, 1);
    poll(&mut dispatch, 2);
    assert_eq!(
        claimed(&mut dispatch, 1, 1, 7, 0),
        [(2, 1)],
        "what was counted at 9 is newer than the claim's"
    );
}

#[test]
fn of_a_queue_that_was_never_counted_a_claim_finds_it_out() {
    let mut dispatch = Dispatch::new(100);
    assert_eq!(wait(&mut dispatch, 1, 1_000, false), [(1, CLAIM_JOBS)]);
    assert_eq!(poll(&mut dispatch, 2), NOBODY);
    assert_eq!(claimed(&mut dispatch, 1, 1, 3, 0), NOBODY);
    assert_eq!(counted(&mut dispatch, 4, 1), [(2, 1)]);
}

#[test]
fn who_got_nothing_waits_on_in_its_place() {
    let mut dispatch = idle();
    poll(&mut dispatch, 1);
    poll(&mut dispatch, 2);
    assert_eq!(counted(&mut dispatch, 2, 1), [(1, 1)]);
    assert_eq!(claimed(&mut dispatch, 1, 0, 3, 0), NOBODY, "somebody took it by its id");
    assert_eq!(counted(&mut dispatch, 4, 1), [(1, 1)]);
}

#[test]
fn a_long_poll_is_over_with_the_first_job_and_a_subscription_goes_on() {
    let mut dispatch = idle();
    wait(&mut dispatch, 1, 10, true);
    wait(&mut dispatch, 2, 10, false);
    assert_eq!(counted(&mut dispatch, 2, 1), [(1, 1)]);
    claimed(&mut dispatch, 1, 1, 3, 0);
    assert_eq!(counted(&mut dispatch, 4, 1), [(2, 1)]);
    claimed(&mut dispatch, 2, 1, 5, 0);
    assert_eq!(counted(&mut dispatch, 6, 100), [(2, 9)], "it has credit for nine more");
}

#[test]
fn who_got_something_and_wants_more_lines_up_behind_those_who_wait() {
    let mut dispatch = idle();
    wait(&mut dispatch, 1, 10, false);
    wait(&mut dispatch, 2, 10, false);
    assert_eq!(counted(&mut dispatch, 2, 1), [(1, 1)]);
    claimed(&mut dispatch, 1, 1, 3, 0);
    assert_eq!(counted(&mut dispatch, 4, 1), [(2, 1)]);
    claimed(&mut dispatch, 2, 1, 5, 0);
    assert_eq!(counted(&mut dispatch, 6, 1), [(1, 1)]);
}

#[test]
fn without_credit_nothing_is_claimed_and_with_more_it_is() {
    let mut dispatch = idle();
    counted(&mut dispatch, 2, 1_000_000);
    assert_eq!(wait(&mut dispatch, 1, 0, false), NOBODY);
    let credit = |jobs| Input::Credit { consumer: SeatId(1), jobs };
    assert_eq!(claims(dispatch.handle(NOW, credit(2))), [(1, 2)]);
    assert_eq!(claims(dispatch.handle(NOW, credit(3))), NOBODY, "one claim at a time");
    assert_eq!(claimed(&mut dispatch, 1, 2, 3, 999_998), [(1, 3)]);
    assert_eq!(claimed(&mut dispatch, 1, 3, 4, 999_995), NOBODY);
    assert_eq!(claims(dispatch.handle(NOW, credit(u32::MAX))), [(1, CLAIM_JOBS)]);
    let mut got = u64::from(CLAIM_JOBS);
    for version in 5.. {
        let left = 1_000_000 - got;
        let next = claimed(&mut dispatch, 1, CLAIM_JOBS, version, left);
        if next.is_empty() {
            break;
        }
        got += u64::from(CLAIM_JOBS);
    }
    assert_eq!(got, u64::from(CREDIT));
}

#[test]
fn who_has_gone_gets_nothing() {
    let mut dispatch = idle();
    poll(&mut dispatch, 1);
    poll(&mut dispatch, 2);
    dispatch.handle(NOW, Input::Gone(SeatId(1)));
    assert_eq!(counted(&mut dispatch, 2, 1), [(2, 1)]);
}

#[test]
fn a_claim_under_way_for_who_has_gone_counts_until_it_is_answered() {
    let mut dispatch = idle();
    wait(&mut dispatch, 1, 2, false);
    assert_eq!(counted(&mut dispatch, 2, 2), [(1, 2)]);
    dispatch.handle(NOW, Input::Gone(SeatId(1)));
    assert_eq!(poll(&mut dispatch, 2), NOBODY);
    assert_eq!(
        claims(dispatch.handle(NOW, Input::Credit { consumer: SeatId(1), jobs: 5 })),
        NOBODY
    );
    assert_eq!(claimed(&mut dispatch, 1, 2, 3, 1), [(2, 1)]);
    assert_eq!(dispatch.waiting(), 1);
}

#[test]
fn jobs_that_are_about_to_be_enqueued_are_offered_to_those_who_wait() {
    let mut dispatch = idle();
    for n in 1..=3 {
        poll(&mut dispatch, n);
    }
    let offer = Input::Offer { queue: INBOX, jobs: 2 };
    assert_eq!(claims(dispatch.handle(NOW, offer.clone())), [(1, 1), (2, 1)]);
    assert_eq!(counted(&mut dispatch, 2, 2), NOBODY, "those are the ones");
    assert_eq!(claims(dispatch.handle(NOW, Input::Untried(SeatId(1)))), [(1, 1)]);
    assert_eq!(claimed(&mut dispatch, 2, 1, 3, 1), NOBODY);
    assert_eq!(claimed(&mut dispatch, 1, 1, 4, 0), NOBODY);
    assert_eq!(claims(dispatch.handle(NOW, offer)), [(3, 1)]);
}

#[test]
fn after_a_claim_that_failed_nothing_is_claimed_for_a_second() {
    let mut dispatch = idle();
    poll(&mut dispatch, 1);
    counted(&mut dispatch, 2, 1);
    assert_eq!(claims(dispatch.handle(NOW, Input::Failed(SeatId(1)))), NOBODY);
    assert_eq!(counted(&mut dispatch, 3, 5), NOBODY);
    assert_eq!(dispatch.wake(), Some(NOW + RETRY));
    assert_eq!(claims(dispatch.handle(Instant(1_999), Input::Time)), NOBODY);
    assert_eq!(claims(dispatch.handle(NOW + RETRY, Input::Time)), [(1, 1)]);
    assert_eq!(dispatch.wake(), None);
}

#[test]
fn a_queue_whose_rate_is_used_up_is_left_alone_for_as_long_and_a_second_at_most() {
    for (next, held) in [(50, 50), (3_600_000, 1_000)] {
        let mut dispatch = idle();
        wait(&mut dispatch, 1, 1, false);
        poll(&mut dispatch, 2);
        counted(&mut dispatch, 2, 1);
        let (count, next) = (Count { version: 3, jobs: 9 }, Some(Millis(next)));
        let input = Input::Claimed { consumer: SeatId(1), jobs: 1, count, next };
        assert_eq!(claims(dispatch.handle(NOW, input)), NOBODY);
        let offer = Input::Offer { queue: INBOX, jobs: 2 };
        assert_eq!(claims(dispatch.handle(NOW, offer)), NOBODY);
        assert_eq!(dispatch.wake(), Some(NOW + Millis(held)));
        assert_eq!(claims(dispatch.handle(NOW + Millis(held), Input::Time)), [(2, 1)]);
    }
}

/// A claim is answered at a time, and its queue's rate lets nothing more begin for so long.
fn paced(
    dispatch: &mut Machine,
    now: Instant,
    n: u64,
    jobs: u32,
    next: Option<u64>,
) -> Vec<(u64, u32)> {
    let count = Count { version: now.0, jobs: 1_000 };
    let next = next.map(Millis);
    let input = Input::Claimed { consumer: SeatId(n), jobs, count, next };
    claims(dispatch.handle(now, input))
}

#[test]
fn for_the_one_job_that_a_rate_lets_begin_one_claim_is_made_however_many_wait() {
    let mut dispatch = idle();
    for n in 1..=50 {
        poll(&mut dispatch, n);
    }
    counted(&mut dispatch, 2, 1);
    let mut now = NOW;
    for n in 1..=49 {
        assert_eq!(paced(&mut dispatch, now, n, 1, Some(100)), NOBODY);
        now = now + Millis(100);
        assert_eq!(claims(dispatch.handle(now, Input::Time)), [(n + 1, 1)]);
        let count = Count { version: now.0, jobs: 999 };
        let input = Input::Counted { queue: INBOX, count };
        assert_eq!(claims(dispatch.handle(now, input)), NOBODY, "that one is under way");
        let offer = Input::Offer { queue: INBOX, jobs: 2 };
        assert_eq!(claims(dispatch.handle(now, offer)), NOBODY);
    }
}

#[test]
fn a_burst_is_claimed_by_twice_as_many_each_time_and_a_rate_that_is_gone_by_all() {
    let mut dispatch = idle();
    for n in 1..=64 {
        poll(&mut dispatch, n);
    }
    counted(&mut dispatch, 2, 1);
    paced(&mut dispatch, NOW, 1, 1, Some(100));
    let now = NOW + Millis(100);
    assert_eq!(claims(dispatch.handle(now, Input::Time)), [(2, 1)]);
    assert_eq!(paced(&mut dispatch, now, 2, 1, None), [(3, 1), (4, 1)]);
    assert_eq!(paced(&mut dispatch, now, 3, 1, None).len(), 3, "four are under way");
    assert_eq!(paced(&mut dispatch, now, 4, 1, None).len(), 5);
    // The burst is used up, and it begins anew with one.
    assert_eq!(paced(&mut dispatch, now, 5, 0, Some(100)), NOBODY);
    for n in 6..=12 {
        assert_eq!(paced(&mut dispatch, now, n, 0, Some(100)), NOBODY);
    }
    let now = now + Millis(100);
    assert_eq!(claims(dispatch.handle(now, Input::Time)), [(5, 1)], "the one in front");
}

#[test]
fn a_claim_that_gets_nothing_of_what_was_counted_is_not_made_again_at_once() {
    let mut dispatch = idle();
    poll(&mut dispatch, 1);
    counted(&mut dispatch, 2, 1);
    assert_eq!(claimed(&mut dispatch, 1, 0, 3, 1), NOBODY);
    assert_eq!(dispatch.wake(), Some(NOW + RETRY));
}

#[test]
fn one_queue_does_not_wait_for_another() {
    let mut dispatch = Dispatch::new(100);
    for (n, queue) in [(1, "a"), (2, "b")] {
        let consumer = SeatId(n);
        dispatch.handle(NOW, Input::Wait { consumer, queue, jobs: 1, once: true });
    }
    dispatch.handle(NOW, Input::Failed(SeatId(1)));
    let (consumer, count) = (SeatId(2), Count { version: 1, jobs: 3 });
    dispatch.handle(NOW, Input::Claimed { consumer, jobs: 1, count, next: None });
    let wait = Input::Wait { consumer: SeatId(3), queue: "b", jobs: 1, once: true };
    let claim = Output::Claim { consumer: SeatId(3), queue: "b", jobs: 1 };
    assert_eq!(dispatch.handle(NOW, wait), [claim]);
}

#[test]
fn one_more_than_may_wait_is_told_so_and_changes_nothing() {
    let mut dispatch = Dispatch::new(2);
    counted(&mut dispatch, 1, 0);
    for n in 1..=2 {
        poll(&mut dispatch, n);
    }
    let wait = Input::Wait { consumer: SeatId(3), queue: INBOX, jobs: 1, once: true };
    assert_eq!(dispatch.handle(NOW, wait.clone()), [Output::Full(SeatId(3))]);
    assert_eq!(dispatch.waiting(), 2);
    dispatch.handle(NOW, Input::Gone(SeatId(2)));
    assert_eq!(dispatch.handle(NOW, wait), [], "there is room for it");
}

#[test]
fn a_subscription_takes_no_place_of_who_waits_once_and_finds_one_where_these_are_full() {
    let mut dispatch = Dispatch::new(2);
    counted(&mut dispatch, 1, 0);
    for n in 1..=9 {
        assert_eq!(wait(&mut dispatch, n, u32::from(n > 5), false), NOBODY);
    }
    poll(&mut dispatch, 10);
    poll(&mut dispatch, 11);
    let full = Input::Wait { consumer: SeatId(12), queue: INBOX, jobs: 1, once: true };
    assert_eq!(dispatch.handle(NOW, full.clone()), [Output::Full(SeatId(12))]);
    assert_eq!(wait(&mut dispatch, 13, 1, false), NOBODY);
    dispatch.handle(NOW, Input::Gone(SeatId(13)));
    assert_eq!(dispatch.handle(NOW, full.clone()), [Output::Full(SeatId(12))]);
    assert_eq!(counted(&mut dispatch, 2, 5).len(), 5);
    claimed(&mut dispatch, 10, 1, 3, 4);
    assert_eq!(dispatch.handle(NOW, full), [], "one of those is over");
}

#[test]
fn nothing_is_kept_of_who_has_gone() {
    let mut dispatch = idle();
    for n in 1..=3 {
        poll(&mut dispatch, n);
    }
    counted(&mut dispatch, 2, 1);
    for n in 1..=3 {
        dispatch.handle(NOW, Input::Gone(SeatId(n)));
    }
    claimed(&mut dispatch, 1, 1, 3, 0);
    assert_eq!(dispatch.waiting(), 0);
    assert!(dispatch.lines[INBOX].waiting.is_empty());
    assert_eq!(dispatch.lines[INBOX].asked, 0);
}
