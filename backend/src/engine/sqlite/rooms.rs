//! Rooms by name, memberships, and the facts that rules go by.

use super::{
    effects, hooks,
    place::LAST_ROOM,
    room::Room,
    rows::{id, int, number},
    task::Problem,
};
use crate::engine::{
    fresh_epoch,
    names::{free_name, name_key},
};
use holdfast_common::{
    cursor::{Head, Mark},
    event::{Effect, Facts, RoomFacts, Versions},
    frame::RoomInfo,
    id::{PersonId, RoomId},
    storage::{Append, FactsQuery, Fault, Inbox, Membership},
    time::Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Result, params};

pub(super) fn facts(db: &Connection, query: &FactsQuery) -> Result<Facts, Problem> {
    let mut facts = Facts {
        person: query.person,
        room: None,
        member: false,
        target: None,
        free_name: None,
        versions: Versions::default(),
    };
    if let Effect::Creates(wished) = &query.effect {
        let taken = |key: &str| Room::named(db, &query.namespace, key).map(|room| room.is_some());
        facts.free_name = Some(free_name(wished, taken)?);
    }
    let Some(room) = Room::find(db, query.room)? else {
        return Ok(facts);
    };
    facts.versions.room = room.version;
    facts.versions.member = membership(db, query.person, room.seq)?;
    facts.member = facts.versions.member > 0;
    if let Some(id) = query.effect.target()
        && let Some(target) = effects::target(db, room.seq, id)?
    {
        facts.versions.target = 1 + target.changed;
        facts.target = Some(target.facts(id));
    }
    facts.room = Some(RoomFacts {
        id: room.id,
        namespace: room.namespace,
        name: room.name,
        creator: room.creator,
        owner: room.owner,
        gone: room.gone,
    });
    Ok(facts)
}

/// The version of a membership, 0 if there is none.
pub(super) fn membership(db: &Connection, person: PersonId, room: i64) -> Result<u64> {
    let sql = "SELECT seq FROM members WHERE person = ?1 AND room = ?2";
    let version = db
        .prepare_cached(sql)?
        .query_row((person.as_bytes(), room), |row| number(row, 0))
        .optional()?;
    Ok(version.unwrap_or(0))
}

pub(super) fn named(
    db: &Connection,
    namespace: &str,
    name: &str,
) -> Result<Option<RoomInfo>, Problem> {
    let room = Room::named(db, namespace, &name_key(name))?;
    Ok(room.map(|room| room.info(false)))
}

/// The rooms that have or had this name, inboxes apart: few have had the same.
pub(super) fn ever_named(
    db: &Connection,
    namespace: &str,
    name: &str,
) -> Result<Vec<RoomId>, Problem> {
    let sql = "SELECT id FROM rooms WHERE namespace = ?1 AND name_key = ?2 AND owner IS NULL";
    let mut query = db.prepare_cached(sql)?;
    let rooms = query.query_map([namespace, &name_key(name)], |row| id(row, 0))?;
    Ok(rooms.collect::<Result<_>>()?)
}

pub(super) fn inbox(db: &Connection, person: PersonId, namespace: &str) -> Result<Inbox, Problem> {
    if let Some(room) = Room::inbox(db, person, namespace)? {
        return Ok(Inbox::Room(room.info(true)));
    }
    let known =
        db.prepare_cached("SELECT 1 FROM people WHERE id = ?1")?.exists([person.as_bytes()])?;
    Ok(if known { Inbox::None } else { Inbox::NoPerson })
}

pub(super) fn info(db: &Connection, room: RoomId) -> Result<Option<RoomInfo>, Problem> {
    Ok(Room::find(db, room)?.map(|room| room.info(false)))
}

/// Makes an empty room for the event that creates it; `None` if the name is taken, or there is such
/// an inbox.
pub(super) fn create(
    db: &Connection,
    append: &Append,
    name: &str,
) -> Result<Option<Room>, Problem> {
    let (name, key) = (name.trim(), name_key(name));
    let taken = match append.owner {
        Some(owner) => Room::inbox(db, owner, &append.namespace)?,
        None => Room::named(db, &append.namespace, &key)?,
    };
    if taken.is_some() {
        return Ok(None);
    }
    let epoch = fresh_epoch(append.at)?;
    let author = append.author.id;
    let sql =
        "INSERT INTO rooms (id, namespace, name, name_key, creator, created_at, version, epoch, owner)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8)";
    db.prepare_cached(sql)?.execute(params![
        append.room.as_bytes(),
        append.namespace,
        name,
        key,
        author.as_bytes(),
        int(append.at.0),
        epoch.as_bytes(),
        append.owner.as_ref().map(PersonId::as_bytes),
    ])?;
    let seq = db.last_insert_rowid();
    if seq > LAST_ROOM {
        return Err(Fault::Failed("there are too many rooms".to_owned()).into());
    }
    let first = append.owner.unwrap_or(author);
    if first != PersonId::NIL {
        add_member(db, first, seq, append.at)?;
    }
    Ok(Some(Room {
        seq,
        id: append.room,
        namespace: append.namespace.clone(),
        name: name.to_owned(),
        creator: author,
        owner: append.owner,
        version: 1,
        gone: false,
        head: Head { epoch, offset: 0, mark: Mark::START, first: 1 },
        trimmed_mark: Mark::START,
        counted: 0,
        last_item: 0,
        hooked: false,
    }))
}

/// How many rooms a person is a member of, inboxes left out.
pub(super) fn joined(db: &Connection, person: PersonId) -> rusqlite::Result<u32> {
    let sql = "SELECT count(*) FROM members m JOIN rooms r ON r.seq = m.room
        WHERE m.person = ?1 AND r.owner IS NULL";
    db.prepare_cached(sql)?.query_row([person.as_bytes()], |row| row.get(0))
}

pub(super) fn join(
    db: &Connection,
    person: PersonId,
    room: RoomId,
    most: u32,
    at: Timestamp,
) -> Result<Membership, Problem> {
    let Some(room) = Room::find_for(db, person, room)?.filter(|room| !room.gone) else {
        return Ok(Membership::NoRoom);
    };
    if membership(db, person, room.seq)? == 0 {
        if joined(db, person)? >= most {
            return Ok(Membership::TooMany);
        }
        add_member(db, person, room.seq, at)?;
    }
    Ok(Membership::Done(room.info(true)))
}

pub(super) fn leave(
    db: &Connection,
    person: PersonId,
    room: RoomId,
) -> Result<Membership, Problem> {
    let Some(room) = Room::find_for(db, person, room)?.filter(|room| !room.gone) else {
        return Ok(Membership::NoRoom);
    };
    if room.owner.is_some() {
        return Ok(Membership::ForGood);
    }
    db.prepare_cached("DELETE FROM members WHERE person = ?1 AND room = ?2")?
        .execute((person.as_bytes(), room.seq))?;
    Ok(Membership::Done(room.info(false)))
}

fn add_member(db: &Connection, person: PersonId, room: i64, at: Timestamp) -> Result<()> {
    let sql = "INSERT INTO members (person, room, joined_at) VALUES (?1, ?2, ?3)";
    let row = (person.as_bytes(), room, int(at.0));
    db.prepare_cached(sql)?.execute(row).map(drop)
}

/// Makes a room a tombstone; its log is still to be trimmed. False if there never was one.
pub(super) fn bury(db: &Connection, room: RoomId) -> Result<bool, Problem> {
    let Some(room) = Room::find(db, room)? else {
        return Ok(false);
    };
    if !room.gone {
        let sql = "UPDATE rooms SET gone = 1, version = version + 1, hooks = 0 WHERE seq = ?1";
        db.prepare_cached(sql)?.execute([room.seq])?;
        hooks::remove_all(db, room.seq)?;
        db.prepare_cached("DELETE FROM members WHERE room = ?1")?.execute([room.seq])?;
        db.prepare_cached("DELETE FROM registers WHERE room = ?1")?
            .execute([room.id.as_bytes()])?;
    }
    Ok(true)
}
