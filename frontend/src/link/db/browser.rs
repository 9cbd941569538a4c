//! Opening the browser's database: one name, an upgrade that makes whatever store is missing, and
//! a connection that gives way to a newer page.

use super::{
    kept::Kept,
    request::{Fault, result},
    stores::{Key, REFS, Store},
};
use crate::link::clock;
use std::{cell::RefCell, rc::Rc};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::{
    IdbDatabase, IdbFactory, IdbIndexParameters, IdbObjectStoreParameters, IdbOpenDbRequest,
    IdbVersionChangeEvent,
};

/// The database's name.
const NAME: &str = "holdfast";
/// The form of what is stored. A page refuses a database of a newer form.
pub(super) const SCHEMA: u32 = 1;
/// The name in [`Store::Meta`] of the form.
pub(super) const SCHEMA_KEY: &str = "schema";
/// The name in [`Store::Meta`] of a note that stores were missing.
pub(super) const DAMAGED_KEY: &str = "damaged";
/// How long opening may take; a blocked or broken database may never answer.
const PATIENCE: i32 = 10_000;

/// An open connection and what keeps it well-behaved.
pub(super) struct Connection {
    pub(super) db: IdbDatabase,
    /// A newer page wants to change the stores: let it, and open anew at the next use.
    _give_way: Closure<dyn FnMut(IdbVersionChangeEvent)>,
}

/// Called when the database is deleted under the page, or closed by the browser.
pub(super) type Gone = Rc<dyn Fn()>;

impl Connection {
    /// Opens the database, and makes it whole.
    pub(super) async fn open(kept: &Rc<RefCell<Kept>>, gone: Gone) -> Result<Self, Fault> {
        let factory = clock::window().indexed_db()?;
        let factory = factory.ok_or(Fault::Failed)?;
        let mut db = open(&factory, None, kept).await?;
        // Another tab may be making it whole at the same time; then it is opened as it is.
        if Store::ALL.iter().any(|store| !has(&db, *store)) {
            let next = db.version() + 1.0;
            db.close();
            db = match open(&factory, Some(next), kept).await {
                Ok(db) => db,
                Err(_) => open(&factory, None, kept).await?,
            };
        }
        let give_way = {
            let db = db.clone();
            Closure::<dyn FnMut(_)>::new(move |event: IdbVersionChangeEvent| {
                db.close();
                // A closing by the browser knows of no version either.
                if event.new_version().is_none() {
                    gone();
                }
            })
        };
        db.set_onversionchange(Some(give_way.as_ref().unchecked_ref()));
        db.set_onclose(Some(give_way.as_ref().unchecked_ref()));
        Ok(Self { db, _give_way: give_way })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.db.set_onversionchange(None);
        self.db.set_onclose(None);
        self.db.close();
    }
}

fn has(db: &IdbDatabase, store: Store) -> bool {
    db.object_store_names().contains(store.name())
}

async fn open(
    factory: &IdbFactory,
    version: Option<f64>,
    kept: &Rc<RefCell<Kept>>,
) -> Result<IdbDatabase, Fault> {
    let request = match version {
        Some(version) => factory.open_with_f64(NAME, version)?,
        None => factory.open(NAME)?,
    };
    let upgrade = {
        let (request, kept) = (request.clone(), kept.clone());
        Closure::once(move |event: IdbVersionChangeEvent| {
            // A fault here aborts the upgrade, and the request fails.
            upgrade(&request, event.old_version(), &kept.borrow())
        })
    };
    request.set_onupgradeneeded(Some(upgrade.as_ref().unchecked_ref()));
    let opened = async {
        result(&request).await?;
        Ok(request.result()?.unchecked_into::<IdbDatabase>())
    };
    let late = async {
        clock::sleep(PATIENCE).await;
        Err(Fault::Failed)
    };
    futures_util::pin_mut!(opened, late);
    match futures_util::future::select(opened, late).await {
        futures_util::future::Either::Left((opened, _)) => opened,
        futures_util::future::Either::Right((late, _)) => late,
    }
}

/// Makes the stores that are missing. Where some were there, the others have been lost; where there
/// was no database, it may have been deleted under this page.
fn upgrade(request: &IdbOpenDbRequest, old_version: f64, kept: &Kept) -> Result<(), JsValue> {
    let db: IdbDatabase = request.result()?.unchecked_into();
    let tx = request.transaction().ok_or(JsValue::NULL)?;
    let missing: Vec<Store> = Store::ALL.into_iter().filter(|store| !has(&db, *store)).collect();
    for store in &missing {
        make(&db, *store)?;
    }
    let meta = tx.object_store(Store::Meta.name())?;
    meta.put_with_key(&SCHEMA.to_string().into(), &Key::name(SCHEMA_KEY).to_js())?;
    if old_version == 0.0 {
        kept.put_back(&tx)?;
    } else if !missing.is_empty() {
        let names: Vec<&str> = missing.iter().map(|store| store.name()).collect();
        let names = JsValue::from_str(&format!("\"{}\"", names.join(", ")));
        meta.put_with_key(&names, &Key::name(DAMAGED_KEY).to_js())?;
    }
    Ok(())
}

fn make(db: &IdbDatabase, store: Store) -> Result<(), JsValue> {
    let options = IdbObjectStoreParameters::new();
    options.set_auto_increment(store == Store::Outbox);
    let made = db.create_object_store_with_optional_parameters(store.name(), &options)?;
    if store == Store::Entries {
        let options = IdbIndexParameters::new();
        options.set_multi_entry(true);
        made.create_index_with_str_and_optional_parameters(REFS, REFS, &options)?;
    }
    Ok(())
}
