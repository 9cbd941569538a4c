//! The page's database in memory, and nothing else of the page: what is stored there can be of any
//! kind, and what is read of it is what a page would start from.

use super::{Database, Kind, memory::Memory};
use crate::{
    app::change,
    link::{Loaded, driver},
};
use futures_util::FutureExt;
use holdfast_common::{
    client::{Batch, NotWritten, Row, Snapshot, Write},
    id::{SessionId, WriterId},
};
use std::{cell::RefCell, rc::Rc};

/// A database.
pub struct Trial(Database);

/// What a page starts from.
#[derive(Debug, Clone)]
pub struct Read {
    /// What a view starts from.
    pub loaded: Loaded,
    /// What a client starts from, once there is a principal.
    pub snapshot: Option<Snapshot>,
    /// What is missing or cannot be read.
    pub damage: Option<String>,
}

impl Trial {
    /// A database of lines, each a value: store, key, JSON, and the events it is about, with a tab
    /// between. `None` where one of them is no value of any store.
    #[must_use]
    pub fn of_lines(lines: &str) -> Option<Self> {
        let memory = Rc::new(RefCell::new(Memory::of_lines(lines)?));
        Some(Self(Database {
            kind: Kind::Memory(memory),
            effect: Some(change),
            kept: Rc::default(),
        }))
    }

    /// Everything there is.
    ///
    /// # Errors
    /// The database failed.
    pub fn read(&self) -> Result<Read, NotWritten> {
        let mut content = now(self.0.content(false))?;
        let snapshot = driver::snapshot(&mut content);
        let damage = content.damage.map(|damage| damage.what);
        Ok(Read { loaded: content.loaded, snapshot, damage })
    }

    /// Goes on with what can be read of a damaged database, as the page does before it leads.
    ///
    /// # Errors
    /// The database failed.
    pub fn mend(&self, writer: WriterId) -> Result<(), NotWritten> {
        let content = now(self.0.content(false))?;
        now(self.0.mend(&content, writer))
    }

    /// Commits a client's batch; returns its changes as a view is told them, and the added rows.
    ///
    /// # Errors
    /// Another tab has overtaken it, or the database failed.
    pub fn commit(
        &self,
        run: SessionId,
        batch: Batch,
    ) -> Result<(Vec<Write>, Vec<Row>), NotWritten> {
        let committed = now(self.0.commit(run, batch))?;
        Ok((committed.writes, committed.added))
    }
}

/// In memory nothing has to be waited for.
fn now<T>(work: impl Future<Output = T>) -> T {
    work.now_or_never().expect("in memory nothing has to be waited for")
}
