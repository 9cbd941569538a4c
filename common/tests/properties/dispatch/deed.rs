//! What may happen, drawn at random.

use super::QUEUES;
use proptest::{prelude::*, sample::Index};

#[derive(Debug, Clone)]
pub(super) enum Deed {
    /// A consumer comes: to this queue, for so many, once or as long as it has credit.
    Come(u8, u32, bool),
    Credit(Index, u32),
    Leave(Index),
    /// Jobs are enqueued.
    Enqueue(u8, u8),
    /// So are these, in one transaction with the claims of those who wait for them; or all of it is
    /// refused.
    HandOver(u8, u8, bool),
    /// Somebody takes a job by its id.
    Take(u8),
    Pause(u8, bool),
    /// The store makes one of the claims that it was asked for. It may fail, or be limited.
    Commit(Index, Fate),
    /// One answer or one count is heard.
    Hear(Index),
    /// One count never is.
    Lose(Index),
    /// The driver counts the queues whose jobs are ready, and that is heard at once.
    Tend,
    Later(u64),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Done,
    Failed,
    /// The rate lets no more than one job begin.
    Limited(u64),
}

pub(super) fn deed() -> impl Strategy<Value = Deed> {
    let (queue, at) = (0..QUEUES, any::<Index>);
    let fate = prop_oneof![
        8 => Just(Fate::Done),
        1 => Just(Fate::Failed),
        1 => (1..3_000_u64).prop_map(Fate::Limited),
    ];
    let come = (queue.clone(), 0..200_u32, any::<bool>());
    prop_oneof![
        6 => come.prop_map(|(queue, jobs, once)| Deed::Come(queue, jobs.max(once.into()), once)),
        2 => (at(), 1..300_u32).prop_map(|(at, jobs)| Deed::Credit(at, jobs)),
        2 => at().prop_map(Deed::Leave),
        6 => (queue.clone(), 1..6_u8).prop_map(|(queue, jobs)| Deed::Enqueue(queue, jobs)),
        1 => queue.clone().prop_map(|queue| Deed::Enqueue(queue, 250)),
        3 => (queue.clone(), 1..4_u8, prop::bool::weighted(0.2))
            .prop_map(|(queue, jobs, refused)| Deed::HandOver(queue, jobs, refused)),
        2 => queue.clone().prop_map(Deed::Take),
        1 => (queue, any::<bool>()).prop_map(|(queue, on)| Deed::Pause(queue, on)),
        10 => (at(), fate).prop_map(|(at, fate)| Deed::Commit(at, fate)),
        10 => at().prop_map(Deed::Hear),
        2 => at().prop_map(Deed::Lose),
        1 => Just(Deed::Tend),
        2 => (1..1_500_u64).prop_map(Deed::Later),
    ]
}
