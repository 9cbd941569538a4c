//! What the writing thread holds of queues over the calls of its batches is what stands there.

use super::{
    super::rig::message,
    bench::*,
    commits::{Fails, Once},
};
use futures_util::future::join_all;
use holdfast_backend::engine::sqlite::{Commits, Options};
use holdfast_common::{
    event::Verified,
    id::PersonId,
    job::{NewJob, Place, QueueSettings, limits::TEND_JOBS},
    storage::{
        Append, Appended, Fault,
        jobs::{Claimed, Enqueue, Enqueued},
    },
    time::Millis,
};
use rusqlite::Connection;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, Ordering::SeqCst},
        mpsc::{Receiver, Sender, channel},
    },
};

#[tokio::test]
async fn a_batch_that_was_not_committed_leaves_no_counts_and_no_fence() {
    for how in [Fails::Before, Fails::Undone, Fails::After] {
        let once = Once::default();
        let commits = Box::new(once.clone());
        let bench = Bench::sqlite_with(Options { commits, ..Options::default() });
        bench.inbox().await;
        bench.puts(4).await;
        let mut fences = BTreeSet::from([bench.take_one().await.token.fence]);
        once.fail(how);
        assert!(bench.engine().claim(claim(1)).await.is_err());
        assert!(once.is_over());
        bench.counted().await;
        let left = if how == Fails::After { 2 } else { 3 };
        let taken = bench.take(9).await;
        assert_eq!(taken.len(), left);
        fences.extend(taken.iter().map(|job| job.token.fence));
        assert_eq!(fences.len(), 1 + left, "no fence is given twice");
        bench.counted().await;
    }
}

/// More than are stored ahead of those that are given.
#[tokio::test]
async fn fences_rise_however_many_are_given_and_over_each_restart() {
    let bench = Bench::sqlite();
    bench.inbox().await;
    bench.puts(1_110).await;
    let mut fences = Vec::new();
    for (claims, most) in [(11, 100), (1, 5), (1, 5)] {
        for _ in 0..claims {
            fences.extend(bench.take(most).await.iter().map(|job| job.token.fence));
        }
        bench.reopen(0);
    }
    assert_eq!(fences.len(), 1_110);
    assert!(fences.is_sorted_by(|one, next| one < next), "{fences:?}");
}

/// What the batch behind the next commit is to meet.
type Trigger = Arc<Mutex<Option<&'static str>>>;

/// Commits the next of which, once they are asked to, says that it has begun and waits for a word.
struct Gate {
    shut: Arc<AtomicU8>,
    trigger: Trigger,
    begun: Sender<()>,
    go: Mutex<Receiver<()>>,
}

impl Commits for Gate {
    fn commit(&mut self, db: &Connection) -> rusqlite::Result<()> {
        if self.shut.swap(0, SeqCst) == 1 {
            self.begun.send(()).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
        db.execute_batch("COMMIT")?;
        self.trigger.lock().unwrap().take().map_or(Ok(()), |sql| db.execute_batch(sql))
    }
}

/// A bench whose batch of many calls is made by holding up the commit before it.
struct Held {
    bench: Bench,
    shut: Arc<AtomicU8>,
    trigger: Trigger,
    begun: Receiver<()>,
    go: Sender<()>,
}

impl Held {
    async fn new() -> Self {
        let (shut, trigger) = (Arc::<AtomicU8>::default(), Trigger::default());
        let ((begins, begun), (go, goes)) = (channel(), channel());
        let goes = Mutex::new(goes);
        let (own, sql) = (Arc::clone(&shut), Arc::clone(&trigger));
        let commits = Gate { shut: own, trigger: sql, begun: begins, go: goes };
        let options = Options { commits: Box::new(commits), ..Options::default() };
        let bench = Bench::sqlite_with(options);
        bench.inbox().await;
        Self { bench, shut, trigger, begun, go }
    }

    /// All that is submitted by this is of one batch.
    async fn together<T>(&self, submits: impl AsyncFnOnce(&Bench) -> T) -> T {
        self.shut.store(1, SeqCst);
        let first = self.bench.engine().enqueue(one(&self.bench, new_job()));
        self.begun.recv().unwrap();
        let go = self.go.clone();
        let done = submits(&self.bench);
        let (done, first) = futures_util::future::join(done, async {
            go.send(()).unwrap();
            first.await
        })
        .await;
        assert!(matches!(first, Ok((Enqueued::Made { .. }, _))));
        done
    }
}

fn one(bench: &Bench, job: NewJob) -> Enqueue {
    bench.know(&[job.id]);
    Enqueue { jobs: vec![job], promise: None, then: Vec::new() }
}

/// An append that fails, so that each call of its batch is run by itself.
async fn failing(bench: &Bench) -> Append {
    let rig = bench.rig();
    let room = rig.room().await;
    let lost = NewJob { queue: "elsewhere".to_owned(), ..new_job() };
    let mut append = rig.read_facts(message(room, PersonId::NIL, "x")).await;
    append.verified = Verified::Allowed { reply: "null".to_owned(), jobs: vec![lost] };
    append
}

#[tokio::test]
async fn a_call_that_fails_takes_nothing_of_the_others_of_its_batch_along() {
    let held = Held::new().await;
    let append = failing(&held.bench).await;
    let (made, failed, taken) = held
        .together(async |bench| {
            let made: Vec<_> =
                (0..5).map(|_| bench.engine().enqueue(one(bench, new_job()))).collect();
            let failed = bench.engine().append(append);
            let taken: Vec<_> = (0..4).map(|_| bench.engine().claim(claim(1))).collect();
            (join_all(made).await, failed.await, join_all(taken).await)
        })
        .await;
    assert!(made.iter().all(|made| matches!(made, Ok((Enqueued::Made { .. }, _)))));
    assert!(matches!(failed, Appended::Fault(Fault::Failed(_))), "{failed:?}");
    let fences = taken.into_iter().flat_map(|it| jobs(it.unwrap().0)).map(|it| it.token.fence);
    assert_eq!(fences.collect::<BTreeSet<_>>().len(), 4);
    let counts = held.bench.counts().await;
    assert_eq!((counts.ready, counts.leased), (2, 4));
    held.bench.counted().await;
}

#[tokio::test]
async fn what_comes_overdue_after_a_claim_of_its_batch_holds_up_no_later_one() {
    let held = Held::new().await;
    let (before, made, after) = held
        .together(async |bench| {
            let before = bench.engine().claim(claim(1));
            let over = NewJob { expires: Some(Millis(0)), priority: 9, ..new_job() };
            let over = [one(bench, over), one(bench, new_job())];
            let made: Vec<_> = over.map(|it| bench.engine().enqueue(it)).into_iter().collect();
            let after = bench.engine().claim(claim(1));
            (before.await, join_all(made).await, after.await)
        })
        .await;
    assert_eq!(jobs(before.unwrap().0).len(), 1);
    assert!(made.iter().all(Result::is_ok));
    let (after, _): (Claimed, _) = after.unwrap();
    assert_eq!(jobs(after).len(), 1, "the one behind what has expired");
    let counts = held.bench.counts().await;
    assert_eq!((counts.ready, counts.leased, counts.dead), (0, 2, 1));
}

#[tokio::test]
async fn what_could_not_be_stored_of_a_call_is_not_stored_with_the_next_one() {
    let held = Held::new().await;
    let append = failing(&held.bench).await;
    *held.trigger.lock().unwrap() = Some(
        "CREATE TEMP TRIGGER late BEFORE UPDATE ON main.queues WHEN NEW.delayed > 0
         BEGIN SELECT RAISE(ABORT, 'not so many'); END",
    );
    let (failed, late, made) = held
        .together(async |bench| {
            let failed = bench.engine().append(append);
            let late = NewJob { delay: Millis(60_000), ..new_job() };
            let late = bench.engine().enqueue(one(bench, late));
            let made = bench.engine().enqueue(one(bench, new_job()));
            (failed.await, late.await, made.await)
        })
        .await;
    assert!(matches!(failed, Appended::Fault(Fault::Failed(_))), "{failed:?}");
    assert!(late.is_err(), "{late:?}");
    assert!(made.is_ok(), "{made:?}");
    let counts = held.bench.counts().await;
    assert_eq!((counts.ready, counts.delayed), (2, 0));
    held.bench.counted().await;
}

#[tokio::test]
async fn what_is_overdue_as_it_comes_back_holds_up_no_later_claim_of_its_batch() {
    let held = Held::new().await;
    let bench = &held.bench;
    bench.put(NewJob { expires: Some(Millis(5_000)), priority: 9, ..new_job() }).await;
    let begun = bench.take_one().await;
    bench.pass(6_000).await;
    let (before, back, made, after) = held
        .together(async |bench| {
            let before = bench.engine().claim(claim(1));
            let back = bench.engine().end(end(begun.id, begun.token, snooze(0)));
            let made = bench.engine().enqueue(one(bench, new_job()));
            let after = bench.engine().claim(claim(1));
            (before.await, back.await, made.await, after.await)
        })
        .await;
    assert_eq!(jobs(before.unwrap().0).len(), 1);
    assert!(back.is_ok() && made.is_ok());
    assert_eq!(jobs(after.unwrap().0).len(), 1, "the one behind what has expired");
    let counts = bench.counts().await;
    assert_eq!((counts.ready, counts.leased, counts.dead), (0, 2, 1));
    bench.counted().await;
}

#[tokio::test]
async fn what_a_batch_has_counted_is_there_when_it_is_tended() {
    let held = Held::new().await;
    let bench = &held.bench;
    bench.queue(INBOX, QueueSettings { keep: Millis(0), ..settings() }).await;
    bench.puts(2).await;
    let begun = bench.take_one().await;
    bench.ended(&begun, complete()).await;
    let (made, tended) = held
        .together(async |bench| {
            let made = bench.engine().enqueue(one(bench, new_job()));
            let engine = bench.engine();
            futures_util::future::join(made, engine.tend()).await
        })
        .await;
    assert!(made.is_ok() && tended.is_ok());
    let counts = bench.counts().await;
    assert_eq!((counts.ready, counts.done), (3, 0), "what was done is removed");
    bench.counted().await;
}

#[tokio::test]
async fn the_calls_of_a_batch_sweep_up_no_more_together_than_a_tending() {
    let held = Held::new().await;
    let bench = &held.bench;
    let late = (0..4 * TEND_JOBS).map(|_| NewJob { delay: Millis(10), ..new_job() }).collect();
    bench.enqueue_all(Enqueue { jobs: late, promise: None, then: Vec::new() }).await;
    bench.step(10);
    let (taken, made) = held
        .together(async |bench| {
            let taken: Vec<_> = (0..4).map(|_| bench.engine().claim(claim(1))).collect();
            let then = vec![claim(1), claim(1)];
            let made = bench.engine().enqueue(Enqueue { then, ..one(bench, new_job()) });
            (join_all(taken).await, made.await)
        })
        .await;
    let mut moves: Vec<_> = taken.into_iter().map(|answer| answer.unwrap().1).collect();
    moves.push(made.unwrap().1);
    let moved = moves.into_iter().flat_map(|moves| moves.queues).flat_map(|queue| queue.jobs);
    let due = moved.filter(|moved| moved.from == Some(Place::Delayed)).count();
    assert_eq!(due, TEND_JOBS);
    bench.counted().await;
}
