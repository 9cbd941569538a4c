//! Carrying out what the client puts out: socket, transactions, shows.

use super::{
    clock,
    db::Committed,
    driver::Driver,
    events::Event,
    socket::{Socket, SocketEvent},
};
use holdfast_common::{
    client::{Batch, Client, Command, Input, NotWritten, Output},
    frame::SUBPROTOCOL,
    id::{SessionId, WriterId},
    tabs,
};
use wasm_bindgen_futures::spawn_local;

impl Driver {
    /// Makes a client of what was just read, in place of the one there was.
    pub(super) fn lead(&mut self, run: SessionId) {
        self.give_up_client();
        self.run = run;
        let Some(snapshot) = self.snapshot.take() else {
            return; // Nobody has given a name yet.
        };
        let (db, cursors) = (self.db.clone(), snapshot.cursors.clone());
        // What is too old may as well go the next time.
        spawn_local(async move {
            let _ = db.trim(&cursors).await;
        });
        self.client = Some(Client::new(snapshot, run, clock::random_u64()));
        self.client(Input::Start);
    }

    pub(super) fn give_up_client(&mut self) {
        self.client = None;
        self.run = SessionId::NIL;
        self.socket = None;
        self.sockets += 1;
    }

    /// Feeds the client and carries out what it says.
    pub(super) fn client(&mut self, input: Input) {
        let Some(client) = &mut self.client else {
            return;
        };
        for output in client.handle(clock::now(), input) {
            self.carry_out(output);
        }
    }

    /// Feeds the client a command of this tab's view or another's.
    pub(super) fn command(&mut self, mut command: Command) {
        if let (Command::Resend { id, ids }, Some(client)) = (&mut command, &self.client) {
            // A new id for each event that goes along; only the client knows which.
            *ids = client.shelf(*id).iter().map(|_| clock::event_id()).collect();
        }
        self.client(Input::Command(command));
        self.tabs(tabs::Input::Fed);
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Connect => self.connect(),
            Output::Send(text) => {
                if let Some(socket) = &self.socket {
                    socket.send(text);
                }
            }
            Output::Close(code) => {
                self.sockets += 1;
                if let Some(socket) = self.socket.take() {
                    socket.close(code);
                }
            }
            Output::Write(batch) => self.write(batch),
            Output::WantWriter => {
                let (ms, random) = clock::id_parts();
                let input = Input::NewWriter(WriterId::new(ms, &random));
                self.events.post(Event::Client(self.run, input));
            }
            Output::Show(show) => self.tabs(tabs::Input::Show(show)),
        }
    }

    fn connect(&mut self) {
        self.sockets += 1;
        let number = self.sockets;
        let url = self.options.url.clone().or_else(own_url);
        let events = self.events.clone();
        let heard = move |event| events.post(Event::Socket(number, event));
        self.socket = url.and_then(|url| Socket::open(&url, SUBPROTOCOL, heard));
        if self.socket.is_none() {
            let closed = SocketEvent::Closed { code: 0 };
            self.events.post(Event::Socket(number, closed));
        }
    }

    fn write(&mut self, batch: Batch) {
        let (db, events, run) = (self.db.clone(), self.events.clone(), self.run);
        let token = batch.token;
        self.tabs(tabs::Input::Issued(token));
        spawn_local(async move {
            let result = db.commit(run, batch).await;
            events.post(Event::Committed { run, token, result });
        });
    }

    /// A batch has ended. The view and the other tabs take it before the client goes on from it.
    pub(super) fn committed(&mut self, token: u64, result: Result<Committed, NotWritten>) {
        match result {
            Ok(Committed { writes, added }) => {
                self.tabs(tabs::Input::Committed { token, writes });
                let result = Ok(());
                self.client(Input::Written { token, result });
                for row in added {
                    self.client(Input::Added(row));
                }
                self.tabs(tabs::Input::Fed);
            }
            Err(why) => {
                let result = Err(why);
                self.client(Input::Written { token, result });
                self.tabs(match why {
                    NotWritten::Fenced => tabs::Input::Fenced,
                    NotWritten::Full | NotWritten::Failed => tabs::Input::Failed,
                });
            }
        }
    }
}

/// `/ws` on the page's own host.
pub(super) fn own_url() -> Option<String> {
    let location = clock::window().location();
    let secure = location.protocol().ok()? == "https:";
    let scheme = if secure { "wss" } else { "ws" };
    // `trunk serve` has a page of its own at this port, and its proxy answers a handshake without
    // the subprotocol, which a browser takes for a failure: such a page goes to the server itself.
    if cfg!(debug_assertions) && location.port().ok()? == "8080" {
        return Some(format!("{scheme}://{}:3000/ws", location.hostname().ok()?));
    }
    Some(format!("{scheme}://{}/ws", location.host().ok()?))
}
