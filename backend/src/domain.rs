//! What each namespace's events are checked against, one file per family.

pub mod chat;
pub mod work;
