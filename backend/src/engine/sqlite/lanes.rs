//! Lanes and their verdicts.

use super::{
    room::Room,
    rows::{id, int, number},
    task::Problem,
};
use crate::engine::lane::{Turn, raised, turn};
use holdfast_common::{
    error::Code,
    id::{RoomId, WriterId},
    storage::{Append, Appended, LaneWrite, Verdict},
};
use rusqlite::{Connection, OptionalExtension, Result, Row, types::Type};

/// A lane whose next number is to be decided, in this transaction.
pub(super) struct Open {
    writer: i64,
    /// Its row, if it has one yet.
    seq: Option<i64>,
    room: RoomId,
    n: u64,
}

/// Checks generation and number. The outer `Err` is a problem, the inner one the answer.
pub(super) fn open(
    db: &Connection,
    append: &Append,
    write: &LaneWrite,
) -> Result<Result<Open, Appended>, Problem> {
    let sql = "SELECT w.seq, w.generation, l.seq, l.watermark FROM writers w
        LEFT JOIN lanes l ON l.writer = w.seq AND l.room = ?2 WHERE w.id = ?1";
    let keys = (write.writer.as_bytes(), append.room.as_bytes());
    let found = db.prepare_cached(sql)?.query_row(keys, |row| {
        let watermark: Option<i64> = row.get(3)?;
        let stored = (row.get(0)?, number(row, 1)?, row.get(2)?);
        Ok((stored, watermark.map_or(0, i64::cast_unsigned)))
    });
    let Some(((writer, generation, seq), stored)) = found.optional()? else {
        return Ok(Err(Appended::Fenced));
    };
    if generation != write.generation {
        return Ok(Err(Appended::Fenced));
    }
    let mut lane = Open { writer, seq, room: append.room, n: write.n };
    let watermark = raised(stored, write.floor);
    if watermark > stored {
        lane.seq = Some(store(db, writer, append.room, watermark)?);
    }
    forget(db, lane.seq, write.floor)?;
    Ok(match turn(watermark, write.floor, write.n) {
        Turn::Next => Ok(lane),
        Turn::Settled => Err(Appended::Settled),
        Turn::Expected(n) => Err(Appended::Expected(n)),
        // Where an earlier message named a higher floor, or history was lost, there is none.
        Turn::Before => Err(match told(db, &lane)? {
            Some(verdict) => Appended::Again(verdict),
            None => Appended::Settled,
        }),
    })
}

/// Stores the verdict and moves the watermark to its number.
pub(super) fn conclude(db: &Connection, lane: &Open, verdict: &Verdict) -> Result<()> {
    let seq = match lane.seq {
        Some(seq) => {
            let sql = "UPDATE lanes SET watermark = ?2 WHERE seq = ?1";
            db.prepare_cached(sql)?.execute((seq, int(lane.n)))?;
            seq
        }
        None => store(db, lane.writer, lane.room, lane.n)?,
    };
    let sql = "INSERT INTO verdicts (lane, n, event, code, detail, why)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = db.prepare_cached(sql)?;
    let (event, code, detail, why) = match verdict {
        Verdict::Ack { id, .. } => (id, None, None, None),
        Verdict::Reject { id, code, detail, why } => {
            (id, Some(code.name()), Some(detail), why.as_ref())
        }
    };
    insert.execute((seq, int(lane.n), event.as_bytes(), code, detail, why)).map(drop)
}

/// Moves a lane up to a client's floor. Returns the watermark, and whether the server lost history.
pub(super) fn raise(db: &Connection, writer: i64, room: RoomId, floor: u64) -> Result<(u64, bool)> {
    let sql = "SELECT seq, watermark FROM lanes WHERE writer = ?1 AND room = ?2";
    let found = db
        .prepare_cached(sql)?
        .query_row((writer, room.as_bytes()), |row| Ok((row.get(0)?, number(row, 1)?)))
        .optional()?;
    let (seq, stored) = found.map_or((None, 0), |(seq, stored)| (Some(seq), stored));
    let watermark = raised(stored, floor);
    if watermark > stored {
        store(db, writer, room, watermark)?;
    }
    forget(db, seq, floor)?;
    Ok((watermark, watermark > stored))
}

/// A lane's verdicts that are kept, by number.
pub(super) fn verdicts(
    db: &Connection,
    writer: WriterId,
    room: RoomId,
) -> Result<Vec<(u64, Verdict)>> {
    let sql = "SELECT v.event, v.code, v.detail, v.why, r.epoch, i.offset, i.reply, v.n
        FROM writers w
        JOIN lanes l ON l.writer = w.seq AND l.room = ?2
        JOIN verdicts v ON v.lane = l.seq
        LEFT JOIN rooms r ON r.id = l.room
        LEFT JOIN ids i ON i.room = r.seq AND i.id = v.event
        WHERE w.id = ?1 ORDER BY v.n";
    let mut select = db.prepare_cached(sql)?;
    let keys = (writer.as_bytes(), room.as_bytes());
    let rows = select.query_map(keys, |row| Ok((number(row, 7)?, verdict(row)?)))?;
    rows.collect()
}

/// The ack of an event that stands, or stood, in the room's log.
pub(super) fn ack(
    db: &Connection,
    room: &Room,
    event: holdfast_common::id::EventId,
) -> Result<Option<Verdict>> {
    let sql = "SELECT offset, reply FROM ids WHERE room = ?1 AND id = ?2";
    let ack = |row: &Row<'_>| {
        Ok(Verdict::Ack {
            id: event,
            epoch: room.head.epoch,
            offset: number(row, 0)?,
            reply: reply(row.get(1)?),
        })
    };
    db.prepare_cached(sql)?.query_row((room.seq, event.as_bytes()), ack).optional()
}

/// A reply as it is stored: most are `null`, and take no room.
pub(super) fn stored_reply(reply: &str) -> Option<&str> {
    (reply != "null").then_some(reply)
}

fn reply(stored: Option<String>) -> String {
    stored.unwrap_or_else(|| "null".to_owned())
}

/// The verdict of an earlier number of this lane.
fn told(db: &Connection, lane: &Open) -> Result<Option<Verdict>> {
    let sql = "SELECT v.event, v.code, v.detail, v.why, r.epoch, i.offset, i.reply
        FROM verdicts v
        LEFT JOIN rooms r ON r.id = ?3
        LEFT JOIN ids i ON i.room = r.seq AND i.id = v.event
        WHERE v.lane = ?1 AND v.n = ?2";
    db.prepare_cached(sql)?
        .query_row((lane.seq, int(lane.n), lane.room.as_bytes()), verdict)
        .optional()
}

fn verdict(row: &Row<'_>) -> Result<Verdict> {
    let event = id(row, 0)?;
    let code: Option<String> = row.get(1)?;
    let Some(name) = code else {
        return Ok(Verdict::Ack {
            id: event,
            epoch: id(row, 4)?,
            offset: number(row, 5)?,
            reply: reply(row.get(6)?),
        });
    };
    let code = Code::ALL.iter().find(|code| code.name() == name);
    let unknown = || {
        let error = format!("there is no code {name}").into();
        rusqlite::Error::FromSqlConversionFailure(1, Type::Text, error)
    };
    Ok(Verdict::Reject {
        id: event,
        code: *code.ok_or_else(unknown)?,
        detail: row.get(2)?,
        why: row.get(3)?,
    })
}

/// Sets a lane's watermark and returns its row.
fn store(db: &Connection, writer: i64, room: RoomId, watermark: u64) -> Result<i64> {
    let sql = "INSERT INTO lanes (writer, room, watermark) VALUES (?1, ?2, ?3)
        ON CONFLICT (writer, room) DO UPDATE SET watermark = excluded.watermark RETURNING seq";
    db.prepare_cached(sql)?.query_row((writer, room.as_bytes(), int(watermark)), |row| row.get(0))
}

fn forget(db: &Connection, lane: Option<i64>, floor: u64) -> Result<()> {
    if let Some(lane) = lane.filter(|_| floor > 0) {
        let sql = "DELETE FROM verdicts WHERE lane = ?1 AND n <= ?2";
        db.prepare_cached(sql)?.execute((lane, int(floor)))?;
    }
    Ok(())
}
