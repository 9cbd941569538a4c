//! Holdfast in a browser: the link and the store as a library, and the page that uses it.

pub mod address;
pub mod app;
pub mod board;
pub mod browser;
pub mod components;
pub mod format;
pub mod link;
pub mod pages;
pub mod store;
pub mod text;
pub mod view;
