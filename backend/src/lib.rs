//! Holdfast's server as a library: [`app`] makes an axum router of an [`engine`], namespaces with
//! their rules, and limits; [`serve`] is the program around it.

pub mod app;
pub mod cli;
mod clock;
mod commit;
pub mod config;
pub mod domain;
pub mod engine;
pub mod export;
mod failpoint;
pub mod guard;
mod http;
mod hub;
pub mod limits;
mod metrics;
mod page;
mod patient;
mod place;
mod problem;
mod queues;
mod rights;
pub mod serve;
mod teller;
mod turns;
mod walk;
pub mod webhook;
pub mod worker;
mod ws;
