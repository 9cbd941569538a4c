//! Bodies of requests, and their idempotency keys.

use crate::{
    app::Shared,
    limits::{BATCH_BYTES, KEY_BYTES},
    problem::Problem,
};
use axum::{
    body::{self, Body, Bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use holdfast_common::{error::Code, json};
use serde::{Deserialize, de::DeserializeOwned};

const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The `Idempotency-Key`, if there is one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let (least, most) = (KEY_BYTES.start(), KEY_BYTES.end());
    let wrong = || {
        let text = format!("An Idempotency-Key is {least} to {most} bytes of UTF-8.");
        Problem::bad_request(text)
    };
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let (key, more) = (keys.next(), keys.next());
    let Some(key) = key else { return Ok(None) };
    let text = std::str::from_utf8(key.as_bytes()).map_err(|_| wrong())?;
    if more.is_some() || !KEY_BYTES.contains(&text.len()) {
        return Err(wrong());
    }
    Ok(Some(text.to_owned()))
}

/// The body, if it has no more than so many bytes. One that says that it has, is not read at all.
pub(super) async fn whole(
    headers: &HeaderMap,
    body: Body,
    shared: &Shared,
    most: usize,
) -> Result<Bytes, Problem> {
    let said = headers.get(header::CONTENT_LENGTH);
    let said = said.and_then(|said| said.to_str().ok()?.parse::<u64>().ok());
    if said.is_some_and(|said| said > most as u64) {
        return Err(Code::TooLarge.into());
    }
    let read = tokio::time::timeout(shared.request_time, body::to_bytes(body, most)).await;
    let read = read.map_err(|_| Problem::bad_request("The body took too long."))?;
    read.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        if too_large {
            Problem::from(Code::TooLarge)
        } else {
            Problem::bad_request("The body broke off.")
        }
    })
}

/// A request whose body was read.
pub(super) struct Heard<T> {
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
    pub(super) body: T,
}

/// The body where the address says it all.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Reads a request's body of JSON, which is `what` and no larger than a frame. No body at all is read as
/// an object without members.
pub(super) async fn hear<T: DeserializeOwned>(
    shared: &Shared,
    request: Request,
    what: &str,
) -> Result<Heard<T>, Problem> {
    hear_up_to(shared, request, shared.limits.frame_bytes(), what).await
}

/// As [`hear`], where it may carry many jobs or events.
pub(super) async fn hear_much<T: DeserializeOwned>(
    shared: &Shared,
    request: Request,
    what: &str,
) -> Result<Heard<T>, Problem> {
    hear_up_to(shared, request, BATCH_BYTES, what).await
}

async fn hear_up_to<T: DeserializeOwned>(
    shared: &Shared,
    request: Request,
    most: usize,
    what: &str,
) -> Result<Heard<T>, Problem> {
    let (head, body) = request.into_parts();
    let bytes = whole(&head.headers, body, shared, most).await?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Problem::bad_request("The body is no UTF-8."))?;
    let text = if text.trim().is_empty() { "{}" } else { text };
    let body = json::read(text)
        .map_err(|error| Problem::bad_request(format!("The body is no {what}: {error}.")))?;
    Ok(Heard { headers: head.headers, bytes, body })
}
