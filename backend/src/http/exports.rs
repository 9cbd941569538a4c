//! A room's log as a file, by HTTP: ask for it, and get it once it is there.

use super::{
    body::{Heard, Nothing, hear, key},
    caller::Caller,
    events::room_named,
    queues::{answer, wrong_state},
    routes::Routes,
};
use crate::{
    app::Shared,
    clock,
    export::Shelf,
    problem::Problem,
    queues::by_key,
    rights::{Right, may},
};
use axum::{
    body::Body,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use holdfast_common::{
    error::Code,
    id::{JobId, PersonId},
    job::{self, JobState, NewJob},
    storage::jobs::{Enqueued, Promise},
    system::{EXPORTS, Export, SYSTEM},
};
use serde_json::json;
use std::{io, sync::Arc};

/// Characters of a room's name in the name of its file.
const NAME_CHARS: usize = 64;

/// The addresses below `/api/v1`.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .post("/{namespace}/rooms/{room}/export", Right::Read, ask)
        .get_found("/holdfast/exports/{job}", file)
}

/// `POST /api/v1/{namespace}/rooms/{room}/export`.
async fn ask(
    State(shared): State<Arc<Shared>>,
    address: Result<Path<(String, String)>, PathRejection>,
    request: Request,
) -> Result<Response, Problem> {
    if shared.is_draining() {
        return Err(Code::Draining.into());
    }
    let Path((ns, name)) = address.map_err(|_| not_text())?;
    let room = room_named(&shared, &ns, &name).await?;
    let shelf = shelf(&shared)?;
    let Heard { headers, bytes, body: Nothing {} } = hear(&shared, request, "export").await?;
    let asker = Caller::of(&shared, &headers).await?.person();
    let export = Export { room: room.room, namespace: ns, name: room.name };
    let promise = promise(&headers, asker, &export, &bytes)?;
    // What was asked for with a key may be there already: then there need be no room for another one.
    if promise.is_none() && shelf.room().await.map_err(|error| unread(&error))?.is_none() {
        return Err(Problem::because(Code::TooMany, "There are as many exports as are kept."));
    }
    let job = NewJob { asker, ..NewJob::of(clock::fresh_job()?, &export) };
    let (status, ids) = match shared.queues.desk.enqueue(vec![job], promise).await? {
        Enqueued::Made { ids, .. } => (StatusCode::ACCEPTED, ids),
        Enqueued::Again(ids) => (StatusCode::OK, ids),
        Enqueued::Mismatch => return Err(Code::IdempotencyMismatch.into()),
        Enqueued::UnknownQueue { .. } => return Err(job::Code::UnknownQueue.into()),
        // One job is never more than a queue may have.
        Enqueued::QueueFull | Enqueued::TooLarge => return Err(job::Code::QueueFull.into()),
    };
    Ok(answer(status, &json!({ "job": ids.first() })))
}

/// All rooms share a queue: with a key that was used for another room it is another request.
fn promise(
    headers: &HeaderMap,
    asker: Option<PersonId>,
    export: &Export,
    body: &[u8],
) -> Result<Option<Promise>, Problem> {
    Ok(key(headers)?.map(|key| by_key(key, asker, &[export.room.as_bytes(), body])))
}

/// `GET /api/v1/holdfast/exports/{job}`.
async fn file(
    State(shared): State<Arc<Shared>>,
    address: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = address.map_err(|_| not_text())?;
    let id: JobId = id.parse().map_err(|_| job::Code::UnknownJob)?;
    let read = shared.engine.job(id).await?;
    let read = read.filter(|read| read.ns == SYSTEM && read.queue == EXPORTS);
    let read = read.ok_or(job::Code::UnknownJob)?;
    let export = holdfast_common::json::read::<Export>(&read.data);
    let export = export.map_err(|_| gone())?;
    may(Right::Read, &export.namespace)?;
    let state = read.place.state();
    if state != JobState::Done {
        return Err(wrong_state(state));
    }
    let shelf = shelf(&shared)?;
    let turn = shelf.turn().ok_or(Code::Overloaded)?;
    let whole = shelf.open(id, read.fence).await.map_err(|error| unread(&error))?;
    let whole = whole.ok_or_else(gone)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::CONTENT_LENGTH, whole.bytes.into()),
        (header::CONTENT_DISPOSITION, attached(&export, id)?),
    ];
    Ok((headers, Body::from_stream(whole.pieces(turn))).into_response())
}

/// To be saved under a name in which nothing has a meaning for a shell or a file system.
fn attached(export: &Export, id: JobId) -> Result<HeaderValue, Problem> {
    let safe = |text: &str| {
        let chars = text.chars().take(NAME_CHARS);
        let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        chars.map(|c| if kept(c) { c } else { '_' }).collect::<String>()
    };
    let (ns, name) = (safe(&export.namespace), safe(&export.name));
    let text = format!("attachment; filename=\"{ns}-{name}-{id}.jsonl\"");
    HeaderValue::try_from(text).map_err(|_| Code::ServerFault.into())
}

fn shelf(shared: &Shared) -> Result<&Arc<Shelf>, Problem> {
    let none = || Problem::because(Code::NotFound, "This server has no folder for exports.");
    shared.exports.as_ref().ok_or_else(none)
}

fn unread(error: &io::Error) -> Problem {
    tracing::warn!(%error, "the folder of exports cannot be read");
    Code::StorageFault.into()
}

fn gone() -> Problem {
    Problem::because(Code::NotFound, "The export is not kept any more.")
}

fn not_text() -> Problem {
    Problem::bad_request("The address is no UTF-8.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_common::id::RoomId;

    #[test]
    fn a_file_is_saved_under_a_name_that_means_nothing_else() {
        let name = "../Ward \"7\"\r\nx: y; $(grüße)".to_owned() + &"z".repeat(200);
        let export = Export { room: RoomId::NIL, namespace: "chat".to_owned(), name };
        let header = attached(&export, JobId::NIL).unwrap();
        let text = header.to_str().unwrap();
        let name = text.strip_prefix("attachment; filename=\"").unwrap().strip_suffix('"').unwrap();
        assert!(name.starts_with("chat-___Ward__7___x__y____gr__e_"), "{name}");
        assert!(name.ends_with(&format!("z-{}.jsonl", JobId::NIL)) && name.len() < 128, "{name}");
    }
}
