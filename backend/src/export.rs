//! Exports: a room's log as a file of JSON lines. Each is a job in the server's own queue; what is
//! written stands on the [`Shelf`] until it has been kept for long enough.

mod known;
mod part;
mod pieces;
mod shelf;
mod worker;

pub use shelf::Exports;
pub(crate) use shelf::Shelf;
pub(crate) use worker::{queue, start};

use holdfast_common::{error::Code, system::NotExported};
use std::io;

/// The code of what a file system refuses, and its own words.
fn refused(error: &io::Error) -> NotExported {
    use io::ErrorKind::{QuotaExceeded, StorageFull};
    let code = match error.kind() {
        StorageFull | QuotaExceeded => Code::StorageFull,
        _ => Code::StorageFault,
    };
    NotExported { code, detail: error.to_string() }
}

/// Has files read or written away from the threads that serve.
async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|lost| Err(io::Error::other(lost)))
}
