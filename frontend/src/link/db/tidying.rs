//! What is done to a database beside the client's changes: the first principal, drafts, trimming,
//! freeing space, mending.

use super::{
    browser::DAMAGED_KEY,
    changes::{GENERATION, LAST, PRINCIPAL, WRITER},
    reading::{Damage, KEPT},
    request::Fault,
    stores::{Key, Range, Store},
    tx::{Tx, parse},
};
use holdfast_common::{
    client::{Principal, Row, RowState},
    cursor::Cursor,
    id::{RoomId, SessionId, WriterId},
};

/// Entries of a room that are left when space is freed.
const LEFT: usize = 100;

/// Gives the database its principal and its writer, unless it has them.
pub(super) async fn introduce(
    tx: &Tx,
    principal: &Principal,
    writer: WriterId,
) -> Result<bool, Fault> {
    let key = Key::name(PRINCIPAL);
    if parse::<Principal>(tx.get(Store::Meta, &key).await?).is_some() {
        return Ok(false);
    }
    tx.put(Store::Meta, key, principal)?;
    tx.put(Store::Meta, Key::name(WRITER), &writer)?;
    let generation: Option<u64> = parse(tx.get(Store::Meta, &Key::name(GENERATION)).await?);
    tx.put(Store::Meta, Key::name(GENERATION), &generation.unwrap_or(0))?;
    Ok(true)
}

/// Keeps a text that was begun.
pub(super) fn draft(tx: &Tx, room: RoomId, text: &str) -> Result<(), Fault> {
    if text.is_empty() {
        tx.delete(Store::Drafts, &Key::room(room))
    } else {
        tx.put(Store::Drafts, Key::room(room), &text)
    }
}

/// Drops what is older than the entries that are kept.
pub(super) fn trim(tx: &Tx, cursors: &[(RoomId, Cursor)]) -> Result<(), Fault> {
    for (room, cursor) in cursors {
        if cursor.offset > KEPT {
            let old = Range::places(*room, 0, cursor.offset - KEPT);
            tx.delete_range(Store::Entries, &old)?;
        }
    }
    Ok(())
}

/// Drops the older half of every room that has many entries: they can be had again from the
/// server, and what is in the outbox cannot.
pub(super) async fn free(tx: &Tx) -> Result<(), Fault> {
    for key in tx.keys(Store::Cursors, None).await? {
        let Key::Text(room) = key else { continue };
        let Ok(room) = room.parse::<RoomId>() else {
            continue;
        };
        let places = tx.keys(Store::Entries, Some(&Range::room(room))).await?;
        let gone = (places.len() / 2).min(places.len().saturating_sub(LEFT));
        if let (Some(first), Some(last)) = (places.first(), gone.checked_sub(1)) {
            let range = Range(first.clone(), places[last].clone());
            tx.delete_range(Store::Entries, &range)?;
        }
    }
    Ok(())
}

/// Makes a damaged database one that can be gone on with. Numbers and verdicts may be lost, so the
/// outbox speaks under a new writer. What waits is asked about, queued or not: who has put it back may
/// not have heard that it was transmitted, and what was lost may have said so.
pub(super) async fn mend(
    tx: &Tx,
    damage: &Damage,
    rows: &[Row],
    writer: WriterId,
    generation: u64,
) -> Result<(), Fault> {
    for key in &damage.rows {
        tx.delete(Store::Outbox, &Key::Row(*key))?;
    }
    for row in rows {
        if row.state.waits() {
            let row = Row { state: RowState::Unsure, ..row.clone() };
            tx.put(Store::Outbox, Key::Row(row.key), &row)?;
        }
    }
    tx.clear(Store::Lanes)?;
    tx.put(Store::Meta, Key::name(WRITER), &writer)?;
    tx.put(Store::Meta, Key::name(GENERATION), &generation.saturating_add(1))?;
    // The place of the last batch is noted anew with the next one.
    let last = Key::name(LAST);
    if parse::<(SessionId, u64)>(tx.get(Store::Meta, &last).await?).is_none() {
        tx.delete(Store::Meta, &last)?;
    }
    // Entries without their cursor, or the other way round, are of no use.
    let whole = damage.what.split(", ");
    let entries = [Store::Entries, Store::Cursors, Store::Holes];
    if whole.into_iter().any(|name| entries.iter().any(|store| store.name() == name)) {
        for store in entries {
            tx.clear(store)?;
        }
    }
    tx.delete(Store::Meta, &Key::name(DAMAGED_KEY))
}
