//! One transaction, in the browser's database or in memory.

use super::{
    memory::Memory,
    request::{Fault, Finish, result},
    stores::{JSON, Key, REFS, Range, Store},
};
use holdfast_common::{client::Key as RowKey, id::EventId, json};
use js_sys::{Array, Function, Object, Reflect};
use serde::{Serialize, de::DeserializeOwned};
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{IdbDatabase, IdbKeyRange, IdbObjectStore, IdbRequest, IdbTransaction};

/// What a transaction may do, and how durable its commit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Read.
    Read,
    /// Write; a crash of the machine may take the last seconds of it.
    Relaxed,
    /// Write; the commit is told when it has reached the disk.
    Strict,
}

/// What is put into a store: JSON, and of an entry the events it is about.
#[derive(Debug, Clone)]
pub(crate) struct Value {
    pub(crate) json: String,
    pub(crate) refs: Vec<EventId>,
}

/// A row's key, which the database tells at the latest when the transaction is complete.
pub(crate) enum Added {
    Known(RowKey),
    Pending(IdbRequest),
}

impl Added {
    /// To be asked once the transaction is complete.
    pub(crate) fn key(&self) -> Option<RowKey> {
        match self {
            Self::Known(key) => Some(*key),
            Self::Pending(request) => match Key::from_js(&request.result().ok()?)? {
                Key::Row(key) => Some(key),
                _ => None,
            },
        }
    }
}

/// A transaction. Between its requests nothing else may be awaited.
pub(crate) struct Tx {
    on: On,
    /// An earlier try of the same work may have been committed.
    pub(crate) again: bool,
}

enum On {
    Browser(IdbTransaction, RefCell<Option<Finish>>),
    Memory(Rc<RefCell<Memory>>),
}

impl Tx {
    /// Begins a transaction over all stores.
    pub(crate) fn begin(db: &IdbDatabase, mode: Mode, again: bool) -> Result<Self, Fault> {
        let names = Store::ALL.iter().map(|store| JsValue::from(store.name()));
        let (kind, durability) = match mode {
            Mode::Read => ("readonly", "default"),
            Mode::Relaxed => ("readwrite", "relaxed"),
            Mode::Strict => ("readwrite", "strict"),
        };
        let options = Object::new();
        Reflect::set(&options, &"durability".into(), &durability.into())?;
        // By its name, since `web-sys` has the third argument among its unstable parts only.
        let begin: Function = Reflect::get(db, &"transaction".into())?.unchecked_into();
        let tx = begin.call3(db, &names.collect::<Array>(), &kind.into(), &options)?;
        let tx: IdbTransaction = tx.unchecked_into();
        let finish = RefCell::new(Some(Finish::of(&tx)));
        Ok(Self { on: On::Browser(tx, finish), again })
    }

    pub(crate) fn memory(memory: Rc<RefCell<Memory>>) -> Self {
        Self { on: On::Memory(memory), again: false }
    }

    /// Waits until everything is committed; with a fault, takes everything back. In memory there is
    /// nothing to take back: work that can fail there does so before its first change.
    pub(crate) async fn end(&self, fault: Option<Fault>) -> Result<(), Fault> {
        let On::Browser(tx, finish) = &self.on else {
            return fault.map_or(Ok(()), Err);
        };
        if fault.is_some() {
            // It has ended already where the fault was the transaction's own.
            let _ = tx.abort();
        } else {
            // Not left to the browser, which would wait for the requests' events: the page may be
            // about to end, and they would never come. It has ended already where there were none.
            #[allow(deprecated)] // So says `web-sys` alone, and no browser.
            let _ = tx.commit();
        }
        let ended = match finish.take() {
            Some(finish) => finish.completed(tx).await,
            None => Ok(()),
        };
        // Where a request has failed, the transaction knows why; where the work has, it does not.
        match (ended, fault) {
            (Err(Fault::Lost) | Ok(()), Some(fault)) => Err(fault),
            (ended, _) => ended,
        }
    }

    fn store(tx: &IdbTransaction, store: Store) -> Result<IdbObjectStore, Fault> {
        Ok(tx.object_store(store.name())?)
    }

    pub(crate) async fn get(&self, store: Store, key: &Key) -> Result<Option<String>, Fault> {
        match &self.on {
            On::Browser(tx, _) => {
                let found = result(&Self::store(tx, store)?.get(&key.to_js())?).await?;
                Ok(json_of(&found))
            }
            On::Memory(memory) => Ok(memory.borrow().get(store, key)),
        }
    }

    pub(crate) fn put(&self, store: Store, key: Key, value: &impl Serialize) -> Result<(), Fault> {
        let json = serde_json::to_string(value)?;
        let refs = Vec::new();
        self.put_value(store, key, Value { json, refs })
    }

    pub(crate) fn put_value(&self, store: Store, key: Key, value: Value) -> Result<(), Fault> {
        match &self.on {
            On::Browser(tx, _) => {
                Self::store(tx, store)?.put_with_key(&to_js(store, &value)?, &key.to_js())?;
            }
            On::Memory(memory) => memory.borrow_mut().put(store, key, value),
        }
        Ok(())
    }

    /// Adds a row to the outbox, under a key above all that were ever given.
    pub(crate) fn add(&self, row: &impl Serialize) -> Result<Added, Fault> {
        let json = serde_json::to_string(row)?;
        let refs = Vec::new();
        let value = Value { json, refs };
        match &self.on {
            On::Browser(tx, _) => {
                let value = to_js(Store::Outbox, &value)?;
                let request = Self::store(tx, Store::Outbox)?.add(&value)?;
                Ok(Added::Pending(request))
            }
            On::Memory(memory) => Ok(Added::Known(memory.borrow_mut().add(value))),
        }
    }

    pub(crate) fn delete(&self, store: Store, key: &Key) -> Result<(), Fault> {
        match &self.on {
            On::Browser(tx, _) => drop(Self::store(tx, store)?.delete(&key.to_js())?),
            On::Memory(memory) => memory.borrow_mut().delete(store, key),
        }
        Ok(())
    }

    pub(crate) fn delete_range(&self, store: Store, range: &Range) -> Result<(), Fault> {
        match &self.on {
            On::Browser(tx, _) => drop(Self::store(tx, store)?.delete(&bounds(range)?)?),
            On::Memory(memory) => memory.borrow_mut().delete_range(store, Some(range)),
        }
        Ok(())
    }

    pub(crate) fn clear(&self, store: Store) -> Result<(), Fault> {
        match &self.on {
            On::Browser(tx, _) => drop(Self::store(tx, store)?.clear()?),
            On::Memory(memory) => memory.borrow_mut().delete_range(store, None),
        }
        Ok(())
    }

    /// Keys and values in the order of the keys.
    pub(crate) async fn all(
        &self,
        store: Store,
        range: Option<&Range>,
    ) -> Result<Vec<(Key, String)>, Fault> {
        match &self.on {
            On::Browser(tx, _) => {
                let store = Self::store(tx, store)?;
                let query = range.map_or(Ok(JsValue::UNDEFINED), bounds)?;
                let keys = result(&store.get_all_keys_with_key(&query)?).await?;
                let values = result(&store.get_all_with_key(&query)?).await?;
                Ok(pairs(&keys, &values))
            }
            On::Memory(memory) => Ok(memory.borrow().all(store, range)),
        }
    }

    pub(crate) async fn keys(
        &self,
        store: Store,
        range: Option<&Range>,
    ) -> Result<Vec<Key>, Fault> {
        match &self.on {
            On::Browser(tx, _) => {
                let query = range.map_or(Ok(JsValue::UNDEFINED), bounds)?;
                let keys = Self::store(tx, store)?.get_all_keys_with_key(&query)?;
                let keys = Array::from(&result(&keys).await?);
                Ok(keys.iter().filter_map(|key| Key::from_js(&key)).collect())
            }
            On::Memory(memory) => {
                let all = memory.borrow().all(store, range);
                Ok(all.into_iter().map(|(key, _)| key).collect())
            }
        }
    }

    /// The entry of this event and those that replace it.
    pub(crate) async fn about(&self, id: EventId) -> Result<Vec<(Key, String)>, Fault> {
        match &self.on {
            On::Browser(tx, _) => {
                let index = Self::store(tx, Store::Entries)?.index(REFS)?;
                let id = JsValue::from_str(&id.to_string());
                let keys = result(&index.get_all_keys_with_key(&id)?).await?;
                let values = result(&index.get_all_with_key(&id)?).await?;
                Ok(pairs(&keys, &values))
            }
            On::Memory(memory) => Ok(memory.borrow().about(id)),
        }
    }
}

/// A value that can be read; one that cannot is treated as absent.
pub(crate) fn parse<T: DeserializeOwned>(json: Option<String>) -> Option<T> {
    json::read(&json?).ok()
}

fn bounds(range: &Range) -> Result<JsValue, Fault> {
    Ok(IdbKeyRange::bound(&range.0.to_js(), &range.1.to_js())?.into())
}

fn to_js(store: Store, value: &Value) -> Result<JsValue, Fault> {
    let json = JsValue::from_str(&value.json);
    if store != Store::Entries {
        return Ok(json);
    }
    let refs = value.refs.iter().map(|id| JsValue::from_str(&id.to_string()));
    let object = Object::new();
    Reflect::set(&object, &JSON.into(), &json)?;
    Reflect::set(&object, &REFS.into(), &refs.collect::<Array>())?;
    Ok(object.into())
}

fn json_of(value: &JsValue) -> Option<String> {
    value.as_string().or_else(|| Reflect::get(value, &JSON.into()).ok()?.as_string())
}

fn pairs(keys: &JsValue, values: &JsValue) -> Vec<(Key, String)> {
    let (keys, values) = (Array::from(keys), Array::from(values));
    let pairs = keys.iter().zip(values.iter());
    pairs
        .filter_map(|(key, value)| Some((Key::from_js(&key)?, json_of(&value).unwrap_or_default())))
        .collect()
}
