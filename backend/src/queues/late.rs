//! What is answered to a word about a lease that cannot be done as it is said.

use crate::app::Shared;
use holdfast_common::storage::{
    Fault,
    jobs::{Ended, Word},
};

/// What is wrong with a word is told to who holds the job. A lease that is over comes first, whichever way
/// the word came in and whatever else is wrong with it: that it is too late, or was done before.
///
/// # Errors
/// What is wrong, where the lease stands.
pub(crate) async fn unless_late<E: From<Fault>>(
    shared: &Shared,
    word: Word,
    wrong: E,
) -> Result<Ended, E> {
    let Some(ended) = shared.engine.stands(word).await? else {
        return Err(wrong);
    };
    if matches!(ended, Ended::Late(_)) {
        shared.queues.desk.metrics.jobs.fenced.add(1);
    }
    Ok(ended)
}
