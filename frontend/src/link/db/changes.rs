//! Each [`Write`] as changes to the stores.

use super::{
    EffectOf,
    request::Fault,
    stores::{Key, Range, Store},
    tx::{Added, Tx, Value, parse},
};
use crate::link::update::{Hole, HoleKind};
use holdfast_common::{
    client::{Held, LatestRow, Principal, Row, RowState, Write},
    cursor::{Cursor, Offset},
    event::Effect,
    frame::{Author, Entry, Folded, Gap, GapReason, HOLLOW, LatestSet, RoomInfo},
    id::{EventId, RoomId},
    json,
};
use serde::Serialize;

/// The names in [`Store::Meta`].
pub(super) const PRINCIPAL: &str = "principal";
pub(super) const WRITER: &str = "writer";
pub(super) const GENERATION: &str = "generation";
pub(super) const LAST: &str = "last";

/// Refuses a batch of a tab that another one has overtaken: the stored generation is not the one
/// that this tab has written last. Of two tabs that raise it at once only one goes on.
pub(super) async fn fence(tx: &Tx, generation: u64) -> Result<(), Fault> {
    let stored: Option<u64> = parse(tx.get(Store::Meta, &Key::name(GENERATION)).await?);
    if stored.unwrap_or(0) == generation { Ok(()) } else { Err(Fault::Fenced) }
}

/// Makes the changes in their order; returns the rows that were added.
pub(super) async fn apply(
    tx: &Tx,
    effect: EffectOf,
    writes: &[Write],
) -> Result<Vec<Added>, Fault> {
    let mut added = Vec::new();
    for write in writes {
        match write {
            Write::Generation(generation) => {
                tx.put(Store::Meta, Key::name(GENERATION), generation)?;
            }
            Write::Writer { writer, generation } => {
                tx.put(Store::Meta, Key::name(WRITER), writer)?;
                tx.put(Store::Meta, Key::name(GENERATION), generation)?;
                tx.clear(Store::Lanes)?;
            }
            Write::Name(name) => rename(tx, name).await?,
            Write::AddRow(event) => added.push(add(tx, event).await?),
            Write::PutRow(row) => tx.put(Store::Outbox, Key::Row(row.key), row)?,
            Write::DeleteRow(key) => tx.delete(Store::Outbox, &Key::Row(*key))?,
            Write::Lane(lane) => tx.put(Store::Lanes, Key::room(lane.room), lane)?,
            Write::Entries { room, entries, cursor, .. } => {
                self::entries(tx, effect, *room, entries, *cursor).await?
            }
            Write::Page { room, items, from, first, skipped, cursor } => {
                let hole = Missing { from: *from, first: *first, skipped: *skipped };
                page(tx, effect, *room, items, &hole, *cursor).await?;
            }
            Write::Gap(gap) => self::gap(tx, gap)?,
            Write::Reset { room, reason, was, .. } => {
                reset(tx, *room, HoleKind::Reset(*reason), *was)?
            }
            Write::Room(info) => tx.put(Store::Rooms, Key::room(info.room), info)?,
            Write::Left(room) | Write::Lost(room) => {
                left(tx, *room, matches!(write, Write::Lost(_))).await?;
            }
            Write::PutLatest(row) => {
                tx.put(Store::Latest, latest_key(row.room, &row.kind), row)?;
            }
            Write::DeleteLatest { room, kind, rank } => {
                let key = latest_key(*room, kind);
                let row: Option<LatestRow> = parse(tx.get(Store::Latest, &key).await?);
                if row.is_none_or(|row| row.rank <= *rank) {
                    tx.delete(Store::Latest, &key)?;
                }
            }
            Write::Register(set) => register(tx, set).await?,
        }
    }
    Ok(added)
}

fn latest_key(room: RoomId, kind: &str) -> Key {
    Key::Text(format!("{room}/{kind}"))
}

async fn rename(tx: &Tx, name: &str) -> Result<(), Fault> {
    let key = Key::name(PRINCIPAL);
    if let Some(mut principal) = parse::<Principal>(tx.get(Store::Meta, &key).await?) {
        name.clone_into(&mut principal.name);
        tx.put(Store::Meta, key, &principal)?;
    }
    Ok(())
}

/// Adds a row, unless an earlier try of the same transaction has.
pub(super) async fn add(tx: &Tx, event: &Held) -> Result<Added, Fault> {
    if tx.again {
        let id = event.id.to_string();
        for (key, json) in tx.all(Store::Outbox, None).await? {
            if let (Key::Row(key), true) = (key, json.contains(&id))
                && json::read::<Row>(&json).is_ok_and(|row| row.event.id == event.id)
            {
                return Ok(Added::Known(key));
            }
        }
    }
    tx.add(&Row {
        key: 0, // Its key in the store counts.
        event: event.clone(),
        state: RowState::Queued,
    })
}

/// As [`Folded`] is read, without copying the entry.
#[derive(Serialize)]
struct Raw<'a> {
    entry: &'a Entry,
}

async fn entries(
    tx: &Tx,
    effect: EffectOf,
    room: RoomId,
    entries: &[Entry],
    cursor: Cursor,
) -> Result<(), Fault> {
    for entry in entries {
        let data = entry.data.as_ref().map(|data| data.get());
        let effect = data.and_then(|data| effect?(&entry.kind, data));
        let mut refs = vec![entry.id];
        if let Some(Effect::Replaces(target)) = effect {
            refs.push(target);
        }
        let json = serde_json::to_string(&Raw { entry })?;
        let key = Key::place(room, entry.offset);
        tx.put_value(Store::Entries, key, Value { json, refs })?;
        if let Some(Effect::Removes(target)) = effect {
            hollow(tx, target, &entry.from).await?;
        }
    }
    tx.put(Store::Cursors, Key::room(room), &cursor)
}

/// Empties an entry and what replaces it: nothing of a removed text stays in the database.
async fn hollow(tx: &Tx, target: EventId, by: &Author) -> Result<(), Fault> {
    for (key, json) in tx.about(target).await? {
        let Ok(mut item) = json::read::<Folded>(&json) else {
            tx.delete(Store::Entries, &key)?;
            continue;
        };
        item.change = None;
        HOLLOW.clone_into(&mut item.entry.kind);
        item.entry.data = None;
        item.entry.from = by.clone();
        put_item(tx, key, &item)?;
    }
    Ok(())
}

fn put_item(tx: &Tx, key: Key, item: &Folded) -> Result<(), Fault> {
    let json = serde_json::to_string(item)?;
    let refs = vec![item.entry.id];
    tx.put_value(Store::Entries, key, Value { json, refs })
}

/// What a page says about the offsets before it.
struct Missing {
    /// Where the page begins.
    from: Offset,
    /// Where the log begins.
    first: Offset,
    /// How many that a person would count are missing.
    skipped: u64,
}

async fn page(
    tx: &Tx,
    effect: EffectOf,
    room: RoomId,
    items: &[Folded],
    missing: &Missing,
    cursor: Cursor,
) -> Result<(), Fault> {
    let before: Option<Cursor> = parse(tx.get(Store::Cursors, &Key::room(room)).await?);
    let before = before.filter(|before| before.epoch == cursor.epoch);
    let next = before.map_or(0, |before| before.offset) + 1;
    // What was held below the page may have been changed or removed by what was not replayed.
    let held = forget_below(tx, effect, room, missing.from).await?;
    // Below the log's beginning they are gone; above it they can be had as history.
    let had = next.max(missing.first);
    for hole in [
        Hole {
            from: missing.first,
            to: (next - 1).min(missing.from.saturating_sub(1)),
            count: held,
            kind: HoleKind::Skipped,
        },
        Hole {
            from: next,
            to: had.min(missing.from).saturating_sub(1),
            count: had.min(missing.from).saturating_sub(next),
            kind: HoleKind::Gap(GapReason::Trimmed),
        },
        Hole {
            from: had,
            to: missing.from.saturating_sub(1),
            count: missing.skipped,
            kind: HoleKind::Skipped,
        },
    ] {
        if hole.from <= hole.to {
            tx.put(Store::Holes, Key::place(room, hole.from), &hole)?;
        }
    }
    for item in items {
        put_item(tx, Key::place(room, item.entry.offset), item)?;
    }
    tx.put(Store::Cursors, Key::room(room), &cursor)
}

/// Forgets a room's entries below an offset, and holes that could have been filled there. Returns
/// how many there were that a person would count.
async fn forget_below(
    tx: &Tx,
    effect: EffectOf,
    room: RoomId,
    offset: Offset,
) -> Result<u64, Fault> {
    let mut count = 0;
    let below = Range::places(room, 1, offset.saturating_sub(1).max(1));
    for (key, json) in tx.all(Store::Entries, Some(&below)).await? {
        let item = json::read::<Folded>(&json).ok();
        let adds = item.and_then(|Folded { entry, .. }| {
            let data = entry.data.as_ref()?.get();
            Some(effect?(&entry.kind, data)? == Effect::Adds)
        });
        count += u64::from(adds.unwrap_or(false));
        tx.delete(Store::Entries, &key)?;
    }
    for (key, json) in tx.all(Store::Holes, Some(&below)).await? {
        if let Ok(Hole { kind: HoleKind::Skipped, count: skipped, .. }) = json::read(&json) {
            count += skipped;
            tx.delete(Store::Holes, &key)?;
        }
    }
    Ok(count)
}

fn gap(tx: &Tx, gap: &Gap) -> Result<(), Fault> {
    let hole =
        Hole { from: gap.from, to: gap.to, count: gap.count, kind: HoleKind::Gap(gap.reason) };
    tx.put(Store::Holes, Key::place(gap.room, hole.from), &hole)?;
    tx.put(Store::Cursors, Key::room(gap.room), &gap.cursor)
}

/// Forgets what is held of a room; that there was something stays at offset 0.
fn reset(tx: &Tx, room: RoomId, kind: HoleKind, was: Option<Cursor>) -> Result<(), Fault> {
    forget(tx, room)?;
    let hole = Hole { from: 0, to: 0, count: was.map_or(0, |was| was.offset), kind };
    tx.put(Store::Holes, Key::place(room, 0), &hole)
}

fn forget(tx: &Tx, room: RoomId) -> Result<(), Fault> {
    tx.delete_range(Store::Entries, &Range::room(room))?;
    tx.delete_range(Store::Holes, &Range::room(room))?;
    tx.delete(Store::Cursors, &Key::room(room))
}

async fn left(tx: &Tx, room: RoomId, lost: bool) -> Result<(), Fault> {
    forget(tx, room)?;
    let key = Key::room(room);
    if let Some(mut info) = parse::<RoomInfo>(tx.get(Store::Rooms, &key).await?) {
        info.joined = false;
        info.gone |= lost;
        tx.put(Store::Rooms, key, &info)?;
    }
    Ok(())
}

async fn register(tx: &Tx, set: &LatestSet) -> Result<(), Fault> {
    let key = Key::Text(format!("{}/{}/{}", set.room, set.kind, set.person));
    let known: Option<LatestSet> = parse(tx.get(Store::Registers, &key).await?);
    if known.is_none_or(|known| known.rank <= set.rank) {
        tx.put(Store::Registers, key, set)?;
    }
    Ok(())
}
