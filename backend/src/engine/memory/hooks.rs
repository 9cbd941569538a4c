//! Webhooks in memory.

use super::MemoryEngine;
use crate::engine::Hooks;
use async_trait::async_trait;
use holdfast_common::{
    id::{RoomId, WebhookId},
    storage::{
        Fault,
        hooks::{HookChange, Hooked, Webhook},
        jobs::By,
    },
};

#[async_trait]
impl Hooks for MemoryEngine {
    async fn add_webhook(&self, webhook: Webhook, by: By) -> Result<Hooked, Fault> {
        self.work(|work| work.add_webhook(&webhook, &by)).map(|(hooked, _)| hooked)
    }

    async fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Fault> {
        self.read(|work| work.webhooks(room))
    }

    async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault> {
        self.read(|work| work.webhook(id))
    }

    async fn change_webhook(
        &self,
        id: WebhookId,
        change: HookChange,
        by: By,
    ) -> Result<bool, Fault> {
        self.work(|work| work.change_webhook(id, &change, &by)).map(|(changed, _)| changed)
    }
}
