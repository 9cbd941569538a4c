//! The database's object stores and their keys.

use holdfast_common::{client::Key as RowKey, id::RoomId};
use js_sys::Array;
use wasm_bindgen::JsValue;

/// One object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Store {
    /// Principal, writer, generation, the last batch; by name.
    Meta,
    /// Rows by their keys, which the database gives.
    Outbox,
    /// The lanes' counters by room.
    Lanes,
    /// Where the client stands, by room.
    Cursors,
    /// Entries by room and offset; the only store with an index, see [`REFS`].
    Entries,
    /// Holes by room and first offset.
    Holes,
    /// The directory by room.
    Rooms,
    /// Registers to be confirmed, by room and type.
    Latest,
    /// Registers as the server has them, by room, type and person.
    Registers,
    /// Texts that were begun, by room.
    Drafts,
}

impl Store {
    pub(crate) const ALL: [Self; 10] = [
        Self::Meta,
        Self::Outbox,
        Self::Lanes,
        Self::Cursors,
        Self::Entries,
        Self::Holes,
        Self::Rooms,
        Self::Latest,
        Self::Registers,
        Self::Drafts,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Outbox => "outbox",
            Self::Lanes => "lanes",
            Self::Cursors => "cursors",
            Self::Entries => "entries",
            Self::Holes => "holes",
            Self::Rooms => "rooms",
            Self::Latest => "latest",
            Self::Registers => "registers",
            Self::Drafts => "drafts",
        }
    }
}

/// The index of entries by the events they are about: their own, and the one they replace.
pub(crate) const REFS: &str = "refs";
/// An entry's payload beside its `refs`.
pub(crate) const JSON: &str = "json";

/// A key in a store.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Key {
    /// Of the outbox.
    Row(RowKey),
    /// Of entries and holes.
    Place(String, u64),
    /// Of all others.
    Text(String),
}

impl Key {
    pub(crate) fn place(room: RoomId, offset: u64) -> Self {
        Self::Place(room.to_string(), offset)
    }

    pub(crate) fn room(room: RoomId) -> Self {
        Self::Text(room.to_string())
    }

    pub(crate) fn name(name: &str) -> Self {
        Self::Text(name.to_owned())
    }

    /// Exact below 2^53, which no counter here reaches.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn to_js(&self) -> JsValue {
        match self {
            Self::Row(key) => JsValue::from_f64(*key as f64),
            Self::Place(room, offset) => {
                Array::of2(&JsValue::from_str(room), &JsValue::from_f64(*offset as f64)).into()
            }
            Self::Text(text) => JsValue::from_str(text),
        }
    }

    pub(crate) fn from_js(value: &JsValue) -> Option<Self> {
        if let Some(number) = value.as_f64() {
            return Some(Self::Row(to_u64(number)));
        }
        if let Some(text) = value.as_string() {
            return Some(Self::Text(text));
        }
        let pair = Array::is_array(value).then(|| Array::from(value))?;
        Some(Self::Place(pair.get(0).as_string()?, to_u64(pair.get(1).as_f64()?)))
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn to_u64(number: f64) -> u64 {
    number as u64
}

/// Keys of one store, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range(pub(crate) Key, pub(crate) Key);

impl Range {
    /// Places of a room.
    pub(crate) fn places(room: RoomId, from: u64, to: u64) -> Self {
        Self(Key::place(room, from), Key::place(room, to))
    }

    /// All places of a room.
    pub(crate) fn room(room: RoomId) -> Self {
        Self::places(room, 0, u64::from(u32::MAX) << 20)
    }
}
