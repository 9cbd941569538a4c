//! How often everything has happened: each fault and each transition that a run of many seeds must
//! have seen, or it proves less than it says.

use std::collections::BTreeMap;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub fn add(&mut self, what: &str) {
        match self.0.get_mut(what) {
            Some(count) => *count += 1,
            None => drop(self.0.insert(what.to_owned(), 1)),
        }
    }

    pub fn add_named(&mut self, of: &str, name: &str) {
        self.add(&format!("{of}{name}"));
    }

    pub fn add_step(&mut self, of: &str, from: &str, to: &str) {
        self.add(&format!("{of}{from} -> {to}"));
    }

    pub fn merge(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    /// Those of `expected` that never happened.
    pub fn missing<'a>(&self, expected: &[&'a str]) -> Vec<&'a str> {
        expected.iter().copied().filter(|what| !self.0.contains_key(*what)).collect()
    }

    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(what, count)| format!("{count:>9}  {what}"))
    }
}
