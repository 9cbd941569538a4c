//! Schedules in memory.

use super::MemoryEngine;
use crate::engine::{Answer, Schedules};
use async_trait::async_trait;
use holdfast_common::{
    storage::{
        Fault,
        jobs::By,
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, Scheduled,
        },
    },
    time::Timestamp,
};

#[async_trait]
impl Schedules for MemoryEngine {
    fn wall(&self) -> Timestamp {
        self.ticks.peek().wall
    }

    async fn set_schedule(&self, schedule: NewSchedule, by: By) -> Result<Scheduled, Fault> {
        self.work(|work| work.set_schedule(&schedule, &by)).map(|(scheduled, _)| scheduled)
    }

    async fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Fault> {
        self.read(|work| work.schedule(ns, name))
    }

    async fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Fault> {
        self.read(|work| work.schedules(ns))
    }

    async fn change_schedule(
        &self,
        ns: &str,
        name: &str,
        change: ScheduleChange,
        by: By,
    ) -> Result<Option<Schedule>, Fault> {
        let changed = self.work(|work| work.change_schedule(ns, name, &change, &by));
        changed.map(|(schedule, _)| schedule)
    }

    async fn due(&self) -> Result<Due, Fault> {
        self.read(|work| work.due())
    }

    async fn fire(&self, fire: Fire) -> Answer<Fired> {
        self.work(|work| work.fire(&fire))
    }
}
