//! What no test can bring about from outside: a failed fsync that a statement reports, and a batch
//! of which it is known what else is in it.

use super::*;
use crate::engine::sqlite::{Commits, Fatal, open};
use rusqlite::ffi;
use std::sync::atomic::AtomicU32;

#[derive(Default)]
struct Counted(AtomicU32);

impl Fatal for Counted {
    fn end(&self, _why: &str) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Transactions that begin with a failed fsync.
struct Broken;

impl Commits for Broken {
    fn begin(&mut self, _: &Connection) -> rusqlite::Result<()> {
        Err(failed_fsync())
    }
}

fn failed_fsync() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None)
}

fn start(options: Options) -> (Writer, Arc<Counted>) {
    let ends = Arc::new(Counted::default());
    let options = Options { fatal: Arc::clone(&ends) as Arc<dyn Fatal>, ..options };
    let ticks = Arc::new(Ticks::new(Arc::clone(&options.clocks), None));
    (Writer::start(open::in_memory(), options, ticks, Arc::default()).unwrap(), ends)
}

#[tokio::test]
async fn a_failed_fsync_in_the_middle_of_a_transaction_ends_the_process() {
    let (writer, ends) = start(Options::default());
    let failed = writer.ask(|_| Err::<(), _>(Problem::Sql(failed_fsync()))).await;
    assert!(matches!(failed, Err(Fault::Failed(_))), "{failed:?}");
    assert_eq!(ends.0.load(Relaxed), 1);
    // Where the end does not come, as here, nothing is taken any more.
    assert!(writer.ask(|_| Ok(())).await.is_err());
    assert_eq!(ends.0.load(Relaxed), 1);
}

#[tokio::test]
async fn a_failed_fsync_as_a_transaction_begins_ends_the_process() {
    let (writer, ends) = start(Options { commits: Box::new(Broken), ..Options::default() });
    assert!(writer.ask(|_| Ok(())).await.is_err());
    assert!(writer.ask(|_| Ok(())).await.is_err());
    assert_eq!(ends.0.load(Relaxed), 1);
}

#[tokio::test]
async fn a_batch_that_writes_nothing_is_not_counted_as_brought_to_the_disk() {
    let (writer, _) = start(Options::default());
    let make = |db: &Connection| Ok(db.execute_batch("CREATE TABLE notes (note TEXT)")?);
    let write = |db: &Connection| Ok(db.execute("INSERT INTO notes VALUES ('x')", [])?);
    let read = |db: &Connection| {
        Ok(db.query_row("SELECT count(*) FROM notes", [], |row| row.get::<_, i64>(0))?)
    };
    writer.ask(make).await.unwrap();
    let before = writer.commits();
    assert_eq!(writer.ask(write).await.unwrap(), 1);
    assert_eq!(writer.commits(), before + 1);
    assert_eq!(writer.ask(read).await.unwrap(), 1);
    assert_eq!(writer.commits(), before + 1);
}

#[tokio::test]
async fn what_a_transaction_has_no_time_for_goes_on_in_the_next_in_its_order() {
    for fails in [false, true] {
        in_turns(fails).await;
    }
}

/// Where one fails all are run again, each by itself.
async fn in_turns(fails: bool) {
    let (writer, _) = start(Options::default());
    let (go_on, wait) = sync_channel::<()>(1);
    // All of them wait while the first one runs.
    let first = writer.ask(move |_| {
        assert!(wait.recv().is_err());
        Ok(())
    });
    let order = Arc::new(AtomicU32::new(0));
    let make = |db: &Connection| Ok(db.execute_batch("CREATE TABLE notes (note INTEGER)")?);
    let made = writer.ask(make);
    let bad = writer.ask(move |_| if fails { Err(Problem::Other(Fault::Full)) } else { Ok(()) });
    let slow = (0..4).map(|n: u32| {
        let order = Arc::clone(&order);
        writer.ask(move |db| {
            assert_eq!(order.fetch_add(1, Relaxed), n);
            thread::sleep(desk::TURN + Duration::from_millis(1));
            Ok(db.execute("INSERT INTO notes VALUES (?1)", [n])?)
        })
    });
    let slow: Vec<_> = slow.collect();
    let before = writer.commits();
    drop(go_on);
    first.await.unwrap();
    made.await.unwrap();
    assert_eq!(bad.await.is_err(), fails);
    for written in slow {
        assert_eq!(written.await.unwrap(), 1);
    }
    let commits = writer.commits() - before;
    assert!(commits >= 4, "each takes the time of a transaction, and there were {commits}");
}
