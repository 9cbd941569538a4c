//! What an application says through the server it has mounted.

use super::{Shared, rooms};
use crate::{
    clock,
    hub::{To, encode},
    metrics::Metrics,
    queues::next_of,
    walk::{self, Draft},
};
use holdfast_common::{
    cursor::Offset,
    error::Code,
    event::{Durable, EventType, Volatile},
    fanout::Target,
    frame::{Author, ServerFrame, Signalled},
    id::{ConnectionId, Epoch, EventId, JobId, PersonId, RoomId},
    job::{self, JobType, NewJob, Unfit, limits::label},
    storage::{
        Appended, Fault, Verdict,
        jobs::{By, Enqueued},
        schedules::{NewSchedule, Scheduled},
    },
};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};

/// Why an event was not emitted.
#[derive(Debug, thiserror::Error)]
pub enum NotEmitted<R> {
    /// The event's own rule refused it.
    #[error("the event was refused: {0:?}")]
    Refused(R),
    /// It was refused for a reason that every namespace shares.
    #[error("the event was refused: {}", .0.text())]
    Code(Code),
    /// The storage could not take it.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a job was not enqueued.
#[derive(Debug, thiserror::Error)]
pub enum NotEnqueued {
    /// Its queue does not take it.
    #[error("the job was not enqueued: {}", .0.text())]
    Queue(job::Code),
    /// It is out of its bounds.
    #[error("the job was not enqueued: {0}")]
    Unfit(#[from] Unfit),
    /// The storage could not take it.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Why a schedule was not made.
#[derive(Debug, thiserror::Error)]
pub enum NotScheduled {
    /// Its expression cannot be read, or never comes.
    #[error("{0}")]
    Bad(String),
    /// Its queue was not declared.
    #[error("the schedule was not made: {}", .0.text())]
    Queue(job::Code),
    /// It is out of its bounds.
    #[error("the schedule was not made: {0}")]
    Unfit(#[from] Unfit),
    /// There are as many as there may be.
    #[error("there are too many schedules")]
    TooMany,
    /// The storage could not take it.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A durable event that stands in its room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted<T> {
    /// The room.
    pub room: RoomId,
    /// The event.
    pub id: EventId,
    /// The incarnation of the log.
    pub epoch: Epoch,
    /// Its place.
    pub offset: Offset,
    /// What its rule answered.
    pub reply: T,
}

/// What an application says and does: durable events to rooms and persons (`emit_…`), volatile ones
/// to whoever is connected (`signal_…`), rooms made, trimmed and deleted, and the shutdown. Cheap to
/// clone.
#[derive(Clone)]
pub struct Handle {
    pub(super) shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Appends a durable event to a room, as the server's own. The rule is asked as for anyone's;
    /// the server counts as a member of every room.
    ///
    /// # Errors
    /// It was refused, or could not be stored.
    pub async fn emit_to_room<E: Durable>(
        &self,
        room: RoomId,
        event: &E,
    ) -> Result<Emitted<E::Reply>, NotEmitted<E::Refusal>> {
        let payload = serde_json::to_vec(event).map_err(broken)?;
        let draft = Draft {
            namespace: E::NAMESPACE.to_owned(),
            room,
            id: clock::fresh_event()?,
            kind: E::NAME.to_owned(),
            author: self.shared.author.clone(),
            payload,
            condemned: None,
            everywhere: true,
            lane: None,
            idempotency: None,
        };
        emitted::<E>(room, walk::append(&self.shared, &draft).await)
    }

    /// Appends a durable event to a person's inbox of the event's namespace, which is made at its
    /// first use. The person hears of it at once, or finds it when they next come; nobody else
    /// does. The rule is asked as in any room.
    ///
    /// # Errors
    /// [`Code::UnknownPerson`] if nobody of that id has ever come; else as for
    /// [`Handle::emit_to_room`].
    pub async fn emit_to_person<E: Durable>(
        &self,
        person: PersonId,
        event: &E,
    ) -> Result<Emitted<E::Reply>, NotEmitted<E::Refusal>> {
        self.shared.handler(E::NAMESPACE).map_err(NotEmitted::Code)?;
        let inbox = rooms::ensure_inbox(&self.shared, E::NAMESPACE, person).await?;
        let inbox = inbox.ok_or(NotEmitted::Code(Code::UnknownPerson))?;
        self.emit_to_room(inbox, event).await
    }

    /// Enqueues a job, in nobody's name.
    ///
    /// # Errors
    /// As for [`Handle::enqueue_with`].
    pub async fn enqueue<J: JobType>(&self, job: &J) -> Result<JobId, NotEnqueued> {
        self.enqueue_with(job, |_| {}).await
    }

    /// Enqueues a job that is not as usual: when it begins, its group, its attempts, who asks for it. Of
    /// one whose id is known already this is the answer to the first.
    ///
    /// # Errors
    /// Its queue was not declared or is full, it is out of its bounds, or the storage could not take
    /// it.
    pub async fn enqueue_with<J: JobType>(
        &self,
        job: &J,
        change: impl FnOnce(&mut NewJob),
    ) -> Result<JobId, NotEnqueued> {
        let mut new = NewJob::of(clock::fresh_job()?, job);
        change(&mut new);
        self.shared.queues.queue(&new.ns, &new.queue).map_err(NotEnqueued::Queue)?;
        new.check(self.shared.limits.payload_bytes as usize)?;
        let id = new.id;
        match self.shared.queues.desk.enqueue(vec![new], None).await? {
            Enqueued::Made { .. } | Enqueued::Again(_) => Ok(id),
            // One job is never more than a queue may have.
            Enqueued::QueueFull | Enqueued::TooLarge => {
                Err(NotEnqueued::Queue(job::Code::QueueFull))
            }
            Enqueued::UnknownQueue { .. } => Err(NotEnqueued::Queue(job::Code::UnknownQueue)),
            Enqueued::Mismatch => Err(Fault::Failed("a key without a key".to_owned()).into()),
        }
    }

    /// Has a job come by a crontab's five fields, in UTC, in place of what was scheduled by this name in its
    /// namespace. In the same words it is left as it is, so it may be said at each start.
    ///
    /// # Errors
    /// The expression cannot be read or never comes, the job's queue was not declared, it is out of its
    /// bounds, there are too many, or the storage could not take it.
    pub async fn schedule<J: JobType>(
        &self,
        name: &str,
        cron: &str,
        job: &J,
    ) -> Result<(), NotScheduled> {
        let job = NewJob::of(JobId::NIL, job);
        self.shared.queues.queue(&job.ns, &job.queue).map_err(NotScheduled::Queue)?;
        job.check(self.shared.limits.payload_bytes as usize)?;
        if !label(name) {
            return Err(Unfit::Bounds("name").into());
        }
        let next = next_of(cron, self.shared.engine.wall()).await?;
        let next = next.map_err(|bad| NotScheduled::Bad(bad.to_string()))?;
        let (id, name) = (clock::fresh_schedule()?, name.to_owned());
        let new = NewSchedule { id, name, cron: cron.to_owned(), job, next };
        let Author { id: person, name } = self.shared.author.clone();
        match self.shared.engine.set_schedule(new, By { person, name }).await? {
            Scheduled::Made(_) | Scheduled::Replaced(_) | Scheduled::Same(_) => Ok(()),
            Scheduled::TooMany => Err(NotScheduled::TooMany),
            Scheduled::UnknownQueue => Err(NotScheduled::Queue(job::Code::UnknownQueue)),
        }
    }

    /// Passes a volatile event to one connection.
    pub fn signal_connection<E: Volatile>(&self, connection: ConnectionId, event: &E) {
        self.signal(To::Connection(connection), None, event);
    }

    /// Passes a volatile event to every connection of a person.
    pub fn signal_person<E: Volatile>(&self, person: PersonId, event: &E) {
        self.signal(To::Target(Target::Person(person)), None, event);
    }

    /// Passes a volatile event to every connection in a room of the event's namespace.
    pub fn signal_room<E: Volatile>(&self, room: RoomId, event: &E) {
        if self.shared.hub.is_of(room, E::NAMESPACE) {
            self.signal(To::Target(Target::Room(room)), Some(room), event);
        }
    }

    /// Passes a volatile event to every connection in a room of the event's namespace but the
    /// sender's; to all of them if that one is gone.
    pub fn signal_room_but<E: Volatile>(&self, room: RoomId, sender: ConnectionId, event: &E) {
        if self.shared.hub.is_of(room, E::NAMESPACE) {
            self.signal(To::RoomBut(room, sender), Some(room), event);
        }
    }

    /// Passes a volatile event to every connection that follows a room of the event's namespace.
    pub fn signal_namespace<E: Volatile>(&self, event: &E) {
        self.signal(To::Namespace(E::NAMESPACE), None, event);
    }

    /// Passes a volatile event to every connection.
    pub fn signal_everyone<E: Volatile>(&self, event: &E) {
        self.signal(To::Target(Target::Everyone), None, event);
    }

    fn signal<E: EventType>(&self, to: To<'_>, room: Option<RoomId>, event: &E) {
        // An event type serializes: it has string keys and nothing that can fail.
        let Ok(data) = serde_json::value::to_raw_value(event) else {
            return;
        };
        let frame = signalled(E::NAMESPACE, room, E::NAME, self.shared.author.clone(), data);
        self.shared.hub.send(to, &frame);
    }

    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// Begins a shutdown: nothing new is taken, and every connection is told when to come back and
    /// closed when what it had under way is answered.
    pub fn drain(&self) {
        self.shared.draining.send_replace(true);
    }

    /// Waits until every connection is closed, and every job is handed back that nobody will do here, or `most`
    /// is over; returns whether that is so.
    pub async fn drained(&self, most: Duration) -> bool {
        let done = async {
            self.shared.draining.closed().await;
            self.shared.queues.desk.calm().await;
        };
        tokio::time::timeout(most, done).await.is_ok()
    }
}

/// A volatile event as its readers get it.
pub(crate) fn signalled(
    ns: &str,
    room: Option<RoomId>,
    kind: &str,
    from: Author,
    data: Box<RawValue>,
) -> crate::hub::Frame {
    encode(&ServerFrame::Signal(Signalled {
        ns: ns.to_owned(),
        room,
        kind: kind.to_owned(),
        from,
        data,
    }))
}

pub(super) fn broken(error: serde_json::Error) -> Fault {
    Fault::Failed(format!("an event or a reply could not be read: {error}"))
}

fn emitted<E: Durable>(
    room: RoomId,
    appended: Appended,
) -> Result<Emitted<E::Reply>, NotEmitted<E::Refusal>> {
    let verdict = match appended {
        Appended::Decided { verdict, .. } | Appended::Again(verdict) => verdict,
        Appended::Fault(fault) => return Err(fault.into()),
        other => return Err(Fault::Failed(format!("without a lane, {other:?}")).into()),
    };
    match verdict {
        Verdict::Ack { id, epoch, offset, reply } => {
            let reply = serde_json::from_str(&reply).map_err(broken)?;
            Ok(Emitted { room, id, epoch, offset, reply })
        }
        Verdict::Reject { code, why, .. } => Err(match why {
            Some(why) => NotEmitted::Refused(serde_json::from_str(&why).map_err(broken)?),
            None => NotEmitted::Code(code),
        }),
    }
}
