//! What an entry does to earlier ones.

use super::{
    content,
    place::place,
    rows::{id, int, number},
};
use holdfast_common::{
    cursor::Offset,
    event::{Effect, TargetFacts},
    frame::{Author, HOLLOW},
    id::{EventId, PersonId},
};
use rusqlite::{Connection, OptionalExtension, Result};

/// What an entry is to its log, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Stands = 0,
    Replaces = 1,
    Removes = 2,
}

impl From<&Effect> for Role {
    fn from(effect: &Effect) -> Self {
        match effect {
            Effect::Adds | Effect::Creates(_) => Self::Stands,
            Effect::Replaces(_) => Self::Replaces,
            Effect::Removes(_) => Self::Removes,
        }
    }
}

/// An entry that another one refers to.
pub(super) struct Target {
    place: i64,
    /// Of a replacement: the place of what it replaces.
    root: Option<i64>,
    pub(super) changed: Offset,
    kind: String,
    author: PersonId,
    hollow: bool,
}

impl Target {
    pub(super) fn facts(self, id: EventId) -> TargetFacts {
        TargetFacts { id, kind: self.kind, author: self.author, hollow: self.hollow }
    }
}

/// The entry of an event, if it is in the log and not trimmed.
pub(super) fn target(db: &Connection, room: i64, event: EventId) -> Result<Option<Target>> {
    let sql = "SELECT offset FROM ids WHERE room = ?1 AND id = ?2";
    let offset = db
        .prepare_cached(sql)?
        .query_row((room, event.as_bytes()), |row| number(row, 0))
        .optional()?;
    let Some(offset) = offset else {
        return Ok(None);
    };
    let sql = "SELECT place, target, changed, kind, author, hollow FROM entries
        WHERE place = ?1";
    db.prepare_cached(sql)?
        .query_row([place(room, offset)], |row| {
            Ok(Target {
                place: row.get(0)?,
                root: row.get(1)?,
                changed: number(row, 2)?,
                kind: row.get(3)?,
                author: id(row, 4)?,
                hollow: row.get(5)?,
            })
        })
        .optional()
}

/// Applies the effect of the entry at `at` to its target. Returns the place of what it replaces.
pub(super) fn apply(
    db: &Connection,
    effect: &Effect,
    target: Option<&Target>,
    by: &Author,
    at: Offset,
) -> Result<Option<i64>> {
    match (effect, target) {
        (Effect::Replaces(_), Some(target)) => replace(db, target, at).map(Some),
        (Effect::Removes(_), Some(target)) => remove(db, target, by, at).map(|()| None),
        _ => Ok(None),
    }
}

/// Moves the target's version. What is replaced is the target, or what the target replaces.
fn replace(db: &Connection, target: &Target, at: Offset) -> Result<i64> {
    let root = target.root.unwrap_or(target.place);
    let sql = "UPDATE entries SET changed = ?2 WHERE place = ?1";
    let mut change = db.prepare_cached(sql)?;
    change.execute((target.place, int(at)))?;
    if root != target.place {
        change.execute((root, int(at)))?;
    }
    Ok(root)
}

/// Empties the target and all that replaced it.
fn remove(db: &Connection, target: &Target, by: &Author, at: Offset) -> Result<()> {
    for sql in [
        "SELECT place, content FROM entries WHERE place = ?1 AND hollow = 0",
        "SELECT place, content FROM entries INDEXED BY replacements
            WHERE role = 1 AND target = ?1 AND hollow = 0",
    ] {
        let mut select = db.prepare_cached(sql)?;
        let found = select.query_map([target.place], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let found: Vec<(i64, i64)> = found.collect::<Result<_>>()?;
        for (place, content) in found {
            let sql = "UPDATE entries
                SET hollow = 1, kind = ?2, author = ?3, author_name = ?4, changed = ?5
                WHERE place = ?1";
            let row = (place, HOLLOW, by.id.as_bytes(), &by.name, int(at));
            db.prepare_cached(sql)?.execute(row)?;
            content::blank(db, content)?;
        }
    }
    Ok(())
}
