//! What the facts about jobs are told with: an engine whose clock goes when it is told to, one queue
//! or more, and consumers.

use super::super::{folder::Folder, rig::Rig};
use holdfast_backend::engine::{
    Answer, Clocks, Engine,
    memory::MemoryEngine,
    sqlite::{Options, SqliteEngine},
};
use holdfast_common::{
    id::JobId,
    job::{Holder, NewJob, Place, QueueSettings, Token},
    storage::jobs::{
        Claim, Claimed, Counts, End, Ended, Enqueue, Enqueued, Extend, Extended, How, JobRead,
        LeasedJob, QueueInfo, QueueRead, QueueSpec, Tended, Wanted,
    },
    time::{Instant, Millis, Timestamp},
};
use rusqlite::Connection;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

pub(crate) const WORK: &str = "work";
pub(crate) const INBOX: &str = "inbox";
/// The wall clock at the beginning.
pub(crate) const WALL: u64 = 1_760_000_000_000;

/// Clocks that go when they are told to.
#[derive(Default)]
pub(crate) struct Hands {
    steady: AtomicU64,
    /// Added to the steady one.
    wall: AtomicU64,
}

impl Clocks for Hands {
    fn steady(&self) -> Instant {
        Instant(self.steady.load(SeqCst))
    }

    fn wall(&self) -> Timestamp {
        Timestamp((WALL + self.steady.load(SeqCst)).wrapping_add(self.wall.load(SeqCst)))
    }
}

/// An engine under test.
pub(crate) struct Bench {
    engine: Mutex<Option<Arc<dyn Engine>>>,
    pub(crate) hands: Arc<Hands>,
    /// Every job that was asked for.
    jobs: Mutex<Vec<JobId>>,
    /// Goes after the engine.
    folder: Option<Folder>,
}

/// A job's id no other call gets, in rising order.
pub(crate) fn job_id() -> JobId {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let mut random = [0; 10];
    random[2..].copy_from_slice(&LAST.fetch_add(1, SeqCst).to_be_bytes());
    JobId::new(WALL, &random)
}

/// A job for the inbox, without any wish.
pub(crate) fn new_job() -> NewJob {
    NewJob {
        id: job_id(),
        ns: WORK.to_owned(),
        queue: INBOX.to_owned(),
        kind: "task".to_owned(),
        data: r#"{"title":"t"}"#.to_owned(),
        delay: Millis(0),
        priority: 0,
        group: None,
        most: None,
        backoff: None,
        expires: None,
        asker: None,
    }
}

pub(crate) fn grouped(group: &str) -> NewJob {
    NewJob { group: Some(group.to_owned()), ..new_job() }
}

pub(crate) fn holder(consumer: &str) -> Holder {
    Holder { consumer: consumer.to_owned(), person: None }
}

/// A claim of so many jobs of the inbox, for ten seconds.
pub(crate) fn claim(most: u32) -> Claim {
    let wanted = Wanted::Of { ns: WORK.to_owned(), queue: INBOX.to_owned(), most };
    Claim { wanted, holder: holder("c"), lease: Some(Millis(10_000)) }
}

pub(crate) fn complete() -> How {
    How::Complete { result: None }
}

pub(crate) fn fail(reason: &str) -> How {
    How::Fail { reason: reason.to_owned(), failure: None, retry: Some(Millis(0)) }
}

pub(crate) fn snooze(delay: u64) -> How {
    How::Snooze { delay: Millis(delay) }
}

pub(crate) fn end(job: JobId, token: Token, how: How) -> End {
    End { job, token, how, appends: Vec::new(), jobs: Vec::new(), then: None }
}

pub(crate) fn settings() -> QueueSettings {
    QueueSettings { backoff: Millis(0), ..QueueSettings::default() }
}

impl Bench {
    pub(crate) fn memory() -> Self {
        let hands = Arc::<Hands>::default();
        let engine = MemoryEngine::with_clocks(Arc::clone(&hands) as Arc<dyn Clocks>);
        Self::of(Arc::new(engine), hands, None)
    }

    pub(crate) fn sqlite() -> Self {
        Self::sqlite_with(Options::default())
    }

    pub(crate) fn sqlite_with(options: Options) -> Self {
        let (hands, folder) = (Arc::<Hands>::default(), Folder::new());
        let engine = Self::open(&folder, &hands, options);
        Self::of(engine, hands, Some(folder))
    }

    /// Opens a folder that was written before, with clocks at their beginning.
    pub(crate) fn on(folder: Folder) -> Self {
        let hands = Arc::<Hands>::default();
        let engine = Self::open(&folder, &hands, Options::default());
        Self::of(engine, hands, Some(folder))
    }

    /// Closes the folder and returns it.
    pub(crate) fn closed(self) -> Folder {
        self.engine.lock().unwrap().take();
        self.folder.unwrap()
    }

    fn of(engine: Arc<dyn Engine>, hands: Arc<Hands>, folder: Option<Folder>) -> Self {
        Self { engine: Mutex::new(Some(engine)), hands, jobs: Mutex::default(), folder }
    }

    fn open(folder: &Folder, hands: &Arc<Hands>, options: Options) -> Arc<dyn Engine> {
        let clocks = Arc::clone(hands) as Arc<dyn Clocks>;
        let options = Options { clocks, ..options };
        Arc::new(SqliteEngine::open_with(folder.path(), options).unwrap())
    }

    /// All bytes of the folder.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.folder.as_ref().unwrap().bytes()
    }

    /// Runs this on the closed folder.
    pub(crate) fn alter(&self, sql: &str) {
        self.engine.lock().unwrap().take();
        let folder = self.folder.as_ref().unwrap();
        let db = Connection::open(folder.path().join("holdfast.db")).unwrap();
        db.execute_batch(sql).unwrap();
        drop(db);
        self.reopen(0);
    }

    /// Its counts are of these jobs too, which were not enqueued by themselves.
    pub(crate) fn know(&self, ids: &[JobId]) {
        self.jobs.lock().unwrap().extend(ids);
    }

    /// For what is asked about rooms.
    pub(crate) fn rig(&self) -> Rig {
        Rig::of(self.engine())
    }

    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        self.engine.lock().unwrap().clone().unwrap()
    }

    /// Closes the folder and opens it again so much later by the wall clock.
    pub(crate) fn reopen(&self, later: u64) {
        self.engine.lock().unwrap().take();
        self.hands.wall.fetch_add(later, SeqCst);
        let folder = self.folder.as_ref().unwrap();
        let engine = Self::open(folder, &self.hands, Options::default());
        *self.engine.lock().unwrap() = Some(engine);
    }

    /// The folder was set back to a backup, and is opened as it says then.
    pub(crate) fn restored(&self) {
        self.engine.lock().unwrap().take();
        SqliteEngine::restored(self.folder.as_ref().unwrap().path()).unwrap();
        self.reopen(0);
    }

    /// Moves the steady clock alone, so that the next call sees a step of this length.
    pub(crate) fn step(&self, length: u64) {
        self.hands.steady.fetch_add(length, SeqCst);
    }

    /// Moves the wall clock alone.
    pub(crate) fn jump(&self, length: i64) {
        self.hands.wall.fetch_add(length.cast_unsigned(), SeqCst);
    }

    /// Lets time pass as it does in a server: somebody looks at the clock each second, and here that
    /// is all they do.
    pub(crate) async fn pass(&self, length: u64) {
        let mut left = length;
        while left > 0 {
            let step = left.min(1_000);
            self.step(step);
            left -= step;
            self.extend(Vec::new(), 1).await;
        }
    }

    pub(crate) async fn inbox(&self) -> QueueInfo {
        self.queue(INBOX, settings()).await
    }

    pub(crate) async fn queue(&self, name: &str, settings: QueueSettings) -> QueueInfo {
        let spec = QueueSpec { ns: WORK.to_owned(), name: name.to_owned(), settings };
        self.engine().ensure_queue(spec).await.unwrap()
    }

    pub(crate) async fn read_queue(&self) -> QueueRead {
        self.engine().queue(WORK, INBOX).await.unwrap().unwrap()
    }

    pub(crate) async fn counts(&self) -> Counts {
        self.read_queue().await.info.counts
    }

    pub(crate) async fn enqueue_all(&self, enqueue: Enqueue) -> Enqueued {
        self.jobs.lock().unwrap().extend(enqueue.jobs.iter().map(|job| job.id));
        told(self.engine().enqueue(enqueue).await)
    }

    /// Enqueues what must be new.
    pub(crate) async fn put(&self, job: NewJob) -> JobId {
        let id = job.id;
        let enqueue = Enqueue { jobs: vec![job], promise: None, then: Vec::new() };
        let made = self.enqueue_all(enqueue).await;
        assert_eq!(made, Enqueued::Made { ids: vec![id], claimed: Vec::new() });
        id
    }

    /// Enqueues so many without any wish.
    pub(crate) async fn puts(&self, count: usize) -> Vec<JobId> {
        let mut ids = Vec::new();
        for _ in 0..count {
            ids.push(self.put(new_job()).await);
        }
        ids
    }

    pub(crate) async fn claimed(&self, claim: Claim) -> Claimed {
        told(self.engine().claim(claim).await)
    }

    pub(crate) async fn take(&self, most: u32) -> Vec<LeasedJob> {
        jobs(self.claimed(claim(most)).await)
    }

    pub(crate) async fn take_ids(&self, most: u32) -> Vec<JobId> {
        self.take(most).await.into_iter().map(|job| job.id).collect()
    }

    pub(crate) async fn take_one(&self) -> LeasedJob {
        let mut jobs = self.take(1).await;
        assert_eq!(jobs.len(), 1);
        jobs.remove(0)
    }

    pub(crate) async fn end(&self, job: &LeasedJob, how: How) -> Ended {
        told(self.engine().end(end(job.id, job.token, how)).await)
    }

    /// Ends what must be held, and returns where the job is then.
    pub(crate) async fn ended(&self, job: &LeasedJob, how: How) -> Place {
        match self.end(job, how).await {
            Ended::Done { place, .. } => place,
            other => panic!("not done: {other:?}"),
        }
    }

    pub(crate) async fn extend(&self, jobs: Vec<(JobId, Token)>, lease: u64) -> Vec<Extended> {
        let extend = Extend { jobs, lease: Some(Millis(lease)), progress: None };
        told(self.engine().extend(extend).await)
    }

    pub(crate) async fn tend(&self) -> Tended {
        told(self.engine().tend().await)
    }

    pub(crate) async fn job(&self, id: JobId) -> JobRead {
        self.engine().job(id).await.unwrap().unwrap()
    }

    pub(crate) async fn place(&self, id: JobId) -> Place {
        self.job(id).await.place
    }

    /// That each queue's counts are those of its jobs, and of each group one holds up the others.
    pub(crate) async fn counted(&self) {
        while self.tend().await.more {}
        let mut counts = BTreeMap::<String, Counts>::new();
        let mut heads = BTreeMap::<(String, String), u32>::new();
        let mut ids = self.jobs.lock().unwrap().clone();
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let Some(job) = self.engine().job(id).await.unwrap() else { continue };
            if let Some(count) = counts.entry(job.queue.clone()).or_default().of(job.place) {
                *count += 1;
            }
            assert_eq!(job.holder.is_some(), job.place == Place::Leased, "{job:?}");
            if let Some(group) = job.group.filter(|_| !job.place.ended()) {
                let heads = heads.entry((job.queue, group)).or_default();
                *heads += u32::from(job.place.heads());
            }
        }
        for queue in self.engine().queues(WORK).await.unwrap() {
            let info = queue.info;
            let counted = counts.get(&info.name).copied().unwrap_or_default();
            assert_eq!(info.counts, counted, "queue {}", info.name);
        }
        assert!(heads.values().all(|heads| *heads == 1), "{heads:?}");
        self.counted_rows();
    }

    /// The same by the database alone, which knows of jobs that nobody has asked for.
    fn counted_rows(&self) {
        let Some(folder) = &self.folder else { return };
        let db = Connection::open(folder.path().join("holdfast.db")).unwrap();
        let sql = "SELECT count(*) FROM queues q WHERE
            (q.ready, q.delayed, q.behind, q.leased, q.done, q.dead) IS NOT (SELECT
                count(*) FILTER (WHERE place = 0), count(*) FILTER (WHERE place = 1),
                count(*) FILTER (WHERE place = 2), count(*) FILTER (WHERE place = 3),
                count(*) FILTER (WHERE place = 4), count(*) FILTER (WHERE place = 5)
            FROM jobs j WHERE j.queue = q.seq)";
        let wrong: u32 = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(wrong, 0, "queues whose counts are not those of their rows");
        let sql = "SELECT (SELECT count(*) FROM attempts WHERE job NOT IN (SELECT seq FROM jobs))
            + (SELECT count(*) FROM jobs WHERE content NOT IN (SELECT seq FROM contents))
            + (SELECT count(*) FROM contents) - (SELECT count(*) FROM jobs)
            - (SELECT count(*) FROM jobs WHERE outcome IS NOT NULL)
            - (SELECT count(*) FROM schedules) - (SELECT count(*) FROM entries)";
        let left: i64 = db.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(left, 0, "rows that belong to nothing");
    }
}

fn told<T>(answer: Answer<T>) -> T {
    answer.unwrap().0
}

/// The jobs of a claim that was carried out.
pub(crate) fn jobs(claimed: Claimed) -> Vec<LeasedJob> {
    match claimed {
        Claimed::Jobs { jobs, .. } => jobs,
        other => panic!("nothing was claimed: {other:?}"),
    }
}

/// Where the job is of which an end was said again.
pub(crate) fn again_at(ended: &Ended) -> Option<Place> {
    match ended {
        Ended::Again { place, .. } => Some(*place),
        _ => None,
    }
}
