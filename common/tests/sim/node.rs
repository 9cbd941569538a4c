//! A client with its database, as a model: committed batches survive a crash, the rest does not.

use holdfast_common::{
    client::*,
    id::{EventId, PersonId, RoomId, SessionId},
    proof::Database,
    time::Instant,
};
use std::collections::BTreeSet;

/// A client that runs, or does not.
#[derive(Debug)]
pub struct Node {
    pub database: Database,
    pub client: Option<Client>,
    pub shown: Vec<Show>,
    runs: u8,
}

impl Node {
    pub fn new(n: u8) -> Self {
        Self { database: Database::new(n), client: None, shown: Vec::new(), runs: 0 }
    }

    /// Starts a run from what is in the database.
    pub fn start(&mut self, now: Instant) -> Vec<Output> {
        self.runs += 1;
        let session = SessionId::from_bytes([self.runs; 16]);
        let mut client = Client::new(self.database.snapshot(), session, u64::from(self.runs));
        let out = client.handle(now, Input::Start);
        self.client = Some(client);
        out
    }

    /// Who is in a room, as the view has it: it forgets everyone with the connection.
    pub fn presence(&self, room: RoomId) -> BTreeSet<PersonId> {
        let mut here = BTreeSet::new();
        for show in &self.shown {
            match show {
                Show::Link(Link::Online) => {}
                Show::Link(_) => here.clear(),
                Show::Presence(presence) if presence.room == room => {
                    if presence.all {
                        here.clear();
                    }
                    here.extend(presence.came.iter().map(|author| author.id));
                    here.retain(|person| !presence.left.contains(person));
                }
                _ => {}
            }
        }
        here
    }

    pub fn ids(&self, room: RoomId) -> Vec<EventId> {
        self.database.entries.get(&room).into_iter().flatten().map(|entry| entry.id).collect()
    }
}
