//! By what the same end, said again, is known.

use holdfast_common::{job::Digest, storage::jobs::How};
use sha2::{Digest as _, Sha256};

/// Of all that is said with an end. It is stored, so it stays as it is.
pub(super) fn digest(how: &How) -> Digest {
    let mut sha = Sha256::new();
    match how {
        How::Complete { result } => {
            sha.update([1]);
            text(&mut sha, result.as_deref());
        }
        How::Fail { reason, failure, retry } => {
            sha.update([2]);
            text(&mut sha, Some(reason));
            text(&mut sha, failure.as_deref());
            number(&mut sha, retry.map(|least| least.0));
        }
        How::Snooze { delay } => {
            sha.update([3]);
            number(&mut sha, Some(delay.0));
        }
    }
    sha.finalize().into()
}

/// With its length before it, so that no two texts flow together.
fn text(sha: &mut Sha256, text: Option<&str>) {
    number(sha, text.map(|text| text.len() as u64));
    sha.update(text.unwrap_or_default());
}

fn number(sha: &mut Sha256, number: Option<u64>) {
    sha.update([u8::from(number.is_some())]);
    sha.update(number.unwrap_or_default().to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::time::Millis;
    use std::collections::BTreeSet;

    fn fail(reason: &str, failure: Option<&str>, retry: Option<u64>) -> How {
        let (reason, failure) = (reason.to_owned(), failure.map(str::to_owned));
        How::Fail { reason, failure, retry: retry.map(Millis) }
    }

    #[test]
    fn whatever_is_said_otherwise_has_another_digest() {
        let ends = [
            How::Complete { result: None },
            How::Complete { result: Some("null".to_owned()) },
            How::Complete { result: Some(String::new()) },
            fail("", None, None),
            fail("", None, Some(0)),
            fail("", Some(""), None),
            fail("a", Some("b"), None),
            fail("ab", Some(""), None),
            How::Snooze { delay: Millis(0) },
            How::Snooze { delay: Millis(1) },
        ];
        let digests: BTreeSet<_> = ends.iter().map(digest).collect();
        assert_eq!(digests.len(), ends.len());
        assert_eq!(digest(&ends[6]), digest(&ends[6].clone()));
    }
}
