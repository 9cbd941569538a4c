//! What a tab writes by itself, leading or not: rows of the outbox, drafts, the first principal.

use super::{
    clock,
    driver::Driver,
    events::Event,
    update::{NotHeld, Update},
};
use holdfast_common::{
    client::{Command, Held, NotWritten, Principal, Row},
    id::{PersonId, RoomId, WriterId},
    tabs,
};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Holding {
    /// Events for the next transaction: all that were emitted while one is under way go together.
    events: Vec<Held>,
    /// How many are in the transaction under way.
    adding: usize,
    /// Rooms whose drafts that transaction removes: they have become events.
    drafted: Vec<RoomId>,
    /// The browser was asked to keep the database.
    persisted: bool,
}

impl Driver {
    /// Holds an event: on the disk first, everything else afterwards.
    pub(super) fn emit(&mut self, event: Held, drafted: bool) {
        let more = self.holding.adding + self.holding.events.len();
        if self.db.kept.borrow().full(more) {
            return self.not_held(&event, NotHeld::TooMany);
        }
        if drafted {
            self.holding.drafted.push(event.room);
        }
        self.holding.events.push(event);
        self.add();
    }

    fn add(&mut self) {
        if self.holding.adding > 0 || self.holding.events.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.holding.events);
        self.holding.adding = batch.len();
        let drafted = std::mem::take(&mut self.holding.drafted);
        self.tabs(tabs::Input::Adding);
        let (db, events) = (self.db.clone(), self.events.clone());
        spawn_local(async move {
            let result = db.add(batch.clone(), &drafted).await;
            events.post(Event::Added { events: batch, result });
        });
    }

    pub(super) fn added(&mut self, events: Vec<Held>, result: Result<Vec<Row>, NotWritten>) {
        self.holding.adding = 0;
        match result {
            Ok(rows) => {
                self.tabs(tabs::Input::Added(rows));
                if !std::mem::replace(&mut self.holding.persisted, true) {
                    persist();
                }
            }
            Err(why) => {
                for event in &events {
                    self.not_held(event, NotHeld::NotWritten(why));
                }
            }
        }
        self.add();
    }

    fn not_held(&mut self, event: &Held, why: NotHeld) {
        let (id, room) = (event.id, event.room);
        self.tell(Update::NotHeld { id, room, why });
    }

    /// Written at once, since the page may be about to end: how often is for the view to bound. The
    /// database takes transactions in the order in which they began.
    pub(super) fn draft(&mut self, room: RoomId, text: String) {
        // It is newer than what a waiting event was made of.
        self.holding.drafted.retain(|of| *of != room);
        let db = self.db.clone();
        // A draft that cannot be written is in the text box still; the next one may fare better.
        spawn_local(async move {
            let _ = db.draft(room, &text).await;
        });
    }

    pub(super) fn introduce(&mut self, name: String) {
        if self.db.kept.borrow().principal.is_some() {
            return self.tabs(tabs::Input::Command(Command::Rename { name }));
        }
        let (principal, writer) = somebody(name.clone());
        let (db, events) = (self.db.clone(), self.events.clone());
        spawn_local(async move {
            let result = db.introduce(&principal, writer).await;
            events.post(Event::Introduced { name, result });
        });
    }

    pub(super) fn introduced(&mut self, name: String, result: Result<bool, NotWritten>) {
        match result {
            Ok(true) => self.tabs(tabs::Input::Introduced),
            // Another tab was faster: it is the same person, who has given a name twice.
            Ok(false) => {
                self.tabs(tabs::Input::Introduced);
                self.tabs(tabs::Input::Command(Command::Rename { name }));
            }
            Err(why) => self.tell_storage_failed(why),
        }
    }
}

/// Somebody of this name, who was never anywhere before, and a writer for their outbox.
pub(super) fn somebody(name: String) -> (Principal, WriterId) {
    let (person_ms, person) = clock::id_parts();
    let (writer_ms, writer) = clock::id_parts();
    let secret = format!("{:032x}", u128::from_be_bytes(clock::random()));
    let principal = Principal { person: PersonId::new(person_ms, &person), secret, name };
    (principal, WriterId::new(writer_ms, &writer))
}

/// Asks the browser not to throw the database away when space gets short.
fn persist() {
    spawn_local(async {
        let navigator = clock::window().navigator();
        // A page that came over plain HTTP has no storage manager.
        let Ok(storage) = Reflect::get(&navigator, &"storage".into()) else {
            return;
        };
        let Ok(persist) = Reflect::get(&storage, &"persist".into()) else {
            return;
        };
        if let Some(persist) = persist.dyn_ref::<Function>()
            && let Ok(answer) = persist.call0(&storage)
        {
            let _ = JsFuture::from(answer.unchecked_into::<Promise>()).await;
        }
    });
}
