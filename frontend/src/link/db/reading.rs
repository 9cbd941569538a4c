//! The database's content as a client and a view start from it.

use super::{
    browser::DAMAGED_KEY,
    changes::{GENERATION, LAST, PRINCIPAL, WRITER},
    request::Fault,
    stores::{Key, Range, Store},
    tx::Tx,
};
use crate::link::update::{HeldRoom, Hole, Loaded};
use holdfast_common::{
    client::{Key as RowKey, LaneRow, LatestRow, Row},
    cursor::Cursor,
    frame::Folded,
    id::{RoomId, SessionId, WriterId},
};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// Entries of a room that are kept: the newest.
pub(super) const KEPT: u64 = 2_000;

/// All that there is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    /// What a view starts from.
    pub(crate) loaded: Loaded,
    pub(crate) writer: Option<WriterId>,
    pub(crate) generation: u64,
    pub(crate) lanes: Vec<LaneRow>,
    pub(crate) latest: Vec<LatestRow>,
    /// The run and the number of the last committed batch.
    pub(crate) last: Option<(SessionId, u64)>,
    /// What is missing or cannot be read.
    pub(crate) damage: Option<Damage>,
}

/// What is missing or cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// For a person.
    pub(crate) what: String,
    /// Rows that cannot be read.
    pub(crate) rows: Vec<RowKey>,
}

/// Reads everything, of one moment.
pub(super) async fn content(tx: &Tx) -> Result<Content, Fault> {
    let mut broken = BTreeSet::new();
    let meta = tx.all(Store::Meta, None).await?;
    let meta: BTreeMap<Key, String> = meta.into_iter().collect();
    let principal = named(&meta, PRINCIPAL, &mut broken);
    let writer: Option<WriterId> = named(&meta, WRITER, &mut broken);
    let generation: Option<u64> = named(&meta, GENERATION, &mut broken);
    let (rows, unread) = rows(tx).await?;
    if !unread.is_empty() {
        broken.insert(Store::Outbox.name().to_owned());
    }
    if principal.is_some() && (writer.is_none() || generation.is_none()) {
        broken.insert(Store::Meta.name().to_owned());
    }
    if let Some(missing) = named::<String>(&meta, DAMAGED_KEY, &mut BTreeSet::new()) {
        broken.insert(missing);
    }
    let lanes = values(tx, Store::Lanes, &mut broken).await?;
    let latest = values(tx, Store::Latest, &mut BTreeSet::new()).await?;
    let loaded = Loaded {
        principal,
        rooms: values(tx, Store::Rooms, &mut BTreeSet::new()).await?,
        held: held(tx).await?,
        rows,
        registers: values(tx, Store::Registers, &mut BTreeSet::new()).await?,
        drafts: keyed(tx, Store::Drafts).await?,
    };
    let what: Vec<String> = broken.into_iter().collect();
    Ok(Content {
        loaded,
        writer,
        generation: generation.unwrap_or(0),
        lanes,
        latest,
        last: named(&meta, LAST, &mut BTreeSet::new()),
        damage: (!what.is_empty()).then(|| Damage { what: what.join(", "), rows: unread }),
    })
}

fn named<T: DeserializeOwned>(
    meta: &BTreeMap<Key, String>,
    name: &str,
    broken: &mut BTreeSet<String>,
) -> Option<T> {
    let value = serde_json::from_str(meta.get(&Key::name(name))?).ok();
    if value.is_none() {
        broken.insert(Store::Meta.name().to_owned());
    }
    value
}

async fn values<T: DeserializeOwned>(
    tx: &Tx,
    store: Store,
    broken: &mut BTreeSet<String>,
) -> Result<Vec<T>, Fault> {
    let mut values = Vec::new();
    for (_, json) in tx.all(store, None).await? {
        match serde_json::from_str(&json) {
            Ok(value) => values.push(value),
            Err(_) => drop(broken.insert(store.name().to_owned())),
        }
    }
    Ok(values)
}

/// Values of a store whose keys are rooms.
async fn keyed<T: DeserializeOwned>(tx: &Tx, store: Store) -> Result<Vec<(RoomId, T)>, Fault> {
    let all = tx.all(store, None).await?;
    let read = all.into_iter().filter_map(|(key, json)| {
        let Key::Text(room) = key else { return None };
        Some((room.parse().ok()?, serde_json::from_str(&json).ok()?))
    });
    Ok(read.collect())
}

/// The outbox, and the keys of rows that cannot be read.
async fn rows(tx: &Tx) -> Result<(Vec<Row>, Vec<RowKey>), Fault> {
    let (mut rows, mut unread) = (Vec::new(), Vec::new());
    for (key, json) in tx.all(Store::Outbox, None).await? {
        let Key::Row(key) = key else { continue };
        match serde_json::from_str::<Row>(&json) {
            Ok(row) => rows.push(Row { key, ..row }),
            Err(_) => unread.push(key),
        }
    }
    Ok((rows, unread))
}

/// Those of these rows that are in the outbox.
pub(super) async fn rows_of(tx: &Tx, keys: &[RowKey]) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    for key in keys {
        if let Some(row) = tx.read::<Row>(Store::Outbox, &Key::Row(*key)).await? {
            rows.push(Row { key: *key, ..row });
        }
    }
    Ok(rows)
}

/// The newest entries of each room and its holes.
async fn held(tx: &Tx) -> Result<Vec<HeldRoom>, Fault> {
    let cursors: Vec<(RoomId, Cursor)> = keyed(tx, Store::Cursors).await?;
    let mut holes: BTreeMap<String, Vec<Hole>> = BTreeMap::new();
    for (key, json) in tx.all(Store::Holes, None).await? {
        if let (Key::Place(room, _), Ok(hole)) = (key, serde_json::from_str(&json)) {
            holes.entry(room).or_default().push(hole);
        }
    }
    let mut held = Vec::new();
    for (room, cursor) in cursors {
        let from = cursor.offset.saturating_sub(KEPT - 1);
        let range = Range::places(room, from, cursor.offset);
        let items = tx.all(Store::Entries, Some(&range)).await?;
        let items = items.iter();
        let items: Vec<Folded> =
            items.filter_map(|(_, json)| serde_json::from_str(json).ok()).collect();
        held.push(HeldRoom {
            room,
            cursor: Some(cursor),
            items,
            holes: holes.remove(&room.to_string()).unwrap_or_default(),
        });
    }
    // A room that was reset and has not been read since: there is but the note.
    held.extend(holes.into_iter().filter_map(|(room, holes)| {
        Some(HeldRoom { room: room.parse().ok()?, cursor: None, items: Vec::new(), holes })
    }));
    Ok(held)
}
