//! A room's log by HTTP: append one event, read from an offset.

mod read;

pub(crate) use read::read;

use crate::{
    app::Shared,
    clock,
    http::body::{key, whole},
    problem::Problem,
    walk::{self, Draft},
};
use axum::{
    body::Body,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use holdfast_common::{
    error::Code,
    frame::{Author, RoomInfo},
    id::PersonId,
    storage::{Appended, Fault, Idempotency, Verdict},
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// Who writes by HTTP while there is no sign-in: one person, a member of every room. Its id is
/// fixed, and no connection may say that it is this person's.
pub(crate) fn service() -> PersonId {
    PersonId::SERVICE
}

/// A namespace and a room's name, as they stand in the address.
type RoomPath = Result<Path<(String, String)>, PathRejection>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEvent {
    #[serde(rename = "type")]
    kind: String,
    data: Box<RawValue>,
}

/// `POST /api/v1/{namespace}/rooms/{room}/events`.
pub(crate) async fn append(
    State(shared): State<Arc<Shared>>,
    path: RoomPath,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let key = key(&headers)?;
    let body = whole(&headers, body, &shared, shared.limits.frame_bytes()).await?;
    let event: NewEvent = serde_json::from_slice(&body)
        .map_err(|error| Problem::bad_request(format!("The body is no event: {error}.")))?;
    let payload = event.data.get().as_bytes().to_vec();
    if payload.len() > shared.limits.payload_bytes as usize {
        return Err(Code::TooLarge.into());
    }
    let (namespace, room) = room(&shared, path).await?;
    let draft = Draft {
        namespace,
        room: room.room,
        id: clock::fresh_event()?,
        kind: event.kind,
        author: Author { id: service(), name: "service".to_owned() },
        payload,
        condemned: None,
        everywhere: true,
        lane: None,
        idempotency: key.map(|key| Idempotency {
            key,
            caller: service(),
            body_hash: Sha256::digest(&body).into(),
        }),
    };
    answer(walk::append(&shared, &draft).await)
}

fn answer(appended: Appended) -> Result<Response, Problem> {
    let (status, verdict) = match appended {
        Appended::Decided { verdict, .. } => (StatusCode::CREATED, verdict),
        Appended::Again(verdict) => (StatusCode::OK, verdict),
        Appended::Mismatch => return Err(Code::IdempotencyMismatch.into()),
        Appended::Fault(fault) => return Err(fault.into()),
        other => {
            let text = format!("an append without a lane: {other:?}");
            return Err(Fault::Failed(text).into());
        }
    };
    match verdict {
        Verdict::Ack { id, epoch, offset, .. } => {
            let body = json!({ "epoch": epoch, "offset": offset, "id": id });
            let kind = [(header::CONTENT_TYPE, "application/json")];
            Ok((status, kind, body.to_string()).into_response())
        }
        rejection @ Verdict::Reject { .. } => Err(rejected(rejection)),
    }
}

/// A rejected event as it is told.
pub(super) fn rejected(verdict: Verdict) -> Problem {
    let Verdict::Reject { code, detail, why, .. } = verdict else {
        return Code::ServerFault.into();
    };
    let problem = Problem::because(code, detail);
    let why = why.and_then(|why| serde_json::from_str::<serde_json::Value>(&why).ok());
    match why {
        Some(why) => problem.with("why", why),
        None => problem,
    }
}

/// The room that an address names.
async fn room(shared: &Shared, path: RoomPath) -> Result<(String, RoomInfo), Problem> {
    let Path((namespace, name)) =
        path.map_err(|_| Problem::bad_request("The address is no UTF-8."))?;
    let room = room_named(shared, &namespace, &name).await?;
    Ok((namespace, room))
}

/// A room of a namespace that is served.
pub(super) async fn room_named(
    shared: &Shared,
    namespace: &str,
    name: &str,
) -> Result<RoomInfo, Problem> {
    shared.handler(namespace)?;
    let room = shared.engine.room_named(namespace, name).await?;
    Ok(room.ok_or(Code::UnknownRoom)?)
}
