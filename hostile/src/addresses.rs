//! The page's addresses, and the texts that people write.

use holdfast_frontend::{
    address::Place,
    text::{self, Part},
};
use std::fmt::Write as _;

/// An address is read, whatever it is, and a name that was encoded is the same name again. A text is
/// divided into parts that are the text again.
///
/// # Panics
/// One of that is not so.
pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (path, query) = text.split_once('?').unwrap_or((&text, ""));
    if let Place::Room(name, _) = Place::read(path, query) {
        assert!(!name.is_empty(), "a room has a name: {text:?}");
        named(&name);
    }
    named(&text);
    divided(&text);
}

fn named(name: &str) {
    let mut path = "/rooms/".to_owned();
    for byte in name.bytes() {
        write!(path, "%{byte:02X}").expect("a string takes everything");
    }
    if !name.is_empty() {
        assert_eq!(Place::read(&path, "?at=7"), Place::Room(name.to_owned(), Some(7)));
    }
}

fn divided(text: &str) {
    let mut whole = String::new();
    for part in text::parts(text) {
        match part {
            Part::Plain(part) => whole.push_str(part),
            Part::Link(link) => {
                let web = link.starts_with("http://") || link.starts_with("https://");
                let odd = |it: char| it.is_whitespace() || it.is_control();
                assert!(web && !link.contains(odd), "no web address: {link:?}");
                whole.push_str(link);
            }
        }
    }
    assert_eq!(whole, text, "the parts are the text again");
}
