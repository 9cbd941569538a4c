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
    let caller = asker.unwrap_or(PersonId::SERVICE);
    Promise::Key(Idempotency { key, caller, body_hash: hash(said) })
}

/// By the job's id, where who enqueues it has made that. The digest is hashed as a key's words are: so it is
/// stored, by the builds too that kept each id as a key.
pub(crate) fn by_id(job: &NewJob) -> Promise {
    Promise::Id(hash(&[&digest_of_job(job)]))
}

fn hash(said: &[&[u8]]) -> [u8; 32] {
    let hash = said.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::{id::JobId, work::Task};

    #[test]
    fn what_is_said_with_an_id_is_hashed_as_it_is_stored() {
        let task = Task { title: "Call Bo".to_owned(), body: String::new() };
        let job = NewJob { group: Some("ward-7".to_owned()), ..NewJob::of(JobId::NIL, &task) };
        let Promise::Id(said) = by_id(&job) else { panic!("no id") };
        let said: String = said.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(said, "578fa0990cdfce41f964eac0f57f6c6d4eaa1fbd7bc5f3026bac3f6e1d070e8a");
    }
}
