//! What is appended and enqueued with the end of a job, and what an event's handler enqueues.

use super::{
    super::rig::{Rig, edit, entry, message, rejected},
    bench::*,
};
use holdfast_common::{
    error::Code,
    event::Verified,
    id::{JobId, PersonId, RoomId},
    job::{NewJob, Place, QueueSettings, Reason},
    storage::{
        Append, Appended, Fault, Verdict,
        jobs::{End, Ended, Enqueue, Enqueued, Moves},
    },
};

contract_of_jobs! {
    an_end_appends_its_events_and_enqueues_its_jobs
    an_end_is_of_one_commit
    an_end_with_an_event_that_is_rejected_changes_nothing
    an_end_with_an_event_that_has_moved_changes_nothing
    an_end_with_a_job_for_no_queue_changes_nothing
    an_end_whose_jobs_find_no_room_changes_nothing
    an_end_with_more_jobs_than_a_queue_may_have_changes_nothing
    an_end_whose_events_are_in_each_others_way_changes_nothing
    a_full_queue_has_room_for_a_job_that_comes_after_one
    the_same_end_said_again_tells_where_its_events_stand
    an_end_with_other_events_or_jobs_is_another_end
    a_late_end_appends_and_enqueues_nothing
    an_event_of_an_end_that_stands_already_is_not_appended_again
    a_job_of_an_end_waits_for_its_group
    a_handler_enqueues_with_its_event
    an_event_that_is_not_appended_enqueues_nothing
    an_event_whose_job_finds_no_room_is_not_appended
    an_event_that_stands_is_acked_though_a_queue_is_full
    a_handlers_job_for_no_queue_fails_its_event
    a_handlers_job_that_is_there_is_not_enqueued_again
    events_of_an_end_bring_their_handlers_jobs
}

/// A room, and an event that may be appended to it.
async fn event(rig: &Rig, room: RoomId, text: &str) -> Append {
    rig.read_facts(message(room, PersonId::NIL, text)).await
}

fn with_jobs(append: Append, jobs: Vec<NewJob>) -> Append {
    Append { verified: Verified::Allowed { reply: "null".to_owned(), jobs }, ..append }
}

/// A job that is held, and a room.
async fn held(bench: &Bench) -> (Rig, RoomId, End) {
    bench.inbox().await;
    bench.puts(1).await;
    let job = bench.take_one().await;
    let rig = bench.rig();
    let room = rig.room().await;
    (rig, room, end(job.id, job.token, complete()))
}

async fn say(bench: &Bench, end: &End) -> (Ended, Moves) {
    bench.know(&end.jobs.iter().map(|job| job.id).collect::<Vec<_>>());
    bench.engine().end(end.clone()).await.unwrap()
}

async fn head(rig: &Rig, room: RoomId) -> u64 {
    rig.slice(room, 0).await.head.offset
}

/// That who held the job holds it, and nothing was appended or enqueued.
async fn unchanged(bench: &Bench, rig: &Rig, room: RoomId, end: &End) {
    assert_eq!(head(rig, room).await, 1);
    assert_eq!(bench.place(end.job).await, Place::Leased);
    assert_eq!((bench.counts().await.leased, bench.counts().await.unfinished()), (1, 1));
    for job in &end.jobs {
        assert_eq!(bench.engine().job(job.id).await.unwrap(), None);
    }
    let plain = End { appends: Vec::new(), jobs: Vec::new(), ..end.clone() };
    assert!(matches!(say(bench, &plain).await.0, Ended::Done { place: Place::Done, .. }));
}

async fn an_end_appends_its_events_and_enqueues_its_jobs(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let other = rig.room().await;
    bench.queue("other", settings()).await;
    let appends = vec![event(&rig, room, "one").await, event(&rig, other, "two").await];
    let jobs = vec![new_job(), NewJob { queue: "other".to_owned(), ..new_job() }];
    let end = End { appends, jobs, ..end };
    let (ended, moves) = say(bench, &end).await;
    let Ended::Done { place: Place::Done, appended, then: None, .. } = ended else {
        panic!("{ended:?}");
    };
    let entries: Vec<_> = appended.into_iter().map(entry).collect();
    assert_eq!(entries.iter().map(|new| new.room).collect::<Vec<_>>(), [room, other]);
    for (new, append) in entries.iter().zip(&end.appends) {
        assert_eq!((new.entry.id, new.entry.offset), (append.id, 2));
        assert_eq!(rig.slice(new.room, 1).await.entries[0].0, 2);
    }
    let moved: Vec<_> = moves
        .queues
        .iter()
        .flat_map(|queue| &queue.jobs)
        .map(|moved| (moved.job, moved.to))
        .collect();
    let [one, two] = [end.jobs[0].id, end.jobs[1].id];
    let ready = Some(Place::Ready);
    assert_eq!(moved, [(end.job, Some(Place::Done)), (one, ready), (two, ready)]);
    assert_eq!(bench.take_ids(2).await, [one]);
}

async fn an_end_is_of_one_commit(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let appends = vec![event(&rig, room, "one").await];
    let end = End { appends, jobs: vec![new_job()], then: Some(claim(1)), ..end };
    let before = bench.engine().commits();
    let (ended, _) = say(bench, &end).await;
    assert!(bench.engine().commits() - before <= 1);
    let Ended::Done { then: Some(then), .. } = ended else { panic!("{ended:?}") };
    assert_eq!(jobs(then)[0].id, end.jobs[0].id, "what it enqueues it may take");
}

async fn an_end_with_an_event_that_is_rejected_changes_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let appends = vec![event(&rig, room, "one").await, rejected(event(&rig, room, "two").await)];
    let end = End { appends, jobs: vec![new_job()], ..end };
    let (ended, moves) = say(bench, &end).await;
    let Ended::Rejected { index: 1, verdict: Verdict::Reject { id, .. } } = ended else {
        panic!("{ended:?}");
    };
    assert_eq!((id, moves.queues), (end.appends[1].id, Vec::new()));
    unchanged(bench, &rig, room, &end).await;
}

async fn an_end_with_an_event_that_has_moved_changes_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let mut moved = event(&rig, room, "two").await;
    moved.versions.room += 1;
    let appends = vec![event(&rig, room, "one").await, moved];
    let end = End { appends, jobs: vec![new_job()], ..end };
    assert!(matches!(say(bench, &end).await.0, Ended::Moved));
    unchanged(bench, &rig, room, &end).await;
}

async fn an_end_with_a_job_for_no_queue_changes_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let jobs = vec![new_job(), NewJob { queue: "none".to_owned(), ..new_job() }];
    let end = End { appends: vec![event(&rig, room, "one").await], jobs, ..end };
    assert!(matches!(say(bench, &end).await.0, Ended::UnknownQueue { index: 1 }));
    unchanged(bench, &rig, room, &end).await;
}

async fn an_end_whose_jobs_find_no_room_changes_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    bench.queue("small", QueueSettings { most: 2, ..settings() }).await;
    let small = || NewJob { queue: "small".to_owned(), ..new_job() };
    bench.put(small()).await;
    let appends = vec![event(&rig, room, "one").await];
    let end = End { appends, jobs: vec![small(), small()], ..end };
    assert!(matches!(say(bench, &end).await.0, Ended::QueueFull));
    let by_handler = with_jobs(event(&rig, room, "two").await, vec![small(), small()]);
    let end = End { appends: vec![end.appends[0].clone(), by_handler], jobs: Vec::new(), ..end };
    assert!(matches!(say(bench, &end).await.0, Ended::QueueFull));
    unchanged(bench, &rig, room, &end).await;
}

async fn an_end_with_more_jobs_than_a_queue_may_have_changes_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    bench.queue("small", QueueSettings { most: 1, ..settings() }).await;
    let small = || NewJob { queue: "small".to_owned(), ..new_job() };
    let appends = vec![event(&rig, room, "one").await];
    let end = End { appends, jobs: vec![small(), small()], ..end };
    assert!(matches!(say(bench, &end).await.0, Ended::TooLarge));
    let of_one = with_jobs(event(&rig, room, "two").await, vec![small()]);
    let together = End { appends: vec![of_one.clone()], jobs: vec![small()], ..end.clone() };
    assert!(matches!(say(bench, &together).await.0, Ended::TooLarge));
    let by_handlers = vec![of_one, with_jobs(event(&rig, room, "three").await, vec![small()])];
    let together = End { appends: by_handlers, jobs: Vec::new(), ..end.clone() };
    assert!(matches!(say(bench, &together).await.0, Ended::TooLarge));
    let by_handler = with_jobs(event(&rig, room, "two").await, vec![small(), small()]);
    let end = End { appends: vec![end.appends[0].clone(), by_handler], jobs: Vec::new(), ..end };
    let (ended, _) = say(bench, &end).await;
    let Ended::Rejected { index: 1, verdict: Verdict::Reject { code: Code::TooLarge, .. } } = ended
    else {
        panic!("{ended:?}");
    };
    unchanged(bench, &rig, room, &end).await;
}

async fn an_end_whose_events_are_in_each_others_way_changes_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let said = rig.entry(message(room, PersonId::NIL, "zero")).await.entry.id;
    let change = async |text: &str| rig.read_facts(edit(room, PersonId::NIL, said, text)).await;
    let appends = vec![change("one").await, event(&rig, room, "new").await, change("two").await];
    let end = End { appends, jobs: vec![new_job()], ..end };
    let (ended, _) = say(bench, &end).await;
    let Ended::Rejected { index: 2, verdict: Verdict::Reject { code: Code::BadRequest, .. } } =
        ended
    else {
        panic!("{ended:?}");
    };
    assert_eq!((head(&rig, room).await, bench.place(end.job).await), (2, Place::Leased));
    // Where somebody else has changed it, the rules are to be asked again.
    rig.entry(edit(room, PersonId::NIL, said, "meanwhile")).await;
    assert!(matches!(say(bench, &end).await.0, Ended::Moved));
    let one = End { appends: vec![change("one").await], ..end };
    assert!(matches!(say(bench, &one).await.0, Ended::Done { .. }));
}

async fn a_full_queue_has_room_for_a_job_that_comes_after_one(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { most: 1, ..settings() }).await;
    bench.puts(1).await;
    for _ in 0..3 {
        let job = bench.take_one().await;
        let next = End { jobs: vec![new_job()], ..end(job.id, job.token, complete()) };
        assert!(matches!(say(bench, &next).await.0, Ended::Done { .. }));
    }
    assert_eq!((bench.counts().await.done, bench.counts().await.ready), (3, 1));
}

async fn the_same_end_said_again_tells_where_its_events_stand(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let appends = vec![event(&rig, room, "one").await];
    let end = End { appends, jobs: vec![new_job()], ..end };
    say(bench, &end).await;
    // What the driver makes is made anew.
    let again = End { jobs: vec![NewJob { id: job_id(), ..end.jobs[0].clone() }], ..end.clone() };
    let (ended, moves) = say(bench, &again).await;
    let Ended::Again { place: Place::Done, stands } = ended else { panic!("{ended:?}") };
    assert_eq!((stands, moves.queues), (vec![Some(2)], Vec::new()));
    assert_eq!((head(&rig, room).await, bench.counts().await.ready), (2, 1));
}

async fn an_end_with_other_events_or_jobs_is_another_end(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let end = End { appends: vec![event(&rig, room, "one").await], jobs: vec![new_job()], ..end };
    say(bench, &end).await;
    let other_event = End { appends: vec![event(&rig, room, "two").await], ..end.clone() };
    let other_job = NewJob { data: "{}".to_owned(), ..new_job() };
    let other_jobs = End { jobs: vec![other_job], ..end.clone() };
    for other in [other_event, other_jobs, End { jobs: Vec::new(), ..end }] {
        assert!(matches!(say(bench, &other).await.0, Ended::Late(Reason::Ended)));
    }
    assert_eq!((head(&rig, room).await, bench.counts().await.ready), (2, 1));
}

async fn a_late_end_appends_and_enqueues_nothing(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let end = End { appends: vec![event(&rig, room, "one").await], jobs: vec![new_job()], ..end };
    bench.pass(10_000).await;
    assert!(matches!(say(bench, &end).await.0, Ended::Late(Reason::Expired)));
    assert_eq!((head(&rig, room).await, bench.counts().await.unfinished()), (1, 1));
}

async fn an_event_of_an_end_that_stands_already_is_not_appended_again(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let append = event(&rig, room, "one").await;
    rig.entry(append.clone()).await;
    let ended = say(bench, &End { appends: vec![append], ..end }).await.0;
    let Ended::Done { appended, .. } = ended else { panic!("{ended:?}") };
    let [Appended::Decided { verdict: Verdict::Ack { offset: 2, .. }, entry: None, .. }] =
        &appended[..]
    else {
        panic!("{appended:?}");
    };
    assert_eq!(head(&rig, room).await, 2);
}

async fn a_job_of_an_end_waits_for_its_group(bench: &Bench) {
    bench.inbox().await;
    bench.put(grouped("g")).await;
    let second = bench.put(grouped("g")).await;
    let job = bench.take_one().await;
    let third = grouped("g");
    let end = End { jobs: vec![third.clone()], ..end(job.id, job.token, complete()) };
    say(bench, &end).await;
    let next = bench.take(2).await;
    assert_eq!(next.iter().map(|job| job.id).collect::<Vec<_>>(), [second]);
    bench.ended(&next[0], complete()).await;
    assert_eq!(bench.take_ids(2).await, [third.id]);
}

async fn a_handler_enqueues_with_its_event(bench: &Bench) {
    bench.inbox().await;
    let rig = bench.rig();
    let room = rig.room().await;
    let asked = [new_job(), new_job()];
    bench.know(&asked.each_ref().map(|job| job.id));
    let append = with_jobs(event(&rig, room, "one").await, asked.to_vec());
    let before = bench.engine().commits();
    let appended = bench.engine().append(append.clone()).await;
    assert!(bench.engine().commits() - before <= 1);
    let Appended::Decided { entry: Some(_), moves, .. } = appended else { panic!("{appended:?}") };
    let moved: Vec<_> = moves.queues[0].jobs.iter().map(|moved| moved.job).collect();
    assert_eq!(moved, asked.each_ref().map(|job| job.id));
    assert_eq!(moves.queues[0].queue.counts.ready, 2);
    assert!(moves.version > 0);
    // The id stands: the repeat is acked, and enqueues none.
    let repeat = with_jobs(append, vec![new_job()]);
    let appended = bench.engine().append(repeat).await;
    let Appended::Decided { entry: None, moves, .. } = appended else { panic!("{appended:?}") };
    assert!(moves.queues.iter().all(|queue| queue.jobs.is_empty()), "{moves:?}");
    assert_eq!(bench.counts().await.ready, 2);
}

async fn an_event_that_is_not_appended_enqueues_nothing(bench: &Bench) {
    bench.inbox().await;
    let rig = bench.rig();
    let (room, ada) = (rig.room().await, rig.sender().await);
    let allowed = with_jobs(event(&rig, room, "one").await, vec![new_job()]);
    let mut moved = allowed.clone();
    moved.versions.room += 1;
    assert!(matches!(bench.engine().append(moved).await, Appended::Moved));
    let mut ahead = Append { lane: ada.number(2, 0), ..allowed.clone() };
    assert!(matches!(bench.engine().append(ahead.clone()).await, Appended::Expected(1)));
    ahead.lane = ada.number(1, 1);
    assert!(matches!(bench.engine().append(ahead).await, Appended::Settled));
    let refused = rejected(allowed);
    assert!(matches!(bench.engine().append(refused).await, Appended::Decided { .. }));
    assert_eq!((bench.counts().await.unfinished(), head(&rig, room).await), (0, 1));
}

async fn an_event_whose_job_finds_no_room_is_not_appended(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { most: 1, ..settings() }).await;
    bench.puts(1).await;
    let rig = bench.rig();
    let (room, ada) = (rig.room().await, rig.sender().await);
    let mut append = with_jobs(event(&rig, room, "one").await, vec![new_job()]);
    bench.know(&[append.jobs()[0].id]);
    append.lane = ada.number(1, 0);
    let full = bench.engine().append(append.clone()).await;
    assert!(matches!(full, Appended::Fault(Fault::Overloaded)), "{full:?}");
    assert_eq!((head(&rig, room).await, bench.counts().await.ready), (1, 1));
    let job = bench.take_one().await;
    bench.ended(&job, complete()).await;
    assert_eq!(
        entry(bench.engine().append(append).await).entry.offset,
        2,
        "its number was not used"
    );
    assert_eq!(bench.counts().await.ready, 1);
}

async fn an_event_that_stands_is_acked_though_a_queue_is_full(bench: &Bench) {
    bench.queue(INBOX, QueueSettings { most: 1, ..settings() }).await;
    let rig = bench.rig();
    let room = rig.room().await;
    let append = with_jobs(event(&rig, room, "one").await, vec![new_job()]);
    bench.know(&[append.jobs()[0].id]);
    entry(bench.engine().append(append.clone()).await);
    let again = with_jobs(append, vec![new_job()]);
    let again = bench.engine().append(again).await;
    assert!(matches!(again, Appended::Decided { entry: None, .. }), "{again:?}");
}

async fn a_handlers_job_for_no_queue_fails_its_event(bench: &Bench) {
    bench.inbox().await;
    let rig = bench.rig();
    let room = rig.room().await;
    let jobs = vec![new_job(), NewJob { queue: "none".to_owned(), ..new_job() }];
    let append = with_jobs(event(&rig, room, "one").await, jobs);
    let failed = bench.engine().append(append).await;
    assert!(matches!(failed, Appended::Fault(Fault::Failed(_))), "{failed:?}");
    assert_eq!((head(&rig, room).await, bench.counts().await.ready), (1, 0));
}

async fn a_handlers_job_that_is_there_is_not_enqueued_again(bench: &Bench) {
    bench.inbox().await;
    let there = new_job();
    bench.put(there.clone()).await;
    let rig = bench.rig();
    let room = rig.room().await;
    let more = new_job();
    bench.know(&[more.id]);
    let append = with_jobs(event(&rig, room, "one").await, vec![there, more.clone(), more]);
    entry(bench.engine().append(append).await);
    assert_eq!(bench.counts().await.ready, 2);
}

async fn events_of_an_end_bring_their_handlers_jobs(bench: &Bench) {
    let (rig, room, end) = held(bench).await;
    let by_handler = new_job();
    bench.know(&[by_handler.id]);
    let append = with_jobs(event(&rig, room, "one").await, vec![by_handler.clone()]);
    let end = End { appends: vec![append], jobs: vec![new_job()], ..end };
    let (_, moves) = say(bench, &end).await;
    let [queue] = &moves.queues[..] else { panic!("{moves:?}") };
    let ids: Vec<JobId> = queue.jobs.iter().map(|moved| moved.job).collect();
    assert_eq!(ids, [end.job, by_handler.id, end.jobs[0].id]);
    assert_eq!((queue.queue.counts.ready, queue.queue.counts.done), (2, 1));
    // They are all counted in one row, which others go on from.
    let more = Enqueue { jobs: vec![new_job()], promise: None, then: Vec::new() };
    assert!(matches!(bench.enqueue_all(more).await, Enqueued::Made { .. }));
    assert_eq!(bench.counts().await.ready, 3);
}
