//! The lock that the browser gives to one tab at a time, and takes back when the tab is gone.

use super::clock;
use js_sys::{Function, Object, Promise, Reflect};
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

/// Waits for the lock, however long it takes, or takes it from the tab that has it. Then another
/// tab may take it from this one, which is told by `stolen`.
pub(super) fn request(
    steal: bool,
    granted: impl FnOnce(Lock) + 'static,
    stolen: impl FnOnce() + 'static,
) {
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
    let options = Object::new();
    let Ok(request) = Reflect::get(&locks, &"request".into()) else {
        return;
    };
    if Reflect::set(&options, &"steal".into(), &steal.into()).is_err() {
        return;
    }
    let request: Function = request.unchecked_into();
    if let Ok(over) = request.call3(&locks, &NAME.into(), &options, &granted) {
        spawn_local(async move {
            if JsFuture::from(over.unchecked_into::<Promise>()).await.is_err() {
                stolen();
            }
        });
    }
}
