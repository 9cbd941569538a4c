//! What was emitted, acked and read, noted the moment it happens, and what must hold at once.

use crate::{clock, trace::Trace};
use holdfast_common::{
    cursor::Offset,
    frame::{Ack, Entry},
    id::{Epoch, EventId, RoomId},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// An event as its writer put it into the outbox.
#[derive(Debug, Clone)]
pub(crate) struct Emitted {
    pub(crate) by: u8,
    pub(crate) room: RoomId,
    pub(crate) data: String,
}

/// Where an event was acked, or where a reader was given an entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) id: EventId,
    pub(crate) room: RoomId,
    pub(crate) epoch: Epoch,
    pub(crate) offset: Offset,
    /// On the steady clock.
    pub(crate) at: u64,
}

type Place = (RoomId, Epoch, Offset);

#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) emitted: HashMap<EventId, Emitted>,
    /// Each writer's events of a room, in the order in which they were emitted.
    pub(crate) order: BTreeMap<(u8, RoomId), Vec<EventId>>,
    /// In the order in which they came; an ack that comes again stands here once.
    pub(crate) acks: Vec<Known>,
    /// The first time that any reader was given an entry.
    pub(crate) read: Vec<Known>,
    /// What a service has posted, whose answer may never have come.
    pub(crate) posted: BTreeSet<String>,
    /// What was deleted, or was to be.
    pub(crate) deleted: BTreeSet<EventId>,
    acked_at: HashMap<EventId, Place>,
    stands_at: HashMap<Place, EventId>,
    read_at: BTreeSet<Place>,
    violations: Vec<String>,
}

/// The book as everyone holds it.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    book: Arc<Mutex<Book>>,
    trace: Trace,
}

impl Ledger {
    pub(crate) fn new(trace: Trace) -> Self {
        Self { book: Arc::default(), trace }
    }

    pub(crate) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn emitted(&self, id: EventId, event: Emitted) {
        self.trace.say(&format!("client {} emits {id} in {}", event.by, event.room));
        let mut book = self.book();
        book.order.entry((event.by, event.room)).or_default().push(id);
        book.emitted.insert(id, event);
    }

    pub(crate) fn posted(&self, data: &str) {
        self.book().posted.insert(data.to_owned());
    }

    pub(crate) fn deletes(&self, target: EventId) {
        self.book().deleted.insert(target);
    }

    /// An ack has come from the wire.
    pub(crate) fn acked(&self, ack: &Ack) {
        self.stored(ack.room, ack.epoch, ack.offset, ack.id);
    }

    /// The server has said, over whichever way, that this event is durable.
    pub(crate) fn stored(&self, room: RoomId, epoch: Epoch, offset: Offset, id: EventId) {
        let place = (room, epoch, offset);
        let mut book = self.book();
        if !book.emitted.contains_key(&id) {
            self.broken(&mut book, format!("I2: {id} was acked and never emitted"));
        }
        match book.acked_at.insert(id, place) {
            None => {
                self.trace.say(&format!("{id} is acked at {offset} of {room}"));
                book.acks.push(Known { id, room, epoch, offset, at: clock::nanos() });
            }
            Some(before) if before == place => {}
            Some(before) => {
                let text = format!("I2: {id} was acked at {before:?} and then at {place:?}");
                self.broken(&mut book, text);
            }
        }
        self.stands(&mut book, place, id);
    }

    /// A reader has taken these.
    pub(crate) fn read(&self, room: RoomId, epoch: Epoch, entries: &[Entry]) {
        let mut book = self.book();
        for Entry { offset, id, .. } in entries {
            let place = (room, epoch, *offset);
            if book.read_at.insert(place) {
                let at = clock::nanos();
                book.read.push(Known { id: *id, room, epoch, offset: *offset, at });
            }
            self.stands(&mut book, place, *id);
        }
    }

    fn stands(&self, book: &mut Book, place: Place, id: EventId) {
        let other = *book.stands_at.entry(place).or_insert(id);
        if other != id {
            self.broken(book, format!("I3: {id} and {other} both stand at {place:?}"));
        }
    }

    pub(crate) fn say(&self, what: &str) {
        self.trace.say(what);
    }

    /// Something that must hold does not; the text begins with the invariant's name.
    pub(crate) fn violation(&self, text: String) {
        self.broken(&mut self.book(), text);
    }

    fn broken(&self, book: &mut Book, text: String) {
        self.trace.say(&format!("VIOLATION {text}"));
        // The first ones tell it; a lost page can break ten thousand.
        if book.violations.len() < 20 {
            book.violations.push(text);
        }
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.book().violations.clone()
    }

    pub(crate) fn acks(&self) -> usize {
        self.book().acks.len()
    }
}

impl Book {
    pub(crate) fn is_acked(&self, id: EventId) -> bool {
        self.acked_at.contains_key(&id)
    }
}
