//! Reading a log. It knows nothing of sockets: an offset, a limit, entries.

use super::{RoomPath, room};
use crate::{app::Shared, problem::Problem};
use axum::{
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};
use holdfast_common::{
    cursor::{Head, Offset, ResetReason},
    error::Code,
    frame::GapReason,
    id::Epoch,
    storage::Slice,
};
use serde_json::{Value, json};
use std::sync::Arc;

/// Bytes of entries in one answer, but for the first entry.
const MOST_BYTES: usize = 1024 * 1024;
const MOST_EVENTS: u32 = 1_000;

#[derive(Debug, PartialEq, Eq)]
struct Query {
    epoch: Option<Epoch>,
    after: Offset,
    limit: u32,
}

/// `GET /api/v1/{namespace}/rooms/{room}/events`.
pub(crate) async fn read(
    State(shared): State<Arc<Shared>>,
    path: RoomPath,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = parse(query.as_deref().unwrap_or_default())?;
    let (_, info) = room(&shared, path).await?;
    let slice = shared
        .engine
        .slice(info.room, query.after, query.limit, MOST_BYTES)
        .await?
        .ok_or(Code::UnknownRoom)?;
    check(&query, &slice.head)?;
    let kind = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, written(&query, &slice)).into_response())
}

fn parse(query: &str) -> Result<Query, Problem> {
    let mut read = Query { epoch: None, after: 0, limit: 100 };
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let wrong = |what: &str| Problem::bad_request(format!("{name} has to be {what}."));
        match name {
            "epoch" => read.epoch = Some(value.parse().map_err(|_| wrong("an epoch"))?),
            "after" => read.after = value.parse().map_err(|_| wrong("an offset"))?,
            "limit" => {
                let limit = value.parse().ok();
                let limit = limit.filter(|limit| (1..=MOST_EVENTS).contains(limit));
                read.limit = limit.ok_or_else(|| wrong("1 to 1000"))?;
            }
            // Others may be of a later version.
            _ => {}
        }
    }
    Ok(read)
}

/// A reader goes on only in the log it has read from.
fn check(query: &Query, head: &Head) -> Result<(), Problem> {
    let reason = if query.epoch.is_some_and(|epoch| epoch != head.epoch) {
        ResetReason::Epoch
    } else if query.after > head.offset {
        ResetReason::Future
    } else {
        return Ok(());
    };
    Err(Problem::from(Code::Reset)
        .with("reason", json!(reason))
        .with("epoch", json!(head.epoch))
        .with("head", head.offset))
}

fn written(query: &Query, slice: &Slice) -> String {
    let first = slice.head.first;
    let gap = if query.after + 1 < first {
        json!({
            "from": query.after + 1,
            "to": first - 1,
            "count": first - 1 - query.after,
            "reason": GapReason::Trimmed,
        })
    } else {
        Value::Null
    };
    let entries: Vec<&str> = slice.entries.iter().map(|(_, text)| &**text).collect();
    format!(
        r#"{{"epoch":"{}","head":{},"gap":{gap},"events":[{}]}}"#,
        slice.head.epoch,
        slice.head.offset,
        entries.join(",")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_or_refused() {
        let read = parse("after=7&limit=1000&later=x").unwrap();
        assert_eq!((read.after, read.limit, read.epoch), (7, 1000, None));
        assert_eq!(parse("").unwrap().limit, 100);
        for query in [
            "limit=0",
            "limit=1001",
            "limit=",
            "limit=-1",
            "after=-1",
            "after=1.5",
            "after=18446744073709551616",
            "epoch=now",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
        assert!(parse("after=18446744073709551615").is_ok());
    }
}
