//! What the view needs of the browser: time, focus, the clipboard, addresses.

use crate::{
    address::INBOX,
    store::{Now, RoomLine},
};
use holdfast_common::time::{Instant, Timestamp};
use js_sys::Function;
use leptos::prelude::{document, request_animation_frame, window};
use std::cmp::Ordering;
use wasm_bindgen::{JsCast, JsValue};

/// Both clocks, now.
#[must_use]
pub fn now() -> Now {
    let steady = window().performance().map_or(0.0, |clock| clock.now());
    Now { steady: Instant(whole(steady)), wall: Timestamp(whole(js_sys::Date::now())) }
}

/// The number of the day, in the reader's time zone, that a time is in.
#[must_use]
pub fn day_of(at: Timestamp) -> i64 {
    const MINUTES: i64 = 24 * 60;
    let date = js_sys::Date::new(&js_sys::Number::from(float(at)));
    let behind = date.get_timezone_offset();
    let minutes = (float(at) / 60_000.0 - behind).floor();
    #[allow(clippy::cast_possible_truncation)] // A float past the range becomes its end.
    let minutes = minutes as i64;
    minutes.div_euclid(MINUTES)
}

/// A time as JavaScript has it.
#[must_use]
#[allow(clippy::cast_precision_loss)] // Exact for 285,000 years.
pub fn float(at: Timestamp) -> f64 {
    at.0 as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Clamped at both ends.
fn whole(ms: f64) -> u64 {
    ms.max(0.0) as u64
}

thread_local! {
    /// Making a collator takes longer than a hundred uses of it.
    static COLLATOR: Function = collator();
}

/// A function of two names, as the reader's language orders them; numbers in them by their size.
fn collator() -> Function {
    let options = js_sys::Object::new();
    // Setting a property of a new object cannot fail.
    let _ = js_sys::Reflect::set(&options, &"numeric".into(), &true.into());
    js_sys::Intl::Collator::new(&js_sys::Array::new(), options.unchecked_ref()).compare()
}

/// Which of two names stands first.
#[must_use]
pub fn by_name(a: &str, b: &str) -> Ordering {
    let said = COLLATOR.with(|compare| compare.call2(&JsValue::UNDEFINED, &a.into(), &b.into()));
    let said = said.ok().and_then(|said| said.as_f64()).unwrap_or(0.0);
    said.partial_cmp(&0.0).unwrap_or(Ordering::Equal)
}

/// Whether a person is looking at the page.
#[must_use]
pub fn attended() -> bool {
    let document = document();
    !document.hidden() && document.has_focus().unwrap_or(false)
}

/// Puts a text on the clipboard, where the browser lets it.
pub fn copy(text: &str) {
    let clipboard = window().navigator().clipboard();
    // Absent where the page is not served from a secure origin; there is no answer to wait for.
    if js_sys::Reflect::has(&clipboard, &"writeText".into()).unwrap_or(false) {
        let _ = clipboard.write_text(text);
    }
}

/// The path of a room in the list. The name of one that is no more may be another's by now.
#[must_use]
pub fn path(line: &RoomLine) -> String {
    match (line.inbox, line.gone) {
        (true, _) => INBOX.into(),
        (_, true) => room_path("", line.id),
        _ => room_path(&line.name, line.id),
    }
}

/// A room's path. A name that an address would swallow is replaced by the room's id.
#[must_use]
pub fn room_path(name: &str, id: holdfast_common::id::RoomId) -> String {
    if matches!(name, "" | "." | "..") {
        return format!("/rooms/{id}");
    }
    format!("/rooms/{}", String::from(js_sys::encode_uri_component(name)))
}

/// The page's own origin.
#[must_use]
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Loads the page anew.
pub fn reload() {
    let _ = window().location().reload();
}

/// Moves the keyboard's focus to the first element that matches.
pub fn focus(selector: &str) {
    focus_any(&[selector]);
}

/// Moves the keyboard's focus to the first element that matches the first of the selectors that
/// any element matches; `false` where there is none.
pub fn focus_any(selectors: &[&str]) -> bool {
    let mut found = selectors.iter().filter_map(|selector| find(selector));
    found.next().is_some_and(|element| element.focus().is_ok())
}

fn find(selector: &str) -> Option<web_sys::HtmlElement> {
    let found = document().query_selector(selector).ok().flatten();
    found.and_then(|found| found.dyn_into().ok())
}

/// Presses the first element that matches, as its reader would.
pub fn click(selector: &str) {
    if let Some(element) = find(selector) {
        element.click();
    }
}

/// Moves the keyboard's focus once what is to have it is on the page, if it would else be lost:
/// nothing has it, or something in `gone` that is about to be hidden.
pub fn keep_focus(selector: &'static str, gone: &'static str) {
    request_animation_frame(move || {
        let active = document().active_element();
        let stays = |active: web_sys::Element| {
            active.tag_name() != "BODY" && !matches!(active.closest(gone), Ok(Some(_)))
        };
        if !active.is_some_and(stays) {
            focus(selector);
        }
    });
}

/// Whether a key is Enter alone, and not one that ends the writing of a composed character. Safari says of
/// that one only by its code, 229, which the other keys of a composition have as well.
#[must_use]
pub fn is_enter(event: &web_sys::KeyboardEvent) -> bool {
    event.key() == "Enter" && !event.shift_key() && !event.is_composing() && event.key_code() != 229
}

/// Whether this is no touch screen.
#[must_use]
pub fn has_pointer() -> bool {
    matches("(hover: hover) and (pointer: fine)")
}

/// Whether a media query holds.
#[must_use]
pub fn matches(query: &str) -> bool {
    let query = window().match_media(query).ok().flatten();
    query.is_some_and(|query| query.matches())
}
