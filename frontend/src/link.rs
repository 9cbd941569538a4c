//! The browser driver of the client's machine: socket, database, timers, tabs.
//!
//! A [`Link`] lives at the application's root, outside its components. A view calls its methods,
//! and hears of everything through the one function it gave to [`Link::start`].

mod board;
mod channel;
mod clock;
mod db;
mod driver;
mod events;
mod holding;
mod leading;
mod lock;
mod neighbours;
mod socket;
mod update;
mod wake;

pub use board::{BoardLink, BoardUpdate, get, here};
#[cfg(feature = "trial")]
pub use db::trial::Trial;
pub use update::{HeldRoom, Hole, HoleKind, Loaded, NotHeld, StorageKind, Update};

use driver::Driver;
use events::{Event, Events};
use holdfast_common::{
    client::{Command, Held, LatestRow},
    event::{Durable, Effect, EventType, Latest, Volatile},
    id::{EventId, RoomId},
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// What an application gives its link.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The server's address; `None` for `/ws` on the page's own host.
    pub url: Option<String>,
    /// What an event does to its log, by its type and payload; `None` for an unknown type. With
    /// it, the content of a removed event is removed from the browser's database as well.
    pub effect: Option<fn(kind: &str, data: &str) -> Option<Effect>>,
}

/// The link. Its copies are the same one. It lives as long as the page.
#[derive(Clone)]
pub struct Link(Rc<Events>);

impl Link {
    /// Opens the database, and connects once the person is known. Everything that is to be shown
    /// comes through `update`, which is never called within a call of one of these functions.
    pub fn start(options: Options, update: impl Fn(Update) + 'static) -> Self {
        let events = Rc::new(Events::default());
        spawn_local(Driver::start(events.clone(), options, Box::new(update)));
        Self(events)
    }

    /// Gives the person a name, and at the first visit an id and a secret. A later name replaces
    /// the earlier one.
    pub fn introduce(&self, name: String) {
        self.0.post(Event::Introduce(name));
    }

    /// Holds an event and sends it when it can. It returns at once; the row is shown by
    /// [`Update::Applied`] when it is on the disk, or refused by [`Update::NotHeld`].
    pub fn emit<E: Durable>(&self, room: RoomId, event: &E) -> EventId {
        let held = Held::new(Self::new_id(), room, clock::wall(), event);
        let id = held.id;
        self.0.post(Event::Emit { event: held, drafted: false });
        id
    }

    /// The same for an event that was made of the room's draft: one transaction adds the row and
    /// removes the draft.
    pub fn emit_draft<E: Durable>(&self, room: RoomId, event: &E) -> EventId {
        let held = Held::new(Self::new_id(), room, clock::wall(), event);
        let id = held.id;
        self.0.post(Event::Emit { event: held, drafted: true });
        id
    }

    /// Makes a room whose log begins with `first`. It can be written in at once, connected or not.
    pub fn create_room<E: Durable>(&self, first: &E) -> RoomId {
        let (ms, random) = clock::id_parts();
        let room = RoomId::new(ms, &random);
        self.emit(room, first);
        room
    }

    /// Asks for something. The tab that leads does it; while there is none, it waits.
    pub fn command(&self, command: Command) {
        self.0.post(Event::Command(command));
    }

    /// Sends a volatile event, if it can go out at once.
    pub fn signal<E: Volatile>(&self, room: RoomId, event: &E) {
        if let Some(data) = payload(event) {
            self.command(Command::Signal {
                ns: E::NAMESPACE.to_owned(),
                room,
                kind: E::NAME.to_owned(),
                data,
            });
        }
    }

    /// Sets a register.
    pub fn set_latest<E: Latest>(&self, room: RoomId, event: &E) {
        if let Some(data) = payload(event) {
            self.command(Command::SetLatest(LatestRow {
                ns: E::NAMESPACE.to_owned(),
                room,
                kind: E::NAME.to_owned(),
                rank: event.rank(),
                data,
            }));
        }
    }

    /// Sends a rejected event again, as a new one, with the rejected ones that refer to it.
    pub fn resend(&self, id: EventId) {
        // The leading tab knows which go along, and gives them their ids.
        let ids = Vec::new();
        self.command(Command::Resend { id, ids });
    }

    /// Changes an event that was never transmitted.
    pub fn revise<E: Durable>(&self, id: EventId, event: &E) {
        if let Some(data) = payload(event) {
            self.command(Command::Revise { id, data });
        }
    }

    /// Drops an event that was never transmitted, or was rejected.
    pub fn discard(&self, id: EventId) {
        self.command(Command::Discard { id });
    }

    /// Keeps a text that was begun; an empty one is forgotten.
    pub fn save_draft(&self, room: RoomId, text: String) {
        self.0.post(Event::Draft(room, text));
    }

    /// A new event id, above all that this tab has made before.
    #[must_use]
    pub fn new_id() -> EventId {
        clock::event_id()
    }
}

/// A declared event as JSON. Every one can be written; one whose map keys are no strings cannot.
fn payload<E: EventType>(event: &E) -> Option<String> {
    serde_json::to_string(event).ok()
}
