//! Who sits here, for a page that needs nothing else of the database.

use super::{
    browser::{Connection, Gone, SCHEMA, SCHEMA_KEY},
    changes::PRINCIPAL,
    kept::Kept,
    request::Fault,
    stores::{Key, Store},
    tidying,
    tx::{Mode, Tx, parse},
};
use crate::link::holding::somebody;
use holdfast_common::client::Principal;
use serde::de::DeserializeOwned;
use std::{cell::RefCell, rc::Rc};

/// The database, as far as it says who sits here.
pub(in crate::link) struct Person(Option<Connection>);

impl Person {
    /// Opens it; where it cannot be had, nobody is known and nothing is kept.
    pub(in crate::link) async fn open() -> Self {
        let gone: Gone = Rc::new(|| {});
        let kept: Rc<RefCell<Kept>> = Rc::default();
        let Ok(connection) = Connection::open(&kept, gone).await else {
            return Self(None);
        };
        let person = Self(Some(connection));
        let schema: Option<u32> = person.get(SCHEMA_KEY).await;
        // What a newer page keeps is not for this one.
        if schema.is_some_and(|schema| schema > SCHEMA) { Self(None) } else { person }
    }

    /// Who sits here.
    pub(in crate::link) async fn read(&self) -> Option<Principal> {
        self.get(PRINCIPAL).await
    }

    async fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let tx = Tx::begin(&self.0.as_ref()?.db, Mode::Read, false).ok()?;
        parse(tx.get(Store::Meta, &Key::name(name)).await.ok()?)
    }

    /// Gives the database its principal; somebody of this name, unless it had one. `Err` holds who it
    /// would have been, if it does not keep them.
    pub(in crate::link) async fn introduce(&self, name: String) -> Result<Principal, Principal> {
        let (principal, writer) = somebody(name);
        let written = async {
            let connection = self.0.as_ref().ok_or(Fault::Failed)?;
            let tx = Tx::begin(&connection.db, Mode::Strict, false)?;
            let done = tidying::introduce(&tx, &principal, writer).await;
            let (new, fault) = match done {
                Ok(new) => (new, None),
                Err(fault) => (false, Some(fault)),
            };
            tx.end(fault).await?;
            Ok::<_, Fault>(new)
        };
        match written.await {
            Ok(true) => Ok(principal),
            // Another page of this browser was faster.
            Ok(false) => Ok(self.read().await.unwrap_or(principal)),
            Err(_) => Err(principal),
        }
    }
}
