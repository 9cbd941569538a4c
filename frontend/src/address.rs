//! The page's addresses: which view each one names, and going from one to another without loading
//! the page again. A router of the size that a few addresses need.

use holdfast_common::{chat::LOBBY, cursor::Offset};
use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement};

/// The address of a person's inbox. No room's name leads here.
pub const INBOX: &str = "/inbox";

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A room, and a place in its log.
    Room(String, Option<Offset>),
    /// The person's inbox, and a place in its log.
    Inbox(Option<Offset>),
    /// Nothing.
    Nowhere,
}

impl Place {
    /// Reads a path and its query. `/` is the lobby.
    #[must_use]
    pub fn read(path: &str, query: &str) -> Self {
        if path == "/" {
            return Self::Room(LOBBY.into(), None);
        }
        let path = path.trim_end_matches('/');
        let at = query.trim_start_matches('?').split('&');
        let at = at.filter_map(|pair| pair.strip_prefix("at=")).next();
        let at = at.and_then(|at| at.parse().ok());
        match path.strip_prefix("/rooms/") {
            Some(name) if !name.is_empty() && !name.contains('/') => Self::Room(decode(name), at),
            None if path == INBOX => Self::Inbox(at),
            _ => Self::Nowhere,
        }
    }
}

/// The present address. Its copies are the same one.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// What it names.
    pub place: RwSignal<Place>,
}

impl Address {
    /// Follows the address, and takes over what links to other views would load. It lives as long
    /// as the page.
    #[must_use]
    pub fn start() -> Self {
        let address = Self { place: RwSignal::new(here()) };
        if address.place.with_untracked(|place| *place == Place::read("/", "")) {
            address.replace(&format!("/rooms/{LOBBY}"));
        }
        // Neither is ever removed.
        let _ = window_event_listener(ev::popstate, move |_| address.place.set(here()));
        let _ = window_event_listener(ev::click, move |event| address.clicked(&event));
        address
    }

    /// Goes to another address.
    pub fn go(self, path: &str) {
        if let Ok(history) = window().history() {
            let _ = history.push_state_with_url(&JsValue::NULL, "", Some(path));
        }
        self.place.set(here());
    }

    /// Gives the same place another address.
    pub fn replace(self, path: &str) {
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(path));
        }
        self.place.set(here());
    }

    /// The reader is at the newest event: the address names the room alone, and no place in it.
    pub fn leave_place(self) {
        let place = self.place.get_untracked();
        if let (Place::Room(_, Some(_)) | Place::Inbox(Some(_)), Ok(path)) =
            (place, window().location().pathname())
        {
            self.replace(&path);
        }
    }

    fn clicked(self, event: &ev::MouseEvent) {
        let meant_otherwise = event.default_prevented()
            || event.button() != 0
            || event.ctrl_key()
            || event.shift_key()
            || event.meta_key()
            || event.alt_key();
        let Some(link) = event.target().filter(|_| !meant_otherwise).and_then(link_of) else {
            return;
        };
        let place = Place::read(&link.pathname(), &link.search());
        let inside = link.origin() == crate::browser::origin() && link.target().is_empty();
        if inside && place != Place::Nowhere {
            event.prevent_default();
            self.go(&link.href());
        }
    }
}

/// The address, as the application's root provides it.
#[must_use]
pub fn use_address() -> Address {
    expect_context()
}

fn here() -> Place {
    let location = window().location();
    let path = location.pathname().unwrap_or_default();
    Place::read(&path, &location.search().unwrap_or_default())
}

fn link_of(target: web_sys::EventTarget) -> Option<HtmlAnchorElement> {
    let element = target.dyn_into::<Element>().ok()?;
    let link = element.closest("a[href]").ok()??;
    link.dyn_into().ok()
}

/// Undoes percent-encoding; what is not encoded text stays as it is.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).filter(|_| *first == b'%');
        let code = code.filter(|code| code.iter().all(u8::is_ascii_hexdigit));
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str, at: Option<Offset>) -> Place {
        Place::Room(name.into(), at)
    }

    #[test]
    fn a_path_names_a_room_and_a_query_a_place_in_it() {
        assert_eq!(Place::read("/", ""), room("lobby", None));
        assert_eq!(Place::read("/rooms/plans", ""), room("plans", None));
        assert_eq!(Place::read("/rooms/plans/", "?at=12"), room("plans", Some(12)));
        assert_eq!(Place::read("/rooms/plans", "?x=1&at=7"), room("plans", Some(7)));
        for nonsense in ["?at=", "?at=-1", "?at=99999999999999999999", "?at=x", "?"] {
            assert_eq!(Place::read("/rooms/plans", nonsense), room("plans", None));
        }
    }

    #[test]
    fn names_are_decoded_once() {
        assert_eq!(Place::read("/rooms/a%2Fb%20%C3%A4", ""), room("a/b ä", None));
        assert_eq!(Place::read("/rooms/100%25", ""), room("100%", None));
        assert_eq!(Place::read("/rooms/%2525", ""), room("%25", None));
        for broken in ["%", "%4", "%zz", "%+1", "%ff"] {
            assert_eq!(Place::read(&format!("/rooms/{broken}"), ""), room(broken, None));
        }
    }

    #[test]
    fn the_inbox_has_an_address_that_no_room_has() {
        assert_eq!(Place::read("/inbox", ""), Place::Inbox(None));
        assert_eq!(Place::read("/inbox/", "?at=3"), Place::Inbox(Some(3)));
        assert_eq!(Place::read("/rooms/inbox", ""), room("inbox", None));
        assert_eq!(Place::read("/rooms/%2Finbox", ""), room("/inbox", None));
    }

    #[test]
    fn other_paths_name_nothing() {
        for path in ["/rooms", "/rooms/", "/rooms/a/b", "/room/a", "//", "/Inbox", "/inbox/a"] {
            assert_eq!(Place::read(path, ""), Place::Nowhere, "{path}");
        }
    }
}
