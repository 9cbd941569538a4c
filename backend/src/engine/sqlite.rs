//! The engine on SQLite: one database file in a data folder that one server holds.
//!
//! 1. All writes go through one thread, [`writer`]. It takes whatever waits, runs it in one
//!    transaction, commits once, and only then answers. One fsync serves them all.
//! 2. Reads run on a few threads of their own, [`readers`], each in one snapshot. An answered
//!    write is seen by every read that is asked after it. The facts that each append waits for have
//!    a thread for themselves, so that no long read is before them.
//! 3. Nothing is cached outside SQLite but what queues count, by the writing thread, and that is dropped
//!    with a transaction that did not commit: see [`held`](jobs::held).
//! 4. Every queue has a bound; what does not fit is [`Fault::Overloaded`] at once.
//! 5. What is removed is removed: SQLite overwrites it (`secure_delete`), and the write-ahead log
//!    that may still hold it is emptied soon after, see [`SCRUB_AFTER`](writer::SCRUB_AFTER).

mod append;
mod checkpoint;
mod content;
mod edges;
mod effects;
mod epochs;
mod greet;
mod hooks;
mod jobs;
mod lanes;
mod log;
mod open;
mod place;
mod probe;
mod readers;
mod reading;
mod registers;
mod resume;
mod room;
mod rooms;
mod rows;
mod schedules;
mod task;
mod writer;

pub use edges::{Commits, ExitProcess, Fatal, PlainCommits};
pub use open::{OpenError, Options};

use super::{
    Engine, Recognised, Trimmed,
    jobs::{appended, clock::Ticks},
};
use async_trait::async_trait;
use futures_util::{FutureExt, future::BoxFuture};
use holdfast_common::{
    cursor::Offset,
    event::Effect,
    frame::{LatestSet, RoomInfo},
    id::{EventId, PersonId, RoomId},
    storage::{
        Append, Appended, FactsQuery, FactsRead, Fault, Folds, Greeted, Greeting, Inbox,
        Membership, Places, Registered, Registers, RegistersQuery, Slice,
    },
    time::Timestamp,
};
use jobs::held::Held;
use readers::{Readers, SHORT_AT_ONCE};
use std::{fs::File, path::Path, sync::Arc};
use writer::Writer;

/// An engine on a folder. Dropping it lets what waits be written, and closes the folder.
#[derive(Debug)]
pub struct SqliteEngine {
    // Dropped in this order: the folder is let go when all have ended.
    readers: Readers,
    facts: Readers,
    writer: Writer,
    ticks: Arc<Ticks>,
    held: Arc<Held>,
    _lock: File,
}

impl SqliteEngine {
    /// Opens the folder, makes it where there is none, and brings it to this build's form.
    ///
    /// # Errors
    /// See [`OpenError`]; each is one line for the operator.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        Self::open_with(folder, Options::default())
    }

    /// The same with another end of the process, or with faults put in by a test.
    ///
    /// # Errors
    /// As [`SqliteEngine::open`].
    pub fn open_with(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let opened = open::folder(folder)?;
        let kept = jobs::clock::kept(&opened.writer)?;
        let ticks = Arc::new(Ticks::new(Arc::clone(&options.clocks), kept));
        let held = Arc::<Held>::default();
        Ok(Self {
            readers: Readers::start(opened.readers, 1)?,
            facts: Readers::start(vec![opened.short], SHORT_AT_ONCE)?,
            writer: Writer::start(opened.writer, options, Arc::clone(&ticks), Arc::clone(&held))?,
            ticks,
            held,
            _lock: opened.lock,
        })
    }

    /// The folder was set back to a backup: gives each of its logs a new epoch, all of them or
    /// none, and returns how many there are. A log that was set back and has grown again holds
    /// other entries at the same offsets, which a reader without marks cannot see.
    ///
    /// # Errors
    /// As [`SqliteEngine::open`]; and there has to be a database.
    pub fn restored(folder: &Path) -> Result<usize, OpenError> {
        let mut opened = open::existing(folder)?;
        epochs::renew(&mut opened.writer)
    }
}

#[async_trait]
impl Engine for SqliteEngine {
    async fn greet(&self, greeting: Greeting) -> Result<Greeted, Fault> {
        let bound = self.writer.ask(move |db| greet::bind(db, &greeting)).await?;
        match bound {
            Err(code) => Ok(Greeted::Refused(code)),
            // Read elsewhere, so that a thousand clients coming back do not hold up the writing.
            Ok(bound) => {
                let read = self.readers.ask(move |db| resume::read(db, &bound));
                Ok(Greeted::Welcome(read.await?))
            }
        }
    }

    async fn recognise(
        &self,
        person: PersonId,
        secret_hash: [u8; 32],
        name: String,
        at: Timestamp,
    ) -> Result<Recognised, Fault> {
        // Who comes again is only read.
        let compare = move |db: &_| Ok(greet::compare(db, person, &secret_hash)?);
        if let Some(recognised) = self.readers.ask(compare).await? {
            return Ok(recognised);
        }
        let bind = move |db: &_| greet::bind_person(db, person, &secret_hash, &name, at);
        self.writer.ask(bind).await
    }

    async fn directory(&self, person: PersonId) -> Result<Vec<RoomInfo>, Fault> {
        self.readers.ask(move |db| resume::directory(db, person)).await
    }

    fn append(&self, append: Append) -> BoxFuture<'static, Appended> {
        let removes: fn(&_) -> bool = match append.effect {
            Effect::Removes(_) => |_| true,
            _ => |_| false,
        };
        let answer = self.work_that(removes, move |work| work.append(&append));
        Box::pin(answer.map(appended))
    }

    async fn facts(&self, query: FactsQuery) -> FactsRead {
        self.facts.ask(move |db| rooms::facts(db, &query)).await
    }

    async fn slice(
        &self,
        room: RoomId,
        after: Offset,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Option<Slice>, Fault> {
        let read = move |db: &_| reading::slice(db, room, after, max_entries, max_bytes);
        self.readers.ask(read).await
    }

    async fn page(
        &self,
        room: RoomId,
        before: Option<Offset>,
        limit: u32,
        max_bytes: usize,
        since: Option<Offset>,
    ) -> Result<Option<Folds>, Fault> {
        let read = move |db: &_| reading::page(db, room, before, limit, max_bytes, since);
        self.readers.ask(read).await
    }

    async fn find(
        &self,
        person: PersonId,
        room: RoomId,
        ids: Vec<EventId>,
    ) -> Result<Places, Fault> {
        self.readers.ask(move |db| reading::find(db, person, room, &ids)).await
    }

    async fn join(
        &self,
        person: PersonId,
        room: RoomId,
        most: u32,
        at: Timestamp,
    ) -> Result<Membership, Fault> {
        let join = move |db: &_| rooms::join(db, person, room, most, at);
        self.writer.ask(join).await
    }

    async fn leave(&self, person: PersonId, room: RoomId) -> Result<Membership, Fault> {
        self.writer.ask(move |db| rooms::leave(db, person, room)).await
    }

    async fn set_latest(&self, value: LatestSet) -> Result<Registered, Fault> {
        self.writer.ask(move |db| registers::set(db, &value)).await
    }

    async fn registers(
        &self,
        query: RegistersQuery,
        max_entries: u32,
        max_bytes: usize,
    ) -> Result<Registers, Fault> {
        let read = move |db: &_| registers::read(db, &query, max_entries, max_bytes);
        self.readers.ask(read).await
    }

    async fn room_named(&self, namespace: &str, name: &str) -> Result<Option<RoomInfo>, Fault> {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        self.readers.ask(move |db| rooms::named(db, &namespace, &name)).await
    }

    async fn inbox(&self, person: PersonId, namespace: &str) -> Result<Inbox, Fault> {
        let namespace = namespace.to_owned();
        self.readers.ask(move |db| rooms::inbox(db, person, &namespace)).await
    }

    async fn trim(&self, room: RoomId, first: Offset) -> Result<Option<Trimmed>, Fault> {
        loop {
            let step = self.writer.submit(|_| true, move |db| log::trim(db, room, first)).await?;
            match step {
                None => return Ok(None),
                Some((trimmed, true)) => return Ok(Some(trimmed)),
                Some((_, false)) => {}
            }
        }
    }

    async fn delete_room(&self, room: RoomId) -> Result<Option<RoomInfo>, Fault> {
        let bury = move |db: &_| rooms::bury(db, room);
        if !self.writer.submit(|_| true, bury).await? {
            return Ok(None);
        }
        self.trim(room, Offset::MAX).await?;
        self.readers.ask(move |db| rooms::info(db, room)).await
    }

    async fn ready(&self) -> Result<(), Fault> {
        match self.writer.last_fault() {
            None => Ok(()),
            Some(_) => self.writer.ask(probe::write).await,
        }
    }

    fn commits(&self) -> u64 {
        self.writer.commits()
    }
}
