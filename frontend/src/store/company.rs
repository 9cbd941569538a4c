//! Who is in a room now, and who is writing there. None of it outlives the connection.

use holdfast_common::{
    frame::{Author, Presence},
    id::PersonId,
    time::{Instant, Millis},
};
use std::collections::BTreeMap;

/// How long a typing signal is believed. It is repeated every three seconds.
const BELIEVED: Millis = Millis(5_000);

/// The people of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Company {
    here: BTreeMap<PersonId, String>,
    typing: BTreeMap<PersonId, (String, Instant)>,
}

impl Company {
    pub(super) fn presence(&mut self, presence: Presence) {
        if presence.all {
            self.here.clear();
        }
        for author in presence.came {
            self.here.insert(author.id, author.name);
        }
        for person in presence.left {
            self.here.remove(&person);
            self.typing.remove(&person);
        }
    }

    pub(super) fn typing(&mut self, now: Instant, from: Author) {
        self.typing.insert(from.id, (from.name, now + BELIEVED));
    }

    /// What was being written has come.
    pub(super) fn wrote(&mut self, person: PersonId) {
        self.typing.remove(&person);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.typing.retain(|_, (_, until)| now < *until);
    }

    /// Everyone who is here, by name.
    #[must_use]
    pub fn here(&self) -> Vec<Author> {
        let here = self.here.iter();
        let mut here: Vec<Author> =
            here.map(|(id, name)| Author { id: *id, name: name.clone() }).collect();
        here.sort_by_key(|author| (author.name.to_lowercase(), author.id));
        here
    }

    /// The names of those who are writing.
    #[must_use]
    pub fn writing(&self) -> Vec<String> {
        self.typing.values().map(|(name, _)| name.clone()).collect()
    }

    /// Whether somebody's typing signal will have to be forgotten.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.typing.is_empty()
    }
}
