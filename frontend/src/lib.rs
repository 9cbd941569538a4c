//! Holdfast in a browser: the link and the store as a library, and the page that uses it.

pub mod link;
pub mod store;
