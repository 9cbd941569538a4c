//! What people do to queues and jobs, and what is noted of it.

use super::bench::*;
use holdfast_common::{
    id::{JobId, PersonId},
    job::{JobState, NewJob, Place, QueueSettings, Reason, SettingsPatch},
    storage::jobs::{
        Audit, AuditQuery, By, Chosen, Deed, Did, Ended, Govern, Governed, How, Purge, QueueName,
        Sieve,
    },
    time::{Millis, Timestamp},
};

contract_of_jobs! {
    a_job_that_has_not_ended_may_be_cancelled
    who_holds_a_cancelled_job_hears_of_it_and_its_group_goes_on
    what_has_ended_cannot_be_cancelled
    a_dead_letter_is_tried_again
    a_requeued_job_has_a_fence_of_its_own
    a_dead_letter_may_be_mended
    a_dead_letter_that_is_requeued_waits_for_its_group
    a_discarded_dead_letter_has_no_content
    only_dead_letters_are_requeued_and_discarded
    what_is_not_there_is_said_so
    a_paused_queue_begins_nothing
    settings_that_somebody_set_stand
    what_two_people_set_of_a_queue_both_stands
    notes_are_read_from_the_newest
}

pub(crate) fn inbox() -> QueueName {
    QueueName { ns: WORK.to_owned(), name: INBOX.to_owned() }
}

pub(super) fn ada() -> By {
    By { person: PersonId::from_bytes([7; 16]), name: "Ada".to_owned() }
}

pub(crate) async fn govern(bench: &Bench, deed: Deed) -> Governed {
    let govern = Govern { by: ada(), deed, rest: None };
    bench.engine().govern(govern).await.unwrap().0
}

pub(super) fn one() -> Governed {
    Governed::Done { jobs: 1, rest: None }
}

pub(super) fn cancel(id: JobId) -> Deed {
    Deed::Cancel(Chosen::One(id))
}

pub(super) fn requeue(id: JobId) -> Deed {
    Deed::Requeue { jobs: Chosen::One(id), data: None }
}

pub(super) fn discard(id: JobId) -> Deed {
    Deed::Discard(Chosen::One(id))
}

pub(super) async fn die(bench: &Bench, job: NewJob, error: &str) -> JobId {
    bench.put(NewJob { most: Some(1), ..job }).await;
    let job = bench.take_one().await;
    assert_eq!(bench.ended(&job, fail(error)).await, Place::Dead);
    job.id
}

pub(super) async fn notes(bench: &Bench, before: Option<i64>, limit: u32) -> Vec<Audit> {
    let query = AuditQuery { queue: inbox(), before, limit };
    bench.engine().audit(query).await.unwrap().unwrap()
}

async fn a_job_that_has_not_ended_may_be_cancelled(bench: &Bench) {
    bench.inbox().await;
    let delayed = bench.put(NewJob { delay: Millis(5_000), ..new_job() }).await;
    let first = bench.put(grouped("g")).await;
    let behind = bench.put(grouped("g")).await;
    for id in [behind, delayed, first] {
        assert_eq!(govern(bench, cancel(id)).await, one());
        let read = bench.job(id).await;
        assert_eq!((read.place, read.data.as_str()), (Place::Cancelled, r#"{"title":"t"}"#));
    }
    assert_eq!(bench.counts().await.unfinished(), 0);
    assert_eq!(bench.take_ids(3).await, []);
}

async fn who_holds_a_cancelled_job_hears_of_it_and_its_group_goes_on(bench: &Bench) {
    bench.inbox().await;
    bench.put(grouped("g")).await;
    let next = bench.put(grouped("g")).await;
    let job = bench.take_one().await;
    let deed = Govern { by: ada(), deed: cancel(job.id), rest: None };
    let (governed, moves) = bench.engine().govern(deed).await.unwrap();
    assert_eq!(governed, one());
    let moved: Vec<_> = moves.queues[0].jobs.iter().map(|moved| (moved.job, moved.to)).collect();
    assert_eq!(moved, [(job.id, Some(Place::Cancelled)), (next, Some(Place::Ready))]);
    assert_eq!(bench.take_ids(2).await, [next]);
    let ended = bench.end(&job, complete()).await;
    assert!(matches!(ended, Ended::Late(Reason::Cancelled)), "{ended:?}");
}

async fn what_has_ended_cannot_be_cancelled(bench: &Bench) {
    bench.inbox().await;
    let done = bench.puts(1).await[0];
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    let dead = die(bench, new_job(), "x").await;
    let cancelled = bench.puts(1).await[0];
    govern(bench, cancel(cancelled)).await;
    let expired = bench.put(NewJob { expires: Some(Millis(10)), ..new_job() }).await;
    bench.pass(10).await;
    for (id, state) in [
        (done, JobState::Done),
        (dead, JobState::Dead),
        (cancelled, JobState::Cancelled),
        (expired, JobState::Dead),
    ] {
        assert_eq!(govern(bench, cancel(id)).await, Governed::WrongState(state));
    }
}

async fn a_dead_letter_is_tried_again(bench: &Bench) {
    bench.inbox().await;
    let id = die(bench, new_job(), "no dressing").await;
    assert_eq!(govern(bench, requeue(id)).await, one());
    let job = bench.take_one().await;
    assert_eq!((job.id, job.attempt), (id, 1));
    bench.ended(&job, complete()).await;
    assert_eq!(bench.job(id).await.attempts[0].error, "no dressing", "what was is kept");
}

async fn a_requeued_job_has_a_fence_of_its_own(bench: &Bench) {
    bench.inbox().await;
    let id = die(bench, new_job(), "x").await;
    let died = bench.job(id).await.fence;
    assert!(died > 0);
    govern(bench, requeue(id)).await;
    govern(bench, cancel(id)).await;
    let cancelled = bench.job(id).await.fence;
    assert!(cancelled > died, "its end is another one");
    let more = bench.puts(1).await[0];
    let job = bench.take_one().await;
    assert!(job.token.fence > cancelled);
    assert_eq!(bench.job(more).await.fence, job.token.fence);
}

async fn a_dead_letter_may_be_mended(bench: &Bench) {
    bench.inbox().await;
    let id = die(bench, new_job(), "x").await;
    let data = Some(r#"{"title":"mended"}"#.to_owned());
    let deed = Deed::Requeue { jobs: Chosen::One(id), data: data.clone() };
    assert_eq!(govern(bench, deed).await, one());
    assert_eq!(Some(bench.take_one().await.data), data);
}

async fn a_dead_letter_that_is_requeued_waits_for_its_group(bench: &Bench) {
    bench.inbox().await;
    let dead = die(bench, grouped("g"), "x").await;
    let first = bench.put(grouped("g")).await;
    govern(bench, requeue(dead)).await;
    assert_eq!(bench.place(dead).await, Place::Behind);
    govern(bench, cancel(first)).await;
    assert_eq!(bench.take_ids(2).await, [dead]);
}

async fn a_discarded_dead_letter_has_no_content(bench: &Bench) {
    bench.inbox().await;
    bench.put(NewJob { most: Some(1), ..new_job() }).await;
    let job = bench.take_one().await;
    let failure = Some(r#"{"missing":3}"#.to_owned());
    let how = How::Fail { reason: "x".to_owned(), failure, retry: None };
    bench.ended(&job, how).await;
    assert_eq!(govern(bench, discard(job.id)).await, one());
    let read = bench.job(job.id).await;
    assert_eq!((read.place, read.data.as_str(), read.outcome), (Place::Cancelled, "null", None));
    assert_eq!(bench.counts().await.dead, 0);
    // It is kept as long as any that was cancelled.
    bench.step(settings().keep.0);
    while bench.tend().await.more {}
    assert_eq!(bench.engine().job(job.id).await.unwrap(), None);
}

async fn only_dead_letters_are_requeued_and_discarded(bench: &Bench) {
    bench.inbox().await;
    let done = bench.puts(1).await[0];
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    let ready = bench.puts(1).await[0];
    for (id, state) in [(done, JobState::Done), (ready, JobState::Ready)] {
        assert_eq!(govern(bench, requeue(id)).await, Governed::WrongState(state));
        assert_eq!(govern(bench, discard(id)).await, Governed::WrongState(state));
    }
}

async fn what_is_not_there_is_said_so(bench: &Bench) {
    bench.inbox().await;
    let none = || QueueName { name: "none".to_owned(), ..inbox() };
    assert_eq!(govern(bench, cancel(job_id())).await, Governed::UnknownJob);
    for deed in [
        Deed::Pause(none()),
        Deed::Set(none(), settings().into()),
        Deed::Purge(none(), Purge::Dead),
        Deed::Purge(none(), Purge::Waiting),
        Deed::Cancel(Chosen::Of(none(), vec![job_id()])),
        Deed::Discard(Chosen::Dead(none(), Sieve::default())),
    ] {
        assert_eq!(govern(bench, deed).await, Governed::UnknownQueue);
    }
    let query = AuditQuery { queue: none(), before: None, limit: 9 };
    assert_eq!(bench.engine().audit(query).await.unwrap(), None);
    assert_eq!(notes(bench, None, 9).await, []);
}

async fn a_paused_queue_begins_nothing(bench: &Bench) {
    bench.inbox().await;
    let ids = bench.puts(2).await;
    let job = bench.take_one().await;
    let deed = Govern { by: ada(), deed: Deed::Pause(inbox()), rest: None };
    let (_, moves) = bench.engine().govern(deed).await.unwrap();
    let told = &moves.queues[0].queue;
    assert_eq!((told.paused, told.startable()), (true, 0));
    assert_eq!(bench.take_ids(2).await, []);
    assert_eq!(bench.ended(&job, complete()).await, Place::Done, "what has begun goes on");
    assert!(bench.inbox().await.paused, "a start of the server changes nothing");
    govern(bench, Deed::Resume(inbox())).await;
    assert_eq!(bench.take_ids(2).await, ids[1..]);
}

async fn settings_that_somebody_set_stand(bench: &Bench) {
    bench.inbox().await;
    bench.puts(2).await;
    let set = QueueSettings { in_flight: Some(1), ..settings() };
    govern(bench, Deed::Set(inbox(), set.clone().into())).await;
    assert_eq!(bench.inbox().await.settings, set, "the server's own do not replace them");
    assert_eq!(bench.take(2).await.len(), 1);
    let note = &notes(bench, None, 1).await[0];
    let detail = note.detail.as_ref().unwrap();
    assert!(detail.contains(r#""in_flight":1"#), "{detail}");
}

async fn what_two_people_set_of_a_queue_both_stands(bench: &Bench) {
    bench.inbox().await;
    let one = SettingsPatch { in_flight: Some(Some(4)), ..SettingsPatch::default() };
    let two = SettingsPatch { keep: Some(Millis(9)), ..SettingsPatch::default() };
    govern(bench, Deed::Set(inbox(), one)).await;
    let expected = QueueSettings { in_flight: Some(4), keep: Millis(9), ..settings() };
    assert_eq!(govern(bench, Deed::Set(inbox(), two)).await, Governed::Set(expected.clone()));
    assert_eq!(bench.inbox().await.settings, expected);
    let details: Vec<_> = notes(bench, None, 2).await.into_iter().map(|it| it.detail).collect();
    assert_eq!(details, [r#"{"keep_ms":9}"#, r#"{"in_flight":4}"#].map(|it| Some(it.to_owned())));
}

async fn notes_are_read_from_the_newest(bench: &Bench) {
    bench.inbox().await;
    bench.queue("other", settings()).await;
    let id = bench.puts(1).await[0];
    bench.pass(70).await;
    govern(bench, cancel(id)).await;
    govern(bench, Deed::Pause(QueueName { name: "other".to_owned(), ..inbox() })).await;
    govern(bench, Deed::Pause(inbox())).await;
    govern(bench, Deed::Purge(inbox(), Purge::Waiting)).await;
    // What comes to nothing is not noted.
    govern(bench, cancel(id)).await;
    let all = notes(bench, None, 9).await;
    let deeds: Vec<_> = all.iter().map(|note| note.did.name()).collect();
    assert_eq!(deeds, ["purge", "pause", "cancel"]);
    let first = all.last().unwrap();
    let at = Timestamp(WALL + 70);
    let seq = first.seq;
    let expected =
        Audit { seq, at, by: ada(), did: Did::Cancel, job: Some(id), jobs: 1, detail: None };
    assert_eq!(*first, expected);
    assert_eq!(notes(bench, None, 2).await, all[..2]);
    assert_eq!(notes(bench, Some(all[1].seq), 9).await, all[2..]);
}

mod on_disk {
    use super::*;
    use holdfast_backend::engine::sqlite::Options;
    use holdfast_common::job::limits::AUDITS;
    use std::time::Duration;

    #[tokio::test]
    async fn what_somebody_set_is_there_after_a_restart() {
        let bench = Bench::sqlite();
        bench.inbox().await;
        let set = QueueSettings { in_flight: Some(1), ..settings() };
        govern(&bench, Deed::Set(inbox(), set.clone().into())).await;
        govern(&bench, Deed::Pause(inbox())).await;
        let before = notes(&bench, None, 9).await;
        bench.reopen(0);
        let inbox = bench.inbox().await;
        assert_eq!((inbox.settings, inbox.paused), (set, true));
        assert_eq!(notes(&bench, None, 9).await, before);
    }

    #[tokio::test]
    async fn a_payload_that_somebody_did_away_with_is_in_no_file_any_more() {
        let bench =
            Bench::sqlite_with(Options { scrub_after: Duration::ZERO, ..Options::default() });
        bench.inbox().await;
        let secret = |word: &str| NewJob { data: format!(r#""secret {word}""#), ..new_job() };
        let discarded = die(&bench, secret("one"), "x").await;
        let mended = die(&bench, secret("two"), "x").await;
        die(&bench, secret("three"), "x").await;
        bench.put(secret("four")).await;
        let (jobs, data) = (Chosen::One(mended), Some("{}".to_owned()));
        let holds = |word: &str| {
            let (bytes, text) = (bench.bytes(), format!("secret {word}"));
            bytes.windows(text.len()).any(|part| part == text.as_bytes())
        };
        for (deed, word) in [
            (discard(discarded), "one"),
            (Deed::Requeue { jobs, data }, "two"),
            (Deed::Purge(inbox(), Purge::Dead), "three"),
            (Deed::Purge(inbox(), Purge::Waiting), "four"),
        ] {
            assert!(holds(word));
            govern(&bench, deed).await;
            // The log is emptied behind the answer; this one comes after that.
            bench.tend().await;
            assert!(!holds(word), "{word}");
        }
        bench.counted().await;
    }

    #[tokio::test]
    async fn the_newest_notes_are_kept() {
        let bench = Bench::sqlite();
        bench.inbox().await;
        govern(&bench, Deed::Pause(inbox())).await;
        govern(&bench, Deed::Resume(inbox())).await;
        // As if so many had been noted since the first.
        bench.alter(&format!("UPDATE audit SET seq = {AUDITS} WHERE seq = 2"));
        govern(&bench, Deed::Pause(inbox())).await;
        let deeds: Vec<_> = notes(&bench, None, 9).await.into_iter().map(|note| note.did).collect();
        assert_eq!(deeds, [Did::Pause, Did::Resume]);
    }
}
