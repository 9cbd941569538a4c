//! What a tab hears, says and does.

use crate::{
    client::{Command, Key, Row, Show, Write},
    id::SessionId,
};

/// One tab, by a random number.
pub type TabId = u64;

/// How far a leader has come in what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The leader's run; a new one for each client that is made.
    pub run: SessionId,
    /// The number of the last committed batch, which is its token.
    pub batch: u64,
    /// How many times rows were said since then.
    pub extra: u64,
}

/// What tabs say to each other. Every tab hears it.
#[derive(Debug, Clone)]
pub enum Word {
    /// Who leads, and where does it stand?
    Hello,
    /// I lead, and this is how things stand.
    Leads {
        /// Where.
        place: Place,
        /// What a view has to know that is not in the database.
        shows: Vec<Show>,
    },
    /// A batch is committed.
    Batch {
        /// Its place.
        place: Place,
        /// Its changes.
        writes: Vec<Write>,
    },
    /// Rows that tabs have added.
    Rows {
        /// Their place.
        place: Place,
        /// Each as it was added.
        rows: Vec<Row>,
    },
    /// The leader's client has something to show.
    Shown {
        /// The leader's run.
        run: SessionId,
        /// What.
        show: Show,
    },
    /// A follower has added rows.
    Added {
        /// Their keys; none while it is about to add some.
        keys: Vec<Key>,
    },
    /// A follower wants something.
    Ask {
        /// Who.
        tab: TabId,
        /// Which of its wishes; 0 for one that need not be confirmed.
        n: u64,
        /// What.
        command: Command,
    },
    /// What followed from the command is committed.
    Taken {
        /// Who asked.
        tab: TabId,
        /// Which wish.
        n: u64,
    },
    /// The database has got its principal.
    Introduced,
    /// A follower came to the foreground: is the connection alive?
    Woke,
    /// A follower is here.
    Beat,
}

/// What happens to a tab.
#[derive(Debug, Clone)]
pub enum Input {
    /// The tab is ready.
    Start,
    /// The lock is this tab's.
    Granted,
    /// The database was read.
    Loaded {
        /// The run and the number of the last batch in it.
        last: Option<(SessionId, u64)>,
        /// The outbox's keys.
        keys: Vec<Key>,
        /// Whether there is a principal, so that a client can be made.
        ready: bool,
        /// A new run's id, for the case that this tab leads now.
        run: SessionId,
    },
    /// The database could not be read.
    NotLoaded,
    /// A word of another tab.
    Heard(Word),
    /// This tab came to the foreground, or the network changed.
    Woke,
    /// This tab's view wants something.
    Command(Command),
    /// This tab begins to add rows.
    Adding,
    /// Rows that this tab added are committed.
    Added(Vec<Row>),
    /// The rows asked for by [`Output::Fetch`] that there are.
    Fetched {
        /// The keys that were asked for.
        asked: Vec<Key>,
        /// Those of them that are in the outbox.
        rows: Vec<Row>,
    },
    /// These rows, asked for by [`Output::Fetch`], could not be read.
    NotFetched(Vec<Key>),
    /// The outbox's keys, asked for by [`Output::Sweep`].
    Swept(Vec<Key>),
    /// They could not be read.
    NotSwept,
    /// The client hands over a batch with this token.
    Issued(u64),
    /// The batch is committed.
    Committed {
        /// Its token.
        token: u64,
        /// Its changes, added rows with their keys.
        writes: Vec<Write>,
    },
    /// The client has taken what it was fed, and its outputs are carried out.
    Fed,
    /// The client has something to show.
    Show(Show),
    /// Another tab has raised the generation, or has taken the lock.
    Fenced,
    /// The client has stopped, since the database failed. A fresh one is made of what the database
    /// holds when somebody wants something again.
    Failed,
    /// This tab has given the database its principal.
    Introduced,
    /// The deadline has come.
    Tick,
}

/// What the driver is to do.
#[derive(Debug, Clone)]
pub enum Output {
    /// Say this to the other tabs.
    Say(Word),
    /// Ask for the lock, in place of the one that was had or asked for. Without `steal` it is
    /// waited for; with it, it is taken from the tab that has it.
    WantLock {
        /// Whether to take it.
        steal: bool,
    },
    /// Read the database and report [`Input::Loaded`]. Where [`Tabs::takes`](super::Tabs::takes), the
    /// generation is raised in the same transaction, so that nothing of who led before comes behind it.
    Load,
    /// Show what was just read, in place of all that was shown.
    Present,
    /// Make a client of what was just read, in place of the one there was, and start it; if there
    /// is no principal yet, only the former.
    Lead {
        /// The client's session.
        run: SessionId,
    },
    /// Give up the client and the lock.
    Resign,
    /// Tell the view whether this tab leads.
    Leading(bool),
    /// Apply these changes to the view.
    Apply(Vec<Write>),
    /// Show this.
    Show(Show),
    /// Feed the client this row.
    Row(Row),
    /// Feed the client this command, then report [`Input::Fed`].
    Command(Command),
    /// Tell the client that it was woken.
    Woke,
    /// Tell the client the time.
    Tick,
    /// Read these rows and report [`Input::Fetched`] or [`Input::NotFetched`].
    Fetch(Vec<Key>),
    /// Read the outbox's keys and report [`Input::Swept`] or [`Input::NotSwept`].
    Sweep,
}
