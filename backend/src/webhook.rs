//! Webhooks: what happens in a room, told to a service elsewhere as the Standard Webhooks specification
//! says. An event is a job for each webhook of its room. One attempt is [`Sender::deliver`]; whether there is
//! another, and when, is the queue's business.

mod address;
mod client;
mod net;
mod places;
mod sign;
mod target;
mod worker;

pub(crate) use client::Sender;
pub(crate) use sign::Secret;
pub use target::{BadAllowed, Inside, Public, Targets};
pub(crate) use worker::{Courier, queue};

#[cfg(test)]
mod tests;
