//! What can happen to a connection of jobs.

use holdfast_common::{
    job::Place,
    proof::{Fate, JOBS},
};
use proptest::{prelude::*, sample::select};

#[derive(Debug, Clone)]
pub enum Deed {
    /// A frame with the next number.
    Ask(Ask),
    Credit(u8, u32),
    /// The oldest, or another, of what was asked for is answered.
    Answer(usize, Fate),
    /// A claim of a subscription, which may have ended, gets so many jobs.
    Push(u8, u8),
    /// Something changes: so many jobs from that one on, in this way.
    Change(u8, u16, Place, Place),
    Missed,
    Figures,
    Flushed,
    Later(u64),
    Drain,
    Gone,
    /// Bytes that are no frame, mostly.
    Bytes(Vec<u8>),
}

#[derive(Debug, Clone)]
pub enum Ask {
    Consume(u8, u32),
    Unconsume(u8),
    Enqueue(u8, i64),
    Take(u8),
    Complete(u8, Option<u8>, &'static str),
    Snooze(u8, Option<u8>),
    Extend(u8),
    Watch(u8),
    Unwatch(u8),
    More(u8),
    Pause,
}

pub fn ask() -> impl Strategy<Value = Ask> {
    let (n, next) = (0..4_u8, prop::option::of(0..4_u8));
    let payload = select(vec!["", "null", "{}", "{", "[1,\n2]"]);
    prop_oneof![
        3 => (n.clone(), 0..40_u32).prop_map(|(queue, credit)| Ask::Consume(queue, credit)),
        1 => n.clone().prop_map(Ask::Unconsume),
        1 => (n.clone(), -200..200_i64).prop_map(|(job, priority)| Ask::Enqueue(job, priority)),
        2 => n.clone().prop_map(Ask::Take),
        3 => (n.clone(), next.clone(), payload).prop_map(|(job, next, it)| Ask::Complete(job, next, it)),
        1 => (n.clone(), next).prop_map(|(job, next)| Ask::Snooze(job, next)),
        1 => n.clone().prop_map(Ask::Extend),
        2 => n.clone().prop_map(Ask::Watch),
        1 => n.clone().prop_map(Ask::Unwatch),
        1 => n.prop_map(Ask::More),
        1 => Just(Ask::Pause),
    ]
}

pub fn deed() -> impl Strategy<Value = Deed> {
    let place = || select(Place::ALL.to_vec());
    let fate = prop_oneof![
        3 => Just(Fate::Done),
        3 => (0..4_u8).prop_map(Fate::More),
        1 => Just(Fate::Late),
        1 => Just(Fate::Refused),
    ];
    prop_oneof![
        12 => ask().prop_map(Deed::Ask),
        3 => (0..6_u8, 0..40_u32).prop_map(|(sub, n)| Deed::Credit(sub, n)),
        14 => (any::<usize>(), fate).prop_map(|(at, fate)| Deed::Answer(at, fate)),
        5 => (0..6_u8, 0..5_u8).prop_map(|(sub, jobs)| Deed::Push(sub, jobs)),
        5 => (0..JOBS as u8, prop_oneof![9 => 1..4_u16, 1 => 200..300_u16], place(), place())
            .prop_map(|(job, count, from, to)| Deed::Change(job, count, from, to)),
        1 => Just(Deed::Missed),
        1 => Just(Deed::Figures),
        8 => Just(Deed::Flushed),
        3 => (0..400_u64).prop_map(Deed::Later),
        1 => select(vec![Deed::Drain, Deed::Gone]),
        1 => prop::collection::vec(any::<u8>(), 0..24).prop_map(Deed::Bytes),
    ]
}
