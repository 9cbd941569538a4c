//! The seam's part of webhooks.

use async_trait::async_trait;
use holdfast_common::{
    id::{RoomId, WebhookId},
    storage::{
        Fault,
        hooks::{HookChange, Hooked, Webhook},
        jobs::By,
    },
};

/// A store of webhooks, beside the logs and in the same transactions: of each event that is appended to
/// a room, a job for each of its webhooks that [hears](Webhook::hears) of it stands in the queue
/// [`WEBHOOKS`](holdfast_common::system::WEBHOOKS), whether or not there is room in that: what happens
/// in a room does not wait for who is told of it. The webhooks of a room end with it.
///
/// Each change is noted among the [audits](holdfast_common::storage::jobs::Audit) of that queue, which
/// has to be there.
#[async_trait]
pub trait Hooks: Send + Sync + 'static {
    /// Makes a webhook.
    async fn add_webhook(&self, webhook: Webhook, by: By) -> Result<Hooked, Fault>;

    /// The webhooks of a room, in the order in which they were made. `None` if there is no room that
    /// could have some.
    async fn webhooks(&self, room: RoomId) -> Result<Option<Vec<Webhook>>, Fault>;

    /// A webhook.
    async fn webhook(&self, id: WebhookId) -> Result<Option<Webhook>, Fault>;

    /// Changes a webhook; false if there is none, or no longer. One that has ended stays so.
    async fn change_webhook(
        &self,
        id: WebhookId,
        change: HookChange,
        by: By,
    ) -> Result<bool, Fault>;
}
