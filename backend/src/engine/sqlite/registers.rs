//! Registers: of a person's values for a room and a type the greatest stands.

use super::{
    room::Room,
    rows::{id, int, json, number},
    task::Problem,
};
use holdfast_common::{
    error::Code,
    frame::LatestSet,
    id::{PersonId, RoomId},
    storage::{RegisterKey, Registered, Registers, RegistersQuery},
};
use rusqlite::{Connection, OptionalExtension, Result, Row, params};

/// The columns that [`value`] reads, in their order.
macro_rules! select_registers {
    ($rest:literal) => {
        concat!("SELECT person, room, namespace, kind, rank, data FROM registers ", $rest)
    };
}

fn value(row: &Row<'_>) -> Result<LatestSet> {
    Ok(LatestSet {
        person: id(row, 0)?,
        room: id(row, 1)?,
        ns: row.get(2)?,
        kind: row.get(3)?,
        rank: number(row, 4)?,
        data: json(row.get(5)?, 5)?,
    })
}

/// Stores a register's value if its rank is above the stored one.
pub(super) fn set(db: &Connection, value: &LatestSet) -> Result<Registered, Problem> {
    let refusal = match Room::find(db, value.room)? {
        None => Some(Code::UnknownRoom),
        Some(room) if room.gone => Some(Code::RoomGone),
        Some(room) => (room.namespace != value.ns).then_some(Code::WrongNamespace),
    };
    if let Some(code) = refusal {
        return Ok(Registered::Refused(code));
    }
    let sql = "SELECT rank FROM registers
        WHERE person = ?1 AND room = ?2 AND namespace = ?3 AND kind = ?4";
    let register = params![value.person.as_bytes(), value.room.as_bytes(), value.ns, value.kind];
    let stored = db.prepare_cached(sql)?.query_row(register, |row| number(row, 0)).optional()?;
    if let Some(stored) = stored.filter(|stored| *stored >= value.rank) {
        return Ok(Registered::Stands(stored));
    }
    let sql = "INSERT OR REPLACE INTO registers (person, room, namespace, kind, rank, data)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    db.prepare_cached(sql)?.execute(params![
        value.person.as_bytes(),
        value.room.as_bytes(),
        value.ns,
        value.kind,
        int(value.rank),
        value.data.get(),
    ])?;
    Ok(Registered::Stored)
}

/// A person's own of the rooms they are in, as many as `max_bytes` hold, and the first room of which
/// they did not all fit.
pub(super) fn own(
    db: &Connection,
    person: PersonId,
    max_bytes: usize,
) -> Result<(Vec<LatestSet>, Option<RoomId>)> {
    let sql = select_registers!(
        "WHERE person = ?1 AND EXISTS (
             SELECT 1 FROM rooms r JOIN members m ON m.room = r.seq
             WHERE r.id = registers.room AND m.person = ?1)
         ORDER BY room, namespace, kind"
    );
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query([person.as_bytes()])?;
    let (mut own, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let value = value(row)?;
        bytes += value.data.get().len();
        if bytes > max_bytes {
            return Ok((own, Some(value.room)));
        }
        own.push(value);
    }
    Ok((own, None))
}

/// A part of a room's. No namespace has an empty name, so every register of a person lies behind the
/// key that they begin with.
pub(super) fn read(
    db: &Connection,
    query: &RegistersQuery,
    max_entries: u32,
    max_bytes: usize,
) -> Result<Registers, Problem> {
    let sql = select_registers!(
        "INDEXED BY registers_of_room
         WHERE room = ?1 AND (person, namespace, kind) > (?2, ?3, ?4)
         ORDER BY person, namespace, kind"
    );
    let first = query.person.map(|person| (person, String::new(), String::new()));
    let after = query.after.clone().max(first);
    let (person, namespace, kind) = match &after {
        Some((person, namespace, kind)) => (&person.as_bytes()[..], &**namespace, &**kind),
        None => (&[][..], "", ""),
    };
    let mut select = db.prepare_cached(sql)?;
    let mut rows = select.query((query.room.as_bytes(), person, namespace, kind))?;
    let mut part = Registers::default();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let value = value(row)?;
        if query.person.is_some_and(|person| person != value.person) {
            break;
        }
        bytes += value.data.get().len();
        let full = part.values.len() >= max_entries.max(1) as usize || bytes > max_bytes;
        if full && let Some(last) = part.values.last() {
            part.rest = Some(key(last));
            break;
        }
        part.values.push(value);
    }
    Ok(part)
}

fn key(value: &LatestSet) -> RegisterKey {
    (value.person, value.ns.clone(), value.kind.clone())
}
