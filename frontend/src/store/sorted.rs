//! A map in one sorted run of memory. Almost everything here comes in its order, so that adding is
//! appending; and a tree's code, made anew for each type, would be a twentieth of the page's size.

use std::{
    borrow::Borrow,
    ops::{Bound, RangeBounds},
};

/// A map whose entries stand in the order of their keys.
#[derive(Debug, Clone)]
pub struct Sorted<K, V>(Vec<(K, V)>);

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: Ord, V> Sorted<K, V> {
    fn place(&self, key: &K) -> Result<usize, usize> {
        // What comes is mostly behind everything.
        match self.0.last() {
            Some((last, _)) if last < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(known, _)| known.cmp(key)),
        }
    }

    /// What stands under a key.
    pub fn get(&self, key: impl Borrow<K>) -> Option<&V> {
        let place = self.place(key.borrow()).ok()?;
        self.0.get(place).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, key: impl Borrow<K>) -> Option<&mut V> {
        let place = self.place(key.borrow()).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// What stands under a key; at first the default.
    pub fn entry(&mut self, key: K) -> &mut V
    where
        V: Default,
    {
        let place = self.place(&key).unwrap_or_else(|place| {
            self.0.insert(place, (key, V::default()));
            place
        });
        &mut self.0[place].1
    }

    /// Puts a value under a key; returns what stood there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes what stands under a key.
    pub fn remove(&mut self, key: impl Borrow<K>) -> Option<V> {
        let place = self.place(key.borrow()).ok()?;
        Some(self.0.remove(place).1)
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The values whose keys are within bounds.
    pub fn range(&self, keys: impl RangeBounds<K>) -> impl DoubleEndedIterator<Item = &V> {
        let from = match keys.start_bound() {
            Bound::Unbounded => 0,
            Bound::Included(key) => self.0.partition_point(|(known, _)| known < key),
            Bound::Excluded(key) => self.0.partition_point(|(known, _)| known <= key),
        };
        let to = match keys.end_bound() {
            Bound::Unbounded => self.0.len(),
            Bound::Included(key) => self.0.partition_point(|(known, _)| known <= key),
            Bound::Excluded(key) => self.0.partition_point(|(known, _)| known < key),
        };
        let part = self.0.get(from..to).unwrap_or_default();
        part.iter().map(|(_, value)| value)
    }

    /// The values alone.
    #[must_use]
    pub fn into_values(self) -> Vec<V> {
        self.0.into_iter().map(|(_, value)| value).collect()
    }

    /// The last value.
    #[must_use]
    pub fn last(&self) -> Option<&V> {
        self.0.last().map(|(_, value)| value)
    }

    /// Keeps the values that are to stay.
    pub fn retain(&mut self, mut stays: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| stays(key, value));
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Sorted<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut sorted = Self::default();
        for (key, value) in entries {
            sorted.insert(key, value);
        }
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_stand_in_order_however_they_come() {
        let mut sorted: Sorted<u8, char> = [(3, 'c'), (1, 'a'), (2, 'b')].into_iter().collect();
        assert_eq!(sorted.insert(2, 'B'), Some('b'));
        let all: String = sorted.values().collect();
        assert_eq!(all, "aBc");
        assert_eq!(sorted.remove(1), Some('a'));
        assert_eq!(sorted.get(1), None);
        assert_eq!(sorted.last(), Some(&'c'));
    }

    #[test]
    fn ranges_are_like_everywhere() {
        let sorted: Sorted<u8, u8> = (1..=5).map(|n| (n, n)).collect();
        let within = |keys: (Bound<u8>, Bound<u8>)| sorted.range(keys).copied().collect::<Vec<_>>();
        assert_eq!(within((Bound::Included(2), Bound::Excluded(4))), [2, 3]);
        assert_eq!(within((Bound::Excluded(4), Bound::Unbounded)), [5]);
        assert!(within((Bound::Included(4), Bound::Excluded(2))).is_empty());
    }
}
