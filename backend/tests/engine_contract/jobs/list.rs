//! Jobs of a queue, page by page.

use super::{
    bench::*,
    govern::{cancel, die, govern, inbox, requeue},
};
use holdfast_common::{
    id::{JobId, PersonId},
    job::{JobState, NewJob, Place, limits::LIST_JOBS},
    storage::jobs::{Claim, Enqueue, ListQuery, QueueName, Sieve, Wanted},
    time::Millis,
};

contract_of_jobs! {
    jobs_are_listed_in_the_order_of_their_place
    a_state_is_listed_place_by_place
    pages_tile_whatever_their_size
    a_page_has_no_more_bytes_than_asked_for
    jobs_are_listed_by_type_and_error
    a_page_may_be_short_where_much_is_looked_at
    other_queues_are_not_listed
    what_has_just_come_due_is_shown_as_it_is
}

pub(super) fn query(places: &[Place]) -> ListQuery {
    ListQuery {
        queue: inbox(),
        places: places.to_vec(),
        sieve: Sieve::default(),
        after: None,
        limit: 100,
        last_attempt: false,
        max_bytes: usize::MAX,
    }
}

/// All pages of it, each with its jobs.
pub(super) async fn pages(bench: &Bench, mut query: ListQuery) -> Vec<Vec<JobId>> {
    let mut pages = Vec::new();
    loop {
        let page = bench.engine().list(query.clone()).await.unwrap().unwrap();
        pages.push(page.jobs.iter().map(|job| job.id).collect());
        if page.rest.is_none() {
            return pages;
        }
        query.after = page.rest;
    }
}

async fn at(bench: &Bench, place: Place) -> Vec<JobId> {
    pages(bench, query(&[place])).await.concat()
}

async fn jobs_are_listed_in_the_order_of_their_place(bench: &Bench) {
    bench.inbox().await;
    let asker = Some(PersonId::from_bytes([5; 16]));
    let mut dones = Vec::new();
    // Told and untold ones among each other, in each of the places that know of it.
    for asker in [None, asker, None, asker] {
        bench.put(NewJob { asker, ..new_job() }).await;
        let job = bench.take_one().await;
        bench.pass(1).await;
        bench.ended(&job, complete()).await;
        dones.insert(0, job.id);
    }
    let mut cancelled = Vec::new();
    for asker in [asker, None, None] {
        let id = bench.put(NewJob { asker, ..new_job() }).await;
        bench.pass(1).await;
        govern(bench, cancel(id)).await;
        cancelled.insert(0, id);
    }
    let mut dead = Vec::new();
    for _ in 0..3 {
        bench.pass(1).await;
        dead.insert(0, die(bench, new_job(), "x").await);
    }
    let long = bench.puts(2).await;
    let [one, two] = bench.take(2).await.try_into().unwrap();
    bench.extend(vec![(one.id, one.token)], 60_000).await;
    assert_eq!([one.id, two.id], long[..]);
    let low = bench.put(NewJob { priority: -1, ..new_job() }).await;
    let ready = bench.puts(2).await;
    let high = bench.put(NewJob { priority: 1, ..new_job() }).await;
    let late = bench.put(NewJob { delay: Millis(9_000), ..new_job() }).await;
    let soon = bench.put(NewJob { delay: Millis(5_000), ..new_job() }).await;
    let first = bench.put(NewJob { delay: Millis(7_000), ..grouped("b") }).await;
    let behind = [bench.put(grouped("b")).await, bench.put(grouped("b")).await];
    assert_eq!(at(bench, Place::Ready).await, [high, ready[0], ready[1], low]);
    assert_eq!(at(bench, Place::Delayed).await, [soon, first, late]);
    assert_eq!(at(bench, Place::Behind).await, behind);
    assert_eq!(at(bench, Place::Leased).await, [two.id, one.id]);
    assert_eq!(at(bench, Place::Done).await, dones);
    assert_eq!(at(bench, Place::Dead).await, dead);
    assert_eq!(at(bench, Place::Cancelled).await, cancelled);
}

/// Jobs in each of the places that wait.
async fn waiting(bench: &Bench) -> Vec<JobId> {
    bench.inbox().await;
    let mut ids = bench.puts(3).await;
    ids.push(bench.put(grouped("g")).await);
    let behind = [bench.put(grouped("g")).await, bench.put(grouped("g")).await];
    for delay in 1..5 {
        ids.push(bench.put(NewJob { delay: Millis(delay * 1_000), ..new_job() }).await);
    }
    ids.extend(behind);
    ids
}

async fn a_state_is_listed_place_by_place(bench: &Bench) {
    let ids = waiting(bench).await;
    assert_eq!(pages(bench, query(JobState::Ready.places())).await, [ids]);
    for state in [JobState::Leased, JobState::Done, JobState::Dead, JobState::Cancelled] {
        assert_eq!(pages(bench, query(state.places())).await.concat(), []);
    }
}

async fn pages_tile_whatever_their_size(bench: &Bench) {
    let ids = waiting(bench).await;
    for _ in 0..7 {
        die(bench, NewJob { priority: 9, ..new_job() }, "x").await;
    }
    let dead = at(bench, Place::Dead).await;
    assert_eq!(dead.len(), 7);
    for limit in 1..=ids.len() {
        let limit = u32::try_from(limit).unwrap();
        let places = JobState::Ready.places();
        let parts = pages(bench, ListQuery { limit, ..query(places) }).await;
        assert!(parts.iter().all(|part| part.len() <= limit as usize));
        assert_eq!(parts.concat(), ids);
        let parts = pages(bench, ListQuery { limit, ..query(&[Place::Dead]) }).await;
        assert_eq!(parts.concat(), dead);
    }
}

async fn a_page_has_no_more_bytes_than_asked_for(bench: &Bench) {
    bench.inbox().await;
    for _ in 0..2 {
        die(bench, new_job(), &"x".repeat(40)).await;
    }
    let parts = pages(bench, ListQuery { max_bytes: 79, ..query(&[Place::Dead]) }).await;
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1], "errors have bytes too");
    let id = die(bench, new_job(), &"x".repeat(900)).await;
    govern(bench, requeue(id)).await;
    let job = bench.take_one().await;
    bench.ended(&job, fail("y")).await;
    for (last_attempt, errors, first) in [(false, 2, 1), (true, 1, 3)] {
        let all = ListQuery { last_attempt, max_bytes: 700, ..query(&[Place::Dead]) };
        let page = bench.engine().list(all).await.unwrap().unwrap();
        assert_eq!(page.jobs.len(), first, "what is not shown has no weight");
        let its = page.jobs.iter().find(|read| read.id == id).unwrap();
        assert_eq!((its.attempts.len(), &*its.attempts.last().unwrap().error), (errors, "y"));
    }
    let mut ids = Vec::new();
    for bytes in [10, 10, 10, 50, 10] {
        ids.push(bench.put(NewJob { data: "x".repeat(bytes), ..new_job() }).await);
    }
    let parts = pages(bench, ListQuery { max_bytes: 25, ..query(&[Place::Ready]) }).await;
    assert_eq!(parts, [&ids[..2], &ids[2..3], &ids[3..4], &ids[4..]]);
}

async fn jobs_are_listed_by_type_and_error(bench: &Bench) {
    bench.inbox().await;
    let mail = || NewJob { kind: "mail".to_owned(), ..new_job() };
    let a = die(bench, mail(), "Connection refused").await;
    let b = die(bench, new_job(), "connection REFUSED by peer").await;
    let c = die(bench, mail(), "no such address").await;
    let by = async |kind: Option<&str>, error: Option<&str>| {
        let sieve = Sieve { kind: kind.map(str::to_owned), error: error.map(str::to_owned) };
        pages(bench, ListQuery { sieve, ..query(&[Place::Dead]) }).await.concat()
    };
    assert_eq!(by(None, None).await, [c, b, a]);
    assert_eq!(by(Some("mail"), None).await, [c, a]);
    assert_eq!(by(None, Some("Refused")).await, [b, a]);
    assert_eq!(by(Some("mail"), Some("refused")).await, [a]);
    assert_eq!(by(Some("none"), None).await, []);
}

async fn a_page_may_be_short_where_much_is_looked_at(bench: &Bench) {
    bench.inbox().await;
    let mut jobs: Vec<_> = (0..LIST_JOBS + 5).map(|_| new_job()).collect();
    jobs[LIST_JOBS + 2].kind = "rare".to_owned();
    let rare = jobs[LIST_JOBS + 2].id;
    bench.enqueue_all(Enqueue { jobs, promise: None, then: Vec::new() }).await;
    let sieve = Sieve { kind: Some("rare".to_owned()), error: None };
    let parts = pages(bench, ListQuery { sieve, ..query(&[Place::Ready]) }).await;
    assert_eq!(parts, [vec![], vec![rare]]);
}

async fn other_queues_are_not_listed(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    bench.put(NewJob { queue: "other".to_owned(), ..new_job() }).await;
    let mine = bench.puts(2).await;
    assert_eq!(at(bench, Place::Ready).await, mine);
    let other = QueueName { name: "other".to_owned(), ..inbox() };
    let wanted = Wanted::Of { ns: WORK.to_owned(), queue: "other".to_owned(), most: 1 };
    let claim = Claim { wanted, ..claim(1) };
    let theirs = jobs(bench.claimed(claim).await)[0].id;
    let held = bench.take_ids(1).await;
    assert_eq!(at(bench, Place::Leased).await, held);
    let leased = ListQuery { queue: other, ..query(&[Place::Leased]) };
    assert_eq!(pages(bench, leased).await, [[theirs]]);
    let none = QueueName { name: "none".to_owned(), ..inbox() };
    let none = bench.engine().list(ListQuery { queue: none, ..query(&[Place::Ready]) }).await;
    assert_eq!(none.unwrap(), None);
}

async fn what_has_just_come_due_is_shown_as_it_is(bench: &Bench) {
    bench.inbox().await;
    let id = bench.put(NewJob { delay: Millis(100), ..new_job() }).await;
    bench.step(100);
    let page = bench.engine().list(query(&[Place::Delayed])).await.unwrap().unwrap();
    assert_eq!(page.jobs, [bench.job(id).await]);
    assert_eq!(page.jobs[0].place, Place::Ready);
}
