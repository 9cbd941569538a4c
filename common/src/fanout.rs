//! Who is told what: the server's machine between a room's log and the connections that follow it.
//!
//! Each connection has one bounded queue. A durable entry that finds it full is dropped and the
//! room noted as *behind*: the session then reads the log from what it has sent. A volatile frame
//! is dropped already when the queue is half full. So no reader delays another, and a slow one
//! costs a note and not a buffer.
//!
//! `B` is an encoded frame that is cheap to clone. The driver wakes the connections it is told to;
//! each comes for what waits with [`Fanout::take`].

use crate::{
    cursor::Offset,
    frame::{Author, RoomInfo},
    id::{PersonId, RoomId, SessionId},
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A connection's place in the machine. Places are used again, keys are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    place: usize,
    turn: u64,
}

/// One thing that waits for a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item<B> {
    /// An entry has become durable.
    Live {
        /// The room.
        room: RoomId,
        /// Its place.
        offset: Offset,
        /// Its frame.
        bytes: B,
    },
    /// Live entries of this room were dropped.
    Behind(RoomId),
    /// A frame to pass on.
    Pass(B),
    /// The person has become a member of a room by another connection.
    Member(Box<RoomInfo>),
    /// The person's membership has ended by another connection.
    NotMember(RoomId),
    /// A newer connection of the same session is there.
    TakenOver,
}

/// Whom a frame is for. All but these are for the room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// One connection.
    Connection(Key),
    /// Every connection of a person.
    Person(PersonId),
    /// Every connection that follows a room.
    Room(RoomId),
    /// Every connection that follows a room, but one: the sender's.
    RoomBut(RoomId, Key),
    /// Every connection of a person, but one.
    PersonBut(PersonId, Key),
    /// Every connection.
    Everyone,
}

/// A change of who is in a room. The driver makes a frame of it and sends it to the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// This person's first connection follows the room now.
    Came(RoomId, Author),
    /// This person's last connection has left the room.
    Left(RoomId, PersonId),
}

/// Rooms with more people than this are not told who comes and goes: the telling would cost the
/// square of their number.
pub const PRESENCE_MOST: usize = 100;

#[derive(Debug)]
struct Connection<B> {
    turn: u64,
    /// Whose it is, once greeted.
    person: Option<Author>,
    session: Option<SessionId>,
    rooms: BTreeSet<RoomId>,
    queue: VecDeque<Item<B>>,
    behind: BTreeSet<RoomId>,
    /// Woken, and has not come for its items since.
    woken: bool,
}

#[derive(Debug, Default)]
struct Room {
    /// Places of the connections that follow it.
    followers: BTreeSet<usize>,
    /// Who they are, and how many of the connections are theirs.
    people: BTreeMap<PersonId, (Author, usize)>,
}

/// The machine.
#[derive(Debug)]
pub struct Fanout<B> {
    /// Items that may wait for one connection.
    bound: usize,
    places: Vec<Option<Connection<B>>>,
    free: Vec<usize>,
    turns: u64,
    rooms: BTreeMap<RoomId, Room>,
    people: BTreeMap<PersonId, BTreeSet<usize>>,
    dropped: u64,
}

impl<B: Clone> Fanout<B> {
    /// A machine with nobody in it, whose queues hold `bound` items each.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self {
            bound: bound.max(2),
            places: Vec::new(),
            free: Vec::new(),
            turns: 0,
            rooms: BTreeMap::new(),
            people: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// A connection opens.
    pub fn connect(&mut self) -> Key {
        self.turns += 1;
        let connection = Connection {
            turn: self.turns,
            person: None,
            session: None,
            rooms: BTreeSet::new(),
            queue: VecDeque::new(),
            behind: BTreeSet::new(),
            woken: false,
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(connection);
        Key { place, turn: self.turns }
    }

    /// The connection is greeted as this person's; an older one of the session is taken over.
    /// Returns whom to wake.
    pub fn register(&mut self, key: Key, person: Author, session: SessionId) -> Vec<Key> {
        let id = person.id;
        let Some(connection) = self.get(key) else {
            return Vec::new();
        };
        connection.person = Some(person);
        connection.session = Some(session);
        let places = self.people.entry(id).or_default();
        places.insert(key.place);
        let others: Vec<usize> = places.iter().copied().filter(|at| *at != key.place).collect();
        let mut wake = Vec::new();
        for place in others {
            let older = self.places[place].as_ref().is_some_and(|it| it.session == Some(session));
            if older {
                self.push(place, Item::TakenOver, &mut wake);
            }
        }
        wake
    }

    /// The connection sends a room's live entries from now on. Returns the change of who is there.
    pub fn follow(&mut self, key: Key, room: RoomId) -> Option<Presence> {
        let connection = self.get(key)?;
        if !connection.rooms.insert(room) {
            return None;
        }
        let person = connection.person.clone();
        let state = self.rooms.entry(room).or_default();
        state.followers.insert(key.place);
        let person = person?;
        let (_, count) = state.people.entry(person.id).or_insert_with(|| (person.clone(), 0));
        *count += 1;
        let first = *count == 1 && state.people.len() <= PRESENCE_MOST;
        first.then_some(Presence::Came(room, person))
    }

    /// No longer. Returns the change of who is there.
    pub fn unfollow(&mut self, key: Key, room: RoomId) -> Option<Presence> {
        let connection = self.get(key)?;
        if !connection.rooms.remove(&room) {
            return None;
        }
        connection.behind.remove(&room);
        let person = connection.person.as_ref().map(|person| person.id);
        self.gone(key.place, room, person)
    }

    fn gone(&mut self, place: usize, room: RoomId, person: Option<PersonId>) -> Option<Presence> {
        let state = self.rooms.get_mut(&room)?;
        state.followers.remove(&place);
        let mut left = None;
        if let Some(id) = person
            && let Some((_, count)) = state.people.get_mut(&id)
        {
            *count -= 1;
            if *count == 0 {
                let told = state.people.len() <= PRESENCE_MOST;
                state.people.remove(&id);
                left = told.then_some(Presence::Left(room, id));
            }
        }
        if state.followers.is_empty() {
            self.rooms.remove(&room);
        }
        left
    }

    /// The connection has closed. Returns the changes of who is where.
    pub fn disconnect(&mut self, key: Key) -> Vec<Presence> {
        if self.get(key).is_none() {
            return Vec::new();
        }
        let Some(connection) = self.places[key.place].take() else {
            return Vec::new();
        };
        self.free.push(key.place);
        let person = connection.person.map(|person| person.id);
        if let Some(id) = person
            && let Some(places) = self.people.get_mut(&id)
        {
            places.remove(&key.place);
            if places.is_empty() {
                self.people.remove(&id);
            }
        }
        let rooms = connection.rooms.into_iter();
        rooms.filter_map(|room| self.gone(key.place, room, person)).collect()
    }

    /// Who is in a room, up to [`PRESENCE_MOST`].
    #[must_use]
    pub fn here(&self, room: RoomId) -> Vec<Author> {
        let people = self.rooms.get(&room).into_iter().flat_map(|room| room.people.values());
        people.take(PRESENCE_MOST).map(|(person, _)| person.clone()).collect()
    }

    /// An entry has become durable. Returns whom to wake.
    pub fn publish(&mut self, room: RoomId, offset: Offset, bytes: &B) -> Vec<Key> {
        let mut wake = Vec::new();
        for place in self.followers(room) {
            self.push(place, Item::Live { room, offset, bytes: bytes.clone() }, &mut wake);
        }
        wake
    }

    /// A volatile frame. Returns whom to wake.
    pub fn send(&mut self, target: Target, bytes: &B) -> Vec<Key> {
        self.tell(target, || Item::Pass(bytes.clone()))
    }

    /// The person's membership of a room has changed by the connection `key`, which knows already.
    /// Returns whom to wake.
    pub fn membership(&mut self, key: Option<Key>, person: PersonId, change: &Item<B>) -> Vec<Key> {
        let target = key.map_or(Target::Person(person), |key| Target::PersonBut(person, key));
        self.tell(target, || change.clone())
    }

    fn tell(&mut self, target: Target, item: impl Fn() -> Item<B>) -> Vec<Key> {
        let places: Vec<usize> = match target {
            Target::Connection(key) => {
                if self.get(key).is_some() {
                    vec![key.place]
                } else {
                    Vec::new()
                }
            }
            Target::Person(id) => self.of(id),
            Target::PersonBut(id, key) => but(self.of(id), key),
            Target::Room(room) => self.followers(room),
            Target::RoomBut(room, key) => but(self.followers(room), key),
            Target::Everyone => {
                (0..self.places.len()).filter(|place| self.places[*place].is_some()).collect()
            }
        };
        let mut wake = Vec::new();
        for place in places {
            self.push(place, item(), &mut wake);
        }
        wake
    }

    /// What waits for a connection; [`Item::Behind`] comes last.
    pub fn take(&mut self, key: Key) -> Vec<Item<B>> {
        let Some(connection) = self.get(key) else {
            return Vec::new();
        };
        connection.woken = false;
        let behind = std::mem::take(&mut connection.behind);
        let items = std::mem::take(&mut connection.queue);
        items.into_iter().chain(behind.into_iter().map(Item::Behind)).collect()
    }

    /// How many items were dropped for want of room, ever.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn followers(&self, room: RoomId) -> Vec<usize> {
        self.rooms.get(&room).map_or_else(Vec::new, |room| room.followers.iter().copied().collect())
    }

    fn of(&self, person: PersonId) -> Vec<usize> {
        self.people.get(&person).map_or_else(Vec::new, |places| places.iter().copied().collect())
    }

    fn get(&mut self, key: Key) -> Option<&mut Connection<B>> {
        let connection = self.places.get_mut(key.place)?.as_mut()?;
        (connection.turn == key.turn).then_some(connection)
    }

    fn push(&mut self, place: usize, item: Item<B>, wake: &mut Vec<Key>) {
        let Some(connection) = self.places[place].as_mut() else {
            return;
        };
        let waiting = connection.queue.len();
        match &item {
            Item::Live { room, .. } => {
                if waiting >= self.bound || connection.behind.contains(room) {
                    connection.behind.insert(*room);
                    self.dropped += 1;
                } else {
                    connection.queue.push_back(item);
                }
            }
            Item::Pass(_) if waiting >= self.bound / 2 => {
                self.dropped += 1;
                return;
            }
            Item::Behind(room) => {
                connection.behind.insert(*room);
            }
            // Rights and takeovers are few and must arrive: they do not count against the bound.
            _ => connection.queue.push_back(item),
        }
        if !connection.woken {
            connection.woken = true;
            wake.push(Key { place, turn: connection.turn });
        }
    }
}

fn but(places: Vec<usize>, key: Key) -> Vec<usize> {
    places.into_iter().filter(|place| *place != key.place).collect()
}

#[cfg(test)]
mod tests;
