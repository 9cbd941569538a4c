//! What a scenario plays on: a server on a data folder, a line, clients behind it, the ledger.

use crate::{
    Outcome, Play,
    chance::Chance,
    checks,
    clock::millis,
    driver::{self, BEHIND, Handle, Order, Style},
    ledger::Ledger,
    line::Line,
    log::{self, Log, Logs},
    server::{Server, Start},
    service::Service,
    trace::Trace,
};
use holdfast_common::{chat, frame::Entry, id::RoomId};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// Those of the clients that write; the others only read.
const WRITERS: usize = 4;
const CLIENTS: u8 = 6;
/// Of so many events one is posted by a service.
const SERVICE: u64 = 20;
/// Rooms beside the lobby.
const ROOMS: usize = 2;
/// How long nothing may happen where something has to.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Stage {
    seed: u64,
    pub(crate) chance: Chance,
    pub(crate) start: Start,
    /// Absent while a scenario has it down.
    pub(crate) server: Option<Server>,
    pub(crate) line: Line,
    pub(crate) clients: Vec<Handle>,
    /// There as soon as there are rooms.
    service: Option<Service>,
    pub(crate) ledger: Ledger,
    pub(crate) trace: Trace,
    /// What has been read of the logs by HTTP, since the beginning.
    pub(crate) logs: Logs,
    /// How lines of the server's log begin that a scenario provokes.
    pub(crate) expected: Vec<&'static str>,
    /// Acks that had come when writing was last ordered.
    before: u64,
    /// How many acks are known to stand where they should.
    checked: usize,
}

impl Stage {
    /// Everyone is in every room, and has read it.
    pub(crate) async fn set(
        play: &Play,
        trace: &Trace,
        under: Vec<(&'static str, PathBuf)>,
    ) -> Outcome<Self> {
        let data = play.data();
        fs::create_dir_all(&data)?;
        let log = play.folder.join("server.log");
        let mut start = Start { program: play.program.clone(), data, log, port: 0, under };
        let server = Server::start(&start).await?;
        start.port = server.address.port();
        let ledger = Ledger::new(trace.clone());
        let line = Line::start(server.address, play.seed, trace.clone()).await?;
        let clients = (1..=CLIENTS)
            .map(|n| driver::start(n, line.address, play.seed, ledger.clone()))
            .collect();
        let mut stage = Self {
            seed: play.seed,
            chance: Chance::new(play.seed, play.scenario, 0),
            start,
            server: Some(server),
            line,
            clients,
            service: None,
            ledger,
            trace: trace.clone(),
            logs: Logs::new(),
            expected: Vec::new(),
            before: 0,
            checked: 0,
        };
        stage.settle().await?;
        Ok(stage)
    }

    /// Makes the rooms and waits until everyone is there.
    async fn settle(&mut self) -> Outcome<()> {
        let mut names = Vec::new();
        for n in 0..ROOMS {
            let room = RoomId::from_bytes(self.chance.bytes());
            let name = format!("room-{n}");
            self.clients[n].tell(Order::Create(room, name.clone()));
            names.push((room, name));
        }
        self.until("the rooms are made", |stage| stage.ledger.acks() == ROOMS * (1 + BEHIND))
            .await?;
        for (room, _) in &names {
            self.clients.iter().for_each(|client| client.tell(Order::Join(*room)));
        }
        let in_all = |stage: &Self| {
            let mut clients = stage.clients.iter();
            clients.all(|client| client.status().cursors.len() == ROOMS + 1)
        };
        self.until("everyone is in every room", in_all).await?;
        let known = self.clients[0].status().cursors;
        let lobby = known.keys().find(|room| !names.iter().any(|(it, _)| it == *room));
        names.push((*lobby.ok_or("there is no lobby")?, chat::LOBBY.to_owned()));
        self.logs = names.iter().map(|(room, name)| (*room, Log::new(name))).collect();
        let (address, ledger) = (self.line.address, self.ledger.clone());
        self.service = Some(Service::start(address, names, self.seed, ledger));
        self.trace.say("everyone is in every room");
        self.read_on().await.map(drop)
    }

    pub(crate) fn server(&self) -> Outcome<&Server> {
        Ok(self.server.as_ref().ok_or("the server is down")?)
    }

    /// Has the writers emit so many events more.
    pub(crate) fn write(&mut self, events: u64) {
        self.write_as(Style::Usual, events);
    }

    pub(crate) fn write_as(&mut self, style: Style, events: u64) {
        self.join();
        let everywhere = |room: &RoomId| {
            self.clients.iter().all(|client| client.status().cursors.contains_key(room))
        };
        let rooms: Vec<RoomId> = self.logs.keys().copied().filter(everywhere).collect();
        self.before = self.ledger.acks() as u64;
        let posts = events / SERVICE;
        self.service.iter().for_each(|service| service.post(posts));
        let (events, of) = (events - posts, WRITERS as u64);
        let writers = &self.clients[..WRITERS];
        for (n, client) in (0..).zip(writers) {
            let share = events / of + u64::from(n < events % of);
            client.tell(Order::Write(rooms.clone(), share, style));
        }
    }

    /// One of the writers makes a room and writes in it, whatever the server is doing.
    pub(crate) fn make_a_room(&mut self) {
        let room = RoomId::from_bytes(self.chance.bytes());
        let name = format!("room-{}", self.logs.len() - 1);
        let client = self.chance.index(WRITERS);
        self.clients[client].tell(Order::Create(room, name.clone()));
        self.logs.insert(room, Log::new(&name));
        self.trace.count("rooms made", 1);
    }

    /// Whoever is not in a room by now that somebody has read wants to be. One who has died in
    /// between has forgotten that.
    fn join(&self) {
        let standing: Vec<_> = self.clients.iter().map(Handle::status).collect();
        for room in self.logs.keys() {
            if !standing.iter().any(|client| client.cursors.contains_key(room)) {
                continue;
            }
            for (client, standing) in self.clients.iter().zip(&standing) {
                if !standing.cursors.contains_key(room) {
                    client.tell(Order::Join(*room));
                }
            }
        }
    }

    /// Has the writers take something back: within a second the server writes its log back to the
    /// database and empties it.
    pub(crate) fn delete(&self) {
        self.clients[..WRITERS].iter().for_each(|client| client.tell(Order::Delete));
    }

    /// One client dies and starts again.
    pub(crate) fn restart_a_client(&mut self) {
        let client = self.chance.index(self.clients.len());
        self.trace.fault("client restarts", &format!("client {}", client + 1));
        self.clients[client].tell(Order::Restart);
    }

    /// Waits until the condition holds, for as long as acks or entries still come.
    pub(crate) async fn until(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&Self) -> bool,
    ) -> Outcome<()> {
        let (mut moved, mut seen) = (Instant::now(), (0, 0));
        while !holds(self) {
            self.unbroken()?;
            let now = (self.ledger.acks(), self.ledger.book().read.len());
            if now != seen {
                (moved, seen) = (Instant::now(), now);
            }
            if moved.elapsed() > PATIENCE {
                let text = format!("I6: nothing comes any more, and not yet: {what}");
                return Err(text.into());
            }
            tokio::time::sleep(millis(5)).await;
        }
        self.unbroken()
    }

    /// Waits for so many acks since writing was last ordered. So many come, if they are not more than
    /// was ordered.
    pub(crate) async fn acks(&mut self, count: u64) -> Outcome<()> {
        let enough = self.before + count;
        self.until("acks", |stage| stage.ledger.acks() as u64 >= enough).await
    }

    /// Fails if something that must always hold has not.
    pub(crate) fn unbroken(&self) -> Outcome<()> {
        let violations = self.ledger.violations();
        if violations.is_empty() { Ok(()) } else { Err(violations.join("\n").into()) }
    }

    /// Starts the server again, on the port it had, and lets the clients come back once the log has
    /// been looked at. Returns how many events stand in it whose ack had not come.
    pub(crate) async fn start_again(&mut self) -> Outcome<u64> {
        let server = Server::start(&self.start).await?;
        let address = server.address;
        self.server = Some(server);
        let unacked = self.read_on().await?;
        self.line.open(address);
        Ok(unacked)
    }

    /// Reads the logs on and compares them with every ack so far.
    pub(crate) async fn read_on(&mut self) -> Outcome<u64> {
        // The acks first: what is acked by now has to be in what is read now.
        let acks = self.ledger.book().acks[self.checked..].to_vec();
        let address = self.server()?.address;
        let mut new: Vec<Entry> = Vec::new();
        for log in self.logs.values_mut() {
            let before = log.entries.len();
            log.read_on(address).await?;
            new.extend_from_slice(&log.entries[before..]);
        }
        for ack in &acks {
            let log = self.logs.get(&ack.room).ok_or("an ack of another room")?;
            let at = usize::try_from(ack.offset)?;
            let stands = at.checked_sub(1).and_then(|at| log.entries.get(at));
            if log.epoch != Some(ack.epoch) || stands.is_none_or(|entry| entry.id != ack.id) {
                return Err(format!("I1: {ack:?} was acked and is not there").into());
            }
        }
        self.checked += acks.len();
        let book = self.ledger.book();
        checks::as_emitted(&new, &book, "a log")?;
        let known = |entry: &&Entry| book.emitted.contains_key(&entry.id);
        let unacked = new.iter().filter(known).filter(|entry| !book.is_acked(entry.id));
        Ok(unacked.count() as u64)
    }

    /// Waits until everything is written, acked and read by everyone.
    pub(crate) async fn drain(&mut self) -> Outcome<()> {
        let written = |stage: &Self| {
            let mut clients = stage.clients.iter().map(Handle::status);
            clients.all(|client| client.to_write == 0 && client.rows == 0)
                && stage.service.iter().all(|service| service.left() == 0)
        };
        self.until("all outboxes are empty", written).await?;
        self.read_on().await?;
        self.join();
        let read = |stage: &Self| {
            let mut clients = stage.clients.iter().map(Handle::status);
            clients.all(|client| {
                let mut logs = stage.logs.iter();
                logs.all(|(room, log)| client.cursors.get(room).copied() == log.cursor())
            })
        };
        self.until("everyone has read everything", read).await
    }

    /// Every log from its beginning.
    pub(crate) async fn all_logs(&self) -> Outcome<Logs> {
        log::all(&self.logs, self.server()?.address).await
    }

    /// Fails if a kind of fault has not happened.
    pub(crate) fn have_happened(&self, kinds: &[&str]) -> Outcome<()> {
        match kinds.iter().find(|kind| self.trace.counted(kind) == 0) {
            None => Ok(()),
            Some(kind) => Err(format!("there was no {kind}: nothing is proved about it").into()),
        }
    }
}
