//! What waits for the driver: one queue, one event at a time, in order.

use super::{
    db::{Committed, Content},
    driver::Driver,
    lock::Lock,
    socket::SocketEvent,
};
use holdfast_common::{
    client::{Command, Held, Input, Key, NotWritten, Row},
    id::{RoomId, SessionId},
    tabs::Word,
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};
use wasm_bindgen_futures::spawn_local;

/// Something that happened.
pub(super) enum Event {
    /// The view wants an event held, which may have been made of the room's draft.
    Emit { event: Held, drafted: bool },
    /// The view wants something.
    Command(Command),
    /// The person has given a name.
    Introduce(String),
    /// A text was begun.
    Draft(RoomId, String),
    /// Rows were added by this tab, or could not be.
    Added { events: Vec<Held>, result: Result<Vec<Row>, NotWritten> },
    /// The database has a principal: a new one, or one that was there before.
    Introduced { name: String, result: Result<bool, NotWritten> },
    /// A socket did something; its number tells an old one.
    Socket(u64, SocketEvent),
    /// Something for the client of this run.
    Client(SessionId, Input),
    /// A batch of the client of this run is committed, or could not be.
    Committed { run: SessionId, token: u64, result: Result<Committed, NotWritten> },
    /// The database was read.
    Content {
        result: Box<Result<Content, NotWritten>>,
        /// What was missing and has been made good.
        mended: Option<String>,
    },
    /// Rows were looked at.
    Fetched { asked: Vec<Key>, result: Result<Vec<Row>, NotWritten> },
    /// The outbox's keys were read.
    Swept(Result<Vec<Key>, NotWritten>),
    /// The lock is this tab's; the number tells an old request.
    Granted(u64, Lock),
    /// Another tab has taken the lock.
    Stolen(u64),
    /// Another tab said something.
    Heard(Word),
    /// The page came to the foreground, or the network changed.
    Woke,
    /// The database was deleted, or the browser has closed it.
    Gone,
    /// A deadline has come.
    Tick,
}

/// The queue and the driver behind it. It holds what has happened since the driver ran last, which
/// takes all of it and waits for nothing; what the client makes of it has a bound of its own.
#[derive(Default)]
pub(super) struct Events {
    waiting: RefCell<VecDeque<Event>>,
    driver: RefCell<Option<Driver>>,
    scheduled: Cell<bool>,
}

impl Events {
    /// The driver is ready: what has waited for it is taken now.
    pub(super) fn drive(self: &Rc<Self>, driver: Driver) {
        self.driver.replace(Some(driver));
        self.schedule();
    }

    /// Puts an event behind those that wait. It is taken soon, and never within this call: the
    /// caller may be the view, in the middle of an update.
    pub(super) fn post(self: &Rc<Self>, event: Event) {
        self.waiting.borrow_mut().push_back(event);
        self.schedule();
    }

    fn schedule(self: &Rc<Self>) {
        if !self.scheduled.replace(true) {
            let events = self.clone();
            spawn_local(async move {
                events.scheduled.set(false);
                events.take();
            });
        }
    }

    fn take(&self) {
        let mut driver = self.driver.borrow_mut();
        let Some(driver) = driver.as_mut() else {
            return;
        };
        loop {
            // Taken before it is handled: handling may post.
            let next = self.waiting.borrow_mut().pop_front();
            let Some(event) = next else { break };
            driver.take(event);
        }
        driver.set_timer();
    }
}
