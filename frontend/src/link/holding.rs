//! What a tab writes by itself, leading or not: rows of the outbox, drafts, the first principal.

use super::{
    clock,
    driver::Driver,
    events::Event,
    update::{NotHeld, Update},
};
use holdfast_common::{
    client::{Command, Held, Key, NotWritten, Principal, Row, Show, Write},
    id::{PersonId, RoomId, WriterId},
    limits::Limits,
    sorted::Sorted,
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
    /// The rows that wait for a verdict, as the view was told.
    waiting: Sorted<Key, ()>,
    limit: Option<u32>,
    /// The database has a principal.
    introduced: bool,
    /// The browser was asked to keep the database.
    persisted: bool,
}

impl Holding {
    /// Keeps count of what the view is told.
    pub(super) fn follow(&mut self, update: &Update) {
        match update {
            Update::Loaded(loaded) => {
                self.introduced = loaded.principal.is_some();
                self.waiting.clear();
                let waiting = loaded.rows.iter().filter(|row| row.state.waits());
                self.waiting.extend(waiting.map(|row| row.key));
            }
            Update::Applied(writes) => {
                for write in writes {
                    match write {
                        Write::PutRow(row) if row.state.waits() => {
                            self.waiting.add(row.key);
                        }
                        Write::PutRow(Row { key, .. }) | Write::DeleteRow(key) => {
                            self.waiting.remove(key);
                        }
                        _ => {}
                    }
                }
            }
            Update::Show(Show::Welcome { limits, .. }) => self.limit = Some(limits.outbox),
            _ => {}
        }
    }

    fn full(&self) -> bool {
        let most = self.limit.unwrap_or(Limits::default().outbox) as usize;
        self.waiting.len() + self.adding + self.events.len() >= most
    }
}

impl Driver {
    /// Holds an event: on the disk first, everything else afterwards.
    pub(super) fn emit(&mut self, event: Held, drafted: bool) {
        if self.holding.full() {
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
        if self.holding.introduced {
            return self.tabs(tabs::Input::Command(Command::Rename { name }));
        }
        let (person_ms, person) = clock::id_parts();
        let (writer_ms, writer) = clock::id_parts();
        let principal = Principal {
            person: PersonId::new(person_ms, &person),
            secret: format!("{:032x}", u128::from_be_bytes(clock::random())),
            name: name.clone(),
        };
        let writer = WriterId::new(writer_ms, &writer);
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

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::{
        client::RowState, cursor::Offset, error::Code, id::Epoch, id::EventId, time::Timestamp,
    };

    fn held(key: Key) -> Held {
        Held {
            id: EventId::new(key, &[0; 10]),
            ns: "chat".into(),
            room: RoomId::NIL,
            kind: "message".into(),
            data: "{}".into(),
            target: None,
            at: Timestamp(key),
        }
    }

    fn put(key: Key, state: RowState) -> Write {
        Write::PutRow(Row { key, event: held(key), state })
    }

    fn acked(offset: Offset) -> RowState {
        RowState::Acked { epoch: Epoch::NIL, offset }
    }

    fn rejected() -> RowState {
        RowState::Rejected { code: Code::TooLarge, detail: String::new(), why: None }
    }

    fn of_two() -> Holding {
        Holding { limit: Some(2), ..Holding::default() }
    }

    #[test]
    fn the_outbox_is_full_of_what_waits_and_not_of_what_has_its_verdict() {
        let mut holding = of_two();
        let rows = vec![put(1, acked(7)), put(2, rejected()), put(3, RowState::Queued)];
        holding.follow(&Update::Applied(rows));
        assert!(!holding.full());
        holding.follow(&Update::Applied(vec![put(4, RowState::Sent { n: 1 })]));
        assert!(holding.full());
        holding.follow(&Update::Applied(vec![put(4, acked(8))]));
        assert!(!holding.full());
        holding.follow(&Update::Applied(vec![put(5, RowState::Unsure)]));
        assert!(holding.full());
        holding.follow(&Update::Applied(vec![Write::DeleteRow(3)]));
        assert!(!holding.full());
    }

    #[test]
    fn what_is_being_written_counts_as_well() {
        let mut holding = of_two();
        holding.adding = 1;
        assert!(!holding.full());
        holding.events.push(held(1));
        assert!(holding.full());
    }
}
