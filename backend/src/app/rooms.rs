//! Rooms as an application has them: made by name or for a person, trimmed, deleted.

use super::{Handle, Shared, handle::broken};
use crate::{clock, walk::Ready};
use holdfast_common::{
    chat::{RoomCreated, RoomNamed},
    cursor::Offset,
    event::{Effect, EventType, Verified},
    id::{PersonId, RoomId},
    storage::{Append, Appended, FactsQuery, Fault, Inbox, Verdict},
};
use std::sync::Arc;

/// What an inbox is called. The name of an inbox is no address.
const INBOX: &str = "Inbox";

impl Handle {
    /// The room of that name, made if it is not there.
    ///
    /// # Errors
    /// The storage could not say, or not make it.
    pub async fn room(&self, namespace: &str, name: &str) -> Result<RoomId, Fault> {
        ensure_room(&self.shared, namespace, name).await
    }

    /// Deletes a room for good: its log is trimmed to nothing, its name is free again, and the
    /// memberships of whoever is connected end at once. `false` if there never was such a room.
    ///
    /// It goes on if the caller is gone by then.
    ///
    /// # Errors
    /// The storage failed; it may be done in part. Asked again, it goes on.
    pub async fn delete_room(&self, room: RoomId) -> Result<bool, Fault> {
        let shared = Arc::clone(&self.shared);
        let deleted = tokio::spawn(async move {
            let _turn = shared.turns.of(room).await;
            let info = shared.engine.delete_room(room).await?;
            if let Some(info) = &info {
                shared.hub.room_gone(info);
            }
            Ok(info.is_some())
        });
        let lost = |_| Err(Fault::Unknown("the deletion was lost".to_owned()));
        deleted.await.unwrap_or_else(lost)
    }

    /// Deletes a log's entries below `first`, all of them where it is above the head. Returns the
    /// first offset that is left, `None` if there is no such room. Who has not read what is deleted
    /// is told of a gap, and who reads history finds its beginning there; what somebody has read
    /// already stays with them.
    ///
    /// # Errors
    /// The storage failed; it may be done in part.
    pub async fn trim(&self, room: RoomId, first: Offset) -> Result<Option<Offset>, Fault> {
        let trimmed = self.shared.engine.trim(room, first).await?;
        Ok(trimmed.map(|trimmed| trimmed.first))
    }
}

/// The room of that name, made by the server if it is not there.
pub(super) async fn ensure_room(
    shared: &Shared,
    namespace: &str,
    name: &str,
) -> Result<RoomId, Fault> {
    if let Some(info) = shared.engine.room_named(namespace, name).await? {
        return Ok(info.room);
    }
    if let Some(room) = make(shared, namespace, name, None).await? {
        return Ok(room);
    }
    let info = shared.engine.room_named(namespace, name).await?;
    info.map(|info| info.room).ok_or_else(|| not_made(name, &"moved"))
}

/// A person's inbox, made if there is none; `None` if there is no such person.
pub(crate) async fn ensure_inbox(
    shared: &Shared,
    namespace: &str,
    person: PersonId,
) -> Result<Option<RoomId>, Fault> {
    match shared.engine.inbox(person, namespace).await? {
        Inbox::Room(info) => return Ok(Some(info.room)),
        Inbox::NoPerson => return Ok(None),
        Inbox::None => {}
    }
    if let Some(room) = make(shared, namespace, INBOX, Some(person)).await? {
        return Ok(Some(room));
    }
    match shared.engine.inbox(person, namespace).await? {
        Inbox::Room(info) => Ok(Some(info.room)),
        other => Err(not_made(INBOX, &other)),
    }
}

/// Makes a room. `None` if somebody else has made one of that name, or that inbox, meanwhile. The
/// first entry of every room's log is a `room_created`, whether or not its namespace declares one
/// of its own.
async fn make(
    shared: &Shared,
    namespace: &str,
    name: &str,
    owner: Option<PersonId>,
) -> Result<Option<RoomId>, Fault> {
    let place = shared.committer.place().await;
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
        owner,
        most_rooms: u32::MAX, // The server is in none of them.
        counts: false,
        verified: Verified::allowed(serde_json::to_string(&named).map_err(broken)?),
        versions: facts.versions,
    };
    let ready = Ready { append, known: None, _place: place };
    match shared.committer.submit(ready).await {
        Appended::Decided { verdict: Verdict::Ack { .. }, .. } => Ok(Some(room)),
        Appended::Moved => Ok(None),
        Appended::Fault(fault) => Err(fault),
        other => Err(not_made(name, &other)),
    }
}

fn not_made(name: &str, why: &dyn std::fmt::Debug) -> Fault {
    Fault::Failed(format!("the room {name} could not be made: {why:?}"))
}
