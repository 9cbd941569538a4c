//! The database's content as a client and a view start from it.

use super::{
    browser::DAMAGED_KEY,
    changes::{GENERATION, LAST, PRINCIPAL, WRITER},
    request::Fault,
    stores::{Key, Range, Store},
    tx::{Tx, parse},
};
use crate::link::update::{HeldRoom, Loaded};
use holdfast_common::{
    client::{Key as RowKey, LaneRow, LatestRow, Row},
    cursor::Cursor,
    id::{RoomId, SessionId, WriterId},
    json,
};
use serde::de::DeserializeOwned;

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
    // One loop rather than a line for each: every place that waits is much code.
    let mut stores = [const { Vec::new() }; Store::ALL.len()];
    for store in Store::ALL {
        if store != Store::Entries {
            stores[store as usize] = tx.all(store, None).await?;
        }
    }
    let of = |store: Store| &stores[store as usize];
    let mut broken = Broken::default();
    let meta = of(Store::Meta);
    let noted = broken.named(meta, DAMAGED_KEY);
    let principal = broken.named(meta, PRINCIPAL);
    let writer = broken.named(meta, WRITER);
    let generation = broken.named(meta, GENERATION);
    if principal.is_some() && (writer.is_none() || generation.is_none()) {
        broken.add(Store::Meta);
    }
    let (rows, unread) = rows(of(Store::Outbox));
    if !unread.is_empty() {
        broken.add(Store::Outbox);
    }
    let mut loaded = Loaded {
        principal,
        rooms: values(of(Store::Rooms)),
        held: rooms_held(rooms(of(Store::Cursors)), of(Store::Holes)),
        rows,
        registers: values(of(Store::Registers)),
        drafts: rooms(of(Store::Drafts)),
    };
    for held in &mut loaded.held {
        let Some(cursor) = held.cursor else { continue };
        let from = cursor.offset.saturating_sub(KEPT - 1);
        let range = Range::places(held.room, from, cursor.offset);
        held.items = values(&tx.all(Store::Entries, Some(&range)).await?);
    }
    Ok(Content {
        loaded,
        writer,
        generation: generation.unwrap_or(0),
        lanes: broken.values(Store::Lanes, of(Store::Lanes)),
        latest: values(of(Store::Latest)),
        last: broken.named(meta, LAST),
        damage: broken.damage(noted, unread),
    })
}

/// The stores in which something is missing.
#[derive(Debug, Default)]
struct Broken(Vec<&'static str>);

impl Broken {
    fn add(&mut self, store: Store) {
        if !self.0.contains(&store.name()) {
            self.0.push(store.name());
        }
    }

    /// A value of [`Store::Meta`]. One that is there has to be readable.
    fn named<T: DeserializeOwned>(&mut self, meta: &[(Key, String)], name: &str) -> Option<T> {
        let json = meta.iter().find(|(key, _)| *key == Key::name(name))?;
        let value = json::read(&json.1).ok();
        if value.is_none() {
            self.add(Store::Meta);
        }
        value
    }

    /// Values of a store that has to be readable.
    fn values<T: DeserializeOwned>(&mut self, store: Store, all: &[(Key, String)]) -> Vec<T> {
        let read = values(all);
        if read.len() < all.len() {
            self.add(store);
        }
        read
    }

    fn damage(&self, noted: Option<String>, rows: Vec<RowKey>) -> Option<Damage> {
        let what: Vec<&str> = noted.as_deref().into_iter().chain(self.0.iter().copied()).collect();
        (!what.is_empty()).then(|| Damage { what: what.join(", "), rows })
    }
}

/// Those that can be read.
fn values<T: DeserializeOwned>(all: &[(Key, String)]) -> Vec<T> {
    all.iter().filter_map(|(_, json)| json::read(json).ok()).collect()
}

/// Those that can be read, of a store whose keys are rooms.
fn rooms<T: DeserializeOwned>(all: &[(Key, String)]) -> Vec<(RoomId, T)> {
    let read = |(key, json): &(Key, String)| {
        let Key::Text(room) = key else { return None };
        Some((room.parse().ok()?, json::read(json).ok()?))
    };
    all.iter().filter_map(read).collect()
}

/// The outbox, and the keys of rows that cannot be read.
fn rows(all: &[(Key, String)]) -> (Vec<Row>, Vec<RowKey>) {
    let (mut rows, mut unread) = (Vec::new(), Vec::new());
    for (key, json) in all {
        let Key::Row(key) = *key else { continue };
        match json::read::<Row>(json) {
            Ok(row) => rows.push(Row { key, ..row }),
            Err(_) => unread.push(key),
        }
    }
    (rows, unread)
}

/// Each room with its cursor and its holes, without its entries.
fn rooms_held(cursors: Vec<(RoomId, Cursor)>, holes: &[(Key, String)]) -> Vec<HeldRoom> {
    let empty = |room, cursor| HeldRoom { room, cursor, items: Vec::new(), holes: Vec::new() };
    let mut held: Vec<HeldRoom> =
        cursors.into_iter().map(|(room, cursor)| empty(room, Some(cursor))).collect();
    for (key, json) in holes {
        let (Key::Place(room, _), Ok(hole)) = (key, json::read(json)) else { continue };
        let Ok(room) = room.parse() else { continue };
        let at = held.iter().position(|held| held.room == room).unwrap_or_else(|| {
            // It was reset and has not been read since: there is but the note.
            held.push(empty(room, None));
            held.len() - 1
        });
        held[at].holes.push(hole);
    }
    held
}

/// Those of these rows that are in the outbox.
pub(super) async fn rows_of(tx: &Tx, keys: &[RowKey]) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    for key in keys {
        if let Some(row) = parse::<Row>(tx.get(Store::Outbox, &Key::Row(*key)).await?) {
            rows.push(Row { key: *key, ..row });
        }
    }
    Ok(rows)
}
