//! Appends on their way into the log: submitted in order, published in order once they are
//! durable, then answered.
//!
//! What was committed is published whether or not the one who asked is still there to hear of it:
//! a connection that breaks between commit and ack takes nothing from the room's readers.

use crate::{
    engine::Engine, failpoint, hub::Hub, limits::APPENDS_AT_ONCE, metrics::Metrics, queues::Desk,
    walk::Ready,
};
use futures_util::{FutureExt, future::BoxFuture};
use holdfast_common::{
    cursor::Offset,
    id::RoomId,
    storage::{Appended, Fault, NewEntry, Verdict, jobs::Moves},
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// Rooms are spread over so many publishing tasks, so that one whose append takes long holds up
/// few others, and the entries of one room still go out in the order of their commits. (Any other
/// order would be right as well, but each swap would cost every reader a read of the log.)
const SHARDS: usize = 8;

/// A place among the appends that may be at the engine; without one while the server ends.
pub(crate) type Place = Option<OwnedSemaphorePermit>;

/// The way into the log.
pub(crate) struct Committer {
    engine: Arc<dyn Engine>,
    places: Arc<Semaphore>,
    /// Bounded by the places.
    shards: Vec<Mutex<mpsc::UnboundedSender<Job>>>,
}

struct Job {
    _place: Place,
    room: RoomId,
    append: BoxFuture<'static, Appended>,
    submitted: Instant,
    answer: oneshot::Sender<Appended>,
}

impl Committer {
    /// Starts the publishing tasks, which end when it is dropped.
    pub(crate) fn start(
        engine: Arc<dyn Engine>,
        hub: &Arc<Hub>,
        desk: &Arc<Desk>,
        metrics: &Arc<Metrics>,
    ) -> Self {
        let all = Arc::new(All { hub: Arc::clone(hub), desk: Arc::clone(desk) });
        let shards = (0..SHARDS).map(|_| {
            let (sender, jobs) = mpsc::unbounded_channel();
            tokio::spawn(publish(jobs, Arc::clone(&all), Arc::clone(metrics)));
            Mutex::new(sender)
        });
        let shards = shards.collect();
        Self { engine, places: Arc::new(Semaphore::new(APPENDS_AT_ONCE)), shards }
    }

    /// Waits for a place, in the order of asking.
    pub(crate) async fn place(&self) -> Place {
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// Submits an append by the call itself; the answer comes when it is durable and published.
    pub(crate) fn submit(&self, ready: Ready) -> impl Future<Output = Appended> + Send + use<> {
        let (answer, answered) = oneshot::channel();
        let Ready { append, _place, .. } = ready;
        let shard = &self.shards[shard_of(append.room)];
        // Held over both, so that the order of submitting is the order of publishing.
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let submitted = Instant::now();
        let room = append.room;
        let append = self.engine.append(append);
        let job = Job { _place, room, append, submitted, answer };
        // Where the task is gone, the answer's sender goes with the job.
        let _ = shard.send(job);
        async move {
            let lost = || Fault::Unknown("the server is shutting down".to_owned());
            answered.await.unwrap_or_else(|_| Appended::Fault(lost()))
        }
    }
}

fn shard_of(room: RoomId) -> usize {
    // The last byte of a room's id is random.
    usize::from(room.as_bytes()[15]) % SHARDS
}

async fn publish(
    mut jobs: mpsc::UnboundedReceiver<Job>,
    all: Arc<impl Tell>,
    metrics: Arc<Metrics>,
) {
    while let Some(job) = jobs.recv().await {
        let appended = AssertUnwindSafe(job.append).catch_unwind().await;
        let appended = appended
            .unwrap_or_else(|_| Appended::Fault(Fault::Unknown("the storage panicked".to_owned())));
        metrics.appended(&appended, job.submitted.elapsed());
        if let Appended::Decided { .. } = &appended {
            failpoint::after_commit();
        }
        tell(&*all, job.room, &appended);
        // The one who asked may have gone.
        let _ = job.answer.send(appended);
    }
}

/// Tells a room of what stands in its log. What is told again was committed by an append that was
/// answered as unknown, perhaps, so that nobody was told.
pub(crate) fn tell(hub: &impl Tell, room: RoomId, appended: &Appended) {
    let (verdict, entry) = match appended {
        Appended::Decided { verdict, entry, moves } => {
            let moved = || hub.moved(moves);
            if catch_unwind(AssertUnwindSafe(moved)).is_err() {
                tracing::error!(%room, "jobs that came of an event could not be told");
            }
            (verdict, entry.as_deref())
        }
        Appended::Again(verdict) => (verdict, None),
        _ => return,
    };
    // A panic costs the room's readers a read of the log, and no other room anything.
    let told = entry.map(|entry| catch_unwind(AssertUnwindSafe(|| hub.publish(entry))));
    if let (Verdict::Ack { offset, .. }, None | Some(Err(_))) = (verdict, &told) {
        let stands = catch_unwind(AssertUnwindSafe(|| hub.stands(room, *offset)));
        if stands.is_err() {
            tracing::error!(%room, offset, "a room could not be told of an entry");
        }
    }
}

/// What is told of an append: the [`Hub`]'s part in it, and the [`Desk`]'s.
pub(crate) trait Tell: Send + Sync + 'static {
    /// An entry has just become durable.
    fn publish(&self, entry: &NewEntry);
    /// An entry stands, whether or not it was published.
    fn stands(&self, room: RoomId, offset: Offset);
    /// Jobs were enqueued with it.
    fn moved(&self, moves: &Moves);
}

/// All who are told.
struct All {
    hub: Arc<Hub>,
    desk: Arc<Desk>,
}

impl Tell for All {
    fn publish(&self, entry: &NewEntry) {
        self.hub.publish(entry);
    }

    fn stands(&self, room: RoomId, offset: Offset) {
        self.hub.stands(room, offset);
    }

    fn moved(&self, moves: &Moves) {
        self.desk.moved(moves);
    }
}

#[cfg(test)]
mod tests;
