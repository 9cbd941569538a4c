//! Who is told what: the server's machine between a room's log and the connections that follow it.
//!
//! Each connection has one bounded queue. What may wait in it, and what becomes of the rest:
//!
//! | what | finds no room when the queue is | then |
//! |---|---|---|
//! | a durable entry, or how far a log goes | full (of items, or of [bytes](Fanout::weighing)) | is dropped; [`Note::Behind`] has the session read the log |
//! | a frame about what is kept elsewhere | half full | is dropped; its [`Note`] has that told anew |
//! | a volatile frame | half full | is dropped |
//! | a membership of a room | never | takes the place of the one before of that room |
//! | an answer to a connection's own request | never | there are as many as requests may be open |
//! | a takeover | never | once is enough |
//!
//! A note stands once, however much was dropped. So no reader delays another, a slow one costs a
//! few notes and not a buffer, and what it has missed is made good.
//!
//! `B` is an encoded frame that is cheap to clone. The driver wakes the connections it is told to;
//! each comes for what waits with [`Fanout::take`].

mod connection;
mod gone;
mod item;
mod queue;

pub use item::{Item, Note, Presence, Run, Target};

use crate::{
    cursor::Offset,
    frame::Author,
    id::{PersonId, RoomId},
    limits::PRESENCE_MOST,
};
use connection::Connection;
use item::but;
use queue::{Bound, Put, Queue};
use std::collections::{BTreeMap, BTreeSet};

/// A connection's place in the machine. Places are used again, keys are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    place: usize,
    turn: u64,
}

const TOO_MANY: usize = PRESENCE_MOST + 1;

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
    /// What may wait for one connection.
    bound: Bound<B>,
    places: Vec<Option<Connection<B>>>,
    free: Vec<usize>,
    turns: u64,
    rooms: BTreeMap<RoomId, Room>,
    people: BTreeMap<PersonId, BTreeSet<usize>>,
    /// How far each log was published since the start: a number a room, followed or not, because who
    /// follows it next may have read it before.
    heads: BTreeMap<RoomId, Offset>,
    dropped: u64,
}

impl<B: Clone> Fanout<B> {
    /// A machine with nobody in it, whose queues hold `bound` items each.
    #[must_use]
    pub fn new(bound: usize) -> Self {
        Self {
            bound: Bound::of(bound.max(2)),
            places: Vec::new(),
            free: Vec::new(),
            turns: 0,
            rooms: BTreeMap::new(),
            people: BTreeMap::new(),
            heads: BTreeMap::new(),
            dropped: 0,
        }
    }

    /// A connection opens.
    pub fn connect(&mut self) -> Key {
        self.turns += 1;
        let connection = Connection {
            turn: self.turns,
            whose: None,
            person: None,
            run: None,
            rooms: BTreeSet::new(),
            lists: false,
            queue: Queue::default(),
            woken: false,
        };
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        self.places[place] = Some(connection);
        Key { place, turn: self.turns }
    }

    /// The connection says that it is this person's, and is about to be greeted: from now on it is
    /// told of changes of the person's memberships, so that it misses none meanwhile.
    pub fn expect(&mut self, key: Key, person: PersonId) {
        if let Some(connection) = self.get(key)
            && connection.whose.is_none()
        {
            connection.whose = Some(person);
            self.people.entry(person).or_default().insert(key.place);
        }
    }

    /// The connection is greeted as this person's. Of two connections of a run the older one is
    /// taken over, and that may be this one: a greeting that began first can be answered last.
    /// Returns whom to wake.
    pub fn register(&mut self, key: Key, person: Author, run: Run) -> Vec<Key> {
        let id = person.id;
        self.expect(key, id);
        let Some(connection) = self.get(key).filter(|it| it.whose == Some(id)) else {
            return Vec::new();
        };
        connection.person = Some(person);
        connection.run = Some(run);
        let others = but(self.of(id), key);
        let mut wake = Vec::new();
        for place in others {
            let Some(other) = self.places[place].as_ref().and_then(|it| it.run) else {
                continue;
            };
            if run.follows(&other) {
                self.push(place, Item::TakenOver, None, &mut wake);
            } else if other.follows(&run) {
                self.push(key.place, Item::TakenOver, None, &mut wake);
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
        match state.people.len() {
            _ if state.people[&person.id].1 > 1 => None,
            ..=PRESENCE_MOST => Some(Presence::Came(room, person)),
            TOO_MANY => Some(Presence::Turned(room)),
            _ => None,
        }
    }

    /// No longer. Returns the change of who is there.
    pub fn unfollow(&mut self, key: Key, room: RoomId) -> Option<Presence> {
        let connection = self.get(key)?;
        if !connection.rooms.remove(&room) {
            return None;
        }
        connection.queue.forget(room);
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
                state.people.remove(&id);
                left = match state.people.len() {
                    ..PRESENCE_MOST => Some(Presence::Left(room, id)),
                    PRESENCE_MOST => Some(Presence::Turned(room)),
                    _ => None,
                };
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
        if let Some(id) = connection.whose
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

    /// Who is in a room; nobody is named where there are more than [`PRESENCE_MOST`].
    #[must_use]
    pub fn here(&self, room: RoomId) -> Vec<Author> {
        let room = self.rooms.get(&room).filter(|room| room.people.len() <= PRESENCE_MOST);
        let people = room.into_iter().flat_map(|room| room.people.values());
        people.map(|(person, _)| person.clone()).collect()
    }

    /// How far a room's log is known to go, which is not known of all: what the engine says may be
    /// further. Whoever follows a room asks it behind that: what was published up to here does not
    /// come live any more.
    #[must_use]
    pub fn head(&self, room: RoomId) -> Offset {
        self.heads.get(&room).copied().unwrap_or(0)
    }

    /// An entry has become durable. Returns whom to wake.
    pub fn publish(&mut self, room: RoomId, offset: Offset, bytes: &B) -> Vec<Key> {
        let mut wake = Vec::new();
        for place in self.followers(room) {
            let item = Item::Live { room, offset, bytes: bytes.clone() };
            self.push(place, item, Some(Note::Behind(room)), &mut wake);
        }
        self.reached(room, offset);
        wake
    }

    /// An entry is found to be durable that may not have been published: the append was answered as
    /// unknown, and its event came again. Followers that do not have it read the log; if it is the
    /// room's first, everyone is told the list of rooms anew. Costs nothing where it was published.
    /// Returns whom to wake.
    pub fn stands(&mut self, room: RoomId, offset: Offset) -> Vec<Key> {
        let mut wake = Vec::new();
        if offset <= self.head(room) {
            return wake;
        }
        for place in self.followers(room) {
            let item = Item::Head { room, offset };
            self.push(place, item, Some(Note::Behind(room)), &mut wake);
        }
        if offset == 1 {
            for place in 0..self.places.len() {
                self.note(place, Note::Directory, &mut wake);
            }
        }
        self.reached(room, offset);
        wake
    }

    fn note(&mut self, place: usize, note: Note, wake: &mut Vec<Key>) {
        let Some(connection) = self.places[place].as_mut() else {
            return;
        };
        connection.queue.note(note);
        wake.extend(connection.wake(place));
    }

    fn reached(&mut self, room: RoomId, offset: Offset) {
        let head = self.heads.entry(room).or_default();
        *head = offset.max(*head);
    }

    /// A volatile frame. Returns whom to wake.
    pub fn send(&mut self, target: Target, bytes: &B) -> Vec<Key> {
        self.put(target, None, || Item::Pass(bytes.clone()))
    }

    /// A frame about what is kept elsewhere: where there is no room for it, `note` stands for it.
    /// Returns whom to wake.
    pub fn tell(&mut self, target: Target, note: Note, bytes: &B) -> Vec<Key> {
        self.put(target, Some(note), || Item::Pass(bytes.clone()))
    }

    /// The person's membership of a room has changed by the connection `key`, which is told by the
    /// [answer](Self::answer) to its request. Returns whom to wake.
    pub fn membership(&mut self, key: Option<Key>, person: PersonId, change: &Item<B>) -> Vec<Key> {
        let target = key.map_or(Target::Person(person), |key| Target::PersonBut(person, key));
        self.put(target, None, || change.clone())
    }

    /// A connection's request for a membership is answered. Returns whom to wake.
    pub fn answer(&mut self, key: Key, answer: Item<B>) -> Vec<Key> {
        let mut wake = Vec::new();
        if self.get(key).is_some() {
            self.push(key.place, answer, None, &mut wake);
        }
        wake
    }

    fn put(&mut self, target: Target, note: Option<Note>, item: impl Fn() -> Item<B>) -> Vec<Key> {
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
            self.push(place, item(), note, &mut wake);
        }
        wake
    }

    /// What waits for a connection; [`Item::Note`] comes last.
    pub fn take(&mut self, key: Key) -> Vec<Item<B>> {
        let Some(connection) = self.get(key) else {
            return Vec::new();
        };
        connection.woken = false;
        connection.queue.take()
    }

    /// Whether anything waits for a connection.
    #[must_use]
    pub fn waits(&mut self, key: Key) -> bool {
        self.get(key).is_some_and(|it| !it.queue.is_empty())
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

    fn push(&mut self, place: usize, item: Item<B>, note: Option<Note>, wake: &mut Vec<Key>) {
        let Some(connection) = self.places[place].as_mut() else {
            return;
        };
        let put = connection.queue.put(&self.bound, item, note);
        self.dropped += u64::from(put != Put::Waits);
        if put != Put::Dropped {
            wake.extend(connection.wake(place));
        }
    }
}

#[cfg(test)]
mod tests;
