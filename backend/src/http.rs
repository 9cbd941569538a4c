//! The plain HTTP interface: the same logs, for services and other languages.

mod body;
mod caller;
pub(crate) mod events;
pub(crate) mod exports;
pub(crate) mod health;
pub(crate) mod queues;
pub(crate) mod routes;
pub(crate) mod schedules;
pub(crate) mod webhooks;
