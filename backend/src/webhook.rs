//! Webhooks: what happens in a room, told to a service elsewhere as the Standard Webhooks specification
//! says. One attempt is [`Sender::deliver`]; whether there is another, and when, is the queue's business.

mod address;
mod client;
mod sign;
mod target;

pub(crate) use client::{Message, Outcome, Sender};
pub(crate) use sign::Secret;
pub(crate) use target::{BadTarget, Inside, Public, Targets};

#[cfg(test)]
mod tests;
