//! A database's content as text, one line for each value: store, key, JSON, and the events it is about,
//! with a tab between.

use super::{
    memory::Memory,
    stores::{Key, Store},
    tx::Value,
};

impl Memory {
    /// Reads the lines; `None` where one of them is no value of any store.
    pub(super) fn of_lines(text: &str) -> Option<Self> {
        let mut memory = Self::default();
        for line in text.lines() {
            let [name, key, json, refs] = line.split('\t').collect::<Vec<_>>()[..] else {
                return None;
            };
            let store = Store::ALL.into_iter().find(|store| store.name() == name)?;
            let key = match (store, key.split_once(' ')) {
                (Store::Outbox, _) => Key::Row(key.parse().ok()?),
                (_, Some((room, offset))) => Key::Place(room.to_owned(), offset.parse().ok()?),
                (_, None) => Key::Text(key.to_owned()),
            };
            let refs = refs.split_whitespace().map(|id| id.parse().ok()).collect::<Option<_>>()?;
            memory.put(store, key, Value { json: json.to_owned(), refs });
        }
        Some(memory)
    }
}
