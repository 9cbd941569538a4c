//! The lock that the browser gives to one tab at a time, and takes back when the tab is gone.

use super::clock;
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// The lock's name.
const NAME: &str = "holdfast-lead";

/// The lock, while it is held. Dropping it gives it back.
pub(super) struct Lock {
    give_back: Function,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.give_back.call0(&JsValue::UNDEFINED);
    }
}

/// Whether the browser has locks; it has none on a page that came over plain HTTP.
pub(super) fn available() -> bool {
    manager().is_some()
}

/// By its name, since `web-sys` has it among its unstable parts only.
fn manager() -> Option<JsValue> {
    let locks = Reflect::get(&clock::window().navigator(), &"locks".into()).ok()?;
    locks.is_object().then_some(locks)
}

/// Waits for the lock, however long it takes.
pub(super) fn request(granted: impl FnOnce(Lock) + 'static) {
    let Some(locks) = manager() else { return };
    // The lock is held until the promise that this returns is resolved.
    let granted = Closure::once_into_js(move |_: JsValue| {
        let mut granted = Some(granted);
        Promise::new(&mut |give_back, _| {
            if let Some(granted) = granted.take() {
                granted(Lock { give_back });
            }
        })
    });
    let Ok(request) = Reflect::get(&locks, &"request".into()) else {
        return;
    };
    let request: Function = request.unchecked_into();
    if let Ok(over) = request.call2(&locks, &NAME.into(), &granted) {
        // Awaited so that a refusal is not reported as an error; such a tab goes on following.
        spawn_local(async move {
            let _ = JsFuture::from(over.unchecked_into::<Promise>()).await;
        });
    }
}
