//! What never fails.

use super::Faulty;
use async_trait::async_trait;
use holdfast_backend::engine::{Answer, Hooks, Schedules};
use holdfast_common::{
    id::{RoomId, WebhookId},
    storage::{
        Fault,
        hooks::{HookChange, Hooked, Webhook},
        jobs::By,
        schedules::{
            Due, Fire, Fired, NewSchedule, Schedule, ScheduleChange, ScheduleRead, Scheduled,
        },
    },
    time::Timestamp,
};

#[async_trait]
impl Hooks for Faulty {
    async fn add_webhook(&self, webhook: Webhook, by: By) -> Result<Hooked, Fault> {
        self.inner.add_webhook(webhook, by).await
    }

    async fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Fault> {
        self.inner.webhooks(room).await
    }

    async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault> {
        self.inner.webhook(id).await
    }

    async fn change_webhook(
        &self,
        id: WebhookId,
        change: HookChange,
        by: By,
    ) -> Result<bool, Fault> {
        self.inner.change_webhook(id, change, by).await
    }
}

#[async_trait]
impl Schedules for Faulty {
    fn wall(&self) -> Timestamp {
        self.inner.wall()
    }

    async fn set_schedule(&self, schedule: NewSchedule, by: By) -> Result<Scheduled, Fault> {
        self.inner.set_schedule(schedule, by).await
    }

    async fn schedule(&self, ns: &str, name: &str) -> Result<Option<ScheduleRead>, Fault> {
        self.inner.schedule(ns, name).await
    }

    async fn schedules(&self, ns: &str) -> Result<Vec<Schedule>, Fault> {
        self.inner.schedules(ns).await
    }

    async fn change_schedule(
        &self,
        ns: &str,
        name: &str,
        change: ScheduleChange,
        by: By,
    ) -> Result<Option<Schedule>, Fault> {
        self.inner.change_schedule(ns, name, change, by).await
    }

    async fn due(&self) -> Result<Due, Fault> {
        self.inner.due().await
    }

    async fn fire(&self, fire: Fire) -> Answer<Fired> {
        self.inner.fire(fire).await
    }
}
