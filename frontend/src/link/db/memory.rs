//! The stores in memory, for a browser that gives no database.

use super::{
    stores::{Key, Range, Store},
    tx::Value,
};
use holdfast_common::{client::Key as RowKey, id::EventId};

/// In the order of stores and keys.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    values: Vec<(Store, Key, Value)>,
    rows: RowKey,
}

impl Memory {
    fn find(&self, store: Store, key: &Key) -> Result<usize, usize> {
        self.values.binary_search_by(|(of, at, _)| (of, at).cmp(&(&store, key)))
    }

    pub(crate) fn get(&self, store: Store, key: &Key) -> Option<String> {
        let at = self.find(store, key).ok()?;
        Some(self.values[at].2.json.clone())
    }

    pub(crate) fn put(&mut self, store: Store, key: Key, value: Value) {
        match self.find(store, &key) {
            Ok(at) => self.values[at].2 = value,
            Err(at) => self.values.insert(at, (store, key, value)),
        }
    }

    pub(crate) fn add(&mut self, value: Value) -> RowKey {
        self.rows += 1;
        self.put(Store::Outbox, Key::Row(self.rows), value);
        self.rows
    }

    pub(crate) fn delete(&mut self, store: Store, key: &Key) {
        if let Ok(at) = self.find(store, key) {
            self.values.remove(at);
        }
    }

    pub(crate) fn delete_range(&mut self, store: Store, range: Option<&Range>) {
        self.values.retain(|(of, key, _)| *of != store || !within(key, range));
    }

    pub(crate) fn all(&self, store: Store, range: Option<&Range>) -> Vec<(Key, String)> {
        self.values
            .iter()
            .filter(|(of, key, _)| *of == store && within(key, range))
            .map(|(_, key, value)| (key.clone(), value.json.clone()))
            .collect()
    }

    #[cfg(test)]
    pub(super) fn values(&self) -> impl Iterator<Item = &(Store, Key, Value)> {
        self.values.iter()
    }

    pub(crate) fn about(&self, id: EventId) -> Vec<(Key, String)> {
        self.values
            .iter()
            .filter(|(store, _, value)| *store == Store::Entries && value.refs.contains(&id))
            .map(|(_, key, value)| (key.clone(), value.json.clone()))
            .collect()
    }
}

fn within(key: &Key, range: Option<&Range>) -> bool {
    range.is_none_or(|range| *key >= range.0 && *key <= range.1)
}
