//! What tests inside the crate share, and what can be seen there alone.

use super::{Poll, tend};
use crate::{
    app::{Builder, Shared},
    domain::work::WorkRules,
    engine::{Engine, memory::MemoryEngine},
};
use holdfast_common::{
    id::JobId,
    job::{Holder, NewJob, Place, limits::SNOOZES},
    storage::jobs::{Claim, Claimed, Enqueued, JobRead, Moves, QueueName, Wanted},
    time::Millis,
    work,
};
use std::{future::pending, sync::Arc, time::Duration};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) async fn server() -> Arc<Shared> {
    over(Arc::new(MemoryEngine::default())).await
}

pub(crate) async fn over(engine: Arc<dyn Engine>) -> Arc<Shared> {
    let builder = Builder::new(engine).namespace(work::Serve(WorkRules)).queues(work::queues());
    let (_, handle) = builder.build().await.unwrap();
    handle.shared()
}

pub(crate) async fn until(mut is: impl AsyncFnMut() -> bool) {
    let until = async {
        while !is().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, until).await.expect("it comes to be so");
}

fn id(n: u16) -> JobId {
    JobId::new(n.into(), &[7; 10])
}

fn job(n: u16) -> NewJob {
    NewJob {
        id: id(n),
        ns: "work".to_owned(),
        queue: "inbox".to_owned(),
        kind: "task".to_owned(),
        data: r#"{"title":"x"}"#.to_owned(),
        delay: Millis(0),
        priority: 0,
        group: None,
        most: None,
        backoff: None,
        expires: None,
        asker: None,
    }
}

/// Enqueues these with one commit.
pub(crate) async fn enqueue(shared: &Shared, jobs: impl IntoIterator<Item = u16>) {
    let enqueued = shared.queues.desk.enqueue(jobs.into_iter().map(job).collect(), None);
    let enqueued = tokio::time::timeout(PATIENCE, enqueued).await.expect("there is a turn");
    assert!(matches!(enqueued, Ok(Enqueued::Made { .. })));
}

pub(crate) async fn read(shared: &Shared, n: u16) -> JobRead {
    shared.engine.job(id(n)).await.unwrap().unwrap()
}

fn poll(shared: &Shared, most: u32) -> Poll {
    let queue = QueueName { ns: "work".to_owned(), name: "inbox".to_owned() };
    let holder = Holder { consumer: "tester".to_owned(), person: None };
    Poll::begin(&shared.queues.desk, Arc::new(queue), holder, None, most).unwrap()
}

#[tokio::test]
async fn what_came_for_a_poll_whose_caller_leaves_is_there_again_and_no_attempt_is_lost() {
    let shared = server().await;
    let left = poll(&shared, 9);
    enqueue(&shared, 1..=3).await;
    until(async || read(&shared, 3).await.place == Place::Leased).await;
    drop(left);
    for n in 1..=3 {
        until(async || read(&shared, n).await.place == Place::Ready).await;
        assert_eq!(read(&shared, n).await.attempt, 0);
    }
    // And so of one that is left while it waits.
    let jobs = tokio::spawn(poll(&shared, 9).jobs(PATIENCE, pending()));
    jobs.abort();
    let _ = jobs.await;
    for n in 1..=3 {
        until(async || read(&shared, n).await.place == Place::Ready).await;
    }
}

#[tokio::test]
async fn a_job_that_the_server_hands_back_as_often_as_it_likes_stays_what_it_was() {
    let shared = server().await;
    let desk = &shared.queues.desk;
    enqueue(&shared, [1]).await;
    for n in 0..=SNOOZES {
        let (ns, queue) = ("work".to_owned(), "inbox".to_owned());
        let holder = Holder { consumer: "tester".to_owned(), person: None };
        let claim = Claim { wanted: Wanted::Of { ns, queue, most: 1 }, holder, lease: None };
        let Ok((Claimed::Jobs { jobs, .. }, _)) = desk.claim(claim).await else { panic!("{n}") };
        desk.hand_back(vec![(jobs[0].id, jobs[0].token)]).await;
        let now = read(&shared, 1).await;
        assert_eq!((now.place, now.attempt), (Place::Ready, 0), "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_said_to_be_due_while_the_store_is_tended_to_is_not_forgotten() {
    let shared = server().await;
    let desk = &shared.queues.desk;
    let now = desk.now();
    desk.doze(tend::LONGEST);
    desk.due_in(Millis(50));
    desk.rest(tend::LONGEST);
    assert_eq!(desk.until(now), desk.at(now + Millis(50)));
}

#[tokio::test]
async fn it_is_known_how_far_the_store_has_come_also_where_nothing_moves() {
    let shared = server().await;
    let desk = &shared.queues.desk;
    desk.moved(&Moves { version: 1_000_000, queues: Vec::new() });
    assert!(desk.newest() > 1_000_000);
}
