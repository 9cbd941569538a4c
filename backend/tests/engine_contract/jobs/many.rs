//! What people do to many jobs at once.

use super::{
    bench::*,
    govern::{ada, die, inbox, notes, one},
    list::{pages, query},
};
use holdfast_common::{
    id::JobId,
    job::{
        NewJob, Place, Reason,
        limits::{CALL_JOBS, GOVERN_JOBS, LOOK_JOBS, REASON_BYTES},
    },
    storage::jobs::{
        Chosen, Deed, Ended, Enqueue, Govern, Governed, ListQuery, Purge, Rest, Sieve,
    },
    time::Millis,
};

contract_of_jobs! {
    a_deed_is_done_to_those_of_the_named_jobs_to_which_it_can_be
    a_deed_is_done_to_dead_letters_by_their_type_and_error
    of_a_dead_letters_errors_the_last_one_chooses_it
    many_are_done_in_parts_and_noted_once
    dead_letters_of_a_group_that_are_requeued_begin_in_the_order_of_their_enqueues
    so_do_those_of_more_than_one_step_whatever_died_first_and_what_dies_again_is_left
    all_dead_letters_are_looked_at_before_one_is_requeued
    of_a_group_that_is_cancelled_in_steps_none_begins_between_them
    those_that_die_meanwhile_are_left
    each_step_counts_its_part_in_the_note
    the_note_has_the_ids_of_the_jobs_that_were_named_as_far_as_they_fit
    a_purge_leaves_nothing_that_waits
    a_purge_leaves_no_dead_letters
    a_purge_in_parts_drops_as_many_as_waited_and_what_was_held_goes_its_way
}

/// Does a step of it, and tells to how many jobs, and what is left.
async fn step(bench: &Bench, deed: &Deed, rest: Option<Rest>) -> (u64, Option<Rest>) {
    let part = Govern { by: ada(), deed: deed.clone(), rest };
    match bench.engine().govern(part).await.unwrap().0 {
        Governed::Done { jobs, rest } => (jobs, rest),
        other => panic!("not done: {other:?}"),
    }
}

/// Does all of it, and tells to how many jobs each call did it.
pub(super) async fn all(bench: &Bench, deed: Deed) -> Vec<u64> {
    let (jobs, mut rest) = step(bench, &deed, None).await;
    let mut parts = vec![jobs];
    while rest.is_some() {
        let (jobs, more) = step(bench, &deed, rest).await;
        parts.push(jobs);
        rest = more;
    }
    parts
}

/// All dead letters of the inbox.
fn dead() -> Chosen {
    Chosen::Dead(inbox(), Sieve::default())
}

fn again(jobs: Chosen) -> Deed {
    Deed::Requeue { jobs, data: None }
}

/// So many dead letters.
async fn many_die(bench: &Bench, count: usize) -> Vec<JobId> {
    let (most, expires) = (Some(1), Some(Millis(1)));
    let jobs: Vec<_> = (0..count).map(|_| NewJob { most, expires, ..new_job() }).collect();
    let ids = jobs.iter().map(|job| job.id).collect();
    let enqueue = Enqueue { jobs, promise: None, then: Vec::new() };
    bench.enqueue_all(enqueue).await;
    bench.pass(1).await;
    while bench.tend().await.more {}
    ids
}

async fn a_deed_is_done_to_those_of_the_named_jobs_to_which_it_can_be(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    let done = bench.puts(1).await[0];
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    let ids = bench.puts(2).await;
    let other = bench.put(NewJob { queue: "other".to_owned(), ..new_job() }).await;
    let chosen = vec![done, ids[1], job_id(), other];
    assert_eq!(all(bench, Deed::Cancel(Chosen::Of(inbox(), chosen))).await, [1]);
    assert_eq!(bench.take_ids(3).await, [ids[0]]);
    assert_eq!(bench.place(other).await, Place::Ready, "it is another queue's");
}

async fn a_deed_is_done_to_dead_letters_by_their_type_and_error(bench: &Bench) {
    bench.inbox().await;
    let mail = || NewJob { kind: "mail".to_owned(), ..new_job() };
    let a = die(bench, mail(), "Connection refused").await;
    let b = die(bench, new_job(), "connection REFUSED by peer").await;
    let c = die(bench, mail(), "no such address").await;
    let sieve = |kind: Option<&str>, error: Option<&str>| {
        let own = |text: Option<&str>| text.map(str::to_owned);
        Chosen::Dead(inbox(), Sieve { kind: own(kind), error: own(error) })
    };
    let discarded = Deed::Discard(sieve(Some("mail"), Some("refused")));
    assert_eq!(all(bench, discarded).await, [1]);
    let jobs = sieve(None, Some("refused"));
    assert_eq!(all(bench, Deed::Requeue { jobs, data: None }).await, [1]);
    assert_eq!(all(bench, Deed::Discard(sieve(None, None))).await, [1]);
    for (id, place) in [(a, Place::Cancelled), (b, Place::Ready), (c, Place::Cancelled)] {
        assert_eq!(bench.place(id).await, place);
    }
    let details: Vec<_> = notes(bench, None, 9).await.into_iter().map(|note| note.detail).collect();
    let said = |text: &str| Some(text.to_owned());
    assert_eq!(details, [None, said("error: refused"), said("type: mail; error: refused")]);
}

async fn of_a_dead_letters_errors_the_last_one_chooses_it(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { most: Some(3), ..new_job() }).await;
    for error in ["no paper", "no light", "no ink"] {
        let job = bench.take_one().await;
        bench.ended(&job, fail(error)).await;
    }
    for (error, found) in [("no paper", 0), ("no light", 0), ("no ink", 1)] {
        let sieve = Sieve { kind: None, error: Some(error.to_owned()) };
        let listed = ListQuery { sieve: sieve.clone(), ..query(&[Place::Dead]) };
        assert_eq!(pages(bench, listed).await.concat(), vec![id; found], "{error}");
        let jobs = Chosen::Dead(inbox(), sieve);
        let requeued = Deed::Requeue { jobs, data: None };
        assert_eq!(all(bench, requeued).await, [found as u64], "{error}");
    }
}

async fn many_are_done_in_parts_and_noted_once(bench: &Bench) {
    bench.inbox().await;
    let ids = many_die(bench, GOVERN_JOBS + 3).await;
    let jobs = Chosen::Dead(inbox(), Sieve::default());
    assert_eq!(all(bench, Deed::Requeue { jobs, data: None }).await, [GOVERN_JOBS as u64, 3]);
    let cancelled = Deed::Cancel(Chosen::Of(inbox(), ids.clone()));
    assert_eq!(all(bench, cancelled).await, [GOVERN_JOBS as u64, 3]);
    let notes = notes(bench, None, 9).await;
    let said: Vec<_> = notes.iter().map(|note| (note.did.name(), note.jobs)).collect();
    let many = ids.len() as u64;
    assert_eq!(said, [("cancel", many), ("requeue", many)]);
}

async fn dead_letters_of_a_group_that_are_requeued_begin_in_the_order_of_their_enqueues(
    bench: &Bench,
) {
    bench.inbox().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(die(bench, grouped("g"), "x").await);
        bench.pass(1).await;
    }
    let [a, b, c] = ids[..] else { panic!("three") };
    let these = |ids: &[JobId]| Chosen::Of(inbox(), ids.to_vec());
    for jobs in [dead(), these(&[c, b, a]), these(&[b, c, a]), these(&[a, b, c, a])] {
        assert_eq!(all(bench, again(jobs.clone())).await, [3]);
        for id in &ids {
            let taken = bench.take(9).await;
            let begun: Vec<_> = taken.iter().map(|job| job.id).collect();
            assert_eq!(begun, [*id], "{jobs:?}");
            assert_eq!(bench.ended(&taken[0], fail("x")).await, Place::Dead);
            bench.pass(1).await;
        }
    }
}

/// So many dead letters of a group, of which the first one died last.
async fn die_in_a_group(bench: &Bench, count: usize) -> Vec<JobId> {
    let job = |expires| NewJob { most: Some(1), expires, ..grouped("g") };
    let mut jobs = vec![job(None)];
    jobs.extend((1..count).map(|_| job(Some(Millis(1)))));
    let ids = jobs.iter().map(|job| job.id).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    let first = bench.take_one().await;
    bench.pass(1).await;
    while bench.tend().await.more {}
    bench.pass(1).await;
    assert_eq!(bench.ended(&first, fail("at last")).await, Place::Dead);
    assert_eq!(bench.counts().await.dead, count as u64);
    ids
}

async fn so_do_those_of_more_than_one_step_whatever_died_first_and_what_dies_again_is_left(
    bench: &Bench,
) {
    bench.inbox().await;
    for named in [false, true] {
        let ids = die_in_a_group(bench, GOVERN_JOBS + 3).await;
        let backwards = ids.iter().rev().copied().collect();
        let deed = again(if named { Chosen::Of(inbox(), backwards) } else { dead() });
        let (mut parts, mut begun, mut rest) = (Vec::new(), Vec::new(), None);
        while parts.is_empty() || rest.is_some() {
            let (jobs, more) = step(bench, &deed, rest).await;
            parts.push(jobs);
            rest = more;
            // Between the steps they are there for whoever waits.
            for _ in 0..2 {
                bench.pass(1).await;
                let job = bench.take_one().await;
                begun.push(job.id);
                assert_eq!(bench.ended(&job, fail("again")).await, Place::Dead);
            }
        }
        assert_eq!((parts, &begun[..]), (vec![GOVERN_JOBS as u64, 3], &ids[..4]));
        assert_eq!(bench.counts().await.dead, 4);
        all(bench, Deed::Purge(inbox(), Purge::Waiting)).await;
        all(bench, Deed::Purge(inbox(), Purge::Dead)).await;
    }
}

async fn all_dead_letters_are_looked_at_before_one_is_requeued(bench: &Bench) {
    bench.inbox().await;
    let ids = die_in_a_group(bench, LOOK_JOBS + 1).await;
    let (jobs, rest) = step(bench, &again(dead()), None).await;
    assert_eq!((jobs, bench.counts().await.unfinished()), (0, 0));
    let (jobs, rest) = step(bench, &again(dead()), rest).await;
    assert_eq!((jobs, rest.is_some()), (GOVERN_JOBS as u64, true));
    assert_eq!(bench.take_ids(9).await, ids[..1], "it has died last");
    assert_eq!(notes(bench, None, 9).await[0].jobs, GOVERN_JOBS as u64);
}

async fn of_a_group_that_is_cancelled_in_steps_none_begins_between_them(bench: &Bench) {
    bench.inbox().await;
    let jobs: Vec<_> = (0..GOVERN_JOBS + 2).map(|_| grouped("g")).collect();
    let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    let first = bench.take_one().await;
    let deed = Deed::Cancel(Chosen::Of(inbox(), ids));
    let (jobs, rest) = step(bench, &deed, None).await;
    assert_eq!((jobs, bench.take_ids(9).await), (GOVERN_JOBS as u64, Vec::new()));
    assert_eq!(step(bench, &deed, rest).await, (2, None));
    assert!(matches!(bench.end(&first, complete()).await, Ended::Late(Reason::Cancelled)));
    assert_eq!(bench.counts().await.unfinished(), 0);
}

async fn those_that_die_meanwhile_are_left(bench: &Bench) {
    bench.inbox().await;
    many_die(bench, GOVERN_JOBS + 1).await;
    let jobs = Chosen::Dead(inbox(), Sieve::default());
    let deed = Deed::Requeue { jobs, data: None };
    let first = Govern { by: ada(), deed, rest: None };
    let governed = bench.engine().govern(first.clone()).await.unwrap().0;
    let Governed::Done { rest: Some(rest), .. } = governed else { panic!("{governed:?}") };
    bench.pass(1).await;
    let job = bench.take_one().await;
    bench.ended(&job, fail("again")).await;
    let second = Govern { rest: Some(rest), ..first };
    assert_eq!(bench.engine().govern(second).await.unwrap().0, one());
    assert_eq!(bench.place(job.id).await, Place::Dead);
}

async fn the_note_has_the_ids_of_the_jobs_that_were_named_as_far_as_they_fit(bench: &Bench) {
    bench.inbox().await;
    let ids = bench.puts(2).await;
    let cancelled = |ids: &[JobId]| Deed::Cancel(Chosen::Of(inbox(), ids.to_vec()));
    all(bench, cancelled(&ids)).await;
    all(bench, cancelled(&ids[..1])).await;
    let many: Vec<_> = (0..CALL_JOBS).map(|_| job_id()).collect();
    all(bench, cancelled(&many)).await;
    let [most, one, two] = &notes(bench, None, 9).await[..] else { panic!("three notes") };
    let told = format!("{}, {}", ids[0], ids[1]);
    assert_eq!((two.job, two.jobs, &two.detail), (None, 2, &Some(told)));
    assert_eq!((one.job, one.jobs, &one.detail), (None, 0, &None), "it was cancelled before");
    let detail = most.detail.as_ref().unwrap();
    assert!(detail.starts_with(&format!("{}, {}, ", many[0], many[1])), "{detail}");
    assert!(detail.len() <= REASON_BYTES && detail.ends_with('…'), "{}", detail.len());
}

/// What may be done to more than a step takes, and how many are put there for it.
const MANY: u64 = GOVERN_JOBS as u64 + 3;

/// Makes what each of these deeds is for, does its first step, and returns it with what is left.
async fn begun(bench: &Bench, which: usize) -> (Deed, Rest) {
    let jobs: Vec<_> = (0..MANY).map(|_| new_job()).collect();
    let ids = jobs.iter().map(|job| job.id).collect();
    let deed = match which {
        0 => again(dead()),
        1 => Deed::Discard(dead()),
        2 => Deed::Purge(inbox(), Purge::Dead),
        3 => Deed::Purge(inbox(), Purge::Waiting),
        _ => Deed::Cancel(Chosen::Of(inbox(), ids)),
    };
    if which < 3 {
        many_die(bench, usize::try_from(MANY).unwrap()).await;
    } else {
        bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    }
    let (jobs, rest) = step(bench, &deed, None).await;
    assert_eq!(jobs, GOVERN_JOBS as u64);
    (deed, rest.unwrap())
}

/// To how many jobs it was done and noted, by the queue and by its newest note.
async fn done_and_noted(bench: &Bench, which: usize) -> (u64, u64) {
    let counts = bench.counts().await;
    let left = if which < 3 { counts.dead } else { counts.ready };
    (MANY - left, notes(bench, None, 1).await[0].jobs)
}

async fn each_step_counts_its_part_in_the_note(bench: &Bench) {
    bench.inbox().await;
    for which in 0..5 {
        let (deed, rest) = begun(bench, which).await;
        let half = GOVERN_JOBS as u64;
        assert_eq!(done_and_noted(bench, which).await, (half, half), "{deed:?}");
        assert_eq!(step(bench, &deed, Some(rest)).await, (3, None));
        assert_eq!(done_and_noted(bench, which).await, (MANY, MANY), "{deed:?}");
        assert_eq!(notes(bench, None, 99).await.len(), 2 * which + 1);
        all(bench, Deed::Purge(inbox(), Purge::Waiting)).await;
    }
}

async fn a_purge_leaves_nothing_that_waits(bench: &Bench) {
    bench.inbox().await;
    let leased = bench.puts(1).await[0];
    let job = bench.take_one().await;
    let dead = die(bench, new_job(), "x").await;
    bench.puts(4).await;
    let jobs = (0..GOVERN_JOBS + 2).map(|_| grouped("g")).collect();
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    let delayed = bench.put(NewJob { delay: Millis(5_000), ..new_job() }).await;
    let deed = Deed::Purge(inbox(), Purge::Waiting);
    assert_eq!(all(bench, deed).await, [GOVERN_JOBS as u64, 7]);
    let counts = bench.counts().await;
    assert_eq!((counts.unfinished(), counts.leased, counts.dead), (1, 1, 1));
    assert_eq!((bench.place(leased).await, bench.place(dead).await), (Place::Leased, Place::Dead));
    let read = bench.job(delayed).await;
    assert_eq!((read.place, read.data.as_str()), (Place::Cancelled, "null"));
    assert_eq!(bench.ended(&job, complete()).await, Place::Done);
}

async fn a_purge_leaves_no_dead_letters(bench: &Bench) {
    bench.inbox().await;
    let dead = die(bench, new_job(), "x").await;
    let ready = bench.puts(1).await[0];
    assert_eq!(all(bench, Deed::Purge(inbox(), Purge::Dead)).await, [1]);
    assert_eq!(
        (bench.place(dead).await, bench.place(ready).await),
        (Place::Cancelled, Place::Ready)
    );
}

async fn a_purge_in_parts_drops_as_many_as_waited_and_what_was_held_goes_its_way(bench: &Bench) {
    bench.inbox().await;
    let jobs: Vec<_> = (0..GOVERN_JOBS + 4).map(|_| new_job()).collect();
    let last = jobs.last().unwrap().id;
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    let [fails, done, fails_after, lapses] = bench.take(4).await.try_into().unwrap();
    bench.puts(1).await;
    let deed = Deed::Purge(inbox(), Purge::Waiting);
    let first = Govern { by: ada(), deed, rest: None };
    let governed = bench.engine().govern(first.clone()).await.unwrap().0;
    let Governed::Done { jobs: 500, rest: Some(rest) } = governed else { panic!("{governed:?}") };
    // It waits again, in front of those that are left, and is dropped in place of one of them.
    assert_eq!(bench.ended(&fails, fail("meanwhile")).await, Place::Ready);
    assert_eq!(bench.ended(&done, complete()).await, Place::Done);
    let second = Govern { rest: Some(rest), ..first };
    assert_eq!(bench.engine().govern(second).await.unwrap().0, one());
    assert_eq!(bench.place(last).await, Place::Cancelled);
    let dropped = bench.job(fails.id).await;
    assert_eq!((dropped.place, dropped.data.as_str()), (Place::Cancelled, "null"));
    assert_eq!(dropped.attempts[0].error, "meanwhile");
    assert!(matches!(bench.end(&fails, fail("other")).await, Ended::Late(Reason::Cancelled)));
    assert_eq!(notes(bench, None, 9).await[0].jobs, GOVERN_JOBS as u64 + 1);
    let counts = bench.counts().await;
    assert_eq!((counts.ready, counts.leased, counts.done), (1, 2, 1));
    assert_eq!(bench.ended(&fails_after, fail("after")).await, Place::Ready);
    bench.pass(10_000).await;
    bench.tend().await;
    let lapsed = bench.job(lapses.id).await;
    assert_eq!((lapsed.place, lapsed.attempts[0].lapsed), (Place::Ready, true));
    assert!(matches!(bench.end(&lapses, complete()).await, Ended::Late(Reason::Expired)));
    assert_eq!(bench.take_ids(9).await[..2], [fails_after.id, lapses.id]);
}

mod on_disk {
    use super::*;

    #[tokio::test]
    async fn of_a_deed_that_a_stop_has_cut_short_the_note_counts_what_was_done_and_no_more() {
        for which in 0..5 {
            let bench = Bench::sqlite();
            bench.inbox().await;
            let (deed, _) = begun(&bench, which).await;
            bench.reopen(0);
            let half = GOVERN_JOBS as u64;
            assert_eq!(done_and_noted(&bench, which).await, (half, half), "{deed:?}");
            // Said again it is done to the rest, and is another note.
            assert_eq!(all(&bench, deed).await.iter().sum::<u64>(), 3);
            assert_eq!(
                notes(&bench, None, 9).await.iter().map(|it| it.jobs).collect::<Vec<_>>(),
                [3, half]
            );
        }
    }
}
