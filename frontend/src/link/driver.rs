//! The driver: carries out what the machines of the client and the tabs put out, and feeds them
//! what comes of it.

use super::{
    Options,
    channel::Channel,
    clock::{self, Timer},
    db::{Content, Database},
    events::{Event, Events},
    holding::Holding,
    lock::{self, Lock},
    socket::{Socket, SocketEvent},
    update::{Loaded, StorageKind, Update},
    wake,
};
use holdfast_common::{
    client::{Client, Input, Link, NotWritten, Show, Snapshot},
    id::SessionId,
    tabs::{self, Tabs},
    time::Instant,
};
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// All that a tab's link is made of.
pub(super) struct Driver {
    pub(super) events: Rc<Events>,
    pub(super) db: Rc<Database>,
    pub(super) options: Options,
    update: Box<dyn Fn(Update)>,
    pub(super) tabs: Tabs,
    pub(super) channel: Channel,
    pub(super) lock: Option<Lock>,
    /// How often the lock was asked for: the number of the present request.
    pub(super) locks: u64,
    /// The client of the leading tab, and its run.
    pub(super) client: Option<Client>,
    pub(super) run: SessionId,
    /// What was read of the database, for the view and for a client.
    pub(super) loaded: Option<Loaded>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) socket: Option<Socket>,
    /// How many sockets there were: the number of the present one.
    pub(super) sockets: u64,
    pub(super) holding: Holding,
    timer: Option<(Instant, Timer)>,
}

impl Driver {
    /// Opens the database and puts a driver behind the queue.
    pub(super) async fn start(events: Rc<Events>, options: Options, update: Box<dyn Fn(Update)>) {
        let gone = events.clone();
        let gone = Rc::new(move || gone.post(Event::Gone));
        let (db, storage) = Database::open(options.effect, gone).await;
        // In memory nothing is shared: such a tab is on its own.
        let locks = db.shared() && lock::available();
        let channel = if db.shared() {
            let events = events.clone();
            Channel::open(move |word| events.post(Event::Heard(word)))
        } else {
            Channel::none()
        };
        let woken = events.clone();
        wake::listen(move || woken.post(Event::Woke));
        update(Update::Storage(storage));
        let mut driver = Self {
            events: events.clone(),
            db: Rc::new(db),
            options,
            update,
            tabs: Tabs::new(clock::random_u64(), locks),
            channel,
            lock: None,
            locks: 0,
            client: None,
            run: SessionId::NIL,
            loaded: None,
            snapshot: None,
            socket: None,
            sockets: 0,
            holding: Holding::default(),
            timer: None,
        };
        driver.tabs(tabs::Input::Start);
        events.drive(driver);
    }

    /// Takes one event.
    pub(super) fn take(&mut self, event: Event) {
        match event {
            Event::Emit { event, drafted } => self.emit(event, drafted),
            Event::Command(command) => self.tabs(tabs::Input::Command(command)),
            Event::Introduce(name) => self.introduce(name),
            Event::Draft(room, text) => self.draft(room, text),
            Event::Added { events, result } => self.added(events, result),
            Event::Introduced { name, result } => self.introduced(name, result),
            Event::Socket(number, event) if number == self.sockets => self.socket(event),
            Event::Client(run, input) if run == self.run => self.client(input),
            Event::Committed { run, token, result } if run == self.run => {
                self.committed(token, result);
            }
            Event::Socket(..) | Event::Client(..) | Event::Committed { .. } => {} // Of old ones.
            Event::Content { result, mended } => self.content(*result, mended),
            Event::Fetched { asked, result } => self.tabs(match result {
                Ok(rows) => tabs::Input::Fetched { asked, rows },
                Err(_) => tabs::Input::NotFetched(asked),
            }),
            Event::Swept(result) => {
                self.tabs(result.map_or(tabs::Input::NotSwept, tabs::Input::Swept));
            }
            Event::Granted(number, lock) if number == self.locks => {
                self.lock = Some(lock);
                self.tabs(tabs::Input::Granted);
            }
            Event::Stolen(number) if number == self.locks => self.tabs(tabs::Input::Fenced),
            Event::Granted(..) | Event::Stolen(_) => {} // An old lock is given back by its drop.
            Event::Heard(word) => self.tabs(tabs::Input::Heard(word)),
            Event::Woke => self.tabs(tabs::Input::Woke),
            Event::Gone => {
                self.tabs(tabs::Input::Failed);
                self.tabs(tabs::Input::Woke);
            }
            Event::Tick => {
                self.client(Input::Tick);
                self.tabs(tabs::Input::Tick);
            }
        }
    }

    /// Sets the timer to the machines' next deadline.
    pub(super) fn set_timer(&mut self) {
        let client = self.client.as_ref().and_then(Client::deadline);
        let due = [client, self.tabs.deadline()].into_iter().flatten().min();
        // A timer that has fired is of the past, and set anew.
        let now = clock::now();
        if self.timer.as_ref().map(|(at, _)| *at) == due && due.is_none_or(|due| due > now) {
            return;
        }
        let events = &self.events;
        self.timer = due.map(|due| {
            let events = events.clone();
            (due, Timer::at(now, due, move || events.post(Event::Tick)))
        });
    }

    /// Tells the view.
    pub(super) fn tell(&mut self, update: Update) {
        self.db.kept.borrow_mut().follow(&update);
        (self.update)(update);
    }

    /// The database failed before there was a client to say so.
    pub(super) fn tell_storage_failed(&mut self, why: NotWritten) {
        let full = why == NotWritten::Full;
        self.tell(Update::Show(Show::Link(Link::Blocked { why: None, storage: true, full })));
    }

    fn socket(&mut self, event: SocketEvent) {
        self.client(match event {
            SocketEvent::Opened => Input::Opened,
            SocketEvent::Text(text) => Input::Frame(text),
            SocketEvent::Closed { code } => Input::Closed { code },
        });
    }

    /// Reads the database. A tab that is about to lead fences who led before with it, and mends a
    /// damaged one.
    pub(super) fn load(&mut self) {
        let (db, events) = (self.db.clone(), self.events.clone());
        let takes = self.tabs.takes();
        spawn_local(async move {
            let mut mended = None;
            let mut fences = takes;
            let result = loop {
                let result = db.content(fences).await;
                if matches!(result, Err(NotWritten::Full)) && std::mem::take(&mut fences) {
                    continue; // It can be read all the same; its client will hear of it.
                }
                let Ok(content) = &result else { break result };
                let damage = content.damage.as_ref().filter(|_| takes && mended.is_none());
                let Some(damage) = damage else { break result };
                mended = Some(damage.what.clone());
                let (ms, random) = clock::id_parts();
                let writer = holdfast_common::id::WriterId::new(ms, &random);
                if let Err(why) = db.mend(content, writer).await {
                    break Err(why);
                }
            };
            let result = Box::new(result);
            events.post(Event::Content { result, mended });
        });
    }

    fn content(&mut self, result: Result<Content, NotWritten>, mended: Option<String>) {
        let Ok(mut content) = result else {
            return self.tabs(tabs::Input::NotLoaded);
        };
        if let Some(what) = mended {
            self.tell(Update::Storage(StorageKind::Mended { what }));
        }
        let last = content.last;
        let keys = content.loaded.rows.iter().map(|row| row.key).collect();
        let (ms, random) = clock::id_parts();
        self.snapshot = snapshot(&mut content);
        self.loaded = Some(content.loaded);
        self.tabs(tabs::Input::Loaded {
            last,
            keys,
            ready: self.snapshot.is_some(),
            run: SessionId::new(ms, &random),
        });
    }
}

/// What a client starts from, once there is a principal.
pub(super) fn snapshot(content: &mut Content) -> Option<Snapshot> {
    let cursors = content.loaded.held.iter();
    let cursors = cursors.filter_map(|held| Some((held.room, held.cursor?)));
    Some(Snapshot {
        principal: content.loaded.principal.clone()?,
        writer: content.writer?,
        generation: content.generation,
        rows: content.loaded.rows.clone(),
        lanes: std::mem::take(&mut content.lanes),
        cursors: cursors.collect(),
        latest: std::mem::take(&mut content.latest),
    })
}
