//! By what the same word, said again, is known: an end, or an enqueue by its job's id.

use holdfast_common::{
    id::RoomId,
    job::{Digest, NewJob},
    storage::{
        Append,
        jobs::{End, How},
    },
    time::Millis,
};
use sha2::{Digest as _, Sha256};

/// Of all that is said with an end, and nothing of what the driver makes anew each time it is said:
/// ids, authors, times. It is stored, so it stays as it is.
pub(super) fn digest(end: &End) -> Digest {
    digest_of(&end.how, end.appends.iter().map(said), &end.jobs)
}

/// The same of an end's parts.
pub(super) fn digest_of<'a>(
    how: &How,
    events: impl Iterator<Item = Said<'a>>,
    jobs: &[NewJob],
) -> Digest {
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
        How::HandBack { delay: Millis(0) } => sha.update([6]),
        How::HandBack { delay } => {
            sha.update([7]);
            number(&mut sha, Some(delay.0));
        }
    }
    for event in events {
        sha.update([4]);
        sha.update(event.room.as_bytes());
        for said in [event.namespace, event.kind, event.data] {
            text(&mut sha, Some(said));
        }
    }
    for asked in jobs {
        job(&mut sha, asked);
    }
    sha.finalize().into()
}

/// The same of an enqueue that is said with its job's id.
pub(crate) fn digest_of_job(asked: &NewJob) -> Digest {
    let mut sha = Sha256::new();
    job(&mut sha, asked);
    sha.finalize().into()
}

/// What is said with an event of an end.
pub(super) struct Said<'a> {
    pub(super) room: RoomId,
    pub(super) namespace: &'a str,
    pub(super) kind: &'a str,
    pub(super) data: &'a str,
}

fn said(append: &Append) -> Said<'_> {
    let Append { room, namespace, kind, data, .. } = append;
    Said { room: *room, namespace, kind, data }
}

fn job(sha: &mut Sha256, asked: &NewJob) {
    let NewJob { id: _, asker: _, ns, queue, kind, data, .. } = asked;
    let NewJob { delay, priority, group, most, backoff, expires, .. } = asked;
    sha.update([5]);
    for said in [ns, queue, kind, data] {
        text(sha, Some(said));
    }
    sha.update(priority.to_be_bytes());
    text(sha, group.as_deref());
    let times = [Some(*delay), *backoff, *expires].map(|time| time.map(|time| time.0));
    for said in [most.map(u64::from)].into_iter().chain(times) {
        number(sha, said);
    }
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
    use holdfast_common::{
        event::{Effect, Verified, Versions},
        frame::Author,
        id::{EventId, JobId, PersonId, RoomId},
        job::Token,
        time::Timestamp,
    };
    use std::collections::BTreeSet;

    fn fail(reason: &str, failure: Option<&str>, retry: Option<u64>) -> How {
        let (reason, failure) = (reason.to_owned(), failure.map(str::to_owned));
        How::Fail { reason, failure, retry: retry.map(Millis) }
    }

    fn end(how: How, appends: Vec<Append>, jobs: Vec<NewJob>) -> End {
        let token = Token { fence: 1, key: 1 };
        End { job: JobId::from_bytes([0; 16]), token, how, appends, jobs, then: None }
    }

    fn complete(result: Option<&str>) -> How {
        How::Complete { result: result.map(str::to_owned) }
    }

    fn event(n: u8) -> Append {
        Append {
            lane: None,
            idempotency: None,
            namespace: "chat".to_owned(),
            room: RoomId::from_bytes([1; 16]),
            id: EventId::from_bytes([n; 16]),
            kind: "message".to_owned(),
            author: Author { id: PersonId::from_bytes([n; 16]), name: n.to_string() },
            at: Timestamp(n.into()),
            data: "{}".to_owned(),
            effect: Effect::Adds,
            room_name: None,
            owner: None,
            most_rooms: 1,
            counts: true,
            verified: Verified::allowed(n.to_string()),
            versions: Versions { room: n.into(), ..Versions::default() },
        }
    }

    fn job(n: u8) -> NewJob {
        NewJob {
            id: JobId::from_bytes([n; 16]),
            ns: "work".to_owned(),
            queue: "inbox".to_owned(),
            kind: "task".to_owned(),
            data: "{}".to_owned(),
            delay: Millis(0),
            priority: 0,
            group: None,
            most: None,
            backoff: None,
            expires: None,
            asker: Some(PersonId::from_bytes([n; 16])),
        }
    }

    #[test]
    fn whatever_is_said_otherwise_has_another_digest() {
        let plain = |how| end(how, Vec::new(), Vec::new());
        let done = |appends, jobs| end(complete(None), appends, jobs);
        let text = || "x".to_owned();
        let time = Some(Millis(1));
        let ends = [
            plain(complete(None)),
            plain(complete(Some("null"))),
            plain(complete(Some(""))),
            plain(fail("", None, None)),
            plain(fail("", None, Some(0))),
            plain(fail("", Some(""), None)),
            plain(fail("a", Some("b"), None)),
            plain(fail("ab", Some(""), None)),
            plain(How::Snooze { delay: Millis(0) }),
            plain(How::Snooze { delay: Millis(1) }),
            plain(How::HandBack { delay: Millis(0) }),
            plain(How::HandBack { delay: Millis(1) }),
            plain(How::HandBack { delay: Millis(2) }),
            done(vec![event(1)], Vec::new()),
            done(vec![event(1), event(1)], Vec::new()),
            done(vec![Append { room: RoomId::from_bytes([2; 16]), ..event(1) }], Vec::new()),
            done(vec![Append { namespace: text(), ..event(1) }], Vec::new()),
            done(vec![Append { kind: text(), ..event(1) }], Vec::new()),
            done(vec![Append { data: text(), ..event(1) }], Vec::new()),
            done(vec![event(1)], vec![job(1)]),
            done(Vec::new(), vec![job(1)]),
            done(Vec::new(), vec![NewJob { ns: text(), ..job(1) }]),
            done(Vec::new(), vec![NewJob { queue: text(), ..job(1) }]),
            done(Vec::new(), vec![NewJob { kind: text(), ..job(1) }]),
            done(Vec::new(), vec![NewJob { data: text(), ..job(1) }]),
            done(Vec::new(), vec![NewJob { delay: Millis(1), ..job(1) }]),
            done(Vec::new(), vec![NewJob { priority: 1, ..job(1) }]),
            done(Vec::new(), vec![NewJob { group: Some(text()), ..job(1) }]),
            done(Vec::new(), vec![NewJob { most: Some(1), ..job(1) }]),
            done(Vec::new(), vec![NewJob { backoff: time, ..job(1) }]),
            done(Vec::new(), vec![NewJob { expires: time, ..job(1) }]),
        ];
        let digests: BTreeSet<_> = ends.iter().map(digest).collect();
        assert_eq!(digests.len(), ends.len());
    }

    #[test]
    fn what_the_driver_makes_anew_is_no_part_of_it() {
        let said = |n| end(complete(Some("1")), vec![event(n)], vec![job(n)]);
        assert_eq!(digest(&said(1)), digest(&said(2)));
    }
}
