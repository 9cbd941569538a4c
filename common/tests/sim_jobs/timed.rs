//! What people decide about schedules.

use crate::{
    client::name,
    deed::{Change, Govern, person},
    disk::{QUEUES, Timed, cron, next_of},
    sim::Sim,
};
use holdfast_common::{
    id::ScheduleId,
    storage::schedules::{Schedule, ScheduleState},
    time::Millis,
};

/// Schedules of a run, at most.
pub const SCHEDULES: usize = 4;

impl Sim {
    pub fn schedule(&mut self, n: usize, form: u64) -> Option<Govern> {
        let wall = self.wall();
        let there = self.server.store.disk.schedules.get(&n).map(|it| it.schedule.clone());
        let change = match form & 7 {
            4 => there.map(|_| Change::Pause)?,
            5 | 6 => {
                let there = there?;
                Change::Resume(there.id, next_of(&there.cron, wall))
            }
            7 => there.map(|_| Change::Remove)?,
            _ => {
                let cron = cron(Millis([5_000, 20_000, 60_000][(form >> 3) as usize % 3]));
                let mut id = [0; 16];
                id[8..].copy_from_slice(&self.number().to_be_bytes());
                let queue = (form >> 5) as usize % QUEUES;
                let schedule = Schedule {
                    id: ScheduleId::from_bytes(id),
                    ns: "work".to_owned(),
                    name: format!("schedule {n}"),
                    state: ScheduleState::Active { next: next_of(&cron, wall) },
                    cron,
                    queue: name(queue),
                    kind: "task".to_owned(),
                    last: None,
                    made: wall,
                    by: person(2),
                };
                Change::Set(Box::new(Timed { schedule, queue, form }))
            }
        };
        Some(Govern::Timed(n, change))
    }
}
