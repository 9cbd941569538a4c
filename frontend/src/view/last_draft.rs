//! What was being written as the page ended. The browser may drop what a page hands over to its
//! database in the last moment, but keeps what it has put into the local storage.

use holdfast_common::id::RoomId;
use leptos::prelude::window;
use web_sys::Storage;

/// A room and a text, with a space between.
const KEY: &str = "holdfast-draft";

/// Absent where the browser keeps nothing: then the database alone has the text.
fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}

/// Keeps a text that was begun; an empty one is forgotten.
pub(super) fn leave(room: RoomId, text: &str) {
    if text.is_empty() {
        forget(room);
    } else if let Some(storage) = storage() {
        // Full, it keeps nothing; the database has the text as of a moment before.
        let _ = storage.set_item(KEY, &format!("{room} {text}"));
    }
}

/// Takes out what was kept.
pub(super) fn take() -> Option<(RoomId, String)> {
    let storage = storage()?;
    let kept = storage.get_item(KEY).ok()??;
    let _ = storage.remove_item(KEY);
    let (room, text) = kept.split_once(' ')?;
    Some((room.parse().ok()?, text.to_owned()))
}

/// The room's text was sent.
pub(super) fn forget(room: RoomId) {
    if let Some((of, text)) = take()
        && of != room
    {
        leave(of, &text);
    }
}
