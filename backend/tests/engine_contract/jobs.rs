//! What every engine promises about queues and jobs.

/// As `contract!`; the fact is told with a bench, whose queues are counted when it has been told.
macro_rules! contract_of_jobs {
    ($($fact:ident)*) => {
        mod memory {
            $(#[tokio::test] async fn $fact() {
                let bench = super::super::bench::Bench::memory();
                super::$fact(&bench).await;
                bench.counted().await;
            })*
        }
        mod sqlite {
            $(#[tokio::test] async fn $fact() {
                let bench = super::super::bench::Bench::sqlite();
                super::$fact(&bench).await;
                bench.counted().await;
            })*
        }
    };
}

pub(crate) mod bench;

mod calls;
mod claims;
mod clock;
pub(crate) mod commits;
mod ends;
mod events;
pub(crate) mod govern;
mod groups;
mod held;
mod hooks;
mod keys;
mod large;
mod late;
mod limits;
mod list;
mod many;
mod reference;
mod schedules;
mod tend;
mod told;
