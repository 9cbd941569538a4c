//! What the page asks of its window: time, chance, timers.

use holdfast_common::{
    id::EventId,
    time::{Instant, Timestamp},
};
use js_sys::Promise;
use std::cell::Cell;
use wasm_bindgen::{JsCast, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::Window;

pub(super) fn window() -> Window {
    web_sys::window().expect("a page has a window")
}

/// The steady clock.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn now() -> Instant {
    let performance = window().performance();
    Instant(performance.map_or_else(js_sys::Date::now, |clock| clock.now()) as u64)
}

/// The wall clock.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn wall() -> Timestamp {
    Timestamp(js_sys::Date::now() as u64)
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let crypto = window().crypto().expect("every page has a crypto object");
    crypto.get_random_values_with_u8_array(&mut bytes).expect("a few bytes are always granted");
    bytes
}

/// A random number.
pub(super) fn random_u64() -> u64 {
    u64::from_be_bytes(random())
}

/// The parts of a new id of any kind. While a page is open its milliseconds strictly increase, also where the
/// wall clock stands still or is set back: by their ids is the order in which things were made.
pub(super) fn id_parts() -> (u64, [u8; 10]) {
    thread_local!(static LAST: Cell<u64> = const { Cell::new(0) });
    let ms = LAST.with(|last| {
        last.set(wall().0.max(last.get() + 1));
        last.get()
    });
    (ms, random())
}

/// A new event id.
pub(super) fn event_id() -> EventId {
    let (ms, random) = id_parts();
    EventId::new(ms, &random)
}

/// Waits so many milliseconds.
pub(super) async fn sleep(ms: i32) {
    let over = Promise::new(&mut |resolve, _| {
        // A page that is being closed has no timers any more; then nothing is waited for either.
        let _ = window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, ms);
    });
    let _ = JsFuture::from(over).await;
}

/// One call at a given time, unless it is dropped before.
pub(super) struct Timer {
    id: Option<i32>,
    _call: Closure<dyn FnMut()>,
}

impl Timer {
    pub(super) fn at(now: Instant, due: Instant, call: impl FnMut() + 'static) -> Self {
        // At least 1 ms: the clock's fraction is cut off, and a timer may be early.
        let ms = i32::try_from((due - now).0.max(1)).unwrap_or(i32::MAX);
        let call = Closure::<dyn FnMut()>::new(call);
        let id = window().set_timeout_with_callback_and_timeout_and_arguments_0(
            call.as_ref().unchecked_ref(),
            ms,
        );
        Self { id: id.ok(), _call: call }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            window().clear_timeout_with_handle(id);
        }
    }
}
