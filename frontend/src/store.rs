//! What the page shows, as plain data with one writer: [`Store::apply`].
//!
//! It is a fold of what the link reports as committed, so what a person sees is what would be
//! there after a crash. Nothing here knows a browser, a clock or a signal.

mod connection;
mod directory;
mod fold;
mod holes;
mod item;
mod layout;
mod names;
mod notices;
mod outbox;
mod presence;
mod room;
mod timeline;
mod window;

pub use connection::Connection;
pub use directory::{INBOX, RoomLine};
pub use holes::Holes;
pub use item::{Body, Item};
pub use layout::{EntryRow, HoleRow, Row, RowKey};
pub use names::ByName;
pub use notices::{Notice, Trouble};
pub use outbox::{Outbox, Pending, Refusal, State};
pub use presence::Presence;
pub use room::Room;
pub use timeline::Timeline;
pub use window::{Step, Window};

use crate::link::{StorageKind, Update};
use holdfast_common::{
    client::{Principal, Row as OutboxRow},
    id::{EventId, PersonId, RoomId},
    limits::Limits,
    sorted::Sorted,
    time::{Instant, Timestamp},
};

/// The time of an update, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// For deadlines.
    pub steady: Instant,
    /// For what is shown.
    pub wall: Timestamp,
}

/// The rooms whose rows may look different after an update.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched(pub Vec<RoomId>);

impl Touched {
    fn add(&mut self, room: RoomId) {
        if !self.0.contains(&room) {
            self.0.push(room);
        }
    }
}

/// The page's state.
#[derive(Debug)]
pub struct Store {
    /// Whether the database has been read.
    pub loaded: bool,
    /// Who sits here; `None` at the first visit.
    pub me: Option<Principal>,
    /// The rooms.
    pub rooms: Sorted<RoomId, Room>,
    /// The person's events that are not in the log yet.
    pub outbox: Outbox,
    /// The link's state.
    pub connection: Connection,
    /// What the server holds its clients to, once it has said so.
    pub limits: Limits,
    /// The server's clock less this one, in milliseconds.
    skew: i64,
    /// Where events are held; `None` until that is known.
    pub storage: Option<StorageKind>,
    /// Whether this tab has the connection.
    pub leading: bool,
    /// Texts that were begun, as they were when the page was opened.
    pub drafts: Vec<(RoomId, String)>,
    /// No link was seen that is not up: this tab joins one that has been online for a while.
    joining: bool,
    /// The rooms that were live in it by then.
    live: Vec<RoomId>,
    notices: notices::Notices,
    presence: Sorted<RoomId, Presence>,
    by_name: ByName,
    names: names::Names,
}

impl Store {
    /// A store that nothing was read into yet.
    #[must_use]
    pub fn new(by_name: ByName) -> Self {
        Self {
            loaded: false,
            me: None,
            rooms: Sorted::default(),
            outbox: Outbox::default(),
            connection: Connection::default(),
            limits: Limits::default(),
            skew: 0,
            storage: None,
            leading: false,
            drafts: Vec::new(),
            joining: true,
            live: Vec::new(),
            notices: notices::Notices::default(),
            presence: Sorted::default(),
            by_name,
            names: names::Names::default(),
        }
    }

    /// What the server's clock says when this one says `at`: people's clocks are wrong by days.
    #[must_use]
    pub fn servers(&self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.saturating_add_signed(self.skew))
    }

    /// Takes an update in. The only way anything gets here.
    pub fn apply(&mut self, now: Now, update: Update) -> Touched {
        let mut touched = Touched::default();
        match update {
            Update::Loaded(loaded) => self.load(loaded, &mut touched),
            Update::Applied(writes) => {
                for write in writes {
                    self.write(write, &mut touched);
                }
            }
            Update::Show(show) => self.show(now, show, &mut touched),
            Update::Storage(storage) => self.storage = Some(storage),
            Update::Leading(leading) => self.leading = leading,
            Update::NotHeld { id, room, why } => {
                self.notices.add(Trouble::NotHeld { id, room, why, text_back: false });
            }
        }
        let me = self.me();
        for id in &touched.0 {
            if let Some(room) = self.rooms.get_mut(id) {
                room.count(me);
            }
        }
        touched
    }

    /// Who sits here.
    #[must_use]
    pub fn me(&self) -> Option<PersonId> {
        self.me.as_ref().map(|me| me.person)
    }

    /// The troubles that stand, the oldest first.
    #[must_use]
    pub fn notices(&self) -> &[Notice] {
        self.notices.standing()
    }

    /// A person has to hear of this trouble.
    pub fn tell(&mut self, trouble: Trouble) {
        self.notices.add(trouble);
    }

    /// A person has seen this trouble.
    pub fn dismiss(&mut self, number: u64) {
        self.notices.dismiss(number);
    }

    /// The text of an event that could not be held is in its writer's hands again.
    pub fn given_back(&mut self, id: EventId) {
        self.notices.given_back(id);
    }

    /// The people of a room.
    #[must_use]
    pub fn presence(&self, room: RoomId) -> Option<&Presence> {
        self.presence.get(room)
    }

    /// Forgets what is no longer believed at this time.
    pub fn expire(&mut self, now: Instant) {
        for presence in self.presence.values_mut() {
            presence.expire(now);
        }
    }

    /// A page of history is being asked for; at most one of a room at a time.
    pub fn ask(&mut self, room: RoomId) -> bool {
        let online = self.connection == Connection::Online;
        let room = self.rooms.get_mut(room).filter(|room| online && !room.asking);
        room.map(|room| room.asking = true).is_some()
    }
}

#[cfg(test)]
mod tests;
