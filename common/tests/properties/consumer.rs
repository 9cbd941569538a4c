//! A connection of jobs, over a driver whose answers come late, in any order or not at all, and may be
//! of any kind.

mod deeds;
mod world;

use crate::cases;
use deeds::{Ask, Deed, deed};
use holdfast_common::{
    consumer::Output,
    id::JobId,
    job::Place,
    proof::{Fate, JOBS, job},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use world::World;

proptest! {
    #![proptest_config(cases(512))]

    /// No deed makes it panic, tell of a job twice or not at all, push without credit, or leave a
    /// request without its one answer once the driver has answered all.
    #[test]
    fn a_connection_answers_once_pushes_for_credit_and_loses_no_lease(
        deeds in prop::collection::vec(deed(), 1..160)
    ) {
        let mut world = World::new();
        for deed in deeds {
            world.step(deed);
        }
        world.desk.ends(Fate::Done);
    }

    /// Whatever is read late, fails or is too much: who reads is shown the newest of each job in the end.
    #[test]
    fn each_change_is_shown_to_who_reads(
        changes in prop::collection::vec(
            (0..JOBS as u8, prop_oneof![9 => 1..4_u16, 1 => 200..300_u16], 0..4_u8, any::<bool>()),
            1..20,
        )
    ) {
        let mut world = World::new();
        world.step(Deed::Ask(Ask::Watch(0)));
        world.step(Deed::Answer(0, Fate::Done));
        let mut newest: BTreeMap<JobId, u64> = BTreeMap::new();
        let mut shown: BTreeMap<JobId, u64> = BTreeMap::new();
        let mut history: Vec<(u64, JobId)> = Vec::new();
        let calm = vec![(0, 0, 3, false); 6];
        // What is read may be answered behind later changes.
        for (first, count, does, fails) in changes.into_iter().chain(calm) {
            if count > 0 {
                world.step(Deed::Change(first, count, Place::Ready, Place::Leased));
            }
            for id in (0..count).map(|n| job(u16::from(first) + n)) {
                history.push((world.desk.version, id));
                newest.insert(id, world.desk.version);
            }
            if does > 1 {
                world.step(Deed::Flushed);
                world.step(Deed::Later(1_000));
            }
            if does % 2 == 0 || world.desk.open.is_empty() {
                continue;
            }
            let (known, asked) = &world.desk.open[0];
            let (known, ids): (u64, BTreeSet<JobId>) = match asked {
                Output::Jobs { ids, .. } => (*known, ids.iter().copied().collect()),
                Output::Board { .. } => (*known, newest.keys().copied().collect()),
                other => panic!("{other:?}"),
            };
            world.step(Deed::Answer(0, if fails { Fate::Refused } else { Fate::Done }));
            if !fails {
                let read = history.iter().filter(|(at, id)| *at <= known && ids.contains(id));
                shown.extend(read.map(|(at, id)| (*id, *at)));
            }
        }
        prop_assert_eq!(shown, newest);
    }
}
