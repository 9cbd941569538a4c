//! One tab of a browser: the real machines of tabs and client, and the page's driver, one output at a
//! time, so that the tab can die after any of them.

use crate::{
    engine::End,
    profile::{Stored, Tx},
};
use holdfast_common::{
    client::{self, Client, Command, Key, NotWritten, Row, Show, Snapshot, Write},
    frame::Presence,
    id::{PersonId, RoomId, SessionId, WriterId},
    proof::Database,
    tabs::{self, TabId, Tabs, Word},
    time::Instant,
};
use std::collections::{BTreeSet, VecDeque};

/// What a batch has become.
pub type Outcome = Result<(Vec<Write>, Vec<Row>), NotWritten>;

/// What happens to a tab.
#[derive(Debug)]
pub enum Event {
    Content(Box<Stored>),
    Committed { run: SessionId, token: u64, result: Outcome },
    Adding,
    Added(Row),
    NotAdded,
    NotLoaded,
    Fetched { asked: Vec<Key>, rows: Vec<Row> },
    NotFetched(Vec<Key>),
    Swept(Vec<Key>),
    NotSwept,
    Granted(u64),
    Stolen(u64),
    Command(Command),
    NewWriter { run: SessionId, writer: WriterId },
    Socket(End, client::Input),
    Woke,
    Tick,
}

/// What a tab's driver is about to do.
#[derive(Debug)]
pub enum Do {
    Tabs(tabs::Output),
    Client(client::Output),
    FeedTabs(Box<tabs::Input>),
    FeedClient(Box<client::Input>),
}

/// What the driver asks of the world around it.
#[derive(Debug)]
pub enum Ask {
    Say(String),
    WantLock {
        number: u64,
        steal: bool,
    },
    GiveBack,
    Transact(Tx),
    Connect,
    Send(String),
    HangUp,
    WantWriter(SessionId),
    /// It leads from here.
    Leads,
    /// Ids for what is sent anew.
    Resend(Command),
}

pub struct Tab {
    pub id: TabId,
    pub machine: Tabs,
    pub client: Option<Client>,
    run: SessionId,
    seed: u64,
    loaded: Option<Box<Stored>>,
    snapshot: Option<Snapshot>,
    pub socket: Option<End>,
    locks: u64,
    pub events: VecDeque<Event>,
    pub heard: VecDeque<String>,
    doing: VecDeque<Do>,
    /// What a person sees of the database.
    pub view: Option<Database>,
    /// Who is said to be in the lobby.
    pub here: BTreeSet<PersonId>,
    /// The page says that it does not try by itself any more.
    pub blocked: bool,
    /// The browser does not let it run.
    pub frozen: bool,
    /// Its clock is ahead of the others' by so much: it slept, or was told another time.
    pub ahead: u64,
}

impl Tab {
    pub fn new(id: TabId, locks: bool) -> Self {
        let mut doing = VecDeque::new();
        doing.push_back(Do::FeedTabs(Box::new(tabs::Input::Start)));
        Self {
            id,
            machine: Tabs::new(id, locks),
            client: None,
            run: SessionId::NIL,
            seed: id,
            loaded: None,
            snapshot: None,
            socket: None,
            locks: 0,
            events: VecDeque::new(),
            heard: VecDeque::new(),
            doing,
            view: None,
            here: BTreeSet::new(),
            blocked: false,
            frozen: false,
            ahead: 0,
        }
    }

    /// The next time at which one of its machines has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(Client::deadline);
        let due = [client, self.machine.deadline()].into_iter().flatten().min();
        due.filter(|_| !self.frozen).map(|due| Instant(due.0.saturating_sub(self.ahead)))
    }

    pub fn busy(&self) -> bool {
        !self.frozen && !self.doing.is_empty()
    }

    pub fn has_events(&self) -> bool {
        !self.frozen && self.doing.is_empty() && !self.events.is_empty()
    }

    pub fn hears(&self) -> bool {
        !self.frozen && self.doing.is_empty() && !self.heard.is_empty()
    }

    /// Whether frames may be taken from its socket.
    pub fn receives(&self) -> bool {
        !self.frozen && self.doing.is_empty()
    }

    /// Takes one event: what is to be done for it is done later.
    pub fn take(&mut self, run: SessionId) {
        if let Some(event) = self.events.pop_front() {
            self.begin(event, run);
        }
    }

    pub fn hear(&mut self) {
        if let Some(word) = self.heard.pop_front().and_then(|text| Word::read(&text)) {
            self.tabs(tabs::Input::Heard(word));
        }
    }

    fn tabs(&mut self, input: tabs::Input) {
        self.doing.push_back(Do::FeedTabs(Box::new(input)));
    }

    fn client(&mut self, input: client::Input) {
        self.doing.push_back(Do::FeedClient(Box::new(input)));
    }

    fn begin(&mut self, event: Event, run: SessionId) {
        match event {
            Event::Content(stored) => {
                let keys = stored.database.rows.keys().copied().collect();
                let last = stored.last;
                self.snapshot = Some(stored.database.snapshot());
                self.loaded = Some(stored);
                self.tabs(tabs::Input::Loaded { last, keys, ready: true, run });
            }
            Event::Committed { run, token, result } if run == self.run => {
                self.committed(token, result);
            }
            Event::NotLoaded => self.tabs(tabs::Input::NotLoaded),
            Event::Adding => self.tabs(tabs::Input::Adding),
            Event::Added(row) => self.tabs(tabs::Input::Added(vec![row])),
            Event::Fetched { asked, rows } => self.tabs(tabs::Input::Fetched { asked, rows }),
            Event::NotFetched(asked) => self.tabs(tabs::Input::NotFetched(asked)),
            Event::NotSwept => self.tabs(tabs::Input::NotSwept),
            Event::Swept(keys) => self.tabs(tabs::Input::Swept(keys)),
            Event::Granted(number) if number == self.locks => self.tabs(tabs::Input::Granted),
            Event::Stolen(number) if number == self.locks => self.tabs(tabs::Input::Fenced),
            Event::Command(command) => self.tabs(tabs::Input::Command(command)),
            Event::NewWriter { run, writer } if run == self.run => {
                self.client(client::Input::NewWriter(writer));
            }
            Event::Socket(end, input) if self.socket == Some(end) => {
                if matches!(input, client::Input::Closed { .. }) {
                    self.socket = None;
                }
                self.client(input);
            }
            Event::Woke => self.tabs(tabs::Input::Woke),
            Event::Tick => {
                self.client(client::Input::Tick);
                self.tabs(tabs::Input::Tick);
            }
            // Of an old run, lock or socket; and what was not added is for the view to say.
            _ => {}
        }
    }

    fn committed(&mut self, token: u64, result: Outcome) {
        match result {
            Ok((writes, added)) => {
                self.tabs(tabs::Input::Committed { token, writes });
                self.client(client::Input::Written { token, result: Ok(()) });
                for row in added {
                    self.client(client::Input::Added(row));
                }
                self.tabs(tabs::Input::Fed);
            }
            Err(why) => {
                self.client(client::Input::Written { token, result: Err(why) });
                self.tabs(match why {
                    NotWritten::Fenced => tabs::Input::Fenced,
                    NotWritten::Full | NotWritten::Failed => tabs::Input::Failed,
                });
            }
        }
    }

    /// Does one thing. What follows from it comes before what was to be done already, as calls nest.
    pub fn go(&mut self, now: Instant) -> Option<Ask> {
        let now = Instant(now.0 + self.ahead);
        match self.doing.pop_front()? {
            Do::FeedTabs(input) => {
                let out = self.machine.handle(now, *input);
                self.next(out.into_iter().map(Do::Tabs));
                None
            }
            Do::FeedClient(input) => {
                let out = self.client.as_mut().map(|client| client.handle(now, *input));
                self.next(out.into_iter().flatten().map(Do::Client));
                None
            }
            Do::Tabs(output) => self.do_among_tabs(output),
            Do::Client(output) => self.carry_out(output),
        }
    }

    fn next(&mut self, what: impl DoubleEndedIterator<Item = Do>) {
        for it in what.rev() {
            self.doing.push_front(it);
        }
    }

    fn do_among_tabs(&mut self, output: tabs::Output) -> Option<Ask> {
        let feed = |input| Do::FeedClient(Box::new(input));
        match output {
            tabs::Output::Say(word) => return Some(Ask::Say(word.write())),
            tabs::Output::WantLock { steal } => {
                self.locks += 1;
                return Some(Ask::WantLock { number: self.locks, steal });
            }
            // Whether it reads in order to lead, is asked by whoever carries this out.
            tabs::Output::Load => return Some(Ask::Transact(Tx::Load { takes: None })),
            tabs::Output::Present => {
                if let Some(stored) = self.loaded.take() {
                    self.view = Some(stored.database);
                }
            }
            tabs::Output::Lead { run } => {
                self.run = run;
                self.seed += 1;
                let snapshot = self.snapshot.take();
                let client = snapshot.map(|snapshot| Client::new(snapshot, run, self.seed));
                self.client = client;
                self.next([feed(client::Input::Start)].into_iter());
                return Some(Ask::Leads);
            }
            tabs::Output::Resign => {
                (self.client, self.run) = (None, SessionId::NIL);
                return Some(Ask::GiveBack);
            }
            tabs::Output::Leading(_) => {}
            tabs::Output::Apply(writes) => {
                if let Some(view) = &mut self.view {
                    view.apply(writes);
                }
            }
            tabs::Output::Show(show) => self.show(&show),
            tabs::Output::Row(row) => self.next([feed(client::Input::Added(row))].into_iter()),
            tabs::Output::Command(command) => {
                if matches!(command, Command::Resend { .. }) {
                    return Some(Ask::Resend(command));
                }
                self.command(command);
            }
            tabs::Output::Woke => self.next([feed(client::Input::Woke)].into_iter()),
            tabs::Output::Tick => self.next([feed(client::Input::Tick)].into_iter()),
            tabs::Output::Fetch(keys) => return Some(Ask::Transact(Tx::Fetch(keys))),
            tabs::Output::Sweep => return Some(Ask::Transact(Tx::Sweep)),
        }
        None
    }

    /// Feeds the client a command of this tab's view or another's.
    pub fn command(&mut self, command: Command) {
        let fed = Do::FeedTabs(Box::new(tabs::Input::Fed));
        let command = Do::FeedClient(Box::new(client::Input::Command(command)));
        self.next([command, fed].into_iter());
    }

    fn carry_out(&mut self, output: client::Output) -> Option<Ask> {
        match output {
            client::Output::Connect => Some(Ask::Connect),
            client::Output::Send(text) => Some(Ask::Send(text)),
            client::Output::Close(_) => Some(Ask::HangUp),
            client::Output::Write(batch) => {
                let issued = Do::FeedTabs(Box::new(tabs::Input::Issued(batch.token)));
                self.next([issued].into_iter());
                Some(Ask::Transact(Tx::Commit { run: self.run, batch }))
            }
            client::Output::WantWriter => Some(Ask::WantWriter(self.run)),
            client::Output::Show(show) => {
                let input = Do::FeedTabs(Box::new(tabs::Input::Show(show)));
                self.next([input].into_iter());
                None
            }
        }
    }

    fn show(&mut self, show: &Show) {
        if let Show::Link(link) = show {
            self.blocked = matches!(link, client::Link::Blocked { .. });
        }
        match show {
            Show::Link(client::Link::Online) => {}
            Show::Link(_) => self.here.clear(),
            Show::Presence(presence) if presence.room == RoomId::NIL => self.present(presence),
            _ => {}
        }
    }

    fn present(&mut self, presence: &Presence) {
        if presence.all {
            self.here.clear();
        }
        self.here.extend(presence.came.iter().map(|author| author.id));
        self.here.retain(|person| !presence.left.contains(person));
    }
}
