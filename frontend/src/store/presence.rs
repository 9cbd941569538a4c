//! Who is in a room now, and who is writing there. None of it outlives the connection.

use super::ByName;
use holdfast_common::{
    frame::{self, Author},
    id::PersonId,
    time::{Instant, Millis},
};

/// How long a typing signal is believed. It is repeated every three seconds.
const BELIEVED: Millis = Millis(5_000);

/// The people of one room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// By name.
    here: Vec<Author>,
    /// The server has said who is here.
    told: bool,
    typing: Vec<(Author, Instant)>,
}

impl Presence {
    pub(super) fn change(&mut self, presence: frame::Presence, by_name: ByName) {
        if presence.all {
            self.told = true;
            self.here.clear();
        }
        for person in presence.left {
            self.here.retain(|known| known.id != person);
            self.wrote(person);
        }
        for author in presence.came {
            self.here.retain(|known| known.id != author.id);
            let before = |known: &Author| by_name(&known.name, &author.name).is_le();
            let place = self.here.partition_point(before);
            self.here.insert(place, author);
        }
    }

    pub(super) fn typing(&mut self, now: Instant, from: Author) {
        self.wrote(from.id);
        self.typing.push((from, now + BELIEVED));
    }

    /// What was being written has come.
    pub(super) fn wrote(&mut self, person: PersonId) {
        self.typing.retain(|(author, _)| author.id != person);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        self.typing.retain(|(_, until)| now < *until);
    }

    /// Everyone who is here, by name.
    #[must_use]
    pub fn here(&self) -> &[Author] {
        &self.here
    }

    /// Whether there are too many to be listed: a reader is always here itself, so nobody is not
    /// the truth.
    #[must_use]
    pub fn crowded(&self) -> bool {
        self.told && self.here.is_empty()
    }

    /// The names of those who are writing.
    #[must_use]
    pub fn writing(&self) -> Vec<String> {
        let typing = self.typing.iter();
        typing.map(|(author, _)| author.name.clone()).collect()
    }
}
