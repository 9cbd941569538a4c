//! The one database: what is held of the outbox, the rooms and the person.
//!
//! It is driven through `web-sys` rather than a wrapping crate, because the reason of an aborted
//! commit (the quota, above all) has to come through.

mod browser;
mod changes;
#[cfg(test)]
mod golden;
mod kept;
#[cfg(any(test, feature = "trial"))]
mod lines;
mod memory;
mod person;
mod reading;
mod request;
mod stores;
#[cfg(test)]
mod tests;
mod tidying;
#[cfg(feature = "trial")]
pub mod trial;
mod tx;

pub(super) use person::Person;
pub(super) use reading::Content;

use super::{clock, update::StorageKind};
use browser::{Connection, Gone, SCHEMA, SCHEMA_KEY};
use changes::{LAST, apply, fence};
use futures_util::future::LocalBoxFuture;
use holdfast_common::{
    client::{Batch, Held, Key as RowKey, NotWritten, Principal, Row, RowState, Write},
    cursor::Cursor,
    event::Effect,
    id::{RoomId, SessionId, WriterId},
};
use kept::Kept;
use memory::Memory;
use request::Fault;
use std::{cell::RefCell, rc::Rc};
use stores::{Key, Store};
use tx::{Added, Mode, Tx, parse};

/// What an event does to its log, by its type and payload.
pub(super) type EffectOf = Option<fn(&str, &str) -> Option<Effect>>;

/// How often a lost connection is made anew for a transaction, and how long is waited in between:
/// what is being deleted cannot be opened yet.
const REOPENINGS: u8 = 4;
const PAUSE: i32 = 1_000;

/// What was tried already to get a transaction through.
#[derive(Debug, Default)]
struct Tries {
    reopened: u8,
    freed: bool,
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy)]
enum Access {
    Read,
    Write { strict: bool },
}

/// How a transaction has ended.
enum Ended {
    Done,
    /// Something has changed: it may go through now.
    Again,
    Not(NotWritten),
}

/// A batch that is in the database.
#[derive(Debug, Default)]
pub(super) struct Committed {
    /// Its changes, added rows with their keys.
    pub(super) writes: Vec<Write>,
    /// The added rows.
    pub(super) added: Vec<Row>,
}

/// The database, of the browser or in memory.
pub(super) struct Database {
    kind: Kind,
    effect: EffectOf,
    pub(super) kept: Rc<RefCell<Kept>>,
}

enum Kind {
    Browser(RefCell<Rc<Connection>>, Gone),
    Memory(Rc<RefCell<Memory>>),
}

impl Database {
    /// Opens the browser's database; where that cannot be had, one in memory.
    pub(super) async fn open(effect: EffectOf, gone: Gone) -> (Self, StorageKind) {
        let kept = Rc::default();
        let (kind, storage) = match Self::open_browser(&kept, &gone).await {
            Ok(connection) => {
                let kind = Kind::Browser(RefCell::new(Rc::new(connection)), gone);
                (kind, StorageKind::Durable)
            }
            Err(fault) => {
                let why = match fault {
                    Fault::Newer => "a newer version of this page has been used here",
                    Fault::Full => "the browser has no room left",
                    _ => "the browser's database cannot be opened",
                };
                let why = why.to_owned();
                (Kind::Memory(Rc::default()), StorageKind::Memory { why })
            }
        };
        (Self { kind, effect, kept }, storage)
    }

    /// Whether other tabs have the same database.
    pub(super) fn shared(&self) -> bool {
        matches!(self.kind, Kind::Browser(..))
    }

    async fn open_browser(kept: &Rc<RefCell<Kept>>, gone: &Gone) -> Result<Connection, Fault> {
        let connection = Connection::open(kept, gone.clone()).await?;
        let tx = Tx::begin(&connection.db, Mode::Read, false)?;
        let schema: Option<u32> = parse(tx.get(Store::Meta, &Key::name(SCHEMA_KEY)).await?);
        if schema.is_some_and(|schema| schema > SCHEMA) {
            return Err(Fault::Newer);
        }
        Ok(connection)
    }

    /// The one function that opens transactions which write. A strict one is told as committed when
    /// it is on the disk.
    fn begin_write(&self, strict: bool, again: bool) -> Result<Tx, Fault> {
        self.open_tx(if strict { Mode::Strict } else { Mode::Relaxed }, again)
    }

    fn open_tx(&self, mode: Mode, again: bool) -> Result<Tx, Fault> {
        match &self.kind {
            Kind::Browser(connection, _) => {
                let connection = connection.borrow().clone();
                Tx::begin(&connection.db, mode, again)
            }
            Kind::Memory(memory) => Ok(Tx::memory(memory.clone())),
        }
    }

    /// Runs one transaction to its end, and again on a new connection where the old one was lost, or
    /// once more with space freed where there was none left.
    async fn run<T>(
        &self,
        access: Access,
        work: impl AsyncFn(&Tx) -> Result<T, Fault>,
    ) -> Result<T, NotWritten> {
        let mut tries = Tries::default();
        loop {
            let again = tries.reopened > 0;
            let tx = match access {
                Access::Read => self.open_tx(Mode::Read, again),
                Access::Write { strict } => self.begin_write(strict, again),
            };
            let (tx, done) = match tx {
                Ok(tx) => {
                    let done = work(&tx).await;
                    (Some(tx), done)
                }
                Err(fault) => (None, Err(fault)),
            };
            let (done, fault) = match done {
                Ok(done) => (Some(done), None),
                Err(fault) => (None, Some(fault)),
            };
            match self.end(tx, fault, &mut tries).await {
                Ended::Done => return done.ok_or(NotWritten::Failed),
                Ended::Again => {}
                Ended::Not(why) => return Err(why),
            }
        }
    }

    /// Ends a transaction, and says whether it is worth another try. It is boxed, so that its code
    /// is there once and not in every kind of transaction.
    fn end<'a>(
        &'a self,
        tx: Option<Tx>,
        fault: Option<Fault>,
        tries: &'a mut Tries,
    ) -> LocalBoxFuture<'a, Ended> {
        Box::pin(async move {
            let fault = match (&tx, fault) {
                (Some(tx), fault) => tx.end(fault).await.err(),
                (None, fault) => fault,
            };
            match fault {
                None => Ended::Done,
                Some(Fault::Fenced) => Ended::Not(NotWritten::Fenced),
                Some(Fault::Lost) if tries.reopened < REOPENINGS => {
                    if tries.reopened > 0 {
                        clock::sleep(PAUSE).await;
                    }
                    tries.reopened += 1;
                    // Where it fails, the lost connection stays, and says so again.
                    let _ = self.reopen().await;
                    Ended::Again
                }
                Some(Fault::Full) if !tries.freed => {
                    tries.freed = true;
                    match self.free().await {
                        Ok(()) => Ended::Again,
                        Err(_) => Ended::Not(NotWritten::Full),
                    }
                }
                Some(Fault::Full) => Ended::Not(NotWritten::Full),
                Some(Fault::Lost | Fault::Failed | Fault::Newer) => Ended::Not(NotWritten::Failed),
            }
        })
    }

    async fn free(&self) -> Result<(), Fault> {
        let tx = self.begin_write(false, false)?;
        let freed = tidying::free(&tx).await;
        tx.end(freed.err()).await
    }

    async fn reopen(&self) -> Result<(), Fault> {
        if let Kind::Browser(connection, gone) = &self.kind {
            let new = Rc::new(Self::open_browser(&self.kept, gone).await?);
            connection.replace(new);
        }
        Ok(())
    }

    async fn read<T>(&self, work: impl AsyncFn(&Tx) -> Result<T, Fault>) -> Result<T, NotWritten> {
        self.run(Access::Read, work).await
    }

    async fn write<T>(
        &self,
        strict: bool,
        work: impl AsyncFn(&Tx) -> Result<T, Fault>,
    ) -> Result<T, NotWritten> {
        self.run(Access::Write { strict }, work).await
    }

    /// Everything there is, of one moment. A tab that takes the lead `fences`: it raises the generation
    /// with the same transaction, and from then on no batch of who led before gets in, so nothing
    /// changes but by rows that are added.
    pub(super) async fn content(&self, fences: bool) -> Result<Content, NotWritten> {
        let access = if fences { Access::Write { strict: true } } else { Access::Read };
        self.run(access, async |tx: &Tx| {
            let mut content = reading::content(tx).await?;
            if fences && content.loaded.principal.is_some() && content.damage.is_none() {
                content.generation += 1;
                tx.put(Store::Meta, Key::name(changes::GENERATION), &content.generation)?;
            }
            Ok(content)
        })
        .await
    }

    /// Commits a client's batch, unless another tab has overtaken it.
    pub(super) async fn commit(
        &self,
        run: SessionId,
        batch: Batch,
    ) -> Result<Committed, NotWritten> {
        let added = self
            .write(batch.strict, async |tx: &Tx| {
                fence(tx, batch.generation).await?;
                tx.put(Store::Meta, Key::name(LAST), &(run, batch.token))?;
                apply(tx, self.effect, &batch.writes).await
            })
            .await?;
        let mut keys = added.iter().filter_map(Added::key);
        let mut committed = Committed::default();
        for write in batch.writes {
            let write = match write {
                Write::AddRow(event) => {
                    let Some(key) = keys.next() else { continue };
                    let row = queued(key, event);
                    committed.added.push(row.clone());
                    Write::PutRow(row)
                }
                write => write,
            };
            committed.writes.push(write);
        }
        Ok(committed)
    }

    /// Adds rows to the outbox, on the disk, and removes the drafts that they were made of.
    pub(super) async fn add(
        &self,
        events: Vec<Held>,
        drafted: &[RoomId],
    ) -> Result<Vec<Row>, NotWritten> {
        let added = self
            .write(true, async |tx: &Tx| {
                let mut added = Vec::new();
                for event in &events {
                    added.push(changes::add(tx, event).await?);
                }
                for room in drafted {
                    tidying::draft(tx, *room, "")?;
                }
                Ok(added)
            })
            .await?;
        let keys = added.iter().filter_map(Added::key);
        Ok(keys.zip(events).map(|(key, event)| queued(key, event)).collect())
    }

    /// Those of these rows that are in the outbox.
    pub(super) async fn rows(&self, keys: &[RowKey]) -> Result<Vec<Row>, NotWritten> {
        self.read(async |tx: &Tx| reading::rows_of(tx, keys).await).await
    }

    /// The outbox's keys.
    pub(super) async fn row_keys(&self) -> Result<Vec<RowKey>, NotWritten> {
        let keys = self.read(async |tx: &Tx| tx.keys(Store::Outbox, None).await).await?;
        Ok(keys
            .into_iter()
            .filter_map(|key| match key {
                Key::Row(key) => Some(key),
                _ => None,
            })
            .collect())
    }

    /// Gives the database its principal; `false` if it had one.
    pub(super) async fn introduce(
        &self,
        principal: &Principal,
        writer: WriterId,
    ) -> Result<bool, NotWritten> {
        self.write(true, async |tx: &Tx| tidying::introduce(tx, principal, writer).await).await
    }

    /// Keeps a text that was begun; it can be lost with the last seconds of a crash.
    pub(super) async fn draft(&self, room: RoomId, text: &str) -> Result<(), NotWritten> {
        self.write(false, async |tx: &Tx| tidying::draft(tx, room, text)).await
    }

    /// Drops entries that are older than those kept.
    pub(super) async fn trim(&self, cursors: &[(RoomId, Cursor)]) -> Result<(), NotWritten> {
        self.write(false, async |tx: &Tx| tidying::trim(tx, cursors)).await
    }

    /// Goes on with what can be read of a damaged database, under a new writer. Only for the tab
    /// that is about to lead.
    pub(super) async fn mend(&self, content: &Content, writer: WriterId) -> Result<(), NotWritten> {
        let Some(damage) = &content.damage else {
            return Ok(());
        };
        self.write(true, async |tx: &Tx| {
            let rows = &content.loaded.rows;
            tidying::mend(tx, damage, rows, writer, content.generation).await
        })
        .await
    }
}

fn queued(key: RowKey, event: Held) -> Row {
    let state = RowState::Queued;
    Row { key, event, state }
}
