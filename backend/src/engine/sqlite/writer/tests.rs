//! A failed fsync that a statement reports, which no test can bring about from outside.

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
