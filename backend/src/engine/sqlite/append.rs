//! One append, in the order of its checks.

use super::{effects, lanes, log, room::Room, rooms, task::Problem};
use crate::engine::too_many;
use holdfast_common::{
    event::{Effect, Verified, Versions},
    frame::Entry,
    id::PersonId,
    storage::{Append, Appended, Fault, NewEntry, Verdict},
};
use rusqlite::Connection;
use serde_json::value::RawValue;

/// Tells with it whether the room has webhooks that are active.
pub(super) fn append(db: &Connection, append: &Append) -> Result<(Appended, bool), Problem> {
    let lane = match &append.lane {
        None => None,
        Some(write) => match lanes::open(db, append, write)? {
            Ok(lane) => Some(lane),
            Err(appended) => return Ok((appended, false)),
        },
    };
    let room = Room::find(db, append.room)?;
    let hooked = room.as_ref().is_some_and(|room| room.hooked);
    let appended = decide(db, append, room)?;
    // Whatever gives the number a verdict consumes it.
    if let (Some(lane), Appended::Decided { verdict, .. } | Appended::Again(verdict)) =
        (&lane, &appended)
    {
        lanes::conclude(db, lane, verdict)?;
    }
    Ok((appended, hooked))
}

fn decide(db: &Connection, append: &Append, room: Option<Room>) -> Result<Appended, Problem> {
    if let (Some(room), Some(promise)) = (&room, &append.idempotency)
        && let Some(first) = log::keyed(db, room, promise)?
    {
        return Ok(if first.body_hash != promise.body_hash {
            Appended::Mismatch
        } else {
            match lanes::ack(db, room, first.event)? {
                Some(verdict) => Appended::Again(verdict),
                None => return Err(Fault::Failed("a key without its event".to_owned()).into()),
            }
        });
    }
    let person = append.author.id;
    let target = match (&room, append.effect.target()) {
        (Some(room), Some(id)) => effects::target(db, room.seq, id)?,
        _ => None,
    };
    let versions = match &room {
        None => Versions::default(),
        Some(room) => Versions {
            room: room.version,
            member: rooms::membership(db, person, room.seq)?,
            target: target.as_ref().map_or(0, |target| 1 + target.changed),
        },
    };
    if versions != append.versions {
        return Ok(Appended::Moved);
    }
    let allowed = matches!(append.verified, Verified::Allowed { .. });
    if let Some(room) = room.as_ref().filter(|room| allowed || room.is_there_for(person))
        && let Some(verdict) = lanes::ack(db, room, append.id)?
    {
        return Ok(Appended::decided(verdict, None));
    }
    match &append.verified {
        Verified::Allowed { .. } if has_too_many(db, append)? => {
            Ok(Appended::decided(too_many(append.id), None))
        }
        Verified::Allowed { reply, .. } => allow(db, append, room, target.as_ref(), reply),
        Verified::Rejected { code, why, detail } => {
            let verdict = Verdict::Reject {
                id: append.id,
                code: *code,
                detail: detail.clone(),
                why: why.clone(),
            };
            Ok(Appended::decided(verdict, None))
        }
    }
}

/// Whether a room is to be created by one who is in as many as one may be.
fn has_too_many(db: &Connection, append: &Append) -> Result<bool, Problem> {
    let person = append.author.id;
    let joins = matches!(append.effect, Effect::Creates(_)) && append.owner.is_none();
    Ok(joins && person != PersonId::NIL && rooms::joined(db, person)? >= append.most_rooms)
}

fn allow(
    db: &Connection,
    append: &Append,
    room: Option<Room>,
    target: Option<&effects::Target>,
    reply: &str,
) -> Result<Appended, Problem> {
    let data = RawValue::from_string(append.data.clone())
        .map_err(|error| Fault::Failed(format!("the payload is no JSON: {error}")))?;
    let creates = matches!(append.effect, Effect::Creates(_));
    let room = match &append.effect {
        Effect::Creates(_) if room.is_some() => {
            return Err(Fault::Failed("the room exists already".to_owned()).into());
        }
        Effect::Creates(wished) => {
            let name = append.room_name.as_ref().unwrap_or(wished);
            match rooms::create(db, append, name)? {
                Some(room) => Some(room),
                None => return Ok(Appended::Moved),
            }
        }
        _ => room,
    };
    let Some(mut room) = room else {
        return Err(Fault::Failed("the room does not exist".to_owned()).into());
    };
    let entry: Entry = log::push(db, &mut room, append, target, data, reply)?;
    let verdict = Verdict::Ack {
        id: append.id,
        epoch: room.head.epoch,
        offset: entry.offset,
        reply: reply.to_owned(),
    };
    let new = NewEntry {
        room: room.id,
        epoch: room.head.epoch,
        entry,
        created: creates
            .then(|| room.info(append.owner.unwrap_or(append.author.id) != PersonId::NIL)),
        owner: append.owner.filter(|_| creates),
    };
    Ok(Appended::decided(verdict, Some(Box::new(new))))
}
