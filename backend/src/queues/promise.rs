//! By what the repeat of an enqueue is known for one.

use crate::engine::digest_of_job;
use holdfast_common::{
    id::PersonId,
    job::NewJob,
    storage::{Idempotency, jobs::Promise},
};
use sha2::{Digest, Sha256};

/// By a key, which is its caller's: that of a person is no other's. What is said with it is one text, however
/// many its parts.
pub(crate) fn by_key(key: String, asker: Option<PersonId>, said: &[&[u8]]) -> Promise {
    let hash = said.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
    let caller = asker.unwrap_or(PersonId::SERVICE);
    Promise::Key(Idempotency { key, caller, body_hash: hash.finalize().into() })
}

/// By the job's id, where who enqueues it has made that. The digest is hashed as a key's words are: so it is
/// stored, by the builds too that kept each id as a key.
pub(crate) fn by_id(job: &NewJob) -> Promise {
    Promise::Id(Sha256::digest(digest_of_job(job)).into())
}
