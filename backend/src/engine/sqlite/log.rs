//! A room's log: entries put behind its head, and trimmed from its start.

use super::{
    content,
    effects::{self, Role, Target},
    lanes::stored_reply,
    place::{LAST_OFFSET, place},
    room::Room,
    rows::{id, int, number},
    task::Problem,
};
use crate::engine::Trimmed;
use holdfast_common::{
    cursor::Offset,
    frame::Entry,
    id::{EventId, RoomId},
    storage::{Append, Fault, Idempotency},
};
use rusqlite::{Connection, OptionalExtension, Result, params};
use serde_json::value::RawValue;

/// Entries that are trimmed in one transaction, so that appends need not wait for more.
const TRIM_STEP: u64 = 2_000;

/// Puts the event behind the last entry, applies its effect, and moves the room's head.
pub(super) fn push(
    db: &Connection,
    room: &mut Room,
    append: &Append,
    target: Option<&Target>,
    data: Box<RawValue>,
    reply: &str,
) -> Result<Entry, Problem> {
    let offset = room.head.offset + 1;
    if offset > LAST_OFFSET {
        return Err(Fault::Failed("the room's log is full".to_owned()).into());
    }
    let root = effects::apply(db, &append.effect, target, &append.author, offset)?;
    room.head.mark = room.head.mark.next(offset, append.id);
    room.head.offset = offset;
    room.counted += u64::from(append.counts);
    let role = Role::from(&append.effect);
    let prior_item = room.last_item;
    if role == Role::Stands {
        room.last_item = offset;
    }
    room.store_head(db)?;
    let sql = "INSERT INTO entries (place, id, mark, at, role, target, counts, counted, kind,
        author, author_name, content, prior_item)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    db.prepare_cached(sql)?.execute(params![
        place(room.seq, offset),
        append.id.as_bytes(),
        int(room.head.mark.0),
        int(append.at.0),
        role as i64,
        root,
        append.counts,
        int(room.counted),
        append.kind,
        append.author.id.as_bytes(),
        append.author.name,
        content::store(db, data.get())?,
        int(prior_item),
    ])?;
    let sql = "INSERT INTO ids (id, room, offset, reply) VALUES (?1, ?2, ?3, ?4)";
    let row = (append.id.as_bytes(), room.seq, int(offset), stored_reply(reply));
    db.prepare_cached(sql)?.execute(row)?;
    if let Some(promise) = &append.idempotency {
        keep(db, room, promise, append.id)?;
    }
    Ok(Entry {
        offset,
        mark: room.head.mark,
        id: append.id,
        kind: append.kind.clone(),
        from: append.author.clone(),
        at: append.at,
        data: Some(data),
    })
}

/// The event that was accepted under a key.
pub(super) struct Keyed {
    pub(super) event: EventId,
    pub(super) body_hash: [u8; 32],
}

pub(super) fn keyed(db: &Connection, room: &Room, promise: &Idempotency) -> Result<Option<Keyed>> {
    let sql = "SELECT event, body_hash FROM idempotency
        WHERE room = ?1 AND caller = ?2 AND key = ?3";
    let key = (room.seq, promise.caller.as_bytes(), &promise.key);
    db.prepare_cached(sql)?
        .query_row(key, |row| Ok(Keyed { event: id(row, 0)?, body_hash: row.get(1)? }))
        .optional()
}

/// Remembers the key of the event that was just put at the head.
fn keep(db: &Connection, room: &Room, promise: &Idempotency, event: EventId) -> Result<()> {
    let sql = "INSERT INTO idempotency (room, caller, key, body_hash, event, offset)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?
        .execute(params![
            room.seq,
            promise.caller.as_bytes(),
            promise.key,
            promise.body_hash,
            event.as_bytes(),
            int(room.head.offset),
        ])
        .map(drop)
}

/// Trims the next part of what is below `first`. Tells whether that was all.
pub(super) fn trim(
    db: &Connection,
    room: RoomId,
    first: Offset,
) -> Result<Option<(Trimmed, bool)>, Problem> {
    let Some(room) = Room::find(db, room)? else {
        return Ok(None);
    };
    let goal = first.min(room.head.offset + 1);
    if goal <= room.head.first {
        let first = room.head.first;
        return Ok(Some((Trimmed { first }, true)));
    }
    let first = goal.min(room.head.first + TRIM_STEP);
    let last = place(room.seq, first - 1);
    let mark: i64 = db
        .prepare_cached("SELECT mark FROM entries WHERE place = ?1")?
        .query_row([last], |row| row.get(0))?;
    db.prepare_cached("UPDATE rooms SET first = ?2, trimmed_mark = ?3 WHERE seq = ?1")?
        .execute((room.seq, int(first), mark))?;
    let from = place(room.seq, room.head.first);
    content::delete(db, from, last)?;
    db.prepare_cached("DELETE FROM entries WHERE place BETWEEN ?1 AND ?2")?
        .execute((from, last))?;
    db.prepare_cached("DELETE FROM idempotency WHERE room = ?1 AND offset < ?2")?
        .execute((room.seq, int(first)))?;
    Ok(Some((Trimmed { first }, first == goal)))
}

/// The offset at which an event stands, or stood.
pub(super) fn offset_of(db: &Connection, room: i64, event: EventId) -> Result<Option<Offset>> {
    let sql = "SELECT offset FROM ids WHERE room = ?1 AND id = ?2";
    db.prepare_cached(sql)?.query_row((room, event.as_bytes()), |row| number(row, 0)).optional()
}
