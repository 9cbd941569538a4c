//! Reads JSON into declared types, for the page.
//!
//! It says that a text is unreadable and never why, and it reads structs from objects alone. In
//! return it, and what `derive` makes for it, take a part of the room that a full reader takes in
//! the browser. The server reads frames with `serde_json`, which says why; where both accept a text
//! they read the same.

mod scan;
mod values;

use scan::Scan;
use serde::de::{DeserializeOwned, Error};
use std::fmt;

/// The text is not JSON, or not of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not JSON of the expected form")
    }
}

impl std::error::Error for Unreadable {}

impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, _: &dyn serde::de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: serde::de::Unexpected<'_>, _: &dyn serde::de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn serde::de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

/// Reads a value.
///
/// # Errors
/// The text is not JSON, or not of the type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unreadable> {
    let mut scan = Scan::new(text);
    let value = T::deserialize(&mut scan)?;
    scan.end()?;
    Ok(value)
}

/// The elements of an array, unread.
///
/// # Errors
/// The text is not a JSON array.
pub fn elements(text: &str) -> Result<Vec<&str>, Unreadable> {
    let mut scan = Scan::new(text);
    let mut elements = Vec::new();
    scan.open(b'[')?;
    while scan.another(b']', elements.is_empty())? {
        elements.push(scan.skip()?);
    }
    scan.end()?;
    Ok(elements)
}

/// The name of an object's only field.
#[must_use]
pub fn only_name(text: &str) -> Option<String> {
    let mut scan = Scan::new(text);
    scan.open(b'{').ok()?;
    let name = scan.name().ok()?.into_owned();
    scan.skip().ok()?;
    let more = scan.another(b'}', false).ok()?;
    (!more && scan.end().is_ok()).then_some(name)
}

#[cfg(test)]
mod tests;
