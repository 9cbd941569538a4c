//! A greeting's writing half: it binds, raises the generation and moves the lanes up.

use super::{
    lanes, rooms,
    rows::{id, int, number},
    task::Problem,
};
use crate::engine::Recognised;
use holdfast_common::{
    error::Code,
    frame::{LaneWatermark, RoomCursor},
    id::{PersonId, RoomId, WriterId},
    storage::Greeting,
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::BTreeMap;

/// A greeting that was taken: what its resume is read for.
pub(super) struct Bound {
    pub(super) person: PersonId,
    pub(super) writer: WriterId,
    pub(super) rooms: Vec<RoomCursor>,
    pub(super) lanes: Vec<LaneWatermark>,
}

/// Checks everything before it changes anything.
pub(super) fn bind(db: &Connection, greeting: &Greeting) -> Result<Result<Bound, Code>, Problem> {
    if let Some(Err(code)) = compare(db, greeting.person, &greeting.secret_hash)? {
        return Ok(Err(code));
    }
    if let Some((person, generation)) = writer(db, greeting.writer)? {
        if person != greeting.person {
            return Ok(Err(Code::WrongWriter));
        }
        if greeting.generation <= generation {
            return Ok(Err(Code::Fenced));
        }
    }
    store_person(db, greeting.person, &greeting.secret_hash, &greeting.name, greeting.at)?;
    for room in &greeting.welcome_rooms {
        rooms::join(db, greeting.person, *room, u32::MAX, greeting.at)?;
    }
    let writer = store_writer(db, greeting)?;
    let mut lanes = Vec::new();
    for (room, floor) in floors(greeting) {
        let (watermark, lost) = lanes::raise(db, writer, room, floor)?;
        lanes.push(LaneWatermark { room, watermark, lost });
    }
    Ok(Ok(Bound {
        person: greeting.person,
        writer: greeting.writer,
        rooms: greeting.rooms.clone(),
        lanes,
    }))
}

/// Binds the person to the secret, unless they are bound.
pub(super) fn bind_person(
    db: &Connection,
    person: PersonId,
    secret_hash: &[u8; 32],
    name: &str,
    at: Timestamp,
) -> Result<Recognised, Problem> {
    match compare(db, person, secret_hash)? {
        Some(recognised) => Ok(recognised),
        None => {
            store_person(db, person, secret_hash, name, at)?;
            Ok(Ok(name.to_owned()))
        }
    }
}

/// Whether it is the person's secret; `None` if they are bound to none.
pub(super) fn compare(
    db: &Connection,
    person: PersonId,
    secret: &[u8; 32],
) -> Result<Option<Recognised>> {
    let known: Option<([u8; 32], String)> = db
        .prepare_cached("SELECT secret_hash, name FROM people WHERE id = ?1")?
        .query_row([person.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(known.map(|(known, name)| if known == *secret { Ok(name) } else { Err(Code::WrongSecret) }))
}

fn writer(db: &Connection, writer: WriterId) -> Result<Option<(PersonId, u64)>> {
    db.prepare_cached("SELECT person, generation FROM writers WHERE id = ?1")?
        .query_row([writer.as_bytes()], |row| Ok((id(row, 0)?, number(row, 1)?)))
        .optional()
}

fn store_person(
    db: &Connection,
    person: PersonId,
    secret_hash: &[u8; 32],
    name: &str,
    at: Timestamp,
) -> Result<()> {
    let sql = "INSERT INTO people (id, secret_hash, name, created_at) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (id) DO UPDATE SET name = excluded.name";
    db.prepare_cached(sql)?
        .execute(params![person.as_bytes(), secret_hash, name, int(at.0)])
        .map(drop)
}

/// Stores the generation and returns the writer's row.
fn store_writer(db: &Connection, greeting: &Greeting) -> Result<i64> {
    let sql = "INSERT INTO writers (id, person, generation) VALUES (?1, ?2, ?3)
        ON CONFLICT (id) DO UPDATE SET generation = excluded.generation RETURNING seq";
    let (writer, person) = (greeting.writer.as_bytes(), greeting.person.as_bytes());
    db.prepare_cached(sql)?.query_row((writer, person, int(greeting.generation)), |row| row.get(0))
}

/// A lane named twice counts once, with the higher floor.
fn floors(greeting: &Greeting) -> BTreeMap<RoomId, u64> {
    let mut floors = BTreeMap::new();
    for lane in &greeting.lanes {
        let floor = floors.entry(lane.room).or_insert(0);
        *floor = lane.floor.max(*floor);
    }
    floors
}
