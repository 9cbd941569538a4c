use super::*;
use crate::time::{Millis, Timestamp};

mod acts;
mod fencing;

const NOW: StoreTime = StoreTime(1_000);
const LEASE: Millis = Millis(30_000);
/// When a lease of that length which began now has run out.
const OVER: StoreTime = StoreTime(31_000);

fn asked() -> NewJob {
    NewJob {
        id: JobId::from_bytes([1; 16]),
        ns: "work".to_owned(),
        queue: "inbox".to_owned(),
        kind: "task".to_owned(),
        data: "{}".to_owned(),
        delay: Millis(0),
        priority: 0,
        group: None,
        most: Some(3),
        backoff: Some(Millis(1_000)),
        expires: None,
        asker: None,
    }
}

/// As it is enqueued with nothing in front of it.
fn enqueued(asked: &NewJob) -> Job {
    Job::new(NOW, asked, &QueueSettings::default(), false)
}

fn behind(asked: &NewJob) -> Job {
    Job::new(NOW, asked, &QueueSettings::default(), true)
}

fn token(n: u64) -> Token {
    Token { fence: n, key: n }
}

fn holder() -> Holder {
    Holder { consumer: "worker".to_owned(), person: None }
}

fn claim(n: u64) -> Act {
    Act::Claim { token: token(n), holder: holder(), length: LEASE }
}

fn end(n: u64, how: Ending) -> Act {
    let digest = match how {
        Ending::Complete => [1; 32],
        Ending::Fail { .. } => [2; 32],
        Ending::Snooze(_) => [3; 32],
        Ending::HandBack(_) => [4; 32],
    };
    Act::End { token: token(n), digest, how }
}

const FAIL: Ending = Ending::Fail { retry: Some(Millis(0)), chance: 7 };
const FAIL_FOR_GOOD: Ending = Ending::Fail { retry: None, chance: 7 };

/// One that is leased until [`OVER`], by the token 1.
fn leased() -> Job {
    lease_of(enqueued(&asked()))
}

fn lease_of(mut job: Job) -> Job {
    job.act(NOW, claim(1)).unwrap();
    job
}

fn dead() -> Job {
    let mut job = leased();
    job.act(NOW, end(1, FAIL_FOR_GOOD)).unwrap();
    job
}

/// A job in each place, of a group.
fn one_in_each_place() -> Vec<Job> {
    let asked = NewJob { group: Some("ward".to_owned()), ..asked() };
    let delayed = NewJob { delay: Millis(500), ..asked.clone() };
    let leased = lease_of(enqueued(&asked));
    let ended = |act| {
        let mut job = leased.clone();
        job.act(NOW, act).unwrap();
        job
    };
    vec![
        enqueued(&asked),
        enqueued(&delayed),
        behind(&asked),
        leased.clone(),
        ended(end(1, Ending::Complete)),
        ended(end(1, FAIL_FOR_GOOD)),
        ended(Act::Cancel),
    ]
}

#[test]
fn a_place_has_one_number_and_one_of_five_words() {
    let words: Vec<(u8, String)> = Place::ALL
        .iter()
        .map(|place| (place.number(), serde_json::to_string(&place.state()).unwrap()))
        .collect();
    let words: Vec<(u8, &str)> =
        words.iter().map(|(n, word)| (*n, word.trim_matches('"'))).collect();
    let expected = ["ready", "ready", "ready", "leased", "done", "dead", "cancelled"];
    assert_eq!(words, (0..).zip(expected).collect::<Vec<_>>());
    for place in Place::ALL {
        assert_eq!(Place::of(place.number()), Some(place));
    }
    assert_eq!(Place::of(7), None);
}

#[test]
fn a_new_job_is_ready_or_delayed_or_behind_another_of_its_group() {
    let places: Vec<Place> = one_in_each_place().iter().map(|job| job.place).collect();
    assert_eq!(places, Place::ALL);
    let delayed = NewJob { delay: Millis(500), expires: Some(Millis(900)), ..asked() };
    let job = enqueued(&delayed);
    assert_eq!((job.place, job.due), (Place::Delayed, StoreTime(1_500)));
    assert_eq!(job.expires, Some(StoreTime(1_900)));
    assert_eq!(behind(&delayed).due, StoreTime(1_500), "its delay goes on meanwhile");
}

#[test]
fn what_a_job_does_not_say_is_as_its_queue_says() {
    let plain = NewJob { most: None, backoff: None, ..asked() };
    let settings = QueueSettings { attempts: 9, backoff: Millis(77), ..QueueSettings::default() };
    let job = Job::new(NOW, &plain, &settings, false);
    assert_eq!((job.most, job.backoff), (9, Millis(77)));
    let job = Job::new(NOW, &asked(), &settings, false);
    assert_eq!((job.most, job.backoff), (3, Millis(1_000)));
}

#[test]
fn a_gap_is_given_to_leases_alone() {
    for mut job in one_in_each_place() {
        let before = job.due;
        job.give(Millis(60_000));
        let given = job.due - before;
        let expected = if job.place == Place::Leased { 60_000 } else { 0 };
        assert_eq!(given, Millis(expected), "{:?}", job.place);
    }
    let mut job = leased();
    job.give(Millis(60_000));
    assert_eq!(job.check(OVER + Millis(59_999), token(1)), Ok(()));
    assert_eq!(job.check(OVER + Millis(60_000), token(1)), Err(Reason::Expired));
}
