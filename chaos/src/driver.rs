//! A real client: the machine that runs in the page, over a real WebSocket, on the model of its
//! database.
//!
//! It is driven as `common/src/client.rs` says. A batch takes a moment to be committed, as on a disk,
//! and a client that is dropped in the middle forgets the batch, the socket and all it had in
//! memory: the next one starts from the database.

pub(crate) mod socket;
mod writing;

pub(crate) use writing::{BEHIND, Style};

use crate::{
    chance::Chance,
    clock::{self, millis},
    ledger::Ledger,
};
use holdfast_common::{
    client::{Batch, Client, Command, Input, Link, Output, Show, Write},
    codec,
    cursor::Cursor,
    error::Kind,
    frame::{SUBPROTOCOL, ServerFrame},
    id::{RoomId, SessionId, WriterId},
    proof::Database,
};
use socket::Socket;
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
};
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, sleep_until},
};

/// What a scenario tells a client to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// Make a room of that name, with some messages behind it.
    Create(RoomId, String),
    /// Become a member.
    Join(RoomId),
    /// Write in these rooms, so many events more.
    Write(Vec<RoomId>, u64, Style),
    /// Take one of the own messages back.
    Delete,
    /// Die, and start again from the database.
    Restart,
    /// End, and hand over the database.
    Stop,
}

/// How a client stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Status {
    /// Rows of the outbox and the shelf.
    pub(crate) rows: usize,
    /// Events that are still to be emitted.
    pub(crate) to_write: u64,
    pub(crate) cursors: BTreeMap<RoomId, Cursor>,
    pub(crate) online: bool,
}

/// A client as a scenario holds it.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(crate) n: u8,
    orders: mpsc::UnboundedSender<Order>,
    status: watch::Receiver<Status>,
    task: JoinHandle<Database>,
}

impl Handle {
    pub(crate) fn tell(&self, order: Order) {
        // One that has ended by a panic is found out when it is to hand over its database.
        let _ = self.orders.send(order);
    }

    pub(crate) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Ends it.
    pub(crate) async fn stop(self) -> crate::Outcome<Database> {
        self.tell(Order::Stop);
        Ok(self.task.await?)
    }
}

pub(crate) struct Driver {
    n: u8,
    address: SocketAddr,
    client: Client,
    database: Database,
    /// Not committed yet, and when it will be.
    batch: Option<(Instant, Batch)>,
    socket: Option<Socket>,
    opening: Option<JoinHandle<Option<Socket>>>,
    /// Somebody looks at the page: it connects before its wait is over.
    wakes: Option<Instant>,
    online: bool,
    chance: Chance,
    ledger: Ledger,
    writing: writing::Writing,
    status: watch::Sender<Status>,
}

/// Starts the `n`th client.
pub(crate) fn start(n: u8, address: SocketAddr, seed: u64, ledger: Ledger) -> Handle {
    let mut chance = Chance::new(seed, "client", u64::from(n));
    let database = Database::new(n);
    let client = fresh(&database, &mut chance);
    let (orders, told) = mpsc::unbounded_channel();
    let (status, seen) = watch::channel(Status::default());
    let driver = Driver {
        n,
        address,
        client,
        database,
        batch: None,
        socket: None,
        opening: None,
        wakes: None,
        online: false,
        chance,
        ledger,
        writing: writing::Writing::default(),
        status,
    };
    Handle { n, orders, status: seen, task: tokio::spawn(driver.run(told)) }
}

fn fresh(database: &Database, chance: &mut Chance) -> Client {
    let session = SessionId::from_bytes(chance.bytes());
    Client::new(database.snapshot(), session, chance.any())
}

impl Driver {
    async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) -> Database {
        self.feed(Input::Start);
        loop {
            self.write_on();
            self.tell();
            let due = self.due();
            tokio::select! {
                order = orders.recv() => match order {
                    None | Some(Order::Stop) => return self.database,
                    Some(order) => self.obey(order),
                },
                opened = opened(&mut self.opening) => {
                    self.opening = None;
                    self.socket = opened;
                    let open = self.socket.is_some();
                    self.feed(if open { Input::Opened } else { Input::Closed { code: 0 } });
                }
                came = socket::next(&mut self.socket) => self.came(came),
                () = sleep_until(due) => self.time_has_come(),
            }
        }
    }

    /// When something is to be done by itself.
    fn due(&self) -> Instant {
        let tick = self.client.deadline().map(|at| {
            let wait = at.0.saturating_sub(clock::steady().0);
            Instant::now() + millis(wait)
        });
        let batch = self.batch.as_ref().map(|(at, _)| *at);
        let all = [tick, batch, self.wakes];
        all.into_iter().flatten().min().unwrap_or_else(|| Instant::now() + millis(1_000))
    }

    fn time_has_come(&mut self) {
        let now = Instant::now();
        if self.batch.as_ref().is_some_and(|(at, _)| *at <= now) {
            self.commit();
        }
        if self.wakes.is_some_and(|at| at <= now) {
            self.wakes = None;
            self.feed(Input::Woke);
        }
        self.feed(Input::Tick);
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Create(room, name) => self.create(room, &name),
            Order::Join(room) => self.feed(Input::Command(Command::Join { room })),
            Order::Write(rooms, more, style) => self.writing.more(rooms, more, style),
            Order::Delete => self.delete(),
            Order::Restart => {
                self.batch = None;
                self.socket = None;
                self.opening = None;
                self.wakes = None;
                self.online = false;
                self.client = fresh(&self.database, &mut self.chance);
                self.feed(Input::Start);
            }
            Order::Stop => {}
        }
    }

    fn came(&mut self, came: socket::Came) {
        match came {
            socket::Came::Text(text) => {
                if text.starts_with("{\"ack\"")
                    && let Ok(Some(ServerFrame::Ack(ack))) = codec::read_server(&text)
                {
                    self.ledger.acked(&ack);
                }
                self.feed(Input::Frame(text));
            }
            socket::Came::End(code) => {
                self.socket = None;
                self.feed(Input::Closed { code });
            }
        }
    }

    fn feed(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.client.handle(clock::steady(), input) {
                self.carry_out(output, &mut inputs);
            }
        }
    }

    fn carry_out(&mut self, output: Output, inputs: &mut VecDeque<Input>) {
        match output {
            Output::Connect => {
                self.socket = None;
                self.opening = Some(tokio::spawn(socket::open(self.address, SUBPROTOCOL)));
            }
            Output::Send(text) => {
                if let Some(socket) = &self.socket {
                    socket.send(text);
                }
            }
            Output::Close(code) => {
                if let Some(socket) = self.socket.take() {
                    socket.close(code);
                }
                self.opening = None;
            }
            Output::Write(batch) => {
                let wait = if self.chance.percent(50) { 0 } else { self.chance.between(1, 4) };
                self.batch = Some((Instant::now() + millis(wait), batch));
            }
            Output::WantWriter => {
                self.ledger.violation(format!("I2: client {} was fenced", self.n));
                inputs.push_back(Input::NewWriter(WriterId::from_bytes(self.chance.bytes())));
            }
            Output::Show(show) => self.show(&show),
        }
    }

    fn show(&mut self, show: &Show) {
        match show {
            Show::Link(link) => {
                self.online = *link == Link::Online;
                self.ledger.say(&format!("client {} is {link:?}", self.n));
                match link {
                    Link::Offline { .. } => {
                        let wait = millis(self.chance.between(0, 300));
                        self.wakes = Some(Instant::now() + wait);
                    }
                    Link::Blocked { .. } => {
                        self.ledger.violation(format!("I6: client {} is {link:?}", self.n));
                    }
                    _ => {}
                }
            }
            Show::Lost(room) => {
                let text = format!("I1: client {} is told of a loss in {room}", self.n);
                self.ledger.violation(text);
            }
            // No answer, by the protocol: whoever wishes it asks again.
            Show::Refused { code, .. } if code.kind() == Kind::RetryAfter => {
                self.ledger.say(&format!("client {} is to ask again: {code:?}", self.n));
            }
            Show::Refused { room, code, detail } => {
                let n = self.n;
                let text = format!("I10: client {n} is refused in {room}: {code:?}, {detail}");
                self.ledger.violation(text);
            }
            _ => {}
        }
    }

    /// An inbox is its person's alone: nobody else can compare what they have read.
    fn is_inbox(&self, room: RoomId, batch: &Batch) -> bool {
        let told = batch
            .writes
            .iter()
            .any(|write| matches!(write, Write::Room(info) if info.room == room && info.inbox));
        told || self.database.rooms.get(&room).is_some_and(|info| info.inbox)
    }

    /// The batch reaches the disk.
    fn commit(&mut self) {
        let Some((_, batch)) = self.batch.take() else { return };
        let token = batch.token;
        for write in &batch.writes {
            if let Write::Entries { room, entries, cursor, .. } = write
                && !self.is_inbox(*room, &batch)
            {
                self.ledger.read(*room, cursor.epoch, entries);
            }
        }
        let committed = self.database.commit(batch);
        if let Err(error) = &committed {
            self.ledger.violation(format!("I6: client {}: {error}", self.n));
        }
        self.feed(Input::Written { token, result: committed.as_ref().map(drop).map_err(|it| *it) });
        for row in committed.into_iter().flatten() {
            self.feed(Input::Added(row));
        }
    }

    fn tell(&mut self) {
        let status = Status {
            rows: self.database.rows.len(),
            to_write: self.writing.left(),
            cursors: self.database.cursors.clone(),
            online: self.online,
        };
        self.status.send_replace(status);
    }
}

async fn opened(opening: &mut Option<JoinHandle<Option<Socket>>>) -> Option<Socket> {
    match opening {
        None => std::future::pending().await,
        Some(task) => task.await.ok().flatten(),
    }
}
