//! A greeting's reading half: all that a resume needs, of one snapshot.

use super::{
    greet::Bound,
    lanes,
    place::{LAST_OFFSET, place},
    registers,
    room::{Room, room_columns},
    rows::number,
    task::Problem,
};
use crate::limits::OTHER_ROOMS;
use holdfast_common::{
    cursor::{Cursor, Mark},
    frame::{LaneWatermark, RoomCursor, RoomInfo},
    id::{PersonId, RoomId},
    limits::{MOST_VERDICTS, SLICE_BYTES},
    storage::{Resume, RoomState},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Params, Result};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn read(db: &Connection, bound: &Bound) -> Result<Resume, Problem> {
    let mut verdicts = Vec::new();
    for LaneWatermark { room, .. } in &bound.lanes {
        // The session refuses who has more, so the rest need not be read.
        if verdicts.len() > MOST_VERDICTS {
            break;
        }
        let lane = lanes::verdicts(db, bound.writer, *room)?;
        verdicts.extend(lane.into_iter().map(|(n, verdict)| (*room, n, verdict)));
    }
    let (latest, latest_rest) = registers::own(db, bound.person, SLICE_BYTES)?;
    Ok(Resume {
        rooms: rooms(db, bound.person, &bound.rooms)?,
        lanes: bound.lanes.clone(),
        verdicts,
        latest,
        latest_rest,
    })
}

/// The rooms as a resume without cursors lists them.
pub(super) fn directory(db: &Connection, person: PersonId) -> Result<Vec<RoomInfo>, Problem> {
    Ok(rooms(db, person, &[])?.into_iter().map(|state| state.info).collect())
}

/// The person's rooms, those they have a cursor for, and the newest of the others.
fn rooms(db: &Connection, person: PersonId, known: &[RoomCursor]) -> Result<Vec<RoomState>> {
    let key = person.as_bytes();
    let joined = concat!(
        "SELECT ",
        room_columns!(),
        " FROM members m JOIN rooms r ON r.seq = m.room WHERE m.person = ?1 ORDER BY r.seq DESC"
    );
    let newest = concat!(
        "SELECT ",
        room_columns!(),
        " FROM rooms r WHERE r.gone = 0 AND r.owner IS NULL
          AND NOT EXISTS (SELECT 1 FROM members m WHERE m.person = ?1 AND m.room = r.seq)
          ORDER BY r.seq DESC LIMIT ?2"
    );
    let cursors: BTreeMap<RoomId, Cursor> = known.iter().map(|at| (at.room, at.cursor)).collect();
    let mut states = Vec::new();
    let mut seen = BTreeSet::new();
    let mut add = |room: &Room, joined| -> Result<()> {
        seen.insert(room.id);
        states.push(state(db, room, joined, cursors.get(&room.id))?);
        Ok(())
    };
    for room in select(db, joined, [key])? {
        add(&room, true)?;
    }
    for room in select(db, newest, (key, OTHER_ROOMS))? {
        add(&room, false)?;
    }
    for room in cursors.keys().filter(|room| !seen.contains(*room)) {
        if let Some(room) = Room::find_for(db, person, *room)? {
            states.push(state(db, &room, false, cursors.get(&room.id))?);
        }
    }
    Ok(states)
}

fn select(db: &Connection, sql: &str, params: impl Params) -> Result<Vec<Room>> {
    let mut select = db.prepare_cached(sql)?;
    let rooms = select.query_map(params, Room::read)?;
    rooms.collect()
}

fn state(db: &Connection, room: &Room, joined: bool, cursor: Option<&Cursor>) -> Result<RoomState> {
    let (mark_at, missed_since) = match cursor {
        Some(cursor) if cursor.epoch == room.head.epoch => {
            (mark_at(db, room, cursor)?, missed_since(db, room, cursor)?)
        }
        _ => (None, None),
    };
    Ok(RoomState { info: room.info(joined), mark_at, missed_since })
}

fn mark_at(db: &Connection, room: &Room, cursor: &Cursor) -> Result<Option<Mark>> {
    if cursor.offset == 0 {
        return Ok(Some(Mark::START));
    }
    if cursor.offset == room.head.first - 1 {
        return Ok(Some(room.trimmed_mark));
    }
    if cursor.offset > LAST_OFFSET {
        return Ok(None);
    }
    db.prepare_cached("SELECT mark FROM entries WHERE place = ?1")?
        .query_row([place(room.seq, cursor.offset)], |row| number(row, 0))
        .optional()
        .map(|mark| mark.map(Mark))
}

/// When the first entry behind the cursor that is left was taken.
fn missed_since(db: &Connection, room: &Room, cursor: &Cursor) -> Result<Option<Timestamp>> {
    let next = cursor.offset.saturating_add(1).max(room.head.first);
    if next > room.head.offset {
        return Ok(None);
    }
    db.prepare_cached("SELECT at FROM entries WHERE place = ?1")?
        .query_row([place(room.seq, next)], |row| number(row, 0))
        .optional()
        .map(|at| at.map(Timestamp))
}
