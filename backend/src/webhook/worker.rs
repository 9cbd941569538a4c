//! The worker that tells webhooks what happened: one job is one event for one of them.

use super::{
    client::{self, Message, Sender},
    places::Places,
    sign::Secret,
};
use crate::{
    app::Shared,
    clock,
    engine::Engine,
    limits::READ_BYTES,
    worker::{Leased, Outcome, Worker},
};
use axum::body::Bytes;
use chrono::{DateTime, SecondsFormat};
use holdfast_common::{
    cursor::Head,
    frame::Entry,
    id::{Epoch, PersonId},
    job::{QueueSettings, QueueType},
    storage::{
        Fault, Slice,
        hooks::{HookChange, HookState, Webhook},
        jobs::By,
    },
    system::{self, Deliver, Delivered, NotDelivered, SYSTEM, Undelivered, WEBHOOKS},
    time::{Millis, Timestamp},
};
use serde_json::json;
use std::sync::Arc;
use tokio::time::Instant;

/// How long it waits for a storage that could not say for now. No attempt is lost by that.
const STORAGE_WAIT: Millis = Millis(1_000);

/// Attempts of one delivery, and its wait after the first: a receiver that is away for a day has it
/// all the same, however the waits are drawn, and one that was away for seconds has it soon.
const ATTEMPTS: u32 = 18;
const FIRST_WAIT: Millis = Millis(5_000);

/// The queue of what is to be told.
pub(crate) fn queue() -> QueueType {
    let queue = system::queues().into_iter().find(|queue| queue.spec.name == WEBHOOKS);
    queue.expect("it is declared").with(QueueSettings {
        attempts: ATTEMPTS,
        backoff: FIRST_WAIT,
        ..QueueSettings::default()
    })
}

/// Tells webhooks what happened.
pub(crate) struct Courier {
    engine: Arc<dyn Engine>,
    sender: Arc<Sender>,
    places: Arc<Places>,
    /// In whose name a webhook is ended.
    by: By,
}

impl Courier {
    pub(crate) fn new(shared: &Shared) -> Self {
        Self {
            engine: Arc::clone(&shared.engine),
            sender: Arc::clone(&shared.sender),
            places: Arc::default(),
            by: By { person: PersonId::NIL, name: shared.author.name.clone() },
        }
    }

    async fn deliver(&self, job: &Leased<Deliver>) -> Result<Outcome<Deliver>, Fault> {
        let (id, deliver) = (job.id(), &job.data);
        let Some(webhook) = self.engine.webhook(deliver.webhook).await? else {
            return Ok(unsent("the webhook was removed"));
        };
        if webhook.state == HookState::Ended {
            return Ok(unsent("the webhook has ended"));
        }
        let receiver = self.sender.receiver(&webhook.url);
        let place = receiver.map(|receiver| {
            // Any number that others do not have.
            let chance = job.fence();
            self.places.take(Instant::now(), (webhook.id, receiver), chance)
        });
        let place = match place.transpose() {
            Ok(place) => place,
            Err(wait) => return Ok(Outcome::HandBack(wait)),
        };
        let at = clock::wall();
        let Some(body) = self.body(deliver, &webhook, at).await? else {
            return Ok(unsent("the room was deleted"));
        };
        let secrets = secrets(&webhook, at)?;
        let message = Message { id, at, body: Bytes::from(body), secrets: &secrets };
        let outcome = self.sender.deliver(&webhook.url, &message).await;
        if let (Some(place), client::Outcome::Delivered(_)) = (&place, &outcome) {
            place.heard(Instant::now());
        }
        Ok(match outcome {
            client::Outcome::Delivered(status) => Outcome::Done(Delivered::Sent { status }),
            client::Outcome::Gone => {
                let ends = self.engine.change_webhook(webhook.id, HookChange::End, self.by.clone());
                ends.await?;
                Outcome::Done(Delivered::Ended)
            }
            client::Outcome::Failed { why, retry_after: None } => Outcome::Retry(why),
            client::Outcome::Failed { why, retry_after: Some(floor) } => {
                Outcome::RetryAfter(why, floor)
            }
        })
    }

    /// What is sent; `None` if the room is there no more.
    async fn body(
        &self,
        deliver: &Deliver,
        webhook: &Webhook,
        now: Timestamp,
    ) -> Result<Option<String>, Fault> {
        let name = &webhook.name;
        let Some(offset) = deliver.offset else {
            let data = json!({ "room": name, "webhook": webhook.id });
            return Ok(Some(written(&format!("{SYSTEM}.test"), now, &data.to_string())));
        };
        let before = offset.saturating_sub(1);
        let slice = self.engine.slice(deliver.room, before, 1, READ_BYTES).await?;
        let Some(Slice { head: Head { epoch, .. }, entries, .. }) = slice else {
            return Ok(None);
        };
        if let Some((_, entry)) = entries.first().filter(|(at, _)| *at == offset) {
            return body(webhook, epoch, entry).map(Some);
        }
        let data = json!({
            "room": name,
            "epoch": epoch,
            "offset": offset,
            "data": null,
            "trimmed": true,
        });
        Ok(Some(written(&format!("{SYSTEM}.trimmed"), now, &data.to_string())))
    }
}

impl Worker for Courier {
    type Job = Deliver;

    async fn run(&self, job: &mut Leased<Deliver>) -> Outcome<Deliver> {
        let delivered = self.deliver(job).await;
        delivered.unwrap_or_else(|fault| {
            tracing::warn!(job = %job.id(), %fault, "a webhook has to wait for the storage");
            match fault {
                Fault::Full | Fault::Overloaded | Fault::Unknown(_) => {
                    Outcome::HandBack(STORAGE_WAIT)
                }
                // It may fail there each time.
                Fault::Failed(detail) => Outcome::Retry(NotDelivered {
                    code: Undelivered::StorageFault,
                    status: None,
                    detail,
                }),
            }
        })
    }
}

fn unsent(why: &str) -> Outcome<Deliver> {
    Outcome::Done(Delivered::Unsent { why: why.to_owned() })
}

fn secrets(webhook: &Webhook, at: Timestamp) -> Result<Vec<Secret>, Fault> {
    let secrets = webhook.keys(at).into_iter().map(|key| Secret::of(key.0.clone()));
    let secrets: Result<_, _> = secrets.collect();
    secrets.map_err(|error| Fault::Failed(error.to_string()))
}

/// An entry as a reader of the log gets it, with where it stands.
fn body(webhook: &Webhook, epoch: Epoch, entry: &str) -> Result<String, Fault> {
    let broken = |error: serde_json::Error| Fault::Failed(format!("an entry is broken: {error}"));
    let Entry { kind, at, .. } = serde_json::from_str(entry).map_err(broken)?;
    let name = json!(webhook.name);
    // Its payload's bytes are handed on as they are.
    let rest = entry.strip_prefix('{').unwrap_or(entry);
    let data = format!(r#"{{"room":{name},"epoch":"{epoch}",{rest}"#);
    Ok(written(&format!("{}.{kind}", webhook.ns), at, &data))
}

fn written(kind: &str, at: Timestamp, data: &str) -> String {
    let (kind, at) = (json!(kind), json!(rfc3339(at)));
    format!(r#"{{"type":{kind},"timestamp":{at},"data":{data}}}"#)
}

fn rfc3339(at: Timestamp) -> String {
    let time = i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis);
    time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::{
        id::{RoomId, WebhookId},
        job::backoff::wait,
        storage::hooks::Key,
    };
    use serde_json::Value;

    #[test]
    fn attempts_go_on_for_more_than_a_day_however_the_waits_are_drawn() {
        let settings = queue().spec.settings;
        let waits = |chance| {
            let waits = (1..settings.attempts).map(move |n| wait(settings.backoff, n, chance).0);
            waits.collect::<Vec<_>>()
        };
        for chance in 0..200 {
            let waits = waits(chance);
            let hours = waits.iter().sum::<u64>() / 3_600_000;
            assert!((25..=60).contains(&hours), "{hours} h");
            assert!(waits.iter().all(|wait| *wait <= 12 * 3_600_000), "{waits:?}");
            assert!(waits.first().is_some_and(|first| *first <= 5_000));
        }
    }

    #[test]
    fn people_are_told_how_often_and_for_how_long_it_is_tried() {
        let text = include_str!("../../../docs/queues.md");
        let line =
            format!("There are {ATTEMPTS} attempts; the first wait is {} s", FIRST_WAIT.0 / 1_000);
        assert!(text.contains(&line), "{line}");
    }

    #[test]
    fn what_is_sent_is_the_entry_with_where_it_stands() {
        let webhook = Webhook {
            id: WebhookId::NIL,
            room: RoomId::NIL,
            ns: "chat".to_owned(),
            name: "Ward \"7\"".to_owned(),
            url: "https://hooks.example.org/".to_owned(),
            secret: Key(Vec::new()),
            before: None,
            kinds: None,
            ordered: false,
            state: HookState::Active,
            made: Timestamp(0),
            changed: Timestamp(0),
            by: PersonId::NIL,
        };
        let entry = concat!(
            r#"{"offset":3,"mark":"66ed1e4df3bca329","id":"00000000-0000-0000-0000-000000000000","#,
            r#""type":"message","from":{"id":"00000000-0000-0000-0000-000000000000","name":"Ada"},"#,
            r#""at":1763768400123,"data":{"text":"grüß dich","n":1.50}}"#
        );
        let body = body(&webhook, Epoch::NIL, entry).unwrap();
        assert!(body.contains(r#""data":{"text":"grüß dich","n":1.50}}}"#), "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["type"], "chat.message");
        assert_eq!(body["timestamp"], "2025-11-21T23:40:00.123Z");
        let data = &body["data"];
        assert_eq!((&data["room"], &data["offset"]), (&json!("Ward \"7\""), &json!(3)));
        assert_eq!(data["epoch"], json!(Epoch::NIL));
        assert_eq!(data["from"]["name"], "Ada");
    }
}
