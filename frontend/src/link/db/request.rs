//! IndexedDB's requests and transactions as futures, and its errors as faults.
//!
//! A request is awaited by a promise that its own event settles. What runs then, runs before the
//! event is over, while the transaction still takes requests.

use js_sys::Promise;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DomException, Event, IdbRequest, IdbTransaction};

/// Why something is not in the database, or could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The stored generation is above the batch's.
    Fenced,
    /// The browser's quota is used up.
    Full,
    /// The connection to the database is gone; a new one may work.
    Lost,
    /// A newer page has changed the database.
    Newer,
    /// Anything else.
    Failed,
}

impl From<JsValue> for Fault {
    fn from(error: JsValue) -> Self {
        let Some(error) = error.dyn_ref::<DomException>() else {
            return Self::Failed;
        };
        match error.name().as_str() {
            "QuotaExceededError" => Self::Full,
            "InvalidStateError" | "AbortError" | "UnknownError" => Self::Lost,
            _ => Self::Failed,
        }
    }
}

impl From<serde_json::Error> for Fault {
    fn from(_: serde_json::Error) -> Self {
        Self::Failed
    }
}

/// A request's result.
pub(crate) async fn result(request: &IdbRequest) -> Result<JsValue, Fault> {
    let settled = Promise::new(&mut |resolve, reject| {
        request.set_onsuccess(Some(&resolve));
        request.set_onerror(Some(&reject));
    });
    if JsFuture::from(settled).await.is_err() {
        let error = request.error().ok().flatten();
        return Err(error.map_or(Fault::Lost, |error| JsValue::from(error).into()));
    }
    Ok(request.result()?)
}

/// A transaction's end. Made before its first request, so that no event is missed.
pub(crate) struct Finish(JsFuture);

impl Finish {
    pub(crate) fn of(tx: &IdbTransaction) -> Self {
        // Either event resolves it: a rejection that nobody awaits would be reported as an error.
        let ended = Promise::new(&mut |resolve, _| {
            tx.set_oncomplete(Some(&resolve));
            tx.set_onabort(Some(&resolve));
        });
        Self(JsFuture::from(ended))
    }

    /// Waits for `complete`. An abort's reason stands in the transaction, also where the commit
    /// itself failed and no request has an error.
    pub(crate) async fn completed(self, tx: &IdbTransaction) -> Result<(), Fault> {
        let event = self.0.await?;
        let complete = event.dyn_ref::<Event>().is_some_and(|event| event.type_() == "complete");
        if complete {
            return Ok(());
        }
        Err(tx.error().map_or(Fault::Lost, |error| JsValue::from(error).into()))
    }
}
