//! The engine that keeps everything in memory and loses it when it is dropped: the reference
//! model of the others, and the store of tests. It is written to be read, not to be fast.

mod append;
mod greet;
mod hooks;
mod jobs;
mod room;
mod rooms;
mod schedules;

use super::{
    Engine, Recognised, Trimmed,
    jobs::{Clocks, appended, clock::Ticks},
};
use crate::clock::SystemClocks;
use append::Lane;
use async_trait::async_trait;
use futures_util::future::{BoxFuture, ready};
use greet::Writer;
use holdfast_common::{
    cursor::Offset,
    event::Facts,
    frame::{LatestSet, RoomInfo},
    id::{EventId, PersonId, RoomId, WriterId},
    storage::{
        Append, Appended, FactsQuery, FactsRead, Fault, Folds, Greeted, Greeting, Inbox,
        Membership, Places, Registered, Registers, RegistersQuery, Slice,
    },
    time::Timestamp,
};
use jobs::Tables;
use room::Room;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An engine in memory.
#[derive(Debug)]
pub struct MemoryEngine {
    state: Mutex<State>,
    ticks: Ticks,
}

impl Default for MemoryEngine {
    fn default() -> Self {
        Self::with_clocks(Arc::new(SystemClocks))
    }
}

/// Everything there is.
#[derive(Debug, Default, Clone)]
struct State {
    /// Each with their secret's hash and their name.
    people: BTreeMap<PersonId, ([u8; 32], String)>,
    writers: BTreeMap<WriterId, Writer>,
    /// By room id and not by room: an event to an unknown room is rejected by its number too.
    lanes: BTreeMap<(WriterId, RoomId), Lane>,
    rooms: BTreeMap<RoomId, Room>,
    registers: BTreeMap<(PersonId, RoomId, String, String), LatestSet>,
    jobs: Tables,
    /// Counts rooms and memberships, so that each has a number no other ever had.
    counter: u64,
}

impl MemoryEngine {
    /// An empty engine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty engine that goes by other clocks than the system's.
    #[must_use]
    pub fn with_clocks(clocks: Arc<dyn Clocks>) -> Self {
        Self { state: Mutex::default(), ticks: Ticks::new(clocks, None) }
    }

    /// A panic under the lock is a bug that its test shows; the state itself is whole, since every
    /// change is made after the last check.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for MemoryEngine {
    async fn greet(&self, greeting: Greeting) -> Result<Greeted, Fault> {
        Ok(self.state().greet(&greeting))
    }

    async fn recognise(
        &self,
        person: PersonId,
        secret_hash: [u8; 32],
        name: String,
        _at: Timestamp,
    ) -> Result<Recognised, Fault> {
        let mut state = self.state();
        state.people.entry(person).or_insert((secret_hash, name));
        Ok(state.compare(person, &secret_hash).map(|name| name.unwrap_or_default()))
    }

    async fn directory(&self, person: PersonId) -> Result<Vec<RoomInfo>, Fault> {
        let state = self.state();
        let rooms = state.listed(person, &BTreeMap::new()).into_iter();
        Ok(rooms.map(|room| room.info(person)).collect())
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Appended> {
        Box::pin(ready(appended(self.work(|work| work.append(&append)))))
    }

    async fn facts(&self, query: FactsQuery) -> FactsRead {
        let facts: Facts = self.state().facts(&query);
        Ok(facts)
    }

    async fn slice(
        &self,
        room: RoomId,
        after: Offset,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Option<Slice>, Fault> {
        let state = self.state();
        let room = state.rooms.get(&room).filter(|room| !room.gone);
        Ok(room.map(|room| room.slice(after, max_entries, max_bytes)))
    }

    async fn page(
        &self,
        room: RoomId,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Result<Option<Folds>, Fault> {
        let state = self.state();
        let room = state.rooms.get(&room).filter(|room| !room.gone);
        Ok(room.map(|room| room.page(before, limit, max_bytes, since)))
    }

    async fn find(
        &self,
        person: PersonId,
        room: RoomId,
        ids: Vec<EventId>,
    ) -> Result<Places, Fault> {
        let state = self.state();
        let room = state.rooms.get(&room).filter(|room| room.is_there_for(person));
        Ok(room.map(|room| (room.head.epoch, room.find(&ids))))
    }

    async fn join(
        &self,
        person: PersonId,
        room: RoomId,
        most: u32,
        _at: Timestamp,
    ) -> Result<Membership, Fault> {
        Ok(self.state().join(person, room, most))
    }

    async fn leave(&self, person: PersonId, room: RoomId) -> Result<Membership, Fault> {
        Ok(self.state().leave(person, room))
    }

    async fn set_latest(&self, value: LatestSet) -> Result<Registered, Fault> {
        Ok(self.state().set_latest(value))
    }

    async fn registers(
        &self,
        query: RegistersQuery,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Registers, Fault> {
        Ok(self.state().registers(&query, max_entries, max_bytes))
    }

    async fn room_named(&self, namespace: &str, name: &str) -> Result<Option<RoomInfo>, Fault> {
        let state = self.state();
        let room = state.room_named(namespace, name);
        Ok(room.map(|room| room.info(PersonId::NIL)))
    }

    async fn inbox(&self, person: PersonId, namespace: &str) -> Result<Inbox, Fault> {
        Ok(self.state().inbox(person, namespace))
    }

    async fn trim(&self, room: RoomId, first: Offset) -> Result<Option<Trimmed>, Fault> {
        let mut state = self.state();
        Ok(state.rooms.get_mut(&room).map(|room| room.trim(first)))
    }

    async fn delete_room(&self, room: RoomId) -> Result<Option<RoomInfo>, Fault> {
        Ok(self.state().delete_room(room))
    }

    async fn ready(&self) -> Result<(), Fault> {
        Ok(())
    }

    fn commits(&self) -> u64 {
        0
    }
}
