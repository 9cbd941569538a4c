//! What people do to many jobs at once.

use super::{
    bench::*,
    govern::{ada, die, inbox, notes, one},
    list::{pages, query},
};
use holdfast_common::{
    id::JobId,
    job::{NewJob, Place, Reason, limits::GOVERN_JOBS},
    storage::jobs::{Chosen, Deed, Ended, Enqueue, Govern, Governed, ListQuery, Purge, Sieve},
    time::Millis,
};

contract_of_jobs! {
    a_deed_is_done_to_those_of_the_named_jobs_to_which_it_can_be
    a_deed_is_done_to_dead_letters_by_their_type_and_error
    of_a_dead_letters_errors_the_last_one_chooses_it
    many_are_done_in_parts_and_noted_once
    those_that_die_meanwhile_are_left
    a_purge_leaves_nothing_that_waits
    a_purge_leaves_no_dead_letters
    a_purge_in_parts_drops_as_many_as_waited_and_what_was_held_goes_its_way
}

/// Does all of it, and tells to how many jobs each call did it.
async fn all(bench: &Bench, deed: Deed) -> Vec<u64> {
    let (mut parts, mut rest) = (Vec::new(), None);
    loop {
        let part = Govern { by: ada(), deed: deed.clone(), rest };
        match bench.engine().govern(part).await.unwrap().0 {
            Governed::Done { jobs, rest: more } => {
                parts.push(jobs);
                rest = more;
            }
            other => panic!("not done: {other:?}"),
        }
        if rest.is_none() {
            return parts;
        }
    }
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
    let said: Vec<_> = notes.iter().map(|note| (note.deed.as_str(), note.jobs)).collect();
    let many = ids.len() as u64;
    assert_eq!(said, [("cancel", many), ("requeue", many)]);
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
