//! The browser's hints that a connection may be dead, or possible again.

use super::clock;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Document, EventTarget, VisibilityState};

/// Calls `woke` for as long as the page lives: when it comes to the foreground or back from sleep,
/// and when the network changes.
pub(super) fn listen(woke: impl Fn() + Clone + 'static) {
    let window = clock::window();
    for event in ["online", "offline", "pageshow", "focus"] {
        on(&window, event, woke.clone());
    }
    let Some(document) = window.document() else {
        return;
    };
    on(&document, "resume", woke.clone());
    let seen = document.clone();
    on(&document, "visibilitychange", move || {
        if visible(&seen) {
            woke();
        }
    });
}

fn visible(document: &Document) -> bool {
    document.visibility_state() == VisibilityState::Visible
}

fn on(target: &EventTarget, event: &str, call: impl Fn() + 'static) {
    let call = Closure::<dyn Fn()>::new(call);
    // Without it the page finds out by its own pings, a little later.
    let _ = target.add_event_listener_with_callback(event, call.as_ref().unchecked_ref());
    call.forget();
}
