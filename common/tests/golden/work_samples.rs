//! What stands in the files of `holdfast-work.v1`, as values.

use crate::samples::{CONNECTION, ada, at, id, raw};
use holdfast_common::{
    frame::work::*,
    id::JobId,
    job::{
        JobState, Place, QueueSettings, Reason,
        figures::{Rates, Spread},
        limits::{CREDIT, RESULT_BYTES, SUBSCRIPTIONS},
    },
    limits::{Limits, OPEN_REQUESTS},
    time::Millis,
};

const TOKEN: &str = "42-9f3c0a11d2e4b567";

fn job(n: u8) -> JobId {
    id(&format!("0199c82c-c000-7100-8100-{n:012}"))
}

fn work() -> String {
    "work".to_owned()
}

fn inbox() -> String {
    "inbox".to_owned()
}

type Sample = (&'static str, WorkClient, Option<&'static str>);

/// Each with what follows its line break.
pub fn client_frames() -> Vec<Sample> {
    [connection_frames(), job_frames(), lease_frames(), board_frames()].concat()
}

fn connection_frames() -> Vec<Sample> {
    use WorkClient as F;
    let secret = Some("correct horse battery staple".to_owned());
    let service = Hello { person: None, secret: None, name: "printer-2".to_owned() };
    let person = Hello { person: Some(ada()), secret, name: "Ada".to_owned() };
    let consume = Consume { req: 1, ns: work(), queue: inbox(), credit: 8, lease_ms: None };
    let lease = Consume { lease_ms: Some(Millis(60_000)), ..consume.clone() };
    vec![
        ("hello", F::Hello(service), None),
        ("hello-person", F::Hello(person), None),
        ("consume", F::Consume(consume), None),
        ("consume-lease", F::Consume(lease), None),
        ("credit", F::Credit(Credit { sub: 1, n: 8 }), None),
        ("unconsume", F::Unconsume(Unsubscribe { req: 2, sub: 1 }), None),
        ("ping", F::Ping(Ping { n: 1 }), None),
    ]
}

fn job_frames() -> Vec<Sample> {
    use WorkClient as F;
    let enqueue = EnqueueJob {
        req: 3,
        id: job(1),
        ns: work(),
        queue: inbox(),
        kind: "task".to_owned(),
        delay_ms: None,
        priority: None,
        group: None,
        max_attempts: None,
        backoff_ms: None,
        expires_ms: None,
    };
    let whole = EnqueueJob {
        delay_ms: Some(Millis(1_000)),
        priority: Some(-5),
        group: Some("ward-7".to_owned()),
        max_attempts: Some(3),
        backoff_ms: Some(Millis(2_000)),
        expires_ms: Some(Millis(3_600_000)),
        ..enqueue.clone()
    };
    let take = Take { req: 4, job: job(1), lease_ms: None };
    let task = Some("{\"title\":\"Call \\\"Bo\\\"\"}");
    vec![
        ("enqueue", F::Enqueue(enqueue), task),
        ("enqueue-whole", F::Enqueue(whole), task),
        ("take", F::Take(take), None),
        ("take-lease", F::Take(Take { lease_ms: Some(Millis(60_000)), ..take }), None),
    ]
}

fn lease_frames() -> Vec<Sample> {
    use WorkClient as F;
    let (req, job, token) = (5, job(1), TOKEN.to_owned());
    let complete = Complete { req, job, token: token.clone(), next: None };
    let next = Complete { next: Some(1), ..complete.clone() };
    let reason = "The line is busy.".to_owned();
    let fail = Fail { req, job, token: token.clone(), reason, retry: true, next: None };
    let dead = Fail { retry: false, reason: String::new(), next: Some(1), ..fail.clone() };
    let extend =
        ExtendLease { req, job, token: token.clone(), lease_ms: None, progress: None, note: None };
    let progress = ExtendLease {
        lease_ms: Some(Millis(60_000)),
        progress: Some(50),
        note: Some("half of it".to_owned()),
        ..extend.clone()
    };
    let snooze = Snooze { req, job, token, delay_ms: None, next: None };
    let later = Snooze { delay_ms: Some(Millis(5_000)), next: Some(1), ..snooze.clone() };
    vec![
        ("complete", F::Complete(complete), None),
        ("complete-next", F::Complete(next), Some("{\n  \"pages\": 3\n}")),
        ("fail", F::Fail(fail), None),
        ("fail-for-good", F::Fail(dead), Some(r#"{"paper":"none"}"#)),
        ("extend", F::Extend(extend), None),
        ("extend-progress", F::Extend(progress), None),
        ("snooze", F::Snooze(snooze), None),
        ("snooze-delay", F::Snooze(later), None),
    ]
}

/// A completion with all that it may bring.
pub fn complete_brings() -> (WorkClient, Brings) {
    let complete = Complete { req: 5, job: job(1), token: TOKEN.to_owned(), next: None };
    let event = EndEvent {
        namespace: None,
        room: "floor".to_owned(),
        kind: "packed".to_owned(),
        data: raw(r#"{"boxes":3}"#),
    };
    let elsewhere = EndEvent {
        namespace: Some("chat".to_owned()),
        room: "lobby".to_owned(),
        kind: "message".to_owned(),
        data: raw("{\"text\":\"It is \\\"done\\\".\"}"),
    };
    let asked = AskedJob {
        kind: "task".to_owned(),
        data: raw(r#"{"title":"Call Bo"}"#),
        delay_ms: None,
        at: None,
        priority: None,
        group: None,
        max_attempts: None,
        backoff_ms: None,
        expires_ms: None,
    };
    let whole = AskedJob {
        delay_ms: Some(Millis(1_000)),
        priority: Some(-5),
        group: Some("ward-7".to_owned()),
        max_attempts: Some(3),
        backoff_ms: Some(Millis(2_000)),
        expires_ms: Some(Millis(3_600_000)),
        ..asked.clone()
    };
    let jobs = vec![
        EndJob { namespace: None, queue: None, job: asked },
        EndJob { namespace: Some(work()), queue: Some(inbox()), job: whole },
    ];
    (WorkClient::Complete(complete), Brings { events: vec![event, elsewhere], jobs })
}

/// A failure that says how long it is to wait.
pub fn fail_patience() -> (WorkClient, Patience) {
    let (token, reason) = (TOKEN.to_owned(), "The line is busy.".to_owned());
    let fail = Fail { req: 5, job: job(1), token, reason, retry: true, next: None };
    (WorkClient::Fail(fail), Patience { retry_ms: Some(Millis(60_000)) })
}

/// What a completion has brought: of one event it is not known any more where it stood.
pub fn did_brought() -> (WorkServer, Brought) {
    let did = Did { req: 5, state: Some(JobState::Done), ..Did::default() };
    let event = |n: u8| id(&format!("0199c82c-c000-7e00-8e00-{n:012}"));
    let stands = Stands { id: event(1), offset: Some(42) };
    let events = vec![stands, Stands { id: event(2), offset: None }];
    (WorkServer::Did(did), Brought { events, enqueued: vec![job(2), job(3)] })
}

/// A completion with an event that is rejected, and one with a job that cannot be.
pub fn refused_at() -> [(&'static str, WorkServer, AtFault); 2] {
    let refused = |code: &str, detail: &str| {
        let (code, detail) = (code.to_owned(), detail.to_owned());
        WorkServer::Refused(Refused { req: 5, code, detail, reason: None, state: None })
    };
    let why = Some(serde_json::json!({ "most": 2 }));
    let event = AtFault { event: Some(1), job: None, why };
    let job = AtFault { event: None, job: Some(0), why: None };
    [
        ("refused-event", refused("refused", "So many do not fit."), event),
        ("refused-job", refused("unknown_queue", "There is no such queue."), job),
    ]
}

fn board_frames() -> Vec<Sample> {
    use WorkClient as F;
    let more = More { req: 8, sub: 2, place: Place::Dead, after: None, like: Like::default() };
    let like = Like { kind: Some("task".to_owned()), error: Some("busy".to_owned()) };
    let like_this = More { after: Some("5.17.42".to_owned()), like: like.clone(), ..more.clone() };
    let govern = |deed| F::Govern(Govern { req: 9, ns: work(), queue: inbox(), deed });
    let these = || Which::Jobs(vec![job(1), job(2)]);
    vec![
        ("watch", F::Watch(Watch { req: 6, ns: work(), queue: inbox() }), None),
        ("unwatch", F::Unwatch(Unsubscribe { req: 7, sub: 2 }), None),
        ("more", F::More(more), None),
        ("more-like", F::More(like_this), None),
        ("govern-cancel", govern(Deed::Cancel(these())), None),
        ("govern-requeue", govern(Deed::Requeue(Which::Like(like))), None),
        (
            "govern-requeue-mended",
            govern(Deed::Requeue(Which::Jobs(vec![job(1)]))),
            Some(r#"{"title":"Call Bo"}"#),
        ),
        ("govern-discard", govern(Deed::Discard(Which::Like(Like::default()))), None),
        ("govern-pause", govern(Deed::Pause), None),
        ("govern-resume", govern(Deed::Resume), None),
        ("govern-purge", govern(Deed::Purge(JobState::Dead)), None),
        ("govern-set", govern(Deed::Set), Some(r#"{"in_flight":4}"#)),
    ]
}

pub fn server_frames() -> Vec<(&'static str, WorkServer)> {
    let parts = [answers(), leases(), shows()];
    parts.into_iter().flatten().collect()
}

fn answers() -> Vec<(&'static str, WorkServer)> {
    use WorkServer as F;
    let Limits { payload_bytes, ping_every, silence, .. } = Limits::default();
    let number = |count: usize| u32::try_from(count).expect("a limit is no larger");
    let limits = WorkLimits {
        payload_bytes,
        result_bytes: number(RESULT_BYTES),
        requests: number(OPEN_REQUESTS),
        subscriptions: number(SUBSCRIPTIONS),
        credit: CREDIT,
        ping_every,
        silence,
    };
    let server = "0.1.0".to_owned();
    let welcome = Welcome { connection: id(CONNECTION), server, now: at(0), limits };
    let did = Did { req: 5, ..Did::default() };
    let done = Did { state: Some(JobState::Done), again: true, ..did };
    let retried = Did { state: Some(JobState::Ready), retry_ms: Some(Millis(1_500)), ..did };
    let extended = Did { lease_ms: Some(Millis(60_000)), expires_at: Some(at(60_000)), ..did };
    let refused = Refused {
        req: 5,
        code: "fenced".to_owned(),
        detail: "The job is no longer held by this token.".to_owned(),
        reason: Some(Reason::Expired),
        state: None,
    };
    let state = Refused {
        req: 4,
        code: "wrong_state".to_owned(),
        detail: "The job is in a state in which this cannot be done.".to_owned(),
        reason: None,
        state: Some(JobState::Leased),
    };
    vec![
        ("welcome", F::Welcome(welcome)),
        ("consuming", F::Consuming(Consuming { req: 1, sub: 1 })),
        ("enqueued", F::Enqueued(Enqueued { req: 3, id: job(1), again: false })),
        ("enqueued-again", F::Enqueued(Enqueued { req: 3, id: job(1), again: true })),
        ("did", F::Did(did)),
        ("did-again", F::Did(done)),
        ("did-retry", F::Did(retried)),
        ("did-extend", F::Did(extended)),
        ("did-count", F::Did(Did { count: Some(12), ..did })),
        ("refused", F::Refused(refused)),
        ("refused-state", F::Refused(state)),
        ("pong", F::Pong(Ping { n: 1 })),
        ("away", F::Away(Away { after: Millis(1_000) })),
    ]
}

fn leases() -> Vec<(&'static str, WorkServer)> {
    use WorkServer as F;
    let leased = JobLeased {
        id: job(1),
        token: TOKEN.to_owned(),
        fence: 42,
        attempt: 1,
        kind: "task".to_owned(),
        data: raw("{\"title\":\"Call \\\"Bo\\\"\"}"),
        group: None,
        lease_ms: Millis(30_000),
        expires_at: at(30_000),
    };
    let grouped = JobLeased { group: Some("ward-7".to_owned()), ..leased.clone() };
    let lost = |reason| F::Lost(Lost { job: job(1), fence: 42, reason });
    vec![
        ("leased", F::Leased(Leased { sub: Some(1), req: None, job: leased })),
        ("leased-taken", F::Leased(Leased { sub: None, req: Some(4), job: grouped })),
        ("lost", lost(Reason::Expired)),
        ("lost-cancelled", lost(Reason::Cancelled)),
    ]
}

fn queue() -> QueueShown {
    QueueShown {
        ns: work(),
        name: inbox(),
        ready: 3,
        delayed: 1,
        behind: 1,
        leased: 1,
        done: 8,
        dead: 1,
        paused: false,
        settings: QueueSettings::default(),
    }
}

fn ready() -> JobShown {
    JobShown {
        id: job(1),
        seq: None,
        kind: "task".to_owned(),
        place: Place::Ready,
        priority: 0,
        group: None,
        attempt: 0,
        max_attempts: 5,
        data: Some(raw("{\"title\":\"Call \\\"Bo\\\"\"}")),
        consumer: None,
        person: None,
        progress: None,
        note: None,
        error: None,
        due_in_ms: None,
        age_ms: Millis(250),
    }
}

fn shows() -> Vec<(&'static str, WorkServer)> {
    use WorkServer as F;
    let queue = queue();
    let ready = ready();
    let leased = JobShown {
        id: job(2),
        place: Place::Leased,
        group: Some("ward-7".to_owned()),
        attempt: 2,
        data: None,
        consumer: Some("Ada".to_owned()),
        person: Some(ada()),
        progress: Some(50),
        note: Some("half of it".to_owned()),
        error: Some("lease ran out".to_owned()),
        due_in_ms: Some(Millis(20_000)),
        ..ready.clone()
    };
    let rest = || Some("0.0.42".to_owned());
    let place = |place, jobs, after| PlaceShown { place, jobs, after };
    let board = Board {
        sub: 2,
        req: Some(6),
        queue: queue.clone(),
        oldest_ms: Some(Millis(250)),
        places: vec![
            place(Place::Ready, vec![ready.clone()], rest()),
            place(Place::Leased, vec![leased.clone()], None),
            place(Place::Behind, Vec::new(), None),
        ],
    };
    let anew = Board { req: None, oldest_ms: None, places: Vec::new(), ..board.clone() };
    let moved = Moved { sub: 2, queue, jobs: vec![leased.clone()], gone: Vec::new() };
    let gone = Moved { jobs: Vec::new(), gone: vec![job(3)], ..moved.clone() };
    let second = JobShown { seq: Some(42), ..ready };
    let numbered = Moved { jobs: vec![second], ..moved.clone() };
    let page = Page { req: 8, sub: 2, place: place(Place::Leased, vec![leased], rest()) };
    let spread = |p50, p95| Some(Spread { p50_ms: Millis(p50), p95_ms: Millis(p95) });
    let rates = Rates {
        enqueued: 9,
        started: 8,
        done: 6,
        failed: 2,
        dead: 1,
        wait: spread(13, 208),
        run: spread(352, 1_920),
    };
    let figures = Figures { sub: 2, figures: rates, oldest_ms: None };
    vec![
        ("board", F::Board(board)),
        ("board-anew", F::Board(anew)),
        ("moved", F::Moved(moved)),
        ("moved-gone", F::Moved(gone)),
        ("moved-seq", F::Moved(numbered)),
        ("page", F::Page(page)),
        ("figures", F::Figures(figures)),
        ("figures-none", F::Figures(Figures { figures: Rates::default(), ..figures })),
        ("figures-oldest", F::Figures(Figures { oldest_ms: Some(Millis(250)), ..figures })),
    ]
}
