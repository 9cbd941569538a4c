//! Those who look which schedules are due, and have them fired. There are two, who know nothing of each
//! other.

use super::{Call, SECOND, Server, Way};
use crate::{
    deed::Task,
    disk::{Disk, next_of},
};
use holdfast_common::{
    storage::jobs::By,
    storage::schedules::{Fire, ScheduleState},
    time::{Instant, Millis, Timestamp},
};

/// When somebody looks next, and what of the last look is not answered.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    pub at: Instant,
    pub under_way: u32,
}

impl Server {
    pub(super) fn may_look(&self, now: Instant, ways: &mut Vec<Way>) {
        if self.store.disk.schedules.is_empty() {
            return;
        }
        let can = |look: &Look| look.under_way == 0 && look.at <= now;
        let looks = self.looks.iter().enumerate().filter(|(_, look)| can(look));
        ways.extend(looks.map(|(which, _)| Way::Look(which)));
    }

    pub(super) fn looks_wake(&self) -> Option<Instant> {
        let looks = self.looks.iter().filter(|look| look.under_way == 0).map(|look| look.at);
        looks.min().filter(|_| !self.store.disk.schedules.is_empty())
    }

    pub(super) fn look(&mut self, which: usize, now: Instant, wall: Timestamp) {
        let schedules = self.store.disk.schedules.clone();
        let mut first = None;
        for (n, timed) in schedules {
            let Some(next) = timed.schedule.next() else { continue };
            if next > wall {
                first = Some(first.map_or(next, |first: Timestamp| first.min(next)));
                continue;
            }
            let by = By { person: timed.schedule.by, name: "the server".to_owned() };
            let then = Ok(next_of(&timed.schedule.cron, wall));
            let fire = Fire { schedule: timed.schedule, then, by };
            self.looks[which].under_way += 1;
            self.store.put(Call::Fire(which), Task::Fire { n, fire, looked: wall });
        }
        let pause = first.map_or(SECOND, |first| Millis(first.0.saturating_sub(wall.0)));
        self.looks[which].at = now + pause.clamp(Millis(10), SECOND);
    }
}

/// A fault to be planted: what has come while nobody looked is not looked for.
pub fn count_anew(disk: &mut Disk, wall: Timestamp) {
    for timed in disk.schedules.values_mut() {
        if let ScheduleState::Active { next } = &mut timed.schedule.state {
            *next = next_of(&timed.schedule.cron, wall);
        }
    }
}
