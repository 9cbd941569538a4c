//! A room's webhooks by HTTP: make, see, change the secret, try, remove.

use super::{
    body::{Heard, Nothing, hear},
    caller::Caller,
    events::room_named,
    queues::answer,
    routes::Routes,
};
use crate::{app::Shared, clock, problem::Problem, rights::Right, webhook::Secret};
use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use holdfast_common::{
    error::Code,
    event::Class,
    id::WebhookId,
    job::{self, NewJob},
    storage::{
        hooks::{HookChange, HookState, Hooked, Key, WEBHOOKS, Webhook},
        jobs::Enqueued,
    },
    system::Deliver,
};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Types of events that a webhook may name.
const TYPES: usize = 64;

/// The addresses below `/api/v1`.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .get("/{namespace}/rooms/{room}/webhooks", Right::Hook, list)
        .post("/{namespace}/rooms/{room}/webhooks", Right::Hook, make)
        .delete("/{namespace}/rooms/{room}/webhooks/{id}", Right::Hook, remove)
        .post("/{namespace}/rooms/{room}/webhooks/{id}/secret", Right::Hook, change_secret)
        .post("/{namespace}/rooms/{room}/webhooks/{id}/test", Right::Hook, test)
}

/// A namespace and a room's name, as they stand in the address.
type OfRoom = Result<Path<(String, String)>, PathRejection>;

/// The same with a webhook's id.
type OfOne = Result<Path<(String, String, String)>, PathRejection>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    url: String,
    types: Option<Vec<String>>,
    #[serde(default)]
    ordered: bool,
    secret: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewSecret {
    secret: Option<String>,
}

/// `POST /api/v1/{namespace}/rooms/{room}/webhooks`.
async fn make(
    State(shared): State<Arc<Shared>>,
    address: OfRoom,
    request: Request,
) -> Result<Response, Problem> {
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let Path((ns, name)) = address.map_err(|_| not_text())?;
    let room = room_named(&shared, &ns, &name).await?;
    let Heard { headers, body: asked, .. } = hear::<Asked>(&shared, request, "webhook").await?;
    let caller = Caller::of(&shared, &headers).await?;
    check_types(&shared, &ns, asked.types.as_deref())?;
    let secret = secret(asked.secret)?;
    let target = shared.sender.check(&asked.url).await;
    let target = target
        .map_err(|bad| Problem::because(job::Code::TargetRefused, format!("{}.", first(&bad))))?;
    let now = clock::wall();
    let by = caller.by();
    let webhook = Webhook {
        id: clock::fresh_webhook()?,
        room: room.room,
        ns,
        name: room.name,
        url: target.url().to_owned(),
        secret: Key(secret.bytes().to_vec()),
        before: None,
        kinds: asked.types,
        ordered: asked.ordered,
        state: HookState::Active,
        made: now,
        changed: now,
        by: by.person,
    };
    let id = webhook.id;
    match shared.engine.add_webhook(webhook, by).await? {
        Hooked::Made => {
            let made = json!({ "id": id, "secret": secret.reveal() });
            Ok(answer(StatusCode::CREATED, &made))
        }
        Hooked::NoRoom => Err(Code::UnknownRoom.into()),
        Hooked::TooMany => {
            let text = format!("A room has up to {WEBHOOKS} webhooks.");
            Err(Problem::because(Code::TooMany, text))
        }
    }
}

/// `GET /api/v1/{namespace}/rooms/{room}/webhooks`: no secret is shown again.
async fn list(State(shared): State<Arc<Shared>>, address: OfRoom) -> Result<Response, Problem> {
    let Path((ns, name)) = address.map_err(|_| not_text())?;
    let room = room_named(&shared, &ns, &name).await?;
    let webhooks = shared.engine.webhooks(room.room).await?.ok_or(Code::UnknownRoom)?;
    let webhooks: Vec<_> = webhooks.iter().map(shown).collect();
    Ok(answer(StatusCode::OK, &json!({ "webhooks": webhooks })))
}

fn shown(webhook: &Webhook) -> Value {
    json!({
        "id": webhook.id,
        "url": webhook.url,
        "types": webhook.kinds,
        "ordered": webhook.ordered,
        "state": match webhook.state {
            HookState::Active => "active",
            HookState::Ended => "ended",
        },
        "made": webhook.made,
        "by": webhook.by,
        "secret_changed": webhook.changed,
    })
}

/// `DELETE /api/v1/{namespace}/rooms/{room}/webhooks/{id}`. What was still to be sent is not.
async fn remove(
    State(shared): State<Arc<Shared>>,
    address: OfOne,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let webhook = webhook_of(&shared, address).await?;
    let caller = Caller::of(&shared, &headers).await?;
    change(&shared, webhook.id, HookChange::Remove, &caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/v1/{namespace}/rooms/{room}/webhooks/{id}/secret`: the one before signs too for a day.
async fn change_secret(
    State(shared): State<Arc<Shared>>,
    address: OfOne,
    request: Request,
) -> Result<Response, Problem> {
    let webhook = webhook_of(&shared, address).await?;
    let Heard { headers, body: NewSecret { secret: asked }, .. } =
        hear(&shared, request, "secret").await?;
    let caller = Caller::of(&shared, &headers).await?;
    let secret = secret(asked)?;
    let key = Key(secret.bytes().to_vec());
    change(&shared, webhook.id, HookChange::Secret(key, clock::wall()), &caller).await?;
    let changed = json!({ "id": webhook.id, "secret": secret.reveal() });
    Ok(answer(StatusCode::OK, &changed))
}

/// `POST /api/v1/{namespace}/rooms/{room}/webhooks/{id}/test`: sends something that is no event.
async fn test(
    State(shared): State<Arc<Shared>>,
    address: OfOne,
    request: Request,
) -> Result<Response, Problem> {
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let webhook = webhook_of(&shared, address).await?;
    let Heard { body: Nothing {}, .. } = hear(&shared, request, "test").await?;
    let epoch = shared.engine.slice(webhook.room, 0, 1, 0).await?;
    let epoch = epoch.ok_or(Code::UnknownRoom)?.head.epoch;
    let deliver = Deliver { webhook: webhook.id, room: webhook.room, epoch, offset: None };
    let job = NewJob::of(clock::fresh_job()?, &deliver);
    let id = job.id;
    match shared.queues.desk.enqueue(vec![job], None).await? {
        // One job is never more than a queue may have.
        Enqueued::QueueFull | Enqueued::TooLarge => Err(job::Code::QueueFull.into()),
        _ => Ok(answer(StatusCode::ACCEPTED, &json!({ "job": id }))),
    }
}

async fn change(
    shared: &Shared,
    id: WebhookId,
    change: HookChange,
    caller: &Caller,
) -> Result<(), Problem> {
    let changed = shared.engine.change_webhook(id, change, caller.by()).await?;
    if changed { Ok(()) } else { Err(unknown()) }
}

async fn webhook_of(shared: &Shared, address: OfOne) -> Result<Webhook, Problem> {
    let Path((ns, name, id)) = address.map_err(|_| not_text())?;
    let room = room_named(shared, &ns, &name).await?;
    let id: WebhookId = id.parse().map_err(|_| unknown())?;
    let webhook = shared.engine.webhook(id).await?;
    webhook.filter(|webhook| webhook.room == room.room).ok_or_else(unknown)
}

/// A type that nothing is ever of would be a webhook that is silent for ever.
fn check_types(shared: &Shared, ns: &str, types: Option<&[String]>) -> Result<(), Problem> {
    let Some(types) = types else { return Ok(()) };
    if !(1..=TYPES).contains(&types.len()) {
        return Err(Problem::bad_request(format!("types has 1 to {TYPES} names, or is left out.")));
    }
    let handler = shared.handler(ns)?;
    match types.iter().find(|kind| handler.class(kind) != Some(Class::Durable)) {
        Some(kind) => {
            let text = format!("There is no durable event {kind:?} in this namespace.");
            Err(Problem::because(Code::UnknownType, text))
        }
        None => Ok(()),
    }
}

fn secret(asked: Option<String>) -> Result<Secret, Problem> {
    match asked {
        None => Ok(Secret::fresh()?),
        Some(text) => {
            Secret::parse(&text).map_err(|bad| Problem::bad_request(format!("{}.", first(&bad))))
        }
    }
}

/// An error as a sentence begins.
pub(super) fn first(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |letter| letter.to_uppercase().chain(letters).collect())
}

fn not_text() -> Problem {
    Problem::bad_request("The address is no UTF-8.")
}

fn unknown() -> Problem {
    Problem::because(Code::NotFound, "The room has no such webhook, or no longer.")
}
