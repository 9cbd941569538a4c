//! What SQLite's engine promises when the disk does not do as it should.

use super::{folder::Folder, rig::*};
use futures_util::future::BoxFuture;
use holdfast_backend::engine::sqlite::{Commits, Fatal, Options, SqliteEngine};
use holdfast_common::{
    id::{PersonId, RoomId},
    storage::{Append, Appended, Fault},
};
use rusqlite::{Connection, Error, ffi};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, AtomicU64, Ordering},
    mpsc::{Receiver, Sender, channel},
};

/// What goes wrong, and when.
#[derive(Default)]
struct Plan {
    /// The database may not grow beyond this many pages.
    pages: AtomicU64,
    /// What the next commit says.
    commit: Mutex<Option<Broken>>,
    /// The next transaction begins when this one hears something.
    gate: Mutex<Option<Receiver<()>>>,
    /// Run on the writer's connection as the next transaction begins.
    prepare: Mutex<Option<&'static str>>,
    commits: AtomicU64,
    ends: AtomicU32,
}

enum Broken {
    /// An error before anything was written.
    Before(i32),
    /// An error although everything was written.
    After(i32),
    Panics,
}

struct Faults(Arc<Plan>);

impl Commits for Faults {
    fn begin(&mut self, db: &Connection) -> rusqlite::Result<()> {
        let gate = self.0.gate.lock().unwrap().take();
        if let Some(gate) = gate {
            gate.recv().unwrap();
        }
        let sql = self.0.prepare.lock().unwrap().take();
        db.execute_batch(sql.unwrap_or_default())?;
        let pages = self.0.pages.load(Ordering::Relaxed);
        db.execute_batch(&format!("PRAGMA max_page_count = {pages}; BEGIN IMMEDIATE"))
    }

    fn commit(&mut self, db: &Connection) -> rusqlite::Result<()> {
        self.0.commits.fetch_add(1, Ordering::Relaxed);
        let broken = self.0.commit.lock().unwrap().take();
        if !matches!(broken, Some(Broken::Before(_) | Broken::Panics)) {
            db.execute_batch("COMMIT")?;
        }
        match broken {
            None => Ok(()),
            Some(Broken::Before(code) | Broken::After(code)) => {
                Err(Error::SqliteFailure(ffi::Error::new(code), None))
            }
            Some(Broken::Panics) => panic!("on purpose"),
        }
    }
}

struct Counted(Arc<Plan>);

impl Fatal for Counted {
    fn end(&self, _why: &str) {
        self.0.ends.fetch_add(1, Ordering::Relaxed);
    }
}

/// No database is larger.
const NO_LIMIT: u64 = 0xffff_fffe;

/// An append's answer to come.
type Answer = BoxFuture<'static, Appended>;

struct Stage {
    plan: Arc<Plan>,
    rig: Rig,
    room: RoomId,
    ada: super::rig::Sender,
    folder: Folder,
}

async fn start() -> Stage {
    let (folder, plan) = (Folder::new(), Arc::new(Plan::default()));
    plan.pages.store(NO_LIMIT, Ordering::Relaxed);
    let options = Options {
        fatal: Arc::new(Counted(Arc::clone(&plan))),
        commits: Box::new(Faults(Arc::clone(&plan))),
        ..Options::default()
    };
    let engine = SqliteEngine::open_with(folder.path(), options).unwrap();
    let rig = Rig::of(Arc::new(engine));
    let (room, ada) = (rig.room().await, rig.sender().await);
    Stage { plan, rig, room, ada, folder }
}

impl Stage {
    /// The writer's next batch begins when something is sent here.
    fn close_gate(&self) -> Sender<()> {
        let (open, gate) = channel();
        *self.plan.gate.lock().unwrap() = Some(gate);
        open
    }

    fn next_commit(&self, broken: Broken) {
        *self.plan.commit.lock().unwrap() = Some(broken);
    }

    async fn append(&self, n: u64) -> Append {
        let mut append = message(self.room, self.ada.person, "held");
        append.lane = self.ada.number(n, 0);
        self.rig.read_facts(append).await
    }

    /// An append, and nine that come together behind it while it is held back: the sixth, which has
    /// no number, meets this trigger.
    async fn batch(&self, trigger: &'static str) -> (Answer, Vec<(Answer, Append)>) {
        let append = self.append(1).await;
        *self.plan.prepare.lock().unwrap() = Some(trigger);
        let open = self.close_gate();
        let first = self.rig.engine.append(append.clone());
        while self.plan.gate.lock().unwrap().is_some() {
            tokio::task::yield_now().await;
        }
        let mut numbers = 2..;
        let batch = (0..9).map(|nth| {
            let mut more = message(self.room, self.ada.person, "one of many");
            more.versions = append.versions;
            if nth == 5 {
                more.kind = "poison".to_owned();
            } else {
                more.lane = numbers.next().and_then(|n| self.ada.number(n, 0));
            }
            (self.rig.engine.append(more.clone()), more)
        });
        let batch = batch.collect();
        open.send(()).unwrap();
        (first, batch)
    }

    async fn head(&self) -> u64 {
        let slice = self.rig.slice(self.room, 0).await;
        assert_chained(&slice);
        slice.head.offset
    }
}

fn fault(appended: Appended) -> Fault {
    match appended {
        Appended::Fault(fault) => fault,
        other => panic!("no fault: {other:?}"),
    }
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let at = start().await;
    let append = at.append(1).await;
    let open = at.close_gate();
    let mut waiting = vec![at.rig.engine.append(append.clone())];
    for _ in 0..300 {
        let more = message(at.room, at.ada.person, "together");
        let versions = append.versions;
        waiting.push(at.rig.engine.append(Append { versions, ..more }));
    }
    let before = at.rig.engine.commits();
    open.send(()).unwrap();
    for (n, appended) in waiting.into_iter().enumerate() {
        assert_eq!(acked(&appended.await), n as u64 + 2);
    }
    // The first went with what had come by then, all others in one more.
    let commits = at.rig.engine.commits() - before;
    assert!((1..=2).contains(&commits), "{commits} commits");
    assert_eq!(at.rig.engine.commits(), at.plan.commits.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_commit_that_failed_does_not_count_as_one() {
    let at = start().await;
    let append = at.append(1).await;
    let before = at.rig.engine.commits();
    at.next_commit(Broken::Before(ffi::SQLITE_FULL));
    fault(at.rig.engine.append(append.clone()).await);
    assert_eq!(at.rig.engine.commits(), before);
    acked(&at.rig.engine.append(append).await);
    assert_eq!(at.rig.engine.commits(), before + 1);
}

#[tokio::test]
async fn more_than_may_wait_is_overloaded_at_once() {
    let at = start().await;
    let append = at.append(1).await;
    let open = at.close_gate();
    let mut waiting = Vec::new();
    for _ in 0..6_000 {
        let more = message(at.room, at.ada.person, "too much");
        let versions = append.versions;
        waiting.push(at.rig.engine.append(Append { versions, ..more }));
    }
    open.send(()).unwrap();
    let (mut acks, mut refused) = (0, 0);
    for appended in waiting {
        match appended.await {
            Appended::Fault(Fault::Overloaded) => refused += 1,
            appended => {
                acks += 1;
                assert_eq!(acked(&appended), acks + 1);
            }
        }
    }
    assert!(acks >= 4_096 && refused > 0);
    assert_eq!(at.head().await, acks + 1);
}

#[tokio::test]
async fn a_full_disk_is_survived_and_recovers_by_itself() {
    let at = start().await;
    let db = Connection::open(at.folder.path().join("holdfast.db")).unwrap();
    let pages: u64 = db
        .pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))
        .unwrap()
        .cast_unsigned();
    drop(db);
    at.plan.pages.store(pages + 40, Ordering::Relaxed);
    let large = async |n| {
        let mut append = at.append(n).await;
        append.data = format!(r#"{{"text":"{}"}}"#, "x".repeat(30_000));
        append
    };
    let mut n = 0;
    let full = loop {
        n += 1;
        match at.rig.engine.append(large(n).await).await {
            Appended::Fault(fault) => break fault,
            appended => assert_eq!(acked(&appended), n + 1),
        }
    };
    assert!(n > 2, "there was room for some");
    assert_eq!(full, Fault::Full);
    assert_eq!(fault(at.rig.engine.append(large(n).await).await), Fault::Full);
    assert_eq!(at.rig.engine.ready().await, Err(Fault::Full));
    assert_eq!(at.head().await, n);

    at.plan.pages.store(NO_LIMIT, Ordering::Relaxed);
    assert_eq!(at.rig.engine.ready().await, Ok(()));
    assert_eq!(acked(&at.rig.engine.append(large(n).await).await), n + 1);
    assert_eq!(at.head().await, n + 1);
}

#[tokio::test]
async fn a_disk_that_fills_at_the_commit_has_taken_nothing() {
    let at = start().await;
    at.next_commit(Broken::Before(ffi::SQLITE_FULL));
    assert_eq!(fault(at.rig.engine.append(at.append(1).await).await), Fault::Full);
    assert_eq!(at.head().await, 1);
    assert_eq!(at.rig.engine.ready().await, Ok(()), "the probe went well");
    assert_eq!(acked(&at.rig.engine.append(at.append(1).await).await), 2);
}

#[tokio::test]
async fn a_commit_that_was_rolled_back_has_failed() {
    let at = start().await;
    at.next_commit(Broken::Before(ffi::SQLITE_IOERR_WRITE));
    let failed = fault(at.rig.engine.append(at.append(1).await).await);
    assert!(matches!(failed, Fault::Failed(_)));
    assert_eq!(acked(&at.rig.engine.append(at.append(1).await).await), 2);
    assert_eq!(at.plan.ends.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_commit_that_may_have_happened_is_unknown() {
    let at = start().await;
    at.next_commit(Broken::After(ffi::SQLITE_IOERR_WRITE));
    let unknown = fault(at.rig.engine.append(at.append(1).await).await);
    assert!(matches!(unknown, Fault::Unknown(_)));
    // It has, in fact: sent again, the number has its verdict.
    let again = at.rig.engine.append(at.append(1).await).await;
    assert!(matches!(again, Appended::Again(_)));
    assert_eq!(acked(&again), 2);
}

#[tokio::test]
async fn a_failed_fsync_ends_the_process() {
    let at = start().await;
    at.next_commit(Broken::After(ffi::SQLITE_IOERR_FSYNC));
    let unknown = fault(at.rig.engine.append(at.append(1).await).await);
    assert!(matches!(unknown, Fault::Unknown(_)));
    assert_eq!(at.plan.ends.load(Ordering::Relaxed), 1);
    // Where the end does not come, as here, nothing is acked any more.
    let failed = fault(at.rig.engine.append(at.append(1).await).await);
    assert!(matches!(failed, Fault::Failed(_)));
    assert!(matches!(at.rig.engine.ready().await, Err(Fault::Failed(_))));
    assert_eq!(at.plan.ends.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_panic_of_the_writer_ends_the_process() {
    let at = start().await;
    at.next_commit(Broken::Panics);
    let unknown = fault(at.rig.engine.append(at.append(1).await).await);
    assert!(matches!(unknown, Fault::Unknown(_)));
    while at.plan.ends.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    // Where the end does not come, as here, nothing is taken any more.
    let failed = fault(at.rig.engine.append(at.append(1).await).await);
    assert!(matches!(failed, Fault::Failed(_)));
    assert!(at.rig.engine.ready().await.is_err());
}

#[tokio::test]
async fn one_that_fails_takes_nothing_of_what_is_committed_with_it() {
    let at = start().await;
    let (first, batch) = at
        .batch(
            "CREATE TEMP TRIGGER poison AFTER INSERT ON main.entries WHEN NEW.kind = 'poison'
             BEGIN SELECT RAISE(FAIL, 'failed, and left what it had done'); END",
        )
        .await;
    assert_eq!(acked(&first.await), 2);
    let before = at.rig.engine.commits();
    let mut offsets = Vec::new();
    for (appended, append) in batch {
        match appended.await {
            Appended::Fault(fault) => {
                assert!(append.kind == "poison" && matches!(fault, Fault::Failed(_)));
            }
            appended => offsets.push(acked(&appended)),
        }
    }
    assert_eq!(offsets, (3..=10).collect::<Vec<_>>());
    assert_eq!(at.head().await, 10);
    assert!(at.rig.engine.commits() - before <= 1);
}

#[tokio::test]
async fn a_transaction_that_sqlite_rolled_back_took_all_of_its_batch_with_it() {
    let at = start().await;
    let (first, batch) = at
        .batch(
            "CREATE TEMP TRIGGER poison BEFORE INSERT ON main.entries WHEN NEW.kind = 'poison'
             BEGIN SELECT RAISE(ROLLBACK, 'rolled back'); END",
        )
        .await;
    assert_eq!(acked(&first.await), 2);
    let mut again = Vec::new();
    for (appended, append) in batch {
        assert!(matches!(fault(appended.await), Fault::Failed(_)));
        again.push(append);
    }
    assert_eq!(at.head().await, 2);
    for append in again.into_iter().filter(|append| append.kind != "poison") {
        entry(at.rig.engine.append(append).await);
    }
    assert_eq!(at.head().await, 10);
}

#[tokio::test]
async fn commits_are_synced_in_full() {
    let at = start().await;
    *at.plan.prepare.lock().unwrap() = Some(
        "CREATE TEMP TABLE seen AS SELECT
            (SELECT synchronous FROM pragma_synchronous) AS synchronous,
            (SELECT journal_mode FROM pragma_journal_mode) AS journal_mode,
            (SELECT secure_delete FROM pragma_secure_delete) AS secure_delete;
         CREATE TEMP TRIGGER told AFTER INSERT ON main.entries
         WHEN (SELECT synchronous <> 2 OR journal_mode <> 'wal' OR secure_delete <> 1 FROM seen)
         BEGIN SELECT RAISE(ABORT, 'not as it should be'); END",
    );
    let append = message(at.room, PersonId::NIL, "safe");
    at.rig.entry(append).await;
}
