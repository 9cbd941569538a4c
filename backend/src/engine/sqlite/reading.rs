//! Parts and pages of a room's log.

use super::{
    log,
    place::place,
    room::Room,
    rows::{entry, number, select_entries},
    task::Problem,
};
use crate::engine::Filling;
use holdfast_common::{
    codec,
    cursor::Offset,
    frame::{Entry, Folded},
    id::{EventId, PersonId, RoomId},
    storage::{Folds, Places, Slice},
};
use rusqlite::{Connection, OptionalExtension, Result};

pub(super) fn slice(
    db: &Connection,
    room: RoomId,
    after: Offset,
    max_entries: u32,
    max_bytes: usize,
) -> Result<Option<Slice>, Problem> {
    let Some(room) = Room::find(db, room)?.filter(|room| !room.gone) else {
        return Ok(None);
    };
    let head = room.head;
    let trimmed = after.saturating_add(1) < head.first;
    let mut slice =
        Slice { head, entries: Vec::new(), trimmed_mark: trimmed.then_some(room.trimmed_mark) };
    if after >= head.offset {
        return Ok(Some(slice));
    }
    let sql = select_entries!("", "WHERE e.place BETWEEN ?1 AND ?2 ORDER BY e.place LIMIT ?3");
    let mut select = db.prepare_cached(sql)?;
    let from = place(room.seq, (after + 1).max(head.first));
    let mut rows = select.query((from, place(room.seq, head.offset), max_entries))?;
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let entry = entry(row)?;
        let text = codec::write_entry(&entry);
        bytes += text.len();
        if bytes > max_bytes && !slice.entries.is_empty() {
            break;
        }
        slice.entries.push((entry.offset, text));
    }
    Ok(Some(slice))
}

pub(super) fn page(
    db: &Connection,
    room: RoomId,
    before: Option<Offset>,
    limit: u32,
    max_bytes: usize,
    since: Option<Offset>,
) -> Result<Option<Folds>, Problem> {
    let Some(room) = Room::find(db, room)?.filter(|room| !room.gone) else {
        return Ok(None);
    };
    let head = room.head;
    let to = before.map_or(head.offset, |before| before.saturating_sub(1).min(head.offset));
    let (items, from) = items(db, &room, to, Filling::new(limit, max_bytes))?;
    let skipped = match since {
        Some(since) => counted(db, &room, since.saturating_add(1).max(head.first), from)?,
        None => 0,
    };
    Ok(Some(Folds { head, from, to, skipped, items }))
}

/// The newest entries up to `to` that stand for themselves, in order, and from where on they are
/// all that is left. Each names the one before it, so what lies between them is not walked.
fn items(
    db: &Connection,
    room: &Room,
    to: Offset,
    mut page: Filling,
) -> Result<(Vec<Folded>, Offset)> {
    let first = room.head.first;
    let mut next = last_item(db, room, to)?;
    while next >= first {
        let (entry, prior) = item(db, place(room.seq, next))?;
        let change = change(db, place(room.seq, entry.offset))?;
        if !page.put(Folded { entry, change }) {
            let from = page.items.last().map_or(first, |last| last.entry.offset);
            return Ok((page.items(), from));
        }
        next = prior;
    }
    Ok((page.items(), first))
}

/// The last entry up to `to` that stands for itself; one that is trimmed, or 0, if none is left.
fn last_item(db: &Connection, room: &Room, to: Offset) -> Result<Offset> {
    if to >= room.last_item {
        return Ok(room.last_item);
    }
    if to < room.head.first {
        return Ok(0);
    }
    db.prepare_cached("SELECT prior_item FROM entries WHERE place = ?1")?
        .query_row([place(room.seq, to + 1)], |row| number(row, 0))
}

/// An entry, and the item before it.
fn item(db: &Connection, place: i64) -> Result<(Entry, Offset)> {
    let sql = select_entries!("", "WHERE e.place = ?1");
    db.prepare_cached(sql)?.query_row([place], |row| Ok((entry(row)?, number(row, 8)?)))
}

/// The newest content of the entry at `place`, where it has a newer one.
fn change(db: &Connection, place: i64) -> Result<Option<Entry>> {
    let sql = select_entries!(
        "INDEXED BY replacements",
        "WHERE e.role = 1 AND e.target = ?1 AND e.hollow = 0 ORDER BY e.place DESC LIMIT 1"
    );
    db.prepare_cached(sql)?.query_row([place], entry).optional()
}

/// How many entries that a person would count, hollow ones left out, stand from `from` to below
/// `end`: the running counts at both ends tell, so that the way between need not be walked.
fn counted(db: &Connection, room: &Room, from: Offset, end: Offset) -> Result<u64> {
    if from >= end {
        return Ok(0);
    }
    let sql = "SELECT count(*) FROM entries INDEXED BY hollows
        WHERE hollow = 1 AND counts = 1 AND place BETWEEN ?1 AND ?2";
    let hollow: u64 = db
        .prepare_cached(sql)?
        .query_row((place(room.seq, from), place(room.seq, end - 1)), |row| number(row, 0))?;
    Ok(counted_before(db, room, end)? - counted_before(db, room, from)? - hollow)
}

/// How many below `offset` were ever counted.
fn counted_before(db: &Connection, room: &Room, offset: Offset) -> Result<u64> {
    if offset > room.head.offset {
        return Ok(room.counted);
    }
    db.prepare_cached("SELECT counted - counts FROM entries WHERE place = ?1")?
        .query_row([place(room.seq, offset)], |row| number(row, 0))
}

/// Which of the events stand, or stood, in the log.
pub(super) fn find(
    db: &Connection,
    person: PersonId,
    room: RoomId,
    ids: &[EventId],
) -> Result<Places, Problem> {
    let Some(room) = Room::find_for(db, person, room)? else {
        return Ok(None);
    };
    let mut found = Vec::new();
    for id in ids {
        if let Some(offset) = log::offset_of(db, room.seq, *id)? {
            found.push((*id, offset));
        }
    }
    Ok(Some((room.head.epoch, found)))
}
