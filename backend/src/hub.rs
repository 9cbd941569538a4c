//! Live rooms: drives the [`Fanout`] machine and wakes the connections it names.
//!
//! What is encoded here is encoded once; every connection shares the bytes.

use crate::limits::WAITING_BYTES;
use axum::extract::ws::Utf8Bytes;
use holdfast_common::{
    codec,
    cursor::Offset,
    fanout::{self, Fanout, Item, Key, Note, Run, Target},
    frame::{Author, Presence, RoomInfo, Rooms, ServerFrame},
    id::{ConnectionId, PersonId, RoomId},
    storage::NewEntry,
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// An encoded frame that many connections share.
pub(crate) type Frame = Utf8Bytes;

/// Encodes a frame for sharing.
pub(crate) fn encode(frame: &ServerFrame) -> Frame {
    codec::write_server(frame).into()
}

/// Who is connected and follows what.
pub(crate) struct Hub {
    state: Mutex<State>,
}

struct State {
    fanout: Fanout<Frame>,
    /// In no order: all that could show it is who of many is woken first.
    connections: HashMap<Key, Place>,
    keys: HashMap<ConnectionId, Key>,
    /// Namespaces of the rooms that connections follow or followed, but for those that are gone.
    namespaces: BTreeMap<RoomId, Arc<str>>,
    /// Moves with each room that is made.
    directory: u64,
}

/// What the hub keeps of a connection, beside the machine.
struct Place {
    id: ConnectionId,
    wake: Arc<Notify>,
    person: Option<PersonId>,
    /// The rooms it follows, by namespace. They are kept here and not counted, since a room may be
    /// gone, and nobody knows its namespace any more, before the connection lets go of it.
    follows: Vec<(Arc<str>, BTreeSet<RoomId>)>,
}

/// Whom a frame of the server's own is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum To<'a> {
    Target(Target),
    Connection(ConnectionId),
    /// Every connection that follows a room, but one: the sender's.
    RoomBut(RoomId, ConnectionId),
    /// Every connection that follows a room of it.
    Namespace(&'a str),
    /// Every connection but this person's.
    EveryoneBut(PersonId),
}

impl Hub {
    /// A hub whose connections' queues hold `bound` items.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            state: Mutex::new(State {
                fanout: Fanout::new(bound).weighing(WAITING_BYTES, |frame| frame.len()),
                connections: HashMap::new(),
                keys: HashMap::new(),
                namespaces: BTreeMap::new(),
                directory: 0,
            }),
        }
    }

    /// A panic under the lock costs the connection that met it; the others go on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a connection's place, which closes when it is dropped.
    pub(crate) fn connect(self: &Arc<Self>, id: ConnectionId) -> Seat {
        let wake = Arc::new(Notify::new());
        let mut state = self.state();
        let key = state.fanout.connect();
        let place = Place { id, wake: Arc::clone(&wake), person: None, follows: Vec::new() };
        state.connections.insert(key, place);
        state.keys.insert(id, key);
        drop(state);
        let hub = Arc::clone(self);
        Seat { hub, key, wake }
    }

    /// Passes on an entry that has just become durable, and the room it created.
    pub(crate) fn publish(&self, new: &NewEntry) {
        let entry = codec::write_entry(&new.entry);
        let frame = codec::entries_frame(new.room, new.epoch, [entry.as_str()]).into();
        let mut state = self.state();
        let wake = state.fanout.publish(new.room, new.entry.offset, &frame);
        state.wake(wake);
        let Some(info) = &new.created else { return };
        state.learn(info);
        let first = new.owner.unwrap_or(new.entry.from.id);
        let member = Item::Member(Box::new(info.clone()));
        let wake = state.fanout.membership(None, first, &member);
        state.wake(wake);
        if new.owner.is_some() {
            return;
        }
        let mut seen = info.clone();
        seen.joined = false;
        let rooms = ServerFrame::Rooms(Rooms { rooms: vec![seen] });
        state.directory += 1;
        state.send(To::EveryoneBut(first), Some(Note::Directory), &encode(&rooms));
    }

    /// An entry is found to be durable, whether or not it was published.
    pub(crate) fn stands(&self, room: RoomId, offset: Offset) {
        let mut state = self.state();
        let wake = state.fanout.stands(room, offset);
        state.wake(wake);
    }

    /// Passes on a frame that nobody waits for.
    pub(crate) fn send(&self, to: To<'_>, frame: &Frame) {
        self.state().send(to, None, frame);
    }

    /// Passes on a frame about what is kept; `note` stands for it where it finds no room.
    pub(crate) fn tell(&self, target: Target, note: Note, frame: &Frame) {
        self.state().send(To::Target(target), Some(note), frame);
    }

    /// How far the list of rooms has come. A list that was read before it moved is not whole.
    pub(crate) fn directory(&self) -> u64 {
        self.state().directory
    }

    /// A person's membership has changed by the connection `by`, which gets its answer.
    pub(crate) fn membership(
        &self,
        by: Key,
        person: PersonId,
        change: Option<&Item<Frame>>,
        answer: Item<Frame>,
    ) {
        let mut state = self.state();
        if let Some(Item::Member(info)) = change {
            state.learn(info);
        }
        if let Some(change) = change {
            let wake = state.fanout.membership(Some(by), person, change);
            state.wake(wake);
        }
        let wake = state.fanout.answer(by, answer);
        state.wake(wake);
    }

    /// A room was deleted: its followers' memberships are over, and whoever could know it is told.
    pub(crate) fn room_gone(&self, info: &RoomInfo) {
        let target = if info.inbox { Target::Room(info.room) } else { Target::Everyone };
        let rooms = ServerFrame::Rooms(Rooms { rooms: vec![info.clone()] });
        let mut state = self.state();
        state.directory += 1;
        state.send(To::Target(target), Some(Note::Directory), &encode(&rooms));
        let wake = state.fanout.room_gone(info.room);
        state.wake(wake);
        state.namespaces.remove(&info.room);
    }

    /// Remembers which namespace each room is of.
    pub(crate) fn learn<'a>(&self, rooms: impl IntoIterator<Item = &'a RoomInfo>) {
        let mut state = self.state();
        for room in rooms {
            state.learn(room);
        }
    }

    /// Whether the room is of this namespace, as far as anybody has followed it: who has not is not
    /// there to hear of it.
    pub(crate) fn is_of(&self, room: RoomId, namespace: &str) -> bool {
        self.state().namespaces.get(&room).is_some_and(|name| **name == *namespace)
    }

    /// How many items were dropped at a full queue.
    pub(crate) fn dropped(&self) -> u64 {
        self.state().fanout.dropped()
    }
}

impl State {
    fn wake(&self, keys: Vec<Key>) {
        for key in keys {
            if let Some(place) = self.connections.get(&key) {
                place.wake.notify_one();
            }
        }
    }

    fn learn(&mut self, room: &RoomInfo) {
        if !self.namespaces.contains_key(&room.room) {
            // One text for all rooms of a namespace.
            let known = self.namespaces.values().find(|name| ***name == room.ns);
            let name = known.map_or_else(|| room.ns.as_str().into(), Arc::clone);
            self.namespaces.insert(room.room, name);
        }
    }

    fn send(&mut self, to: To<'_>, note: Option<Note>, frame: &Frame) {
        let keys: Vec<Key> = match to {
            To::Target(target) => return self.put(target, note, frame),
            To::RoomBut(room, but) => {
                let key = self.keys.get(&but).copied();
                let target = key.map_or(Target::Room(room), |key| Target::RoomBut(room, key));
                return self.put(target, note, frame);
            }
            To::Connection(id) => self.keys.get(&id).copied().into_iter().collect(),
            To::Namespace(name) => {
                let follows = |place: &Place| place.follows.iter().any(|(it, _)| **it == *name);
                self.those(follows)
            }
            To::EveryoneBut(person) => self.those(|place| place.person != Some(person)),
        };
        for key in keys {
            self.put(Target::Connection(key), note, frame);
        }
    }

    fn put(&mut self, target: Target, note: Option<Note>, frame: &Frame) {
        let wake = match note {
            Some(note) => self.fanout.tell(target, note, frame),
            None => self.fanout.send(target, frame),
        };
        self.wake(wake);
    }

    fn those(&self, wanted: impl Fn(&Place) -> bool) -> Vec<Key> {
        let places = self.connections.iter();
        places
            .filter(|(_, place)| place.person.is_some() && wanted(place))
            .map(|(key, _)| *key)
            .collect()
    }

    /// Tells a room who came or left; the one who came is told by its own connection.
    fn tell(&mut self, key: Key, change: fanout::Presence) {
        let (room, frame) = match change {
            fanout::Presence::Came(room, author) => (room, changed(room, vec![author], Vec::new())),
            fanout::Presence::Left(room, person) => (room, changed(room, Vec::new(), vec![person])),
            fanout::Presence::Turned(room) => (room, self.presence(room)),
        };
        self.put(Target::RoomBut(room, key), Some(Note::Presence(room)), &frame);
    }

    /// The frame that tells who is in a room.
    fn presence(&self, room: RoomId) -> Frame {
        let came = self.fanout.here(room);
        encode(&ServerFrame::Presence(Presence { room, all: true, came, left: Vec::new() }))
    }

    fn follow(&mut self, key: Key, room: RoomId) {
        let name = self.namespaces.get(&room);
        let (Some(name), Some(place)) = (name, self.connections.get_mut(&key)) else {
            return;
        };
        match place.follows.iter_mut().find(|(it, _)| it == name) {
            Some((_, rooms)) => {
                rooms.insert(room);
            }
            None => place.follows.push((Arc::clone(name), BTreeSet::from([room]))),
        }
    }

    fn unfollow(&mut self, key: Key, room: RoomId) {
        if let Some(place) = self.connections.get_mut(&key) {
            place.follows.retain_mut(|(_, rooms)| {
                rooms.remove(&room);
                !rooms.is_empty()
            });
        }
    }
}

fn changed(room: RoomId, came: Vec<Author>, left: Vec<PersonId>) -> Frame {
    encode(&ServerFrame::Presence(Presence { room, all: false, came, left }))
}

/// A connection's place in the hub.
pub(crate) struct Seat {
    hub: Arc<Hub>,
    key: Key,
    wake: Arc<Notify>,
}

impl Seat {
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Completes when something waits to be [taken](Self::take).
    pub(crate) async fn called(&self) {
        self.wake.notified().await;
    }

    pub(crate) fn take(&self) -> Vec<Item<Frame>> {
        self.hub.state().fanout.take(self.key)
    }

    /// The connection says that it is this person's, and is about to be greeted.
    pub(crate) fn expect(&self, person: PersonId) {
        self.hub.state().fanout.expect(self.key, person);
    }

    /// The list of rooms begins to be read for the connection, or has been read.
    pub(crate) fn lists(&self, begins: bool) {
        self.hub.state().fanout.lists(self.key, begins);
    }

    /// The connection is this person's.
    pub(crate) fn register(&self, person: Author, run: Run) {
        let mut state = self.hub.state();
        if let Some(place) = state.connections.get_mut(&self.key) {
            place.person = Some(person.id);
        }
        let wake = state.fanout.register(self.key, person, run);
        state.wake(wake);
    }

    /// Follows a room; returns the frame that tells who is there, and how far its log was published
    /// before.
    pub(crate) fn follow(&self, room: RoomId) -> (Frame, Offset) {
        let mut state = self.hub.state();
        if let Some(change) = state.fanout.follow(self.key, room) {
            state.tell(self.key, change);
        }
        state.follow(self.key, room);
        (state.presence(room), state.fanout.head(room))
    }

    /// The frame that tells who is in a room now.
    pub(crate) fn presence(&self, room: RoomId) -> Frame {
        self.hub.state().presence(room)
    }

    pub(crate) fn unfollow(&self, room: RoomId) {
        let mut state = self.hub.state();
        if let Some(change) = state.fanout.unfollow(self.key, room) {
            state.tell(self.key, change);
        }
        state.unfollow(self.key, room);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.hub.state();
        for change in state.fanout.disconnect(self.key) {
            state.tell(self.key, change);
        }
        if let Some(place) = state.connections.remove(&self.key) {
            state.keys.remove(&place.id);
        }
    }
}

#[cfg(test)]
mod tests;
