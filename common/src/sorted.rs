//! A map in one sorted run of memory, for what the page keeps.
//!
//! The standard library's tree is a good map and much code, made anew for each type that it holds:
//! in the page it was a twentieth of the first load. What comes here comes almost always in the
//! order of its keys, so that adding is appending. Taking the first of
//! an outbox of ten thousand rows moves the others, which is a fraction of a millisecond.

use std::{
    borrow::Borrow,
    ops::{Bound, RangeBounds},
};

/// A map whose entries stand in the order of their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// Whether something stands under a key.
    pub fn has(&self, key: impl Borrow<K>) -> bool {
        self.place(key.borrow()).is_ok()
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

    /// Takes the first entry.
    pub fn pop_first(&mut self) -> Option<(K, V)> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
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

    /// The same, with values to be changed.
    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The keys in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
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

    /// The values whose keys are at or above one, to be changed.
    pub fn from_mut(&mut self, key: impl Borrow<K>) -> impl Iterator<Item = &mut V> {
        let from = self.place(key.borrow()).unwrap_or_else(|place| place);
        self.0.iter_mut().skip(from).map(|(_, value)| value)
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

impl<K: Ord> Sorted<K, ()> {
    /// Puts a key in; returns whether it is new.
    pub fn add(&mut self, key: K) -> bool {
        self.insert(key, ()).is_none()
    }
}

impl<K: Ord> Extend<K> for Sorted<K, ()> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        for key in keys {
            self.add(key);
        }
    }
}

impl<K, V> IntoIterator for Sorted<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
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

    #[test]
    fn the_first_is_taken_first() {
        let mut sorted: Sorted<u8, char> = [(2, 'b'), (1, 'a')].into_iter().collect();
        assert_eq!(sorted.pop_first(), Some((1, 'a')));
        assert_eq!(sorted.pop_first(), Some((2, 'b')));
        assert_eq!(sorted.pop_first(), None);
    }

    #[test]
    fn what_stands_at_or_above_a_key_can_be_changed() {
        let mut sorted: Sorted<u8, u8> = [2, 4, 6].map(|n| (n, 0)).into_iter().collect();
        sorted.from_mut(3).for_each(|value| *value = 1);
        assert_eq!(sorted.into_values(), [0, 1, 1]);
    }

    #[test]
    fn a_key_is_new_once() {
        let mut keys = Sorted::default();
        assert!(keys.add(1));
        assert!(!keys.add(1));
        keys.extend([1, 2]);
        assert_eq!(keys.len(), 2);
        assert!(keys.has(2));
    }
}
