//! What two people who have asked for jobs have read, with what must not be put into it.

use super::*;
use crate::worker::Kind;
use holdfast_common::{
    cursor::{Head, Mark},
    frame::{Author, Entry, RoomInfo},
    id::{Epoch, EventId, JobId, PersonId},
    job::JobState,
    time::Timestamp,
};
use serde_json::json;

const MINE: [u8; 2] = [1, 2];
const THEIRS: u8 = 3;
const SERVICES: u8 = 4;

/// Two jobs of the first person, of which one is a dead letter, one of the second's and one of a service's.
struct Run {
    asked: Asks,
    jobs: Jobs,
    inboxes: BTreeMap<u8, Vec<JobEnded>>,
}

impl Run {
    fn well() -> Self {
        let (asked, jobs, inboxes) = (Asks::new(), Jobs::new(), BTreeMap::new());
        let mut run = Self { asked, jobs, inboxes };
        run.asks(MINE[0], Some(1), JobState::Done);
        run.asks(MINE[1], Some(1), JobState::Dead);
        run.asks(THEIRS, Some(2), JobState::Done);
        run.asks(SERVICES, None, JobState::Done);
        run
    }

    fn asks(&mut self, n: u8, by: Option<u8>, state: JobState) {
        let (title, id) = (format!("job-{n}"), id(n).to_string());
        let data = json!({ "title": title, "body": "plain" });
        let (result, errors) = (result(n, state), json!([]));
        let job =
            json!({ "id": id, "state": state, "data": data, "result": result, "errors": errors });
        self.jobs.insert(title.clone(), serde_json::from_value(job).unwrap());
        self.asked.insert(title, Asked { id, kind: Kind::Plain, group: None, by });
        if let Some(by) = by {
            self.tells(by, n, state);
        }
    }

    fn tells(&mut self, by: u8, n: u8, state: JobState) {
        let (queue, kind) = ("inbox".to_owned(), "task".to_owned());
        let (job, result, text) = (id(n), result(n, state), String::new());
        let ended = JobEnded { job, queue, kind, state, result, error: None, text };
        self.inboxes.entry(by).or_default().push(ended);
    }

    fn broken(&self) -> Option<String> {
        let databases: Vec<_> =
            self.inboxes.iter().map(|(n, ended)| (*n, database(*n, ended))).collect();
        told_once(&self.asked, &self.jobs, &databases).err().map(|error| error.to_string())
    }
}

/// What comes of a job; of a dead letter nothing does.
fn result(n: u8, state: JobState) -> Option<Value> {
    (state == JobState::Done).then(|| json!({ "fence": n, "how": "socket" }))
}

fn id(n: u8) -> JobId {
    JobId::from_bytes([n; 16])
}

/// That of a client whose inbox has these ends in it.
fn database(n: u8, ended: &[JobEnded]) -> Database {
    let mut database = Database::new(n);
    let room = RoomId::from_bytes([100 + n; 16]);
    let entry = |(at, ended): (u64, &JobEnded)| Entry {
        offset: at,
        mark: Mark(at),
        id: EventId::from_bytes([at as u8; 16]),
        kind: "job_ended".to_owned(),
        from: Author { id: PersonId::from_bytes([0; 16]), name: String::new() },
        at: Timestamp(at),
        data: Some(serde_json::value::to_raw_value(ended).unwrap()),
    };
    database.entries.insert(room, (2..).zip(ended).map(entry).collect());
    let (ns, name) = ("work".to_owned(), "inbox".to_owned());
    let offset = 1 + ended.len() as u64;
    let head = Head { epoch: Epoch::from_bytes([n; 16]), offset, mark: Mark(offset), first: 1 };
    let info = RoomInfo { room, ns, name, head, joined: true, gone: false, inbox: true };
    database.rooms.insert(room, info);
    database
}

#[test]
fn what_each_has_asked_for_and_was_told_once_passes() {
    assert_eq!(Run::well().broken(), None);
}

#[test]
fn who_is_told_twice_or_never_or_of_what_is_anothers_or_wrong_is_seen() {
    type Spoils = fn(&mut Run);
    let faults: [(&str, Spoils); 10] = [
        ("told twice", |run| run.tells(1, MINE[0], JobState::Done)),
        ("told never", |run| drop(run.inboxes.get_mut(&1).unwrap().remove(0))),
        ("told of one twice and of the other never", |run| {
            let mine = run.inboxes.get_mut(&1).unwrap();
            mine[1] = mine[0].clone();
        }),
        ("told to another person as well", |run| run.tells(2, MINE[0], JobState::Done)),
        ("told to another person", |run| {
            let told = run.inboxes.get_mut(&1).unwrap().remove(0);
            run.inboxes.get_mut(&2).unwrap().push(told);
        }),
        ("told of a service's", |run| run.tells(2, SERVICES, JobState::Done)),
        ("told of another end", |run| {
            run.inboxes.get_mut(&1).unwrap()[1].state = JobState::Done;
        }),
        ("told of another result", |run| {
            run.inboxes.get_mut(&1).unwrap()[0].result = result(THEIRS, JobState::Done);
        }),
        ("told of no result", |run| run.inboxes.get_mut(&1).unwrap()[0].result = None),
        ("told of a result of a dead letter", |run| {
            run.inboxes.get_mut(&1).unwrap()[1].result = result(MINE[1], JobState::Done);
        }),
    ];
    for (fault, spoils) in faults {
        let mut run = Run::well();
        spoils(&mut run);
        let broken = run.broken();
        assert!(broken.as_ref().is_some_and(|it| it.starts_with("J9: ")), "{fault}: {broken:?}");
    }
}

#[test]
fn whose_inbox_nobody_has_is_seen() {
    let mut run = Run::well();
    run.inboxes.remove(&2);
    assert!(run.broken().is_some_and(|it| it.starts_with("J9: ")));
}

#[test]
fn an_inbox_that_lacks_an_end_or_is_not_there_is_waited_for() {
    let run = Run::well();
    let read = |mine: u64, theirs: u64| BTreeMap::from([(1, mine), (2, theirs)]);
    // One entry is of the inbox itself.
    assert!(all_have_read(&run.asked, &read(3, 2)));
    assert!(!all_have_read(&run.asked, &read(2, 2)));
    assert!(!all_have_read(&run.asked, &read(3, 1)));
    assert!(!all_have_read(&run.asked, &BTreeMap::from([(1, 3)])));
}
