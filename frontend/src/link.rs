//! The browser driver of the client's machine: socket, database, timers, tabs.
//!
//! A [`Link`] lives at the application's root, outside its components. A view calls its methods,
//! and hears of everything through the one function it gave to [`Link::start`].

mod update;

pub use update::{HeldRoom, Hole, HoleKind, Loaded, StorageKind, Update};

use holdfast_common::{
    client::Command,
    event::{Durable, Effect, Latest, Volatile},
    id::{EventId, RoomId},
};
use std::rc::Rc;

/// What an application gives its link.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The server's address; `None` for `/ws` on the page's own host.
    pub url: Option<String>,
    /// What an event does to its log, by its type and payload; `None` for an unknown type.
    pub effect: Option<fn(kind: &str, data: &str) -> Option<Effect>>,
}

/// The link. Its copies are the same one.
#[derive(Clone)]
pub struct Link(#[allow(dead_code)] Rc<Options>);

impl Link {
    /// Opens the database, and connects once the person is known. Everything that is to be shown
    /// comes through `update`, which is never called before this function has returned.
    pub fn start(options: Options, update: impl Fn(Update) + 'static) -> Self {
        let _ = update;
        Self(Rc::new(options))
    }

    /// Gives the person a name, and at the first visit an id and a secret. A later name replaces
    /// the earlier one.
    pub fn introduce(&self, name: String) {
        let _ = name;
    }

    /// Holds an event and sends it when it can. It returns at once; the row is shown by
    /// [`Update::Applied`] when it is on the disk, or refused by [`Update::NotHeld`].
    pub fn emit<E: Durable>(&self, room: RoomId, event: &E) -> EventId {
        let _ = (room, event);
        Self::new_id()
    }

    /// Makes a room whose log begins with `first`.
    pub fn create_room<E: Durable>(&self, first: &E) -> RoomId {
        let _ = first;
        RoomId::NIL
    }

    /// Asks for something.
    pub fn command(&self, command: Command) {
        let _ = command;
    }

    /// Sends a volatile event, if it can go out at once.
    pub fn signal<E: Volatile>(&self, room: RoomId, event: &E) {
        let _ = (room, event);
    }

    /// Sets a register.
    pub fn set_latest<E: Latest>(&self, room: RoomId, event: &E) {
        let _ = (room, event);
    }

    /// Sends a rejected event again, as a new one, with the rejected ones that refer to it.
    pub fn resend(&self, id: EventId) {
        let _ = id;
    }

    /// Changes an event that was never transmitted.
    pub fn revise<E: Durable>(&self, id: EventId, event: &E) {
        let _ = (id, event);
    }

    /// Drops an event that was never transmitted, or was rejected.
    pub fn discard(&self, id: EventId) {
        let _ = id;
    }

    /// Keeps a text that was begun; an empty one is forgotten.
    pub fn save_draft(&self, room: RoomId, text: String) {
        let _ = (room, text);
    }

    /// A new event id, above all that this tab has made before.
    #[must_use]
    pub fn new_id() -> EventId {
        EventId::NIL
    }
}
