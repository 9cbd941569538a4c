//! What every engine promises, as one suite of facts that is run against each of them.
//!
//! A fact is an `async fn(Rig)`; `contract!` names the facts of a file and makes one test of each
//! for every engine. What only one engine can be asked (files, full disks) stands in its own file.

#![allow(clippy::unwrap_used, reason = "a fact that meets an error has failed")]

/// Makes a test of each fact for each engine.
macro_rules! contract {
    ($($fact:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $fact() { super::$fact(crate::Rig::memory()).await; })*
        }
        mod sqlite {
            $(#[tokio::test] async fn $fact() { super::$fact(crate::Rig::sqlite()).await; })*
        }
    };
}

mod engine_contract {
    pub(crate) mod rig;

    mod appends;
    mod calls;
    mod changes;
    mod disk;
    mod faults;
    pub(crate) mod folder;
    mod golden;
    mod greetings;
    mod inboxes;
    mod jobs;
    mod keys;
    mod lanes;
    mod model;
    mod reading;
    mod reference;
    mod registers;
    mod rooms;
}

use engine_contract::rig::Rig;
