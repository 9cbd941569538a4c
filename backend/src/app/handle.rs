//! What an application says through the server it has mounted.

use super::Shared;
use crate::{
    clock,
    hub::{To, encode},
    walk::{self, Draft, Ready},
};
use holdfast_common::{
    chat::{RoomCreated, RoomNamed},
    cursor::Offset,
    error::Code,
    event::{Durable, Effect, EventType, Verified, Volatile},
    fanout::Target,
    frame::{Author, ServerFrame, Signalled},
    id::{ConnectionId, Epoch, EventId, PersonId, RoomId},
    storage::{Append, Appended, FactsQuery, Fault, Verdict},
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

/// A durable event that stands in its room's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted<T> {
    /// The event.
    pub id: EventId,
    /// The incarnation of the log.
    pub epoch: Epoch,
    /// Its place.
    pub offset: Offset,
    /// What its rule answered.
    pub reply: T,
}

/// Emits to people and rooms, and shuts the server down. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    shared: Arc<Shared>,
}

impl Handle {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The room of that name, made if it is not there.
    ///
    /// # Errors
    /// The storage could not say, or not make it.
    pub async fn room(&self, namespace: &str, name: &str) -> Result<RoomId, Fault> {
        ensure_room(&self.shared, namespace, name).await
    }

    /// Appends a durable event to a room, as the server's own. The rule is asked as for anyone's;
    /// the server counts as a member of every room.
    ///
    /// # Errors
    /// It was refused, or could not be stored.
    pub async fn emit<E: Durable>(
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
        emitted::<E>(walk::append(&self.shared, &draft).await)
    }

    /// Passes a volatile event to one connection.
    pub fn emit_to_connection<E: Volatile>(&self, connection: ConnectionId, event: &E) {
        self.signal(To::Connection(connection), None, event);
    }

    /// Passes a volatile event to every connection of a person.
    pub fn emit_to_person<E: Volatile>(&self, person: PersonId, event: &E) {
        self.signal(To::Target(Target::Person(person)), None, event);
    }

    /// Passes a volatile event to every connection in a room of the event's namespace.
    pub fn emit_to_room<E: Volatile>(&self, room: RoomId, event: &E) {
        if self.shared.hub.is_of(room, E::NAMESPACE) {
            self.signal(To::Target(Target::Room(room)), Some(room), event);
        }
    }

    /// Passes a volatile event to every connection that follows a room of the event's namespace.
    pub fn emit_to_namespace<E: Volatile>(&self, event: &E) {
        self.signal(To::Namespace(E::NAMESPACE), None, event);
    }

    /// Passes a volatile event to every connection.
    pub fn emit_to_everyone<E: Volatile>(&self, event: &E) {
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

    /// Begins a shutdown: nothing new is taken, and every connection is told when to come back and
    /// closed when what it had under way is answered.
    pub fn drain(&self) {
        self.shared.draining.send_replace(true);
    }

    /// Waits until every connection is closed, or `most` is over; returns whether they are.
    pub async fn drained(&self, most: Duration) -> bool {
        let closed = self.shared.draining.closed();
        tokio::time::timeout(most, closed).await.is_ok()
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

fn broken(error: serde_json::Error) -> Fault {
    Fault::Failed(format!("an event or a reply could not be read: {error}"))
}

fn emitted<E: Durable>(appended: Appended) -> Result<Emitted<E::Reply>, NotEmitted<E::Refusal>> {
    let verdict = match appended {
        Appended::Decided { verdict, .. } | Appended::Again(verdict) => verdict,
        Appended::Fault(fault) => return Err(fault.into()),
        other => return Err(Fault::Failed(format!("without a lane, {other:?}")).into()),
    };
    match verdict {
        Verdict::Ack { id, epoch, offset, reply } => {
            Ok(Emitted { id, epoch, offset, reply: serde_json::from_str(&reply).map_err(broken)? })
        }
        Verdict::Reject { code, why, .. } => Err(match why {
            Some(why) => NotEmitted::Refused(serde_json::from_str(&why).map_err(broken)?),
            None => NotEmitted::Code(code),
        }),
    }
}

/// The room of that name, made by the server if it is not there. The first entry of every room's
/// log is a `room_created`, whether or not its namespace declares one of its own.
pub(super) async fn ensure_room(
    shared: &Shared,
    namespace: &str,
    name: &str,
) -> Result<RoomId, Fault> {
    if let Some(info) = shared.engine.room_named(namespace, name).await? {
        return Ok(info.room);
    }
    let room = clock::fresh_room()?;
    let effect = Effect::Creates(name.to_owned());
    let facts = shared.engine.facts(FactsQuery {
        person: shared.author.id,
        namespace: namespace.to_owned(),
        room,
        effect: effect.clone(),
    });
    let facts = facts.await?;
    let created = RoomCreated { name: name.to_owned() };
    let named = RoomNamed { name: name.to_owned() };
    let append = Append {
        lane: None,
        idempotency: None,
        namespace: namespace.to_owned(),
        room,
        id: clock::fresh_event()?,
        kind: RoomCreated::NAME.to_owned(),
        author: shared.author.clone(),
        at: clock::wall(),
        data: serde_json::to_string(&created).map_err(broken)?,
        effect,
        room_name: Some(name.to_owned()),
        counts: false,
        verified: Verified::Allowed { reply: serde_json::to_string(&named).map_err(broken)? },
        versions: facts.versions,
    };
    let not_made = |why: &dyn std::fmt::Debug| {
        Fault::Failed(format!("the room {name} could not be made: {why:?}"))
    };
    let ready = Ready { append, _place: shared.committer.place().await };
    match shared.committer.submit(ready).await {
        Appended::Decided { verdict: Verdict::Ack { .. }, .. } => Ok(room),
        // Somebody else has made a room of that name since.
        Appended::Moved => {
            let info = shared.engine.room_named(namespace, name).await?;
            info.map(|info| info.room).ok_or_else(|| not_made(&"moved"))
        }
        Appended::Fault(fault) => Err(fault),
        other => Err(not_made(&other)),
    }
}
