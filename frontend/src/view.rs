//! The store made reactive: what components read, and the few things they can ask for.
//!
//! The store itself is behind one handle that only this module writes to. After each update the
//! signals that say something else now are set; a row of the open room has a signal of its own, so
//! that an event's progress touches its row and nothing else.

mod deeds;
mod drafts;
mod last_draft;
mod open;
mod place;
mod reading;
mod rows;

pub use deeds::Editing;
pub use drafts::Drafts;
pub use open::Open;
pub use rows::RowHandle;

use crate::{
    browser,
    link::{Link, Options, StorageKind, Update},
    store::{Connection, Notice, Now, Room, RoomLine, Store, Touched, Trouble},
};
use holdfast_common::{frame::Author, id::RoomId, limits::Limits, time::Timestamp};
use leptos::prelude::*;
use std::time::Duration;

/// The page's view of everything. Its copies are the same one.
#[derive(Debug, Clone, Copy)]
pub struct View {
    store: StoredValue<Store, LocalStorage>,
    link: StoredValue<Option<Link>, LocalStorage>,
    /// The database has been read.
    pub loaded: RwSignal<bool>,
    /// Who sits here.
    pub me: RwSignal<Option<Author>>,
    /// The rooms, by name.
    pub lines: RwSignal<Vec<RoomLine>>,
    /// The link's state.
    pub connection: RwSignal<Connection>,
    /// How many events are in the outbox without a verdict.
    pub waiting: RwSignal<usize>,
    /// Troubles to be seen.
    pub notices: RwSignal<Vec<Notice>>,
    /// Where events are held.
    pub storage: RwSignal<Option<StorageKind>>,
    /// What the server holds its clients to.
    pub limits: RwSignal<Limits>,
    /// The time, once a second.
    pub clock: RwSignal<Now>,
    /// The room on the page.
    pub open: Open,
    /// Texts that were begun.
    pub drafts: Drafts,
    /// The event whose text is in the composer.
    pub editing: RwSignal<Option<Editing>>,
    unsure: StoredValue<deeds::Unsure>,
}

impl View {
    /// Starts the link and shows what it reports. It lives as long as the owner it is made under:
    /// the application's root.
    #[must_use]
    pub fn start(options: Options) -> Self {
        let view = Self::new();
        let link = Link::start(options, move |update| view.apply(update));
        view.link.set_value(Some(link));
        let tick = move || view.tick();
        // It runs as long as the page does.
        let _ = set_interval_with_handle(tick, Duration::from_secs(1));
        view
    }

    fn new() -> Self {
        Self {
            store: StoredValue::new_local(Store::new(browser::by_name)),
            link: StoredValue::new_local(None),
            loaded: RwSignal::new(false),
            me: RwSignal::new(None),
            lines: RwSignal::new(Vec::new()),
            connection: RwSignal::new(Connection::default()),
            waiting: RwSignal::new(0),
            notices: RwSignal::new(Vec::new()),
            storage: RwSignal::new(None),
            limits: RwSignal::new(Limits::default()),
            clock: RwSignal::new(browser::now()),
            open: Open::new(),
            drafts: Drafts::new(),
            editing: RwSignal::new(None),
            unsure: StoredValue::new(deeds::Unsure::default()),
        }
    }

    /// Takes an update in: the one way anything gets on the page.
    fn apply(self, update: Update) {
        let back = match &update {
            Update::NotHeld { id, .. } => Some(*id),
            _ => None,
        };
        let fresh = matches!(update, Update::Loaded(_));
        let now = browser::now();
        let touched = self.store.try_update_value(|store| store.apply(now, update));
        if fresh {
            self.load_drafts();
        }
        if let Some(id) = back {
            self.give_back(id);
        }
        self.settle_deeds();
        self.show(&touched.unwrap_or_default());
    }

    fn show(self, touched: &Touched) {
        let open = self.open.room.get_untracked();
        self.store.update_value(|store| {
            put(self.loaded, store.loaded);
            put(self.lines, store.lines());
            put(self.connection, store.connection);
            put(self.waiting, store.outbox.waiting());
            put(self.notices, store.notices().to_vec());
            put(self.storage, store.storage.clone());
            put(self.limits, store.limits.clone());
            let me = store.me.as_ref().map(|me| Author { id: me.person, name: me.name.clone() });
            put(self.me, me);
        });
        if let Some(room) = open {
            self.show_presence(room);
            if touched.0.contains(&room) {
                self.show_rows(room);
            }
        }
    }

    fn tick(self) {
        let now = browser::now();
        self.clock.set(now);
        self.store.update_value(|store| store.expire(now.steady));
        if let Some(room) = self.open.room.get_untracked() {
            self.show_presence(room);
        }
    }

    /// The room of this name, as far as it is known now.
    #[must_use]
    pub fn named(self, name: &str) -> Option<RoomId> {
        self.store.with_value(|store| store.named(name))
    }

    /// What a room is called, one that is in no list included.
    #[must_use]
    pub fn name_of(self, room: RoomId) -> Option<String> {
        self.store.with_value(|store| store.rooms.get(room)?.name().map(str::to_owned))
    }

    /// Whether a room is no more.
    #[must_use]
    pub fn is_gone(self, room: RoomId) -> bool {
        self.store.with_value(|store| store.rooms.get(room).is_some_and(Room::gone))
    }

    /// The person's inbox, as far as it is known now.
    #[must_use]
    pub fn inbox(self) -> Option<RoomId> {
        self.store.with_value(Store::inbox)
    }

    /// How many unread events of a room, or of all of them, a person has to be told of: what is on
    /// the screen is being read.
    #[must_use]
    pub fn to_tell(self, room: Option<RoomId>) -> u64 {
        let seen = self.open.room.get().filter(|_| self.open.seen.get());
        let lines = self.lines.read();
        let lines = lines.iter().filter(|line| Some(line.id) != seen);
        let lines = lines.filter(|line| room.is_none_or(|room| room == line.id));
        lines.map(|line| line.unread).fold(0, u64::saturating_add)
    }

    /// A room's line in the list.
    #[must_use]
    pub fn line(self, room: RoomId) -> Memo<Option<RoomLine>> {
        Memo::new(move |_| {
            let lines = self.lines.read();
            lines.iter().find(|line| line.id == room).cloned()
        })
    }

    /// The time by the server's clock, which is that of the log's entries.
    #[must_use]
    pub fn time(self) -> Timestamp {
        let wall = self.clock.get().wall;
        self.store.with_value(|store| store.servers(wall))
    }

    fn tell(self, trouble: Trouble) {
        self.store.update_value(|store| store.tell(trouble));
        let notices = self.store.with_value(|store| store.notices().to_vec());
        put(self.notices, notices);
    }

    /// A person has seen this trouble.
    pub fn dismiss(self, number: u64) {
        self.store.update_value(|store| store.dismiss(number));
        self.show(&Touched::default());
    }

    fn with_link<T>(self, ask: impl FnOnce(&Link) -> T) -> Option<T> {
        self.link.with_value(|link| link.as_ref().map(ask))
    }
}

/// The view, as the application's root provides it.
#[must_use]
pub fn use_view() -> View {
    expect_context()
}

/// Sets a signal if it says something else now.
fn put<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
