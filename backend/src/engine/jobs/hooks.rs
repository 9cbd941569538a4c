//! Webhooks, and what they are to be told.

use super::{
    Work,
    audit::Note,
    rows::{Rows, Seq},
    work::Worked,
};
use holdfast_common::{
    id::{JobId, RoomId, WebhookId},
    job::NewJob,
    storage::{
        Append, Appended, Fault, NewEntry,
        hooks::{HookChange, HookState, Hooked, WEBHOOKS, Webhook},
        jobs::{By, Did},
    },
    system::{self, Deliver, SYSTEM},
};

impl<R: Rows> Work<R> {
    pub(in crate::engine) fn add_webhook(
        &mut self,
        webhook: &Webhook,
        by: &By,
    ) -> Worked<Hooked, R> {
        let Some(there) = self.rows.webhooks(webhook.room)? else {
            return Ok(Hooked::NoRoom);
        };
        if there.len() >= WEBHOOKS {
            return Ok(Hooked::TooMany);
        }
        self.note_webhook(webhook.id, by, Did::WebhookMade)?;
        self.rows.add_webhook(webhook)?;
        Ok(Hooked::Made)
    }

    pub(in crate::engine) fn webhooks(&self, room: RoomId) -> Worked<Option<Vec<Webhook>>, R> {
        self.rows.webhooks(room)
    }

    pub(in crate::engine) fn webhook(&self, id: WebhookId) -> Worked<Option<Webhook>, R> {
        self.rows.webhook(id)
    }

    pub(in crate::engine) fn change_webhook(
        &mut self,
        id: WebhookId,
        change: &HookChange,
        by: &By,
    ) -> Worked<bool, R> {
        let Some(mut webhook) = self.rows.webhook(id)? else {
            return Ok(false);
        };
        let did = match change {
            HookChange::Secret(key, at) => {
                webhook.before = Some(std::mem::replace(&mut webhook.secret, key.clone()));
                webhook.changed = *at;
                Did::WebhookSecret
            }
            // Of several that were under way each is told so.
            HookChange::End if webhook.state == HookState::Ended => return Ok(true),
            HookChange::End => {
                webhook.state = HookState::Ended;
                Did::WebhookEnded
            }
            HookChange::Remove => Did::WebhookRemoved,
        };
        match change {
            HookChange::Remove => self.rows.drop_webhook(&webhook)?,
            _ => self.rows.keep_webhook(&webhook)?,
        }
        self.note_webhook(id, by, did)?;
        Ok(true)
    }

    /// Appends an event, and enqueues what webhooks are to be told of it.
    pub(super) fn push(&mut self, append: &Append) -> Worked<Appended, R> {
        let (appended, hooked) = self.rows.append(append)?;
        if let Appended::Decided { entry: Some(new), .. } = &appended
            && hooked
        {
            self.tell_webhooks(new)?;
        }
        Ok(appended)
    }

    fn tell_webhooks(&mut self, new: &NewEntry) -> Worked<(), R> {
        let webhooks = self.rows.webhooks(new.room)?.unwrap_or_default();
        for webhook in webhooks.iter().filter(|webhook| webhook.hears(&new.entry.kind)) {
            let deliver = Deliver {
                webhook: webhook.id,
                room: new.room,
                epoch: new.epoch,
                offset: Some(new.entry.offset),
            };
            let mut job = NewJob::of(self.fresh_job()?, &deliver);
            job.group = webhook.ordered.then(|| webhook.id.to_string());
            let queue = self.queue_of_webhooks()?;
            self.add(&job, queue, None)?;
        }
        Ok(())
    }

    fn queue_of_webhooks(&mut self) -> Worked<Seq, R> {
        let queue = self.queue_named(SYSTEM, system::WEBHOOKS)?;
        queue.ok_or_else(|| Fault::Failed("webhooks have no queue".to_owned()).into())
    }

    fn fresh_job(&self) -> Result<JobId, Fault> {
        let mut random = [0; 10];
        getrandom::fill(&mut random).map_err(|error| Fault::Failed(error.to_string()))?;
        Ok(JobId::new(self.moment.wall.0, &random))
    }

    fn note_webhook(&mut self, id: WebhookId, by: &By, did: Did) -> Worked<(), R> {
        let queue = self.queue_of_webhooks()?;
        self.note(queue, by, Note::plain(did, Some(id.to_string()))).map(drop)
    }
}
