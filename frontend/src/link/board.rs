//! The driver of a board's machine: its socket, its timer and what is kept of it in the browser.

mod keep;

use super::{
    clock::{self, Timer},
    db::Person,
    leading::own_url,
    socket::{Socket, SocketEvent},
    wake,
};
use crate::board::{Input, Machine, Output, Wish, machine::Words, place::Place};
use holdfast_common::{client::Principal, frame::work::SUBPROTOCOL, id::JobId, time::Instant};
use keep::Shelves;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// What is said where the browser has no room.
const NOT_KEPT: &str = "This browser has no more room: what waits here is lost if the page is closed before it is sent.";

/// What the view is told.
#[derive(Debug)]
pub enum BoardUpdate {
    /// The browser's database has been read.
    Read,
    /// The machine says something else now.
    Changed,
    /// This is to be read out.
    Say(String),
    /// This person has this job now.
    Taken(JobId),
}

/// The link of a board. Its copies are the same one. It lives as long as the page.
#[derive(Clone)]
pub struct BoardLink(Rc<Inner>);

struct Inner {
    machine: RefCell<Machine>,
    shelves: Shelves,
    db: RefCell<Option<Rc<Person>>>,
    socket: RefCell<Option<Socket>>,
    /// How many sockets there were: the number of the present one.
    sockets: RefCell<u64>,
    timer: RefCell<Option<(Instant, Timer)>>,
    update: Box<dyn Fn(BoardUpdate)>,
}

impl BoardLink {
    /// Reads who sits here, and connects once that is known. What is to be shown comes through
    /// `update`; what it is, [`read`](Self::read) says.
    pub fn start(ns: String, queue: String, update: impl Fn(BoardUpdate) + 'static) -> Self {
        let shelves = Shelves::open();
        let kept: Words = shelves.read();
        let machine = Machine::new(ns, queue, kept, clock::random_u64());
        let link = Self(Rc::new(Inner {
            machine: RefCell::new(machine),
            shelves,
            db: RefCell::default(),
            socket: RefCell::default(),
            sockets: RefCell::default(),
            timer: RefCell::default(),
            update: Box::new(update),
        }));
        let woken = link.clone();
        wake::listen(move || woken.feed(Input::Woke));
        let opening = link.clone();
        spawn_local(async move {
            let db = Rc::new(Person::open().await);
            opening.0.db.replace(Some(db.clone()));
            opening.known(db.read().await);
        });
        link
    }

    /// Gives the person a name, and with it an id and a secret.
    pub fn introduce(&self, name: String) {
        let Some(db) = self.0.db.borrow().clone() else { return };
        let link = self.clone();
        spawn_local(async move {
            // Somebody whose name is not kept can work all the same, until the page is closed.
            let principal = db.introduce(name).await.unwrap_or_else(|principal| principal);
            link.known(Some(principal));
        });
    }

    /// Asks for something.
    pub fn wish(&self, wish: Wish) {
        self.feed(Input::Wish(wish));
    }

    /// Does not wait for the next attempt to connect.
    pub fn retry_now(&self) {
        self.feed(Input::Retry);
    }

    /// What there is to show.
    pub fn read<T>(&self, read: impl FnOnce(&Machine) -> T) -> T {
        read(&self.0.machine.borrow())
    }

    /// A new job's id.
    #[must_use]
    pub fn new_id() -> JobId {
        let (ms, random) = clock::id_parts();
        JobId::new(ms, &random)
    }

    fn known(&self, principal: Option<Principal>) {
        if let Some(principal) = principal {
            self.feed(Input::Start(principal));
        }
        (self.0.update)(BoardUpdate::Read);
    }

    fn feed(&self, input: Input) {
        let outputs = self.0.machine.borrow_mut().handle(clock::now(), input);
        let mut told = Vec::new();
        for output in outputs {
            match output {
                Output::Connect => self.connect(),
                Output::Send(text) => {
                    if let Some(socket) = &*self.0.socket.borrow() {
                        socket.send(text);
                    }
                }
                Output::Close(code) => {
                    if let Some(socket) = self.0.socket.take() {
                        socket.close(code);
                    }
                }
                Output::Keep(shelf, job, text) => {
                    if !self.0.shelves.put(shelf, job, &text) {
                        self.0.machine.borrow_mut().notice = Some(NOT_KEPT.to_owned());
                    }
                }
                Output::Drop(shelf, job) => self.0.shelves.remove(shelf, job),
                Output::Say(words) => told.push(BoardUpdate::Say(words)),
                Output::Taken(job) => told.push(BoardUpdate::Taken(job)),
            }
        }
        self.set_timer();
        (self.0.update)(BoardUpdate::Changed);
        told.into_iter().for_each(|update| (self.0.update)(update));
    }

    fn connect(&self) {
        let number = {
            let mut sockets = self.0.sockets.borrow_mut();
            *sockets += 1;
            *sockets
        };
        let link = self.clone();
        let heard = move |event| link.heard(number, event);
        let socket = own_url().and_then(|url| Socket::open(&url, SUBPROTOCOL, heard));
        self.0.socket.replace(socket);
    }

    fn heard(&self, number: u64, event: SocketEvent) {
        if *self.0.sockets.borrow() != number {
            return; // It is of an old one.
        }
        self.feed(match event {
            SocketEvent::Opened => Input::Opened,
            SocketEvent::Text(text) => Input::Frame(text),
            SocketEvent::Closed { code } => Input::Closed(code),
        });
    }

    fn set_timer(&self) {
        let due = self.0.machine.borrow().deadline();
        let now = clock::now();
        let mut timer = self.0.timer.borrow_mut();
        if timer.as_ref().map(|(at, _)| *at) == due && due.is_none_or(|due| due > now) {
            return;
        }
        *timer = due.map(|due| {
            let link = self.clone();
            // Not within the timer's own call, whose closure the next timer takes the place of.
            let tick = move || {
                let link = link.clone();
                spawn_local(async move { link.feed(Input::Tick) });
            };
            (due, Timer::at(now, due, tick))
        });
    }
}

/// How long the server may take to say it.
const PATIENCE: u32 = 10_000;

/// Reads what the server says at an address of its own.
///
/// # Errors
/// It says nothing for long, or that there is nothing: for a person.
pub async fn get(path: &str) -> Result<String, String> {
    const SILENT: &str = "The server does not answer.";
    let within = web_sys::RequestInit::new();
    within.set_signal(Some(&web_sys::AbortSignal::timeout_with_u32(PATIENCE)));
    let asked = clock::window().fetch_with_str_and_init(path, &within);
    let answer = JsFuture::from(asked).await;
    let answer = answer.map_err(|_| SILENT.to_owned())?;
    let answer: web_sys::Response = answer.unchecked_into();
    let text = answer.text().map_err(|_| SILENT.to_owned())?;
    let text = JsFuture::from(text).await.map_err(|_| SILENT.to_owned())?;
    let text = text.as_string().unwrap_or_default();
    if answer.ok() { Ok(text) } else { Err("The server has no answer to that.".to_owned()) }
}

/// What this page's address names.
#[must_use]
pub fn here() -> Place {
    Place::read(&clock::window().location().pathname().unwrap_or_default())
}
