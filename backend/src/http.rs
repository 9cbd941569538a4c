//! The plain HTTP interface: the same logs, for services and other languages.

pub(crate) mod events;
pub(crate) mod health;
