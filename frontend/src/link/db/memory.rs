//! The stores in memory, for a browser that gives no database.

use super::{
    stores::{Key, Range, Store},
    tx::Value,
};
use holdfast_common::{client::Key as RowKey, id::EventId};
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Memory {
    values: BTreeMap<(Store, Key), Value>,
    rows: RowKey,
}

impl Memory {
    pub(crate) fn get(&self, store: Store, key: &Key) -> Option<String> {
        let value = self.values.get(&(store, key.clone()))?;
        Some(value.json.clone())
    }

    pub(crate) fn put(&mut self, store: Store, key: Key, value: Value) {
        self.values.insert((store, key), value);
    }

    pub(crate) fn add(&mut self, value: Value) -> RowKey {
        self.rows += 1;
        self.put(Store::Outbox, Key::Row(self.rows), value);
        self.rows
    }

    pub(crate) fn delete(&mut self, store: Store, key: &Key) {
        self.values.remove(&(store, key.clone()));
    }

    pub(crate) fn delete_range(&mut self, store: Store, range: &Range) {
        self.values.retain(|(of, key), _| *of != store || *key < range.0 || *key > range.1);
    }

    pub(crate) fn clear(&mut self, store: Store) {
        self.values.retain(|(of, _), _| *of != store);
    }

    pub(crate) fn all(&self, store: Store, range: Option<&Range>) -> Vec<(Key, String)> {
        let all = self.values.iter().filter(|((of, key), _)| {
            *of == store && range.is_none_or(|range| *key >= range.0 && *key <= range.1)
        });
        all.map(|((_, key), value)| (key.clone(), value.json.clone())).collect()
    }

    pub(crate) fn about(&self, id: EventId) -> Vec<(Key, String)> {
        let all = self.values.iter();
        all.filter(|((store, _), value)| *store == Store::Entries && value.refs.contains(&id))
            .map(|((_, key), value)| (key.clone(), value.json.clone()))
            .collect()
    }
}
