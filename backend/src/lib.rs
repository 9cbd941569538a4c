//! Holdfast's server as a library: [`app`] makes an axum router of an [`engine`], namespaces with
//! their rules, and limits; [`program`] is what `holdfast` does with it.

pub mod app;
mod cli;
mod clock;
mod commit;
mod config;
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
pub mod program;
mod queues;
mod rights;
mod serve;
mod teller;
mod turns;
mod walk;
pub mod webhook;
pub mod worker;
mod ws;
